#!/bin/sh
# deb.sh ARCH BINARY DIR: write the Debian package of this program to DIR/dnsbuddy_VERSION_ARCH.deb, with Debian's own
# dpkg-gencontrol and dpkg-deb. No root is needed. `make man` has to be done; all times are SOURCE_DATE_EPOCH.
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

arch=$1 binary=$2
mkdir -p "$3"
out=$(cd "$3" && pwd)
version=$(cat VERSION)
SOURCE_DATE_EPOCH=$(packaging/epoch.sh)
export SOURCE_DATE_EPOCH BUILD
# Of the caller's: they change the bytes.
unset DPKG_DEB_COMPRESSOR_LEVEL DPKG_DEB_COMPRESSOR_TYPE DPKG_DEB_THREADS_MAX XZ_DEFAULTS XZ_OPT TAR_OPTIONS GZIP
PYTHON=${PYTHON:-/usr/bin/python3}
deb=$out/dnsbuddy_${version}_$arch.deb

for tool in dpkg-deb dpkg-gencontrol; do
	command -v "$tool" >/dev/null || die "$tool is missing: scripts/deps.sh dist"
done

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
root=$tmp/root doc=$tmp/root/usr/share/doc/dnsbuddy
umask 022

# put FILE PATH [MODE]
put() {
	[ -r "$1" ] || die "$1 is missing: it is built by make man"
	install -D -m "${3:-644}" "$1" "$root/$2"
}

put "$binary" usr/bin/dnsbuddy 755
for page in dnsbuddy.1 dnsbuddy.json.5; do
	put "$BUILD/man/$page" "usr/share/man/man${page##*.}/$page"
	gzip -9n "$root/usr/share/man/man${page##*.}/$page"
done
put "$BUILD/completions/dnsbuddy.bash" usr/share/bash-completion/completions/dnsbuddy
put "$BUILD/completions/_dnsbuddy" usr/share/zsh/vendor-completions/_dnsbuddy
put "$BUILD/completions/dnsbuddy.fish" usr/share/fish/vendor_completions.d/dnsbuddy.fish

# The example's unit, without how to install it.
unit=$tmp/dnsbuddy.service
sed -e '/^#   /d' -e 's|/usr/local/bin/dnsbuddy|/usr/bin/dnsbuddy|' examples/systemd/dnsbuddy.service >"$unit"
grep -q '^ExecStart=/usr/bin/dnsbuddy ' "$unit" || die "examples/systemd/dnsbuddy.service: no ExecStart of ours"
put "$unit" usr/lib/systemd/system/dnsbuddy.service
put examples/systemd/dnsbuddy.env etc/dnsbuddy/dnsbuddy.env

"$PYTHON" packaging/copyright.py >"$tmp/copyright"
"$PYTHON" packaging/changelog.py >"$tmp/changelog"
put "$tmp/copyright" usr/share/doc/dnsbuddy/copyright
put "$tmp/changelog" usr/share/doc/dnsbuddy/changelog
put packaging/debian/README.Debian usr/share/doc/dnsbuddy/README.Debian
gzip -9n "$doc/changelog"
put packaging/debian/lintian-overrides usr/share/lintian/overrides/dnsbuddy

mkdir "$root/DEBIAN"
for script in preinst postinst prerm postrm; do
	install -m 755 packaging/debian/$script "$root/DEBIAN/"
done
(cd "$root" && find etc -type f | LC_ALL=C sort | sed 's|^|/|') >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum) >"$root/DEBIAN/md5sums"
DEB_HOST_ARCH=$arch dpkg-gencontrol -pdnsbuddy -cpackaging/debian/control -l"$tmp/changelog" -f"$tmp/files" -P"$root" \
	-O"$tmp/control"
install -m 644 "$tmp/control" "$root/DEBIAN/control"

# It takes SOURCE_DATE_EPOCH for what is newer only: the clock may be behind the commit.
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
# One thread: the bytes of xz depend on how the work is shared.
dpkg-deb -Zxz --threads-max=1 --root-owner-group --build "$root" "$deb.new" >/dev/null
mv "$deb.new" "$deb"
