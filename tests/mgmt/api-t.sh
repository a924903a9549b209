#!/bin/bash
# SPDX-License-Identifier: ISC
# ispdns-mgmt from outside: the API over its unix socket, enrolment and the
# node protocol over TLS with client certificates (nodes are played by curl),
# roll-outs that succeed, that cannot stage, that cannot apply.
set -u
build=${ISPDNS_BUILDDIR:-$PWD}
tmp=$(mktemp -d) || exit 1
n=0
pids=()

cleanup() {
	touch "$tmp/stop"
	[ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
	[ -f "$tmp/pid" ] && kill "$(cat "$tmp/pid")" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

ok() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

is() { # GOT WANT TEXT
	[ "$1" = "$2" ]
	local rc=$?
	ok $rc "$3"
	[ $rc -eq 0 ] || { echo "# got:  $1"; echo "# want: $2"; }
}

until_true() { # COMMAND... (10 s)
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" && return 0
		read -r -t 0.05 <> <(:)
	done
	return 1
}

command -v openssl > /dev/null || { echo "1..0 # SKIP no openssl"; exit 0; }
command -v jq > /dev/null || { echo "1..0 # SKIP no jq"; exit 0; }

cat > "$tmp/mgmt.yaml" <<END
state: $tmp/state
api_socket: $tmp/run/api.sock
nodes: {listen: "127.0.0.1:0"}
operators: {listen: "127.0.0.1:0"}
names: [mgmt.test, 127.0.0.1]
limits: {request: 3s}
END

start() {
	"$build/ispdns-mgmt" --config "$tmp/mgmt.yaml" \
		--control "$tmp/ctl.sock" > "$tmp/log" 2>&1 &
	echo $! > "$tmp/pid"
	until_true api_up || { sed 's/^/# /' "$tmp/log"; return 1; }
	local status
	status=$("$build/ispdns-mgmt" --control "$tmp/ctl.sock" \
		status --json)
	port=$(jq -r .nodes <<< "$status" | sed 's/.*://')
	oport=$(jq -r .operators <<< "$status" | sed 's/.*://')
	pin=$(jq -r .ca_pin <<< "$status")
}

api_up() {
	curl -sf --max-time 5 --unix-socket "$tmp/run/api.sock" \
		http://mgmt/health > /dev/null
}

raw() { # BODY -> answer with the HTTP status behind it
	curl -s --max-time 30 --unix-socket "$tmp/run/api.sock" \
		-w '%{http_code}' --data-binary "$1" http://mgmt/api/v1/call
}

call() { # VERB [ARGS] -> answer
	local args=${2:-'{}'}
	curl -s --max-time 30 --unix-socket "$tmp/run/api.sock" --data-binary \
		"{\"verb\":\"$1\",\"args\":$args}" http://mgmt/api/v1/call
}

good() { # TEXT VERB [ARGS]
	local text=$1
	shift
	answer=$(call "$@")
	[ "$(jq .ok <<< "$answer")" = true ]
	local rc=$?
	ok $rc "$text"
	[ $rc -eq 0 ] || echo "# $answer"
}

bad() { # CODE PATTERN VERB [ARGS]
	local code=$1 pattern=$2
	shift 2
	answer=$(call "$@")
	[ "$(jq -r .code <<< "$answer")" = "$code" ] &&
		[[ $(jq -r .error <<< "$answer") == *$pattern* ]]
	local rc=$?
	ok $rc "$1: $code: $pattern"
	[ $rc -eq 0 ] || echo "# $answer"
}

start
ok $? "the first start makes everything"
is "$(stat -c %a "$tmp/state/ca.key" "$tmp/state/server.key" \
	"$tmp/state/mgmt.db" | sort -u)" 600 "keys and database are 0600"
"$build/ispdns-mgmt" --config "$tmp/mgmt.yaml" \
	--control "$tmp/ctl2.sock" > "$tmp/second" 2>&1
[ $? -ne 0 ] && grep -q 'another ispdns-mgmt' "$tmp/second"
ok $? "a second instance is refused"

# ---- bad input: one line, and nothing changed
is "$(raw '{"verb":' | tail -c 3)" 400 "broken JSON is 400"
is "$(raw '{"verb":"status","verb":"status"}' | tail -c 3)" 400 \
	"duplicate keys are 400"
is "$(raw '[]' | tail -c 3)" 400 "a body that is no object is 400"
printf '%0*d' 200000 0 | tr 0 '[' > "$tmp/deep"
is "$(raw "@$tmp/deep" | tail -c 3)" 400 "200,000 nested arrays are 400"
head -c 20000000 /dev/zero | tr '\0' x > "$tmp/big"
is "$(raw "@$tmp/big" | tail -c 3)" 413 "a body over the limit is 413"
is "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket \
	"$tmp/run/api.sock" http://mgmt/api/v1/call)" 405 "GET is 405"
bad usage 'unknown verb' nonsense
bad usage 'unknown argument "x"' zone.list '{"x":1}'
bad usage '"zone" is missing' zone.create
bad invalid 'not a domain name' zone.create '{"zone":"a..b"}'
bad invalid '10.0.0.0/24' acl.add '{"prefix":"10.0.0.1/24"}'
bad invalid 'must be one of' pool.create '{"pool":"p","policy":"best"}'
bad invalid 'must be 1 to 255' vip.create \
	'{"vip":"v","vrid":256,"addresses":["10.0.0.1"]}'
bad not_found 'pool nope: not found' route.add '{"suffix":".","pool":"nope"}'
bad not_found 'zone no.test.: not found' record.add \
	'{"zone":"no.test","name":"a","type":"A","data":["1.2.3.4"]}'

# ---- the working set
good "zone.create" zone.create '{"zone":"Example.Test"}'
bad conflict 'exists already' zone.create '{"zone":"example.test."}'
good "record.add" record.add '{"zone":"example.test","name":"www","type":"A",
	"data":["192.0.2.1","192.0.2.2"]}'
bad conflict 'exists already' record.add \
	'{"zone":"example.test","name":"www","type":"A","data":["192.0.2.1"]}'
bad invalid 'CNAME and other data' record.add \
	'{"zone":"example.test","name":"www","type":"CNAME","data":["x"]}'
bad invalid '' record.add \
	'{"zone":"example.test","name":"www","type":"A","data":["192.0.2"]}'
bad invalid 'is not in zone' record.add \
	'{"zone":"example.test","name":"a.other.","type":"A","data":["1.1.1.1"]}'
good "record.set" record.set '{"zone":"example.test","name":"ns1","type":"A",
	"ttl":300,"data":["192.0.2.53"]}'
is "$(call record.list '{"zone":"example.test","name":"ns1"}' |
	jq -c '.result[0]|[.name,.ttl,.data]')" \
	'["ns1.example.test.",300,"192.0.2.53"]' "record.list"
before=$(call record.list '{"zone":"example.test"}')
raw '{"verb":"record.del","dry_run":true,"args":{"zone":"example.test",
	"name":"www","type":"A"}}' > /dev/null
is "$(call record.list '{"zone":"example.test"}')" "$before" \
	"dry_run changes nothing"
good "pools" pool.create '{"pool":"rec"}'
good "pool auth" pool.create '{"pool":"auth","cache":false}'
good "backend" backend.add '{"pool":"rec","name":"r1","address":"10.0.0.4"}'
good "backend of the authority" backend.add \
	'{"pool":"auth","name":"a1","address":"10.0.0.3:53"}'
good "route" route.add '{"suffix":".","pool":"rec"}'
bad conflict 'is used by route .' pool.delete '{"pool":"rec"}'
good "rule" rule.add '{"name":"late","action":"rate-limit","qps":50}'
good "rule in front" rule.add '{"name":"walled","position":5,"action":"spoof",
	"suffix":["bad.test","BAD.example"],"addresses":["192.0.2.80"]}'
good "rule to a pool" rule.add '{"name":"inner","position":7,"action":"pool",
	"pool":"auth","exact":["a.test"],"source":["10.1.0.0/16"]}'
bad conflict 'rule late: exists already' rule.add \
	'{"name":"late","action":"drop"}'
bad not_found 'pool nope: not found' rule.add \
	'{"name":"x","action":"pool","pool":"nope"}'
bad invalid 'action tag needs tag' rule.add '{"name":"x","action":"tag"}'
bad invalid 'opcode UPDATE goes with' rule.add \
	'{"name":"x","action":"allow","opcode":"UPDATE"}'
bad usage '"action" is missing' rule.add '{"name":"x"}'
bad usage '"name" is missing' rule.set '{"position":1}'
bad usage 'nothing to change' rule.set '{"name":"late"}'
bad not_found 'rule x: not found' rule.set '{"name":"x","position":1}'
bad not_found 'rule x: not found' rule.del '{"name":"x"}'
bad invalid 'pool goes with action pool, not with spoof' rule.set \
	'{"name":"walled","pool":"rec"}'
bad conflict 'pool auth: is used by rule inner' pool.delete '{"pool":"auth"}'
is "$(call rule.list | jq -c '[.result[]|[.name,.match,.effect]]')" \
	'[["walled","suffix=bad.test.,bad.example.","spoof 192.0.2.80"],["inner","exact=a.test. source=10.1.0.0/16","pool auth"],["late","all","rate-limit 50/s per client, then drop"]]' \
	"rule.list: in their order, in words"
good "rule.set: another action" rule.set '{"name":"walled","action":"drop"}'
is "$(call rule.show '{"name":"walled"}' |
	jq -c '.result|[.action,.addresses,.position]')" '["drop",[],5]' \
	"what the old action had is gone, the rest stays"
good "import.plan changes a rule that is there" import.plan '{"calls":[
	{"verb":"rule.add","args":{"name":"walled","action":"nxdomain"}}]}'
is "$(call rule.show '{"name":"walled"}' |
	jq -c '.result|[.action,.suffix[0]]')" '["nxdomain","bad.test."]' \
	"and keeps its matchers"
good "limit.exempt.add" limit.exempt.add '{"prefix":"10.1.2.3"}'
bad conflict 'limit exemption 10.1.2.3/32: exists already' limit.exempt.add \
	'{"prefix":"10.1.2.3/32"}'
bad invalid 'did you mean 10.0.0.0/8' limit.exempt.add '{"prefix":"10.0.0.1/8"}'
bad not_found 'limit exemption 10.9.9.9/32: not found' limit.exempt.del \
	'{"prefix":"10.9.9.9"}'
good "import.plan with one that is there" import.plan '{"calls":[
	{"verb":"limit.exempt.add","args":{"prefix":"10.1.2.3"}},
	{"verb":"limit.exempt.add","args":{"prefix":"2001:db8::/48"}},
	{"verb":"pool.create","args":{"pool":"rec"}}]}'
is "$(call limit.exempt.list | jq -c '[.result[].prefix]')" \
	'["10.1.2.3/32","2001:db8::/48"]' "limit.exempt.list"
is "$(call limit.list | jq -c '[.result.exempt[].prefix]')" \
	'["10.1.2.3/32","2001:db8::/48"]' "which limit.list shows too"
good "limit.misses.set" limit.misses.set '{"client_qps":100,"suffix_qps":500,
	"registries":["co.uk"]}'
bad invalid 'must be 1 to 127' limit.misses.set '{"labels":128}'
is "$(call limit.misses.show | jq -c '.result|[.client_qps,.suffix_qps,
	.labels,.registries[0],.action]')" '[100,500,2,"co.uk.","drop"]' \
	"limit.misses.show"
good "block.policy.set" block.policy.set '{"nxdomain_percent":90,
	"duration_s":300,"exempt":["10.1.2.0/24"]}'
bad invalid 'must be 1 to 512' block.policy.set '{"max":0}'
is "$(call block.policy.show | jq -c '.result|[.qps,.nxdomain_percent,
	.duration_s,.action,.exempt[0]]')" '[0,90,300,"tc","10.1.2.0/24"]' \
	"block.policy.show"
good "pool.set" pool.set '{"pool":"rec","tiers":true,"no_server":"drop",
	"ecs":"forward"}'
good "backend.set" backend.set '{"pool":"rec","name":"r1","qps":900,
	"check":{"random_label":true,"rcode":"NXDOMAIN"}}'
is "$(call pool.show '{"pool":"rec"}' | jq -c '.result|[.tiers,.no_server,.ecs,
	(.backends[0]|.qps,.check_random_label,.check_rcode)]')" \
	'[true,"drop","forward",900,true,"NXDOMAIN"]' "pool.show"
good "frontend.set" frontend.set '{"metrics_listen":"127.0.0.1"}'
good "frontend.tcp.set" frontend.tcp.set '{"per_client":30}'
good "frontend.retry.set" frontend.retry.set '{"tries":2}'
bad invalid 'must be 1 to 8' frontend.retry.set '{"tries":9}'
is "$(call frontend.show | jq -r .result.metrics_listen) $(call \
	frontend.tcp.show | jq .result.per_client) $(call \
	frontend.retry.show | jq .result.tries)" "127.0.0.1:8083 30 2" \
	"frontend.show, .tcp.show, .retry.show"
good "acl.add" acl.add '{"prefix":"10.0.0.0/8"}'
is "$(call acl.test '{"ip":"10.1.2.3"}' | jq -r .result.action)" allow \
	"acl.test: allowed"
is "$(call acl.test '{"ip":"192.0.2.1"}' | jq -r .result.action)" refuse \
	"acl.test: refused"
good "import.plan in one transaction" import.plan '{"kind":"dnsdist","calls":[
	{"verb":"limit.set","args":{"qps":200,"burst":200}},
	{"verb":"pool.create","args":{"pool":"rec","policy":"roundrobin"}}]}'
answer=$(call import.plan '{"calls":[{"verb":"limit.set","args":{"qps":9}},
	{"verb":"route.add","args":{"suffix":"x","pool":"nope"}}]}')
is "$(call limit.list | jq .result.qps)" 200 \
	"a plan with one bad call changes nothing"
is "$(jq -r .error <<< "$answer")" "call 2: pool nope: not found" \
	"and says which"

# ---- nodes join
key() { # NODE -> key and request
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$tmp/$1.key" -subj "/CN=evil" -out "$tmp/$1.csr" \
		2> /dev/null
}

join() { # NODE TOKEN -> answer, certificate in NODE.pem
	local body
	body=$(jq -n --arg n "$1" --arg c "$(cat "$tmp/$1.csr")" \
		'{verb:"node.join",args:{node:$n,csr_pem:$c}}')
	answer=$(curl -s --max-time 10 --cacert "$tmp/state/ca.pem" \
		-H "Authorization: Bearer $2" --data-binary "$body" \
		"https://127.0.0.1:$oport/api/v1/call")
	jq -r '.result.cert_pem // empty' <<< "$answer" > "$tmp/$1.pem"
	[ -s "$tmp/$1.pem" ]
}

add() { # NODE ADDRESS ROLES
	good "node.add $1" node.add \
		"{\"node\":\"$1\",\"address\":\"$2\",\"roles\":$3}"
	token=$(jq -r .result.join.token <<< "$answer")
	key "$1"
}

add fe1 10.0.0.1 '["frontend","ha"]'
is "$(jq -r .result.join.ca_pin <<< "$answer")" "$pin" "the pin of the CA"
is "$(openssl x509 -in "$tmp/state/ca.pem" -noout -pubkey |
	openssl pkey -pubin -outform DER | openssl dgst -sha256 -r |
	cut -d' ' -f1)" "$pin" "which is the sha256 of its public key"
cp "$tmp/fe1.csr" "$tmp/au1.csr"
join au1 "$token"
[ $? -ne 0 ] && [ "$(jq -r .code <<< "$answer")" = denied ]
ok $? "a token of another node is refused"
join fe1 "${token}0"
[ $? -ne 0 ]
ok $? "a wrong token is refused"
join fe1 "$token"
ok $? "fe1 joins"
old=$(cat "$tmp/fe1.pem")
join fe1 "$token"
[ $? -ne 0 ]
ok $? "a token is good once"
echo "$old" > "$tmp/fe1.pem"
openssl verify -CAfile "$tmp/state/ca.pem" "$tmp/fe1.pem" > /dev/null
ok $? "the certificate verifies"
is "$(openssl x509 -in "$tmp/fe1.pem" -noout -ext subjectAltName |
	grep -o 'URI:.*')" "URI:ispdns://node/fe1" \
	"its name is ours, not the request's"
is "$(curl -s --cacert "$tmp/state/ca.pem" -o /dev/null -w '%{http_code}' \
	-H "Authorization: Bearer $token" --data-binary '{"verb":"status"}' \
	"https://127.0.0.1:$oport/api/v1/call")" 403 \
	"a join token reads nothing"
add au1 10.0.0.3 '["authority"]'
join au1 "$token"
ok $? "au1 joins"

# ---- the node protocol, played
tls=(--cacert "$tmp/state/ca.pem" -s --max-time 20)

node() { # NODE PATH [CURL ARGS]
	local name=$1 path=$2
	shift 2
	curl "${tls[@]}" --cert "$tmp/$name.pem" --key "$tmp/$name.key" "$@" \
		"https://127.0.0.1:$port$path"
}

ack() { # NODE GENERATION PHASE [ERROR]
	node "$1" /node/v1/ack --data-binary "{\"generation\":$2,
		\"phase\":\"$3\",\"error\":\"${4:-}\",\"took_ms\":5}" > /dev/null
}

# Fetch and verify as a node does; prints nothing when all is well.
fetch() { # NODE GENERATION SHA256
	local dir=$tmp/$1.gen/$2 line
	mkdir -p "$dir"
	node "$1" "/node/v1/manifest/$2" > "$dir/manifest"
	[ "$(sha256sum < "$dir/manifest" | cut -d' ' -f1)" = "$3" ] ||
		echo "manifest of $1"
	jq -r '.items[]|[.key,.sha256]|@tsv' "$dir/manifest" |
	while IFS=$'\t' read -r key sha; do
		mkdir -p "$dir/$(dirname "$key")"
		node "$1" "/node/v1/blob/$sha" > "$dir/$key"
		[ "$(sha256sum < "$dir/$key" | cut -d' ' -f1)" = "$sha" ] ||
			echo "$key of $1"
	done
}

# A node that behaves as its file $tmp/NODE.mode says.
play() { # NODE HAVE
	local line mode gen sha
	curl -sN --cacert "$tmp/state/ca.pem" --cert "$tmp/$1.pem" --key \
		"$tmp/$1.key" \
		"https://127.0.0.1:$port/node/v1/stream?have=$2&boot=b&proto=1" |
	while read -r line; do
		echo "$line" >> "$tmp/$1.lines"
		[ "$(jq -r .type <<< "$line")" != cmd ] ||
			node "$1" /node/v1/result -d "$(jq -c \
				--argjson id "$(jq .id <<< "$line")" \
				'. + {id: $id}' "$tmp/$1.answer")" > /dev/null
		[ "$(jq -r .type <<< "$line")" = want ] || continue
		mode=$(jq -r .mode <<< "$line")
		gen=$(jq -r .generation <<< "$line")
		sha=$(jq -r .manifest_sha256 <<< "$line")
		case $mode:$(cat "$tmp/$1.mode") in
		stage:unstageable) ack "$1" "$gen" failed "bad port" ;;
		stage:*)
			fetch "$1" "$gen" "$sha" >> "$tmp/$1.wrong"
			ack "$1" "$gen" staged ;;
		apply:unappliable) ack "$1" "$gen" rolled_back "not proven" ;;
		apply:*) ack "$1" "$gen" applied ;;
		esac
	done
}

is "$(curl "${tls[@]}" -o /dev/null -w '%{http_code}' \
	"https://127.0.0.1:$port/node/v1/manifest/1" 2>/dev/null)" 000 \
	"8443 without a certificate: no handshake"
for name in fe1 au1; do
	echo good > "$tmp/$name.mode"
	play $name 0 &
	pids+=($!)
done
states() { call status | jq -r '[.result.nodes[].state]|unique|join(",")'; }
connected() { [ "$(call node.list | jq '[.result[]|select(.last_seen_s!=null)
	]|length')" = 2 ]; }
until_true connected
ok $? "both nodes are connected"
# ---- what frontends are asked and told at once
told() { tail -1 "$tmp/fe1.lines" | jq -c '[.part,.verb,.args]'; }
echo '{"ok":true,"result":{"blocks":[{"kind":"source",
	"target":"192.0.2.0/24","action":"drop","reason":"manual","left_s":9,
	"queries":2}]}}' > "$tmp/fe1.answer"
is "$(call block.list | jq -c '.result|[.blocks[0].target,.blocks[0].nodes,
	.errors]')" '["192.0.2.0/24",["fe1"],[]]' "block.list asks the frontends"
is "$(told)" '["frontend","block",{"words":["list"]}]' "in their words"
echo '{"ok":true,"result":{}}' > "$tmp/fe1.answer"
is "$(call block.add '{"target":"192.0.2.7","for_s":90,"action":"log"}' |
	jq -c .result)" '{"errors":[],"nodes":["fe1"]}' "block.add tells them"
is "$(told)" \
	'["frontend","block",{"action":"log","for":90,"words":["add","192.0.2.7/32"]}]' \
	"what to block, how and for how long"
is "$(call audit.list '{"limit":1}' | jq -c '.result[0]|[.verb,.object]')" \
	'["block.add","target 192.0.2.7"]' "which is in the audit"
good "block.add of a name" block.add '{"target":"Evil.test","suffix":true}'
is "$(told)" \
	'["frontend","block",{"for":600,"words":["add","suffix","Evil.test."]}]' \
	"for ten minutes"
# Other words may come at any time: one of a new generation, say.
told_to_block() { jq -c 'select(.verb == "block")' "$tmp/fe1.lines" | wc -l; }
before=$(told_to_block)
bad invalid 'did you mean 192.0.2.0/24' block.add '{"target":"192.0.2.7/24"}'
bad invalid 'not an address or prefix' block.add '{"target":"evil.test"}'
bad invalid 'not a domain name' block.add '{"target":"a..b","suffix":true}'
bad invalid 'one of drop, refuse, tc, nxdomain, log' block.add \
	'{"target":"192.0.2.7","action":"maybe"}'
bad invalid 'from 1 to 2592000' block.add '{"target":"192.0.2.7","for_s":0}'
bad usage '"target" is missing' block.remove
bad invalid 'one of servers, pools' frontend.seen '{"what":"all"}'
raw '{"verb":"block.add","args":{"target":"192.0.2.7"},"dry_run":true}' \
	> /dev/null
ok $((before < 3)) "blocks reach a node"
is "$(told_to_block)" "$before" "nothing of which reaches a node"
echo '{"ok":false,"error":"there is no block of 192.0.2.7/32"}' \
	> "$tmp/fe1.answer"
bad not_found 'fe1: there is no block of 192.0.2.7/32' block.remove \
	'{"target":"192.0.2.7"}'
echo '{"ok":false,"error":"out of memory"}' > "$tmp/fe1.answer"
bad unavailable 'fe1: out of memory' block.add '{"target":"192.0.2.7"}'
echo '{"ok":true,"result":{"servers":[{"name":"r1"},{"name":"r2"}]}}' \
	> "$tmp/fe1.answer"
is "$(call frontend.seen '{"what":"servers"}' | jq -c .result)" \
	'{"errors":[],"rows":[{"name":"r1","node":"fe1"},{"name":"r2","node":"fe1"}]}' \
	"frontend.seen: a row for each, with its node"
is "$(told)" '["frontend","show",{"words":["servers"]}]' "in their words"
good "a frontend that is away" node.add \
	'{"node":"fe2","address":"10.0.0.9","roles":["frontend"]}'
is "$(call frontend.seen '{"what":"servers"}' |
	jq -c '.result|[(.rows|length),.errors[0].node]')" '[2,"fe2"]' \
	"one that cannot be asked is told beside the rows"
good "which is gone" node.delete '{"node":"fe2"}'
is "$(head -1 "$tmp/fe1.lines" | jq -c '[.type,.proto,.node]')" \
	'["hello",1,"fe1"]' "hello comes first"

apply() { # [ARGS] -> the fate
	local args=${1:-}
	[ -n "$args" ] || args={}
	answer=$(call apply "$args")
	gen=$(jq .result.generation <<< "$answer")
	[ "$gen" = null ] && return 1
	call generation.wait "{\"generation\":$gen,\"timeout_ms\":25000}" |
		jq -r .result.state
}

is "$(apply '{"message":"first"}')" done "apply: done"
is "$(call generation.wait '{"generation":1}' |
	jq -c '[.result.nodes[]|[.name,.phase]]')" \
	'[["au1","applied"],["fe1","applied"]]' "every node has applied"
is "$(cat "$tmp/fe1.wrong" "$tmp/au1.wrong")" "" \
	"every manifest and blob has its digest"
is "$(states)" current "all nodes are current"
is "$(ls "$tmp/au1.gen/1" | tr '\n' ' ')" "authority.yaml manifest zones " \
	"the authority gets its file and zones"
grep -q 'www.example.test.*192.0.2.1' "$tmp/au1.gen/1/zones/example.test.zone"
ok $? "the zone's text is there"
"$build/ispdns-frontend" --check "$tmp/fe1.gen/1/frontend.yaml" > "$tmp/out" \
	2>&1
ok $? "ispdns-frontend takes its file"
is "$(sed -n '/^rules:/,/^[^ r]/p' "$tmp/fe1.gen/1/frontend.yaml" |
	grep -c 'name:')" 3 "with the rules"
grep -q 'per_client: {qps: 100, burst: 0}' "$tmp/fe1.gen/1/frontend.yaml" &&
	grep -A2 '^  exempt:' "$tmp/fe1.gen/1/frontend.yaml" |
	grep -q '"2001:db8::/48"'
ok $? "and the limits"
grep -A2 '^dynamic_blocks:' "$tmp/fe1.gen/1/frontend.yaml" |
	grep -q 'nxdomain_percent: 90'
ok $? "and what is blocked"
grep -q 'qps: 900' "$tmp/fe1.gen/1/frontend.yaml" &&
	grep -q '^  per_client: 30' "$tmp/fe1.gen/1/frontend.yaml"
ok $? "and the qps of a backend, the settings of TCP"
for golden in "${ISPDNS_SRCDIR:-.}"/tests/data/mgmt/*-frontend.yaml; do
	"$build/ispdns-frontend" --check "$golden" >> "$tmp/out" 2>&1
	ok $? "and ${golden##*/}"
done
for file in "$tmp/fe1.gen/1/ha.yaml" \
	"${ISPDNS_SRCDIR:-.}"/tests/data/mgmt/*-ha.yaml; do
	"$build/ispdns-ha" --check "$file" >> "$tmp/out" 2>&1
	ok $? "ispdns-ha takes ${file##*/}"
done
"$build/ispdns-authority" --check "$tmp/au1.gen/1/authority.yaml" \
	>> "$tmp/out" 2>&1
ok $? "ispdns-authority takes its file"
grep -v ': ok$' "$tmp/out" | sed 's/^/# /'
is "$(jq -c '.prove[0]|[.kind,.name,.at]' "$tmp/au1.gen/1/manifest")" \
	'["soa","example.test.","10.0.0.3:53"]' "the SOA is to be proven"
is "$(jq -r '.items[].key' "$tmp/fe1.gen/1/manifest" | tr '\n' ' ')" \
	"frontend.yaml ha.yaml " "the frontend gets its two files"
sha=$(jq -r '.items[]|select(.kind=="zone")|.sha256' "$tmp/au1.gen/1/manifest")
is "$(node fe1 "/node/v1/blob/$sha" -o /dev/null -w '%{http_code}')" 404 \
	"a node cannot read another's blob"
is "$(node fe1 /node/v1/ack -o /dev/null -w '%{http_code}' -d '{x')" 400 \
	"a broken ack is 400"
is "$(node fe1 /node/v1/nothing -o /dev/null -w '%{http_code}')" 404 \
	"an unknown request is 404"

# ---- serials
serial() { call zone.list | jq '.result[]|select(.name=="'"$1"'")|.serial'; }
good "another zone" zone.create '{"zone":"still.test"}'
is "$(apply)" "done" "generation 2"
one=$(serial example.test.) two=$(serial still.test.)
good "a record" record.add '{"zone":"example.test","name":"new","type":"A",
	"data":["192.0.2.9"]}'
is "$(call diff | jq -c '[.result.changes[]|[.op,.kind,.key,.detail[0]]]')" \
	'[["add","record","new.example.test. A","+ 3600 192.0.2.9"]]' \
	"diff says records, not lines"
is "$(apply)" "done" "generation 3"
[ "$(serial example.test.)" -gt "$one" ]
ok $? "the changed zone has a higher serial"
is "$(serial still.test.)" "$two" "the other keeps its serial"
is "$(call apply | jq -c '.result|[.generation,.state]')" '[3,"done"]' \
	"nothing to apply: no generation"
good "and back" record.del \
	'{"zone":"example.test","name":"new","type":"A"}'
good "put in again" record.add '{"zone":"example.test","name":"new",
	"type":"A","data":["192.0.2.9"]}'
is "$(call diff | jq '.result.changes|length')" 0 \
	"an edit that is taken back is no change"

# ---- a node that cannot stage: nothing is switched
echo unstageable > "$tmp/fe1.mode"
good "a limit" limit.set '{"qps":333}'
good "no exemption" limit.exempt.del '{"prefix":"10.1.2.3"}'
good "other misses" limit.misses.set '{"client_qps":0,"suffix_qps":0,
	"registries":[]}'
good "no blocks" block.policy.set '{"nxdomain_percent":0}'
good "other tries" frontend.retry.set '{"tries":4}'
good "a rule" rule.set '{"name":"late","qps":60}'
good "another" rule.del '{"name":"inner"}'
good "a new one" rule.add '{"name":"new","action":"refuse","qtype":["ANY"]}'
is "$(call diff | jq -c '[.result.changes[]|select(.kind=="rule")|
	[.op,.key,.detail[0]]]|sort')" \
	'[["add","new","position: 1000"],["del","inner",null],["mod","late","qps: 50 -> 60"]]' \
	"diff tells of rules"
is "$(call diff | jq -c '.result.changes[]|select(.key=="new")|.detail[:3]')" \
	'["position: 1000","qtype: [\"ANY\"]","action: \"refuse\""]' \
	"without what a new one does not say"
is "$(apply)" failed "one cannot stage: failed"
is "$(call history.show '{"generation":4}' | jq -r .result.error)" \
	"node fe1: bad port" "with the node's reason"
grep -q '"mode":"apply"' <(grep '"generation":4' "$tmp"/*.lines)
[ $? -ne 0 ]
ok $? "nobody was told to apply"
is "$(call status | jq .result.pending)" 8 "the changes are still pending"
# ---- a node that cannot apply: the fleet returns
echo unappliable > "$tmp/fe1.mode"
good "a record too" record.set '{"zone":"example.test","name":"new",
	"type":"A","data":["192.0.2.10"]}'
three=$(serial example.test.)
is "$(apply)" rolled_back "one cannot apply: rolled back"
echo good > "$tmp/fe1.mode"
returned() { [ "$(call status | jq -r '.result.generation')" = 6 ]; }
until_true returned
ok $? "generation 6 returns to the content before"
until_true test -s "$tmp/au1.gen/6/zones/example.test.zone"
grep -q 'new.example.test.*192.0.2.9' "$tmp/au1.gen/6/zones/example.test.zone"
ok $? "with the old record"
[ "$(awk '/SOA/{print $7}' "$tmp/au1.gen/6/zones/example.test.zone")" \
	-gt "$three" ]
ok $? "and a higher serial"
idle() { [ "$(call generation.wait '{"generation":6}' |
	jq -r .result.state)" != running ]; }
until_true idle
is "$(apply)" "done" "the same change goes out when the node is well"
is "$(serial example.test.)" \
	"$(awk '/SOA/{print $7}' "$tmp/au1.gen/7/zones/example.test.zone")" \
	"the serial served is the one shown"
# ---- rollback by the operator
answer=$(call rollback '{"generation":3}')
gen=$(jq .result.generation <<< "$answer")
is "$(call generation.wait "{\"generation\":$gen,\"timeout_ms\":20000}" |
	jq -r .result.state)" "done" "rollback is a new generation"
is "$(call limit.list | jq .result.qps)" 200 "with the old limit"
is "$(call rule.list | jq -c '[.result[]|[.name,.qps]]')" \
	'[["walled",0],["inner",0],["late",50]]' "and the old rules"
is "$(call limit.exempt.list | jq '.result|length')" 2 "the old exemptions"
is "$(call limit.misses.show | jq .result.client_qps)" 100 \
	"the old limit on misses"
is "$(call block.policy.show | jq .result.nxdomain_percent)" 90 \
	"and the old block policy"
is "$(call frontend.retry.show | jq .result.tries)" 2 "and the old tries"
is "$(call record.list '{"zone":"example.test","name":"new"}' |
	jq -r '.result[0].data')" 192.0.2.9 "and the old record"

is "$(call diff '{"from":6,"to":7}' | jq -c '[.result.changes[]|.kind]|sort')" \
	'["block policy","frontend retry","limit","limit exemption","limit on misses","record","rule","rule","rule"]' \
	"diff between two generations"
is "$(call diff '{"from":7,"to":6}' | jq -r '.result.changes[]|
	select(.kind=="record")|.detail|join(" ")')" \
	"- 3600 192.0.2.10 + 3600 192.0.2.9" "and the other way"
bad not_found 'generation 999' diff '{"from":999}'
good "import without a name" zone.import '{"text":"imp.test. 60 IN SOA ns h 9 1 1 1 1\nimp.test. 60 IN NS ns.imp.test.\nns.imp.test. 60 IN A 192.0.2.1\n"}'
is "$(jq -r .result.zone <<< "$answer")" "imp.test." "takes the SOA's"
bad invalid 'bad.test.:1: ' zone.import '{"zone":"bad.test","text":"@ IN SOA\n"}'
bad invalid '' zone.import '{"zone":"bad.test","text":"$INCLUDE /etc/passwd\n"}'
good "and away again" zone.delete '{"zone":"imp.test"}'

# ---- a restart: nodes come again, nothing is lost
kill -KILL "$(cat "$tmp/pid")"
wait "${pids[@]}" 2> /dev/null
start
ok $? "starts after kill -9"
is "$(call status | jq .result.generation)" "$gen" "generation is kept"
good "the audit chain holds" audit.verify
bad unavailable 'is not reachable' apply
is "$(apply '{"allow_missing":true}')" "done" \
	"nothing to do: done without the nodes"
good "a change while they are away" limit.set '{"qps":444}'
is "$(apply '{"allow_missing":true}')" "done" "apply --allow-missing"
now=$(call status | jq .result.generation)
pids=()
for name in fe1 au1; do
	play $name "$gen" &
	pids+=($!)
done
caught_up() { [ "$(states)" = current ] && connected; }
until_true caught_up
ok $? "late nodes catch up with the newest generation"
is "$(jq -r 'select(.type=="want")|.generation' < "$tmp/fe1.lines" |
	tail -1)" "$now" "and only that"

# ---- a copy of the database, put back: numbers go on above the nodes'
good "backup.create" backup.create
backup=$(jq -r .result.path <<< "$answer")
is "$(stat -c %a "$backup")" 600 "is 0600"
good "a later change" limit.set '{"qps":555}'
is "$(apply)" "done" "goes out"
later=$(call status | jq .result.newest)
kill "$(cat "$tmp/pid")"
wait "$(cat "$tmp/pid")" "${pids[@]}" 2> /dev/null
rm -f "$tmp/state"/mgmt.db*
cp "$backup" "$tmp/state/mgmt.db"
start
ok $? "starts with the copy"
is "$(call limit.list | jq .result.qps)" 444 "with the content of then"
pids=()
for name in fe1 au1; do
	play $name "$later" &
	pids+=($!)
done
until_true connected
call status | jq -r '.result.alarms[]' | grep -q 'not known here'
ok $? "nodes with a later generation are an alarm"
good "a change" limit.set '{"qps":556}'
is "$(apply)" "done" "apply"
now=$(call status | jq .result.newest)
[ "$now" -gt "$later" ]
ok $? "has a number above it"

# ---- tokens and rights
good "token.create" token.create '{"name":"noc","role":"viewer"}'
viewer=$(jq -r .result.token <<< "$answer")
web() { # TOKEN BODY -> HTTP status
	curl "${tls[@]}" -o "$tmp/web" -w '%{http_code}' \
		-H "Authorization: Bearer $1" --data-binary "$2" \
		"https://127.0.0.1:$oport/api/v1/call"
}
is "$(web "$viewer" '{"verb":"status"}')" 200 "a viewer reads"
is "$(web "$viewer" '{"verb":"block.add","args":{"target":"192.0.2.7"}}')" \
	403 "a viewer blocks nobody"
is "$(web "$viewer" '{"verb":"limit.set","args":{"qps":1}}')" 403 \
	"a viewer writes nothing"
is "$(web nonsense '{"verb":"status"}')" 401 "an unknown token is 401"
good "token.revoke" token.revoke '{"name":"noc"}'
is "$(web "$viewer" '{"verb":"status"}')" 401 "a revoked token is 401"
sqlite=$(command -v sqlite3 || true)
if [ -n "$sqlite" ]; then
	$sqlite "$tmp/state/mgmt.db" .dump > "$tmp/dump"
	grep -q "$viewer" "$tmp/dump"
	[ $? -ne 0 ]
	ok $? "the token is not in the database"
fi

# ---- a node gets a new certificate
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$tmp/new.key" -subj "/CN=x" -out "$tmp/new.csr" 2> /dev/null
jq -n --arg c "$(cat "$tmp/new.csr")" '{csr_pem:$c}' > "$tmp/renew"
node au1 /node/v1/renew --data-binary "@$tmp/renew" |
	jq -r '.cert_pem // empty' > "$tmp/new.pem"
is "$(node new /node/v1/status -o /dev/null -w '%{http_code}' \
	--data-binary "{\"have\":$now}")" 200 "a renewed certificate is good"
is "$(node au1 /node/v1/renew -o /dev/null -w '%{http_code}' \
	--data-binary '{"csr_pem":"rubbish"}')" 400 "rubbish is not signed"

# ---- connections that never finish a request
slow() { # PORT: a TLS record that never ends, an octet now and then
	exec 7<> "/dev/tcp/127.0.0.1/$1" || return 1
	local i
	printf '\026\003\001\002\000' >&7
	for ((i = 0; i < 100; i++)); do
		printf '\001' >&7 2> /dev/null || break
		read -r -t 0.1 -u 7 _
		[ $? -le 128 ] && break
	done
	# not at once, and not never
	[ $i -gt 10 ] && [ $i -lt 100 ]
}
trap '' PIPE
(slow "$oport") &
other=$!
(slow "$port")
ok $? "a slow node's connection is ended"
wait $other
ok $? "a slow operator's connection is ended"
trap - PIPE
is "$(states)" current "held streams stay"

# ---- secrets stay where they are needed
good "a vip with a password" vip.create '{"vip":"S","vrid":9,"version":2,
	"interval_ms":1000,"auth":"pass","password":"hush-hsh",
	"addresses":["10.0.0.99"]}'
for verb in 'vip.show {"vip":"S"}' 'vip.list {}' 'diff {}' 'status {}' \
	'audit.list {"limit":5}'; do
	call ${verb% *} "${verb#* }" | grep -q hush-hsh
	[ $? -ne 0 ]
	ok $? "${verb% *} does not show the password"
done
is "$(call vip.show '{"vip":"S"}' | jq -r .result.password)" '***' \
	"but that there is one"

# ---- virtual addresses and anycast
field() { call "$1" "$2" | jq -c ".result$3"; }
good "a preset" vip.create '{"vip":"P","vrid":8,"preset":"legacy",
	"addresses":["10.0.0.98"]}'
is "$(field vip.show '{"vip":"P"}' '|[.version,.interval_ms]')" '[2,1000]' \
	"is a version and an interval"
good "another preset" vip.set '{"vip":"P","preset":"fast","interval_ms":50}'
is "$(field vip.show '{"vip":"P"}' '|[.version,.interval_ms]')" '[3,50]' \
	"what is given itself goes first"
bad invalid 'must be one of legacy, default, fast' vip.set \
	'{"vip":"P","preset":"slow"}'
good "a node of it" vip.node '{"vip":"P","node":"fe1","interface":"e"}'
good "another" node.add '{"node":"fe8","address":"10.0.0.88","roles":"ha"}'
good "is of it too" vip.node '{"vip":"P","node":"fe8","interface":"e"}'
is "$(field vip.show '{"vip":"P"}' '.nodes|map(.priority)')" '[254,253]' \
	"priorities go down by themselves"
good "but for what is given" vip.node '{"vip":"P","node":"fe8","interface":"f"}'
is "$(field vip.show '{"vip":"P"}' '.nodes[1].priority')" 253 \
	"and what is there stays"
bad invalid 'its adverts are not signed' vip.hmac '{"vip":"P","what":"rotate"}'
good "signed adverts" vip.hmac '{"vip":"P","what":"on"}'
good "another key" vip.hmac '{"vip":"P","what":"rotate"}'
is "$(field vip.show '{"vip":"P"}' '|[.hmac,.hmac_key]')" '["enforce",2]' \
	"by its number only"
bad invalid 'must be one of on, off, rotate' vip.hmac '{"vip":"P","what":"x"}'
bad not_found 'vip Q: not found' vip.hmac '{"vip":"Q","what":"on"}'
is "$(field vip.show '{"vip":"P"}' '|[.owners,.nodes[0].role]')" '[[],null]' \
	"nobody has said that it owns it"
good "fencing" ha.set '{"fencing":["/usr/bin/fence"]}'
is "$(field ha.show '{}' .fencing)" '["/usr/bin/fence"]' "is kept"
good "anycast" anycast.create '{"anycast":"A","addresses":"198.51.100.53"}'
good "its node" anycast.node '{"anycast":"A","node":"fe8","engine":"frr"}'
is "$(field anycast.show '{"anycast":"A"}' '.nodes[0].example')" \
	'"/usr/share/doc/ispdns-common/examples/frr.conf"' \
	"tells the BGP daemon's example"
is "$(field anycast.list '{}' '[0]|[.anycast,.nodes,.announced_by]')" \
	'["A",["fe8"],[]]' "and is in the list"
is "$(field status '{}' '.anycast[0].name')" '"A"' "and in the status"
bad conflict 'is used by' node.delete '{"node":"fe8"}'
good "taken out" anycast.node '{"anycast":"A","node":"fe8","remove":true}'
good "removed" anycast.delete '{"anycast":"A"}'
call status | jq -r '.result.alarms[]' | grep -q '^vip P: nobody owns it$'
ok $? "an address without owner is an alarm"

# ---- the web page
page() { curl "${tls[@]}" -D "$tmp/head" "https://127.0.0.1:$oport$1"; }
page / | grep -q '<script src="/app.js"'
ok $? "the page is served"
grep -qi "^content-security-policy: default-src 'none'; script-src 'self'" \
	"$tmp/head"
ok $? "under a strict policy"
[ "$(page /app.js | wc -c)" -gt 1000 ] && grep -qi 'text/javascript' "$tmp/head"
ok $? "with its script"
is "$(page '/../mgmt.db' -o /dev/null | jq -r .code)" not_found "and no more"

# ---- revocation, metrics
is "$(call node.show '{"node":"au1"}' | jq '.result.certificates|length')" 2 \
	"both certificates are known"
good "node.revoke" node.revoke '{"node":"fe1"}'
gone() { ! kill -0 "${pids[0]}" 2> /dev/null; }
until_true gone
ok $? "a revoked node's stream is closed"
is "$(node fe1 /node/v1/manifest/1 -o /dev/null -w '%{http_code}')" 403 \
	"and its certificate is not believed"
curl -s --unix-socket "$tmp/run/api.sock" http://mgmt/metrics > "$tmp/metrics"
grep -q '^ispdns_node_generation{node="au1",kind="have"} '"$now" \
	"$tmp/metrics"
ok $? "metrics tell the generation of a node"
grep -q '^ispdns_cert_expiry_seconds{node="au1"} 77[67][0-9]*$' "$tmp/metrics"
ok $? "and when its certificate ends"
grep -Ev '^(#|[a-z_]+([{][a-z]+="[^"]*"(,[a-z]+="[^"]*")*[}])? -?[0-9]+$)' \
	"$tmp/metrics"
[ $? -ne 0 ]
ok $? "every line is a sample"
if command -v promtool > /dev/null; then
	promtool check metrics < "$tmp/metrics" > "$tmp/out" 2>&1
	ok $? "promtool agrees"
	sed 's/^/# /' "$tmp/out"
fi
good "node.delete" node.delete '{"node":"au1"}'
gone() { ! kill -0 "${pids[1]}" 2> /dev/null; }
until_true gone
ok $? "a deleted node's stream is closed"
bad not_found 'node au1: not found' node.show '{"node":"au1"}'
kill "$(cat "$tmp/pid")"
wait "$(cat "$tmp/pid")" 2> /dev/null
is $? 0 "SIGTERM is a clean end"
rm -f "$tmp/pid"
[ ! -e "$tmp/run/api.sock" ]
ok $? "the socket is gone"
echo "1..$n"
