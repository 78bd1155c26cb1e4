#!/bin/bash
# test-deb.sh PACKAGE: the life of a .deb on a small Debian 12 of its own, which systemd-nspawn starts with systemd as its
# first process: installed, refused, configured, started, reloaded, killed, upgraded, stopped, purged. Consul and the stand-in
# for Cloudflare run beside it, in a network with a loopback device and nothing else. `make test-dist` calls it; it needs root.
#
# The last line is the sum: `N passed, N failed`. A machine that cannot start such a system fails, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."
. third_party/lib.sh
. scripts/engine.sh
. scripts/checks.sh

package=$(readlink -f "$1")
name=www.example.com
net='' machine='' leader=''

tidy() {
	[ -z "$leader" ] || kill -KILL "$leader" 2>/dev/null || :
	stop "$machine"
	stop "$net"
}

[ "$(id -u)" -eq 0 ] || die "it starts a system of its own, which takes root"
scripts/deps.sh build test-dist
CONSUL_BIN=$(scripts/consul.sh)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/dnsbuddy-deb.XXXXXX")
root=$tmp/root
# systemd-run wants the bus.
base_tree "$root" systemd,systemd-sysv,dbus
cp "$package" "$root/root/dnsbuddy.deb"
# files: what there is on the machine outside of what changes by itself
files() { (cd "$root" && find etc usr lib var/lib/private var/lib/systemd/deb-systemd* -xdev 2>/dev/null | LC_ALL=C sort); }

# ---- Where no systemd runs: in a folder, as an image is made --------------------------------------------------------------

# in_folder COMMAND...: run it there
in_folder() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
before=$(files)
if out=$(in_folder dpkg -i /root/dnsbuddy.deb 2>&1); then pass "dpkg -i without systemd"; else fail "dpkg -i without systemd" "$out"; fi
same "… dnsbuddy version" "$(in_folder dnsbuddy version)" "dnsbuddy $(cat VERSION)"
same "… its unit is not enabled" "$(cd "$root" && find etc/systemd -name 'dnsbuddy*')" ""
if out=$(in_folder dpkg -P dnsbuddy 2>&1); then pass "dpkg -P without systemd"; else fail "dpkg -P without systemd" "$out"; fi
same "… nothing is left" "$(diff <(printf '%s\n' "$before") <(files) || :)" ""

# ---- A network, Consul and the stand-in in it, and the machine -----------------------------------------------------------

unshare --net sleep infinity &
net=$!
for _ in {1..100}; do
	[ "$(readlink "/proc/$net/ns/net")" = "$(readlink /proc/self/ns/net)" ] || break
	sleep 0.02
done
nsenter -t "$net" -n ip link set lo up
apis_start "$net"

say SYSTEM "systemd in $root"
nsenter -t "$net" -n setsid systemd-nspawn --quiet --directory="$root" --machine=dnsbuddy-test --register=no --keep-unit \
	--console=pipe --boot >"$tmp/machine.log" 2>&1 </dev/null &
machine=$!
# in_it COMMAND...: run it in the machine
in_it() { nsenter -t "$leader" -m -u -i -n -p -C -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"; }
state=''
for _ in {1..300}; do
	leader=$(pgrep -P "$machine" -x systemd || pgrep -P "$machine" -x init || :)
	[ -z "$leader" ] || state=$(in_it systemctl is-system-running 2>/dev/null || :)
	case $state in running | degraded) break ;; esac
	kill -0 "$machine" 2>/dev/null || break
	sleep 0.2
done
case $state in
running | degraded) say SYSTEM "$state: $(in_it systemctl --version | head -n 1)" ;;
*)
	tail -n 15 "$tmp/machine.log" >&2
	leader=''
	die "systemd does not start here (state '$state'); it takes real root (all capabilities), cgroups and mounts. Nothing was tested"
	;;
esac

property() { in_it systemctl show -P "$1" dnsbuddy; }
is_active() { in_it systemctl is-active dnsbuddy; }
apt() { in_it DEBIAN_FRONTEND=noninteractive apt-get -y "$@"; }

# ---- Installed: off until configured -------------------------------------------------------------------------------------

before=$(files)
if out=$(apt install /root/dnsbuddy.deb 2>&1); then pass "apt install ./dnsbuddy_*.deb"; else fail "apt install ./dnsbuddy_*.deb" "$out"; fi
same "… dnsbuddy version" "$(in_it dnsbuddy version)" "dnsbuddy $(cat VERSION)"
same "… its unit is known, not enabled and not started" "$(in_it systemctl is-enabled dnsbuddy || :) $(is_active || :)" "disabled inactive"
code=0
out=$(in_it systemctl start dnsbuddy 2>&1) || code=$?
same "systemctl start without a token starts nothing" "$code $(is_active || :) $(property ConditionResult)" "0 inactive no"
has "… and systemctl status says why" "$(in_it systemctl status dnsbuddy || :)" "/etc/dnsbuddy/cloudflare-token"
code=0
out=$(in_it systemctl --failed --no-legend --plain 2>&1) || code=$?
same "no unit has failed" "$code $(printf '%s' "$out" | grep dnsbuddy || :)" "0 "
code=0
out=$(in_it systemd-analyze verify --man=no dnsbuddy.service 2>&1) || code=$?
same "systemd-analyze verify has no complaint" "$code $(printf '%s' "$out" | grep dnsbuddy || :)" "0 "
out=$(in_it systemd-analyze security --no-pager dnsbuddy.service 2>&1) || :
level=$(printf '%s\n' "$out" | sed -n 's/.*exposure level for dnsbuddy.service: \([0-9.]*\).*/\1/p')
if [ -n "$level" ] && awk -v l="$level" 'BEGIN { exit !(l <= 2.0) }'; then
	pass "systemd-analyze security: $level, 2.0 at most"
else
	fail "systemd-analyze security: 2.0 at most" "$out"
fi

# ---- Configured and started ----------------------------------------------------------------------------------------------

register 1
register 2
field token >"$tmp/token"
install -m 600 "$tmp/token" "$root/etc/dnsbuddy/cloudflare-token"
install -m 644 "$(field ca_file)" "$root/etc/dnsbuddy/ca.pem"
printf 'CF_API_URL=%s\nSSL_CERT_FILE=/etc/dnsbuddy/ca.pem\nDNSBUDDY_GRACE=0\n' "$(field url)" >>"$root/etc/dnsbuddy/dnsbuddy.env"
# As README.Debian has it.
out=$(in_it systemd-run --quiet --pipe --wait -p EnvironmentFile=/etc/dnsbuddy/dnsbuddy.env \
	-E CLOUDFLARE_API_TOKEN_FILE=/etc/dnsbuddy/cloudflare-token dnsbuddy plan 2>&1 </dev/null) || :
has "plan, by hand with its settings" "$out" "2 to create"
if out=$(in_it systemctl enable --now dnsbuddy 2>&1); then pass "systemctl enable --now"; else fail "systemctl enable --now" "$out"; fi
same "… the records are what Consul lists" "$(until_is 10 "192.0.2.1 192.0.2.2" records "$name")" "192.0.2.1 192.0.2.2"
same "… it is active" "$(is_active || :)" active
pid=$(property MainPID)
look() { in_it cat "/proc/$pid/$1" | tr '\0' '\n'; }
status=$(look status)
line() { printf '%s\n' "$status" | sed -n "s/^$1:[[:space:]]*//p" | tr '\t' ' '; }
uid=$(line Uid | cut -d ' ' -f 1)
if [ "${uid:-0}" -ge 61184 ] && [ "$uid" -le 65519 ]; then
	pass "… as a user that exists only while it runs"
else
	fail "… as a user that exists only while it runs" "$uid"
fi
same "… without any capability, and can gain none" "$(line CapEff) $(line CapPrm) $(line NoNewPrivs)" "0000000000000000 0000000000000000 1"
same "… under a filter of system calls" "$(line Seccomp)" 2
has "… with the token in a file of its own" "$(look environ)" "CLOUDFLARE_API_TOKEN_FILE=/run/credentials/dnsbuddy.service/cloudflare-token"
if look environ | grep -qF "$(field token)"; then fail "… and not in its environment"; else pass "… and not in its environment"; fi
say SYSTEM "resident: $(line VmRSS), at most $(line VmHWM)"
has "… its page is there" "$(get http://127.0.0.1:8080/health || :)" "$name"
register 3
same "a new instance is in DNS" "$(until_is 5 "192.0.2.1 192.0.2.2 192.0.2.3" records "$name")" "192.0.2.1 192.0.2.2 192.0.2.3"
in_it systemctl reload dnsbuddy || :
same "systemctl reload: the same process, which reads again" "$(property MainPID) $(is_active) $(in_it journalctl -u dnsbuddy -o cat | grep -c "read again")" "$pid active 1"
in_it sh -c "kill -9 $pid"
same "killed, it is started anew" "$(until_is 15 "active 1" sh -c "
	nsenter -t $leader -m -p -r systemctl show --value -p ActiveState -p NRestarts dnsbuddy | sort -r | paste -sd ' '")" "active 1"
pid=$(property MainPID)
if out=$(apt install --reinstall /root/dnsbuddy.deb 2>&1); then pass "installed once more"; else fail "installed once more" "$out"; fi
now=$(until_is 10 active is_active)
if [ "$now" = active ] && [ "$(property MainPID)" != "$pid" ]; then
	pass "… what ran is started anew"
else
	fail "… what ran is started anew" "$now, was $pid, is $(property MainPID)"
fi
has "… with the settings that were there" "$(cat "$root/etc/dnsbuddy/dnsbuddy.env")" "CF_API_URL="
same "… and goes on" "$(until_is 10 "192.0.2.1 192.0.2.2 192.0.2.3" records "$name")" "192.0.2.1 192.0.2.2 192.0.2.3"

# ---- Wrong, and gone -----------------------------------------------------------------------------------------------------

cp "$root/etc/dnsbuddy/dnsbuddy.env" "$tmp/env"
echo TTL=often >>"$root/etc/dnsbuddy/dnsbuddy.env"
in_it systemctl restart dnsbuddy || :
same "a setting that is wrong: it ends, and is not started again and again" \
	"$(until_is 30 "failed 78" sh -c "
	nsenter -t $leader -m -p -r systemctl show --value -p ActiveState -p ExecMainStatus dnsbuddy | sort -r | paste -sd ' '")" "failed 78"
cp "$tmp/env" "$root/etc/dnsbuddy/dnsbuddy.env"
in_it systemctl restart dnsbuddy
same "… with the right one it runs again" "$(until_is 10 active is_active)" active
if out=$(apt remove dnsbuddy 2>&1); then pass "apt remove"; else fail "apt remove" "$out"; fi
same "… ends it" "$(is_active || :)" inactive
same "… the settings stay" "$(cd "$root/etc/dnsbuddy" && echo *)" "ca.pem cloudflare-token dnsbuddy.env"
rm "$root/etc/dnsbuddy/ca.pem"
if out=$(apt purge dnsbuddy 2>&1); then pass "apt purge"; else fail "apt purge" "$out"; fi
same "… nothing is left, the token included" "$(diff <(printf '%s\n' "$before") <(files) || :)" ""
same "… and the records stay" "$(records "$name")" "192.0.2.1 192.0.2.2 192.0.2.3"
same "it broke none of the API's rules" "$(get "$control/violations")" "[]"

sum
