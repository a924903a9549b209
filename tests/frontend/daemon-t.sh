#!/bin/bash
# SPDX-License-Identifier: ISC
# The program as an operator meets it: arguments, bad files, the control
# socket, the metrics page, changes of configuration, stop. Loopback only.
. "$(dirname "$0")/lib.sh" frontend-t

# --- what ends at once ---
"$fe" --help | grep -q 'cache .*flush'
ok $? "--help lists the verbs"
"$fe" --print-config-reference | grep -q 'default_pool'
ok $? "--print-config-reference"
"$fe" --check "$ISPDNS_SRCDIR/deploy/examples/frontend.yaml" > /dev/null
ok $? "--check takes the example"
pick
config "routes: [{suffix: a.test, pool: nowhere}]"
out=$("$fe" --check "$dir/f.yaml" 2>&1)
is "$?" 1 "--check of a wrong file: status 1"
is "$out" "$dir/f.yaml:13: there is no pool \"nowhere\"" "one line that says why"
out=$("$fe" --config "$dir/f.yaml" --control "$dir/c.sock" 2>&1)
[ $? -ne 0 ]
ok $? "a start with it fails"
like "$out" "f.yaml:13: there is no pool" "and says the same"
sed -i 's/127.0.0.1:'"$base"'/192.0.2.1:53/; /^routes/d; /^workers/a freebind: false' "$dir/f.yaml"
out=$("$fe" --config "$dir/f.yaml" --control "$dir/c.sock" 2>&1)
like "$out" "192.0.2.1:53: " "an address that is not ours is named"

# --- running ---
start ""
is "$(query +short a.test)" 192.0.2.1 "a query over UDP"
is "$(query +short +tcp b.test)" 192.0.2.1 "and over TCP"
like "$(ask status)" "pools_usable +true" "status"
servers=$(ask show servers)
like "$servers" "# +Name +Address +State +Qps +Qlim +Ord +Wt +Queries +Drops +Drate +Lat +TCP +Outstanding +Pools" "show servers: the columns of dnsdist"
like "$servers" "0 +r1 +127.0.0.1:$((base + 1)) +up +[0-9.]+ +0 +1 +1 +2 +0 +0.0 +[0-9.]+ +0 +0 +rec" "and what is in them"
like "$servers" "^All: [0-9]+ qps, 2 queries, 0 drops" "and the sum"
pools=$(ask show pools)
like "$pools" "Name +Kind +Cache +ServerPolicy +Servers" "show pools: columns"
like "$pools" "rec +rec +yes +leastOutstanding +r1 +1" "and rows"
like "$(ask show pools --json | tr -d ' \n')" '"cache":true,"servers":1' \
	"--json: our own names"
query a.test > /dev/null
like "$(ask show cache)" "hits +1" "show cache"
query +time=1 any a.test > /dev/null
like "$(ask show drops)" "any +1" "show drops"
drop_is_logged() {
	grep -Eq "drop: any: client=127.0.0.1 proto=tcp name=a.test. type=ANY count=[0-9]+" "$dir/log"
}
wait_for drop_is_logged
ok $? "a drop is in the log: why, who, what, how many"
like "$(ask show pools)" "rec +rec +yes +leastOutstanding +r1 +1 +3 +1 +2 +33" \
	"show pools: queries, hits, misses, ratio"
query axfr a.test > /dev/null
like "$(ask show rules)" "transfer +refuse +1" "show rules"
like "$(ask show transfers)" "allowed +false" "show transfers"
like "$(ask show limits)" "table_size +65536" "show limits"
latency=$(ask show latency)
like "$latency" "p50_us" "show latency"
like "$latency" "up_to_ms +answers +share" "with a table"
top=$(ask show top)
like "$top" "1 +a.test. +[0-9]+ +[0-9.]+%" "show top: names"
like "$top" "1 +127.0.0.1 +[0-9]+ +100.0%" "and clients"
like "$(ask show top 0)" "1 to 200" "show top of nothing: one line"
like "$(ask show nonsense)" "show what" "show something else: one line"
like "$(ask stats)" 'queries_total\{proto="udp"\}' "stats"

# --- cache and backends ---
like "$(ask cache flush name a.test)" "flushed +1" "cache flush name"
like "$(ask cache flush suffix test)" "flushed +1" "cache flush suffix"
like "$(ask cache flush all)" "flushed +0" "cache flush all"
like "$(ask cache flush name a..b)" "is not a name" "not a name: one line"
ask backend down r1 > /dev/null
out=$(query c.test)
like "$out" "SERVFAIL" "backend down: SERVFAIL, not silence"
like "$out" "EDE: 22" "with the reason"
ask backend auto r1 > /dev/null
wait_for r1_is up
is "$(query +short c.test)" 192.0.2.1 "backend auto: back"
like "$(ask backend down nobody)" 'no backend "nobody"' "not a backend: one line"

# --- stale ---
kill -STOP "$stub_pid"
wait_for r1_is down
ok $? "a frozen backend goes down"
is "$(query +short c.test)" 192.0.2.1 "what is cached is still answered"
kill -CONT "$stub_pid"
wait_for r1_is up
ok $? "and comes back"

# --- metrics ---
page /metrics > "$dir/metrics"
is_valid "$dir/metrics"
for m in ispdns_frontend_queries_total ispdns_frontend_drops_total \
	ispdns_frontend_cache_hits_total ispdns_frontend_backend_up \
	ispdns_frontend_latency_seconds_bucket dnsdist_queries \
	dnsdist_acl_drops dnsdist_cache_hits dnsdist_latency0_1 \
	dnsdist_latency_bucket dnsdist_info dnsdist_servfail_responses \
	dnsdist_real_memory_usage ispdns_frontend_tcp_connections \
	dnsdist_server_status dnsdist_server_latency \
	dnsdist_pool_active_servers ispdns_frontend_pool_cache_hits_total \
	dnsdist_pool_cache_misses; do
	grep -q "^$m[ {]" "$dir/metrics"
	ok $? "$m"
done
is "$(page /health)" ok "/health"

# --- changes ---
config "top: {enabled: false}"
ask reload > /dev/null
like "$(ask show top)" "top.enabled is false" "top can be switched off"
config "policy: {any: refuse}"
ask reload > /dev/null
like "$(query any a.test)" REFUSED "reload takes effect"
config "policy: {any: nothing}"
like "$(ask reload)" "f.yaml:13: " "a wrong file is refused by line"
like "$(query any a.test)" REFUSED "what ran goes on"
config "policy: {any: allow}"
like "$(ask prepare config="$dir/f.yaml" generation=7)" "" "prepare"
like "$(query any a.test)" REFUSED "has no effect yet"
like "$(ask commit generation=7)" "generation +7" "commit"
like "$(query any a.test)" NOERROR "has"
config "policy: {any: refuse}"
ask prepare config="$dir/f.yaml" generation=8 > /dev/null
ask discard > /dev/null
like "$(ask commit generation=8)" "." "discard: nothing to commit"
like "$(query any a.test)" NOERROR "and nothing changed"
config "policy: {any: refuse}
cache: {entries: 100, memory: 1M}"
kill -HUP "$pid"
any_refused() { query any a.test | grep -q REFUSED; }
wait_for any_refused
ok $? "SIGHUP reloads"
hits=$(ask show cache --json | sed -n 's/.*"hits": \([0-9]*\).*/\1/p')
query c.test > /dev/null
is "$(ask show cache --json | sed -n 's/.*"hits": \([0-9]*\).*/\1/p')" \
	$((hits + 1)) "a cache of another size keeps what was in it"
config "listen2: 1"
sed -i '/listen2/d' "$dir/f.yaml"
sed -i "s/^listen:.*/listen: [\"127.0.0.1:$base\", \"127.0.0.1:$((base + 3))\"]/" \
	"$dir/f.yaml"
ask reload > /dev/null
is "$(dig +short +tries=1 -p $((base + 3)) @127.0.0.1 c.test)" 192.0.2.1 \
	"a listener is added live"
sed -i "s/^listen:.*/listen: [\"127.0.0.1:$base\", \"192.0.2.1:53\"]/; /^workers/a freebind: false" \
	"$dir/f.yaml"
like "$(ask reload)" "192.0.2.1:53" "one that cannot be had is refused"
is "$(dig +short +tries=1 -p $((base + 3)) @127.0.0.1 c.test)" 192.0.2.1 \
	"and the others stay"

# --- drain and stop ---
ask drain > /dev/null
like "$(ask status)" "draining +true" "drain"
is "$(page /health)" draining "/health says so"
is "$(query +short c.test)" 192.0.2.1 "while queries are still answered"
ask undrain > /dev/null
like "$(ask status)" "draining +false" "undrain"
kill -TERM "$pid"
wait "$pid"
is "$?" 0 "SIGTERM: status 0"
pid=
[ ! -e "$dir/c.sock" ]
ok $? "the control socket is gone"

# --- the cache over a restart ---
config "cache: {file: $dir/cache}"
restart() {
	"$fe" --config "$dir/f.yaml" --control "$dir/c.sock" \
		>> "$dir/log" 2>&1 &
	pid=$!
	wait_for r1_is up
}
restart
query kept.test > /dev/null
kill -TERM "$pid"
wait "$pid"
[ -s "$dir/cache" ]
ok $? "the cache is written at the stop"
restart
query kept.test > /dev/null
like "$(ask show cache)" "hits +1" "and serves after the start"
kill -TERM "$pid"
wait "$pid"
echo nonsense > "$dir/cache"
restart
like "$(query +short kept.test)" 192.0.2.1 "a damaged file costs nothing else"
kill -TERM "$pid"
wait "$pid"

# --- the blocks over a restart ---
config "blocks: {file: $dir/blocks}"
restart
ask block add suffix evil.test --for 1h --action refuse > /dev/null
ask block add suffix brief.test --for 1s --action refuse > /dev/null
ask block add 192.0.2.0/24 > /dev/null
like "$(query x.evil.test)" REFUSED "a suffix is blocked"
wait_for grep -q 192.0.2.0/24 "$dir/blocks"
ok $? "blocks are written soon"
kill -9 "$pid"
wait "$pid" 2> /dev/null
restart
like "$(query x.evil.test)" REFUSED "killed and started: it still is"
like "$(ask block list)" "192.0.2.0/24 +drop +manual +(600|5[0-9]{2}) +0" \
	"with the time that is left"
brief_is_over() { ! ask block list | grep -q brief.test; }
wait_for brief_is_over
ok $? "one whose time is over is gone"
ask block remove suffix evil.test > /dev/null
kill -TERM "$pid"
wait "$pid"
grep -q 192.0.2.0/24 "$dir/blocks" && ! grep -q evil.test "$dir/blocks"
ok $? "the file says what is set at the stop"
sed -i 's/drop/dropp/' "$dir/blocks"
restart
like "$(ask block list)" "^blocks +\[\]" "a damaged file: no block, no harm"
like "$(cat "$dir/log")" "block: not read: $dir/blocks: not a whole list" \
	"which is said"
kill -TERM "$pid"
wait "$pid"
mkdir "$dir/state"
config ""
export STATE_DIRECTORY=$dir/state
restart
ask block add 192.0.2.0/24 > /dev/null
kill -TERM "$pid"
wait "$pid"
grep -q 192.0.2.0/24 "$dir/state/blocks"
ok $? "without a name: in the state directory"
pid=
grep -Eq 'Sanitizer|assert' "$dir/log"
[ $? -ne 0 ]
ok $? "nothing bad in the log"
echo "1..$n"
