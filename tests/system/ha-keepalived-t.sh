#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-ha beside Debian's keepalived in every mode that both speak: election
# both ways, crash of the frontend, drain, goodbye of either side; a change of
# the interval of version 2; keepalived leads and the DNS beside it is silent.
# With ISPDNS_KEEPALIVED=FILE beside another one; signed adverts need keepalived
# 2.4.
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

theirs_start() { # PRIORITY
	ka_conf "$1" > "$work/b/ka.conf"
	ka_start b
}

our_conf() { # PRIORITY
	conf a version=$version priority="$1" interval=$interval \
		addresses="[$addresses]" handover_peers=[] "${our_more[@]}" \
		"${@:2}"
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
	theirs_start 100
	ok "$mode: keepalived hears us" wait_for 15 \
		grep -q 'BACKUP STATE' "$work/b/ka.log"
	ok "$mode: ours stays" ours MASTER
	not "$mode: keepalived has no address" theirs

	if [ "$version" = 2 ]; then
		garp=$(stat_of a garp_sent_total)
		ok "$mode: it announces itself now and then" \
			wait_for 12 more_garp
	fi
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
	ka_stop b
	ok "$mode: keepalived says goodbye: ours is master" \
		wait_for 5 ours MASTER
	is "$(field a reason)" prio0 "$mode: by its goodbye"
	theirs_start 100
	ok "$mode: keepalived is back and preempts" wait_for 15 theirs
	ok "$mode: ours yields" wait_for 5 ours BACKUP
	if [ "$version" = 2 ]; then
		# 0.8 to 1.8 s by ARP, 2.8 to 3.8 s by the adverts alone
		measure 5 host_dies
		at_most "$gap" 2700 "$mode: its host dies: gap in ms"
		ip -n "$ns-br" link set vb up
	else
		ka_die b
	fi
	ok "$mode: keepalived dies: ours is master" wait_for 10 ours MASTER
	is "$(field a reason)" timeout "$mode: by silence"
	kill "$(pid a ha)"
	ip -n "$ns-b" addr flush dev eth0 scope global to 10.98.0.100
	stop_hard a fe
	stop_hard b fe
	wait "$(pid a ha)"
	cp "$work/b/ka.log" "$work/ka.all"
	: > "$work/b/ka.log"
}

# --- version 2 discards another interval: it changes in two phases ---
reload() { # PRIORITY [KEY=VALUE ...] of ours
	our_conf "$@" > "$work/a/ha.yaml"
	ctl a reload > /dev/null
}
heard_more() { [ "$(field a adverts_received)" -gt "$1" ]; }
hear_more() { wait_for 9 heard_more $(($(field a adverts_received) + 1)); }
ka_reload() { # PRIORITY
	ka_conf "$1" > "$work/b/ka.conf"
	kill -HUP "$(pid b ka)"
}
theirs_first() { # keepalived leads; the time between the steps is its own
	ka_reload 100
	hear_more && reload 50 accept_interval=1s && hear_more && reload 50
}
ours_first() { # ours leads; keepalived knows one only, but is in no hurry
	reload 200 accept_interval=2s && ka_reload 100 && reload 200
}
# No promotion of keepalived, no change of role here, nothing thrown away.
undisturbed() { # WHAT TRANSITIONS
	is "$lost" 0 "$1: nothing is lost"
	is "$(field a transitions)" "$2" "$1: ours does not move"
	unlike "$(cat "$work/b/ka.log")" 'Entering (MASTER|BACKUP) STATE' \
		"$1: keepalived does not move"
	is "$(stat_of a discard.interval)" 0 "$1: no advert is thrown away"
}
all_end() {
	ka_stop b
	kill "$(pid a ha)"
	wait "$(pid a ha)"
	stop_hard a fe
	stop_hard b fe
	: > "$work/b/ka.log"
}
two_phases() {
	local before
	our_conf 50 accept_interval=2s > "$work/a/ha.yaml"
	ha_start a
	fe_start a
	fe_start b
	theirs_start 100
	ok "interval: keepalived leads" wait_for 15 theirs
	ok "interval: ours is backup" wait_for 15 hear_more
	before=$(field a transitions)
	interval=2s ka_interval=2
	: > "$work/b/ka.log"
	measure 12 theirs_first
	undisturbed "interval: 1 s to 2 s below keepalived" "$before"
	is "$(field a interval_ms)" 2000 "interval: it is 2 s"
	reload 200
	ok "interval: ours leads" wait_for 15 ours MASTER
	ok "interval: keepalived yields" wait_for 15 not_theirs
	before=$(field a transitions)
	interval=1s ka_interval=1
	: > "$work/b/ka.log"
	measure 8 ours_first
	undisturbed "interval: back to 1 s above keepalived" "$before"
	all_end
}

# --- keepalived advertises, but the DNS beside it hangs or is gone ---
has() { field a "$1" | grep -qx "$2"; }
fe_is() { kill "-$1" "$(pid b fe)"; } # STOP|CONT|KILL
restarted() {
	stop_hard a ha
	ha_start a
}
not_disturbed() { # WHAT
	hear_more && hear_more && hear_more && hear_more && hear_more
	ok "$1: keepalived leads" theirs
	ok "$1: ours is backup" ours BACKUP
}
rescue() { # MODE
	our_conf 50 > "$work/a/ha.yaml"
	ha_start a
	fe_start a
	fe_start b
	theirs_start 100
	ok "$1: rescue: keepalived leads" wait_for 15 theirs
	ok "$1: rescue: and answers us" wait_for 15 has health.master_answers true
	measure 4 fe_is STOP
	at_most "$gap" 3000 "$1: rescue: its DNS hangs: gap in ms"
	ok "$1: rescue: ours leads" ours MASTER
	is "$(field a reason)" rescue "$1: rescue: by that reason"
	is "$(field a effective_priority)" 254 "$1: rescue: with priority 254"
	ok "$1: rescue: keepalived yields" wait_for 5 not_theirs
	measure 5 restarted
	is "$lost" 0 "$1: rescue: ispdns-ha is killed and started: nothing is lost"
	ok "$1: rescue: and goes on" has effective_priority 254
	leave 8 "$1: rescue: it answers again" fe_is CONT
	ok "$1: rescue: ours is backup" wait_for 5 ours BACKUP
	is "$(field a effective_priority)" 50 "$1: rescue: with its own priority"
}
rescue_more() {
	ok "rescue: it is asked again" wait_for 15 has health.master_answers true
	measure 4 stop_hard b fe
	at_most "$gap" 3000 "rescue: its DNS dies: gap in ms"
	ok "rescue: ours leads" ours MASTER
	like "$(ctl a show)" 'rescue of 10\.98\.0\.12' "rescue: is shown"
	ctl a move > "$work/moved"
	ok "rescue: moved to a node without DNS: keepalived leads" \
		wait_for 8 theirs
	ok "rescue: and is relieved again" wait_for 8 ours MASTER
	is "$(stat_of a rescues_total)" 2 "rescue: which is counted"
	reload 50 rescue=false
	ok "rescue: switched off: keepalived leads" wait_for 8 theirs
	not_disturbed "rescue: switched off"
	in_ns b nft "add table inet acl; add chain inet acl i { type filter hook" \
		"input priority 0; }; add rule inet acl i ip saddr 10.98.0.11" \
		"udp dport 53 drop"
	fe_start b
	kill "$(pid a ha)"
	wait "$(pid a ha)"
	our_conf 50 > "$work/a/ha.yaml"
	ha_start a
	ok "rescue: not let in" wait_for 15 knows_master
	not_disturbed "rescue: one who never let us ask"
	ok "rescue: which is seen" has health.master_answers false
	ok "rescue: and told" wait_for 15 has health.master_silent true
	in_ns b nft delete table inet acl
}
more_garp() { [ "$(stat_of a garp_sent_total)" -ge $((garp + 3)) ]; }
host_dies() {
	ip -n "$ns-br" link set vb down
	ka_die b
}
not_theirs() { ! theirs; }
knows_master() { [ "$(field a master_priority)" = 100 ]; }

net_up

version=2 interval=1s ka_interval=1 addresses=$vip/24 watch=$vip
ka_addresses=$vip/24 crash_ms=1400
our_more=(auth=pass password=lab123)
ka_more='authentication { auth_type PASS; auth_pass lab123; }'
ka_more=$(echo "$ka_more" | tr ';' '\n')
two_phases
run_mode "v2 PASS" 4
rescue "v2 PASS"
rescue_more
all_end

version=3 interval=100ms ka_interval=0.1 crash_ms=900
our_more=() ka_more=
run_mode "v3" 2

our_more=(peers=[10.98.0.12])
ka_more=$(printf 'unicast_src_ip 10.98.0.12\nunicast_peer {\n10.98.0.11\n}')
run_mode "v3 unicast" 2

key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
version_of() { "$keepalived" --version 2>&1 |
	sed -n '1s/.* v\([0-9]*\)\.\([0-9]*\).*/\1 \2/p'; }
knows_hmac() { version_of | awk '{ exit !($1 > 2 || $1 == 2 && $2 >= 4) }'; }
signed() { # MODE
	our_more=(hmac="{mode: enforce, keys: {1: $key}}" "${@:2}")
	ka_more=$(printf 'auth_hmac {\nkey 1 hex:%s\nactive_key 1\n}\n' $key)
	run_mode "$1" 2
	is "$(grep -ciE 'hmac|authentication' "$work/ka.all")" 0 \
		"$1: keepalived finds no fault with our signature"
}
if knows_hmac; then
	signed "v3 hmac"
else
	skip 1 "signed adverts: needs keepalived 2.4"
fi

our_more=(advertise=all) ka_more=
addresses="fe80::100/64, $vip6/64" watch=$vip6
ka_addresses=$(printf 'fe80::100/64\n%s/64' "$vip6")
vip=$vip6
run_mode "v3 IPv6" 2
rescue "v3 IPv6"
all_end
unlike "$(cat "$work"/*/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
