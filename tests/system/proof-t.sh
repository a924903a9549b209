#!/bin/bash
# SPDX-License-Identifier: ISC
# The promises of the platform, proven in the lab, one line each. Arguments
# choose among them (a b c ...); without any all run. deploy/quickstart shows
# these lines.
. "$(dirname "$0")/lib.sh"
need_lab
vip=10.10.2.160

# ---- asking ----

# q DIG-ARGUMENT...: from CLIENT1, one try, comments and answers.
q() { on client1 dig +tries=1 +time=3 +noall +comments +answer "$@" 2>&1; }
# qd: the same from DD2, to which the backends answer.
qd() { on dd2 dig +tries=1 +time=3 +noall +comments +answer "$@" 2>&1; }
status_of() { sed -n 's/.*status: \([A-Z]*\),.*/\1/p' <<< "$1"; }
flags_of() { sed -n 's/^;; flags: \([a-z ]*\);.*/ \1 /p' <<< "$1"; }
has_flag() { [[ $(flags_of "$1") == *" $2 "* ]]; }
# cli WORD...: what it says counts only when it fails.
cli() {
	local out
	out=$(on mgmt ispdns "$@" 2>&1) || { echo "$out"; false; }
}

# A proof is a function whose conditions all hold; the first that does not
# is told.
must() { # WHAT COMMAND...
	local what=$1
	shift
	"$@" && return
	diag "not so: $what"
	diag "${answer:-}"
	exit 1
}
equal() { [ "$1" = "$2" ] || { diag "got '$1', want '$2'"; false; }; }
differ() { [ "$1" != "$2" ]; }
lacks_flag() { ! has_flag "$@"; }
silent() { grep -Eq 'timed out|no servers could be reached|communications error' <<< "$1"; }
has() { grep -Eq -- "$2" <<< "$1"; }
le() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && a <= b) }'; }

owners() { # of the VIP
	local h
	for h in dd1 dd2; do
		[ -z "$(ip -n "$lab_name-$h" -o addr show to $vip)" ] || echo $h
	done
}

lost_and_bad() { # CLIENT-JSON
	jq -r '(.lost + .answered - (.rcodes.NOERROR // 0))' <<< "$1"
}

# ---- the proofs ----

proof_a() {
	answer=$(q @$vip www.zaibdns.lab)
	must "answered" equal "$(status_of "$answer")" NOERROR
	must "the right address" has "$answer" '[[:space:]]10\.10\.2\.163$'
	must "aa" has_flag "$answer" aa
	must "no ra" lacks_flag "$answer" ra
	answer=$(q +tcp @$vip portal.zaibdns.lab)
	must "by TCP too" has "$answer" '[[:space:]]10\.10\.2\.163$'
}

proof_b() {
	answer=$(q @$vip google.com)
	must "google.com" has "$answer" '[[:space:]]192\.0\.2\.112$'
	must "ra" has_flag "$answer" ra
	must "no aa" lacks_flag "$answer" aa
	answer=$(q +dnssec @$vip signed.example.com)
	must "a signed name" has "$answer" '[[:space:]]192\.0\.2\.142$'
	must "ad" has_flag "$answer" ad
	must "with its signature" has "$answer" RRSIG
	answer=$(q @$vip dnssec-failed.org)
	must "SERVFAIL for a wrong DS" equal "$(status_of "$answer")" SERVFAIL
	answer=$(q @$vip www.badsig.net)
	must "SERVFAIL for a bad signature" equal "$(status_of "$answer")" SERVFAIL
}

proof_c() {
	answer=$(q @$vip notzaibdns.lab)
	must "the resolvers say that there is none" \
		equal "$(status_of "$answer")" NXDOMAIN
	must "ra" has_flag "$answer" ra
	must "no aa" lacks_flag "$answer" aa
	answer=$(q @$vip nosuch.zaibdns.lab)
	must "a name below zaibdns.lab is the authority's" has_flag "$answer" aa
}

# any: and chaos: of the configuration -> what dig sees.
treated_as() { # ACTION ANSWER
	case $1 in
	drop) silent "$2" ;;
	refuse) equal "$(status_of "$2")" REFUSED ;;
	tc) has_flag "$2" tc ;;
	allow) ! silent "$2" ;;
	*) false ;;
	esac
}
configured() { # KEY: of the running configuration of the VIP's owner
	on dd1 sh -c "cat /var/lib/ispdns/current/frontend.yaml 2>/dev/null ||
		cat /etc/ispdns/frontend.yaml" |
		sed -n "s/^ *$1: *\([a-z]*\).*/\1/p" | head -1
}

proof_d() {
	local any chaos
	any=$(configured any) chaos=$(configured chaos)
	must "ANY is configured" differ "$any" ""
	must "chaos is configured" differ "$chaos" ""
	answer=$(q +time=1 +notcp @$vip www.zaibdns.lab ANY)
	must "ANY: $any" treated_as "$any" "$answer"
	answer=$(q +time=1 @$vip version.bind CH TXT)
	must "CH: $chaos" treated_as "$chaos" "$answer"
}

proof_e() {
	local action
	action=$(configured action)
	must "an ACL action is configured" has "$action" '^(refuse|drop)$'
	answer=$(on out1 dig +tries=1 +time=2 @$vip google.com 2>&1)
	must "UDP: $action" treated_as "$action" "$answer"
	answer=$(on out1 dig +tcp +tries=1 +time=2 @$vip google.com 2>&1)
	if [ "$action" = drop ]; then
		must "TCP: no answer" lacks_answer "$answer"
	else
		must "TCP: $action" treated_as "$action" "$answer"
	fi
}
lacks_answer() { ! has "$1" 'status: NOERROR'; }

proof_f() {
	local flood calm
	q @$vip www.google.com > /dev/null
	on client1 ispdns-lab-client --rate 2000 --seconds 2 --timeout-ms 500 \
		--source 10.10.2.239 --name www.google.com $vip > "$work/flood" &
	on client1 ispdns-lab-client --rate 50 --seconds 2 --timeout-ms 1000 \
		--source 10.10.2.238 --name www.google.com $vip > "$work/calm"
	wait $!
	flood=$(cat "$work/flood") calm=$(cat "$work/calm") answer="$flood $calm"
	must "some of the burst is answered" le 50 "$(jq .answered <<< "$flood")"
	must "most of it is not" le "$(jq .answered <<< "$flood")" 1400
	must "the other client loses nothing" equal "$(lost_and_bad "$calm")" 0
}

proof_g() {
	local h
	answer=$(q @$vip t10.short.com; q @$vip t2.short.com)
	must "asked once" has "$answer" '192\.0\.2\.136$'
	for h in rec1 rec2; do lab svc stop $h resolver; done
	answer=$(q @$vip t10.short.com)
	must "answered from the cache" has "$answer" '192\.0\.2\.136$'
	must "with a TTL of at most 10 s" le \
		"$(awk '/short/ { print $2 }' <<< "$answer")" 10
	answer=$(q @$vip "never-asked-$$.wildcard.com")
	must "another name is not" differ "$(status_of "$answer")" NOERROR
	must "one past its TTL is answered as stale" wait_for 10 stale t2
	for h in rec1 rec2; do lab svc start $h resolver; done
	must "they come back" wait_for 20 rec_answers
	must "for both frontends" wait_for 30 all_up
}
stale() { # NAME: TTL of 30 s and the extended error that says so (RFC 8767)
	answer=$(q @$vip "$1.short.com")
	has "$answer" '[[:space:]]30[[:space:]].*192\.0\.2\.' &&
		has "$answer" 'EDE: 3 '
}
# sees HOST JQ-CONDITION: is it true of the backends as its frontend sees them?
sees() { on "$1" ispdns-frontend show servers --json | jq -e "$2"; }
all_up() {
	local h
	for h in dd1 dd2; do
		sees $h 'all(.servers[]; .state == "up")' || return 1
	done
}
rec1_is_missed() { # by the frontend that is asked
	sees "$(owners)" 'any(.servers[]; .name == "rec1" and .state != "up")'
}
rec_answers() { has "$(q @$vip "back-$RANDOM.wildcard.com")" '192\.0\.2\.130$'; }

proof_h() {
	on client1 ispdns-lab-client --rate 200 --seconds 60 --first "$RANDOM" \
		--source "$(seq -s, -f '10.10.2.%g' 200 209)" --name 'h%u.wildcard.com' \
		--marks "$work/marks" $vip > "$work/json" &
	wait_for 5 test -p "$work/marks"
	sleep 1 # of load
	echo stop > "$work/marks"
	lab svc stop rec1 resolver
	must "REC1 is missed" wait_for 10 rec1_is_missed
	sleep 1 # of load without REC1
	lab svc start rec1 resolver
	must "REC1 answers again" wait_for 20 rec1_answers
	must "both frontends see REC1 again" wait_for 30 all_up
	on client1 pkill -TERM -x ispdns-lab-clie
	wait $!
	answer=$(cat "$work/json")
	must "there was load" le 500 "$(jq .sent "$work/json")"
	must "nothing is lost" equal "$(lost_and_bad "$answer")" 0
}
rec1_answers() { has "$(qd @10.10.2.164 "h-$RANDOM.wildcard.com")" '192\.0\.2\.130$'; }

proof_i() {
	lab svc stop auth1 authority
	answer=$(q @$vip www.zaibdns.lab)
	must "zaibdns.lab fails" differ "$(status_of "$answer")" NOERROR
	answer=$(q @$vip "i-$RANDOM.wildcard.com")
	must "all else does not" equal "$(status_of "$answer")" NOERROR
	lab svc start auth1 authority
	must "zaibdns.lab comes back" wait_for 20 auth_answers
	must "for both frontends" wait_for 30 all_up
}
auth_answers() { has "$(q @$vip www.zaibdns.lab)" '10\.10\.2\.163$'; }

drilled() { # NAME: the gap is told on standard output for the line
	local out
	out=$(lab drill run "$1" --json)
	jq -r '"\(.drill): \(if .ok then "ok" else "FAILED" end), gap \(
		[.client.marks[]?.longest_gap_ms] | max) ms of \(.limit_gap_ms), \(
		[.client.marks[]?.lost] | add) lost",
		(.checks[] | select(.ok | not) | "not ok: \(.check) \(.detail)")' \
		<<< "$out" | sed 's/^/# /'
	equal "$(jq -r .ok <<< "$out")" true
}

proof_j() {
	must "frontend killed" drilled frontend-crash
	must "frontend stopped by SIGSTOP" drilled frontend-freeze
	must "host cut off" drilled host-cut
}

proof_k() {
	local zone=k$RANDOM.example start
	must "a zone" cli zone create $zone
	must "a record" cli record add $zone www A 192.0.2.77
	start=$(date +%s%N)
	must "apply" cli apply -m "a new zone"
	answer=$(qd @10.10.2.163 www.$zone)
	must "the authority serves it when apply returns" \
		has "$answer" '192\.0\.2\.77$'
	must "a route to it" cli route add $zone auth
	must "a changed record" cli record set $zone www A 192.0.2.78
	start=$(date +%s%N)
	must "apply" cli apply -m "a changed record"
	answer=$(q @$vip www.$zone)
	must "the VIP serves it when apply returns" has "$answer" '192\.0\.2\.78$'
	must "within 2 s" le "$((($(date +%s%N) - start) / 1000000))" 2000
	must "every node has proven it" nodes_current
}
nodes_current() {
	equal "$(on mgmt ispdns node list --json | jq -r '[.. | objects |
		select(has("state")) | .state] | unique | join(",")')" current
}

proof_l() {
	local before h
	before=$(served)
	must "there is something to compare" has "$before" '10\.10\.2\.163'
	lab svc kill mgmt mgmt
	lab svc stop mgmt mgmt # it stays away
	for h in auth1 rec1 dd2; do
		lab host reboot $h
	done
	must "the rebooted nodes serve" wait_for 20 served_is "$before"
	lab host reboot dd1
	must "so does the home of the VIP" wait_for 20 served_is "$before"
	lab svc start mgmt mgmt
	must "which takes it back" wait_for 20 owner_is dd1
	must "mgmt sees them again" wait_for 30 nodes_current
}
served() { # by each node by itself
	local h
	qd +short @10.10.2.163 www.zaibdns.lab
	qd +short @10.10.2.164 www.google.com
	for h in 161 162; do
		q +short @10.10.2.$h www.zaibdns.lab
		q +short @10.10.2.$h www.google.com
	done
}
served_is() { [ "$(served)" = "$1" ]; }

# keepalived in place of DD2's ispdns-ha, then back.
keepalived_conf() { # VERSION
	cat <<-EOT
	global_defs {
		router_id LAB_DD2
		vrrp_version $1
	}
	vrrp_instance VI_DNS {
		state BACKUP
		interface ens160
		virtual_router_id 51
		priority 100
		advert_int $([ "$1" = 2 ] && echo 1 || echo 0.1)
		$([ "$1" = 2 ] && echo 'authentication { auth_type PASS
			auth_pass lab123 }')
		virtual_ipaddress { 10.10.2.160/24 }
	}
	EOT
}
owner_is() { [ "$(owners)" = "$1" ]; } # dd1 | dd2 alone

with_keepalived() { # VERSION
	lab svc stop dd2 ha
	keepalived_conf "$1" | on dd2 sh -c "cat > /run/keepalived.conf"
	must "keepalived starts" lab svc start dd2 keepalived
	must "dd1 keeps the VIP" wait_for 10 owner_is dd1
	lab svc stop dd1 ha
	must "keepalived takes it" wait_for 10 owner_is dd2
	must "and it answers there" wait_for 5 auth_answers
	lab svc start dd1 ha
	must "dd1 takes it back" wait_for 15 owner_is dd1
	must "and it answers" wait_for 5 auth_answers
	lab svc stop dd2 keepalived
}

# The pair's protocol, by management as an operator would.
vrrp_version() { # 2 | 3
	if [ "$1" = 2 ]; then
		cli vip set VI_DNS --version 2 --interval-ms 1000 --auth pass \
			--password lab123
	else
		cli vip set VI_DNS --version 3 --interval-ms 100 --auth none
	fi && cli apply -m "VRRP version $1"
}

installed() { command -v "$1" > /dev/null; }

proof_m() {
	must "keepalived is installed" installed keepalived
	[ -n "$(lab svc status dd2 keepalived)" ] ||
		lab svc add dd2 keepalived - manual keepalived -n -l -D \
			-f /run/keepalived.conf
	must "v2" vrrp_version 2
	with_keepalived 2
	must "v3" vrrp_version 3
	with_keepalived 3
	lab svc start dd2 ha
	must "the pair is whole again" wait_for 20 owner_is dd1
}

declare -A what=(
	[a]="CLIENT1 asks the VIP for www.zaibdns.lab: answer, aa, no ra"
	[b]="google.com and a signed name answer, ra, ad; bad signatures SERVFAIL"
	[c]="notzaibdns.lab goes to the resolvers"
	[d]="ANY and CH are treated as configured"
	[e]="a source outside the ACL gets the ACL's action, UDP and TCP"
	[f]="a burst over the limit is limited, other clients are not"
	[g]="a cached name is answered with both resolvers stopped"
	[h]="REC1 stopped: nothing is lost"
	[i]="AUTH1 stopped: only zaibdns.lab fails"
	[j]="frontend killed, frozen, host cut off: the VIP moves in time"
	[k]="a new zone and a changed record are served when apply returns"
	[l]="mgmt stopped and nodes rebooted: they serve the same"
	[m]="keepalived in place of one ispdns-ha, v2 with password and v3"
)

[ $# -gt 0 ] || set -- a b c d e f g h i j k l m
lab_up
for p in "$@"; do
	out=$("proof_$p" 2>&1)
	tap_line $? "$p. ${what[$p]}"
	diag_lines=$(grep -v '^$' <<< "$out")
	[ -z "$diag_lines" ] || sed 's/^#\? \?/# /' <<< "$diag_lines"
done
done_testing
