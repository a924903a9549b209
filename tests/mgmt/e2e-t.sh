#!/bin/bash
# SPDX-License-Identifier: ISC
# Management, agent, authority and the command line together, in a network
# namespace of an unprivileged user: join, roll-out, refusal, rollback, life
# without management. Nothing is played; NSD answers the queries.
set -u
if [ -z "${ISPDNS_E2E_INSIDE:-}" ]; then
	for need in unshare ip jq nsd; do
		command -v $need > /dev/null || [ -x /usr/sbin/$need ] || {
			echo "1..0 # SKIP $need is not installed"
			exit 0
		}
	done
	unshare -rnm true 2> /dev/null || {
		echo "1..0 # SKIP no user, network and mount namespaces here"
		exit 0
	}
	exec env ISPDNS_E2E_INSIDE=1 unshare -rnm "$0" "$@"
fi
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up || exit 1
# The authority keeps its state in /var/lib/ispdns: not in the host's.
mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/ispdns || exit 1
build=${ISPDNS_BUILDDIR:-$PWD}
for program in ispdns ispdns-mgmt ispdns-agent ispdns-authority; do
	[ -x "$build/$program" ] || {
		echo "Bail out! $build/$program is not there"
		exit 1
	}
done
tmp=$(mktemp -d) || exit 1
export HOME="$tmp" ISPDNS_SOCKET="$tmp/run/api.sock"
exec 3>&1
n=0 failed=0 pids=()

cleanup() {
	touch "$tmp/stop"
	for p in "${pids[@]}"; do kill "$p" 2> /dev/null; done
	[ -s "$tmp/authority.pid" ] && kill "$(cat "$tmp/authority.pid")"
	wait 2> /dev/null
	[ "$failed" = 0 ] || tail -n 20 "$tmp"/*.log | sed 's/^/# /' >&3
	rm -rf "$tmp"
} 2> /dev/null
trap cleanup EXIT

ok() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
		sed 's/^/# /' "$tmp/out" "$tmp/err" 2> /dev/null | head -20
	fi
}
cli() { "$build/ispdns" "$@"; }
# run WANTED-STATUS TEXT COMMAND ...
run() {
	local want=$1 text=$2 rc
	shift 2
	"$@" > "$tmp/out" 2> "$tmp/err"
	rc=$?
	[ $rc -eq "$want" ]
	ok $? "$text (exit status $rc)"
}
says() { grep -q -- "$1" "$tmp/out" "$tmp/err"; ok $? "says: $1"; }
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
is_gone() { ! kill -0 "$1" 2> /dev/null; }
have() { # GENERATION: what management knows of the node
	[ "$(cli node list --json | jq -r '.[0].have')" = "$1" ]
}
node_is() { # JQ-CONDITION on the only node
	local list
	list=$(cli node list --json) && jq -e ".[0] | $1" <<< "$list"
}
connections() { grep -c 'connected to management' "$tmp/agent.log"; }
connected_since() { [ "$(connections)" -gt "$1" ]; }
asked() { # NAME: the address in the answer
	cli query "$1" A --at 127.0.0.1 --json 2> /dev/null |
		jq -r '.records[] | select(.section == "answer") | .data'
}
answers() { [ "$(asked "$1")" = "$2" ]; }

mgmt_start() {
	"$build/ispdns-mgmt" --config "$tmp/mgmt.yaml" \
		--control "$tmp/run/mgmt.sock" 2>> "$tmp/mgmt.log" &
	mgmt=$!
	disown # so that bash does not tell of its end
	pids+=($mgmt)
	wait_for 10 cli status
}
agent_start() {
	"$build/ispdns-agent" --config "$tmp/node.yaml" \
		--control "$tmp/run/agent/control.sock" 2>> "$tmp/agent.log" &
	agent=$!
	disown
	pids+=($agent)
}
# As an init system does it: start until there is a configuration.
authority_keep() {
	until [ -e "$tmp/stop" ]; do
		if [ -e "$tmp/n1/current/authority.yaml" ]; then
			"$build/ispdns-authority" \
				--config "$tmp/n1/current/authority.yaml" \
				--control "$tmp/run/authority/control.sock" \
				2>> "$tmp/authority.log" &
			echo $! > "$tmp/authority.pid"
			wait $! 2> /dev/null
		fi
		sleep 0.1
	done
}

mkdir -p "$tmp"/{run/agent,run/authority,bin,mgmt}
ln -s "$build/ispdns-authority" "$tmp/bin/"
cat > "$tmp/mgmt.yaml" <<EOT
state: $tmp/mgmt
api_socket: $tmp/run/api.sock
nodes: {listen: "127.0.0.1:8443"}
operators: {listen: "127.0.0.1:8444"}
names: [localhost]
EOT

# ---- no management yet ----
run 10 "without management: unreachable" cli status
says "management is not reachable at"
mgmt_start
run 0 "management answers" cli status
run 4 "an unknown zone" cli zone show nothing.example
run 3 "an unknown word" cli zone shwo nothing.example
says "'shwo' is unknown; allowed"

# ---- join ----
run 0 "node add" cli node add n1 --address 127.0.0.21 --roles authority --json
join=$(jq -r .join.command "$tmp/out" | sed 's/^ispdns //')
where="--mgmt 127.0.0.1:8444 --config $tmp/node.yaml --state $tmp/n1"
pin=${join##*--ca-pin }
run 10 "join with another authority's pin" cli join --node n1 --token x \
	--ca-pin "$(printf '0%.0s' {1..64})" $where
run 5 "join with a wrong token" cli join --node n1 --token ispdns1.x.y \
	--ca-pin "$pin" $where
[ ! -e "$tmp/node.yaml" ]
ok $? "neither of them wrote a configuration"
run 0 "join" cli $join $where
[ "$(stat -c %a "$tmp/n1" "$tmp/n1/pki" "$tmp/n1/pki/node.key" |
	tr '\n' ' ')" = "750 700 600 " ]
ok $? "modes of state, pki and key"
run 5 "the token is for one use" cli $join $where
printf 'run: %s/run\nprograms: %s/bin\n' "$tmp" "$tmp" >> "$tmp/node.yaml"
run 0 "the agent's check" "$build/ispdns-agent" \
	--check "$tmp/node.yaml"
agent_start
wait_for 10 node_is '.last_seen_s >= 0 and .last_seen_s < 10'
ok $? "management sees the node"
authority_keep &
pids+=($!)

# ---- a zone, from the file to the answer ----
cat > "$tmp/db" <<'EOT'
$TTL 300
@ IN SOA ns1 admin 2026021401 3600 1800 604800 86400
@ IN NS ns1
ns1 A 127.0.0.1
www A 192.0.2.1
EOT
run 0 "zone import --dry-run" cli zone import a.example "$tmp/db" --dry-run
run 4 "has changed nothing" cli zone show a.example
run 0 "zone import" cli zone import a.example "$tmp/db"
run 2 "diff: changes are pending" cli diff
run 0 "apply returns when the node has proven it" cli apply -m first
says "n1 *applied"
answers www.a.example 192.0.2.1
ok $? "NSD answers"
run 0 "nothing pending" cli diff
have 1
ok $? "the node has generation 1"

run 0 "record set" cli record set a.example www A 192.0.2.2
run 0 "apply" cli apply -m second --json
jq -e '.state == "done" and .generation == 2' "$tmp/out" > /dev/null
ok $? "apply --json tells state and generation"
answers www.a.example 192.0.2.2
ok $? "NSD answers with the new address"
run 7 "what a frontend would refuse is not taken" cli policy set \
	--transfer allow
says "transfer"
run 7 "nor is such a rule" cli rule add r --action drop --qps 5
says "rule r: qps goes with action rate-limit, not with drop"
run 7 "a CNAME beside other data is refused" \
	cli record add a.example www CNAME ns1.a.example.
run 0 "and left nothing behind" cli diff

# ---- every reader gives JSON, every writer can be tried ----
while read -r words; do
	# shellcheck disable=SC2086
	cli $words --json > "$tmp/out" 2> "$tmp/err" &&
		jq -e . "$tmp/out" > /dev/null
	ok $? "$words --json"
done <<'EOT'
status
zone list
zone show a.example
zone export a.example
record list a.example
record list a.example www A
acl list
limit list
limit exempt list
limit misses show
block policy show
frontend show
frontend tcp show
policy show
pool list
backend list
backend stats
route list
rule list
cache show
cache stats
limit stats
vip list
resolver show
forward list
node list
node show n1
diff
history
history 1
audit list
audit verify
token list
version
query www.a.example --at 127.0.0.1
EOT
while read -r words; do
	# shellcheck disable=SC2086
	run 0 "$words --dry-run" cli $words --dry-run
done <<'EOT'
zone create b.example --ns ns.b.example
zone delete a.example --force
record add a.example x TXT y
record set a.example www A 192.0.2.77
record del a.example www A
acl add 192.0.2.0/24
acl set --action drop
limit set qps=10
limit override 192.0.2.0/24 --qps 100
limit exempt add 192.0.2.0/24
limit misses set --client-qps 100
block policy set --qps 2000
policy set --any refuse
pool create rec
rule add r --qtype ANY --action refuse
cache set --entries 1000
cache flush
resolver set --no-dnssec
forward add corp.example --to 192.0.2.1
vip create V --vrid 9 --addresses 192.0.2.9/24
node add n2 --address 192.0.2.2 --roles resolver
node cmd n1 authority drain
token create t --role viewer
rollback 1
EOT
run 0 "none of them changed anything" cli diff
[ "$(cli node list --json | jq length)" = 1 ]
ok $? "or added a node"

# ---- completion ----
complete() { # WANTED WORD...
	local want=$1
	shift
	[ "$(cli __complete "$@" | tr '\n' ' ')" = "${want:+$want }" ]
	ok $? "completion of '$*': $want"
}
complete "vip version" v
complete "drain down del" backend d
complete "a.example." zone show ""
complete "exempt" limit ex
complete "list add del" limit exempt ""
complete "" limit exempt add ""
complete "--labels" limit misses set --la
complete "n1" node show n
complete "--ttl" record add --t
cli completion bash | bash -n
ok $? "the lines for bash are good shell"

# ---- a node that cannot prove it ----
run 0 "record set" cli record set a.example www A 192.0.2.3
kill -STOP "$(cat "$tmp/authority.pid")"
run 1 "apply on a node whose daemon hangs fails" cli apply -m third --wait 50
says "authority"
kill -CONT "$(cat "$tmp/authority.pid")"
wait_for 10 answers www.a.example 192.0.2.2
ok $? "what was served is served"
wait_for 20 node_is '.state == "current"'
ok $? "the node is current again"
run 0 "apply again" cli apply -m fourth
answers www.a.example 192.0.2.3
ok $? "now it is served"

# ---- many zones at once: one connection, few fsyncs ----
mkdir "$tmp/many"
for i in $(seq 300); do
	sed "s/192.0.2.1/192.0.2.$((i % 250))/" "$tmp/db" > "$tmp/many/z$i"
	echo "zone \"z$i.example\" { type primary; file \"z$i\"; };"
done > "$tmp/many/named.conf"
run 0 "import of 300 zones" cli import bind "$tmp/many/named.conf"
run 0 "apply of 300 zones" cli apply
answers www.z299.example 192.0.2.49
ok $? "the last of them is served"

# ---- rollback ----
run 0 "history" cli history
says "second"
run 0 "rollback to generation 2" cli rollback 2
answers www.a.example 192.0.2.2
ok $? "the old content is served"

# ---- without management, and over a restart of the node ----
last=$(readlink "$tmp/n1/current")
kill -KILL $mgmt
kill -TERM $agent
wait_for 10 is_gone $agent
ok $? "the agent ends"
kill -KILL "$(cat "$tmp/authority.pid")"
agent_start
wait_for 15 answers www.a.example 192.0.2.2
ok $? "the restarted node serves the same without management"
[ "$(readlink "$tmp/n1/current")" = "$last" ]
ok $? "from the same generation"
run 10 "the command line says who is missing" cli apply
mgmt_start
ok $? "management is back"
wait_for 20 node_is '.state == "current"'
ok $? "the agent has found it"
run 0 "record set" cli record set a.example www A 192.0.2.9
run 0 "apply" cli apply
answers www.a.example 192.0.2.9
ok $? "is served"
run 0 "node cmd: a verb for a daemon" cli node cmd n1 authority status --json
jq -e .generation "$tmp/out" > /dev/null
ok $? "gives its answer"
run 0 "audit verify" cli audit verify
old=$(cksum < "$tmp/n1/pki/node.pem")
run 0 "node cmd: the agent renews its certificate" cli node cmd n1 agent renew
[ "$(cksum < "$tmp/n1/pki/node.pem")" != "$old" ]
ok $? "it has another one"
kill -TERM $agent
wait_for 10 is_gone $agent
# as if it had died between the two steps of a renewal
mv "$tmp/n1/pki/node.key" "$tmp/n1/pki/node.key.new"
cp "$tmp/mgmt.yaml" "$tmp/n1/pki/node.key"
before=$(connections)
agent_start
wait_for 20 connected_since "$before"
ok $? "the agent has mended the pair and is connected"
run 0 "record set" cli record set a.example www A 192.0.2.10
run 0 "apply with the new certificate" cli apply
cli node cmd n1 agent dance > "$tmp/out" 2> "$tmp/err"
[ $? -ne 0 ]
ok $? "an unknown verb of the agent"
says "the agent's verbs are status and renew"
cli node cmd n1 authority commit generation=1 > "$tmp/out" 2> "$tmp/err"
[ $? -ne 0 ]
ok $? "roll-outs cannot be played by commands"
says "belongs to roll-outs"
[ "$(ls "$tmp/n1/gen" | wc -l)" -le 7 ]
ok $? "old generations go"

# ---- TLS with a token, for another host ----
token=$(cli token create reader --role viewer --json | jq -r .token)
ISPDNS_SOCKET='' cli zone list --server 127.0.0.1:8444 --token "$token" \
	--ca-pin "$pin" > "$tmp/out" 2> "$tmp/err"
ok $? "zone list over TLS with a token"
says "a.example"
ISPDNS_SOCKET='' cli zone delete a.example --server 127.0.0.1:8444 \
	--token "$token" --ca-pin "$pin" > "$tmp/out" 2> "$tmp/err"
[ $? -eq 5 ]
ok $? "a viewer may not write"
echo "1..$n"
