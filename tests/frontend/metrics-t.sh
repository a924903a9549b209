#!/bin/bash
# SPDX-License-Identifier: ISC
# The metrics page of a running frontend: valid for promtool, no series twice,
# and every name of dnsdist's that a board for plain DNS may use. Not there,
# since there is nothing to count: doh_*, doq, dot, tls*, dnscrypt,
# *cross_protocol*, tcp_query_pipe_full (no pipes), proxy_protocol_invalid,
# tcpgaveup (no limit on tries over TCP), tcpavgreadios, tcpwritetimeouts,
# tcptoomanyconcurrentconnections (one connection per worker and backend).
set -u
fe=$ISPDNS_BUILDDIR/ispdns-frontend
stub=$ISPDNS_BUILDDIR/tests/frontend/stub
dir=$(mktemp -d /tmp/ispdns-metrics-t.XXXXXX)
pid= stub_pid=
cleanup() {
	[ -n "$pid" ] && kill -9 "$pid" 2> /dev/null
	[ -n "$stub_pid" ] && kill -9 "$stub_pid" 2> /dev/null
	wait 2> /dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
n=0
ok() { # STATUS WHAT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
wait_for() { # COMMAND...: at most 10 s
	for _ in $(seq 500); do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.02
	done
	return 1
}
command -v dig > /dev/null || { echo "1..0 # SKIP no dig"; exit 0; }

ask() { "$fe" --control "$dir/c.sock" "$@" 2>&1; }
query() { dig +tries=1 +timeout=2 -p "$base" @127.0.0.1 "$@" > /dev/null 2>&1; }
page() {
	exec 3<> "/dev/tcp/127.0.0.1/$((base + 2))" || return 1
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	sed '1,/^\r*$/d' <&3 > "$dir/page"
	exec 3<&- 3>&-
}
r1_is_up() { ask show servers --json | grep -q '"state": "up"'; }
start() {
	for _ in 1 2 3 4 5; do
		base=$((20000 + RANDOM % 20000))
		"$stub" "127.0.0.1:$((base + 1))" > /dev/null 2>&1 &
		stub_pid=$!
		cat > "$dir/f.yaml" <<-END
		listen: ["127.0.0.1:$base", "127.0.0.1:$((base + 3))"]
		pools:
		  rec: {backends: [{name: r1.test, address: "127.0.0.1:$((base + 1))", check: {name: t., interval: 100ms}}]}
		  other: {backends: [{name: r1.test, address: "127.0.0.1:$((base + 1))", check: {name: t., interval: 100ms}}]}
		rules: [{name: one, suffix: [blocked.test.], action: refuse}]
		routes: [{suffix: other.test, pool: other}]
		default_pool: rec
		metrics: {listen: "127.0.0.1:$((base + 2))"}
		ha: {socket: $dir/ha.sock}
		END
		"$fe" --config "$dir/f.yaml" --control "$dir/c.sock" \
			> "$dir/log" 2>&1 &
		pid=$!
		wait_for r1_is_up && return 0
		kill -9 "$pid" "$stub_pid" 2> /dev/null
	done
	sed 's/^/# /' "$dir/log"
	echo "Bail out! the frontend does not start"
	exit 255
}

start
query a.test
query a.test
query +tcp b.test
query c.other.test
query +notcp any a.test
value() { sed -n "s/^$1 //p" "$dir/page"; }
addr="127.0.0.1:$base"
# What a worker counted is published within 20 ms, averages within 100.
counted() {
	page && [ "$(value dnsdist_latency_avg100)" != 0 ] &&
		[ "$(value "dnsdist_frontend_tcpavgqueriesperconnection{frontend=\"$addr\",proto=\"TCP\",thread=\"0\"}")" = 1 ]
}
wait_for counted
ok $? "averages follow"

if command -v promtool > /dev/null; then
	promtool check metrics < "$dir/page" > "$dir/lint" 2>&1
	ok $? "the page is valid for promtool"
	sed 's/^/# /' "$dir/lint"
else
	ok 0 "the page is valid # SKIP no promtool"
fi
[ -z "$(grep -v '^#' "$dir/page" | sed 's/ [^ ]*$//' | sort | uniq -d)" ]
ok $? "no series twice, though a backend is in two pools"
[ -z "$(grep '^# TYPE' "$dir/page" | sort | uniq -d)" ]
ok $? "no family twice"

names() { # PREFIX NAME...
	local prefix=$1 name
	shift
	for name; do
		grep -q "^dnsdist_$prefix$name[ {]" "$dir/page"
		ok $? "dnsdist_$prefix$name"
	done
}
names '' responses servfail_responses queries frontend_nxdomain \
	frontend_servfail frontend_noerror acl_drops rule_drop rule_nxdomain rule_refused \
	rule_servfail rule_truncated self_answered downstream_timeouts \
	downstream_send_errors trunc_failures no_policy latency0_1 \
	latency1_10 latency10_50 latency50_100 latency100_1000 latency_slow \
	noncompliant_queries noncompliant_responses rdqueries empty_queries \
	cache_hits cache_misses cpu_iowait cpu_user_msec cpu_steal \
	cpu_sys_msec udp_in_errors udp_noport_errors udp_recvbuf_errors \
	udp_sndbuf_errors udp_in_csum_errors tcp_listen_overflows \
	dyn_blocked dyn_block_nmg_size rule_hits
if [ -e /proc/net/snmp6 ]; then
	names '' udp6_in_errors udp6_recvbuf_errors udp6_sndbuf_errors \
		udp6_noport_errors udp6_in_csum_errors
fi
names '' latency_avg100 latency_avg1000 latency_avg10000 latency_avg1000000 \
	latency_tcp_avg100 latency_tcp_avg1000 latency_tcp_avg10000 \
	latency_tcp_avg1000000 uptime real_memory_usage fd_usage \
	security_status info latency_bucket latency_sum latency_count
names server_ status queries responses noncompliantresponses drops latency \
	tcplatency senderrors outstanding order weight tcpdiedreadingresponse \
	tcpconnecttimeouts tcpreadtimeouts tcpcurrentconnections \
	tcpmaxconcurrentconnections tcpnewconnections tcpreusedconnections \
	tcpavgqueriesperconn tcpavgconnduration healthcheckfailures \
	healthcheckfailuresparsing healthcheckfailurestimeout \
	healthcheckfailuresnetwork healthcheckfailuresmismatch \
	healthcheckfailuresinvalid healthchecklatency \
	healthchecklatency_histo_bucket
names frontend_ queries noncompliantqueries responses tcpdiedreadingquery \
	tcpdiedsendingresponse tcpclienttimeouts tcpdownstreamtimeouts \
	tcpcurrentconnections tcpmaxconcurrentconnections \
	tcpavgqueriesperconnection tcpavgconnectionduration
names pool_ servers active_servers cache_size cache_entries cache_hits \
	cache_misses cache_deferred_inserts cache_deferred_lookups \
	cache_lookup_collisions cache_insert_collisions cache_ttl_too_shorts \
	cache_cleanup_count_total

is() { # SERIES VALUE WHAT
	local got
	got=$(value "$1")
	[ "$got" = "$2" ]
	ok $? "$3"
	[ "$got" = "$2" ] || echo "# $1 is $got, not $2"
}
is dnsdist_queries 5 "five queries"
is dnsdist_cache_hits 1 "one hit"
is dnsdist_rule_drop 1 "one dropped by a rule"
is "dnsdist_server_queries{server=\"r1_test\",address=\"127.0.0.1:$((base + 1))\"}" \
	3 "a backend's questions in both pools, its name without dots"
is "dnsdist_frontend_queries{frontend=\"$addr\",proto=\"UDP\",thread=\"0\"}" \
	4 "by address and protocol: UDP"
is "dnsdist_frontend_queries{frontend=\"$addr\",proto=\"TCP\",thread=\"0\"}" \
	1 "TCP"
is "dnsdist_frontend_responses{frontend=\"$addr\",proto=\"UDP\",thread=\"0\"}" \
	3 "answers"
is "dnsdist_frontend_queries{frontend=\"127.0.0.1:$((base + 3))\",proto=\"UDP\",thread=\"0\"}" \
	0 "none at the other"
is 'dnsdist_pool_servers{pool="other"}' 1 "pools"
query -p $((base + 3)) d.test
sed -i "s/^listen: .*/listen: [\"127.0.0.1:$((base + 3))\"]/" "$dir/f.yaml"
ask reload > /dev/null
page
is "dnsdist_frontend_queries{frontend=\"127.0.0.1:$((base + 3))\",proto=\"UDP\",thread=\"0\"}" \
	1 "the counts of an address that stays go on"
grep -q "frontend=\"$addr\"" "$dir/page"
[ $? -ne 0 ]
ok $? "one that is gone is not shown"
echo "1..$n"
