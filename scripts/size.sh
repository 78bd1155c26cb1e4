#!/bin/sh
# size.sh BUILD: the program's size, its sections, and the biggest parts. Link-time optimisation joins all object files into
# one, so the parts are counted by symbol, and each symbol's file is taken from its debug information.
#
#   NM, SIZE   those of its architecture (default: nm, size)
set -eu
cd "$(dirname "$0")/.."

build=${1:-build}
bin=$build/dnsbuddy
linked=$build/release/dnsbuddy

printf '%s: %s bytes\n\nsections\n' "$bin" "$(stat -c %s "$bin")"
${SIZE:-size} -A "$bin" | awk '$2 ~ /^[0-9]+$/ && $2 > 255 && $1 != "Total" { printf "  %8d  %s\n", $2, $1 }' | sort -rn

# nm -l: SIZE TYPE NAME<tab>FILE:LINE. musl has no debug information: what has no file is libc.
${NM:-nm} --print-size --size-sort -l "$linked" 2>/dev/null | awk -F'\t' '
	function hex(s,  i, n) {
		for (i = 1; i <= length(s); i++)
			n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
		return n
	}
	{
		split($1, a, " ")
		if (a[3] ~ /[bB]/)
			next
		n = hex(a[2])
		name = a[4]
		file = $2
		sub(/:[0-9?]+$/, "", file)
		if (name ~ /^trust_anchors/ || file ~ /gen\/trust_anchors/)
			part = "trust anchors"
		else if (file ~ /third_party\/bearssl/) {
			part = file
			sub(/.*bearssl\/src\//, "bearssl ", part)
			sub(/\/.*/, "", part)
		} else if (file ~ /src\//) {
			part = file
			sub(/.*src\//, "src ", part)
			sub(/\/[^\/]*$/, "", part)
		} else
			part = "libc and start files"
		sum[part] += n
	}
	END { for (p in sum) printf "  %8d  %s\n", sum[p], p }' | sort -rn >"$build/size.parts"
printf '\nparts (code and read-only data)\n'
cat "$build/size.parts"

printf '\nlargest symbols\n'
${NM:-nm} --print-size --size-sort --reverse-sort --radix=d "$linked" |
	awk '$3 !~ /[bB]/ && n++ < 25 { printf "  %8d  %s\n", $2, $4 }'

printf '\nlargest static storage (.bss: no bytes in the file)\n'
${NM:-nm} --print-size --size-sort --reverse-sort --radix=d "$linked" |
	awk '$3 ~ /[bB]/ && n++ < 10 { printf "  %8d  %s\n", $2, $4 }'
