#!/bin/bash
# SPDX-License-Identifier: ISC
# The metrics page of a running frontend: valid for promtool, no series twice,
# and every name of dnsdist's for plain DNS, with its type. What it counts is
# "untyped" here: "counter" asks for a name that ends in _total. Not there: what
# belongs to a DoT, DoH, DoQ or DNSCrypt listener of which there is none.
. "$(dirname "$0")/lib.sh" metrics-t

config() {
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
}
get() { page /metrics > "$dir/page"; }
send() { query "$@" > /dev/null; }

start ''
send a.test
send a.test
send +tcp b.test
send c.other.test
send +notcp any a.test
ask block add 192.0.2.0/24 > /dev/null
ask block add suffix evil.test > /dev/null
value() { sed -n "s/^$1 //p" "$dir/page"; }
addr="127.0.0.1:$base"
# What a worker counted is published within 20 ms, averages within 100.
counted() {
	get && [ "$(value dnsdist_latency_avg100)" != 0 ] &&
		[ "$(value "dnsdist_frontend_tcpavgqueriesperconnection{frontend=\"$addr\",proto=\"TCP\",thread=\"0\"}")" = 1 ]
}
wait_for counted
ok $? "averages follow"

is_valid "$dir/page"
[ -z "$(grep -v '^#' "$dir/page" | sed 's/ [^ ]*$//' | sort | uniq -d)" ]
ok $? "no series twice, though a backend is in two pools"
[ -z "$(grep '^# TYPE' "$dir/page" | sort | uniq -d)" ]
ok $? "no family twice"

is_value() { # SERIES VALUE WHAT
	is "$(value "$1")" "$2" "$3"
}
names() { # TYPE PREFIX NAME...
	local type=$1 prefix=$2 name
	shift 2
	for name; do
		grep -qx "# TYPE dnsdist_$prefix$name $type" "$dir/page" &&
			grep -q "^dnsdist_$prefix$name\(_bucket\)\?[ {]" "$dir/page"
		ok $? "dnsdist_$prefix$name: $type"
	done
}
names untyped '' responses servfail_responses queries frontend_nxdomain \
	frontend_servfail frontend_noerror acl_drops rule_drop rule_nxdomain \
	rule_refused rule_servfail rule_truncated self_answered \
	downstream_timeouts downstream_send_errors trunc_failures no_policy \
	latency0_1 latency1_10 latency10_50 latency50_100 latency100_1000 \
	latency_slow noncompliant_queries noncompliant_responses rdqueries \
	empty_queries cache_hits cache_misses cpu_iowait cpu_user_msec \
	cpu_steal cpu_sys_msec dyn_blocked doh_query_pipe_full \
	doh_response_pipe_full outgoing_doh_query_pipe_full \
	tcp_query_pipe_full tcp_cross_protocol_query_pipe_full \
	tcp_cross_protocol_response_pipe_full udp_in_errors \
	udp_noport_errors udp_recvbuf_errors udp_sndbuf_errors \
	udp_in_csum_errors tcp_listen_overflows proxy_protocol_invalid rule_hits
if [ -e /proc/net/snmp6 ]; then
	names untyped '' udp6_in_errors udp6_recvbuf_errors \
		udp6_sndbuf_errors udp6_noport_errors udp6_in_csum_errors
fi
names gauge '' latency_avg100 latency_avg1000 latency_avg10000 \
	latency_avg1000000 latency_tcp_avg100 latency_tcp_avg1000 \
	latency_tcp_avg10000 latency_tcp_avg1000000 uptime real_memory_usage \
	fd_usage dyn_block_nmg_size security_status info \
	dynblocks_nmg_top_offenders_hits_per_second \
	dynblocks_smt_top_offenders_hits_per_second
names histogram '' latency
names untyped server_ queries responses noncompliantresponses drops \
	senderrors tcpdiedsendingquery tcpdiedreadingresponse tcpgaveup \
	tcpconnecttimeouts tcpreadtimeouts tcpwritetimeouts \
	tcptoomanyconcurrentconnections tcpnewconnections \
	tcpreusedconnections healthcheckfailures healthcheckfailuresparsing \
	healthcheckfailurestimeout healthcheckfailuresnetwork \
	healthcheckfailuresmismatch healthcheckfailuresinvalid
names gauge server_ status latency tcplatency outstanding order weight \
	tcpcurrentconnections tcpmaxconcurrentconnections \
	tcpavgqueriesperconn tcpavgconnduration healthchecklatency
names histogram server_ healthchecklatency_histo
names untyped frontend_ queries noncompliantqueries responses \
	tcpdiedreadingquery tcpdiedsendingresponse tcpgaveup tcpclienttimeouts \
	tcpdownstreamtimeouts
names gauge frontend_ tcpcurrentconnections tcpmaxconcurrentconnections \
	tcpavgqueriesperconnection tcpavgconnectionduration tcpavgreadios
names gauge pool_ servers active_servers cache_size cache_entries
names untyped pool_ cache_hits cache_misses cache_deferred_inserts \
	cache_deferred_lookups cache_lookup_collisions \
	cache_insert_collisions cache_ttl_too_shorts cache_cleanup_count_total

is_value dnsdist_queries 5 "five queries"
is_value dnsdist_cache_hits 1 "one hit"
is_value dnsdist_rule_drop 1 "one dropped by a rule"
is_value "dnsdist_server_queries{server=\"r1_test\",address=\"127.0.0.1:$((base + 1))\"}" \
	3 "a backend's questions in both pools, its name without dots"
is_value "dnsdist_frontend_queries{frontend=\"$addr\",proto=\"UDP\",thread=\"0\"}" \
	4 "by address and protocol: UDP"
is_value "dnsdist_frontend_queries{frontend=\"$addr\",proto=\"TCP\",thread=\"0\"}" \
	1 "TCP"
is_value "dnsdist_frontend_responses{frontend=\"$addr\",proto=\"UDP\",thread=\"0\"}" \
	3 "answers"
is_value "dnsdist_frontend_queries{frontend=\"127.0.0.1:$((base + 3))\",proto=\"UDP\",thread=\"0\"}" \
	0 "none at the other"
is_value 'dnsdist_pool_servers{pool="other"}' 1 "pools"
send -p $((base + 3)) d.test
sed -i "s/^listen: .*/listen: [\"127.0.0.1:$((base + 3))\"]/" "$dir/f.yaml"
ask reload > /dev/null
get
is_value "dnsdist_frontend_queries{frontend=\"127.0.0.1:$((base + 3))\",proto=\"UDP\",thread=\"0\"}" \
	1 "the counts of an address that stays go on"
grep -q "frontend=\"$addr\"" "$dir/page"
[ $? -ne 0 ]
ok $? "one that is gone is not shown"
echo "1..$n"
