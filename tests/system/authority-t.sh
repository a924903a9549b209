#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-authority with the installed NSD, in a network namespace of its own:
# changes by prepare and commit, refused ones, deaths and restarts.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need_root
need nsd nsd-checkzone nsd-checkconf dig jq unshare ip setpriv
if [ -z "${ISPDNS_IN_NETNS:-}" ]; then
	unshare -n true 2>/dev/null || skip_all "no network namespaces here"
	rm -rf "$work"
	ISPDNS_IN_NETNS=1 exec unshare -n -m "$0"
fi
ip link set lo up

auth=$ISPDNS_BUILDDIR/ispdns-authority
[ -x "$auth" ] || bail "run make first"
server=127.0.0.1
pid=
end() {
	umount "$work/small" 2>/dev/null
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	lab_cleanup
}
trap end EXIT

# --- helpers ---
gen=$work/gen   # what the agent would write: gen/N/authority.yaml, zones/
n=0             # the newest generation written
ask() { "$auth" --control "$work/c.sock" "$@" 2>&1; }
status() { ask status --json | jq -r "$1"; }
soa() { # ZONE [DIG OPTION...]: serial
	local zone=$1
	shift
	dig +norec +time=1 +tries=1 +short "@$server" "$@" "$zone" SOA |
		cut -d' ' -f3
}
rcode() { # DIG ARGUMENTS: rcode
	dig +time=1 +tries=1 "@$server" "$@" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'
}
serial_is() { [ "$(soa "$1")" = "$2" ]; }
nsd_pid() { status .nsd.pid; }
zone() { # FILE SERIAL ADDRESS
	printf '$TTL 60\n@ SOA ns h %s 60 60 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A %s\n' \
		"$2" "$3" > "$1"
}
# begin N: an empty generation; add NAME SERIAL ADDRESS; finish writes it.
begin() {
	n=$1
	mkdir -p "$gen/$n/zones"
	zones=
}
add() {
	zone "$gen/$n/zones/$1.zone" "$2" "$3"
	entry "$1" "$2" "$(sha256sum < "$gen/$n/zones/$1.zone" | cut -d' ' -f1)"
}
entry() { # NAME SERIAL SHA
	zones="$zones
  - {name: $1., file: zones/$1.zone, serial: $2, sha256: \"$3\"}"
}
finish() {
	cat > "$gen/$n/authority.yaml" <<-END
	listen: ["127.0.0.1:53", "[::1]:53"]
	state: $work/state
	metrics: {listen: "127.0.0.1:8085"}
	${1:-}
	zones: ${zones:-[]}
	END
}
prepare() { ask prepare config="$gen/$n/authority.yaml" generation="$n"; }
commit() { ask commit generation="$n"; }
start() {
	"$auth" --log-level debug --config "${1:-$gen/$n/authority.yaml}" \
		--control "$work/c.sock" 2>> "$work/log" &
	pid=$!
	wait_for 20 ask status
}
ready() { [ "$(status .state)" = running ]; }
is_serving() { [ "$(status .serving)" = true ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# --- start empty ---
begin 1
finish
start
ok "comes up with no zone" wait_for 20 ready
is "$(soa health.ispdns.invalid)" 1 "the health zone tells the generation"
is "$(rcode example.com A)" REFUSED "a foreign name is refused"
is "$(status .nsd.state)" up "status knows that NSD is up"

# --- add, change, delete ---
begin 2
add one.test 10 192.0.2.10
add two.test 20 192.0.2.20
finish
ok "prepare" prepare
is "$(rcode one.test SOA)" REFUSED "prepare has no effect"
ok "commit" commit
is "$(soa one.test) $(soa two.test +tcp) $(server=::1 soa one.test)" "10 20 10" \
	"when commit returns they are served: UDP, TCP, IPv6"
is "$(soa health.ispdns.invalid)" 2 "health serial"
before=$(nsd_pid)
begin 3
add one.test 11 192.0.2.11
add three.test 30 192.0.2.30
finish
ok "a change, an addition and a deletion: prepare" prepare
ok "commit" commit
is "$(dig +short "@$server" www.one.test)" 192.0.2.11 "changed"
is "$(soa three.test)" 30 "added"
is "$(rcode two.test SOA)" REFUSED "deleted"
is "$(nsd_pid)" "$before" "by the same NSD process"
is "$(ask zones --json | jq -c '[.zones[] | [.name, .serial]]')" \
	'[["health.ispdns.invalid.",3],["one.test.",11],["three.test.",30]]' \
	"the zones verb tells the same"
reads=$(grep -c "zone one.test read" "$work/log")
begin 4
add one.test 11 192.0.2.11
add three.test 31 192.0.2.31
finish
prepare > /dev/null
ok "commit" commit
is "$(stat -c %h "$work/state/current/one.test.zone")" 2 \
	"an unchanged file is a link of the one before"
is "$(grep -c "zone one.test read" "$work/log")" "$reads" \
	"and is not read again"

# --- bad ones ---
refused() { # DESCRIPTION REGEX
	local out
	out=$(prepare)
	is "$?" 1 "refused: $1"
	like "$out" "$2" "and says why"
	is "$(soa one.test) $(soa three.test) $(status .generation)" "11 31 4" \
		"what runs is untouched"
}
begin 5
add one.test 12 192.0.2.12
add three.test 32 192.0.2.999
finish
refused "a bad address in one of two zones" \
	'three\.test\.: .*three\.test\.zone:5: '
begin 5
add one.test 12 192.0.2.12
entry three.test 32 "$(printf '0%.0s' $(seq 64))"
finish
refused "another sha256" 'three\.test.*sha256'
begin 5
zone "$gen/5/zones/one.test.zone" 12 192.0.2.12
cp "$gen/5/zones/one.test.zone" "$work/whole"
sha=$(sha256sum < "$work/whole" | cut -d' ' -f1)
head -c -2 "$work/whole" > "$gen/5/zones/one.test.zone"
entry one.test 12 "$sha"
finish
refused "a file cut short" 'the file is damaged'
begin 5
add one.test 12 192.0.2.12
zones=${zones/serial: 12/serial: 13}
finish
refused "another serial than told" 'serial is 12, not 13'
begin 5
printf '@ 60 IN SOA ns h 12 1 1 1 1\n@ 60 IN NS ns\nns 60 IN A 192.0.2.1\n$INCLUDE /etc/passwd\n' \
	> "$gen/5/zones/one.test.zone"
entry one.test 12 "$(sha256sum < "$gen/5/zones/one.test.zone" | cut -d' ' -f1)"
finish
refused "\$INCLUDE" 'one\.test'
begin 5
printf '@ 60 IN NS ns\n' > "$gen/5/zones/one.test.zone"
entry one.test 12 "$(sha256sum < "$gen/5/zones/one.test.zone" | cut -d' ' -f1)"
finish
refused "no SOA" 'one\.test.*SOA'
rm "$gen/5/zones/one.test.zone"
refused "a missing file" 'one\.test.*cannot open'
begin 5
add one.test 12 192.0.2.12
zones="$zones$zones"
finish
refused "a zone twice" 'twice, first in line'
begin 5
finish "nonsense: 1"
refused "an unknown key" 'authority.yaml:[0-9]+: nonsense: unknown key'
is "$(ls -d "$work"/state/gen/*.tmp 2>/dev/null)" "" "no unfinished tree is left"

# --- proof and roll back: NSD cannot bind what the new configuration wants ---
before=$(nsd_pid)
begin 6
add one.test 13 192.0.2.13
finish
sed -i 's/\[::1\]:53/[2001:db8::53]:53/' "$gen/6/authority.yaml"
ok "prepare with an address that is not here" prepare
not "commit fails" commit
is "$(soa one.test) $(soa three.test) $(status .generation)" "11 31 4" \
	"and the old zones are served again"
is "$(server=::1 soa one.test)" 11 "on the old addresses"

# --- another NSD setting: a restart that is proven ---
begin 7
add one.test 14 192.0.2.14
finish "tcp: {count: 77}"
prepare > /dev/null
ok "commit that restarts NSD" commit
is "$(soa one.test) $(rcode three.test SOA)" "14 REFUSED" "is served"
unlike "$(nsd_pid)" "^$before\$" "by another process"

# --- what NSD must not do ---
like "$("$(dirname "$(command -v nsd || echo /usr/sbin/nsd)")"/nsd-checkconf -v \
	"$work/state/current/nsd.conf")" 'rrl-ratelimit: 0' \
	"rate limiting is off in nsd.conf"
lost=0
for _ in $(seq 20); do
	out=$(for _ in $(seq 100); do echo www.one.test; done |
		dig +norec +time=1 +tries=1 "@$server" -f /dev/stdin +short | wc -l)
	lost=$((lost + 100 - out))
done
is "$lost" 0 "2000 questions from one address: all are answered"
is "$(rcode CH TXT version.bind)" REFUSED "its version is hidden"
is "$(rcode CH TXT id.server)" REFUSED "its name is hidden"
flags=$(dig +time=1 "@$server" www.example.org | grep ';; flags:')
unlike "$flags" ' ra[ ;]' "it does not offer recursion"
is "$(rcode www.example.org)" REFUSED "and does none"
is "$(dig +time=1 +tries=1 "@$server" one.test AXFR | grep -c 'SOA')" 0 \
	"no transfer to a stranger"

# --- deaths ---
before=$(nsd_pid)
restarts=$(status .nsd.restarts)
kill -9 "$before"
ok "NSD killed: restarted and serving" wait_for 20 serial_is one.test 14
ok "status sees it" wait_for 20 is_serving
unlike "$(nsd_pid)" "^$before\$" "by a new process"
is "$(status .nsd.restarts)" $((restarts + 1)) "counted"
begin 8
add one.test 15 192.0.2.15
finish
prepare > /dev/null
ok "a change after that" commit
before=$(nsd_pid)
kill -9 "$pid"
wait "$pid" 2>/dev/null
ok "supervisor killed: NSD ends too" wait_for 20 gone "$before"
mv "$gen/8/zones" "$gen/8/zones.away"
start
ok "restart serves from its own disk, the sources gone" \
	wait_for 20 serial_is one.test 15
ok "and is ready" wait_for 20 ready
is "$(status .served_generation)" 8 "of the same generation"
mv "$gen/8/zones.away" "$gen/8/zones"

# a tree that was switched to but never proven is checked again
kill -TERM "$pid"
wait "$pid"
is "$?" 0 "clean stop"
not "and NSD is gone" pgrep -f "nsd -d -c $work/state"
cur=$(readlink "$work/state/current")
cp -r "$work/state/$cur" "$work/state/gen/999"
rm "$work/state/gen/999/good"
printf 'rubbish\n' > "$work/state/gen/999/one.test.zone"
ln -sfn gen/999 "$work/state/current"
start
ok "an unproven tree with a broken file is not served" \
	wait_for 20 serial_is one.test 15

# damaged file of a good tree: made anew from the source
kill -TERM "$pid"
wait "$pid"
cur=$(readlink "$work/state/current")
rm "$work/state/$cur/one.test.zone"
printf 'rubbish\n' > "$work/state/$cur/one.test.zone"
start
ok "a damaged file of a good tree is made anew" \
	wait_for 20 serial_is one.test 15

# the configuration names a broken zone at start: last good zones
kill -TERM "$pid"
wait "$pid"
zone "$work/broken.zone" 99 192.0.2.300
cat > "$work/broken.yaml" <<END
listen: ["127.0.0.1:53", "[::1]:53"]
state: $work/state
zones: [{name: one.test., file: broken.zone}]
END
start "$work/broken.yaml"
ok "a broken zone at start: the last good zones are served" \
	wait_for 20 serial_is one.test 15
like "$(status .degraded)" 'one\.test\.: .*broken\.zone:5: ' \
	"and status says why"
out=$("$auth" --config "$work/broken.yaml" --control "$work/d.sock" 2>&1)
like "$? $out" "^1 .*another ispdns-authority, or its NSD, runs there" \
	"a second one on the same state is refused"
zone "$work/broken.zone" 99 192.0.2.99
ok "mended and reloaded" ask reload
is "$(soa one.test) $(status .degraded)" "99 null" "serves what it should"
before=$(soa health.ispdns.invalid)
reads=$(grep -c 'control cmd: reload' "$work/log")
ok "reloaded without a change" ask reload
is "$(soa health.ispdns.invalid) $(grep -c 'control cmd: reload' "$work/log")" \
	"$before $reads" "NSD has nothing to do"

# --- an NSD that hangs ---
before=$(nsd_pid)
kill -STOP -- "-$before"
ok "NSD stopped dead: it is found out and restarted" \
	wait_for 60 eval '[ "$(nsd_pid)" != $before ] && serial_is one.test 99'

kill -STOP -- "-$(nsd_pid)"
zone "$work/broken.zone" 100 192.0.2.100
begin_s=$(date +%s)
not "NSD stopped dead, then a change: it is refused" ask reload
at_most $(($(date +%s) - begin_s)) 17 "within the time of a roll-out"
is "$(soa one.test)" 99 "and NSD serves as before"

# --- nothing is lost while zones change ---
client=$ISPDNS_BUILDDIR/ispdns-lab-client
if [ -x "$client" ]; then
	"$client" --rate 1000 --seconds 60 --no-rd --name www.one.test. \
		"$server@53" > "$work/load" 2>&1 &
	load=$!
	for i in $(seq 101 115); do
		zone "$work/broken.zone" "$i" "192.0.2.$i"
		ask reload > /dev/null || break
	done
	is "$(soa one.test)" 115 "15 changes under 1000 questions a second"
	kill -TERM $load
	wait $load
	is "$(jq -c '[.sent > 500, .lost, (.rcodes | keys)]' \
		< "$work/load")" '[true,0,["NOERROR"]]' "and none of them is lost"
else
	skip 2 "no ispdns-lab-client here"
fi

# --- drain ---
ok "drain" ask drain
ok "the health zone is gone" wait_for 20 eval \
	'[ "$(rcode health.ispdns.invalid SOA)" = REFUSED ]'
is "$(dig +short "@$server" www.one.test | grep -c .)" 1 \
	"zones are still served"
ok "undrain" ask undrain
ok "the health zone is back" wait_for 20 eval \
	'[ "$(rcode health.ispdns.invalid SOA)" = NOERROR ]'

# --- killed in the middle of a change: all new or all old, never mixed ---
kill -TERM "$pid"
wait "$pid"
whole() { # do both zones tell the same serial, the one of generation N?
	[ "$(soa one.test) $(soa two.test)" = "$((100 + $1)) $((100 + $1))" ]
}
not_whole() {
	mixed=$((mixed + 1))
	diag "$i: $1: one.test $(soa one.test), two.test $(soa two.test)"
	tail -12 "$work/log" | sed 's/^/# /'
}
begin 20
add one.test 120 192.0.2.1
add two.test 120 192.0.2.1
finish
start
ok "two zones" wait_for 20 whole 20
mixed=0
for i in 1 2 3 4 5 6 7 8; do
	begin $((20 + i))
	add one.test $((120 + i)) 192.0.2.1
	add two.test $((120 + i)) 192.0.2.1
	finish
	{ prepare; commit; } > /dev/null &
	both=$!
	sleep "0.0$((i * 7 % 10))$i"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	wait $both
	# the agent starts it with the old or the new generation
	[ $((i % 2)) = 0 ] || n=$((n - 1))
	start
	wait_for 20 whole "$n" || not_whole "restart with $n"
	n=$((20 + i))
	out="$(prepare; commit)"
	whole "$n" || not_whole "then $n: $out"
done
is "$mixed" 0 "8 kills during a change: it comes back whole each time"

# --- NSD dies while it takes a change ---
broken=0
for i in 1 2 3 4; do
	was=$(soa one.test)
	begin $((40 + i))
	add one.test $((140 + i)) 192.0.2.1
	add two.test $((140 + i)) 192.0.2.1
	finish
	prepare > /dev/null
	commit > "$work/out" &
	both=$!
	kill -9 "$(nsd_pid)"
	wait $both
	if [ $? = 0 ]; then was=$((140 + i)); fi
	wait_for 20 eval '[ "$(soa one.test) $(soa two.test)" = "$was $was" ]' ||
		{ broken=$((broken + 1)); diag "$i: $was: $(cat "$work/out")"; }
	wait_for 20 is_serving || broken=$((broken + 1))
done
is "$broken" 0 "4 deaths of NSD during a change: served as commit said"

# --- metrics ---
page() { curl -s "http://127.0.0.1:8085$1"; }
kill -TERM "$pid"
wait "$pid"
begin 8
add one.test 15 192.0.2.15
finish
start
wait_for 20 ready
if command -v curl > /dev/null; then
	page /metrics > /dev/null
	ok "NSD's counters come with the next page" wait_for 20 eval \
		'page /metrics | grep -q "^nsd_queries_total [0-9]"'
	for _ in $(seq 30); do page /metrics > /dev/null; done
	is "$(ask stats --json | jq .nsd_asked)" 1 \
		"30 pages ask NSD once"
	like "$(page /health)" '^ok generation=' "health page"
else
	skip 3 "no curl here"
fi

# --- the disk is full ---
kill -TERM "$pid"
wait "$pid"
pid=
mkdir "$work/small"
mount -t tmpfs -o size=600k tmpfs "$work/small" || bail "no tmpfs"
full() { # SERIAL
	begin 30
	add one.test "$1" 192.0.2.1
	finish
	sed -i "s,^state:.*,state: $work/small," "$gen/30/authority.yaml"
}
full 30
start
ok "serves from a small disk" wait_for 20 serial_is one.test 30
full 31
dd if=/dev/zero of="$work/small/fill" bs=1k > /dev/null 2>&1
out=$(prepare)
is "$?" 1 "full: a change is refused"
like "$out" 'No space left on device' "and says why"
is "$(soa one.test)" 30 "what runs is untouched"
rm "$work/small/fill"
ok "room again: prepare" prepare
ok "and commit" commit
is "$(soa one.test)" 31 "served"
kill -TERM "$pid"
wait "$pid"
pid=

# --- another server has the port ---
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Proto => "udp",
	LocalAddr => "127.0.0.1:53") or die; sleep 600' &
thief=$!
wait_for 20 eval 'ss -lun | grep -q 127.0.0.1:53' || bail "no thief"
start
ok "the port is taken: NSD is tried again and again" \
	wait_for 20 eval '[ "$(status .nsd.state)" = failed ]'
is "$(status .state)" starting "it is not ready"
like "$(tail -20 "$work/log")" "can't bind udp socket .*: Address already in use" \
	"the log says why"
kill "$thief"
ok "the port is free: serves" wait_for 20 ready
kill -TERM "$pid"
wait "$pid"
pid=

# --- the default places of the configuration ---
mkdir "$work/lib"
mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /run &&
	mount -t tmpfs tmpfs /etc || bail "no tmpfs"
state=/var/lib/ispdns
mkdir -p $state/gen/1/zones $state/gen/2/zones /etc/ispdns
for i in 1 2; do
	zone $state/gen/$i/zones/d.zone $i 192.0.2.1
	sha=$(sha256sum < $state/gen/$i/zones/d.zone | cut -d' ' -f1)
	cat > $state/gen/$i/authority.yaml <<-END
	listen: ["127.0.0.1:53"]
	zones: [{name: d.test., file: zones/d.zone, sha256: "$sha"}]
	END
done
default() { # start with no argument, wait for its end or for service
	"$auth" 2>> "$work/log" &
	pid=$!
	wait_for 20 eval 'ready_default || gone $pid'
}
ready_default() {
	[ "$("$auth" status --json 2>/dev/null | jq -r .state)" = running ]
}
running() { "$auth" status --json | jq -c '[.config, .generation]'; }
stop() {
	kill -TERM "$pid"
	wait "$pid"
	pid=
}
"$auth" 2> "$work/out"
is "$?" 1 "no configuration anywhere: ends"
like "$(cat "$work/out")" 'no configuration in /var/lib/ispdns/current, ' \
	"and says where it looked"
printf 'listen: ["127.0.0.1:53"]\n' > /etc/ispdns/authority.yaml
default
is "$(running)" '["/etc/ispdns/authority.yaml",0]' "only /etc: taken"
stop
ln -s gen/1 $state/previous
ln -s gen/2 $state/current
default
is "$(running) $(soa d.test)" \
	'["/var/lib/ispdns/current/authority.yaml",2] 2' "current comes first"
stop
echo nonsense >> $state/gen/2/authority.yaml
default
is "$(running) $(soa d.test)" \
	'["/var/lib/ispdns/previous/authority.yaml",1] 1' \
	"current is bad: previous"
stop
sed -i '$d' $state/gen/2/authority.yaml
rm -r $state/authority
echo 'd.test. A' >> $state/gen/2/zones/d.zone
default
is "$(running) $(soa d.test)" \
	'["/var/lib/ispdns/previous/authority.yaml",1] 1' \
	"a zone of current is bad: previous"
stop

# --- without privileges ---
kill -TERM "$pid"
wait "$pid"
pid=
chmod 755 "$work"
mkdir "$work/un"
chown 65534:65534 "$work/un"
zone "$work/un.zone" 7 192.0.2.7
cat > "$work/un.yaml" <<END
listen: ["127.0.0.1:5353"]
state: $work/un/state
zones: [{name: un.test., file: un.zone}]
END
chmod 644 "$work/un.yaml" "$work/un.zone"
setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
	--bounding-set -all "$auth" --config "$work/un.yaml" \
	--control "$work/un/c.sock" 2>> "$work/log" &
pid=$!
ok "runs as nobody without any privilege" wait_for 20 eval \
	'[ "$(soa un.test -p 5353)" = 7 ]'
kill -TERM "$pid"
wait "$pid"
is "$?" 0 "and stops"
pid=
[ "$tap_failed" = 0 ] || tail -40 "$work/log" | sed 's/^/# /'
done_testing
