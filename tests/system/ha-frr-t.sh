#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-ha beside FRR's vrrpd (VRRPv3, on a macvlan link with the virtual
# MAC): election, crash, drain, goodbye and preemption, both ways.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ha.sh"
frr=/usr/lib/frr
need_root
need ip jq vtysh
[ -x $frr/vrrpd ] || skip_all "no FRR here"
unshare -n true 2>/dev/null || skip_all "no network namespaces here"
[ -x "$top/ispdns-ha" ] || bail "run make first"

d=$work/b
vrrp_link() {
	ip -n "$ns-b" link add vrrp4-2-51 link eth0 \
		type macvlan mode bridge || skip_all "no macvlan here"
	ip -n "$ns-b" link set dev vrrp4-2-51 address 00:00:5e:00:01:33
	ip -n "$ns-b" addr add "$vip/24" dev vrrp4-2-51
	ip -n "$ns-b" link set dev vrrp4-2-51 up
}

frr_daemon() { # NAME
	ip netns exec "$ns-b" "$frr/$1" -f /dev/null -z "$d/z" \
		-i "$d/$1.pid" --vty_socket "$d" -P 0 >> "$d/log" 2>&1 &
	wait_for 5 test -S "$d/$1.vty" || bail "$1 does not start"
}

frr_start() {
	frr_daemon vrrpd
	vtysh --vty_socket "$d" -f "$work/frr.conf" >> "$d/log" 2>&1
}

frr_is() { # STATUS
	[ "$(vtysh --vty_socket "$d" -c 'show vrrp json' 2>/dev/null |
		jq -r '.[0].v4.status')" = "$1" ]
}

frr_gone() { ! kill -0 "$(cat "$d/vrrpd.pid")" 2>/dev/null; }

net_up
chmod 711 "$work" # FRR leaves root behind
chown frr:frr "$d"
vrrp_link
cat > "$work/frr.conf" << END
interface eth0
 vrrp 51 version 3
 vrrp 51 priority 100
 vrrp 51 advertisement-interval 100
 vrrp 51 ip $vip
END
our_conf() { conf a priority="$1" handover_peers=[] > "$work/a/ha.yaml"; }
ours() { is_role a "$1"; }
knows_master() { [ "$(field a master_priority)" = 100 ]; }

frr_daemon zebra
fe_start a
fe_start b
our_conf 200
ha_start a
ok "ours alone is master" wait_for 15 ours MASTER
frr_start
ok "FRR hears us and is backup" wait_for 10 frr_is Backup
ok "ours stays" ours MASTER

# --- ours above FRR ---
measure 2 stop_hard a fe
ok "crash of the frontend: FRR takes over" wait_for 5 frr_is Master
at_most "$gap" 900 "crash: gap in ms"
is "$(field a role)" FAULT "crash: ours is in FAULT"
fe_start a
ok "recovered: ours preempts" wait_for 130 ours MASTER
ok "and FRR yields" wait_for 5 frr_is Backup
measure 3 ctl a drain
ok "drain: FRR takes over" wait_for 5 frr_is Master
is "$lost" 0 "drain: nothing is lost"
ok "drain: ours is backup" wait_for 5 ours BACKUP
ctl a undrain > /dev/null
ok "undrain: ours preempts" wait_for 130 ours MASTER
measure 3 kill "$(pid a ha)"
ok "SIGTERM: FRR takes over" wait_for 5 frr_is Master
is "$lost" 0 "SIGTERM: nothing is lost"
wait "$(pid a ha)"

# --- ours below FRR ---
our_conf 50
ha_start a
ok "below FRR ours is backup" wait_for 5 ours BACKUP
ok "and knows its master" wait_for 5 knows_master
kill "$(cat "$d/vrrpd.pid")"
ok "FRR says goodbye: ours is master" wait_for 5 ours MASTER
is "$(field a reason)" prio0 "by its goodbye"
ok "FRR is gone" wait_for 5 frr_gone
frr_start
ok "FRR is back and preempts" wait_for 10 frr_is Master
ok "ours yields" wait_for 5 ours BACKUP
kill -9 "$(cat "$d/vrrpd.pid")"
ok "FRR dies: ours is master" wait_for 5 ours MASTER
is "$(field a reason)" timeout "by silence"
is "$(ctl a stats --json | jq '[.VI.discard[]] | add')" 0 \
	"not one advert of FRR was thrown away"
unlike "$(cat "$work"/a/log)" 'Sanitizer|runtime error' "no sanitizer spoke"
done_testing
