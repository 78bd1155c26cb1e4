# shellcheck shell=bash
# For start.sh and roll.sh, which set compose and wait: asking what runs, and waiting for it.

# where SERVICE PORT: host:port by which it is reached from here; fails when it is not published
# shellcheck disable=SC2154 # theirs
where() {
	local at host=127.0.0.1
	at=$("${compose[@]}" port "$1" "$2" 2>/dev/null | head -n 1) || return 1
	[[ $at =~ ^(.*):([1-9][0-9]*)$ ]] || return 1
	case ${DOCKER_HOST:-} in tcp://*) host=${DOCKER_HOST#tcp://} host=${host%:*} ;; esac
	case ${BASH_REMATCH[1]} in '' | 0.0.0.0 | :: | '[::]') ;; *) host=${BASH_REMATCH[1]} ;; esac
	printf '%s:%s\n' "$host" "${BASH_REMATCH[2]}"
}

# until_true COMMAND...: within $wait seconds
# shellcheck disable=SC2154
until_true() {
	local end=$((SECONDS + wait))
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.5
	done
}
