#!/bin/sh
# relro.sh PROGRAM: say in its table of segments which part is closed to writing once it is relocated (PT_GNU_RELRO).
#
# The linker gives that type only to what it has moved to the end of a page itself, with up to a page of zeros before it in
# the file. So scripts/dense.ld has another number for it, which becomes the right one here.
set -eu

program=$1
# offset of the number 0x6474e5ff in the table, which lies right behind the header
at=$(LC_ALL=C grep -obUaP -m 1 '\xff\xe5\x74\x64' "$program" | head -n 1 | cut -d: -f1)
if [ -z "$at" ] || [ "$at" -gt 1024 ]; then
	echo "relro.sh: $program has no such segment" >&2
	exit 1
fi
printf '\122' | dd of="$program" bs=1 seek="$at" conv=notrunc status=none
