#!/bin/sh
# Build twice, in two folders with names of different length, at different times and with different numbers of jobs, and
# compare the program and its debug information byte by byte. The downloads are shared, nothing else is.
#
#   ARCH   of this architecture (default: this machine's)
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

root=$BUILD/reproducible
rm -rf "$root"
for copy in one a-folder-with-a-much-longer-name/two; do
	dir=$root/$copy
	mkdir -p "$dir"
	tar -c --exclude=./build --exclude=./.git --exclude="./${BUILD##*/}" . | tar -x -C "$dir"
	jobs=$([ $copy = one ] && echo 1 || echo 3)
	say BUILD "$dir (-j$jobs)"
	(
		cd "$dir"
		unset MAKEFLAGS MAKELEVEL MFLAGS
		umask "$([ $copy = one ] && echo 022 || echo 077)"
		DNSBUDDY_CACHE=$CACHE BUILD=build TZ=$([ $copy = one ] && echo UTC || echo Asia/Tokyo) make "-j$jobs" ${ARCH:+"ARCH=$ARCH"}
	) >"$root/${copy##*/}.log" 2>&1 || {
		tail -n 30 "$root/${copy##*/}.log" >&2
		die "the build in $dir failed"
	}
done

one=$root/one/build two=$root/a-folder-with-a-much-longer-name/two/build
one=$one${ARCH:+/$ARCH} two=$two${ARCH:+/$ARCH}
for f in dnsbuddy dnsbuddy.debug; do
	cmp "$one/$f" "$two/$f" || die "$f differs between the two builds"
	printf '%s  %s\n' "$(sha256_of "$one/$f")" "$f"
done
rm -rf "$root"
echo "reproducible: two folders, the same bytes"
