#!/bin/bash
# SPDX-License-Identifier: ISC
# The lab itself: up, status and down may be repeated, a lab left half-up by
# a kill -9 is removed whole, hosts and services obey, the Internet is right.
. "$(dirname "$0")/lib.sh"
need_lab
lab_is_ours=1
run=/run/ispdns-lab/$lab_name

left_behind() {
	ip netns list | grep "^$lab_name-"
	pgrep -f -- "ispdns-lab-host run $lab_name-"
	ls -d "$run" "$run.lock" 2>/dev/null
	ip -o link | grep -F "$lab_name"
}

# reach HOST ADDRESS: does a closed port there refuse us?
reach() {
	on "$1" timeout 2 bash -c "exec 3<>/dev/tcp/$2/9" 2>&1 | grep -q refused
}

owner() { ip netns pids "$lab_name-$1" | head -1; }

# --- twice each way ---
is "$(left_behind)" "" "nothing is there at first"
not "status says that it is not up" lab status
ok "down of no lab is no error" lab down
line() { "$@" 2>&1 | wc -l; }
for bad in "up --from /nonexistent" "up --wrong" "exec dd1 true" \
	"host stop dd1" "svc stop dd1 frontend" "drill run all"; do
	# shellcheck disable=SC2086
	not "without a lab: $bad" lab $bad
	# shellcheck disable=SC2086
	is "$(line lab $bad)" 1 "one line says why"
done
not "a name that is none" "$srcdir/deploy/lab/ispdns-lab" -n 'a-b' up
ok "up" lab up --bare --delay 2
ok "up again" lab up --bare
like "$(lab up --bare)" 'is up already' "the second says so"
before=$(owner rec1)
is "$(owner rec1)" "$before" "and changes nothing"
ok "status" lab status
is "$(lab status --json | jq '[.hosts[] | select(.up)] | length')" 12 \
	"all hosts are up"
is "$(lab status --json | jq -r '.hosts[] | select(.host=="web") |
	.services[0].state')" running "and the Internet's servers run"

# --- a host is a host ---
is "$(on dd1 hostname)" dd1 "a host has its name"
is "$(on dd1 cat /proc/1/comm)" lab-init "and its own pid 1"
like "$(on dd1 ip -br addr show ens160)" \
	'10\.10\.2\.161/24.*fd00:10:10:2::161/64' "and its addresses"
ok "hosts reach each other" reach client1 10.10.2.161
ok "by IPv6 too" reach client1 fd00:10:10:2::162
for a in $(ip -4 -o addr show scope global | awk '{ sub("/.*", "", $4); print $4 }'); do
	not "but not the machine" reach client1 "$a"
done
is "$(on dd1 sh -c 'echo x > /var/lib/ispdns/f; echo y > /run/ispdns/g; ls /var/lib/ispdns')" \
	f "it writes below its own /var/lib/ispdns"
ok "which the machine does not have" test ! -e /var/lib/ispdns/f
lab host reboot dd1
is "$(on dd1 sh -c 'ls /var/lib/ispdns /run/ispdns' | tr -d '\n')" \
	"/run/ispdns:/var/lib/ispdns:f" "a reboot keeps /var/lib and clears /run"

# --- services ---
lab svc add rec2 nap - auto sleep 1000
state() { lab svc status rec2 nap | jq -r ".$1"; }
is_state() { [ "$(state state)" = "$1" ]; }
ok "a service starts" wait_for 5 is_state running
pid=$(state pid)
lab svc kill rec2 nap
ok "it is started again after a crash" wait_for 5 is_state running
is "$(state starts)" 2 "that was its second start"
unlike "$(state pid)" "^$pid\$" "as a new process"
lab svc freeze rec2 nap
is "$(state state)" frozen "it freezes"
is "$(on rec2 sh -c "ps -o stat= -p $(state pid)" | cut -c1)" T "for real"
lab svc thaw rec2 nap
is "$(on rec2 sh -c "ps -o stat= -p $(state pid)" | cut -c1)" S "and thaws"
lab svc stop rec2 nap
is "$(state state)" stopped "it stops"
is "$(on rec2 pgrep -x sleep)" "" "and its process is gone"
lab svc add rec2 later /var/lib/ispdns/go auto sleep 1001
is "$(lab svc status rec2 later | jq -r .state)" waiting \
	"a condition is waited for"
on rec2 touch /var/lib/ispdns/go
later() { [ "$(lab svc status rec2 later | jq -r .state)" = running ]; }
ok "and starts it" wait_for 5 later
lab svc kill rec2 later
lab host reboot rec2
ok "a service survives a reboot" wait_for 5 later
not "an unknown service is an error" lab svc stop rec2 nosuch
not "an unknown host too" lab host stop nosuch
not "and an unknown verb" lab host explode dd1

# --- cuts ---
lab host cut auth1
not "a cut host is not reached" reach client1 10.10.2.163
like "$(on auth1 cat /sys/class/net/ens160/carrier)" 1 "with its carrier on"
lab host heal auth1
ok "a healed one is" wait_for 10 reach client1 10.10.2.163
lab host stop auth1
not "a stopped one is not" reach client1 10.10.2.163
not "and runs nothing" on auth1 true
lab host start auth1
ok "a started one is" wait_for 10 reach client1 10.10.2.163

# --- the private Internet ---
ask() { on rec1 dig +tries=2 +time=2 "$@"; }
like "$(ask +norec @198.51.100.4 google.com)" 'com\..*NS.*a\.gtld' \
	"the root delegates"
like "$(ask +norec @2001:db8:2::10 google.com)" 'google.*NS.*ns1\.google' \
	"the TLD delegates, by IPv6"
like "$(ask +norec +short @192.0.2.12 www.google.com)" '^192\.0\.2\.113$' \
	"google.com answers"
like "$(ask +norec @198.51.100.5 zaibdns.lab)" 'NXDOMAIN' \
	"there is no TLD lab"
like "$(ask +norec @192.0.2.10 lame.net)" REFUSED "lame.net is lame"
like "$(ask +norec +ignore @192.0.2.10 big.big.net TXT)" 'flags:.* tc' \
	"big.net is truncated"
is "$(ask +norec +tcp +short @192.0.2.10 big.big.net TXT | wc -l)" 15 \
	"and whole by TCP"
if command -v unbound-host > /dev/null; then
	v() { on rec1 unbound-host -v -C /etc/ispdns/ub.conf "$@"; }
	on rec1 sh -c 'cat > /etc/ispdns/ub.conf' <<-EOT
	server:
	  root-hints: /etc/ispdns/root.hints
	  trust-anchor-file: /etc/ispdns/root.key
	EOT
	like "$(v signed.example.com)" 'address 192.0.2.142 \(secure' \
		"a signed name validates"
	like "$(v nosuch.example.com)" 'not found.*\(secure' \
		"and the denial of one"
	like "$(v www.google.com)" 'address 192.0.2.113 \(insecure' \
		"an unsigned name is insecure"
	like "$(v dnssec-failed.org)" 'BOGUS|SERVFAIL' "dnssec-failed.org is bogus"
	like "$(v www.badsig.net)" 'BOGUS|SERVFAIL' "www.badsig.net is bogus"
	like "$(v good.badsig.net)" 'address.*\(secure' "its neighbour is not"
	like "$(v expired.net)" 'BOGUS|SERVFAIL' "expired.net is bogus"
else
	skip 7 "no unbound-host"
fi

# --- delay and loss ---
ms() { ask +norec @192.0.2.12 www.google.com | awk '/Query time/ { print $4 }'; }
lab delay 150
at_least "$(ms)" 140 "150 ms of delay, as dig counts"
lab delay 0 100
not "all lost" on rec1 dig +norec +tries=1 +time=1 @192.0.2.12 google.com
lab delay 0
at_most "$(ms)" 100 "no delay"

# --- measuring ---
json=$(on rec1 ispdns-lab-client --rate 200 --seconds 1 --no-rd \
	--name x%u.wildcard.com 192.0.2.10)
is "$(jq -c '[.sent, .answered, .lost, .rcodes.NOERROR]' <<< "$json")" \
	'[200,200,0,200]' "the client counts answers"
ok "freeze the server" lab svc freeze web nsd
json=$(on rec1 ispdns-lab-client --rate 100 --seconds 1 --timeout-ms 300 \
	--no-rd --name x%u.wildcard.com 192.0.2.10)
lab svc thaw web nsd
is "$(jq -c '[.sent, .lost]' <<< "$json")" '[100,100]' "and the lost ones"
at_least "$(jq .longest_gap_ms <<< "$json")" 900 "and the gap"
ok "and how late it sent itself" jq -e '.send_late_ms > 0' <<< "$json"
fifo=$work/marks
on rec1 ispdns-lab-client --rate 500 --seconds 60 --timeout-ms 500 --no-rd \
	--marks "$fifo" --name x%u.wildcard.com 192.0.2.10 > "$work/json" &
client=$!
wait_for 5 test -p "$fifo"
echo before > "$fifo"
lab svc freeze web nsd; echo frozen > "$fifo"
not "nothing answers now" on rec1 dig +norec +tries=1 +time=1 @192.0.2.10 x.wildcard.com
lab svc thaw web nsd
ok "it answers again" on rec1 dig +norec +tries=5 +time=1 @192.0.2.10 x.wildcard.com
on rec1 pkill -TERM -x ispdns-lab-clie
wait "$client"
is "$(jq -c '[.marks[].name]' "$work/json")" '["before","frozen"]' "marks"
at_least "$(jq '.marks[1].longest_gap_ms' "$work/json")" 400 "gap after the event"
at_least "$(jq '.marks[1].lost' "$work/json")" 200 "lost after the event"
# What is lost has timed out by the end of sending: nothing to wait for then.
rm -f "$fifo"
start=$(date +%s%N)
on rec1 ispdns-lab-client --rate 100 --seconds 3 --no-rd --marks "$fifo" \
	--name x%u.wildcard.com 192.0.2.10 > "$work/json" &
client=$!
wait_for 5 test -p "$fifo"
lab host cut rec1
not "nothing answers a host that is cut off" on rec1 dig +norec +tries=1 +time=1 \
	@192.0.2.10 x.wildcard.com
lab host heal rec1
wait "$client"
took=$((($(date +%s%N) - start) / 1000000))
at_least "$(jq .lost "$work/json")" 50 "its queries are lost"
at_most "$took" 4500 "the client waits for no answer that is too late"

# --- kill -9 in the middle ---
ok "down" lab down
is "$(left_behind)" "" "nothing is left behind"
half_up() { # CONDITION [UP-OPTION]: start up, kill it when the condition holds
	# shellcheck disable=SC2086
	lab up ${2---bare} > /dev/null 2>&1 &
	local pid=$!
	wait_for 10 eval "$1" || diag "never saw: $1"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
}
for step in "test -e $run/internet/web/site0100.com.zone" \
	"test -e /run/netns/$lab_name-sw" "test -e /run/netns/$lab_name-dd2" \
	"test -S $run/hosts/tld/ctl.sock" "test -S $run/hosts/rec2/ctl.sock"; do
	half_up "$step"
	not "half-up at ${step##*/} is not up" test -e "$run/up"
	ok "is taken down" lab down
	is "$(left_behind)" "" "and nothing is left"
done
# The same in the middle of the whole site: enrolled nodes, then a roll-out.
for step in "test -e $run/hosts/dd2/etc/node.yaml" \
	"test -e $run/hosts/rec1/lib/current"; do
	half_up "$step" ""
	not "half a site at ${step##*/} is not up" test -e "$run/up"
	ok "is taken down" lab down
	is "$(left_behind)" "" "and nothing is left"
done
half_up "test -S $run/hosts/root/ctl.sock"
ok "up after a kill -9" lab up --bare
ok "is whole" on rec1 dig +norec @192.0.2.12 google.com
kill -9 "$(owner rec2)"
lab up --bare > /dev/null
ok "up repairs a lab with a dead host" on rec2 true
ok "down at last" lab down
is "$(left_behind)" "" "and nothing is left at last"
done_testing
