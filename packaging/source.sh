#!/bin/sh
# source.sh DIR: write the source tarball to DIR/dnsbuddy-VERSION.tar.xz: what the last commit has or, without git (in an
# unpacked tarball), what is there but for what .gitignore names. Either way the same bytes.
set -eu
cd "$(dirname "$0")/.."

mkdir -p "$1"
out=$(cd "$1" && pwd)
version=$(cat VERSION)
epoch=$(packaging/epoch.sh)
build=$(readlink -m "${BUILD:-build}")
# of it, what would be in the tarball: a folder elsewhere, ending in /src, is not ours
case $build in
"$PWD"/*) build=./${build#"$PWD/"} ;;
*) build=./build ;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

tree=dnsbuddy-$version
umask 022
# Of the caller's: they change the bytes.
unset TAR_OPTIONS XZ_DEFAULTS XZ_OPT
mkdir "$tmp/$tree"
if [ -e .git ]; then
	git diff --quiet HEAD -- || echo "source.sh: warning: what is not committed is not in the tarball" >&2
	git archive HEAD >"$tmp/tar"
else
	tar -c --exclude=./build --exclude="$build" --exclude=__pycache__ --exclude='*.pyc' --exclude=.pytest_cache \
		--exclude='*.o' --exclude='*.swp' --exclude='*~' . >"$tmp/tar"
fi
tar -x -C "$tmp/$tree" -f "$tmp/tar"

# Nothing of who packs it, and when.
LC_ALL=C tar -c -C "$tmp" --sort=name --format=gnu --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
	--mode=u=rwX,go=rX "$tree" >"$tmp/tar"
xz -9 -T 1 -c "$tmp/tar" >"$out/$tree.tar.xz.new"
mv "$out/$tree.tar.xz.new" "$out/$tree.tar.xz"
