#!/bin/bash
# SPDX-License-Identifier: ISC
# Zone transfers, NOTIFY and UPDATE through the real frontend: NSD as primary
# and as secondary, dig, ldns-notify, and nsupdate against Knot. On a loopback
# of its own.
if [ -z "${TRANSFER_TEST_NETNS:-}" ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -n true 2> /dev/null; then
		echo "1..0 # SKIP needs root and network namespaces"
		exit 0
	fi
	TRANSFER_TEST_NETNS=1 exec unshare -n "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
need nsd dig ip ldns-notify jq
ip link set lo up
PATH=$PATH:/usr/sbin

frontend=$ISPDNS_BUILDDIR/ispdns-frontend
[ -x "$frontend" ] || bail "run make first"
secret=pRP5FapFoJ95JEL06sv4PQ==
pids=()

cleanup() {
	local p status=$?
	for p in "${pids[@]}"; do
		kill -KILL "$p" 2> /dev/null
	done
	(exit $status) # what lab_cleanup ends with
	lab_cleanup
}
trap cleanup EXIT

start() { # NAME COMMAND...
	local name=$1
	shift
	"$@" > "$work/$name.log" 2>&1 &
	pids+=($!)
	eval "pid_$name=$!"
	disown $!
}

fe() { "$frontend" --control "$work/fe1.sock" "$@"; }
stat() { fe stats --json | jq -r --arg n "$1" '.[$n]'; }
at() { # PORT ARGUMENTS...: dig's answer alone
	local port=$1
	shift
	dig @127.0.0.1 -p "$port" +tries=1 +time=10 +noall +answer "$@" 2>&1
}
serial() { at "$1" +short "$2" SOA | awk '{ print $3 }'; } # PORT ZONE
has_serial() { [ "$(serial "$1" "$2")" = "$3" ]; }

# ---- zones and servers ----

zone() { # NAME SERIAL
	cat <<-END
	\$TTL 3600
	@ SOA ns.$1. hostmaster.$1. $2 3600 600 86400 60
	@ NS ns.$1.
	ns A 192.0.2.1
	END
}

big_zone() {
	zone big.lab 1
	seq 50000 | awk '{ printf "host%d A 10.%d.%d.%d\n", $1,
		$1 / 65536, $1 / 256 % 256, $1 % 256 }'
}

inc_zone() { # SERIAL
	zone inc.lab "$1"
	seq 300 | awk '{ printf "h%d A 192.0.2.2\n", $1 }'
	echo "changed A 192.0.2.$1"
}

nsd_conf() { # NAME PORT
	mkdir -p "$work/$1"
	cat <<-END
	server:
	  ip-address: 127.0.0.1@$2
	  server-count: 1
	  username: ""
	  chroot: ""
	  database: ""
	  zonesdir: "$work/$1"
	  pidfile: ""
	  xfrdfile: "$work/$1/xfrd"
	  xfrdir: "$work/$1"
	  zonelistfile: "$work/$1/zones"
	  logfile: "$work/$1.nsd"
	  xfrd-reload-timeout: 0
	  verbosity: 1
	remote-control:
	  control-enable: no
	key:
	  name: "k."
	  algorithm: hmac-sha256
	  secret: "$secret"
	END
}

nsd_zone() { # NAME LINE...
	printf 'zone:\n  name: %s\n  zonefile: %s.zone\n' "$1" "$1"
	shift
	printf '  %s\n' "$@"
}

primary_conf() {
	nsd_conf primary 5401
	nsd_zone big.lab "provide-xfr: 127.0.0.1 NOKEY"
	nsd_zone inc.lab "provide-xfr: 127.0.0.1 k." "store-ixfr: yes" \
		"create-ixfr: yes"
	nsd_zone shut.lab
}

secondary_conf() {
	nsd_conf secondary 5403
	nsd_zone inc.lab "request-xfr: 127.0.0.1@5300 k." \
		"allow-notify: 127.0.0.1 k."
}

frontend_conf() {
	cat <<-END
	workers: 1
	listen: ["127.0.0.1:5300"]
	acl: {allow: [127.0.0.0/8]}
	ha: {socket: $work/ha.sock}
	default_pool: auth
	pools:
	  auth: {backends: [{name: p, address: "127.0.0.1:5401", check: {enabled: false}}]}
	  dyn: {kind: auth, backends: [{name: d, address: "127.0.0.1:5402", check: {enabled: false}}]}
	routes:
	  - {suffix: big.lab., pool: auth, allow_transfer: [127.0.0.1]}
	  - {suffix: inc.lab., pool: auth, allow_transfer: [127.0.0.1]}
	  - {suffix: shut.lab., pool: auth, allow_transfer: [127.0.0.1]}
	  - {suffix: dyn.lab., pool: dyn, allow_transfer: [127.0.0.1], allow_update: [127.0.0.1]}
	END
}

# In front of the secondary.
frontend2_conf() {
	cat <<-END
	workers: 1
	listen: ["127.0.0.1:5310"]
	acl: {allow: [127.0.0.0/8]}
	ha: {socket: $work/ha.sock}
	default_pool: auth
	pools:
	  auth: {backends: [{name: s, address: "127.0.0.1:5403", check: {enabled: false}}]}
	routes:
	  - {suffix: inc.lab., pool: auth, allow_notify: [127.0.0.1]}
	END
}

primary_conf > "$work/primary.conf"
secondary_conf > "$work/secondary.conf"
frontend_conf > "$work/fe1.yaml"
frontend2_conf > "$work/fe2.yaml"
big_zone > "$work/primary/big.lab.zone"
inc_zone 1 > "$work/primary/inc.lab.zone"
zone shut.lab 1 > "$work/primary/shut.lab.zone"
start primary nsd -d -c "$work/primary.conf"
start fe1 "$frontend" --config "$work/fe1.yaml" --control "$work/fe1.sock"
start fe2 "$frontend" --config "$work/fe2.yaml" --control "$work/fe2.sock"
wait_for 10 has_serial 5300 big.lab 1 && wait_for 5 test -S "$work/fe2.sock" || {
	diag "$(cat "$work"/*.log "$work"/*.nsd)"
	bail "primary or frontend does not come up"
}

# ---- a zone of 50,000 records ----

at 5401 big.lab AXFR > "$work/direct"
at 5300 big.lab AXFR > "$work/through"
is "$(grep -c . "$work/through")" 50004 "AXFR of 50,000 A, SOA twice, NS"
ok "the same as asked directly" cmp "$work/direct" "$work/through"
at_least "$(stat transfer_messages_total)" 20 "of many messages"
is "$(stat 'transfers_ended_total{reason="done"}')" 1 "counted as done"
for i in 1 2 3 4; do
	at 5300 big.lab AXFR > "$work/through$i" &
	jobs[i]=$!
done
wait "${jobs[@]}"
ok "four at one time" cmp "$work/through1" "$work/through4"
ok "each whole" cmp "$work/through2" "$work/direct"
dig @127.0.0.1 -p 5300 +noall +answer big.lab AXFR > "$work/slow" &
job=$!
kill -STOP "$job"
is "$(at 5300 +short ns.big.lab A)" 192.0.2.1 "queries are answered meanwhile"
kill -CONT "$job"
wait "$job"
ok "one that stopped for a while is whole" cmp "$work/slow" "$work/direct"
out=$(dig @127.0.0.1 -p 5300 +tries=1 +time=5 -b 127.0.0.2 big.lab AXFR 2>&1)
like "$out" "Transfer failed" "from elsewhere: refused"
like "$(fe show rules)" "transfer-source +refuse +1" "and counted"
out=$(dig @127.0.0.1 -p 5300 +tries=1 +time=5 +nocookie shut.lab AXFR 2>&1)
like "$out" "Transfer failed" "what the primary refuses is refused"
like "$(fe show transfers)" "axfr +7" "show transfers"

# ---- TSIG, IXFR, and a secondary behind it all ----

key=(-y "hmac-sha256:k.:$secret")
at 5401 "${key[@]}" inc.lab AXFR | sort > "$work/direct"
at 5300 "${key[@]}" inc.lab AXFR | sort > "$work/through"
like "$(head -1 "$work/through")" "inc.lab" "AXFR with TSIG, verified by dig"
unlike "$(cat "$work/through")" "TSIG|verif|fail" "no complaint about it"
is "$(grep -c ' A ' < <(tr '\t' ' ' < "$work/through"))" 302 "all of it"
out=$(dig @127.0.0.1 -p 5300 +tries=1 -y "hmac-sha256:k.:aaaa" inc.lab AXFR 2>&1)
like "$out" "Transfer failed|BADSIG|NOTAUTH" "a wrong key: the primary says no"
start secondary nsd -d -c "$work/secondary.conf"
ok "a secondary takes the zone through the frontend" \
	wait_for 10 has_serial 5403 inc.lab 1
inc_zone 2 > "$work/primary/inc.lab.zone"
kill -HUP "$pid_primary"
wait_for 5 has_serial 5401 inc.lab 2
out=$(ldns-notify -p 5310 -z inc.lab -y "k.:$secret:hmac-sha256" 127.0.0.1 2>&1)
like "$out" "^;; flags: qr aa" "NOTIFY with TSIG through the other one"
ok "the secondary hears it, and takes the change" \
	wait_for 10 has_serial 5403 inc.lab 2
is "$(at 5403 +short changed.inc.lab A)" 192.0.2.2 "which it serves"
at_least "$(stat 'transfers_total{type="ixfr"}')" 1 "it asked for IXFR"
at 5401 "${key[@]}" +tcp inc.lab IXFR=1 | sort > "$work/direct"
at 5300 "${key[@]}" +tcp inc.lab IXFR=1 | sort > "$work/through"
ok "IXFR over TCP as directly" cmp "$work/direct" "$work/through"
at_most "$(grep -c . "$work/through")" 20 "the difference only"
at 5401 "${key[@]}" +notcp inc.lab IXFR=1 | sort > "$work/direct"
at 5300 "${key[@]}" +notcp inc.lab IXFR=1 | sort > "$work/through"
ok "IXFR over UDP as directly" cmp "$work/direct" "$work/through"
at_least "$(stat 'relayed_total{what="ixfr-udp"}')" 1 "and counted"
is "$(at 5300 "${key[@]}" +tcp inc.lab IXFR=2 | wc -l)" 1 \
	"IXFR of the last serial: one SOA"

# ---- UPDATE ----

knot_conf() {
	cat <<-END
	server:
	  listen: 127.0.0.1@5402
	  rundir: $work/knot
	database:
	  storage: $work/knot
	log:
	  - target: stdout
	    any: warning
	key:
	  - id: k.
	    algorithm: hmac-sha256
	    secret: $secret
	acl:
	  - id: update
	    key: k.
	    action: [update, transfer]
	zone:
	  - domain: dyn.lab
	    storage: $work/knot
	    file: dyn.lab.zone
	    acl: update
	END
}

update() { # NSUPDATE'S OPTIONS...
	printf '%s\n' "server 127.0.0.1 5300" "zone dyn.lab" \
		"prereq nxdomain $name.dyn.lab" \
		"update add $name.dyn.lab 60 A 192.0.2.77" send |
		nsupdate -t 5 -u 5 -r 0 "$@" 2>&1
}

if command -v knotd > /dev/null && command -v nsupdate > /dev/null; then
	mkdir -p "$work/knot"
	zone dyn.lab 1 > "$work/knot/dyn.lab.zone"
	knot_conf > "$work/knot.conf"
	start knot knotd -c "$work/knot.conf"
	wait_for 10 has_serial 5402 dyn.lab 1 || diag "$(cat "$work/knot.log")"
	name=one
	is "$(update "${key[@]}")" "" "UPDATE over UDP with TSIG"
	is "$(at 5402 +short one.dyn.lab A)" 192.0.2.77 "is in the zone"
	name=two
	is "$(update -v "${key[@]}")" "" "UPDATE over TCP"
	is "$(at 5402 +short two.dyn.lab A)" 192.0.2.77 "is in the zone"
	like "$(update "${key[@]}")" "YXDOMAIN" "the same again: YXDOMAIN"
	name=three
	like "$(update)" "REFUSED|NOTAUTH" "without the key: the primary says no"
	is "$(stat 'relayed_total{what="update"}')" 4 "each sent once, counted"
	like "$(at 5300 "${key[@]}" dyn.lab AXFR)" "two.dyn.lab" \
		"AXFR from Knot, verified by dig"
else
	skip 8 "no knotd here (package knot)"
fi

# ---- the end ----

unlike "$(cat "$work"/fe?.log)" "error:|Sanitizer" "no complaint in the log"
for p in fe1 fe2; do
	eval "kill -TERM \$pid_$p"
	ok "$p ends" wait_for 5 eval "test ! -e /proc/\$pid_$p"
done
done_testing
