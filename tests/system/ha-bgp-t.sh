#!/bin/bash
# SPDX-License-Identifier: ISC
# Anycast with real BGP: three frontends, two with BIRD and one with FRR, and a
# router with FRR, all by the shipped examples; a client behind the router asks
# all the time. Routes appear with MED and are used side by side; drain, reload,
# crash of ispdns-ha and its restart lose nothing; a failed frontend is left.
. "$(dirname "$0")/lib.sh"
nodes="f1 f2 f3"
. "$(dirname "$0")/bgp.sh"
bgp_need

has_route() { ip -n "$ns-$1" route show table 201 | grep -q "$vip"; }
no_route() { ! has_route "$1"; }
on_lo() { ip -n "$ns-$1" -o addr show dev lo | grep -qw "$vip"; }
off_lo() { ! on_lo "$1"; }

net_up
bgp_up

# --- routes follow the frontend ---
ok "ispdns-ha is up" wait_for 5 ctl f1 status
not "without a frontend nothing is announced" has_route f1
is "$(field f1 reason)" frontend "and the reason is told"
for n in f1 f2 f3; do fe_start $n; done
ok "then it is" wait_for 5 has_route f1
ok "and the address is on lo" on_lo f1
like "$(ip -n "$ns-f3" route show table local $vip)" "^local $vip dev lo" \
	"or a local route on the one with FRR"
ok "the router has three paths side by side" wait_for 20 hops_are 3
ok "and in IPv6" wait_for 20 hops_are 3 6
is "$(field f3 engine_absent)" false "FRR is seen to run"
for i in 10 11 12; do
	ok "metric is MED: frontend .$i" wait_for 3 med_is $i 100
done
measure true
lost_none "steady"

# --- drain: first the metric and GSHUT, then the withdrawal ---
drain() { # NODE OCTET
	ctl "$1" drain
	wait_for 5 med_is "$2" 1000 || return 1
	path_of "$2" '.community.string' > "$work/gshut"
	path_of "$2" '.aspath.length' > "$work/aspath"
	has_route "$1" && echo yes > "$work/still"
	wait_for 5 unused "$2"
	wait_for 5 no_route "$1" && wait_for 5 gone "$2" &&
		wait_for 5 off_lo "$1"
}
while read -r n o left; do
	rm -f "$work/still"
	measure drain "$n" "$o"
	lost_none "drain $n"
	is "$(cat "$work/gshut")" graceful-shutdown "drain $n: GSHUT"
	is "$(cat "$work/aspath")" 2 "drain $n: a longer path"
	is "$(cat "$work/still")" yes "drain $n: before the route is withdrawn"
	ok "drain $n: withdrawn" gone "$o"
	ok "drain $n: the router uses the others" hops_are "$left"
	ok "drain $n: in IPv6 as well" wait_for 3 hops_are "$left" 6
	is "$(field "$n" reason)" drained "drain $n: the reason"
done << END
f1 10 2
f3 12 1
END
undrain() { ctl f1 undrain && ctl f3 undrain && wait_for 5 hops_are 3; }
measure undrain
lost_none "undrain"
ok "undrain: three again" hops_are 3
ok "undrain: in IPv6 as well" wait_for 5 hops_are 3 6

# --- a change of the metric has no gap ---
change() {
	conf f1 's/metric: 100 /metric: 50 /' > "$work/f1/ha.yaml"
	ctl f1 reload && wait_for 5 med_is 10 50 &&
		conf f1 > "$work/f1/ha.yaml" &&
		ctl f1 reload && wait_for 5 med_is 10 100 && wait_for 5 hops_are 3
}
measure change
lost_none "reload"
ok "reload: as before" hops_are 3
change_addr() {
	conf f1 's|53/32\]|53/32, 198.51.100.54/32]|' > "$work/f1/ha.yaml"
	ctl f1 reload
}
ok "reload: one more address" change_addr
has_54() { ip -n "$ns-f1" route show table 201 | grep -q 100.54; }
ok "reload: its route is there" wait_for 3 has_54
conf f1 > "$work/f1/ha.yaml"
ok "reload: one less" ctl f1 reload
not "reload: its route is gone at once" has_54
ok "reload: its address lingers" \
	in_ns f1 sh -c "ip -o addr show dev lo | grep -q 100.54"
no_54() { ! ip -n "$ns-f1" -o addr show dev lo | grep -q 100.54; }
ok "reload: and is gone then" wait_for 5 no_54

# --- ispdns-ha dies: routes stay, the next one takes them in ---
crash() {
	stop_hard f1 ha
	has_route f1 && on_lo f1 && echo yes > "$work/static"
	ip netns exec "$ns-f1" env SERVICE_RESULT=signal \
		"$top/ispdns-ha" --cleanup
	has_route f1 && on_lo f1 && echo yes > "$work/static2"
	ha_start f1
	wait_for 5 is_field f1 reason healthy
}
measure crash
lost_none "crash and restart"
is "$(cat "$work/static")" yes "crash: route and address stay"
is "$(cat "$work/static2")" yes "crash: also past the cleanup of systemd"
ok "restart: the router uses all" hops_are 3
unlike "$(ctl f1 events)" withdrawn "restart: the route was taken in"
stop_hard f1 ha
ip -n "$ns-f1" route add blackhole 198.51.100.77 table 201 proto 201
ip -n "$ns-f1" route add blackhole 198.51.100.78 table 201
ha_start f1
ok "a route left by another time is removed" \
	wait_for 3 sh -c "! ip -n $ns-f1 route show table 201 | grep -q 100.77"
ok "one that is not ours stays" sh -c \
	"ip -n $ns-f1 route show table 201 | grep -q 100.78"
ok "started" wait_for 5 is_field f1 reason healthy

# --- a restart: routes and addresses stay where they are ---
gone_now() { ! kill -0 "$(pid "$1" ha)" 2>/dev/null; }
restart() { # COMMAND...: ends it; then as systemd does
	"$@" && wait_for 5 gone_now f1
	has_route f1 && on_lo f1 && med_is 10 100 && echo yes > "$work/stays"
	ip netns exec "$ns-f1" env SERVICE_RESULT=success \
		"$top/ispdns-ha" --cleanup "$work/f1/role"
	has_route f1 && on_lo f1 && echo yes > "$work/stays2"
	ha_start f1
	wait_for 5 is_field f1 reason healthy
}
by_systemd() { ctl f1 stay && kill "$(pid f1 ha)"; }
for how in "ctl f1 restart" by_systemd; do
	rm -f "$work"/stays*
	ip -n "$ns-f1" monitor route > "$work/monitor" &
	monitor=$!
	measure restart $how
	kill $monitor
	lost_none "restart ($how)"
	is "$(cat "$work/stays")" yes "restart ($how): the route stays"
	is "$(cat "$work/stays2")" yes "restart ($how): past the cleanup too"
	unlike "$(cat "$work/monitor")" 'table 201' \
		"restart ($how): BIRD saw nothing of it"
	ok "restart ($how): the router uses all" hops_are 3
done

# --- behind our back ---
ip -n "$ns-f1" route del blackhole $vip table 201
ok "a route taken off is put back" wait_for 3 has_route f1
ip -n "$ns-f1" addr del $vip/32 dev lo
ok "an address taken off is put back" wait_for 3 on_lo f1
at_least "$(field f1 restored)" 2 "and both are counted"
ok "the router has it" wait_for 5 hops_are 3

# --- the frontend fails ---
fail_one() {
	local t0
	t0=$(ms_now)
	stop_hard f2 fe
	while uses 11 || uses 11 6; do
		[ $(($(ms_now) - t0)) -lt 5000 ] || return 1
	done
	withdrawn_ms=$(($(ms_now) - t0))
}
measure fail_one
diag "crash of a frontend: $lost of 1000/s lost, $lost6 in IPv6;" \
	"router moved after $withdrawn_ms ms"
at_most "$withdrawn_ms" 2000 "crash of a frontend: left, in ms"
at_most "$lost" 700 "crash of a frontend: queries lost"
at_most "$lost6" 700 "crash of a frontend: queries lost in IPv6"
ok "its route is gone" no_route f2
ok "its address goes later" wait_for 5 off_lo f2
ok "it is gone in IPv6 as well" wait_for 5 hops_are 2 6
fe_start f2
ok "it comes back when it was well for a while" wait_for 15 hops_are 3
kill -TERM "$(pid f2 bird)"
wait "$(pid f2 bird)"
ok "without BIRD the router leaves it" wait_for 5 unused 11
ok "ispdns-ha says so" wait_for 5 is_field f2 engine_absent true
ok "and keeps the route" has_route f2
bird_start f2
ok "until BIRD is there again" wait_for 5 is_field f2 engine_absent false

# --- a link dies and nobody is told: BFD, or the hold time ---
silent() {
	local t0
	t0=$(ms_now)
	ip -n "$ns-r" link set vf2 nomaster
	until ! uses 11; do
		[ $(($(ms_now) - t0)) -lt 8000 ] || break
	done
	silent_ms=$(($(ms_now) - t0))
}
bfd_up() { router -c 'show bfd peers json' |
	jq -e '.[] | select(.peer == "192.0.2.11" and .status == "up")'; }
hold_is() { router -c 'show bgp neighbors 192.0.2.11 json' |
	jq -e ".[\"192.0.2.11\"].bgpTimerHoldTimeMsecs == $1"; }
ok "BIRD is back" wait_for 10 uses 11
sed -i 's/^#\(protocol bfd.*\|\tinterface .*\|}\)$/\1/; s/^#\(\tbfd on;\)/\1/' \
	"$work/f2/bird.conf"
like "$(in_ns f2 birdc -s "$work/f2/bird.ctl" configure)" Reconfigured \
	"bird.conf with BFD"
router_set 'neighbor 192.0.2.11 bfd 3 50 50'
ok "BFD is up" wait_for 15 bfd_up
ok "with BGP" wait_for 15 uses 11
silent
bfd_ms=$silent_ms
# The next session has a hold time of 3 s, and no BFD.
router_set 'no neighbor 192.0.2.11 bfd' 'neighbor 192.0.2.11 timers 1 3'
ip -n "$ns-r" link set vf2 master br0
ok "and is used again when it is back" wait_for 20 uses 11
ok "without BFD the hold time counts" hold_is 3000
not "and BFD does not" bfd_up
silent
diag "a silent link: left after $bfd_ms ms by BFD," \
	"$silent_ms ms by the hold time of 3000"
at_least "$silent_ms" 1500 "no sooner than keepalives are missed, in ms"
at_most "$silent_ms" 4500 "no later than the hold time ends"
at_most "$bfd_ms" 1000 "BFD is well below"
ip -n "$ns-r" link set vf2 master br0
router_set 'neighbor 192.0.2.11 timers 3 9'
ok "and is used again when it is back" wait_for 30 uses 11

# --- the end ---
end() { kill "$(pid f1 ha)"; wait "$(pid f1 ha)"; }
ok "all are used" wait_for 30 hops_are 3
ok "and in IPv6" wait_for 30 hops_are 3 6
measure end
lost_none "SIGTERM"
ok "SIGTERM: no route is left" no_route f1
ok "SIGTERM: no address is left" off_lo f1
ok "BIRD is back" wait_for 10 uses 11
stop_hard f2 ha
like "$(in_ns f2 "$top/ispdns-ha" --cleanup)" \
	'^2 routes, 2 addresses removed' "--cleanup removes what a crash left"
ok "--cleanup: the route" no_route f2
ok "--cleanup: the address" off_lo f2
ok "--cleanup: the router has one path" wait_for 5 hops_are 1

# --- what needs no router to be seen ---
two() { # FIRST-ADDRESS SECOND-ADDRESS [NAME]: metrics 100 and 50
	cat > "$work/f2/ha.yaml" << END2
anycast:
  ${3:-dns}: {addresses: [198.51.100.$1/32], last_man: true}
  other: {addresses: [198.51.100.$2/32], metric: 50}
health: {socket: $work/f2/health, probe: {port: ${probe:-53}}}
END2
}
metric_of() { ip -n "$ns-f2" route show table 201 |
	sed -n "s/.*100\.$1 .*metric \([0-9]*\).*/\1/p" | xargs; }
metric_is() { [ "$(metric_of "$1")" = "$2" ]; }
two 53 54
ha_start f2
ok "two services" wait_for 5 metric_is 54 50
ip -n "$ns-f2" monitor route > "$work/monitor" &
monitor=$!
two 53 54 new
ok "one has a new name" ctl f2 reload
is "$(metric_of 53) $(metric_of 54)" "100 50" "its route is the same"
kill -USR1 "$(pid f2 fe)"
ok "a frontend that drains" wait_for 3 metric_is 53 1000
kill -HUP "$(pid f2 fe)"
ok "and back" wait_for 3 metric_is 53 100
kill $monitor
is "$(grep -c '53 table 201.*metric 100 $' "$work/monitor")" 2 \
	"the new name touched no route, only the drain did: off and on"
two 54 53
ok "the addresses change places" ctl f2 reload
ok "each has the other's metric" wait_for 3 metric_is 53 50
ok "both have" metric_is 54 100
ok "both are on lo" on_lo f2
kill -USR2 "$(pid f2 fe)"
ok "all failed: withdrawn" wait_for 3 metric_is 53 ""
ok "unless last_man is set" wait_for 3 metric_is 54 1000
kill -HUP "$(pid f2 fe)"
probe=54
two 53 54
ok "the probe asks where nobody answers" ctl f2 reload
ok "so the route goes" wait_for 15 is_field f2 metric 1000
ok "for that reason" wait_for 15 sh -c \
	"'$top/ispdns-ha' --control '$work/f2/ctl' show |
		grep -q '^other: withdrawn.*(probe)'"
ok "the address stays to be asked again" on_lo f2
probe=53
two 53 54
ok "it is asked where somebody does" ctl f2 reload
ok "the route comes back" wait_for 15 metric_is 54 50

# --- the addresses of a virtual router, routed by its master ---
{
	echo 'instances:'
	echo '  VI: {interface: eth0, vrid: 9, addresses: [192.0.2.99/24]}'
	sed 's/^anycast:/&\n  vip: {instance: VI, metric: 7}/' "$work/f3/ha.yaml"
} > "$work/f3/next.yaml"
mv "$work/f3/next.yaml" "$work/f3/ha.yaml"
ok "with a virtual router" ctl f3 reload
vip_is() { ctl f3 status --json |
	jq -e ".anycast[] | select(.name == \"vip\") | .reason == \"$1\""; }
vip_route() { ip -n "$ns-f3" route show table 201 |
	grep -q '192.0.2.99 proto 201 metric 7'; }
ok "its master routes its address" wait_for 5 vip_is healthy
ok "with the metric" vip_route
not "not on lo" in_ns f3 sh -c "ip addr show dev lo | grep -q 192.0.2.99"
ip -n "$ns-f3" link set eth0 down
ok "who is not master does not" wait_for 5 vip_is role
not "and has no route" vip_route
in_ns f3 curl -sf http://127.0.0.1:8086/metrics > "$work/metrics"
like "$(cat "$work/metrics")" \
	'^ispdns_ha_route_announced\{name="dns",af="ipv4"\} 1' "metrics"
like "$(ctl f3 show)" '^dns: announced, metric 100' "show"
unlike "$(grep -h 'error: ' "$work"/f?/log | grep ispdns)" . "no error logged"
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
