#!/bin/sh
# Print the path of a real Consul for the demo and the tests: CONSUL_BIN, else the one on PATH, else Debian 11's package,
# unpacked under build/ and not installed (Debian 12 has none).
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

VERSION=1.8.7+dfsg1-2+b3
# by Debian's name of the architecture
sha256_of_package() {
	case $1 in
	amd64) echo e4e888bba104daba1d9161f49bfc52649a7e4efd45b1a7ead5bc54f2cb9c89d9 ;;
	arm64) echo 7318cfa77a7ba6f71dd096e44353279de246ffc6561216ace42353685dcf8255 ;;
	esac
}

if [ -n "${CONSUL_BIN:-}" ]; then
	[ -x "$CONSUL_BIN" ] || die "CONSUL_BIN: $CONSUL_BIN is not a program"
	echo "$CONSUL_BIN"
	exit
fi
if found=$(command -v consul); then
	echo "$found"
	exit
fi

lock
out=$BUILD/consul
if [ ! -x "$out/usr/bin/consul" ]; then
	command -v dpkg >/dev/null || die "no Consul here; install one or set CONSUL_BIN"
	arch=$(dpkg --print-architecture)
	sha256=$(sha256_of_package "$arch")
	[ -n "$sha256" ] || die "no Consul package known for $arch; install one or set CONSUL_BIN"
	deb=$CACHE/consul_${VERSION}_$arch.deb
	[ -e "$deb" ] || apt_fetch bullseye deb "consul=$VERSION" ||
		die "cannot fetch Debian 11's consul $VERSION; install a Consul or set CONSUL_BIN"
	verify "$deb" "$sha256" "consul $VERSION"
	say UNPACK "consul $VERSION"
	rm -rf "$out" "$out.new"
	dpkg-deb -x "$deb" "$out.new"
	mv "$out.new" "$out"
fi
echo "$out/usr/bin/consul"
