#!/bin/sh
# Print the time that everything released bears, in seconds since 1970: SOURCE_DATE_EPOCH, else that of the last commit, else
# VERSION's own, which a source tarball has from the commit.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
	case $SOURCE_DATE_EPOCH in
	*[!0-9]*)
		echo "epoch.sh: error: SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH is no number of seconds" >&2
		exit 1
		;;
	esac
	echo "$SOURCE_DATE_EPOCH"
elif [ -e .git ]; then
	git log -1 --format=%ct
else
	stat -c %Y VERSION
fi
