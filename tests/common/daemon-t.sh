#!/bin/bash
# SPDX-License-Identifier: ISC
# The frame of every daemon, with one that does nothing (tiny-daemon).
set -u
tiny=$ISPDNS_BUILDDIR/tests/common/tiny-daemon
dir=$(mktemp -d /tmp/ispdns-daemon-t.XXXXXX)
pid= notify_pid=
cleanup() {
	[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
	[ -n "$notify_pid" ] && kill "$notify_pid" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
n=0
ok() { # ok STATUS WHAT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
is() { # is GOT WANT WHAT
	n=$((n + 1))
	if [ "$1" = "$2" ]; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3"
		printf '# got:  %s\n# want: %s\n' "$1" "$2"
	fi
}
wait_for() { # wait_for COMMAND...: at most 10 s
	for _ in $(seq 500); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	return 1
}
ask() { "$tiny" --control "$dir/c.sock" "$@" 2>&1; }
field() { # field NAME of status
	ask status --json | sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p"
}
value_is() { [ "$(field value)" = "$1" ]; }
prepared_is() { [ "$(field prepared)" = "$1" ]; }
log_has() { grep -q "$1" "$dir/log"; }
start() {
	"$tiny" --config "$dir/t.yaml" --control "$dir/c.sock" "$@" \
		2>>"$dir/log" &
	pid=$!
	wait_for ask status
}

# --- what prints and ends ---
"$tiny" --version | grep -q "^tiny-daemon [0-9.]* (extra 1.0)\$"
ok $? "--version"
"$tiny" --help | grep -q 'prepare .*config=PATH'
ok $? "--help lists the verbs"
"$tiny" --print-config-reference | grep -q '^| `value` | an integer | required'
ok $? "--print-config-reference"
echo 'value: 1' >"$dir/t.yaml"
is "$("$tiny" --check "$dir/t.yaml")" "$dir/t.yaml: ok" "--check FILE"
is "$("$tiny" --config "$dir/t.yaml" --check)" "$dir/t.yaml: ok" \
	"--check with --config"
echo 'value: x' >"$dir/bad.yaml"
out=$("$tiny" --check "$dir/bad.yaml" 2>&1)
is "$? $out" "1 $dir/bad.yaml:1: value: \"x\": must be an integer" \
	"--check: a wrong type"
echo 'value: 13' >"$dir/bad.yaml"
out=$("$tiny" --check "$dir/bad.yaml" 2>&1)
is "$? $out" "1 $dir/bad.yaml:1: 13 is unlucky" "--check: beyond the table"
out=$("$tiny" --check "$dir/none.yaml" 2>&1)
is "$?" 1 "--check: a missing file"
"$tiny" --nonsense 2>/dev/null
is "$?" 2 "unknown argument"
"$tiny" --config 2>/dev/null
is "$?" 2 "incomplete argument"
"$tiny" --log-level loud 2>/dev/null
is "$?" 2 "unknown log level"
"$tiny" --config "$dir/bad.yaml" --control "$dir/c.sock" 2>"$dir/out"
is "$?" 1 "does not start with a bad file"
grep -q "bad.yaml:1: 13 is unlucky" "$dir/out"
ok $? "and says why"
[ ! -e "$dir/c.sock" ]
ok $? "and leaves no socket"
echo 'value: 14' >"$dir/bad.yaml"
"$tiny" --config "$dir/bad.yaml" --control "$dir/c.sock" 2>/dev/null
is "$?" 1 "does not start when start fails"

# --- running ---
start
ok $? "starts"
is "$(field state)" running "state"
is "$(field value)" 1 "value"
is "$(field generation)" 0 "no generation told"
is "$(field pid)" "$pid" "pid"
"$tiny" --config "$dir/t.yaml" --control "$dir/c.sock" 2>"$dir/out"
is "$?" 1 "a second one does not start"
grep -q "another one is running here" "$dir/out"
ok $? "and says why"
is "$(field value)" 1 "the first one goes on"
is "$(ask config)" "$(printf 'value: 1\nlate: 0s\nfixed: a')" \
	"config prints all, with defaults"
is "$(ask stats)" "queries  0" "stats"
is "$(ask args a=1 b=true c=x=y word --json | tr -d ' \n')" \
	'{"a":1,"b":true,"c":"x=y","words":["word"]}' "arguments of a verb"
ask args | grep -q .
is "$?" 1 "an empty answer prints nothing"
out=$(ask nonsense)
is "$? $out" '1 tiny-daemon: nonsense: unknown verb "nonsense"' "unknown verb"
ask verbs | grep -q '^discard  *drop'
ok $? "verbs"
is "$(ask log debug)" "level  debug" "log level"
ask log loud >/dev/null
is "$?" 1 "wrong log level"
is "$(ask drain)" "draining  true" "drain"
is "$(field state) $(field drained)" "draining true" "is draining"
ask undrain >/dev/null
is "$(field state) $(field drained)" "running false" "undrain"

# --- prepare, commit, discard ---
echo 'value: 5' >"$dir/next.yaml"
is "$(ask prepare config="$dir/next.yaml" generation=7)" "generation  7" \
	"prepare"
is "$(field value) $(field prepared)" "1 7" "prepared has no effect yet"
ask commit generation=6 >/dev/null
is "$?" 1 "commit of another generation"
is "$(ask commit generation=7)" "generation  7" "commit"
is "$(field value) $(field generation)" "5 7" "is running"
is "$(field config)" "$dir/next.yaml" "its file"
is "$(ask commit generation=7)" "generation  7" "commit again is no error"
out=$(ask commit generation=8)
is "$? $out" "1 tiny-daemon: commit: nothing is prepared" "nothing prepared"
echo 'value: 6' >"$dir/next.yaml"
ask prepare config="$dir/next.yaml" generation=8 >/dev/null
ask discard
is "$? $(field discards) $(field value)" "0 1 5" "discard"
ask discard
is "$?" 0 "discard of nothing"
ask prepare config="$dir/next.yaml" generation=9 >/dev/null
ask prepare config="$dir/next.yaml" generation=10 >/dev/null
is "$(field prepared) $(field discards)" "10 2" "the newer prepare wins"
ask commit generation=10 >/dev/null
is "$(field value)" 6 "and is committed"
for v in 13 15; do
	echo "value: $v" >"$dir/next.yaml"
	ask prepare config="$dir/next.yaml" generation=11 >/dev/null
	is "$? $(field value) $(field generation)" "1 6 10" \
		"prepare refused ($v): nothing changes"
done
echo 'value: 16' >"$dir/next.yaml"
ask prepare config="$dir/next.yaml" generation=11 >/dev/null
out=$(ask commit generation=11)
is "$? $out" "1 tiny-daemon: commit: 16 went back" "a commit that goes back"
is "$(field value) $(field generation)" "6 10" "the old one stays"
printf 'value: 7\nlate: 100ms\n' >"$dir/next.yaml"
is "$(ask prepare config="$dir/next.yaml" generation=12)" "generation  12" \
	"a prepare that takes its time"
ask commit generation=12 >/dev/null
is "$(field value)" 7 "and is committed"
printf 'value: 8\nlate: 300ms\n' >"$dir/next.yaml"
ask prepare config="$dir/next.yaml" generation=13 >"$dir/out" &
late=$!
wait_for prepared_is 13
ask prepare config="$dir/next.yaml" generation=14 >/dev/null
is "$?" 1 "a second prepare meanwhile is refused"
ask discard >/dev/null
is "$?" 0 "discard while it is being prepared"
wait $late
is "$? $(field value)" "1 7" "the prepare is told, nothing changes"
printf 'value: 7\nfixed: b\n' >"$dir/next.yaml"
is "$(ask prepare config="$dir/next.yaml" generation=15)" \
	"$(printf 'generation      15\nrestart_needed  fixed')" \
	"a change that needs a restart is told"
ask discard
ask prepare config=relative generation=1 >/dev/null
is "$?" 1 "prepare: a relative path"
ask prepare config=/x generation=x >/dev/null
is "$?" 1 "prepare: no number"
ask prepare config="$dir/none" generation=16 >/dev/null
is "$?" 1 "prepare: no file"

# --- reload ---
echo 'value: 20' >"$dir/t.yaml"
kill -HUP $pid
wait_for value_is 20
ok $? "SIGHUP reloads"
echo 'value: 21' >"$dir/t.yaml"
ask reload >/dev/null
is "$? $(field value)" "0 21" "reload"
echo 'value: oops' >"$dir/t.yaml"
kill -HUP $pid
wait_for log_has 'reload failed, the old configuration stays: .*t.yaml:1: value'
ok $? "SIGHUP with a bad file is logged"
is "$(field value) $(field changes_failed)" "21 1" "and changes nothing"
out=$(ask reload)
is "$? $out" "1 tiny-daemon: reload: $dir/t.yaml:1: value: \"oops\": must be an integer" \
	"reload with a bad file"

# --- end ---
kill -TERM $pid
wait $pid
is "$?" 0 "SIGTERM: clean end"
pid=
[ ! -e "$dir/c.sock" ]
ok $? "the socket is gone"
ask status >/dev/null
is "$?" 1 "and a verb says so"
echo 'value: 1' >"$dir/t.yaml"
start
kill -9 $pid
wait $pid 2>/dev/null
start
is "$(field value)" 1 "starts over the socket of a killed one"

# --- systemd's datagrams ---
kill -TERM $pid
wait $pid
perl -MIO::Socket::UNIX -e '
	$s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
	$| = 1;
	while (defined $s->recv($m, 4096)) { $m =~ s/\n/ /g; print "$m\n"; }
' "$dir/notify" >"$dir/notes" &
notify_pid=$!
wait_for test -S "$dir/notify"
NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=100000 start
wait_for grep -q '^WATCHDOG=1' "$dir/notes"
ok $? "watchdog"
is "$(head -1 "$dir/notes")" "READY=1" "ready"
echo 'value: 2' >"$dir/t.yaml"
kill -HUP $pid
wait_for value_is 2
# The reader of the datagrams is a process of its own: wait for it.
notes() { grep -v WATCHDOG "$dir/notes"; }
noted() { [ "$(notes | wc -l)" -ge "$1" ]; }
wait_for noted 3
notes | sed -n 2p | grep -q '^RELOADING=1 MONOTONIC_USEC=[0-9]*$'
ok $? "reloading"
is "$(notes | sed -n 3p)" "READY=1" "ready again"
kill -TERM $pid
wait $pid
pid=
wait_for noted 4
is "$(notes | sed -n 4p)" "STOPPING=1" "stopping"
echo "1..$n"
