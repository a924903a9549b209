#!/bin/bash
# SPDX-License-Identifier: ISC
# Rules and blocks as an operator meets them: verbs, tables, metrics, reloads.
# Loopback only.
. "$(dirname "$0")/lib.sh" policy-t

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
is_valid "$dir/metrics"
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
is_valid "$dir/metrics"
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
