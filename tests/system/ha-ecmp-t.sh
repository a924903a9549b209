#!/bin/bash
# SPDX-License-Identifier: ISC
# Two anycast frontends that a router uses side by side, one with BIRD and one
# with FRR: when one dies only its own flows lose anything, in IPv4 and IPv6; a
# frontend that flaps 20 times is at most 3 updates at the router, and is used
# again when it stays well.
. "$(dirname "$0")/lib.sh"
nodes="f1 f3"
. "$(dirname "$0")/bgp.sh"
bgp_need
need dig
declare -A family=([4]=IPv4 [6]=IPv6)

# --- flows: each is a client's port, and stays with one frontend ---
# with_flows COMMAND...: 64 flows of each family while it runs; then
# $work/flows4 and flows6 have PORT FIRST LAST SENT LOST of each. A frontend
# says its octet's last digit (f1: 0, f3: 2) plus 1 as RCODE.
with_flows() {
	local four six
	in_ns c "$top/tests/ha/flow-client" $vip 64 > "$work/flows4" &
	four=$!
	in_ns c "$top/tests/ha/flow-client" $vip6 64 > "$work/flows6" &
	six=$!
	sleep 0.3 # some answers before and after; nothing is waited for
	"$@" > "$work/measured" 2>&1 || diag "$(cat "$work/measured")"
	sleep 0.3
	ip netns pids "$ns-c" | xargs -r kill
	wait $four $six
}
declare -A rcode=([f1]=1 [f3]=3)
# Of the flows whose first answer came from NODE: how many, queries lost.
count_of() { # 4|6 NODE
	awk -v r="${rcode[$2]}" '$2 == r { n++ } END { print n + 0 }' \
		"$work/flows$1"
}
lost_of() { # 4|6 NODE
	awk -v r="${rcode[$2]}" '$2 == r { n += $5 } END { print n + 0 }' \
		"$work/flows$1"
}
# Whose last answer came from another one than the first.
moved_of() { # 4|6 NODE
	awk -v r="${rcode[$2]}" '$2 == r && $3 != r { n++ } END { print n + 0 }' \
		"$work/flows$1"
}

net_up
bgp_up

# --- the real frontend, which is reached by local routes only ---
cat > "$work/f3/frontend.yaml" << END
listen: ["0.0.0.0:53", "[::]:53"]
acl: {allow: [127.0.0.0/8], action: refuse}
default_pool: rec
pools: {rec: {backends: [{name: none, address: "192.0.2.250:53"}]}}
ha: {socket: $work/f3/health}
END
ip netns exec "$ns-f3" "$top/ispdns-frontend" \
	--config "$work/f3/frontend.yaml" --control "$work/f3/fe.ctl" \
	>> "$work/f3/log" 2>&1 &
echo $! > "$work/f3/fe.pid"
ok "the router has a path" wait_for 20 hops_are 1
ok "and in IPv6" wait_for 20 hops_are 1 6
asked() { in_ns c dig +tries=1 +time=2 "$@" . NS; }
for how in "@$vip +notcp" "@$vip +tcp" "@$vip6 +notcp" "@$vip6 +tcp"; do
	like "$(asked $how)" 'status: REFUSED' "the frontend answers: $how"
done
kill "$(pid f3 fe)"
wait "$(pid f3 fe)"

# A new ispdns-ha knows no failure, so its first hold is the shortest one; it
# takes in the routes that are there.
no_ha() { ! kill -0 "$(pid "$1" ha)" 2>/dev/null; }
ha_anew() { # NODE
	ctl "$1" restart && wait_for 5 no_ha "$1" && ha_start "$1" &&
		wait_for 5 ctl "$1" status
}
ok "ispdns-ha starts anew" ha_anew f3
for n in $nodes; do fe_start $n "${rcode[$n]}"; done
ok "the router has two paths side by side" wait_for 20 hops_are 2
ok "and in IPv6" wait_for 20 hops_are 2 6

# --- a machine that stands still ---
# Frontends are killed here and say what they are, but are never silent. Where
# one was, this machine stood still (see ha-t.sh, case 75), and what was seen
# meanwhile says nothing: again, at most twice.
silences() { cat "$work"/f?/log | grep -c 'cause=silence'; }
calmly() { # COMMAND...
	local before i
	for i in 1 2 3; do
		before=$(silences)
		"$@"
		[ "$(silences)" != "$before" ] || return 0
		diag "a frontend was silent, since this machine stood still"
	done
}
fe_runs() { kill -0 "$(pid "$1" fe)" 2>/dev/null; }
up() { # NODE
	if fe_runs "$1"; then
		kill -HUP "$(pid "$1" fe)" # says ok
	else
		fe_start "$1" "${rcode[$1]}"
	fi
	wait_for 30 hops_are 2 && wait_for 30 hops_are 2 6
}
down() { # NODE
	! fe_runs "$1" || stop_hard "$1" fe
	wait_for 5 unused "$(octet "$1")" &&
		wait_for 5 unused "$(octet "$1")" 6
}

calmly with_flows true
for f in 4 6; do
	is "$(awk '{ n += $5 } END { print n }' "$work/flows$f")" 0 \
		"steady: no flow of ${family[$f]} loses anything"
	for n in $nodes; do
		at_least "$(count_of $f $n)" 8 \
			"flows of ${family[$f]} with $n"
		is "$(moved_of $f $n)" 0 "and all stay with it"
	done
done

# --- one dies: only its own flows lose ---
goes() { up f1 && up f3 && with_flows down "$1"; }
returns() { down "$1" && with_flows up "$1"; }
while read -r n other; do
	calmly goes "$n"
	for f in 4 6; do
		diag "$n dies, ${family[$f]}: $(lost_of $f "$n") lost by its" \
			"$(count_of $f "$n") flows, $(lost_of $f "$other") by" \
			"the $(count_of $f "$other") of $other"
		at_least "$(count_of $f "$n")" 8 \
			"$n dies: it had flows of ${family[$f]}"
		is "$(lost_of $f "$other")" 0 \
			"$n dies: flows of $other lose nothing"
		is "$(moved_of $f "$other")" 0 "and stay with it"
		is "$(moved_of $f "$n")" "$(count_of $f "$n")" \
			"$n dies: its flows all move to $other"
		at_most "$(lost_of $f "$n")" 400 \
			"$n dies: lost of its 500 queries a second"
	done
	calmly returns "$n"
	ok "$n is used again" wait_for 30 hops_are 2
	for f in 4 6; do
		is "$(awk '{ n += $5 } END { print n }' "$work/flows$f")" 0 \
			"$n is back: nothing is lost in ${family[$f]}"
	done
done << END
f1 f3
f3 f1
END

# --- a frontend that flaps ---
neighbour() { # NODE 4|6
	[ "$2" = 4 ] && echo "192.0.2.$(octet "$1")" ||
		echo "2001:db8:0:1::$(octet "$1")"
}
# UPDATE messages that the router got of it: there is one prefix for each
# peering, so each is about that one.
updates() { # NODE 4|6
	router -c "show bgp neighbors $(neighbour "$@") json" |
		jq '.[].messageStats.updatesRecv'
}
frontend_is() { is_field "$1" frontend "$2"; }
# Each way of being bad: how it begins, what ispdns-ha sees then, how it ends,
# what it sees then.
dies() { stop_hard "$1" fe; }
starts() { fe_start "$1" "${rcode[$1]}"; }
says_degraded() { kill -ALRM "$(pid "$1" fe)"; }
says_ok() { kill -HUP "$(pid "$1" fe)"; }
flips=0
flap() { # NODE BEGINS BAD ENDS GOOD: 20 flips, each as soon as judged
	local i
	flips=0
	for i in $(seq 10); do
		"$2" "$1"
		wait_for 5 frontend_is "$1" "$3" || return 1
		flips=$((flips + 1))
		"$4" "$1"
		wait_for 5 frontend_is "$1" "$5" || return 1
		flips=$((flips + 1))
	done
	wait_for 15 is_field "$1" reason healthy &&
		wait_for 5 med_is "$(octet "$1")" 100 &&
		wait_for 5 hops_are 2 && wait_for 5 hops_are 2 6
}
flaps() { # NODE BEGINS BAD ENDS GOOD
	local n=$1 before4 before6 monitor
	up f1 && up f3 && ha_anew "$n" &&
		wait_for 5 is_field "$n" reason healthy || return
	before4=$(updates "$n" 4) before6=$(updates "$n" 6)
	ip -n "$ns-r" monitor route > "$work/monitor" &
	monitor=$!
	measure flap "$@"
	kill $monitor
	got4=$(($(updates "$n" 4) - before4)) got6=$(($(updates "$n" 6) - before6))
	kernel=$(grep -c "$vip .*proto bgp\|Deleted .*$vip" "$work/monitor")
}
while read -r n name begins bad ends good; do
	flips=0 got4= got6= kernel= lost= lost6=
	calmly flaps "$n" "$begins" "$bad" "$ends" "$good"
	diag "$n $name: $got4 updates in IPv4, $got6 in IPv6, $kernel changes" \
		"in the router's kernel; $lost and $lost6 of 1000/s lost"
	is "$flips" 20 "$n $name: 20 flips were seen"
	at_least "$got4" 2 "$n $name: the router heard of it"
	at_most "$got4" 3 "$n $name: updates at the router"
	at_most "$got6" 3 "$n $name: updates in IPv6"
	at_most "$kernel" 3 "$n $name: changes of the route in its kernel"
	if [ "$begins" = dies ]; then
		at_most "$lost" 700 "$n $name: queries lost"
		at_most "$lost6" 700 "$n $name: queries lost in IPv6"
	else
		lost_none "$n $name"
	fi
	ok "$n $name: used again when it stays well" wait_for 30 hops_are 2
done << END
f1 dies dies failed starts held
f1 degrades says_degraded degraded says_ok ok
f3 degrades says_degraded degraded says_ok ok
END
unlike "$(grep -h 'error: ' "$work"/f?/log | grep ispdns)" . "no error logged"
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
