# SPDX-License-Identifier: ISC
# For the scripts beside it: TAP, and a frontend with one backend on loopback
# that is gone when the script ends. Sourced with the name of the script; sets
# $dir, $fe, $stub, after `start` $base (its port; backend: +1, metrics: +2;
# +3 is free), $pid and $stub_pid.
set -u
command -v dig > /dev/null || { echo "1..0 # SKIP no dig"; exit 0; }
fe=$ISPDNS_BUILDDIR/ispdns-frontend
stub=$ISPDNS_BUILDDIR/tests/frontend/stub
dir=$(mktemp -d "/tmp/ispdns-$1.XXXXXX")
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
is() { # GOT WANT WHAT
	[ "$1" = "$2" ]
	local status=$?
	ok $status "$3"
	[ $status = 0 ] || printf '%s\n' "got:  $1" "want: $2" | sed 's/^/# /'
}
like() { # GOT REGEX WHAT
	printf '%s\n' "$1" | grep -Eq -- "$2"
	local status=$?
	ok $status "$3"
	[ $status = 0 ] || printf '%s\n' "got:  $1" "like: $2" | sed 's/^/# /'
}
wait_for() { # COMMAND...: at most 10 s
	for _ in $(seq 500); do
		"$@" > /dev/null 2>&1 && return 0
		sleep 0.02
	done
	return 1
}
is_valid() { # FILE: a page of metrics
	if command -v promtool > /dev/null; then
		promtool check metrics < "$1" > "$dir/lint" 2>&1
		ok $? "the page is valid for promtool"
		sed 's/^/# /' "$dir/lint"
	else
		ok 0 "the page is valid # SKIP no promtool"
	fi
}
pick() { base=$((20000 + RANDOM % 20000)); }
ask() { "$fe" --control "$dir/c.sock" "$@" 2>&1; }
query() { dig +tries=1 +timeout=2 -p "$base" @127.0.0.1 "$@" 2>&1; }
page() { # PATH
	exec 3<> "/dev/tcp/127.0.0.1/$((base + 2))" || return 1
	printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
	sed '1,/^\r*$/d' <&3
	exec 3<&- 3>&-
}
config() { # EXTRA: writes $dir/f.yaml; a script may have one of its own
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
start() { # EXTRA: tried on other ports until both programs start
	for _ in 1 2 3 4 5; do
		pick
		"$stub" "127.0.0.1:$((base + 1))" > /dev/null 2>&1 &
		stub_pid=$!
		config "$1"
		"$fe" --config "$dir/f.yaml" --control "$dir/c.sock" \
			> "$dir/log" 2>&1 &
		pid=$!
		wait_for r1_is up && return 0
		kill -9 "$pid" "$stub_pid" 2> /dev/null
	done
	sed 's/^/# /' "$dir/log"
	echo "Bail out! the frontend does not start"
	exit 255
}
