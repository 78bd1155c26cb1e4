#!/bin/sh
# musl.sh ARCH: fetch, verify and unpack musl (licence: MIT) of another architecture, as Debian's package musl-dev has it, to
# build/third_party/musl/ARCH. The version is the one that this machine's own musl-dev has: so all architectures have the same.
# apt verifies that Debian signed it; of the version of Debian 12 the checksum is known here, too, and that of another is kept
# beside the file when apt brings it.
set -eu
cd "$(dirname "$0")/.."
. third_party/lib.sh

VERSION=1.2.3-1
sha256_of_package() {
	case $1 in
	amd64) echo 7c34f29a0c1aa12f6da1d25ed6de6fe6bbd9e048ee76b3dcb88c5e51fb65507f ;;
	arm64) echo 55c2ca4bc3041c8ed8ac7dc3ef6080d9551a21650568b2fd7610b59eaf98a4f4 ;;
	armhf) echo 3a9dbb8ae66716f117dce87558fb47a161db0eebf0700cc6bf84ef6871ce7d38 ;;
	i386) echo e7e49904a302b4c986cc7729b1af9117f7a01a928b12c43e75bdd015697bff82 ;;
	esac
}

arch=$1
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# Of several architectures it may be installed.
version=$(dpkg-query -W -f '${Version}\n' "musl-dev:$(dpkg --print-architecture)" 2>/dev/null) || version=
[ -n "$version" ] || version=$VERSION
deb=$CACHE/musl-dev_${version}_$arch.deb
out=$BUILD/third_party/musl/$arch

lock
if [ "$(cat "$out/version" 2>/dev/null)" != "$version" ]; then
	if [ "$version" = $VERSION ]; then
		sum=$(sha256_of_package "$arch")
	else
		sum=$(cat "$deb.sha256" 2>/dev/null) || rm -f "$deb"
	fi
	if [ ! -e "$deb" ]; then
		apt_fetch "${suite:-bookworm}" deb "musl-dev=$version" "$arch" || die "cannot fetch $arch's musl-dev $version, the version of this machine's
  own. Has the mirror a newer one? apt-get install --only-upgrade musl-dev"
		if [ "$version" != $VERSION ]; then
			sum=$(sha256_of "$deb")
			echo "$sum" >"$deb.sha256"
		fi
	fi
	verify "$deb" "$sum" "musl $version, $arch"
	say UNPACK "musl $version, $arch: sha256 $sum"
	rm -rf "$out" "$out.new"
	mkdir -p "$out.new"
	dpkg-deb -x "$deb" "$out.new"
	echo "$version" >"$out.new/version"
	mv "$out.new" "$out"
fi
