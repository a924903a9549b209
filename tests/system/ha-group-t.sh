#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-ha with ispdns-ha: a sync group of IPv4 on one link and IPv6 on
# another, so that the two can fare differently; and what does not cross.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ha.sh"
need_root
need ip jq bridge nft
unshare -n true 2>/dev/null || skip_all "no network namespaces here"
[ -x "$top/ispdns-ha" ] || bail "run make first"

second_link() { # NODE
	ip -n "$ns-br" link add "w$1" type veth peer name eth1 netns "$ns-$1"
	ip -n "$ns-br" link set "w$1" master br1 up
	in_ns "$1" sysctl -qw net.ipv6.conf.eth1.accept_dad=0
	ip -n "$ns-$1" link set eth1 up
}

key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
hmac='{mode: off}'
declare -A gateway=([a]='""' [b]='""')

group_conf() { # NODE PEER PRIORITY [PRIORITY-OF-V4]
	cat <<- END
	node: $1
	instances:
	  V4: {interface: eth0, vrid: 51, addresses: [$vip/24], priority: ${4:-$3},
	    sync_group: dns, handover_peers: [10.98.0.$2], hmac: $hmac,
	    track: {frontend: false, probe: false, gateway: ${gateway[$1]}}}
	  V6: {interface: eth1, vrid: 51, addresses: [fe80::100/64, $vip6/64],
	    priority: $3, sync_group: dns, handover_peers: [10.98.0.$2],
	    hmac: $hmac,
	    track: {frontend: false, probe: false}}
	health: {socket: $work/$1/health.sock}
	linger: 1s
	fencing: {program: [$work/$1/fence, "a b"], timeout: 2s}
	metrics: {listen: "127.0.0.1:8086"}
	END
	cat > "$work/$1/fence" <<- 'END'
	#!/bin/sh
	printf '%s,' "$@" >> "${0%/*}/fenced"
	sleep 9
	END
	chmod +x "$work/$1/fence"
}

roles() { ctl "$1" status --json 2>/dev/null |
	jq -r '[.instances[].role] | join(" ")'; }
roles_are() { [ "$(roles "$1")" = "$2" ]; }
nth() { ctl "$1" status --json | jq -r ".instances[$2].$3"; }
nth_is() { [ "$(nth "$1" "$2" "$3")" = "$4" ]; }

net_up
ip -n "$ns-br" link add br1 type bridge mcast_snooping 0
ip -n "$ns-br" link set br1 up
for n in a b c; do second_link $n; done
group_conf a 12 254 > "$work/a/ha.yaml"
group_conf b 11 253 > "$work/b/ha.yaml"
for n in b a; do
	fe_start $n
	ha_start $n
done
ok "a leads both" wait_for 15 roles_are a "MASTER MASTER"
ok "b leads none" wait_for 10 roles_are b "BACKUP BACKUP"
ok "a client is answered" in_ns c "$top/ispdns-lab-client" --seconds 0.1 \
	--timeout-ms 500 "$vip"

like "$(ctl b show)" 'V4: BACKUP since .* \(.*\)' "show: role and reason"
like "$(ctl b show)" 'master 10.98.0.11, priority 254, every 100 ms' \
	"show: the master"
like "$(ctl b show)" \
	'peer 10.98.0.11: fit, MASTER, priority 254, gateway unknown, heard' \
	"show: the peer"

# --- planned moves take all along ---
measure 1 ctl a move
is "$lost" 0 "move without a name: nothing is lost"
ok "move: b leads both" wait_for 3 roles_are b "MASTER MASTER"
ok "move: a leads none" wait_for 3 roles_are a "BACKUP BACKUP"
ok "take of one" ctl a take V6
ok "take: a leads both" wait_for 3 roles_are a "MASTER MASTER"
ok "take: b leads none" wait_for 3 roles_are b "BACKUP BACKUP"
ok "drain" ctl a drain
ok "drain: b leads both" wait_for 3 roles_are b "MASTER MASTER"
ok "undrain" ctl a undrain
ok "undrain: a leads both" wait_for 5 roles_are a "MASTER MASTER"

# --- a fault of one is a fault of all ---
ip -n "$ns-a" link set eth1 down
ok "IPv6 has no link: a leads none" wait_for 3 roles_are a "FAULT FAULT"
ok "b leads both" wait_for 3 roles_are b "MASTER MASTER"
is "$(nth a 0 health.fault)" group "the fault of IPv4 is the group's"
is "$(nth a 0 reason)" group "and that is the reason"
not "its address is off" has_vip a
ip -n "$ns-a" link set eth1 up
ok "the link is back: a leads both" wait_for 15 roles_are a "MASTER MASTER"
ok "b leads none again" wait_for 5 roles_are b "BACKUP BACKUP"

# --- adverts of one family are lost on the way ---
in_ns b nft add table inet t
in_ns b nft add chain inet t in '{ type filter hook input priority 0; }'
in_ns b nft add rule inet t in iifname eth1 meta l4proto 112 drop
waits() { [ "$(ctl b stats --json | jq .V6.group_waits_total)" -ge 3 ]; }
ok "IPv6 hears nothing, but waits for the group" wait_for 5 waits
is "$(roles b)" "BACKUP BACKUP" "and nobody takes over"
ok "a is master by its hellos only: told" \
	wait_for 5 nth_is b 1 health.asymmetric true
in_ns b nft flush chain inet t in
ok "heard again: over" wait_for 5 nth_is b 1 health.asymmetric false

# --- and of both, one way only ---
before=$(nth a 0 transitions)/$(nth a 1 transitions)
in_ns b nft add rule inet t in meta l4proto 112 drop
ok "case 72: blocked one way: b leads too" \
	wait_for 5 roles_are b "MASTER MASTER"
ok "case 72: b knows that" wait_for 5 nth_is b 0 health.split_brain true
ok "case 72: a as well" wait_for 5 nth_is a 0 health.split_brain true
is "$(nth a 0 transitions)/$(nth a 1 transitions)" "$before" \
	"case 72: a does not move"
ok "the winner runs its fencing program" wait_for 5 test -s "$work/a/fenced"
like "$(cat "$work/a/fenced")" \
	'^a b,V[46],(split_brain,(10.98.0.12|fe80:.*)|asymmetric,10.98.0.12),$' \
	"fencing: instance, reason and address, once"
not "fencing: the other one does not" test -e "$work/b/fenced"
steady=$(nth b 0 transitions)/$(nth b 1 transitions)
in_ns b nft flush chain inet t in
ok "case 72: healed: b leads none" wait_for 5 roles_are b "BACKUP BACKUP"
is "$(roles a)" "MASTER MASTER" "case 72: a leads both"
is "$(nth b 0 transitions)/$(nth b 1 transitions)" \
	"$((${steady%/*} + 1))/$((${steady#*/} + 1))" "case 72: no flapping"

# --- the same, but the hellos tell who has a gateway ---
both_reload() {
	local n
	group_conf b 11 253 > "$work/b/ha.yaml"
	group_conf a 12 254 > "$work/a/ha.yaml"
	for n in b a; do ctl $n reload > /dev/null || return 1; done
}
ip -n "$ns-c" addr add 10.98.0.113/25 dev eth0
gateway=([a]=10.98.0.13 [b]=10.98.0.113)
ok "each has a gateway of its own" both_reload
ok "b's answers" wait_for 5 nth_is b 0 health.gateway good
ok "and b knows of a's" wait_for 5 nth_is b 0 'peers[0].gateway' good
before=$(nth b 0 transitions)/$(nth b 1 transitions)
in_ns b nft add rule inet t in meta l4proto 112 drop
path_waits() { [ "$(ctl b stats --json | jq .V4.path_waits_total)" -ge 9 ]; }
ok "a is heard by its hellos only, and has its gateway: b waits" \
	wait_for 5 path_waits
is "$(nth b 0 transitions)/$(nth b 1 transitions)" "$before" \
	"so it is no second master"
ip -n "$ns-c" addr del 10.98.0.13/24 dev eth0
ok "a's gateway is lost: b leads both" wait_for 6 roles_are b "MASTER MASTER"
ok "and a none" wait_for 3 roles_are a "BACKUP BACKUP"
ip -n "$ns-c" addr add 10.98.0.13/24 dev eth0
in_ns b nft flush chain inet t in
ok "all is well: a leads both" wait_for 6 roles_are a "MASTER MASTER"
ok "b leads none" wait_for 3 roles_are b "BACKUP BACKUP"
ip -n "$ns-c" addr del 10.98.0.113/25 dev eth0
gateway=([a]='""' [b]='""')
ok "without gateways again" both_reload

# --- adverts are signed, step by step, node by node ---
step() { # HMAC
	hmac=$1
	both_reload
}
took() { ctl b status --json | jq '[.instances[].adverts_received] | add'; }
goes_on() { [ "$(took)" -ge "$(($1 + 20))" ]; }
sums() { ctl b stats --json | jq "[.[].discard.$1] | add"; }
before=$(roles a)/$(roles b)/$(nth a 0 transitions)/$(nth b 1 transitions)
for m in receive-only permissive enforce; do
	ok "case 79: hmac: $m" step "{mode: $m, keys: {1: $key}}"
	ok "case 79: $m: b hears a" wait_for 5 goes_on "$(took)"
done
ok "case 79: a second key" step \
	"{mode: enforce, keys: {1: $key, 2: $key$key}}"
ok "case 79: it signs" step \
	"{mode: enforce, active: 2, keys: {1: $key, 2: $key$key}}"
ok "case 79: the first one goes" step \
	"{mode: enforce, active: 2, keys: {2: $key$key}}"
ok "case 79: new key: b hears a" wait_for 5 goes_on "$(took)"
is "$(roles a)/$(roles b)/$(nth a 0 transitions)/$(nth b 1 transitions)" \
	"$before" "case 79: nobody moved"
is "$(sums hmac_fail)/$(sums hmac_key)/$(sums hmac_missing)" 0/0/0 \
	"case 79: nothing was discarded"
ok "hmac: off again" step '{mode: off}'

# --- the same VRID on another link ---
heard=$(nth a 0 adverts_received)
vrrp() { in_ns c "$top/tests/ha/send-vrrp" "$@"; }
all_of_a() { ctl a stats --json | jq '[.V4.discard[]] | add'; }
thrown=$(all_of_a)
vrrp eth1 255 3133ff01000ad8fe0a620064
vrrp eth0 254 31339601000a42ff0a620064
by_ttl() { [ "$(ctl a stats --json | jq .V4.discard.ttl)" -ge 1 ]; }
ok "case 12: one sent to its own link was heard" wait_for 5 by_ttl
is "$(nth a 0 adverts_received)" "$heard" \
	"case 12: one sent to another link was not"
is "$(all_of_a)" $((thrown + 1)) \
	"case 12: not even thrown away"
is "$(roles a)" "MASTER MASTER" "case 12: the role stays"
# --- another source address ---
for n in a b; do in_ns $n sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
done
before=$(nth a 0 transitions)/$(nth b 0 transitions)
ip -n "$ns-a" addr add 10.98.0.111/25 dev eth0
ip -n "$ns-a" addr del 10.98.0.11/24 dev eth0
ok "case 69: the source is the next address" \
	wait_for 3 nth_is a 0 source 10.98.0.111
ok "case 69: b knows it by that" wait_for 3 nth_is b 0 master 10.98.0.111
is "$(nth a 0 transitions)/$(nth b 0 transitions)" "$before" \
	"case 69: nobody moved"
is "$(ctl b stats --json | jq .V4.discard.checksum)" 0 \
	"case 69: its checksum is right"
# Equal priorities: of two masters the higher address stays, which is a's only
# as it is now.
group_conf b 11 253 254 > "$work/b/ha.yaml"
ok "case 69: equal priorities" ctl b reload
in_ns b nft add rule inet t in meta l4proto 112 drop
ok "case 69: unheard, b leads too" wait_for 5 roles_are b "MASTER MASTER"
before=$(nth a 0 transitions)
in_ns b nft flush chain inet t in
tied() { nth_is b 0 role BACKUP && nth_is a 0 role MASTER; }
ok "case 69: heard again: the tie-break knows the new address" wait_for 5 tied
is "$(nth b 0 reason)" tie "case 69: b yields by its address"
is "$(nth a 0 transitions)" "$before" "case 69: a does not move"
group_conf b 11 253 > "$work/b/ha.yaml"
ok "case 69: priorities as before" ctl b reload
ok "case 69: a leads both" wait_for 5 roles_are a "MASTER MASTER"
ok "case 69: b leads none" wait_for 5 roles_are b "BACKUP BACKUP"
ip -n "$ns-a" addr add 10.98.0.11/24 dev eth0
ip -n "$ns-a" addr del 10.98.0.111/25 dev eth0
ok "case 69: and back" wait_for 3 nth_is b 0 master 10.98.0.11

# --- what is counted ---
gave_up() { grep -q 'fencing: Connection timed out' "$work/a/log"; }
ok "fencing: a program that hangs is ended" wait_for 5 gave_up
in_ns a curl -sf http://127.0.0.1:8086/metrics > "$work/metrics"
like "$(cat "$work/metrics")" 'ispdns_ha_fencing_failed_total 1' \
	"fencing: and counted"
for series in state transitions_total adverts_sent_total \
	adverts_received_total advert_discard_total prio0_sent_total \
	prio0_received_total effective_priority late_reassert_total \
	garp_sent_total split_brain health config_generation \
	addr_restored_total takeover_seconds_bucket timer_late_seconds_bucket
do
	grep -q "^ispdns_ha_$series[{ ]" "$work/metrics" || echo $series
done > "$work/missing"
is "$(cat "$work/missing")" '' "metrics: every series is there"
if command -v promtool > /dev/null; then
	ok "metrics: valid for promtool" sh -c \
		"promtool check metrics < '$work/metrics'"
else
	skip 1 "metrics: no promtool"
fi
like "$(ctl a events)" 'V4: role: MASTER -> FAULT reason=group' \
	"events: transitions with their reason"
like "$(cat "$work/metrics")" \
	'ispdns_ha_transitions_total\{from="MASTER",to="FAULT",reason="group"\} 1' \
	"metrics: transitions have their reason"

# --- 200 addresses ---
many=$({ seq 14 99; seq 120 232; } | sed 's|.*|10.98.0.&/24|' | paste -sd,)
group_conf_many() { # NODE PEER PRIORITY
	group_conf "$@" | sed "s|\\[$vip/24\\]|[$vip/24,$many]|"
}
group_conf_many b 11 253 > "$work/b/ha.yaml"
group_conf_many a 12 254 > "$work/a/ha.yaml"
for n in b a; do ok "case 76: 200 addresses on $n" ctl $n reload; done
count_vips() { ip -n "$ns-$1" -o -4 addr show dev eth0 | wc -l; }
vips_are() { [ "$(count_vips "$1")" = "$2" ]; }
ok "case 76: a has them" wait_for 5 vips_are a 201
garps() { ctl b stats --json | jq .V4.garp_sent_total; }
before=$(garps)
one=$vip vip=10.98.0.232
measure 2 ctl a move
vip=$one
is "$lost" 0 "case 76: they move: the last one loses nothing"
ok "case 76: b has all" wait_for 3 vips_are b 201
ok "case 76: a has none" wait_for 3 vips_are a 1
series() { [ "$(($(garps) - before))" -ge 1000 ]; }
ok "case 76: b announces each of them five times" wait_for 9 series
ok "case 76: back" ctl a take
ok "case 76: a leads" wait_for 5 roles_are a "MASTER MASTER"
ok "case 76: with all of them" wait_for 3 vips_are a 201
ok "case 76: two addresses again" both_reload
ok "case 76: the others are gone" wait_for 5 vips_are a 2

# --- left over from a crash ---
stop_hard a ha
ok "case 57: b leads" wait_for 5 roles_are b "MASTER MASTER"
led_long() { # so that nothing of a's lingers when it is back
	ctl b status --json | jq -e 'all(.instances[]; .since_ms > 2200)' > /dev/null
}
ok "case 57: for longer than 2 s" wait_for 5 led_long
ok "case 57: a has the address still" has_vip a
ip -n "$ns-a" addr add 10.98.0.77/24 dev eth0
ha_start a
swept() { grep -q 'removed addresses left by a crash: count=3' "$work/a/log"; }
ok "case 57: it is removed at the start" wait_for 5 swept
ok "case 57: an address that is not ours is left alone" has_vip a 10.98.0.77
ok "case 57: a leads again" wait_for 5 roles_are a "MASTER MASTER"
foreign() { nth_is b 0 health.foreign_address "$1"; }
ip -n "$ns-b" addr add "$vip/24" dev eth0
ok "case 57: a service address that is not ours: alarm" \
	wait_for 3 foreign true
like "$(ctl b show)" 'alarm: a service address was put there by others' \
	"case 57: shown"
like "$(ctl b events)" "address: $vip is on the link, put there by somebody" \
	"case 57: told"
ok "case 57: it is left alone" has_vip b
ip -n "$ns-b" addr del "$vip/24" dev eth0
ok "case 57: gone: over" wait_for 3 foreign false

# --- an address that is taken off again and again ---
# The times are those of ip(8), which hears of both by netlink.
ip netns exec "$ns-a" chrt -r 10 ip -ts -o monitor address > "$work/monitor" &
monitor=$!
saw() { [ "$(grep -c "$vip/24" "$work/monitor")" -ge "$1" ]; }
has_seen_any() { # it listens by now
	ip -n "$ns-a" addr replace 10.98.0.78/32 dev lo valid_lft 90 \
		preferred_lft 90
	[ -s "$work/monitor" ]
}
ok "ip(8) watches" wait_for 5 has_seen_any
for i in 1 2 3; do
	ip -n "$ns-a" addr del "$vip/24" dev eth0
	ok "case 68: put back, $i" wait_for 2 saw $((2 * i))
done
kill $monitor
best_ms() { # from "Deleted" to the line after it, of the address; the best
	awk -v vip="$vip/24" '
	function us(stamp,   p) {
		split(substr(stamp, 13, 15), p, ":")
		return (p[1] * 3600 + p[2] * 60 + p[3]) * 1e6
	}
	!index($0, vip) { next }
	/Deleted/ { t = us($1); next }
	t { d = us($1) - t; if (best == "" || d < best) best = d; t = 0 }
	END { print best / 1000 }' "$work/monitor"
}
at_most "$(best_ms)" 10 "case 68: within 10 ms, the best of 3"
ip -n "$ns-a" addr del "$vip/24" dev eth0
ok "case 68: the fourth time in 10 s is a fault" \
	wait_for 3 roles_are a "FAULT FAULT"
ok "case 68: b leads" wait_for 3 roles_are b "MASTER MASTER"
like "$(ctl a events)" 'keeps taking it off, giving up' "case 68: alarm"
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
