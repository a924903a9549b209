#!/bin/bash
# SPDX-License-Identifier: ISC
# What must leave no trace: thousands of changes of the configuration, a lock of
# the kernel that others hold, and a flood of junk. Memory stays as it is,
# adverts are on time, no role moves.
#
#	ISPDNS_HA_RECONFS=100000 ISPDNS_HA_FLOOD_S=10	the full size
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ha.sh"
need_root
need ip jq
unshare -n true 2>/dev/null || skip_all "no network namespaces here"
[ -x "$top/tests/ha/flood-vrrp" ] || bail "run make first"
reconfs=${ISPDNS_HA_RECONFS:-1000}
flood_s=${ISPDNS_HA_FLOOD_S:-2}

ms_now() { echo $(($(date +%s%N) / 1000000)); }
rss() { awk "/^RssAnon/ { print \$2 }" "/proc/$(pid "$1" ha)/status"; }
of() { # NODE ROUTER FIELD
	ctl "$1" status --json |
		jq -r ".instances[] | select(.name == \"$2\").$3"
}
fds() { find "/proc/$(pid "$1" ha)/fd" -mindepth 1 | wc -l; }
has_fds() { [ "$(fds "$1")" = "$2" ]; }
moves() { echo "$(of a VI transitions)/$(of b VI transitions)"; }

ours() { # NODE KEY=VALUE...
	conf "$1" track="{frontend: false, probe: false}" "${@:2}"
}

net_up
for n in b a; do
	ours $n > "$work/$n/ha.yaml"
	ha_start $n
done
fe_start a
fe_start b
ok "a leads" wait_for 15 is_role a MASTER
ok "b is backup" wait_for 15 is_role b BACKUP

# --- changes: interval, priority, addresses, keys ---
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
ours a priority=253 interval=200ms \
	addresses="[$vip/24, 10.98.0.101/24, 10.98.0.102/24]" \
	hmac="{mode: receive-only, keys: {1: $key}}" > "$work/a/other.yaml"
ours b priority=100 > "$work/b/ha.yaml"
ok "b is far below" ctl b reload
change() { "$top/tests/ha/reconf" "$work/a/ctl" "$1" "$work/a/ha.yaml" \
	"$work/a/other.yaml"; }
ok "a few changes first" change 100
before=$(moves) kib=$(rss a)
start=$(ms_now)
ok "case 84: $reconfs changes" change "$reconfs"
diag "$(($(ms_now) - start)) ms, RSS $kib KiB before, $(rss a) KiB after"
is "$(moves)" "$before" "case 84: no role moved"
at_most "$(rss a)" $((kib + 256)) "case 84: RSS after it, in KiB"
is "$(ip -n "$ns-a" -o -4 addr show dev eth0 | wc -l)" 2 \
	"case 84: the addresses of the last one"
measure 1 change 100
is "$lost" 0 "case 84: nothing is lost meanwhile"

# --- the lock of the kernel ---
# Every change of an address waits for it, in whatever namespace. Who takes off
# the first of many addresses of one network holds it for a second or so, and
# the processor with it: so that one is not ours.
list=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
ours_cpu=${list%%[-,]*} their_cpu=${list##*[-,]}
hold() {
	local began
	began=$(ms_now)
	taskset -c "$their_cpu" ip -n "$ns-d" addr del 10.0.0.1/8 dev lo
	echo $(($(ms_now) - began)) > "$work/held"
}
add_ns d
many() { # DEVICE COUNT
	local i
	for ((i = 0; i < $2; i++)); do
		echo "addr add dev $1" \
			"10.$((i / 62500)).$((i / 250 % 250)).$((i % 250 + 1))/8"
	done
}
many lo 14000 > "$work/many"
on_cpus() { # LIST
	for n in a b; do
		for p in ha fe; do taskset -acp "$1" "$(pid $n $p)"; done
	done > "$work/taskset"
}
# change_while_held WHAT: to and fro; adverts go on meanwhile.
change_while_held() {
	local before hold changes=0 held
	ok "many addresses of one network" ip -n "$ns-d" -batch "$work/many"
	before=$(moves)
	hold &
	hold=$!
	while kill -0 $hold 2>/dev/null; do
		change 2 && changes=$((changes + 1))
	done
	wait $hold
	held=$(cat "$work/held")
	diag "the lock was held for $held ms, $changes changes meanwhile"
	at_least "$held" 200 "a lock held for long"
	is "$(moves)" "$before" "$1 wait for it, adverts do not"
}
ours a interval=20ms > "$work/a/ha.yaml"
ours a interval=20ms addresses="[$vip/24, 10.98.0.101/24]" \
	> "$work/a/other.yaml"
ours b interval=20ms > "$work/b/ha.yaml"
ok "adverts every 20 ms" ctl a reload
ok "adverts every 20 ms, b too" ctl b reload
on_cpus "$ours_cpu"
change_while_held addresses

# Sockets, too: those of a router W on a link of its own.
add_far() {
	ip -n "$ns-a" link add eth1 type veth peer name far1 &&
		ip -n "$ns-a" link set far1 up &&
		ip -n "$ns-a" link set eth1 up &&
		ip -n "$ns-a" addr add 10.99.0.11/24 dev eth1
}
with_w() { # VRID [KEY: VALUE, ...]
	echo "  W: {interface: eth1, vrid: $1, version: 3, priority: 254," \
		"interval: 20ms, addresses: [10.99.0.100/24]," \
		"track: {frontend: false, probe: false}, ${*:2}}" > "$work/a/w"
	ours a interval=20ms | sed "/^instances:/r $work/a/w"
}
w_leads() { [ "$(of a W role)" = MASTER ]; }
ok "a second link" add_far
with_w 52 > "$work/a/ha.yaml"
ok "a router on it" ctl a reload
ok "it leads" wait_for 15 w_leads
fds=$(fds a)
with_w 52 "peers: [10.99.0.12]" > "$work/a/other.yaml"
moved=$(of a W transitions)
change_while_held "unicast and multicast"
is "$(of a W role) $(of a W transitions)" "MASTER $moved" \
	"nor does that router move"
with_w 53 > "$work/a/other.yaml"
change_while_held "other VRIDs"
is "$(of a W role)" MASTER "nor does that router move"

# Who waits for a lock gets it after who waited before: here, one hold after the
# other.
holds=6
for n in x y; do
	for ((i = 0; i < holds; i++)); do
		echo "link add $n$i type bridge"
		many $n$i 7000
	done > "$work/many"
	ip -n "$ns-d" -batch "$work/many"
	for ((i = 0; i < holds; i++)); do
		echo "addr del 10.0.0.1/8 dev $n$i"
	done > "$work/few.$n"
done
before=$(moves) holders=()
began=$(ms_now)
for n in x y; do
	taskset -c "$their_cpu" ip -n "$ns-d" -batch "$work/few.$n" &
	holders+=($!)
done
flaps=0
for ((i = 0; i < 100; i++)); do
	kill -0 "${holders[@]}" 2>/dev/null || break
	ip -n "$ns-a" link del eth1 && add_far && flaps=$((flaps + 1))
done
wait "${holders[@]}"
diag "held $((2 * holds)) times, $(($(ms_now) - began)) ms, $flaps flaps"
at_least "$flaps" 1 "a link went and came meanwhile"
is "$(moves)" "$before" "its sockets wait, adverts on the other one do not"
ok "the router on that link leads again" wait_for 15 w_leads
ok "$fds descriptors as before" wait_for 15 has_fds a "$fds"
on_cpus "$list"

# --- a flood ---
for n in a b; do
	ours $n > "$work/$n/ha.yaml"
	ok "adverts every 100 ms" ctl $n reload
done
sent() { field a adverts_sent; }
thrown() { ctl a stats --json | jq '[.VI.discard[]] | add'; }
before=$(moves) count=$(sent) junk=$(thrown) kib=$(rss a)
start=$(ms_now)
packets=$(in_ns c "$top/tests/ha/flood-vrrp" eth0 "$flood_s")
took=$(($(ms_now) - start)) count=$(($(sent) - count))
diag "$packets packets in $took ms, $count adverts meanwhile," \
	"$(($(thrown) - junk)) thrown away, RSS $kib KiB before, $(rss a) after"
at_least "$count" $((took / 100 * 9 / 10)) "case 84: adverts on time"
at_least $(($(thrown) - junk)) 10000 "case 84: the junk was there"
is "$(moves)" "$before" "case 84: no role moved"
at_most "$(rss a)" $((kib + 256)) "case 84: RSS after the flood, in KiB"
ok "a leads" is_role a MASTER
at_most "$(grep -c 'adverts discarded' "$work/b/log")" 12 \
	"case 84: one line for each reason, whatever their number"
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
