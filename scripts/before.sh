#!/bin/sh
# before.sh [COMMIT]: build the program of an earlier commit into $BUILD/before/dnsbuddy, for `make bench` to measure beside today's.
# The default is the last commit that had a pass for each name. Where the history lacks it (a shallow clone, no git), it says
# so, builds nothing, and that is no error: the bench then has no such column.
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

commit=${1:-ad14af3}
dir=$BUILD/before
if ! id=$(git rev-parse --quiet --verify "$commit^{commit}" 2>/dev/null); then
	say BEFORE "the history has no commit $commit: nothing to compare with"
	rm -rf "$dir"
	exit 0
fi
[ -x "$dir/dnsbuddy" ] && [ "$(cat "$dir/commit" 2>/dev/null)" = "$id" ] && exit 0

say BEFORE "the program of $commit"
rm -rf "$dir"
mkdir -p "$dir/src"
git archive "$id" | tar -x -C "$dir/src"
(
	cd "$dir/src"
	unset MAKEFLAGS MAKELEVEL MFLAGS
	DNSBUDDY_CACHE=$CACHE BUILD=build make
) >"$dir/build.log" 2>&1 || {
	tail -n 20 "$dir/build.log" >&2
	die "commit $commit does not build; the whole of it is in $dir/build.log"
}
mv "$dir/src/build/dnsbuddy" "$dir/dnsbuddy"
rm -rf "$dir/src"
echo "$id" >"$dir/commit"
