# SPDX-License-Identifier: ISC
# bgp.sh: frontends behind a router that speaks BGP, for tests of anycast.
# Source it after lib.sh, with `nodes` set. Everything lives in network
# namespaces of this test: N-r (router with FRR), N-f1 and N-f2 (frontends with
# BIRD), N-f3 (one with FRR), N-c (client behind the router).
#
#	bgp_need             skips the test where something is missing
#	net_up; bgp_up       links; the shipped examples, ispdns-ha in `nodes`
#	fe_start NODE [RCODE]; ha_start NODE; bird_start NODE
#	ctl NODE VERB ...; field NODE NAME; octet NODE
#	hops_are COUNT [6]   next hops of the address in the router's kernel
#	uses OCTET [6]       is that frontend one of them?
#	measure COMMAND...   sets $lost and $lost6
nodes=${nodes:-f1 f2 f3}
frr=/usr/lib/frr
top=$ISPDNS_BUILDDIR
ns=bgp$$
vip=198.51.100.53
vip6=2001:db8:53::53

bgp_need() {
	need_root
	need ip jq bird vtysh chrt
	[ -x $frr/bgpd ] || skip_all "no FRR here"
	unshare -n true 2>/dev/null || skip_all "no network namespaces here"
	[ -x "$top/ispdns-ha" ] || bail "run make first"
}

in_ns() { ip netns exec "$ns-$1" "${@:2}"; }
octet() { echo $((9 + ${1#f})); }

# Daemons of this test only: by their namespaces.
bgp_cleanup() {
	local status=$? n
	if [ "$tap_failed" -gt 0 ]; then
		tail -n 25 "$work"/*/log | sed 's/^/# /'
	fi
	for n in c $nodes r; do
		ip netns pids "$ns-$n" 2>/dev/null | xargs -r kill -9
		ip netns del "$ns-$n" 2>/dev/null
	done
	(exit "$status")
	lab_cleanup
}
trap bgp_cleanup EXIT

# --- a router with a bridge to the frontends, a client behind it ---
add_host() { # NAME
	ip netns add "$ns-$1" || bail "no network namespaces"
	ip -n "$ns-$1" link set lo up
	in_ns "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
		net.ipv6.conf.default.accept_dad=0
	mkdir -p "$work/$1"
}

add_frontend() { # NODE
	local i
	i=$(octet "$1")
	ip -n "$ns-r" link add "v$1" type veth peer name eth0 netns "$ns-$1"
	ip -n "$ns-r" link set "v$1" master br0 up
	ip -n "$ns-$1" link set eth0 up
	ip -n "$ns-$1" addr add "192.0.2.$i/24" dev eth0
	ip -n "$ns-$1" addr add "2001:db8:0:1::$i/64" dev eth0 nodad
	ip -n "$ns-$1" route add default via 192.0.2.1
	ip -n "$ns-$1" route add default via 2001:db8:0:1::1
	ip -n "$ns-$1" -j -6 addr show dev eth0 scope link |
		jq -r '.[].addr_info[]?.local' > "$work/$1/local"
}

add_client() {
	local i
	ip -n "$ns-r" link add vc type veth peer name eth0 netns "$ns-c"
	ip -n "$ns-r" link set vc up
	ip -n "$ns-r" addr add 203.0.113.1/24 dev vc
	ip -n "$ns-r" addr add 2001:db8:0:2::1/64 dev vc nodad
	ip -n "$ns-c" link set eth0 up
	for i in $(seq 10 25); do
		ip -n "$ns-c" addr add "203.0.113.$i/24" dev eth0
		ip -n "$ns-c" addr add "2001:db8:0:2::$i/64" dev eth0 nodad
	done
	ip -n "$ns-c" route add default via 203.0.113.1
	ip -n "$ns-c" route add default via 2001:db8:0:2::1
}

net_up() {
	local n
	for n in r $nodes c; do add_host "$n"; done
	in_ns r sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 \
		net.ipv4.fib_multipath_hash_policy=1 \
		net.ipv6.fib_multipath_hash_policy=1
	# Of its own MAC: else it is that of a port, and changes with the ports.
	ip -n "$ns-r" link add br0 address 02:00:00:00:00:01 type bridge \
		mcast_snooping 0
	ip -n "$ns-r" link set br0 up
	ip -n "$ns-r" addr add 192.0.2.1/24 dev br0
	ip -n "$ns-r" addr add 2001:db8:0:1::1/64 dev br0 nodad
	for n in $nodes; do add_frontend "$n"; done
	add_client
}

# --- daemons ---
# A route of IPv6 that changes is replaced, not deleted and added.
frr_start() { # HOST FILE
	local d=$work/$1
	chmod 711 "$work" # FRR leaves root behind
	chown frr:frr "$d"
	in_ns "$1" $frr/zebra --v6-rr-semantics -f /dev/null -z "$d/z" \
		-i "$d/zebra.pid" --vty_socket "$d" -P 0 >> "$d/log" 2>&1 &
	wait_for 5 test -S "$d/zebra.vty" || bail "zebra does not start"
	in_ns "$1" $frr/bgpd -f /dev/null -z "$d/z" -i "$d/bgpd.pid" \
		--vty_socket "$d" -P 0 >> "$d/log" 2>&1 &
	wait_for 5 test -S "$d/bgpd.vty" || bail "bgpd does not start"
	in_ns "$1" $frr/bfdd -f /dev/null -z "$d/z" -i "$d/bfdd.pid" \
		--vty_socket "$d" --bfdctl "$d/bfdd.sock" >> "$d/log" 2>&1 &
	wait_for 5 test -S "$d/bfdd.vty" || bail "bfdd does not start"
	vtysh --vty_socket "$d" -f "$2" >> "$d/log" 2>&1
}

bird_start() { # HOST
	ip netns exec "$ns-$1" bird -f -c "$work/$1/bird.conf" \
		-s "$work/$1/bird.ctl" >> "$work/$1/log" 2>&1 &
	echo $! > "$work/$1/bird.pid"
}

conf() { # HOST [SED SCRIPT]: of both families
	local socket=$work/$1/bird.ctl
	[ "$1" != f3 ] || socket=$work/$1/bgpd.vty
	sed -e "s|engine: bird.*|engine: bird\n    engine_socket: $socket|" \
		-e "s|^node:.*|node: $1|" \
		-e "s|^  socket:.*|  socket: $work/$1/health|" \
		-e 's|drain_time:.*|drain_time: 1500ms|' \
		-e 's|linger:.*|linger: 1s|' \
		-e "s|\[\"\(.*\)\"\]|[\"\1\"]\n    drain_time: 1500ms\n    linger: 1s\n    engine_socket: $socket|" \
		"$srcdir/deploy/examples/ha-anycast.yaml" |
		sed "${2:-}"
}

ha_start() { # NODE
	ip netns exec "$ns-$1" "$top/ispdns-ha" --config "$work/$1/ha.yaml" \
		--control "$work/$1/ctl" >> "$work/$1/log" 2>&1 &
	echo $! > "$work/$1/ha.pid"
}

# In real time: what a starved frontend looks like is another test's question.
fe_start() { # NODE [RCODE]
	chrt -f 20 ip netns exec "$ns-$1" "$top/tests/ha/fake-frontend" \
		"$work/$1/health" 53 ${2:+"$2"} >> "$work/$1/log" 2>&1 &
	echo $! > "$work/$1/fe.pid"
}

engine_up() { # NODE
	local i
	i=$(octet "$1")
	if [ "$1" = f3 ]; then
		sed "s/192\.0\.2\.10/192.0.2.$i/" \
			"$srcdir/deploy/examples/frr.conf" > "$work/f3/frr.conf"
		frr_start f3 "$work/f3/frr.conf"
		conf f3 's/engine: bird/engine: frr/
			/"2001:/a\    engine: frr\n    table: 254' \
			> "$work/f3/ha.yaml"
		return
	fi
	sed "s/192\.0\.2\.10/192.0.2.$i/; s/:1::10/:1::$i/
		s/^log syslog.*/log stderr all;/" \
		"$srcdir/deploy/examples/bird.conf" > "$work/$1/bird.conf"
	bird_start "$1"
	conf "$1" > "$work/$1/ha.yaml"
}

bgp_up() {
	local n
	cp "$srcdir/deploy/examples/frr-router.conf" "$work/r/frr.conf"
	frr_start r "$work/r/frr.conf"
	for n in $nodes; do engine_up "$n"; done
	for n in $nodes; do ha_start "$n"; done
}

pid() { cat "$work/$1/$2.pid"; }
stop_hard() { kill -9 "$(pid "$1" "$2")"; wait "$(pid "$1" "$2")" 2>/dev/null
	true; }
ctl() { "$top/ispdns-ha" --control "$work/$1/ctl" "${@:2}"; }
field() { ctl "$1" status --json 2>/dev/null | jq -r ".anycast[0].$2"; }
is_field() { [ "$(field "$1" "$2")" = "$3" ]; }

# --- the router ---
router() { vtysh --vty_socket "$work/r" "$@"; }
router_set() { # LINE...: below `router bgp`
	local line args=()
	for line; do args+=(-c "$line"); done
	router -c 'configure terminal' -c 'router bgp 65000' "${args[@]}"
}

# What it believes of one frontend (last octet): .metric, ...
path_of() { # OCTET JQ
	router -c "show bgp ipv4 unicast $vip/32 json" 2>/dev/null |
		jq -r ".paths[]? | select(.peer.peerId == \"192.0.2.$1\") | $2"
}
med_is() { [ "$(path_of "$1" .metric)" = "$2" ]; }
gone() { [ -z "$(path_of "$1" .metric)" ]; }

# What it does: next hops in its kernel.
routes() { # [6]
	if [ "${1:-4}" = 4 ]; then
		ip -n "$ns-r" -4 route show $vip proto bgp
	else
		ip -n "$ns-r" -6 route show $vip6 proto bgp
	fi
}
hops() { routes "$@" | grep -c 'via '; }
hops_are() { [ "$(hops "${2:-4}")" = "$1" ]; }
# In IPv6 they are link-local addresses.
uses() { # OCTET [6]
	local hop=192.0.2.$1
	[ "${2:-4}" = 4 ] || hop=$(cat "$work/f$(($1 - 9))/local")
	routes "${2:-4}" | grep -qF "via $hop "
}
unused() { ! uses "$@"; }

# measure COMMAND...: clients of both families ask 1000 times a second each
# from before it until 300 ms after; sets $lost and $lost6.
sources() { # PREFIX
	seq -s, -f "$1%g" 10 25
}
client() { # FAMILY PREFIX ADDRESS
	in_ns c "$top/ispdns-lab-client" --seconds 30 --timeout-ms 1000 \
		--source "$(sources "$2")" "$3" > "$work/client$1.json" &
}
measure() {
	local four six
	client 4 203.0.113. $vip
	four=$!
	client 6 2001:db8:0:2:: $vip6
	six=$!
	sleep 0.2 # the clients' lead and tail; nothing is waited for
	"$@" > "$work/measured" 2>&1 || diag "$(cat "$work/measured")"
	sleep 0.3
	ip netns pids "$ns-c" | xargs -r kill
	wait $four $six
	lost=$(jq .lost "$work/client4.json")
	lost6=$(jq .lost "$work/client6.json")
}
lost_none() { # DESCRIPTION: in either family
	is "$lost $lost6" "0 0" "$1: nothing is lost, IPv4 and IPv6" ||
		diag "$(jq -c '[.lost, .longest_gap_ms, .gap_at_ms]' \
			"$work"/client?.json)"
}
ms_now() { echo $(($(date +%s%N) / 1000000)); }
