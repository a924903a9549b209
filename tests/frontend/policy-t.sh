#!/bin/bash
# SPDX-License-Identifier: ISC
# Rules and blocks as an operator meets them: verbs, tables, metrics, reloads.
# Loopback only.
set -u
fe=$ISPDNS_BUILDDIR/ispdns-frontend
stub=$ISPDNS_BUILDDIR/tests/frontend/stub
dir=$(mktemp -d /tmp/ispdns-policy-t.XXXXXX)
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
like() { # GOT REGEX WHAT
	printf '%s\n' "$1" | grep -Eq -- "$2"
	local status=$?
	ok $status "$3"
	[ $status = 0 ] || printf '%s\n' "got: $1" "like: $2" | sed 's/^/# /'
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
query() { dig +tries=1 +timeout=2 -p "$base" @127.0.0.1 "$@" 2>&1; }
page() { # PATH
	exec 3<> "/dev/tcp/127.0.0.1/$((base + 2))" || return 1
	printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
	sed '1,/^\r*$/d' <&3
	exec 3<&- 3>&-
}
config() { # EXTRA
	cat > "$dir/f.yaml" <<-END
	workers: 2
	listen: ["127.0.0.1:$base"]
	acl: {allow: [127.0.0.0/8]}
	pools:
	  rec:
	    backends:
	      - name: r1
	        address: "127.0.0.1:$((base + 1))"
	        check: {name: t., type: A, interval: 100ms}
	default_pool: rec
	metrics: {listen: "127.0.0.1:$((base + 2))"}
	ha: {socket: $dir/ha.sock}
	$1
	END
}
r1_is() { ask show servers --json | tr -d ' \n' | grep -q "\"state\":\"$1\""; }
start() { # EXTRA
	for _ in 1 2 3 4 5; do
		base=$((20000 + RANDOM % 20000))
		"$stub" "127.0.0.1:$((base + 1))" > /dev/null 2>&1 &
		stub_pid=$!
		config "$1"
		"$fe" --config "$dir/f.yaml" --control "$dir/c.sock" \
			> "$dir/log" 2>&1 &
		pid=$!
		wait_for r1_is up && return 0
		kill -9 "$pid" "$stub_pid" 2> /dev/null
	done
	cat "$dir/log"
	echo "Bail out! the frontend does not start"
	exit 255
}

# --- rules ---
start 'rules:
  - {name: ads, suffix: [ads.test], action: nxdomain}
  - {suffix: [test], action: tag, tag: lab}'
query www.ads.test > /dev/null
query a.test > /dev/null
like "$(query www.ads.test)" NXDOMAIN "a rule is applied"
like "$(ask show rules)" 'ads +nxdomain +2 +suffix=ads\.test\.' \
	"show rules: name, action, hits, what it matches"
like "$(ask show rules)" '#2 +tag +1 +suffix=test\.' "without a name: its place"
like "$(ask show rules)" 'acl +refuse +0 +\(built in\)' "and what is built in"
config 'rules:
  - {suffix: [new.test], action: drop}
  - {name: ads, suffix: [ads.test], action: nxdomain}'
like "$(ask reload)" "." "reload"
like "$(ask show rules --json | tr -d '\n ')" \
	'"rule":"#1","action":"drop","queries":0,.*"rule":"ads","action":"nxdomain","queries":2' \
	"hits are kept where the rule is the same"
{
	echo rules:
	for i in $(seq 1 1000); do
		echo "  - {suffix: [s$i.test], action: tag, tag: t$i}"
	done
	echo '  - {suffix: [many.test], action: refuse}'
} > "$dir/many"
config "$(cat "$dir/many")"
like "$(ask reload)" "." "a thousand rules"
like "$(query x.many.test)" REFUSED "the last of them is applied"
page /metrics > "$dir/metrics"
like "$(grep '^ispdns_frontend_rule_hits_total' "$dir/metrics" | wc -l)" '^257$' \
	"metrics: at most 256 rules have a label"
like "$(cat "$dir/metrics")" '^dnsdist_rule_hits\{id="other"\} 1$' \
	"the rest is summed"
like "$(grep -c '^ispdns_frontend_tagged_total' "$dir/metrics")" '^257$' \
	"so it is with tags"
if command -v promtool > /dev/null; then
	promtool check metrics < "$dir/metrics" > "$dir/lint" 2>&1
	ok $? "the page is valid for promtool"
	sed 's/^/# /' "$dir/lint"
else
	ok 0 "the page is valid # SKIP no promtool"
fi
like "$(timeout 5 "$fe" --control "$dir/c.sock" show rules | wc -l)" \
	'^10[0-9][0-9]$' "show rules prints them all in time"
config 'rules: [{action: pool, pool: nowhere}]'
like "$(ask reload)" 'f.yaml:13: there is no pool "nowhere"' \
	"a wrong rule is refused by line"
like "$(query x.many.test)" REFUSED "what ran goes on"

# --- blocks ---
config ''
ask reload > /dev/null
like "$(ask block list)" '^blocks' "block list: none"
like "$(ask block add suffix evil.test --for 1h --action refuse)" \
	'for_s +3600' "block add suffix"
like "$(query www.evil.test)" 'REFUSED' "it is blocked"
like "$(query www.good.test)" 'NOERROR' "others are not"
like "$(ask block list)" \
	'suffix +evil\.test\. +refuse +manual +3(600|599|598) +1' \
	"block list: action, reason, time left, hits"
like "$(ask block add 127.0.0.0/8 for=600 action=tc)" 'for_s +600' \
	"block add PREFIX, options as key=value"
like "$(query +nocookie +ignore a.test)" 'flags: qr tc' "TC over UDP"
like "$(query +ignore a.test)" 'BADCOOKIE, retrying' \
	"BADCOOKIE to one that knows cookies, which then gets an answer"
like "$(query +tcp +short a.test)" '^192.0.2.1$' "answers over TCP"
config 'policy: {any: refuse}'
like "$(ask reload)" '.' "reload"
like "$(ask block list --json | tr -d '\n ')" \
	'"target":"127.0.0.0/8","action":"tc","reason":"manual","left_s":[56].*"queries":[1-9]' \
	"blocks and their hits stay"
like "$(ask block remove 127.0.0.0/8)" 'removed' "block remove"
like "$(query +ignore a.test)" 'flags: qr rd' "and it is over"
like "$(ask block remove 127.0.0.0/8)" 'there is no block of 127.0.0.0/8' \
	"twice: one line"
like "$(ask block add 10.0.0.1/8)" 'bits set behind its length' "host bits: one line"
like "$(ask block add suffix a..b)" '"a..b" is not a name' "not a name: one line"
like "$(ask block add 10.0.0.0/8 --for soon)" 'a time such as' "not a time: one line"
like "$(ask block add 10.0.0.0/8 --action maybe)" 'drop, refuse, tc, nxdomain and log are allowed' \
	"not an action: one line"
like "$(ask block add 10.0.0.0/8 --from now)" '"from" is not known' \
	"not an option: one line"
like "$(ask block dance)" 'block add PREFIX' "not a verb: one line"
ask block add suffix brief.test --for 1s > /dev/null
is_gone() { ! ask block list | grep -q brief.test; }
wait_for is_gone
ok $? "a block ends by itself"
like "$(query x.brief.test)" 'NOERROR' "and its name is answered"

# --- automatic blocks ---
config 'dynamic_blocks: {qps: 1, window: 10s, duration: 1m, action: tc}'
ask reload > /dev/null
for i in $(seq 15); do query +nocookie +ignore a.test > /dev/null; done
is_blocked() { ask block list | grep -Eq '127.0.0.1/32 +tc +rate +[0-9]+'; }
wait_for is_blocked
ok $? "a source over its rate is blocked"
like "$(query +nocookie +ignore a.test)" 'flags: qr tc' \
	"with the action of the configuration"
like "$(query +ignore a.test)" 'NOERROR' "who has a good cookie is answered"
page /metrics > "$dir/metrics"
like "$(cat "$dir/metrics")" '^ispdns_frontend_blocks_set_total 1$' "counted"
like "$(cat "$dir/metrics")" '^dnsdist_dyn_block_nmg_size 2$' \
	"with dnsdist's names too"
if command -v promtool > /dev/null; then
	promtool check metrics < "$dir/metrics" > "$dir/lint" 2>&1
	ok $? "the page is valid for promtool"
	sed 's/^/# /' "$dir/lint"
else
	ok 0 "the page is valid # SKIP no promtool"
fi
config 'dynamic_blocks: {qps: 1, window: 10s, duration: 1m, action: tc, exempt: [127.0.0.1]}'
ask reload > /dev/null
like "$(query +ignore a.test)" 'flags: qr rd' "an exempt list takes effect at once"
ask block remove 127.0.0.1 > /dev/null
like "$(ask show rules)" 'block +tc +[1-9]' "show rules counts what met a block"

kill -TERM "$pid"
wait "$pid"
ok $? "stops"
pid=
echo "1..$n"
