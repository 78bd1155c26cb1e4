#!/bin/bash
# test-dist.sh: what `make dist` makes, looked at as those will who get it. `make test-dist`; DIST_ARCHS as for dist.sh. It
# takes some minutes: everything is built twice, and as root the package is installed on a Debian of its own.
#
#   1. make dist, here
#   2. make dist in the unpacked source tarball, in another folder, without git and, as root, without network and as another
#      user: the same bytes
#   3. tests/dist: what is in the files
#   4. the image index, with skopeo and qemu
#   5. as root, and if this machine's architecture is among them: scripts/test-deb.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. third_party/lib.sh

PYTHON=${PYTHON:-/usr/bin/python3}
version=$(cat VERSION)
work=$BUILD/test-dist
other=''
cleanup() {
	rm -rf --one-file-system "$work"
	[ -z "$other" ] || rm -rf --one-file-system "$other"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

scripts/deps.sh build dist test-dist
rm -rf "$work"
mkdir -p "$work"
SOURCE_DATE_EPOCH=$(packaging/epoch.sh)
export SOURCE_DATE_EPOCH
scripts/dist.sh
dist=$BUILD/dist

say TWICE "in the unpacked tarball"
other=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-dist-with-a-longer-name.XXXXXX")
tar -x -C "$other" -f "$dist/dnsbuddy-$version.tar.xz"
# The archives that the recipes of third_party/ have verified, and nothing else.
mkdir "$other/cache"
find "$CACHE" -maxdepth 1 -type f ! -name .lock -exec cp -t "$other/cache" {} +
as=(env -i "PATH=$PATH" "HOME=$other" TZ=Asia/Tokyo LC_ALL=C.UTF-8 "DNSBUDDY_CACHE=$other/cache" "DIST_ARCHS=${DIST_ARCHS:-}")
if [ "$(id -u)" -eq 0 ]; then
	chown -R 65534:65534 "$other"
	as=(unshare --net setpriv --reuid 65534 --regid 65534 --clear-groups "${as[@]}")
fi
(
	umask 077
	cd "$other/dnsbuddy-$version"
	"${as[@]}" scripts/dist.sh
) >"$work/log" 2>&1 </dev/null || {
	tail -n 30 "$work/log" >&2
	die "dist.sh failed in the unpacked tarball"
}
diff -r "$dist" "$other/dnsbuddy-$version/build/dist" || die "the two are not the same"
say TWICE "the same bytes: $(wc -l <"$dist/SHA256SUMS") files"

DIST=$dist "$PYTHON" -m pytest -q -p no:cacheprovider tests/dist

mkdir "$work/oci"
programs=()
for file in "$dist/dnsbuddy-$version"-linux-*; do
	programs+=("${file##*-linux-}=$file")
done
scripts/image-index.sh "$work/oci" "${programs[@]}"

package=$dist/dnsbuddy_${version}_$(dpkg --print-architecture).deb
if [ "$(id -u)" -ne 0 ]; then
	echo "test-dist.sh: the package was not installed anywhere: that takes root"
elif [ ! -e "$package" ]; then
	echo "test-dist.sh: the package was not installed anywhere: DIST_ARCHS is without this machine's architecture"
else
	scripts/test-deb.sh "$package"
fi
