"""Certificates made on the spot by the openssl command, for servers that are right and wrong."""

import subprocess
from pathlib import Path

CONFIG = """
[ca]
default_ca = one
[one]
new_certs_dir = {folder}
database = {folder}/index
serial = {folder}/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
"""

KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "rsa": ["-newkey", "rsa:2048"],
    "rsa1024": ["-newkey", "rsa:1024"],
    "rsa4096": ["-newkey", "rsa:4096"],
}


def key_options(kind):
    return KEYS.get(kind) or ["-newkey", kind]


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Pair:
    """A certificate with its key; chain is what a server presents."""

    def __init__(self, folder, name):
        self.name = name
        self.cert = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        self.chain = folder / f"{name}.chain"


class Authority:
    """Issues into its folder. `issuer` is an Authority too, for an intermediate; `more`: extensions of its own."""

    def __init__(self, folder, name, kind="ec", issuer=None, more=()):
        self.folder = Path(folder) / name
        self.folder.mkdir()
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("1000\n")
        self.config = self.folder / "config"
        self.config.write_text(CONFIG.format(folder=self.folder))
        self.issuer = issuer
        extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign", *more]
        if issuer:
            self.pair = issuer.issue(name, None, kind, extensions=extensions)
        else:
            self.pair = self.self_signed(name, kind, extensions)

    def self_signed(self, name, kind="ec", extensions=()):
        pair = Pair(self.folder, name)
        openssl("req", "-x509", *key_options(kind), "-noenc", "-keyout", pair.key, "-out", pair.cert, "-days", "30",
                "-subj", f"/CN={name}", "-config", "/dev/null", *[w for e in extensions for w in ("-addext", e)])
        pair.chain.write_text(pair.cert.read_text())
        return pair

    def issue(self, name, alternative="DNS:server.test", kind="ec", start=None, end=None, extensions=()):
        """alternative: the subjectAltName, None for none; start, end: YYYYMMDDHHMMSSZ."""
        pair = Pair(self.folder, name)
        request, extra = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        lines = [*extensions] + ([f"subjectAltName={alternative}"] if alternative else [])
        extra.write_text("[x]\n" + "\n".join(lines) + "\n")
        openssl("req", "-new", *key_options(kind), "-noenc", "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}",
                "-config", "/dev/null")
        dates = (["-startdate", start] if start else []) + (["-enddate", end] if end else ["-days", "30"])
        openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.pair.cert, "-keyfile", self.pair.key,
                "-in", request, "-out", pair.cert, "-extfile", extra, "-extensions", "x", *dates)
        above, upwards = [], self
        while upwards.issuer:
            above.append(upwards.pair.cert.read_text())
            upwards = upwards.issuer
        pair.chain.write_text(pair.cert.read_text() + "".join(above))
        return pair
