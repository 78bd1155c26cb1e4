#!/bin/sh
# deps.sh GROUP...: install the Debian packages that are missing, of the groups named: build demo test bench lint fuzz image rolling man
# dist test-dist, cross-ARCH (amd64 arm64 armhf i386: what compiles for it), cross (for all of them), qemu (what runs their programs).
# As root or through sudo; as anybody else it prints the one line to type and fails. Silent and quick when nothing is missing.
set -eu

build='gcc libc6-dev make musl-tools musl-dev binutils file xz-utils ca-certificates'
demo='python3 python3-jsonschema pdns-server pdns-backend-sqlite3 bind9-dnsutils openssl curl'
test="$demo iproute2 libcmocka-dev python3-pytest python3-yaml systemd jq prometheus docker-compose chromium-headless-shell fonts-dejavu-core patch bash zsh fish mandoc dpkg-dev git"
bench="$demo bash jq tini"
lint='libcmocka-dev clang clang-tidy clang-format cppcheck shellcheck python3 python3-pyflakes gcovr git'
fuzz='clang libclang-rt-14-dev'
image='docker.io docker-compose debootstrap'
man=python3
rolling="$image $demo iproute2 iptables unbound gnuplot-nox"
dist='python3 git dpkg-dev lintian skopeo jq qemu-user-static'
test_dist="$dist $demo python3-pytest debootstrap systemd systemd-container procps iproute2"

qemu='qemu-user-static'
# compiler ARCH: of another architecture than this machine's
compiler() {
	[ "$1" != "$(dpkg --print-architecture 2>/dev/null)" ] || return 0
	case $1 in
	amd64) echo gcc-x86-64-linux-gnu ;;
	arm64) echo gcc-aarch64-linux-gnu ;;
	armhf) echo gcc-arm-linux-gnueabihf ;;
	i386) echo gcc-i686-linux-gnu ;;
	esac
}
compilers="$(compiler amd64) $(compiler arm64) $(compiler armhf) $(compiler i386)"

# Packages that start a daemon when installed, and the units they enable: the tests run the programs themselves, on free
# ports, and a user who asked for tests did not ask for a DNS server.
daemons='pdns-server:pdns.service docker.io:docker.service docker.io:docker.socket containerd:containerd.service prometheus:prometheus.service unbound:unbound.service'

[ $# -gt 0 ] || set -- build test bench lint

want=
for group in "$@"; do
	case $group in
	build) want="$want $build" ;;
	demo) want="$want $demo" ;;
	test) want="$want $test" ;;
	bench) want="$want $bench" ;;
	lint) want="$want $lint" ;;
	fuzz) want="$want $fuzz" ;;
	image) want="$want $image" ;;
	rolling) want="$want $rolling" ;;
	dist) want="$want $dist $compilers" ;;
	test-dist) want="$want $test_dist $compilers" ;;
	man) want="$want $man" ;;
	cross) want="$want $compilers" ;;
	cross-*) want="$want $(compiler "${group#cross-}")" ;;
	qemu) want="$want $qemu" ;;
	*) echo "deps.sh: no such group: $group" >&2; exit 64 ;;
	esac
done

if ! command -v dpkg-query >/dev/null; then
	# Not Debian: we cannot install, and cannot know the names. The build will say what it misses.
	echo "deps.sh: no dpkg here; nothing installed. On Debian it would be:$(echo "$want" | tr -s '\n\t ' ' ')" >&2
	exit 0
fi

# missing: the wanted packages that are not installed
missing() {
	# shellcheck disable=SC2086 # a list
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' $want 2>/dev/null |
		awk -v want="$want" '
			$2 == "installed" { have[$1] = 1 }
			END {
				n = split(want, w)
				for (i = 1; i <= n; i++)
					if (!have[w[i]]++)
						printf " %s", w[i]
			}'
}

need=$(missing)
[ -n "$need" ] || exit 0
# Who was asked at the same time, by another target, waits for what the first one installs.
exec 9<"$0"
flock 9
need=$(missing)
[ -n "$need" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	line="apt-get update && apt-get install -y --no-install-recommends$need"
	if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
		printf 'Packages are missing. As root:\n\n    %s\n\n' "$line" >&2
		exit 1
	fi
	as_root=sudo
fi

printf '  APT     install%s\n' "$need" >&2

# While packages are unpacked no service may start. The file is removed again however this ends.
policy=/usr/sbin/policy-rc.d
made_policy=
cleanup() {
	[ -z "$made_policy" ] || $as_root rm -f "$policy"
	made_policy=
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
case $need in
*pdns-server* | *docker.io* | *prometheus* | *unbound*)
	if [ ! -e "$policy" ]; then
		made_policy=1
		printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
		$as_root chmod 755 "$policy"
	fi
	;;
esac

log=$(mktemp)
install() {
	# shellcheck disable=SC2086 # a list
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
		install -y --no-install-recommends $need >"$log" 2>&1
}
update() { $as_root apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update >"$log" 2>&1; }

lists_there() { ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1; }

lists_there || update || :
if ! install && ! { update && install; }; then
	tail -n 30 "$log" >&2
	rm -f "$log"
	echo "deps.sh: could not install:$need" >&2
	exit 1
fi
rm -f "$log"

for d in $daemons; do
	package=${d%%:*} unit=${d#*:}
	case " $need " in
	*" $package "*)
		# Without systemctl the links are made all the same, for a systemd installed later.
		$as_root systemctl disable "$unit" >/dev/null 2>&1 ||
			$as_root find /etc/systemd/system -lname "*/$unit" -delete 2>/dev/null || :
		$as_root update-rc.d "${unit%.*}" disable >/dev/null 2>&1 || :
		;;
	esac
done

need=$(missing)
[ -z "$need" ] || { echo "deps.sh: still missing:$need" >&2; exit 1; }
