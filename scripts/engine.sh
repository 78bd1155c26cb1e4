# shellcheck shell=bash
# Sourced: a Docker engine of the caller's own, whose data, socket and pid file lie in a folder of the caller's, and base
# images made with debootstrap from the mirror that this machine's apt uses. Another engine on the machine is neither used
# nor disturbed. It takes root and the packages of `scripts/deps.sh image`; third_party/lib.sh has to be sourced before.
#
#   engine_start DIR shared   in this machine's network, without any of its own: images can be built with --network host
#   engine_start DIR apart    with processes, mounts and network of its own (bridge, addresses, packet filter), which all
#                             end with it; no container reaches anything outside
#   engine_stop               the containers, then the engine, then what it may have left mounted in DIR
#   engine_inside COMMAND...  run it in the network of an engine that is apart
#   base_tree DIR [PACKAGE]   a small Debian 12, with the packages named (a list with commas), as a folder
#   stop PID                  end a child of the caller's: ask, and insist after 10 s
#
# engine_start sets DOCKER_HOST and DOCKER_CONFIG for the caller and everything it starts, and engine_pid.

engine_pid='' engine_dir='' engine_kind=''

stop() {
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null || :
	for _ in {1..200}; do
		kill -0 "$1" 2>/dev/null || break
		sleep 0.05
	done
	kill -9 "$1" 2>/dev/null || :
	wait "$1" 2>/dev/null || :
}

# engine_try NETWORK STORAGE-DRIVER
engine_try() {
	local log=$engine_dir/dockerd-$2.log options wrapper=(setsid)
	options=(--data-root "$engine_dir/data" --exec-root "$engine_dir/exec" --host "$DOCKER_HOST" --pidfile "$engine_dir/dockerd.pid"
		--config-file "$engine_dir/config/daemon.json" --storage-driver "$2")
	case $1 in
	shared)
		# Its own containerd namespaces: a containerd that runs already is shared without seeing each other's containers.
		options+=(--bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false
			--containerd-namespace "dnsbuddy-$$" --containerd-plugins-namespace "dnsbuddy-plugins-$$")
		;;
	apart)
		options+=(--cgroup-parent "dnsbuddy-$$")
		# The network first, so that the process known here is in it. Should this script be killed the hard way, all ends.
		wrapper=(setpriv --pdeathsig KILL setsid unshare --net unshare --mount --pid --fork --mount-proc --kill-child
			sh -c 'ip link set lo up && exec "$@"' sh)
		;;
	esac
	rm -rf "$engine_dir/exec"
	"${wrapper[@]}" dockerd "${options[@]}" >"$log" 2>&1 </dev/null &
	engine_pid=$!
	for _ in {1..300}; do
		! docker version >/dev/null 2>&1 || return 0
		kill -0 "$engine_pid" 2>/dev/null || break
		sleep 0.1
	done
	stop "$engine_pid"
	engine_pid=''
	return 1
}

engine_start() {
	local tool
	[ "$(id -u)" -eq 0 ] || die "it starts a Docker engine, which takes root: use sudo"
	for tool in docker dockerd debootstrap nsenter unshare setpriv ip; do
		command -v "$tool" >/dev/null || die "$tool is missing"
	done
	engine_dir=$1 engine_kind=$2
	mkdir -p "$engine_dir/config"
	echo '{}' >"$engine_dir/config/daemon.json" # not the machine's own settings
	export DOCKER_HOST=unix://$engine_dir/docker.sock DOCKER_CONFIG=$engine_dir/config
	unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
	say ENGINE "starting a Docker engine in $engine_dir"
	if ! engine_try "$2" overlay2 && ! engine_try "$2" vfs; then
		{
			echo "dockerd does not run on this machine. It takes real root (all capabilities), cgroups and mounts; in an"
			echo "unprivileged container or sandbox there are none. Its last words:"
			tail -n 8 "$engine_dir"/dockerd-vfs.log | sed 's/^/    /'
		} >&2
		die "nothing was tested"
	fi
	say ENGINE "engine $(docker version -f '{{.Server.Version}}'), storage $(docker info -f '{{.Driver}}')"
}

engine_inside() { nsenter -t "$engine_pid" -n "$@"; }

engine_stop() {
	[ -n "$engine_dir" ] || return 0
	if [ -n "$engine_pid" ]; then
		docker ps -aq 2>/dev/null | xargs -r timeout 60 docker rm -fv >/dev/null 2>&1 || :
		# One that is apart: with its first process all others end, and the kernel takes down what they mounted.
		{
			[ "$engine_kind" = shared ] || kill -9 "$engine_pid" || :
			stop "$engine_pid"
		} 2>/dev/null # the shell would say that it was killed
		engine_pid=''
	fi
	# Deepest first.
	awk -v dir="$engine_dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n 1 umount -l 2>/dev/null || :
	find /sys/fs/cgroup -depth -path "*/dnsbuddy-$$*" -type d -exec rmdir {} + 2>/dev/null || :
}

base_tree() {
	local mirror
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || die "no Debian mirror among this machine's package sources; the base image is made from one"
	say BASE "debian:bookworm-slim, with debootstrap from $mirror"
	debootstrap --variant=minbase ${2:+"--include=$2"} bookworm "$1" "$mirror" >"$1.log" 2>&1 || {
		tail -n 8 "$1.log" >&2
		die "debootstrap failed"
	}
	# As in the published one: sources in deb822 format, no package lists, no archives, no documentation.
	rm -rf "$1"/etc/apt/sources.list "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/archives/*.deb "$1"/usr/share/doc/*
	printf 'Types: deb\nURIs: %s\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: %s\n' "$mirror" \
		/usr/share/keyrings/debian-archive-keyring.gpg >"$1/etc/apt/sources.list.d/debian.sources"
	printf 'Acquire::GzipIndexes "true";\nAcquire::Languages "none";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n' \
		>"$1/etc/apt/apt.conf.d/docker"
	# This machine's proxy and the like, if any.
	apt-config dump Acquire | grep -iE '^Acquire::(http|https)::Proxy ' >"$1/etc/apt/apt.conf.d/proxy" || :
}
