#!/bin/sh
# trust_anchors.sh BRSSL OUT.c OUT.h: turn the Mozilla roots of Debian's ca-certificates into BearSSL trust anchors.
# The certificates they were made from stay beside OUT.c, as OUT.pem, for the unit tests.
#
# From: CA_BUNDLE (a PEM file), else the certificates the ca-certificates package ships (CA_DIR), else the machine's bundle.
# The package's own files come before /etc/ssl/certs/ca-certificates.crt because that bundle also holds the CAs which an
# administrator added on this machine (a company's TLS proxy, say): these have no business in a binary that may be handed
# on, and two machines with the same package must produce the same bytes. SSL_CERT_FILE brings in local CAs at run time.
#
# What is written has the process in its name until it is whole: two may run at once.
#
# Roots that have ended are left out: by this machine's clock, or as of SOURCE_DATE_EPOCH (seconds since 1970).
#
# Their date, which the program shows, is that of the newest of these files: a package's files have the date of its last
# change, wherever they are unpacked. No file is newer than SOURCE_DATE_EPOCH.
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

brssl=$1 out_c=$2 out_h=$3
CA_DIR=${CA_DIR:-/usr/share/ca-certificates/mozilla}
pem=${out_c%.c}.pem.$$

if [ -n "${CA_BUNDLE:-}" ]; then
	[ -r "$CA_BUNDLE" ] || die "CA_BUNDLE: cannot read $CA_BUNDLE"
	cat "$CA_BUNDLE" >"$pem"
	date=$(stat -L -c %Y "$CA_BUNDLE")
elif [ -d "$CA_DIR" ]; then
	# Names sorted byte by byte: the order of the anchors is part of the bytes. Some files lack the last newline.
	find "$CA_DIR" -name '*.crt' | LC_ALL=C sort | while read -r f; do
		cat "$f"
		echo
	done >"$pem"
	date=$(find "$CA_DIR" -name '*.crt' -exec stat -L -c %Y {} + | sort -n | tail -n 1)
else
	cat /etc/ssl/certs/ca-certificates.crt >"$pem" || die "no root certificates; install ca-certificates or set CA_BUNDLE"
	date=$(stat -L -c %Y /etc/ssl/certs/ca-certificates.crt)
fi

"$brssl" ta -q "$pem" >"$out_c.ta.$$" || die "brssl ta failed on $pem"
# The certificates themselves too: trust anchors have no dates.
"$brssl" chain -q "$pem" >>"$out_c.ta.$$" || die "brssl chain failed on $pem"
now=${SOURCE_DATE_EPOCH:-$(date +%s)}
[ "$date" -le "$now" ] || date=$now
LC_ALL=C awk -v NOW="$now" -f third_party/trust_anchors.awk "$out_c.ta.$$" >"$out_c.new.$$" || die "cannot read brssl's output"
LC_ALL=C awk -v NOW="$now" -v DATE="$date" -v HEADER=1 -f third_party/trust_anchors.awk "$out_c.ta.$$" >"$out_h.new.$$"
mv "$out_h.new.$$" "$out_h"
mv "$out_c.new.$$" "$out_c"
mv "$pem" "${out_c%.c}.pem"
rm -f "$out_c.ta.$$"
say GEN "${out_c##*/}: $(sed -n 's/^#define TRUST_ANCHORS_N //p' "$out_h") roots"
