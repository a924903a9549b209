#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-ha beside Debian's keepalived in every mode that both speak: election
# both ways, crash of the frontend, drain, goodbye of either side.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ha.sh"
need_root
need ip jq keepalived
unshare -n true 2>/dev/null || skip_all "no network namespaces here"
[ -x "$top/ispdns-ha" ] || bail "run make first"

# ka_conf PRIORITY: keepalived's side of the mode that is set.
ka_conf() {
	cat << END
global_defs {
	router_id test
	vrrp_version $version
	enable_script_security
}
vrrp_instance VI_DNS {
	state BACKUP
	interface eth0
	virtual_router_id 51
	priority $1
	advert_int $ka_interval
	$ka_more
	virtual_ipaddress {
		$ka_addresses
	}
}
END
}

ka_start() {
	rm -f "$work/ka.p" "$work/ka.r" # left by a kill -9
	ka_conf "$1" > "$work/ka.conf"
	ip netns exec "$ns-b" "$keepalived" -P -n -l -D -f "$work/ka.conf" \
		-p "$work/ka.p" -r "$work/ka.r" >> "$work/ka.log" 2>&1 &
	echo $! > "$work/b/ka.pid"
}

ka_stop() {
	kill "$(pid b ka)"
	wait "$(pid b ka)" 2>/dev/null
	true
}

our_conf() { # PRIORITY
	conf a version=$version priority="$1" interval=$interval \
		addresses="[$addresses]" handover_peers=[] "${our_more[@]}"
}

ours() { is_role a "$1"; }
theirs() { has_vip b "$watch"; }

# IPv6: keepalived announces an address that its kernel takes packets to only
# a moment later (a work queue, up to 40 ms on a busy machine). Those packets
# are counted there as sent to a wrong address; nobody else can save them.
refused() { in_ns b awk '$1 == "Ip6InAddrErrors" { print $2 }' /proc/net/snmp6; }

# leave SECONDS DESCRIPTION COMMAND...: keepalived takes over, and all that is
# lost is what its own host refuses.
leave() {
	local s=$1 what=$2 before
	shift 2
	before=$(refused)
	measure "$s" "$@"
	ok "$what: keepalived takes over" wait_for 8 theirs
	at_most "$lost" $(($(refused) - before)) \
		"$what: nothing is lost but what keepalived's host refuses"
}

# One mode, from both sides.
run_mode() {
	local mode=$1 limit=$2
	our_conf 200 > "$work/a/ha.yaml"
	ha_start a
	fe_start a
	fe_start b # answers on keepalived's side; nobody hears its beat
	ok "$mode: ours alone is master" wait_for 15 ours MASTER
	ka_start 100
	ok "$mode: keepalived hears us" wait_for 15 \
		grep -q 'BACKUP STATE' "$work/ka.log"
	ok "$mode: ours stays" ours MASTER
	not "$mode: keepalived has no address" theirs

	measure "$limit" stop_hard a fe
	ok "$mode: crash of the frontend: keepalived takes over" \
		wait_for 5 theirs
	not "$mode: ours is gone" has_vip a "$watch"
	at_most "$gap" "$crash_ms" "$mode: crash: gap in ms"
	is "$(field a role)" FAULT "$mode: ours is in FAULT"
	at_least "$(stat_of a adverts_received_total)" 1 \
		"$mode: ours accepts its adverts"
	fe_start a
	ok "$mode: recovered: ours preempts" wait_for 130 ours MASTER
	ok "$mode: and keepalived yields" wait_for 5 not_theirs

	leave $((limit + 1)) "$mode: drain" ctl a drain
	ok "$mode: drain: ours is backup" wait_for 5 ours BACKUP
	ctl a undrain > /dev/null
	ok "$mode: undrain: ours preempts" wait_for 130 ours MASTER
	leave $((limit + 2)) "$mode: SIGTERM" kill "$(pid a ha)"
	wait "$(pid a ha)"

	# now below keepalived
	our_conf 50 > "$work/a/ha.yaml"
	ha_start a
	ok "$mode: below keepalived ours is backup" wait_for 5 ours BACKUP
	ok "$mode: and knows its master" wait_for 5 knows_master
	ka_stop
	ok "$mode: keepalived says goodbye: ours is master" \
		wait_for 5 ours MASTER
	is "$(field a reason)" prio0 "$mode: by its goodbye"
	ka_start 100
	ok "$mode: keepalived is back and preempts" wait_for 15 theirs
	ok "$mode: ours yields" wait_for 5 ours BACKUP
	kill -9 "$(cat "$work/ka.r")" "$(pid b ka)" 2>/dev/null
	ok "$mode: keepalived dies: ours is master" wait_for 10 ours MASTER
	is "$(field a reason)" timeout "$mode: by silence"
	kill "$(pid a ha)"
	ip -n "$ns-b" addr flush dev eth0 scope global to 10.98.0.100
	stop_hard a fe
	stop_hard b fe
	wait "$(pid a ha)"
	: > "$work/ka.log"
}

not_theirs() { ! theirs; }
knows_master() { [ "$(field a master_priority)" = 100 ]; }

net_up

version=2 interval=1s ka_interval=1 addresses=$vip/24 watch=$vip
ka_addresses=$vip/24 crash_ms=1400
our_more=(auth=pass password=lab123)
ka_more='authentication { auth_type PASS; auth_pass lab123; }'
ka_more=$(echo "$ka_more" | tr ';' '\n')
run_mode "v2 PASS" 4

version=3 interval=100ms ka_interval=0.1 crash_ms=900
our_more=() ka_more=
run_mode "v3" 2

our_more=(peers=[10.98.0.12])
ka_more=$(printf 'unicast_src_ip 10.98.0.12\nunicast_peer {\n10.98.0.11\n}')
run_mode "v3 unicast" 2

our_more=(advertise=all) ka_more=
addresses="fe80::100/64, $vip6/64" watch=$vip6
ka_addresses=$(printf 'fe80::100/64\n%s/64' "$vip6")
vip=$vip6
run_mode "v3 IPv6" 2
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
