#!/bin/sh
# dist.sh: make what is released, in build/dist/: the program for each architecture, its Debian packages, the source tarball,
# the list of parts, the licences, the images as an OCI archive, and the sums of them all. `make dist` calls it.
#
#   DIST_ARCHS          some of amd64 arm64 armhf i386 (default: all)
#   SOURCE_DATE_EPOCH   the time of it all (default: of the last commit; in a source tarball, its own)
#
# All is built from the source tarball, unpacked: what is released is what the tarball gives. No root is needed.
set -eu
cd "$(dirname "$0")/.."

# It starts itself anew with nothing of the environment but what is named here: where things are, archives whose sums are known
# (third_party/README.md), and what apt and git need. Compilers, flags, roots, options of make, tar, xz and dpkg-deb are not the caller's.
if [ "${1:-}" != clean ]; then
	set --
	for name in HOME SUDO_UID TMPDIR BUILD PYTHON DIST_ARCHS SOURCE_DATE_EPOCH DNSBUDDY_CACHE BEARSSL_TARBALL JSMN_H APT_CONFIG http_proxy \
		https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY; do
		eval "value=\${$name:-}"
		[ -z "$value" ] || set -- "$@" "$name=$value"
	done
	exec env -i PATH="$PATH" LC_ALL=C.UTF-8 "$@" scripts/dist.sh clean
fi
. third_party/lib.sh

archs=${DIST_ARCHS:-amd64 arm64 armhf i386}
PYTHON=${PYTHON:-/usr/bin/python3}
version=$(cat VERSION)
name=dnsbuddy-$version
out=$BUILD/dist work=$BUILD/dist.work
SOURCE_DATE_EPOCH=$(packaging/epoch.sh)
DIST_ARCHS=$archs
export SOURCE_DATE_EPOCH PYTHON DIST_ARCHS PYTHONDONTWRITEBYTECODE=1

for arch in $archs; do
	case $arch in
	amd64 | arm64 | armhf | i386) ;;
	*) die "no such architecture: $arch; there are amd64 arm64 armhf i386" ;;
	esac
done

umask 022
rm -rf "$out" "$work"
mkdir -p "$out" "$work"

say SOURCE "$name.tar.xz"
packaging/source.sh "$out"
tar -x -C "$work" -f "$out/$name.tar.xz"
tree=$work/$name

# in_tree TARGET...: make in the unpacked tarball
in_tree() {
	DNSBUDDY_CACHE=$CACHE BUILD=build make -C "$tree" "$@" >"$work/log" 2>&1 || {
		tail -n 30 "$work/log" >&2
		die "make $* failed in $tree"
	}
}

in_tree man
for arch in $archs; do
	say BUILD "$name-linux-$arch"
	in_tree "ARCH=$arch"
	install -m 755 "$tree/build/$arch/dnsbuddy" "$out/$name-linux-$arch"
done

set --
images=
for arch in $archs; do
	program=$out/$name-linux-$arch
	set -- "$@" "$program"
	images="$images $arch=$program"
	say DEB "dnsbuddy_${version}_$arch.deb"
	BUILD=$tree/build "$tree/packaging/deb.sh" "$arch" "$program" "$out"
done

say SBOM "$name.cdx.json"
BUILD=$tree/build "$PYTHON" "$tree/packaging/sbom.py" "$@" >"$out/$name.cdx.json"
BUILD=$tree/build "$PYTHON" "$tree/packaging/copyright.py" >"$out/$name.copyright"

say OCI "$name-oci.tar"
# shellcheck disable=SC2086 # a list
"$PYTHON" "$tree/packaging/oci.py" "$work/oci" $images
LC_ALL=C tar -c -C "$work/oci" --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
	--mode=u=rwX,go=rX blobs index.json oci-layout >"$out/$name-oci.tar"

if command -v lintian >/dev/null; then
	say LINTIAN "*.deb"
	# It warns of being root, which it may well be.
	lintian --display-info --fail-on error,warning,info --info "$out"/*.deb 2>"$work/log" || {
		cat "$work/log" >&2
		die "lintian has complaints; packaging/debian/lintian-overrides is for those that are meant"
	}
fi

rm -rf "$work"
(cd "$out" && find . -type f | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum) >"$BUILD/SHA256SUMS"
mv "$BUILD/SHA256SUMS" "$out/"
echo
(cd "$out" && while read -r sum file; do printf '%9d  %s  %s\n' "$(stat -c %s "$file")" "$sum" "$file"; done <SHA256SUMS)
