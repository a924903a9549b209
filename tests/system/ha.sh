# SPDX-License-Identifier: ISC
# ha.sh: nodes and clients on bridges, for tests of ispdns-ha. Source it after
# lib.sh. Everything lives in network namespaces of this test.
#
#	net_up             namespaces N-a, N-b (nodes), N-c (client), N-br
#	net_up_far         the same with a second bridge, joined to the first
#	                   by a trunk, and N-d (client): b and d are there
#	conf NODE [KEY=VALUE ...] > FILE
#	ha_start NODE; fe_start NODE; ctl NODE VERB ...; role NODE
#	ka_start NODE      keepalived with $work/NODE/ka.conf
#	measure SECONDS COMMAND...   sets $lost and $gap
ns=ha$$
declare -A octets=([a]=11 [b]=12 [c]=13 [d]=14)
vip=10.98.0.100
vip6=fd98::100
top=$ISPDNS_BUILDDIR
ha_program=$top/ispdns-ha
keepalived=${ISPDNS_KEEPALIVED:-$(command -v keepalived ||
	echo /usr/sbin/keepalived)}

in_ns() { ip netns exec "$ns-$1" "${@:2}"; }

add_node_link() { # NODE [BRIDGE]
	local i=${octets[$1]}
	ip -n "$ns-br" link add "v$1" type veth peer name eth0 netns "$ns-$1"
	ip -n "$ns-br" link set "v$1" master "${2:-br0}" up
	in_ns "$1" sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	ip -n "$ns-$1" link set eth0 up
	ip -n "$ns-$1" addr add "10.98.0.$i/24" dev eth0
	ip -n "$ns-$1" addr add "fd98::$i/64" dev eth0 nodad
}

add_bridge() { # NAME
	ip -n "$ns-br" link add "$1" type bridge mcast_snooping 0
	ip -n "$ns-br" link set "$1" up
}

add_ns() { # NAME...
	local n
	for n; do
		ip netns add "$ns-$n" || bail "no network namespaces"
		ip -n "$ns-$n" link set lo up
		mkdir -p "$work/$n"
	done
}

net_up() {
	local n
	add_ns br a b c
	add_bridge br0
	for n in a b c; do add_node_link "$n"; done
}

net_up_far() {
	add_ns br a b c d
	add_bridge br0
	add_bridge br1
	ip -n "$ns-br" link add t0 type veth peer name t1
	ip -n "$ns-br" link set t0 master br0 up
	ip -n "$ns-br" link set t1 master br1 up
	add_node_link a
	add_node_link c
	add_node_link b br1
	add_node_link d br1
}

net_down() {
	local n
	[ ${#hogs[@]} -eq 0 ] || hogs_stop
	for n in a b c d br; do
		ip netns pids "$ns-$n" 2>/dev/null | xargs -r kill -9
		ip netns del "$ns-$n" 2>/dev/null
	done
}

ha_cleanup() {
	local status=$?
	if [ "$tap_failed" -gt 0 ]; then
		for n in a b; do
			diag "--- $n"
			tail -n 30 "$work/$n/log" 2>/dev/null | sed 's/^/# /'
		done
		tail -n 30 "$work/b/ka.log" 2>/dev/null | sed 's/^/# /'
	fi
	net_down
	(exit "$status")
	lab_cleanup
}
trap ha_cleanup EXIT

# conf NODE [key=value ...]: keys of the instance; "addresses" as it is.
conf() {
	local node=$1 kv peer=12 prio=254
	[ "$node" = a ] || { peer=11; prio=253; }
	local -A k=([interface]=eth0 [vrid]=51 [version]=3 [priority]=$prio
		[interval]=100ms [addresses]="[$vip/24]"
		[handover_peers]="[10.98.0.$peer]" [track]="{probe: true}")
	shift
	for kv in "$@"; do k[${kv%%=*}]=${kv#*=}; done
	echo "node: $node"
	echo "instances:"
	echo "  VI:"
	for kv in "${!k[@]}"; do echo "    $kv: ${k[$kv]}"; done
	echo "health: {socket: $work/$node/health.sock}"
	echo "linger: 1s"
	echo "metrics: {listen: \"127.0.0.1:8086\"}"
}

ha_start() {
	ip netns exec "$ns-$1" "$ha_program" --config "$work/$1/ha.yaml" \
		--control "$work/$1/ctl" >> "$work/$1/log" 2>&1 &
	echo $! > "$work/$1/ha.pid"
}

# keepalived on NODE, with the configuration in its folder.
ka_start() {
	rm -f "$work/$1/ka.p" "$work/$1/ka.r" # left by a kill -9
	ip netns exec "$ns-$1" "$keepalived" -P -n -l -D \
		-f "$work/$1/ka.conf" -p "$work/$1/ka.p" -r "$work/$1/ka.r" \
		>> "$work/$1/ka.log" 2>&1 &
	echo $! > "$work/$1/ka.pid"
}

ka_stop() { # NODE
	kill "$(pid "$1" ka)"
	wait "$(pid "$1" ka)" 2>/dev/null
	true
}

# Parent and child together, so that neither can say goodbye for the other.
ka_die() { # NODE
	kill -9 "$(cat "$work/$1/ka.r")" "$(pid "$1" ka)" 2>/dev/null
	wait "$(pid "$1" ka)" 2>/dev/null
	true
}

# The stand-in runs in real time: a busy machine is not what is tested.
fe_start() {
	ip netns exec "$ns-$1" chrt -r 10 "$top/tests/ha/fake-frontend" \
		"$work/$1/health.sock" 53 \
		>> "$work/$1/fe.log" 2>&1 &
	echo $! > "$work/$1/fe.pid"
}

pid() { cat "$work/$1/$2.pid"; }

# stop_hard NODE ha|fe: SIGKILL, and wait until it is gone.
stop_hard() {
	local p
	p=$(pid "$1" "$2")
	kill -9 "$p"
	wait "$p" 2>/dev/null
	true
}

ctl() { "$top/ispdns-ha" --control "$work/$1/ctl" "${@:2}"; }
field() { ctl "$1" status --json 2>/dev/null | jq -r ".instances[0].$2"; }
role() { field "$1" role; }
is_role() { [ "$(role "$1")" = "$2" ]; }
has_vip() {
	ip -n "$ns-$1" -o addr show dev eth0 | grep -qwF "${2:-$vip}"
}
stat_of() { ctl "$1" stats --json | jq -r ".VI.$2"; }

# Is the frontend of NODE trusted, when both it and its ispdns-ha run? After
# failures that follow each other this takes up to two minutes (flap damping).
trusted() {
	kill -0 "$(pid "$1" fe)" 2>/dev/null || return 0
	ctl "$1" status > /dev/null 2>&1 || return 0
	[ "$(ctl "$1" status --json | jq -r .frontend)" = ok ]
}
all_trusted() { trusted a && trusted b; }

# hogs_start COUNT: endless loops on every core, that many; hogs_stop.
hogs=()
hogs_start() {
	local cpu
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		for _ in $(seq "$1"); do
			taskset -c "$cpu" sh -c 'while :; do :; done' &
			hogs+=($!)
		done
	done
}
hogs_stop() {
	kill -9 "${hogs[@]}"
	wait "${hogs[@]}" 2> /dev/null
	hogs=()
}

# measure SECONDS COMMAND...: a client asks 1000 times a second meanwhile;
# the command runs after 300 ms.
measure() {
	local s=$1 client
	shift
	wait_for 130 all_trusted
	in_ns c "$top/ispdns-lab-client" --seconds "$s" --timeout-ms 1000 \
		"$vip" > "$work/client.json" &
	client=$!
	sleep 0.3 # the client's own lead, nothing is waited for
	"$@" > "$work/measured" 2>&1
	wait "$client"
	lost=$(jq .lost "$work/client.json")
	gap=$(jq .longest_gap_ms "$work/client.json")
}
