#!/bin/bash
# image-index.sh DIR ARCH=BINARY...: write images of these programs as an OCI layout with one index to DIR, and look whether
# others can use it: skopeo reads it and takes each image out of it, and each image's program is run once, under qemu where
# this processor cannot. `make image-index` calls it. As root the program is run in the image's file system alone.
set -euo pipefail
cd "$(dirname "$0")/.."
. third_party/lib.sh

dir=$1
shift
SOURCE_DATE_EPOCH=$(packaging/epoch.sh)
export SOURCE_DATE_EPOCH
version=$(cat VERSION)
# The image's user has to get into its root.
umask 022
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$(dirname "$dir")"
"${PYTHON:-/usr/bin/python3}" packaging/oci.py "$dir" "$@"

# what skopeo is asked with: of the machine's settings it needs none
skopeo() { command skopeo --policy "$tmp/policy.json" "$@"; }
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$tmp/policy.json"

listed=$(skopeo inspect --raw "oci:$dir:$version" | jq -r '.manifests[].platform | [.os, .architecture, .variant // empty] | join("/")')
say INDEX "$(echo "$listed" | paste -sd ' ')"

# run_in ROOT USER COMMAND...: as root in that file system alone; under qemu, if that is named
run_in() {
	local root=$1 user=$2
	shift 2
	[ -z "$qemu" ] || command -v "$qemu" >/dev/null || die "$qemu is missing: scripts/deps.sh dist"
	if [ "$(id -u)" -eq 0 ]; then
		[ -z "$qemu" ] || cp "$(command -v "$qemu")" "$root/qemu"
		chroot --userspec="$user" "$root" ${qemu:+/qemu} "$@"
	else
		${qemu:+"$qemu"} "$root$1" "${@:2}"
	fi
}

here=$(dpkg --print-architecture)
for pair in "$@"; do
	arch=${pair%%=*}
	# By others' names.
	case $arch in
	amd64) platform=amd64 variant='' qemu=qemu-x86_64-static ;;
	arm64) platform=arm64 variant=v8 qemu=qemu-aarch64-static ;;
	armhf) platform=arm variant=v7 qemu=qemu-arm-static ;;
	i386) platform=386 variant='' qemu=qemu-i386-static ;;
	esac
	[ "$arch" != "$here" ] || qemu=''
	skopeo --override-os linux --override-arch "$platform" ${variant:+--override-variant "$variant"} \
		copy --quiet "oci:$dir:$version" "dir:$tmp/$arch"
	config=$(jq -r .config.digest "$tmp/$arch/manifest.json")
	config=$tmp/$arch/${config#sha256:}
	[ "$(jq -r .architecture "$config")" = "$platform" ] || die "$arch: skopeo took another image out"
	mkdir "$tmp/$arch/root"
	layer=$(jq -r '.layers[].digest' "$tmp/$arch/manifest.json")
	tar -x -z -C "$tmp/$arch/root" -f "$tmp/$arch/${layer#sha256:}"
	cmp "${pair#*=}" "$tmp/$arch/root/dnsbuddy" || die "$arch: another program is in the image"
	user=$(jq -r .config.User "$config")
	said=$(run_in "$tmp/$arch/root" "$user" "$(jq -r '.config.Entrypoint[0]' "$config")" version)
	[ "$said" = "dnsbuddy $version" ] || die "$arch: version says '$said'"
	[ "$(id -u)" -eq 0 ] || user="the caller, not $user"
	say RUN "$arch: $said, $(jq '.layers[0].size' "$tmp/$arch/manifest.json") bytes packed, as $user${qemu:+, under $qemu}"
done
