#!/bin/bash
# SPDX-License-Identifier: ISC
# The real frontend between 1000 queries a second of unique names and two
# backends of which one is killed, frozen, or fails at once; then a thousand
# changes of configuration under load. On a loopback of its own.
if [ -z "${FRONTEND_TEST_NETNS:-}" ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -n true 2> /dev/null; then
		echo "1..0 # SKIP needs root and network namespaces"
		exit 0
	fi
	FRONTEND_TEST_NETNS=1 exec unshare -n "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
need jq dig ip
ip link set lo up

stub=$ISPDNS_BUILDDIR/tests/frontend/stub
client=$ISPDNS_BUILDDIR/ispdns-lab-client
frontend=$ISPDNS_BUILDDIR/ispdns-frontend
[ -x "$stub" ] && [ -x "$client" ] && [ -x "$frontend" ] ||
	bail "run make and make check first"
pids=()

cleanup() {
	local p status=$?
	for p in "${pids[@]}"; do
		kill -CONT "$p" 2> /dev/null
		kill -KILL "$p" 2> /dev/null
	done
	(exit $status) # what lab_cleanup ends with
	lab_cleanup
}
trap cleanup EXIT

fe() { "$frontend" --control "$work/control.sock" "$@"; }

config() { # POLICY QPS
	cat <<-END
	workers: 2
	listen: ["0.0.0.0:5300", "[::]:5300"]
	acl: {allow: [127.0.0.0/8, "::1"]}
	limit: {qps: $2}
	pools:
	  rec:
	    policy: $1
	    backends:
	      - {name: r1, address: "127.0.0.1:5301", check: {name: google.com., type: A}}
	      - {name: r2, address: "127.0.0.1:5302", check: {name: google.com., type: A}}
	default_pool: rec
	metrics: {listen: "127.0.0.1:5303"}
	ha: {socket: $work/ha.sock}
	END
}

backend_up() { # NAME
	fe show servers --json | jq -e --arg n "$1" \
		'.servers[] | select(.name == $n) | .state == "up"'
}

backend_out() { ! backend_up "$1"; }

start_stub() { # 1|2
	"$stub" "127.0.0.1:530$1" 20 > "$work/stub$1.out" &
	pids+=($!)
	eval "stub$1=$!"
	disown $!
}

start_all() { # POLICY
	config "$1" 0 > "$work/frontend.yaml"
	start_stub 1
	start_stub 2
	"$frontend" --config "$work/frontend.yaml" \
		--control "$work/control.sock" > "$work/frontend.log" 2>&1 &
	frontend_pid=$!
	pids+=("$frontend_pid")
	disown "$frontend_pid"
	wait_for 5 backend_up r1 && wait_for 5 backend_up r2 || {
		diag "$(cat "$work/frontend.log")"
		bail "the frontend does not come up"
	}
}

stop_all() {
	local p
	for p in "$frontend_pid" "$stub1" "$stub2"; do
		kill -CONT "$p" 2> /dev/null
		kill "$p" 2> /dev/null
	done
	wait_for 10 test ! -e "/proc/$frontend_pid"
}

run() { # PREFIX SECONDS
	"$client" --rate 1000 --seconds "$2" --name "$1-%u.example" \
		127.0.0.1@5300 > "$work/run.json"
}

lost() { jq .lost "$work/run.json"; }
failed() { jq '.rcodes.SERVFAIL // 0' "$work/run.json"; }

# drill NAME COMMAND...: a run of 6 s with the fault after 2 s.
drill() {
	local name=$1
	shift
	run "$name" 6 &
	local job=$!
	sleep 2 # the load before the fault
	"$@"
	wait "$job"
}

for policy in leastOutstanding wrandom; do
	start_all "$policy"
	drill "kill-$policy" kill -KILL "$stub1"
	is "$(jq .sent "$work/run.json")" 6000 "$policy: 6000 queries"
	is "$(lost)" 0 "$policy, one backend killed: none lost"
	is "$(failed)" 0 "$policy, one backend killed: no SERVFAIL"
	start_stub 1
	wait_for 10 backend_up r1
	ok "$policy: the killed one returns" backend_up r1
	drill "freeze-$policy" kill -STOP "$stub2"
	is "$(lost)" 0 "$policy, one backend frozen: none lost"
	is "$(failed)" 0 "$policy, one backend frozen: no SERVFAIL"
	kill -CONT "$stub2"
	wait_for 20 backend_up r2
	ok "$policy: the frozen one returns" backend_up r2
	drill "fail-$policy" kill -USR1 "$stub1"
	is "$(lost)" 0 "$policy, one backend fails at once: none lost"
	at_most "$(failed)" 29 \
		"$policy, one backend fails at once: under 0.5 % SERVFAIL"
	ok "$policy: the failing one is out of rotation" backend_out r1
	at_most "$(fe stats --json |
		jq '.["retries_total{reason=\"servfail\"}"]')" 300 \
		"$policy: after less than 300 ms of its questions"
	out=$(fe show servers)
	diag "$out"
	diag "$(fe stats --json | jq -c 'with_entries(select(.value != 0))')"
	diag "$(cat "$work/frontend.log")"
	stop_all
done

# ---- addresses ----
start_all leastOutstanding
for a in 127.0.0.1 127.0.0.77 ::1; do
	for t in +notcp +tcp; do
		is "$(dig +short +tries=1 $t "@$a" -p 5300 any.example)" \
			192.0.2.1 "asked at $a ($t), answered from there"
	done
done

# ---- changes under load ----
rss() { awk '/VmRSS/ { print $2 }' "/proc/$frontend_pid/status"; }
reloads() { # COUNT
	local i
	for i in $(seq "$1"); do
		config leastOutstanding $((1000000 + i)) > "$work/next.yaml"
		mv "$work/next.yaml" "$work/frontend.yaml"
		fe reload > /dev/null || echo "reload $i failed"
	done
}
reloads 50
before=$(rss)
run reload 8 &
job=$!
failures=$(reloads 200)
wait "$job"
is "$failures" "" "200 changes of configuration"
is "$(lost)" 0 "under load: none lost"
is "$(failed)" 0 "no SERVFAIL"
if grep -qE '__(asan|tsan)_init' "$frontend"; then
	skip 1 "a sanitizer keeps freed memory"
else
	at_most $(($(rss) - before)) 6000 "memory does not grow (KiB)"
fi
dig +short @127.0.0.1 -p 5300 kept.example > /dev/null
echo "listen: [nonsense]" > "$work/frontend.yaml"
out=$(fe reload 2>&1)
like "$out" "frontend.yaml:1: .*nonsense" "a wrong file is refused by line"
is "$(dig +short @127.0.0.1 -p 5300 kept.example)" 192.0.2.1 \
	"what ran before still answers"
config leastOutstanding 0 > "$work/frontend.yaml"
fe reload > /dev/null
hits=$(fe show cache --json | jq .hits)
dig +short @127.0.0.1 -p 5300 kept.example > /dev/null
is "$(fe show cache --json | jq .hits)" $((hits + 1)) \
	"the cache survives a change"

# ---- stop under load ----
run stop 3 &
job=$!
sleep 1 # some load first
kill -TERM "$frontend_pid"
ok "SIGTERM: it ends within 5 s" wait_for 5 test ! -e "/proc/$frontend_pid"
kill "$job" 2> /dev/null
wait "$job" 2> /dev/null
unlike "$(cat "$work/frontend.log")" "error:.*(memory|worker)|Sanitizer" \
	"no complaint in the log"
done_testing
