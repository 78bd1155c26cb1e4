#!/bin/sh
# Fetch, verify and unpack jsmn (licence: MIT), one header, to build/third_party/jsmn/jsmn.h.
# From: JSMN_H (the header itself), else Debian's package libjsmn-dev, else the upstream repository. The header is what is
# compiled, so its checksum is what counts, wherever it comes from.
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

VERSION=1.1.0
SHA256=1ed6154dedf009212a08a397e9c4ed50a0ce31d5a8301bb294e137ae3188c13b
DEB=libjsmn-dev_1.1.0-2_all.deb
DEB_SHA256=4117ce4e363f31e1b21d7ab89d6350b5d78374965d4c9fef00a572f6e487c874
UPSTREAM_URL=https://raw.githubusercontent.com/zserge/jsmn/v1.1.0/jsmn.h

# fetch FILE
fetch() {
	if [ -n "${JSMN_H:-}" ]; then
		[ -r "$JSMN_H" ] || die "JSMN_H: cannot read $JSMN_H"
		cp "$JSMN_H" "$1"
	elif [ -e "$CACHE/$DEB" ] || apt_fetch bookworm deb libjsmn-dev=1.1.0-2; then
		verify "$CACHE/$DEB" $DEB_SHA256 "jsmn $VERSION"
		dpkg-deb --fsys-tarfile "$CACHE/$DEB" | tar -xO ./usr/include/jsmn.h >"$1"
	elif [ -e "$CACHE/jsmn.h" ] || download $UPSTREAM_URL "$CACHE/jsmn.h"; then
		cp "$CACHE/jsmn.h" "$1"
	else
		die "cannot fetch jsmn $VERSION; put its jsmn.h somewhere and set JSMN_H"
	fi
}

lock
out=$BUILD/third_party/jsmn
if [ ! -e "$out/jsmn.h" ]; then
	mkdir -p "$out"
	fetch "$out/jsmn.h.new"
	verify "$out/jsmn.h.new" $SHA256 "jsmn $VERSION"
	mv "$out/jsmn.h.new" "$out/jsmn.h"
fi
