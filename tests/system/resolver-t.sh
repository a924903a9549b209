#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-resolver against a small signed Internet: root, example., and below
# it good (signed), bad (signed, one record changed afterwards), plain (not
# signed), served by NSD in one network namespace without a way out.
. "$(dirname "$0")/lib.sh"
need_root
need ip nsd ldns-signzone ldns-keygen dig jq
unshare -n true 2> /dev/null || skip_all "no network namespaces here"
resolver=$ISPDNS_BUILDDIR/ispdns-resolver
[ -x "$resolver" ] || bail "run make first"

ns=res$$
server=10.53.0.10
pids=()

cleanup_all() {
	local p
	for p in "${pids[@]}"; do
		kill -9 "$p" 2> /dev/null
	done
	for p in root tld sld dead; do
		kill -9 $(family $p) 2> /dev/null
	done
	wait 2> /dev/null
	ip netns del "$ns" 2> /dev/null
	[ "$tap_failed" = 0 ] || {
		diag "--- log of the resolver"
		diag "$(tail -n 40 "$work/resolver.log")"
	}
	lab_cleanup
}
trap cleanup_all EXIT

in_ns() { ip netns exec "$ns" "$@"; }

# ---- the Internet ----

# sign ZONE: in $work, NAME.zone -> NAME.zone.signed, DS in ds.ZONE
sign() {
	local zone=$1 file=$2 key
	key=$(cd "$work" && ldns-keygen -k -a ECDSAP256SHA256 "$zone")
	(cd "$work" && ldns-signzone -o "$zone" "$file" "$key") ||
		bail "ldns-signzone $zone"
	cp "$work/$key.ds" "$work/ds.$file"
	cat "$work/$key.key" > "$work/anchor.$file"
}

soa='@ 3600 IN SOA ns hostmaster 1 3600 900 86400 5'

make_zones() {
	local big
	big=$(printf '"%0200d" ' 1 2 3 4 5 6 7 8 9 10 11 12)
	cat > "$work/good" <<-END
		\$ORIGIN good.example.
		$soa
		@ 3600 IN NS ns
		ns 3600 IN A 10.53.0.3
		www 300 IN A 192.0.2.1
		WwW2 300 IN A 192.0.2.2
		alias 300 IN CNAME www
		short 2 IN A 192.0.2.3
		big 300 IN TXT $big
		*.wild 300 IN A 192.0.2.4
	END
	sed 's/good\.example/bad.example/' "$work/good" > "$work/bad"
	sed 's/good\.example/plain.example/' "$work/good" > "$work/plain"
	sed "s/good\.example/dead.example/" "$work/good" > "$work/dead"
	sign good.example. good
	sign bad.example. bad
	sed -i '/^www\.bad\.example\.\s.*\sA\s/s/192\.0\.2\.1/192.0.2.66/' \
		"$work/bad.signed"
	cat > "$work/example" <<-END
		\$ORIGIN example.
		$soa
		@ 3600 IN NS ns
		ns 3600 IN A 10.53.0.2
		good 3600 IN NS ns.good
		ns.good 3600 IN A 10.53.0.3
		bad 3600 IN NS ns.bad
		ns.bad 3600 IN A 10.53.0.3
		plain 3600 IN NS ns.plain
		ns.plain 3600 IN A 10.53.0.3
		dead 3600 IN NS ns.dead
		ns.dead 3600 IN A 10.53.0.4
	END
	cat "$work/ds.good" "$work/ds.bad" >> "$work/example"
	sign example. example
	cat > "$work/root" <<-END
		\$ORIGIN .
		@ 3600 IN SOA ns.root. hostmaster.root. 1 3600 900 86400 5
		@ 3600 IN NS ns.root.
		ns.root. 3600 IN A 10.53.0.1
		example. 3600 IN NS ns.example.
		ns.example. 3600 IN A 10.53.0.2
	END
	cat "$work/ds.example" >> "$work/root"
	sign . root
	printf '. 3600 IN NS ns.root.\nns.root. 3600 IN A 10.53.0.1\n' \
		> "$work/hints"
}

# start_nsd NAME ADDRESS ZONE=FILE...
start_nsd() {
	local name=$1 addr=$2 z
	shift 2
	{
		printf 'server:\n  ip-address: %s\n  port: 53\n' "$addr"
		printf '  username: ""\n  chroot: ""\n  zonesdir: "%s"\n' "$work"
		printf '  pidfile: "%s/%s.pid"\n  database: ""\n' "$work" "$name"
		printf '  xfrdfile: "%s/%s.xfrd"\n' "$work" "$name"
		printf '  zonelistfile: "%s/%s.list"\n' "$work" "$name"
		printf '  server-count: 1\nremote-control:\n'
		printf '  control-enable: no\n'
		for z in "$@"; do
			printf 'zone:\n  name: "%s"\n  zonefile: "%s"\n' \
				"${z%%=*}" "${z#*=}"
		done
	} > "$work/$name.conf"
	ip netns exec "$ns" nsd -d -c "$work/$name.conf" > "$work/$name.log" 2>&1 &
	pids+=($!)
	eval "${name}_pid=$!"
	disown
}

# All processes of an NSD: its forks keep its command line.
family() { pgrep -f -- "nsd -d -c $work/$1.conf"; }
freeze() { kill -STOP $(family "$1"); }
thaw() { kill -CONT $(family "$1"); }

start_internet() {
	local a
	ip netns add "$ns" || bail "ip netns add"
	in_ns ip link set lo up
	for a in 1 2 3 4 10; do
		in_ns ip addr add 10.53.0.$a/32 dev lo
	done
	for a in 1 2 66; do
		in_ns ip addr add 10.53.1.$a/32 dev lo
	done
	make_zones > "$work/make.log" 2>&1
	start_nsd root 10.53.0.1 .=root.signed
	start_nsd tld 10.53.0.2 example.=example.signed
	start_nsd sld 10.53.0.3 good.example.=good.signed \
		bad.example.=bad.signed plain.example.=plain
	start_nsd dead 10.53.0.4 dead.example.=dead
	for a in 10.53.0.1:. 10.53.0.2:example. 10.53.0.3:good.example. \
		10.53.0.4:dead.example.; do
		wait_for 10 soa_there "${a%%:*}" "${a#*:}" ||
			bail "NSD on $a: $(cat "$work"/*.log)"
	done
	freeze dead
}

soa_there() { [ -n "$(ask_at "$1" "$2" SOA +norec +short)" ]; }

# ---- the resolver ----

configure() { # EXTRA-LINES on stdin
	{
		cat <<-END
			workers: 2
			listen: ["$server:53"]
			root_hints: hints
			trust_anchor: anchor.root
			metrics: {listen: "$server:8084"}
		END
		cat
	} > "$work/resolver.yaml"
}

base_config() {
	configure <<-END
		acl: {allow: [10.53.1.0/24, 10.53.0.0/24], deny: [10.53.1.66]}
		cache: {stale_wait: 300ms, failure_ttl: 1s, stale_retry: 1s}
		limits: {deadline: 2s}
	END
}

ctl() { "$resolver" --control "$work/control.sock" "$@"; }

worker_pids() { ctl status --json | jq -r '.workers[].pid'; }

start_resolver() {
	ip netns exec "$ns" "$resolver" --config "$work/resolver.yaml" \
		--control "$work/control.sock" >> "$work/resolver.log" 2>&1 &
	resolver_pid=$!
	pids+=($!)
	wait_for 10 running || bail "the resolver does not start:" \
		"$(cat "$work/resolver.log")"
}

running() { ctl status --json | jq -e '.state == "running"'; }

ask_at() {
	local at=$1
	shift
	in_ns dig @"$at" +tries=1 +time=4 "$@" 2>&1
}
ask() { ask_at "$server" "$@"; }

stat_of() { ctl stats --json | jq -r ".$1"; }

# ---- tests ----

test_recursion() {
	local out
	out=$(ask www.good.example +dnssec)
	like "$out" 'status: NOERROR' "a signed name resolves"
	like "$out" 'flags: qr rd ra ad;' "secure: AD, RA, no AA"
	like "$out" 'RRSIG\s+A 13' "DO brings signatures"
	out=$(ask www.good.example)
	like "$out" 'flags: qr rd ra ad;' "dig asks with AD: AD without DO"
	unlike "$out" RRSIG "no signatures without DO"
	out=$(ask www.good.example +noadflag)
	like "$out" 'flags: qr rd ra;' "nobody asked for AD: none"
	out=$(ask www.good.example +noedns)
	unlike "$out" 'OPT PSEUDOSECTION' "no OPT for who sent none"
	is "$(ask WWW.gOOd.example +noall +question | grep -c WWW.gOOd)" 1 \
		"the question keeps its case"
	out=$(ask alias.good.example)
	like "$out" 'CNAME\s+www.good.example' "an alias"
	like "$out" 'A\s+192.0.2.1' "is followed"
	out=$(ask www.plain.example +dnssec)
	like "$out" 'flags: qr rd ra;' "an unsigned zone: answer without AD"
	out=$(ask nothere.good.example +dnssec)
	like "$out" 'status: NXDOMAIN' "a name that is not there"
	like "$out" 'flags: qr rd ra ad;' "is proven so"
	like "$out" 'NSEC' "with DO the proof comes along"
	out=$(ask nothere.good.example)
	unlike "$out" 'NSEC|RRSIG' "without DO it does not"
	like "$out" 'SOA' "the SOA does"
	out=$(ask a.b.wild.good.example +dnssec)
	like "$out" 'flags: qr rd ra ad;' "a wildcard is secure"
	out=$(ask www.good.example AAAA)
	like "$out" 'NOERROR.*' "no data"
	like "$out" 'ANSWER: 0' "is an empty answer"
}

test_bogus() {
	local out
	out=$(ask www.bad.example +dnssec)
	like "$out" 'status: SERVFAIL' "a changed record: SERVFAIL"
	like "$out" 'EDE: [0-9]+' "with an extended error"
	unlike "$out" '192.0.2.66' "and without the data"
	out=$(ask www.bad.example +cd)
	like "$out" '192.0.2.66' "CD=1 gets them"
	like "$out" 'flags: qr rd ra cd;' "without AD"
	out=$(ask www.bad.example)
	like "$out" 'status: SERVFAIL' "CD=1 has not opened it for others"
	out=$(ask alias.bad.example +dnssec)
	like "$out" 'status: SERVFAIL' "an alias to it is bogus too"
	out=$(ask www2.bad.example)
	like "$out" 'status: NOERROR' "other names of the zone are fine"
}

test_cache() {
	local hits out ttl
	hits=$(stat_of cache_hits)
	out=$(for i in 1 2 3 4 5 6; do
		ask www.good.example +noall +answer
	done)
	is "$(grep -c 192.0.2.1 <<< "$out")" 6 "asked again and again"
	ok "the cache answered all: the kernel steers by name" \
		wait_for 3 more_hits $((hits + 5))
	ttl=$(ask www.good.example +noall +answer | awk '{ print $2 }')
	at_most "$ttl" 300 "TTLs do not grow"
	ok "flush all" ctl flush all
	like "$(ctl flush name www.good.example --json)" flushed "flush name"
	like "$(ctl flush suffix example --json)" flushed "flush suffix"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do # for both workers
		ask www.plain.example > /dev/null
	done
	change_zone 192.0.2.1 192.0.2.9
	like "$(ask www.plain.example)" '192\.0\.2\.1$' \
		"a changed record is not seen before its TTL ends"
	ok "flush its name" ctl flush name www.plain.example
	out=$(for i in 1 2 3 4 5 6; do
		ask www.plain.example +noall +answer
	done)
	is "$(grep -c '192\.0\.2\.9$' <<< "$out")" 6 \
		"then it is: the library has forgotten it too"
	change_zone 192.0.2.9 192.0.2.1
	ok "flush its zone" ctl flush suffix plain.example
	like "$(ask www.plain.example)" '192\.0\.2\.1$' "changed again"
	change_zone 192.0.2.1 192.0.2.7
	ok "flush everything" ctl flush all
	like "$(ask www.plain.example)" '192\.0\.2\.7$' "and again"
	change_zone 192.0.2.7 192.0.2.1
	ctl flush all > /dev/null
	not "flush nonsense" ctl flush everything
	not "flush of what is no name" ctl flush name a..b
}

# Change the address of www.plain.example and have NSD read it.
change_zone() { # OLD NEW
	sed -i "s/^www .*/www 300 IN A $2/" "$work/plain"
	serial=$((${serial:-1} + 1))
	sed -i "s/hostmaster [0-9]*/hostmaster $serial/" "$work/plain"
	kill -HUP "$sld_pid"
	wait_for 10 has_address "$2" || diag "NSD has not read $2"
}
has_address() {
	ask_at 10.53.0.3 www.plain.example +norec +short | grep -qx "$1"
}

more_hits() { [ "$(stat_of cache_hits)" -gt "$1" ]; }

test_sizes() {
	local out
	out=$(ask big.good.example TXT +ignore)
	like "$out" 'flags: qr tc rd ra' "too big for UDP: TC"
	like "$out" 'ANSWER: 0' "and no records"
	out=$(ask big.good.example TXT +tcp)
	like "$out" 'status: NOERROR' "TCP brings it"
	like "$out" 'ANSWER: 1,' "whole"
	out=$(ask big.good.example TXT +ignore +bufsize=4096)
	like "$out" ' tc ' "1232 octets are the bound for UDP"
	out=$(ask www.good.example +tcp +keepopen www2.good.example)
	is "$(grep -c 'status: NOERROR' <<< "$out")" 2 "two on one connection"
}

test_policy() {
	local out
	out=$(ask ch TXT version.bind)
	like "$out" 'status: REFUSED' "CH tells nothing"
	out=$(ask www.good.example ANY +notcp +ignore)
	like "$out" ' tc ' "ANY over UDP: TC"
	out=$(ask www.good.example ANY +tcp)
	like "$out" '192.0.2.1' "ANY over TCP is answered"
	out=$(ask www.good.example +norec)
	like "$out" 'status: REFUSED' "RD=0 is refused"
	out=$(ask good.example AXFR)
	like "$out" 'Transfer failed' "no transfers"
	out=$(ask www.good.example +opcode=NOTIFY)
	like "$out" 'status: NOTIMP' "other opcodes"
	out=$(ask www.good.example +edns=1 +noednsneg)
	like "$out" 'status: BADVERS' "EDNS 1"
	out=$(ask -b 10.53.1.66 www.good.example)
	like "$out" 'status: REFUSED' "a denied source, UDP, cached name"
	like "$out" 'EDE: 18' "is told why"
	out=$(ask -b 10.53.1.66 www.good.example +tcp)
	like "$out" 'status: REFUSED' "a denied source, TCP"
	out=$(ask -b 10.53.1.1 www.good.example)
	like "$out" 'status: NOERROR' "its neighbour is served"
	out=$(ask rec.test)
	unlike "$out" 'flags: qr aa' "names of the library's own have no AA"
}

test_bad_packets() {
	local before
	before=$(stat_of queries_udp)
	# short, QR=1, two questions, an option past the end
	in_ns bash -c "
		exec 3<>/dev/udp/$server/53
		printf 'x' >&3
		printf '\\x01\\x02\\x81\\x00\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\1' >&3
		printf '\\x01\\x02\\x01\\x00\\0\\2\\0\\0\\0\\0\\0\\0\\0\\0\\1\\0\\1\\0\\0\\1\\0\\1' >&3
		printf '\\x01\\x02\\x01\\x00\\0\\1\\0\\0\\0\\0\\0\\1\\0\\0\\1\\0\\1\\0\\0\\x29\\x04\\0\\0\\0\\0\\0\\0\\4\\0\\xa\\0\\x40' >&3
		timeout 1 head -c 24 <&3 | od -An -tx1 | tr -d ' \n'
	" > "$work/bad.out"
	like "$(cat "$work/bad.out")" '^0102[89]..1' \
		"two questions, a broken option: FORMERR"
	wait_for 3 more_than queries_udp $((before + 3))
	at_least "$(stat_of dropped_malformed)" 2 "junk is counted"
	like "$(ask www.good.example)" NOERROR "and does no harm"
}

more_than() { [ "$(stat_of "$1")" -gt "$2" ]; }

# Names whose server is silent; others must not notice.
test_dead() {
	local i out ms
	for i in $(seq 20); do
		printf 'n%d.dead.example A\n' "$i"
	done > "$work/names"
	ip netns exec "$ns" dig @$server +tries=1 +time=4 -f "$work/names" \
		> "$work/dead.out" 2>&1 &
	i=$!
	out=$(ask www.plain.example)
	ms=$(sed -n 's/.*Query time: \([0-9]*\).*/\1/p' <<< "$out")
	at_most "$ms" 500 "a healthy name beside a dead zone, ms"
	out=$(ask one.dead.example)
	like "$out" 'status: SERVFAIL' "a dead zone: SERVFAIL"
	ms=$(sed -n 's/.*Query time: \([0-9]*\).*/\1/p' <<< "$out")
	at_most "$ms" 2900 "at the deadline, ms"
	like "$out" 'EDE: 22' "with EDE 22"
	kill "$i" 2> /dev/null
	wait "$i" 2> /dev/null
}

test_stale() {
	local out
	# every worker must have seen them
	out=$(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		ask short.plain.example +short
		ask short.good.example +short
	done)
	is "$(grep -c '^192.0.2.3$' <<< "$out")" 24 "two names of 2 s"
	freeze sld
	wait_for 10 is_stale short.plain.example
	out=$(cat "$work/stale.out")
	like "$out" '192.0.2.3' "its server is silent: the old answer"
	like "$out" '\s30\s+IN' "with TTL 30"
	like "$out" 'EDE: 3' "and EDE 3"
	wait_for 10 is_stale short.good.example +dnssec
	like "$(cat "$work/stale.out")" 'RRSIG' \
		"with DO the old signatures too"
	thaw sld
	ok "fresh again when it answers" wait_for 40 is_fresh \
		short.plain.example
}

is_stale() {
	ask "$@" > "$work/stale.out"
	grep -q 'EDE: 3' "$work/stale.out"
}
is_fresh() { ask "$1" | grep -q '\s[012]\s*IN\s*A\s'; }

test_crash() {
	local victim old lost start
	old=$(worker_pids | sort)
	victim=$(head -n 1 <<< "$old")
	start=$(date +%s%N)
	kill -9 "$victim"
	ok "a killed worker is replaced" wait_for 3 replaced "$victim"
	at_most $((($(date +%s%N) - start) / 1000000)) 1000 "in ms"
	is "$(ctl status --json | jq .worker_restarts)" 1 "and counted"
	lost=0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		ask "www.good.example" +noall +answer |
			grep -q 192.0.2.1 || lost=$((lost + 1))
	done
	is "$lost" 0 "ten queries, ten answers"
	is "$(kill -0 "$resolver_pid" && echo alive)" alive "the master lives"
	freeze_one=$(worker_pids | head -n 1)
	kill -STOP "$freeze_one"
	ok "one that hangs is replaced too" wait_for 20 replaced "$freeze_one"
}

replaced() {
	ctl status --json | jq -e --argjson old "$1" \
		'(.workers | map(.pid) | index($old) == null) and
		 (.workers | all(.state == "up"))'
}

# Ask without pause while something happens; lost counts the failures.
start_load() {
	ip netns exec "$ns" bash -c "
		while [ ! -e $work/load.stop ]; do
			dig @$server +tries=1 +time=2 +short www.good.example |
				grep -q 192.0.2 && echo ok || echo lost
		done" > "$work/load.out" 2>&1 &
	load_pid=$!
	pids+=($!)
}
stop_load() {
	touch "$work/load.stop"
	wait "$load_pid"
	rm "$work/load.stop"
}

test_reload() {
	local old out
	old=$(worker_pids | sort | tr '\n' ' ')
	start_load
	configure <<-END
		acl: {allow: [10.53.0.0/24, 10.53.1.2], action: drop}
		cache: {stale_wait: 300ms, failure_ttl: 1s, stale_retry: 1s}
		limits: {deadline: 2s}
	END
	ok "reload with another ACL" ctl reload
	is "$(worker_pids | sort | tr '\n' ' ')" "$old" \
		"an ACL needs no new workers"
	out=$(ask -b 10.53.1.1 +time=1 www.good.example)
	like "$out" 'timed out|no servers' "now denied: silence"
	like "$(ask -b 10.53.1.2 www.good.example)" NOERROR "now allowed"
	base_config
	echo 'qname_minimisation: false' >> "$work/resolver.yaml"
	ok "reload with a setting of the library" ctl reload
	unlike "$(worker_pids | sort | tr '\n' ' ')" "$old" \
		"the workers are new"
	echo 'workerz: 3' >> "$work/resolver.yaml"
	not "a wrong key is refused" ctl reload
	like "$(ctl reload 2>&1)" 'resolver.yaml:[0-9]+: .*workerz' \
		"with file and line"
	base_config
	sed -i 's/anchor.root/hints/' "$work/resolver.yaml"
	not "an anchor file without an anchor is refused" ctl reload
	base_config
	sed -i "s/\"$server:53\"/&, \"10.53.0.3:53\"/" "$work/resolver.yaml"
	out=$(ctl reload 2>&1)
	like "$out" 'worker 0: listen on UDP 10.53.0.3:53: Address already' \
		"an address in use is found when it is bound"
	ok "then the old workers go on" replaced 0
	base_config
	ok "back" ctl reload
	stop_load
	at_least "$(grep -c ok "$work/load.out")" 10 "load was there"
	is "$(grep -c lost "$work/load.out")" 0 "and nothing was lost"
}

# More questions for one dead zone, or by one client, than may wait.
test_limits() {
	local i
	base_config
	sed -i 's/deadline: 2s/deadline: 2s, per_zone: 2, per_client: 5/' \
		"$work/resolver.yaml"
	ok "reload with small limits" ctl reload
	freeze tld
	for i in $(seq 60); do
		printf 'm%d.dead.example A\nx.new%d.example A\n' "$i" "$i"
	done > "$work/names"
	split -n l/20 "$work/names" "$work/part."
	pids_before=${#pids[@]}
	for i in "$work"/part.*; do
		ip netns exec "$ns" dig @$server +tries=1 +time=3 -f "$i" \
			> /dev/null 2>&1 &
		pids+=($!)
	done
	ok "a zone has a bound" wait_for 5 more_than over_limit_per_zone 0
	ok "a client has a bound" wait_for 5 more_than over_limit_per_client 0
	thaw tld
	wait "${pids[@]:$pids_before}"
	ok "when it is over nobody waits" wait_for 5 nobody_waits
	base_config
	ok "back" ctl reload
}
nobody_waits() { [ "$(stat_of waiting)" = 0 ]; }

test_two_steps() {
	local out
	base_config
	mkdir -p "$work/gen/7"
	sed "s|: hints|: $work/hints|; s|: anchor|: $work/anchor|; s/workers: 2/workers: 3/" \
		"$work/resolver.yaml" > "$work/gen/7/resolver.yaml"
	ok "prepare" ctl prepare config="$work/gen/7/resolver.yaml" \
		generation=7
	is "$(worker_pids | wc -l)" 2 "nothing has happened yet"
	not "commit of another generation" ctl commit generation=8
	ok "commit" ctl commit generation=7
	is "$(worker_pids | wc -l)" 3 "three workers"
	is "$(ctl status --json | jq .generation)" 7 "generation 7"
	out=$(worker_pids)
	mkdir -p "$work/gen/8"
	cp "$work/anchor.root" "$work/gen/8/root.key"
	sed "s|trust_anchor: .*|trust_anchor: root.key|" \
		"$work/gen/7/resolver.yaml" > "$work/gen/8/resolver.yaml"
	ok "prepare one whose anchor is the same in another file" ctl \
		prepare config="$work/gen/8/resolver.yaml" generation=8
	ok "commit" ctl commit generation=8
	is "$(worker_pids)" "$out" "that needs no new workers"
	ok "prepare again" ctl prepare \
		config="$work/gen/7/resolver.yaml" generation=9
	ok "discard" ctl discard
	not "nothing to commit" ctl commit generation=9
}

test_sandbox() {
	local p out
	for p in $(worker_pids); do
		out=$(cat /proc/"$p"/status)
		like "$out" 'CapEff:\s0000000000000000' "worker: no capability"
		like "$out" 'NoNewPrivs:\s1' "worker: no new privileges"
		grep -q __asan_init "$resolver" ||
			like "$out" 'Seccomp:\s2' "worker: a filter of calls"
		break
	done
	out=$(ls -l /proc/"$p"/fd)
	unlike "$out" 'control.sock|resolver.yaml' "nothing of the master's"
}

page() { # PORT PATH
	in_ns bash -c "
		exec 3<>/dev/tcp/$server/$1 || exit 1
		printf 'GET $2 HTTP/1.1\r\n\r\n' >&3
		cat <&3"
}

test_page() {
	local out
	out=$(page 8084 /metrics)
	like "$out" 'ispdns_resolver_queries_total\{transport="udp"\} [1-9]' \
		"metrics: queries"
	like "$out" 'ispdns_resolver_lookups_total\{state="bogus"\} [1-9]' \
		"metrics: bogus"
	like "$out" 'libunbound="[0-9.]+"' "metrics: the library's version"
	like "$(page 8084 /health)" '200 OK' "health"
	like "$(page 8084 /etc/passwd)" '404 Not Found' "nothing else"
	base_config
	sed -i "s/:8084/:8085/; s/\"$server:53\"/&, \"10.53.0.11:53\"/" \
		"$work/resolver.yaml"
	ok "reload with a second address and another port" ctl reload
	like "$(page 8085 /health)" '200 OK' "the page has moved"
	not "from where it was" page 8084 /health
	in_ns ip addr add 10.53.0.11/32 dev lo
	like "$(ask_at 10.53.0.11 www.good.example)" NOERROR \
		"an address that comes up later answers, UDP"
	like "$(ask_at 10.53.0.11 www.good.example +tcp)" NOERROR "and TCP"
	base_config
	ok "back" ctl reload
	like "$(ask_at 10.53.0.11 www.good.example +time=1)" \
		'refused|no servers|timed out' "an address taken away is silent"
}

test_bad_start() {
	local out
	configure <<< "forward: [{zone: x., to: []}]"
	out=$("$resolver" --check "$work/resolver.yaml" 2>&1)
	like "$out" 'resolver.yaml:6: ' "--check names file and line"
	configure <<< "root_hints2: x"
	not "a wrong key: no start" in_ns timeout 5 "$resolver" --config \
		"$work/resolver.yaml" --control "$work/other.sock"
	base_config
	sed -i "s/$server:53/10.53.0.3:53/" "$work/resolver.yaml"
	out=$(in_ns timeout 10 "$resolver" --config "$work/resolver.yaml" \
		--control "$work/other.sock" 2>&1)
	is $? 1 "an address in use: no start"
	like "$out" 'cannot go on: .*10.53.0.3:53: Address already in use' \
		"with a clear line"
	base_config
	sed -i 's/anchor.root/no-such-file/' "$work/resolver.yaml"
	out=$("$resolver" --check "$work/resolver.yaml" 2>&1)
	like "$out" 'resolver.yaml:4: trust_anchor.*No such file' \
		"a missing file is named"
}

# A restart with a folder for the cache: names are there though their
# servers are silent.
test_restart() {
	local out
	base_config
	mkdir "$work/save"
	sed -i "s|cache: {|&save: $work/save, |" "$work/resolver.yaml"
	ok "reload with a folder for the cache" ctl reload
	for out in www www2 alias ns; do
		ask $out.good.example > /dev/null
	done
	kill -TERM "$resolver_pid"
	wait "$resolver_pid"
	is "$(ls "$work/save" | tr '\n' ' ')" "cache.0 cache.1 " "saved"
	freeze sld
	start_resolver
	out=$(for i in www www2 alias ns; do
		ask $i.good.example +dnssec
	done)
	is "$(grep -c 'status: NOERROR' <<< "$out")" 4 \
		"after a restart all four are answered at once"
	is "$(grep -c 'flags: qr rd ra ad' <<< "$out")" 4 "and secure"
	is "$(grep -c 'EDE' <<< "$out")" 0 "and not as stale"
	kill -TERM "$resolver_pid"
	wait "$resolver_pid"
	echo damaged >> "$work/save/cache.0"
	echo damaged > "$work/save/cache.1"
	start_resolver
	thaw sld
	# each worker reads its own, and says so when it comes to run
	ok "damaged files are told and passed over" wait_for 10 \
		grep -q 'cache: not read: .*cache.[01]: is' "$work/resolver.log"
	like "$(ask www.good.example)" NOERROR "and do no harm"
}

test_stop() {
	kill -TERM "$resolver_pid"
	wait "$resolver_pid"
	is $? 0 "SIGTERM: a clean end"
	not "no process is left" pgrep -f "$work/resolver.yaml"
	unlike "$(cat "$work/resolver.log")" 'Sanitizer|runtime error' \
		"no sanitizer complains"
}

start_internet
base_config
start_resolver
test_recursion
test_bogus
test_cache
test_sizes
test_policy
test_bad_packets
test_dead
test_stale
test_crash
test_reload
test_limits
test_two_steps
test_sandbox
test_page
test_restart
test_stop
test_bad_start
done_testing
