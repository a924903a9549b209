#!/bin/bash
# SPDX-License-Identifier: ISC
# Changes to the running platform, by the command line, in the lab: refused
# ones change nothing, applied ones lose no query, absent nodes catch up, a
# generation that one node cannot prove is gone from all, a split brain is seen,
# as is a BGP daemon that does not run, a killed management leaves nothing half
# done.
. "$(dirname "$0")/lib.sh"
need_lab
need nft
lab_up
vip=10.10.2.160

cli() { on mgmt ispdns "$@"; }
dig1() { on client1 dig +tries=1 +time=2 "$@" 2>&1; }
short() { dig1 +short @$vip "$@"; }
generation() { cli status --json | jq .generation; }
states() { cli node list --json | jq -r '[.[].state] | unique | join(",")'; }
all_current() { [ "$(states)" = current ]; }
have() { cli node list --json | jq -r ".[] | select(.name == \"$1\") | .have"; }
# What the nodes run, by content.
running() {
	local h
	for h in dd1 dd2 auth1 rec1 rec2; do
		on $h sh -c 'cd /var/lib/ispdns/current/ && find . -type f |
			sort | xargs sha256sum'
	done
}

# --- refused changes ---
before=$(running) g=$(generation)
# refused STATUS COMMAND...: that exit status, one line, nothing pending.
refused() {
	local want=$1 out status
	shift
	out=$(cli "$@" 2>&1 > /dev/null)
	status=$?
	is "$status" "$want" "status $want: ispdns $*"
	is "$(grep -c '^ispdns: ' <<< "$out")" 1 "and one line says why"
}
refused 7 record set zaibdns.lab www A 10.10.2.999
refused 7 backend add rec rec9 nonsense
refused 7 acl add 10.10.2.0/33
refused 7 limit set --action explode
refused 6 pool create rec
refused 4 record del nosuch.zone www A
refused 4 route add other.example nosuchpool
refused 7 rule add r --action pool
refused 7 rule add r --action drop --addresses 10.10.2.1
refused 3 zone nonsense
printf '@ IN SOA ns hostmaster 1 2 3 4 5\nwww IN A 10.10.2.1 (\n' |
	on mgmt sh -c "cat > /run/bad.zone"
out=$(cli zone import zaibdns.lab /run/bad.zone 2>&1)
is $? 7 "a malformed zone is refused"
like "$out" "bad\\.zone:2: " "with file and line"
out=$(on client1 ispdns status 2>&1)
is $? 10 "management that is not there has a status of its own"
is "$(wc -l <<< "$out")" 1 "and one line"
ok "nothing waits to be applied" cli diff
is "$(generation)" "$g" "no generation was made"
is "$(running)" "$before" "and every node runs what it ran"

# --- no query is lost by a change ---
# While one processor puts an address on, the kernel may find no local route of
# another one on the other for a moment (it grows a node of the table), and
# refuses a packet. It counts them; as many may be lost, and no more.
refused_by_kernel() {
	local h
	for h in dd1 dd2; do on $h cat /proc/net/snmp; done |
		awk '/^Ip:/ { if (++n % 2) split($0, name); else
			for (i in name) if (name[i] == "InAddrErrors") sum += $i }
			END { print sum + 0 }'
}
load() { # NAME: both kinds of names, 500 q/s, until stop_load
	rm -f "$work/marks"
	on client1 ispdns-lab-client --rate 500 --seconds 120 --name "$1" \
		--source "$(seq -s, -f '10.10.2.%g' 200 219)" \
		--marks "$work/marks" $vip > "$work/load" &
	load_pid=$!
	wait_for 5 test -p "$work/marks" || bail "no load"
}
stop_load() {
	on client1 pkill -TERM -x ispdns-lab-clie
	wait "$load_pid"
}
refused=$(refused_by_kernel)
load www.zaibdns.lab
cli record add zaibdns.lab new A 10.10.2.200 > /dev/null
ok "a record" cli apply -m "a record"
is "$(short new.zaibdns.lab)" 10.10.2.200 "is served when apply returns"
cli limit set --qps 300 --burst 300 > /dev/null
ok "a limit" cli apply -m "a limit"
cli acl add 192.0.2.200/32 > /dev/null
ok "an access list" cli apply -m "an access list"
like "$(on out1 dig +tries=1 +time=2 @$vip www.zaibdns.lab)" 'NOERROR' \
	"is obeyed when apply returns"
cli acl del 192.0.2.200/32 > /dev/null
ok "and taken back" cli apply -m "as before"
like "$(on out1 dig +tries=1 +time=2 @$vip www.zaibdns.lab)" 'REFUSED' \
	"which is obeyed too"
owner_is() { [ "$(lab status --json | jq -r .vip_owner)" = "$1" ]; }
cli rule add walled --suffix walled.test --action spoof \
	--addresses 10.10.2.250 > /dev/null
ok "a rule" cli apply -m "a rule"
is "$(short a.walled.test)" 10.10.2.250 "is obeyed when apply returns"
cli rule set walled --action nxdomain > /dev/null
ok "another action" cli apply -m "another action"
like "$(dig1 @$vip a.walled.test)" 'NXDOMAIN' "is obeyed too"
# Nothing that is changed of the virtual router begins it anew.
moves() { # how often each has become master
	for n in dd1 dd2; do
		cli node cmd $n ha events --json | jq '[.events[] |
			select(.kind == "role" and .to == "MASTER")] | length'
	done | xargs
}
of_router() { cli node cmd "$1" ha status --json | jq -c ".instances[0]|$2"; }
applied() { ok "$1" cli apply -m "$1"; }
before=$(moves) g=$(generation)
cli vip node VI_DNS dd2 --priority 120 > /dev/null
applied "a priority"
is "$(of_router dd2 .priority)" 120 "reaches its node"
cli vip set VI_DNS --addresses $vip/24,10.10.2.170/24 > /dev/null
applied "one more address"
is "$(dig1 +short @10.10.2.170 www.zaibdns.lab)" "$(short www.zaibdns.lab)" \
	"answers when apply returns"
cli vip set VI_DNS --addresses $vip/24 > /dev/null
applied "one less"
cli vip set VI_DNS --interval-ms 200 > /dev/null
applied "an interval of version 3"
cli vip hmac VI_DNS on > /dev/null
applied "signed adverts"
cli vip hmac VI_DNS rotate > /dev/null
applied "another key"
is "$(of_router dd2 '[.hmac.mode,.hmac.active]')" '["enforce",2]' \
	"both are at the end of their steps"
at_least "$(generation)" $((g + 10)) "in generations of their own"
before_hmac=$(on dd2 ispdns-ha stats --json | jq '[.. | objects |
	.hmac_missing // empty, .hmac_key // empty, .hmac_fail // empty] | add')
is "$before_hmac" 0 "no advert was refused on the way"
cli vip hmac VI_DNS off > /dev/null
cli vip set VI_DNS --preset legacy > /dev/null
applied "version 2, unsigned"
cli vip set VI_DNS --interval-ms 2000 > /dev/null
applied "an interval of version 2"
is "$(of_router dd1 '[.version,.interval_ms]')" '[2,2000]' "and they have it"
cli vip set VI_DNS --preset default > /dev/null
cli vip node VI_DNS dd2 --priority 100 > /dev/null
applied "and back to version 3"
is "$(moves)" "$before" "and nobody became master by any of it"
# Another VRID is another router; its nodes change one after the other.
vrid=$(of_router dd1 .vrid)
cli vip set VI_DNS --vrid 77 > /dev/null
applied "another VRID"
is "$(of_router dd1 .vrid) $(of_router dd2 .vrid)" "77 77" "both have it"
ok "and the one that led it leads" wait_for 10 owner_is dd1
cli vip set VI_DNS --vrid "$vrid" > /dev/null
applied "and back"
ok "under the old one as well" wait_for 10 owner_is dd1
is "$(cli block add walled.test --suffix --for 1h --action refuse |
	sort | tr '\n' ' ')" "dd1: walled.test dd2: walled.test " \
	"a block is set on both frontends at once"
like "$(dig1 @$vip b.walled.test)" 'REFUSED' "without an apply"
is "$(cli block list --json | jq -c '.[] | select(.target == "walled.test.") |
	[.action, .reason, .queries, (.nodes | sort)]')" \
	'["refuse","manual",1,["dd1","dd2"]]' "and shown once, with both"
ok "block remove" cli block remove walled.test --suffix
like "$(dig1 @$vip b.walled.test)" 'NXDOMAIN' "ends it"
ok "vip move" cli vip move VI_DNS
ok "moves it" wait_for 10 owner_is dd2
ok "vip move back" cli vip move VI_DNS --to dd1
ok "moves it back" wait_for 10 owner_is dd1
ok "node drain" cli node drain dd1
ok "moves it" wait_for 10 owner_is dd2
ok "node undrain" cli node undrain dd1
ok "moves it back" wait_for 40 owner_is dd1
stop_load
json=$(cat "$work/load")
at_least "$(jq .sent <<< "$json")" 1000 "there was load"
refused=$(($(refused_by_kernel) - refused))
diag "$(jq .lost <<< "$json") lost, $refused refused by the kernel"
at_most "$(jq .lost <<< "$json")" "$refused" "no other one is lost" ||
	diag "$json"
at_most "$refused" 2 "and those are very few"
is "$(jq -c '.answered - .rcodes.NOERROR' <<< "$json")" 0 \
	"all others are well answered"

# --- rollback ---
g=$(generation)
old=$(short www.zaibdns.lab)
cli record set zaibdns.lab www A 10.10.2.99 > /dev/null
ok "a mistake is applied" cli apply -m "a mistake"
is "$(short www.zaibdns.lab)" 10.10.2.99 "and served"
ok "rollback" cli rollback "$g"
is "$(short www.zaibdns.lab)" "$old" "serves the old content"
at_least "$(generation)" $((g + 2)) "as a new generation"

# --- a node that is away ---
lab host stop rec2
cli record add zaibdns.lab away A 10.10.2.201 > /dev/null
not "apply does not pass while a node is away" cli apply -m away --wait 60
cli apply -m "without rec2" --allow-missing --wait 20 > "$work/out" 2>&1
diag "$(tail -1 "$work/out")"
is "$(short away.zaibdns.lab)" 10.10.2.201 "with --allow-missing the rest goes on"
lab host start rec2
caught_up() { [ "$(have rec2)" = "$(generation)" ]; }
ok "the node catches up when it is back" wait_for 30 caught_up
ok "and all are current" wait_for 30 all_current

# --- a generation that one node cannot prove ---
before=$(running)
lab svc freeze auth1 authority
cli record add zaibdns.lab frozen A 10.10.2.202 > /dev/null
not "apply fails when the authority hangs" cli apply -m frozen --wait 60
lab svc thaw auth1 authority
answers_old() { [ "$(short www.zaibdns.lab)" = "$old" ]; }
ok "it serves as before" wait_for 20 answers_old
is "$(short frozen.zaibdns.lab)" "" "without the change"
is "$(running)" "$before" "and no node has it"
ok "a second apply" cli apply -m "again"
is "$(short frozen.zaibdns.lab)" 10.10.2.202 "brings it"

# --- a split brain that only management can see ---
# dd2 hears no advert and no word of dd1 on the service LAN.
alarmed() { cli status --json | jq -r '.alarms[]' | grep -q "$1"; }
calm() { ! alarmed "$1"; }
split_is() { on mgmt curl -s --unix-socket /run/ispdns-mgmt/api.sock \
	http://mgmt/metrics | grep -q "^ispdns_mgmt_split_brain{vip=\"VI_DNS\"} $1"; }
on dd2 nft add table inet t
on dd2 nft add chain inet t in '{ type filter hook input priority 0; }'
on dd2 nft add rule inet t in meta l4proto 112 drop
on dd2 nft add rule inet t in udp dport 7112 drop
ok "two masters are an alarm" wait_for 20 alarmed \
	'vip VI_DNS: split brain: dd1, dd2 own it at the same time'
ok "and a metric" split_is 1
is "$(cli vip show VI_DNS --json | jq -c .owners)" '["dd1","dd2"]' \
	"vip show names both"
like "$(lab logs mgmt mgmt)" 'vrrp: split brain: vip=VI_DNS nodes=dd1, dd2' \
	"and so does the log"
on dd2 nft delete table inet t
ok "healed: the alarm clears by itself" wait_for 20 calm 'split brain'
ok "and the metric" split_is 0

# --- a node whose BGP daemon does not run ---
any=203.0.113.53
dead='anycast any: the BGP daemon of node dd1 does not run'
line_of_status() { cli status | grep -qF "$1"; }
engine_up() { # NODE; the socket is what ispdns-ha looks for
	printf 'router id 192.0.2.10;\nprotocol device { }\n' |
		on "$1" sh -c 'cat > /run/bird.conf'
	on "$1" bird -c /run/bird.conf -s /run/bird.ctl -P /run/bird.pid
}
announced_by() { cli anycast list --json | jq -c '.[0].announced_by'; }
announced_is() { [ "$(announced_by)" = "$1" ]; }
if command -v birdc > /dev/null; then
	cli anycast create any --addresses $any --engine-socket /run/bird.ctl \
		> /dev/null
	cli anycast node any dd1 > /dev/null
	cli anycast node any dd2 > /dev/null
	ok "BIRD on dd2" engine_up dd2
	applied "anycast on two nodes"
	ok "without BIRD on one: an alarm" wait_for 20 alarmed "^$dead\$"
	ok "and a line of ispdns status" line_of_status "$dead"
	ok "only the other one announces" wait_for 20 announced_is '["dd2"]'
	not "which is no alarm" alarmed 'any: no node announces it'
	ok "BIRD on dd1" engine_up dd1
	ok "the alarm clears by itself" wait_for 20 calm 'anycast any'
	ok "both announce" wait_for 20 announced_is '["dd1","dd2"]'
	on dd1 birdc -s /run/bird.ctl down > /dev/null
	ok "it ends: the alarm is back" wait_for 20 alarmed "^$dead\$"
	on dd2 birdc -s /run/bird.ctl down > /dev/null
	ok "on both: nobody announces" wait_for 20 alarmed \
		'^anycast any: no node announces it$'
	cli anycast delete any > /dev/null
	applied "no anycast"
	ok "no alarm is left" wait_for 20 calm 'anycast any'
else
	skip 13 "no BIRD here"
fi

# --- management killed in the middle ---
for delay in 0.02 0.1 0.3; do
	cli record set zaibdns.lab killed TXT "\"after $delay\"" > /dev/null
	cli apply -m "killed after $delay s" > /dev/null 2>&1 &
	sleep $delay # a moment in the roll-out, another each time
	lab svc kill mgmt mgmt
	wait $!
	ok "management is back" wait_for 20 cli status
	ok "its audit is whole" cli audit verify
	wait_for 20 all_current || cli apply -m "again" > /dev/null
	cli diff > /dev/null || cli apply -m "again" > /dev/null
	is "$(short killed.zaibdns.lab TXT)" "\"after $delay\"" \
		"killed after $delay s: the change arrives whole"
	ok "at all nodes" wait_for 20 all_current
done
done_testing
