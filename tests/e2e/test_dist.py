"""packaging/, quickly: from the program that is built, a package, the source tarball, the list of parts and an image. `make
test-dist` looks at the whole release."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import released
from program import ROOT, binary

EPOCH = 1700000000
PACKAGING = ROOT / "packaging"
BUILD = Path(binary()).parent
ARCH = "amd64"


def go(*argv, cwd="/", code=0, **env):
    env = {"PATH": os.environ["PATH"], "BUILD": str(BUILD), "SOURCE_DATE_EPOCH": str(EPOCH), "PYTHONDONTWRITEBYTECODE": "1"} | env
    done = subprocess.run([str(a) for a in argv], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def read(name, *arguments, **env):
    return go("/usr/bin/python3", PACKAGING / name, *arguments, **env)


@pytest.fixture(scope="module")
def manual():
    go("make", "-s", "-C", ROOT, "man", f"BUILD={BUILD}")


def package(folder, **env):
    go(PACKAGING / "deb.sh", ARCH, binary(), folder, **env)
    path, = folder.iterdir()
    assert path.name == f"dnsbuddy_{released.VERSION}_{ARCH}.deb"
    return path


@pytest.fixture(scope="module")
def deb(manual, tmp_path_factory):
    return package(tmp_path_factory.mktemp("deb"))


@pytest.fixture
def files(deb):
    return released.check_deb(deb, ARCH, EPOCH, binary())


# -- the package


def test_the_package_holds_what_it_should(files):
    released.check_unit(files["usr/lib/systemd/system/dnsbuddy.service"].decode(),
                        (ROOT / "examples/systemd/dnsbuddy.service").read_text())
    assert files["etc/dnsbuddy/dnsbuddy.env"] == (ROOT / "examples/systemd/dnsbuddy.env").read_bytes()
    released.check_copyright(files["usr/share/doc/dnsbuddy/copyright"].decode(), BUILD)
    released.check_changelog(released.gzip.decompress(files["usr/share/doc/dnsbuddy/changelog.gz"]).decode())
    assert files["usr/share/man/man1/dnsbuddy.1.gz"][:2] == b"\x1f\x8b"


def test_the_same_package_twice(deb, tmp_path):
    """Whatever the caller's mask, time zone, language, number of processors, and options of what packs."""
    mask = os.umask(0o077)
    try:
        again = package(tmp_path / "a-longer-name", TZ="Asia/Tokyo", LC_ALL="C.UTF-8", XZ_DEFAULTS="-T2",
                        DPKG_DEB_COMPRESSOR_LEVEL="0", TAR_OPTIONS="--mode=a=rwx")
    finally:
        os.umask(mask)
    assert again.read_bytes() == deb.read_bytes()


def test_another_time_is_another_package(deb, tmp_path):
    """Also one that this machine's clock has yet to reach."""
    for ahead in (EPOCH + 1, int(time.time()) + 86400):
        again = package(tmp_path / str(ahead), SOURCE_DATE_EPOCH=str(ahead))
        assert again.read_bytes() != deb.read_bytes()
        released.check_deb(again, ARCH, ahead, binary())


def test_no_package_without_the_manual(tmp_path):
    assert "is missing" in go(PACKAGING / "deb.sh", ARCH, binary(), tmp_path / "deb", code=1, BUILD=str(tmp_path / "empty"))
    assert not list((tmp_path / "deb").iterdir())


def test_its_unit_has_no_complaint(files, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "dnsbuddy.service"
    unit.write_text(files["usr/lib/systemd/system/dnsbuddy.service"].decode().replace("/usr/bin/dnsbuddy", binary()))
    assert go("systemd-analyze", "verify", "--man=no", unit) == ""
    out = go("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    assert float(re.search(r"exposure level for \S+: ([\d.]+) ", out)[1]) <= 2.0


class Machine:
    """A folder that stands for /, in which maintainer scripts run, and a systemd that only notes what it is told."""

    TOLD = ("systemctl", "deb-systemd-invoke")

    def __init__(self, folder):
        self.folder, self.told = folder, folder / "told"
        for name in ("bin", "run/systemd/system", "etc/dnsbuddy", "etc/systemd/system/multi-user.target.wants"):
            (folder / name).mkdir(parents=True)
        for name in self.TOLD:
            self.answers(name, 0)

    def answers(self, name, code, text=""):
        stub = self.folder / "bin" / name
        stub.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.told}\nprintf "{text}"\nexit {code}\n')
        stub.chmod(0o755)

    def run(self, script, *arguments, code=0, says=""):
        """What systemd was told: the words that are no options. A script that succeeds says nothing."""
        text = (PACKAGING / "debian" / script).read_text()
        here, count = re.subn(r"(?<![\w/])(?=/(etc|run)/)", str(self.folder), text)
        assert count and text.startswith("#!/bin/sh\n") and not re.search(r"(?<![\w/])/(?!etc/|run/|dev/null|bin/sh\n)", text)
        copy = self.folder / "script"
        copy.write_text(here)
        copy.chmod(0o755)
        self.told.write_text("")
        out = go(copy, *arguments, code=code, PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        assert says in out if code else not out
        return [" ".join(word for word in line.split() if not word.startswith("--")) for line in self.told.read_text().splitlines()]

    def files(self):
        etc = self.folder / "etc"
        return {str(path.relative_to(etc)) for path in etc.rglob("*") if not path.is_dir() or not any(path.iterdir())}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "machine")


WANTS = "systemd/system/multi-user.target.wants"


@pytest.mark.parametrize("theirs", [{"dnsbuddy/ca.pem", f"{WANTS}/other.service"}, set()])
def test_purging_takes_the_token_and_leaves_what_others_put_there(machine, theirs):
    """dpkg itself takes the settings first."""
    token = "dnsbuddy/cloudflare-token"
    for name in theirs | {token}:
        (machine.folder / "etc" / name).write_text("")
    (machine.folder / "etc" / WANTS / "dnsbuddy.service").symlink_to("/lib/systemd/system/dnsbuddy.service")
    before = machine.files()
    assert before == theirs | {token, f"{WANTS}/dnsbuddy.service"}
    for argument in ("remove", "upgrade", "abort-install", "disappear"):
        assert machine.run("postrm", argument) == ["systemctl daemon-reload"]
    assert machine.files() == before
    for _ in range(2):  # nothing may be there any more
        assert machine.run("postrm", "purge") == ["systemctl daemon-reload"]
        assert machine.files() == (theirs or {WANTS})
    assert (machine.folder / "etc/dnsbuddy").exists() == bool(theirs)


RELOAD, TRY, START, STOP, ASK = ("systemctl daemon-reload", "deb-systemd-invoke try-restart dnsbuddy.service",
                                 "deb-systemd-invoke start dnsbuddy.service", "deb-systemd-invoke stop dnsbuddy.service",
                                 "systemctl is-enabled dnsbuddy.service")


@pytest.mark.parametrize("script, arguments, told", [
    ("postinst", ("configure", ""), [RELOAD]),
    ("postinst", ("configure", "0.1.0"), [RELOAD, TRY]),
    ("postinst", ("abort-upgrade", "0.1.0"), []),
    ("postinst", ("abort-remove",), [ASK, START]),
    ("prerm", ("remove",), [STOP]),
    ("prerm", ("upgrade", "0.3.0"), []),
    ("postrm", ("purge",), [RELOAD]),
])
def test_what_systemd_is_told(machine, script, arguments, told):
    """Nothing is enabled, and nothing started that was not: neither is a failure of systemd's one of dpkg's."""
    assert machine.run(script, *arguments) == told
    for name in Machine.TOLD:
        machine.answers(name, 1)
    assert machine.run(script, *arguments) == [line for line in told if line != START]  # it is not enabled
    shutil.rmtree(machine.folder / "run")
    assert machine.run(script, *arguments) == []


@pytest.mark.parametrize("version", [247, 249])
@pytest.mark.parametrize("what", [("install",), ("upgrade", "0.1.0")])
def test_an_older_systemd_is_refused_and_left_where_it_is(machine, version, what):
    """Before anything is unpacked. (apt would take systemd off the machine for a package that breaks it.)"""
    machine.answers("systemctl", 0, f"systemd {version} ({version}.3-7+deb11u5)\\n+PAM +AUDIT\\n")
    machine.run("preinst", *what, code=1, says=f"needs systemd 250 or newer, and here {version} runs")
    machine.run("preinst", "abort-upgrade", "0.3.0")
    shutil.rmtree(machine.folder / "run")  # it is not the one that runs
    assert machine.run("preinst", *what) == []


@pytest.mark.parametrize("text", ["systemd 250 (250.1-1)\\n", "systemd 257~rc1 (257~rc1-1)\\n", "", "something else\\n"])
def test_a_systemd_that_will_do(machine, text):
    machine.answers("systemctl", 0, text)
    assert machine.run("preinst", "install") == ["systemctl"]
    machine.answers("systemctl", 1)
    machine.run("preinst", "install")


# -- the changelog


@pytest.mark.parametrize("text, want", [
    ("# Changelog\n\n## 0.9.0 (2030-01)\n\nWords.\n\n### Added\n- **one** `a`\n  and more\n- [two](x.md)\n\n## 0.8.0\n- old\n",
     ["  [ Added ]", "  * one a and more", "  * two"]),
    ("## [0.9.0] - 2030-01-02\n* " + "word " * 30, ["  * " + " ".join(["word"] * 15), "    " + " ".join(["word"] * 15)]),
])
def test_the_changelog_is_that_of_the_version(tmp_path, text, want):
    copy = copied(tmp_path, CHANGELOG=text, VERSION="0.9.0\n")
    out = go("/usr/bin/python3", copy / "packaging/changelog.py").splitlines()
    assert out[0] == "dnsbuddy (0.9.0) bookworm; urgency=medium" and out[2:-2] == want
    (copy / "VERSION").write_text("0.9.1\n")
    assert "no section for 0.9.1" in go("/usr/bin/python3", copy / "packaging/changelog.py", code=1)


def copied(tmp_path, **texts):
    """A project with nothing in it but what packaging/ reads; some files with another text."""
    copy = tmp_path / "project"
    for name in ("packaging", "third_party"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("VERSION", "LICENSE", "CHANGELOG.md", "Dockerfile.scratch"):
        shutil.copy(ROOT / name, copy)
    for name, text in texts.items():
        path = next(p for p in (copy / name, copy / f"{name}.md") if p.exists())
        path.write_text(text)
    return copy


# -- the list of parts


def test_the_list_of_parts():
    bom = json.loads(read("sbom.py", binary()))
    released.check_sbom(bom)
    released.check_sbom_of(bom, [Path(binary())], BUILD)
    assert read("sbom.py", binary()) == read("sbom.py", binary(), TZ="Asia/Tokyo")


def test_each_architecture_has_its_compilers_libgcc(tmp_path):
    """By a dpkg that knows the packages of some."""
    asked = tmp_path / "dpkg-query"
    asked.write_text("""#!/bin/sh
for name; do :; done
case $name in
libgcc-*-dev) echo "12.2.0-14 gcc-12 12.2.0-14 installed" ;;
libgcc-*-arm*-cross) echo "12.2.0-14cross1 gcc-12-cross 15 installed" ;;
*) exit 1 ;;
esac
""")
    (tmp_path / "dpkg").write_text("#!/bin/sh\necho amd64\n")
    for path in tmp_path.iterdir():
        path.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    bom = json.loads(read("sbom.py", PATH=path, DIST_ARCHS="amd64 arm64 armhf"))
    released.check_sbom(bom)
    found = [(c["version"], c["purl"], c.get("properties")) for c in bom["components"] if c["name"] == "libgcc"]
    of = lambda archs: [{"name": "dnsbuddy:architectures", "value": archs}]
    host = ("12.2.0-14", "pkg:deb/debian/gcc-12@12.2.0-14?arch=source")
    assert found == [(*host, of("amd64")), ("12.2.0-14cross1", "pkg:deb/debian/gcc-12-cross@15?arch=source", of("arm64 armhf"))]
    assert "libgcc 12.2.0-14 (amd64); libgcc 12.2.0-14cross1 (arm64 armhf)" in read("copyright.py", PATH=path,
                                                                                    DIST_ARCHS="amd64 arm64 armhf")
    bom = json.loads(read("sbom.py", PATH=path))
    assert [(c["version"], c["purl"], c.get("properties")) for c in bom["components"] if c["name"] == "libgcc"] == [(*host, None)]


def test_the_list_of_parts_is_made_from_the_recipes(tmp_path):
    copy = copied(tmp_path)
    recipe = copy / "third_party/bearssl.sh"
    recipe.write_text(re.sub(r"VERSION=0.6\b", "VERSION=0.7", recipe.read_text()))
    bom = json.loads(go("/usr/bin/python3", copy / "packaging/sbom.py"))
    assert next(c for c in bom["components"] if c["name"] == "BearSSL")["version"] == "0.7"
    with pytest.raises(AssertionError):
        released.check_sbom(bom)  # third_party/README.md says otherwise
    recipe = copy / "third_party/jsmn.sh"
    recipe.write_text(re.sub(r"SHA256=1", "SHA256=2", recipe.read_text()))
    assert "not what third_party/jsmn.sh fetches" in go("/usr/bin/python3", copy / "packaging/sbom.py", code=1)


# -- the source tarball


def test_the_source_tarball(tmp_path):
    """Of git and, unpacked, of itself: the same bytes."""
    go(PACKAGING / "source.sh", tmp_path / "one", TAR_OPTIONS="--exclude=README.md", XZ_DEFAULTS="--check=crc32")
    one, = (tmp_path / "one").iterdir()
    top = f"dnsbuddy-{released.VERSION}"
    assert one.name == f"{top}.tar.xz"
    with tarfile.open(one) as tar:
        for m in tar:
            assert (m.uid, m.gid, m.uname, m.gname, m.mtime) == (0, 0, "", "", EPOCH), m.name
            assert m.mode in (0o755, 0o644) and (m.name == top or m.name.startswith(top + "/"))
        files = {m.name.removeprefix(top + "/") for m in tar if m.isfile()}
    if (ROOT / ".git").exists():
        assert files == set(go("git", "ls-tree", "-r", "--name-only", "HEAD", cwd=ROOT).splitlines())
    assert {"Makefile", "VERSION", "packaging/source.sh"} <= files and not [f for f in files if f.startswith("build/")]
    mask = os.umask(0o077)
    try:
        go("tar", "-x", "-f", one, cwd=tmp_path)
        for waste in ("build/x", "src/x.o", "packaging/__pycache__/x.pyc", "README.md~"):
            (tmp_path / top / waste).parent.mkdir(exist_ok=True)
            (tmp_path / top / waste).write_text("")
        go(tmp_path / top / "packaging/source.sh", tmp_path / "two", BUILD="build", TZ="Asia/Tokyo")
    finally:
        os.umask(mask)
    # Where else things are built is nothing that the tarball has.
    (tmp_path / "elsewhere/src").mkdir(parents=True)
    for folder, build in (("three", tmp_path / "elsewhere/src"), ("four", tmp_path / top / "build")):
        go(tmp_path / top / "packaging/source.sh", tmp_path / folder, BUILD=str(build))
    for folder in ("two", "three", "four"):
        path, = (tmp_path / folder).iterdir()
        assert path.read_bytes() == one.read_bytes(), folder


def test_the_time_is_that_of_the_commit_or_the_tarball(tmp_path):
    plain = {"PATH": os.environ["PATH"]}
    ask = lambda folder, **env: subprocess.run([folder / "packaging/epoch.sh"], env=plain | env, text=True, capture_output=True,
                                               check=True).stdout.strip()
    copy = copied(tmp_path)
    os.utime(copy / "VERSION", (EPOCH, EPOCH))
    assert ask(copy) == str(EPOCH) and ask(copy, SOURCE_DATE_EPOCH="7") == "7"
    for word in ("abc", "-5", "1.5"):
        assert f"SOURCE_DATE_EPOCH={word} is no number" in go(copy / "packaging/epoch.sh", code=1, SOURCE_DATE_EPOCH=word)
    if (ROOT / ".git").exists():
        assert ask(ROOT) == go("git", "log", "-1", "--format=%ct", cwd=ROOT).strip()


# -- the images


def test_the_image_index(tmp_path):
    """The same program for four processors: that is enough to look at the form."""
    other = tmp_path / "other"
    other.write_bytes(b"another program")
    programs = {"amd64": Path(binary()), "arm64": other, "armhf": other, "i386": other}
    pairs = [f"{arch}={path}" for arch, path in programs.items()]
    read("oci.py", tmp_path / "one", *pairs)
    released.check_oci(tmp_path / "one", programs)
    read("oci.py", tmp_path / "two", *pairs, TZ="Asia/Tokyo")
    read("oci.py", tmp_path / "two", *pairs)  # over one that is there
    sets = [{p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
            for folder in (tmp_path / "one", tmp_path / "two")]
    assert sets[0] == sets[1]
    assert "no such architecture: vax; there are amd64 arm64 armhf i386" in read("oci.py", tmp_path / "three", "vax=/bin/true", code=1)


def test_the_image_index_replaces_nothing_but_its_like(tmp_path):
    pair = f"amd64={binary()}"
    mine = tmp_path / "mine"
    for folder in (mine, tmp_path / "x.new"):
        folder.mkdir()
        (folder / "letter").write_text("Dear")
    (tmp_path / "file").write_text("")
    for name in ("mine", "x", "file"):
        assert "is no OCI layout" in read("oci.py", tmp_path / name, pair, code=1)
    assert {path.name for path in tmp_path.iterdir()} == {"mine", "x.new", "file"}
    (mine / "letter").unlink()
    read("oci.py", mine, pair)
    (mine / "blobs/sha256/more").write_text("")
    read("oci.py", mine, pair)
    released.check_oci(mine, {"amd64": Path(binary())})


def test_dist_names_the_architectures():
    out = go(ROOT / "scripts/dist.sh", code=1, DIST_ARCHS="amd64 vax")
    assert "no such architecture: vax; there are amd64 arm64 armhf i386" in out
    for arguments, archs in ((["ARCH=arm64"], "arm64"), (["ARCH=arm64", "DIST_ARCHS=i386 amd64"], "i386 amd64"), ([], "")):
        for target in ("dist", "test-dist"):
            assert f"DIST_ARCHS='{archs}' scripts/{target}.sh" in go("make", "-n", "-C", ROOT, target, *arguments)


def test_dist_takes_nothing_else_of_the_callers(tmp_path):
    """dist.sh up to where it packs the source."""
    copy = copied(tmp_path)
    (copy / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/dist.sh", copy / "scripts")
    (copy / "packaging/source.sh").write_text(f"#!/bin/sh\nenv >{tmp_path}/env\nexit 3\n")
    kept = {"BUILD": str(copy / "build"), "HOME": str(tmp_path), "DIST_ARCHS": "arm64", "DNSBUDDY_CACHE": str(tmp_path / "a cache"),
            "https_proxy": "http://192.0.2.1", "SOURCE_DATE_EPOCH": "7",
            "SUDO_UID": "1000"}  # without it, git reads no clone of who typed sudo
    theirs = ["CC", "CFLAGS", "CA_BUNDLE", "CA_DIR", "REALGCC", "MUSL_LIB", "CPATH", "LIBRARY_PATH", "GNUMAKEFLAGS", "MAKEFILES", "MAKEFLAGS",
              "ARCH", "LTO", "TAR_OPTIONS", "XZ_OPT", "XZ_DEFAULTS", "DPKG_DEB_COMPRESSOR_LEVEL", "GIT_DIR", "PYTHONPATH", "TZ", "LANG"]
    go(copy / "scripts/dist.sh", code=3, **kept, **dict.fromkeys(theirs, "/nowhere"))
    found = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert found.items() >= kept.items() | {("LC_ALL", "C.UTF-8")}
    assert set(found) - set(kept) <= {"PATH", "LC_ALL", "PYTHON", "PYTHONDONTWRITEBYTECODE", "PWD", "OLDPWD", "SHLVL", "_"}


def test_readme_names_the_files_of_this_version():
    text = (ROOT / "README.md").read_text()
    names = re.findall(r"dnsbuddy[-_]([0-9.]+[0-9])(-linux-\w+|_\w+\.deb)", text)
    assert len(names) >= 2 and {version for version, _ in names} == {released.VERSION}
    assert {re.split(r"[-_.]", end.removesuffix(".deb"))[-1] for _, end in names} <= set(released.MACHINES)
