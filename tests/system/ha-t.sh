#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-ha with ispdns-ha: two nodes, a client that asks all the time, and
# everything that moves the address: crash, hang, planned moves, drain,
# restart, death of a node, split brain; then changes of the configuration,
# robbed and leftover addresses, malformed adverts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ha.sh"
need_root
need ip jq bridge nft
unshare -n true 2>/dev/null || skip_all "no network namespaces here"
[ -x "$top/ispdns-ha" ] || bail "run make first"

net_up
for n in a b; do
	conf $n > "$work/$n/ha.yaml"
	ha_start $n
done

# --- without a service nobody leads by right ---
ok "without a frontend the last man takes the address" \
	wait_for 5 has_vip a
is "$(field a health.last_man)" true "and knows that it is not fit"
fe_start a
fe_start b
ok "the higher priority is master" wait_for 130 is_role a MASTER
ok "the other one is backup" wait_for 10 is_role b BACKUP
ok "the master has the address" has_vip a
not "the backup has not" has_vip b
is "$(ctl a status --json | jq .realtime)" true "it runs in real time"

# --- the service dies ---
measure 2 stop_hard a fe
ok "crash of the frontend: the peer is master" is_role b MASTER
at_most "$gap" 900 "crash: gap in ms"
at_most "$lost" 500 "crash: queries lost"
like "$(ctl a events)" 'frontend: ok -> failed cause=death' "by its death"
fe_start a
ok "it comes back after it has been well for a while" \
	wait_for 130 is_role a MASTER
measure 2 kill -STOP "$(pid a fe)"
ok "a frontend that hangs is found out" is_role b MASTER
silence=$(ctl a events | sed -n 's/.*cause=silence silence_ms=//p' | tail -n 1)
at_least "$silence" 150 "case 62: by silence, in ms"
at_most "$silence" 200 "case 62: at most"
at_most "$gap" 900 "hang: gap in ms"
kill -CONT "$(pid a fe)"
ok "and forgiven later" wait_for 130 is_role a MASTER
kill -USR1 "$(pid a fe)"
ok "a frontend that drains is followed" wait_for 3 is_role b MASTER
kill -HUP "$(pid a fe)"
ok "and back" wait_for 130 is_role a MASTER

# What beats do not see: packets to the address that do not get through. Who
# was never answered since it has the address proves nothing.
probe_answered() { [ "$(field a health.probe_answered)" = true ]; }
ok "the address is probed" wait_for 10 probe_answered
in_ns a nft add table inet p
in_ns a nft add chain inet p in '{ type filter hook input priority 0; }'
in_ns a nft add rule inet p in iifname lo udp dport 53 drop
ok "the probe of the address fails: the peer is master" \
	wait_for 5 is_role b MASTER
is "$(field a health.probe_failed)/$(field a health.frontend)" true/ok \
	"though the frontend beats"
in_ns a nft flush chain inet p in
ok "it answers again: back after a while" wait_for 130 is_role a MASTER
in_ns a nft delete table inet p

# --- planned moves lose nothing ---
measure 2 ctl a move
is "$lost" 0 "move: nothing is lost"
ok "move: the peer is master" is_role b MASTER
ok "move: and keeps it" is_role a BACKUP
not "a second move from the same node is refused" ctl a move
measure 2 ctl b move VI
is "$lost" 0 "move back by name: nothing is lost"
ok "move back: done" is_role a MASTER
measure 2 ctl b take
is "$lost" 0 "take: nothing is lost"
ok "take: done" is_role b MASTER
ctl b move > /dev/null
measure 2 ctl a drain
is "$lost" 0 "drain: nothing is lost"
ok "drain: the peer is master" is_role b MASTER
is "$(field a effective_priority)" 1 "drain: priority 1"
measure 2 ctl a undrain
is "$lost" 0 "undrain: nothing is lost"
ok "undrain: preempts" is_role a MASTER

# --- restart keeps the role, stop hands it over ---
restart() { stop_hard a ha; ha_start a; }
slow() { # seconds to be back in, not 150 ms: machines can be slow
	local n
	for n in b a; do
		conf $n "$@" > "$work/$n/ha.yaml"
		ctl $n reload > /dev/null || return 1
	done
}
ok "adverts every second" slow interval=1s
before=$(field b transitions)
measure 2 restart
is "$lost" 0 "kill -9 and restart: nothing is lost"
ok "restart: still master" wait_for 5 is_role a MASTER
is "$(field a reason)" resume "restart: by resuming"
is "$(field b transitions)" "$before" "restart: the peer saw nothing"
ok "the verb restart" ctl a restart
wait "$(pid a ha)"
ha_start a
ok "restart by the verb: still master" wait_for 5 is_role a MASTER
is "$(field a reason)" resume "restart by the verb: by resuming"
is "$(field b transitions)" "$before" "restart by the verb: unseen"
late() { in_ns a curl -sf http://127.0.0.1:8086/metrics |
	awk '/^ispdns_ha_late_rounds_total/ { print $2 }'; }
before=$(field a transitions) was_late=$(late)
still() { # all of a machine stands still; ha wakes up first
	local fe ha
	fe=$(pid a fe) ha=$(pid a ha)
	kill -STOP "$fe" "$ha"
	sleep 0.4 # what is measured is this time
	kill -CONT "$ha" "$fe"
}
wait_for 130 all_trusted
still
counted() { [ "$(late)" -gt "$was_late" ]; }
ok "a machine that stands still for 400 ms: counted" wait_for 5 counted
is "$(field a transitions)" "$before" "and its frontend is not blamed"
ok "and every 100 ms again" slow interval=100ms
# Between half and the whole of 0.3 s: the peer is about to take over.
restart_late() { stop_hard a ha; sleep 0.2; ha_start a; }
measure 2 restart_late
is "$lost" 0 "too late to resume: nothing is lost"
ok "too late to resume: leads again" wait_for 130 is_role a MASTER
measure 4 kill "$(pid a ha)"
is "$lost" 0 "SIGTERM: nothing is lost"
ok "SIGTERM: the peer is master" is_role b MASTER
not "SIGTERM: no address is left" has_vip a
not "SIGTERM: no address lingers for ever" \
	in_ns a sh -c "ip -o addr show dev lo | grep -w $vip"
ha_start a
ok "start again: preempts" wait_for 130 is_role a MASTER

# --- a node dies: nothing says goodbye ---
die() { stop_hard a ha; ip -n "$ns-br" link set va down; }
measure 3 die
ok "death of a node: the peer is master" is_role b MASTER
at_most "$gap" 2900 "death: gap in ms"
ok "its address is still there" has_vip a
in_ns a "$top/ispdns-ha" --cleanup > /dev/null
not "--cleanup removes it" has_vip a
ip -n "$ns-a" addr add "$vip/24" dev eth0
in_ns a "$top/ispdns-ha" --cleanup > /dev/null
ok "--cleanup leaves an address that is not ours" has_vip a
ip -n "$ns-a" addr del "$vip/24" dev eth0
ha_start a
ok "no carrier is a fault" wait_for 5 is_role a FAULT
ip -n "$ns-br" link set va up
ok "with carrier it leads again" wait_for 130 is_role a MASTER

# --- the link itself goes ---
ip -n "$ns-a" link set eth0 down
ok "link down: the peer is master" wait_for 3 is_role b MASTER
ok "link down: a fault here" is_role a FAULT
ip -n "$ns-a" link set eth0 up
ok "link up: leads again" wait_for 5 is_role a MASTER
ip -n "$ns-br" link del va
ok "link deleted: the peer is master" wait_for 3 is_role b MASTER
add_node_link a
ok "a new link of that name: leads again" wait_for 130 is_role a MASTER
ok "with its address" has_vip a
is "$(stat_of a split_brain_total)" 0 "no move looked like a split brain"

# --- split brain: they cannot hear each other, the client hears both ---
both() { is_role a MASTER && is_role b MASTER; }
split() { bridge -n "$ns-br" link set dev va isolated "$1"
	bridge -n "$ns-br" link set dev vb isolated "$1"; }
split on
ok "split: both are master" wait_for 5 both
measure 3 split off
ok "healed: one is master" wait_for 5 is_role b BACKUP
ok "healed: the higher one" is_role a MASTER
at_most "$gap" 900 "healed: gap in ms"
at_least "$(stat_of a split_brain_total)" 1 "the winner noticed"

# --- changes while it runs ---
before=$(field a transitions)
change() { # NODE GENERATION KEY=VALUE...
	local n=$1 g=$2
	shift 2
	conf "$n" "$@" > "$work/$n/next.yaml"
	ctl "$n" prepare "config=$work/$n/next.yaml" "generation=$g" &&
		ctl "$n" commit "generation=$g"
}
measure 2 change a 7 "addresses=[$vip/24, 10.98.0.101/24]" interval=200ms
is "$lost" 0 "change: nothing is lost"
ok "change: the new address is there" has_vip a 10.98.0.101
ok "change: the old one too" has_vip a
is "$(field a interval_ms)" 200 "change: new interval"
is "$(ctl a status --json | jq .generation)" 7 "change: generation"
ok "change back" change a 8
not "change back: the address is gone" has_vip a 10.98.0.101
is "$(field a transitions)" "$before" "no change moved the role"
ok "priority below the peer's" change a 9 priority=100
ok "then the peer preempts" wait_for 5 is_role b MASTER
ok "priority as before" change a 10
ok "then it comes back" wait_for 5 is_role a MASTER
settled() { is_role a MASTER && is_role b BACKUP; }
ok "both are in their places" wait_for 130 settled
before=$(field a transitions)/$(field b transitions)
v2() { change b 20 "${legacy_keys[@]}" && change a 21 "${legacy_keys[@]}"; }
legacy_keys=(version=2 interval=1s auth=pass password=lab123)
measure 6 v2
is "$lost" 0 "v3 to v2 with password, backup first: nothing is lost"
is "$(field a transitions)/$(field b transitions)" "$before" \
	"and no role moved"
legacy_keys=(version=3)
measure 3 v2
is "$lost" 0 "and back: nothing is lost"
is "$(field a transitions)/$(field b transitions)" "$before" \
	"and no role moved"
ctl b prepare "config=$work/b/ha.yaml" generation=22 > /dev/null
ctl b commit generation=22 > /dev/null
change a 10 > /dev/null
conf a vrid=0 > "$work/a/next.yaml"
out=$(ctl a prepare "config=$work/a/next.yaml" generation=11 2>&1)
like "$out" 'next.yaml:[0-9]+: ' "a bad change is refused with file and line"
ok "and the old one stays" is_role a MASTER
ok "prepare and discard" ctl a prepare "config=$work/a/ha.yaml" generation=12
ok "discard" ctl a discard
is "$(ctl a status --json | jq .generation)" 10 "a discarded one leaves nothing"
unlike "$(ctl a events)$(ctl b events)" 'claimed by' \
	"nothing so far looked like theft"
another() {
	change a 13 vrid=52 && wait_for 5 is_role b MASTER && is_role a MASTER
}
measure 1 another
ok "another VRID: the peer leads the old one" is_role b MASTER
ok "and it goes on as master of the new one" is_role a MASTER
is "$lost" 0 "nothing is lost"
one_again() { change a 14 && is_role a MASTER && wait_for 5 is_role b BACKUP; }
measure 1 one_again
ok "one router again, and it leads" is_role a MASTER
ok "the peer does not" is_role b BACKUP
is "$lost" 0 "nothing is lost"

# --- the router goes to another link of the same LAN ---
ip -n "$ns-br" link add va1 type veth peer name eth1 netns "$ns-a"
ip -n "$ns-br" link set va1 master br0 up
ip -n "$ns-a" link set eth1 up
ip -n "$ns-a" addr add 10.98.0.21/24 dev eth1
vip_on() { # LINK
	ip -n "$ns-a" -o addr show dev "$1" | grep -qwF "$vip"
}
link_is() { vip_on "$1" && ! vip_on "$2" && is_role a MASTER; }
before=$(field b transitions)
measure 2 change a 15 interface=eth1
is "$lost" 0 "another link: nothing is lost"
ok "the address is there, and not on the old one" wait_for 5 link_is eth1 eth0
measure 2 change a 16
is "$lost" 0 "and back: nothing is lost"
ok "the address is there, and not on the old one" wait_for 5 link_is eth0 eth1
is "$(field b transitions)" "$before" "and the peer did not move"
ip -n "$ns-a" link del eth1

# --- somebody takes the address off ---
ip -n "$ns-a" addr del "$vip/24" dev eth0
ok "an address that was taken off is put back" wait_for 2 has_vip a
at_least "$(stat_of a addr_restored_total)" 1 "and that is counted"

# --- ARP: a thief, and the gateway ---
in_ns c ip addr add "$vip/32" dev eth0
in_ns c ip neigh flush dev eth0
in_ns c "$top/ispdns-lab-client" --seconds 0.1 --timeout-ms 100 \
	--source "$vip" 10.98.0.12 > /dev/null # asks for b's MAC as the thief
conflict() { ctl a events | grep -q 'claimed by another host'; }
ok "another host that claims the address is found out" wait_for 5 conflict
ok "and the role stays" is_role a MASTER
in_ns c ip addr del "$vip/32" dev eth0
change a 30 'track={gateway: 10.98.0.13}' > /dev/null
gateway_is() { [ "$(field a health.gateway_lost)" = "$1" ]; }
ok "the gateway answers" wait_for 3 gateway_is false
in_ns c ip link set eth0 down
ok "the gateway is gone: the peer is master" wait_for 6 is_role b MASTER
is "$(field a effective_priority)" 134 "at the price of 120"
in_ns c ip link set eth0 up
in_ns c ip addr add fd98::13/64 dev eth0 nodad
ok "it is back: so are we" wait_for 130 is_role a MASTER
change a 31 > /dev/null

# --- malformed adverts ---
bad() { in_ns c "$top/tests/ha/send-vrrp" eth0 "$@"; }
discards() { [ "$(stat_of a "discard.$1")" -ge 1 ]; }
bad 255 31ff
bad 254 31339601000a42ff0a620064
bad 255 51339601000a42ff0a620064
bad 255 32339601000a42ff0a620064
bad 255 31349601000a42ff0a620064
bad 255 31339601000a42fe0a620064
bad 255 31339601000a42ff0a620064 10.98.0.11
for reason in len ttl version type vrid checksum cast; do
	ok "discarded and counted: $reason" wait_for 3 discards $reason
done
ok "the role did not care" is_role a MASTER

# --- the blueprint's form: v2, a password, 150 and 100, 1 s ---
legacy() { # NODE PRIORITY
	conf "$1" version=2 interval=1s auth=pass password=lab123 \
		priority="$2" > "$work/$1/ha.yaml"
	stop_hard "$1" ha
	ha_start "$1"
}
in_ns a "$top/ispdns-ha" --cleanup > /dev/null 2>&1
legacy b 100
legacy a 150
ok "v2: 150 is master" wait_for 130 is_role a MASTER
ok "v2: 100 is backup" wait_for 5 is_role b BACKUP
ok "v2: they know each other" wait_for 5 sh -c \
	"'$top/ispdns-ha' --control '$work/b/ctl' show | grep -q ': fit'"
measure 2 ctl a move
is "$lost" 0 "v2: move: nothing is lost"
measure 2 ctl b move
is "$lost" 0 "v2: move back: nothing is lost"
measure 2 stop_hard a fe
at_most "$gap" 900 "v2: crash: gap in ms"
fe_start a
ok "v2: recovered" wait_for 130 is_role a MASTER
measure 5 die
at_most "$gap" 2900 "v2: death of the node: gap in ms"
ip -n "$ns-br" link set va up
in_ns a "$top/ispdns-ha" --cleanup > /dev/null
ctl b drain > /dev/null
stop_hard b ha
ha_start b
ok "v2: b is up again" wait_for 10 ctl b status
is "$(ctl b status --json | jq .drained)" true "a drain survives a restart"
ctl b undrain > /dev/null
ha_start a
ok "v2: a leads again" wait_for 130 is_role a MASTER

# --- far too much to do, and adverts every 20 ms ---
for n in b a; do
	conf $n interval=20ms > "$work/$n/ha.yaml"
	stop_hard $n ha
	ha_start $n
done
ok "case 75: a leads" wait_for 130 settled
before=$(field a transitions)/$(field b transitions)
measure 8 hogs_start 4
hogs_stop
is "$(field a transitions)/$(field b transitions)" "$before" \
	"case 75: four endless loops on every core: no role moves"

# --- a pair of IPv4 and IPv6 ---
pair() { # NODE PEER PRIORITY
	cat > "$work/$1/ha.yaml" << END
node: $1
instances:
  V4: {interface: eth0, vrid: 51, priority: $3, addresses: [$vip/24],
    handover_peers: [10.98.0.$2]}
  V6: {interface: eth0, vrid: 51, priority: $3, advertise: all,
    addresses: [fe80::100/64, $vip6/64],
    handover_peers: ["fd98::$2"]}
health: {socket: $work/$1/health.sock}
linger: 1s
handover: {key: 000102030405060708090a0b0c0d0e0f}
END
	kill "$(pid "$1" ha)"
	wait "$(pid "$1" ha)"
	ha_start "$1"
}
roles() { ctl "$1" status --json 2>/dev/null |
	jq -r '[.instances[].role] | join(" ")'; }
roles_are() { [ "$(roles "$1")" = "$2" ]; }
fit_peers() { [ "$(ctl "$1" show | grep -c ': fit')" = 2 ]; }
pair b 11 253
pair a 12 254
ok "pair: a leads both" wait_for 130 roles_are a "MASTER MASTER"
ok "pair: b leads none" wait_for 130 roles_are b "BACKUP BACKUP"
ok "pair: they know each other, with a key" wait_for 5 fit_peers a
ok "pair: both ways" wait_for 5 fit_peers b
v4=$vip
vip=$vip6
measure 2 ctl a move V6
is "$lost" 0 "pair: move of IPv6 alone: nothing is lost"
is "$(roles b)" "BACKUP MASTER" "pair: IPv6 moved"
measure 2 ctl b move V6
is "$lost" 0 "pair: and back"
measure 2 stop_hard a fe
at_most "$gap" 900 "pair: crash: IPv6: gap in ms"
ok "pair: crash: b leads both" roles_are b "MASTER MASTER"
fe_start a
ok "pair: recovered" wait_for 130 roles_are a "MASTER MASTER"
measure 2 ctl a drain
is "$lost" 0 "pair: drain: IPv6: nothing is lost"
ok "pair: drain: b leads both" roles_are b "MASTER MASTER"
ctl a undrain > /dev/null
ok "pair: undrained" wait_for 130 roles_are a "MASTER MASTER"
not "pair: a move must name one of several" ctl a move
vip=$v4
conf a > "$work/a/ha.yaml"
conf b > "$work/b/ha.yaml"
for n in b a; do
	kill "$(pid $n ha)"
	wait "$(pid $n ha)"
	ha_start $n
done
ok "one again" wait_for 130 is_role a MASTER

# --- what is bad is said in one line ---
not "a second daemon is refused" in_ns a "$top/ispdns-ha" \
	--config "$work/a/ha.yaml" --control "$work/a/ctl2"
in_ns a curl -sf http://127.0.0.1:8086/metrics > "$work/metrics"
like "$(cat "$work/metrics")" \
	'^ispdns_ha_master\{instance_name="VI",vrid="51",af="ipv4"\} 1' \
	"metrics: the role"
like "$(cat "$work/metrics")" '^ispdns_ha_wakeup_late_seconds_count [1-9]' \
	"metrics: how late the thread woke up"
like "$(cat "$work/metrics")" '^ispdns_ha_interval_min_seconds [0-9.]+$' \
	"metrics: the shortest safe interval"
like "$(cat "$work/metrics")" 'ispdns_ha_advert_discard_total.*reason="ttl"' \
	"metrics: discards"
ok "metrics: no family twice" sh -c \
	"! grep '^# TYPE' '$work/metrics' | sort | uniq -d | grep ."
like "$(ctl a events)" 'MASTER' "events are remembered"
unlike "$(grep -h 'error: ' "$work/a/log" "$work/b/log" |
	grep -v 'change refused')" . "no error was logged but the refusal"
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
