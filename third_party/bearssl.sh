#!/bin/sh
# Fetch, verify and unpack BearSSL (licence: MIT) to build/third_party/bearssl; third_party/bearssl.mk compiles it.
# From: BEARSSL_TARBALL, else Debian 12's source package, else the upstream tarball. Either checksum will do: Debian's
# differs from upstream's by the removal of files of unclear licence, none of which is compiled here.
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

VERSION=0.6
DEBIAN_FILE=bearssl_0.6+dfsg.1.orig.tar.xz
DEBIAN_SHA256=102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004
UPSTREAM_URL=https://bearssl.org/bearssl-0.6.tar.gz
UPSTREAM_SHA256=6705bba1714961b41a728dfc5debbe348d2966c117649392f8c8139efc83ff14

fetch() {
	if [ -n "${BEARSSL_TARBALL:-}" ]; then
		[ -r "$BEARSSL_TARBALL" ] || die "BEARSSL_TARBALL: cannot read $BEARSSL_TARBALL"
		tarball=$BEARSSL_TARBALL
		[ "$(sha256_of "$tarball")" = $UPSTREAM_SHA256 ] || verify "$tarball" $DEBIAN_SHA256 BEARSSL_TARBALL
		return
	fi
	tarball=$CACHE/$DEBIAN_FILE
	if [ -e "$tarball" ] || apt_fetch bookworm deb-src bearssl; then
		verify "$tarball" $DEBIAN_SHA256 "BearSSL $VERSION"
		return
	fi
	tarball=$CACHE/${UPSTREAM_URL##*/}
	[ -e "$tarball" ] || download $UPSTREAM_URL "$tarball" ||
		die "cannot fetch BearSSL $VERSION; put $DEBIAN_FILE or ${UPSTREAM_URL##*/} somewhere and set BEARSSL_TARBALL"
	verify "$tarball" $UPSTREAM_SHA256 "BearSSL $VERSION"
}

lock
out=$BUILD/third_party/bearssl
if [ ! -e "$out.mk" ]; then
	fetch
	say UNPACK "BearSSL $VERSION"
	rm -rf "$out" "$out.new"
	mkdir -p "$out.new"
	tar -xf "$tarball" -C "$out.new" --strip-components=1 --no-same-owner
	mv "$out.new" "$out"

	# The list of sources, for make; last, because its presence says that all went well.
	{
		printf 'BEARSSL_SRC := \\\n'
		(cd "$out" && LC_ALL=C find src -name '*.c' | LC_ALL=C sort | sed 's/.*/\t& \\/')
		printf '\nBRSSL_SRC := \\\n'
		(cd "$out" && LC_ALL=C find tools -name '*.c' | LC_ALL=C sort | sed 's/.*/\t& \\/')
		echo
	} >"$out.mk.new"
	mv "$out.mk.new" "$out.mk"
fi
