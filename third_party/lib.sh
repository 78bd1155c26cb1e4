# shellcheck shell=sh
# Sourced by the recipes here and by scripts/consul.sh: checksums, and an apt that is ours alone.
#
# Downloads go to $CACHE (DNSBUDDY_CACHE, default build/cache) and are kept, so nothing is fetched twice and several
# clones can share them. apt runs with its own source list, lists folder and archive folder: the machine's configuration
# and package state are read, never written, and no root is needed. The mirror is the one the machine already uses.

BUILD=${BUILD:-build}
CACHE=${DNSBUDDY_CACHE:-$BUILD/cache}
mkdir -p "$BUILD" "$CACHE"
BUILD=$(cd "$BUILD" && pwd)
CACHE=$(cd "$CACHE" && pwd)

say() { printf '  %-7s %s\n' "$1" "$2" >&2; }
die() { printf '%s: error: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# lock: one fetch at a time per cache; two makes may run at once
lock() {
	if command -v flock >/dev/null; then
		exec 9>"$CACHE/.lock"
		flock 9
	fi
}

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# verify FILE SHA256 WHERE-FROM: stops the build on a wrong checksum
verify() {
	got=$(sha256_of "$1")
	[ "$got" = "$2" ] && return 0
	die "$3: wrong checksum
  file      $1
  expected  sha256 $2
  found     sha256 $got
  The build stops here. Delete the file to fetch it again; if it differs again, do not use it."
}

# download URL FILE: for places without apt; curl or wget, whichever is there
download() {
	say FETCH "$1"
	if command -v curl >/dev/null; then
		curl -fsSL --retry 2 --max-time 120 -o "$2.part" "$1" || return 1
	elif command -v wget >/dev/null; then
		wget -q -T 120 -O "$2.part" "$1" || return 1
	else
		return 1
	fi
	mv "$2.part" "$2"
}

# debian_mirror: the Debian mirror this machine's apt is configured with, or nothing.
# Origin and codename come from Release files and stay unexpanded when `apt-get update` never ran: then the name of the
# suite must do. Updates and backports share the mirror; the security archive is another one and is left out.
debian_mirror() {
	{
		# shellcheck disable=SC2016 # the $(...) are apt's own placeholders
		apt-get indextargets --format 'ORIGIN|$(SITE)|$(RELEASE)|$(ORIGIN)'
		# shellcheck disable=SC2016
		apt-get indextargets --no-release-info --format 'TARGET|$(SITE)|$(RELEASE)|$(COMPONENT)'
	} 2>/dev/null | awk -F'|' '
		$1 == "ORIGIN" { origin[$2 "|" $3] = $4; next }
		$2 !~ /^(http|https|ftp|file|copy|mirror[+a-z]*|tor[+a-z]*):/ || $3 ~ /security/ || $4 != "main" { next }
		{
			o = origin[$2 "|" $3]
			if (o == "Debian")
				rank = 1
			else if (o == "" && $3 ~ /^(stable|oldstable|testing|unstable|sid|bullseye|bookworm|trixie)(-updates)?$/)
				rank = 3
			else
				next
			if ($3 ~ /^bookworm/)
				rank--
			if (best == "" || rank < best_rank) {
				best = $2
				best_rank = rank
			}
		}
		END { if (best != "") print best }'
}

# apt_fetch SUITE deb|deb-src SPEC [ARCH]: download a package (NAME=VERSION) or source package (NAME) into $CACHE; of another
# architecture if one is named, of which dpkg need not know. Returns 1, having said why, when this machine's apt cannot do it.
apt_fetch() (
	command -v apt-get >/dev/null || return 1
	mirror=$(debian_mirror)
	if [ -z "$mirror" ]; then
		say APT "no Debian mirror among this machine's package sources"
		return 1
	fi
	arch=${4:-$(dpkg --print-architecture)}
	root=$CACHE/apt/$1-$2-$arch
	mkdir -p "$root/lists/partial" "$root/archives/partial"

	# Only the one index that is needed; signed as any other package of this machine is.
	opts="target=Packages arch=$arch"
	[ "$2" = deb ] || opts="target=Sources"
	for key in /usr/share/keyrings/debian-archive-keyring.gpg /etc/apt/keyrings/debian-archive-keyring.gpg; do
		if [ -r "$key" ]; then
			opts="$opts signed-by=$key"
			break
		fi
	done
	: >"$root/status" # what is installed here is not asked
	printf '%s [%s] %s %s main\n' "$2" "$opts" "$mirror" "$1" >"$root/sources.list"

	# Sandbox::User: apt would warn, and then do just this, where _apt cannot enter the folder.
	kind=$2 spec=$3
	set -- \
		-o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o Dir::State::lists="$root/lists" -o Dir::State::status="$root/status" -o Dir::Cache="$root" -o Dir::Cache::archives="$root/archives" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 -o Acquire::Languages=none -q=2
	say APT "$spec from $mirror"
	if ! {
		apt-get "$@" update && cd "$CACHE" &&
			case $kind in
			deb-src) apt-get "$@" source --download-only --only-source "$spec" ;;
			*) apt-get "$@" download "$spec" ;;
			esac
	} >"$root/log" 2>&1; then
		sed 's/^/    /' "$root/log" >&2
		return 1
	fi
	rm -rf "$root" # tens of megabytes of index; the file it led to is what is kept
)
