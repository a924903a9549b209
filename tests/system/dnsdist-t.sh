#!/bin/bash
# SPDX-License-Identifier: ISC
# The proof for a site that leaves dnsdist: its file, imported and rolled out
# to a frontend, gives the answers that dnsdist itself gives with that file.
# In a network namespace of an unprivileged user; dnsdist is the distribution's.
set -u
if [ -z "${ISPDNS_DNSDIST_INSIDE:-}" ]; then
	for need in unshare ip jq dig dnsdist; do
		command -v $need > /dev/null || [ -x /usr/sbin/$need ] || {
			echo "1..0 # SKIP $need is not installed"
			exit 0
		}
	done
	unshare -rnm true 2> /dev/null || {
		echo "1..0 # SKIP no user, network and mount namespaces here"
		exit 0
	}
	exec env ISPDNS_DNSDIST_INSIDE=1 unshare -rnm "$0" "$@"
fi
PATH=$PATH:/usr/sbin:/sbin
build=${ISPDNS_BUILDDIR:-$PWD}
conf=${ISPDNS_SRCDIR:-$PWD}/tests/data/dnsdist/leave.conf
ip link set lo up || exit 1
# Any address of these is ours: to ask, and to be asked.
for net in 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24; do
	ip route add local $net dev lo || exit 1
done
server=192.0.2.53
tmp=$(mktemp -d) || exit 1
export HOME="$tmp" ISPDNS_SOCKET="$tmp/run/api.sock"
n=0 failed=0 pids=()
cleanup() {
	touch "$tmp/stop"
	for p in "${pids[@]}" $(cat "$tmp/frontend.pid" 2> /dev/null); do
		kill "$p" 2> /dev/null
	done
	wait 2> /dev/null
	[ "$failed" = 0 ] || tail -n 15 "$tmp"/*.log | sed 's/^/# /'
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
	fi
}
run() { # TEXT COMMAND...
	local text=$1
	shift
	"$@" > "$tmp/out" 2> "$tmp/err"
	local rc=$?
	ok $rc "$text"
	[ $rc -eq 0 ] || sed 's/^/# /' "$tmp/out" "$tmp/err"
}
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
spawn() { # LOG COMMAND...
	"${@:2}" >> "$tmp/$1.log" 2>&1 &
	pids+=($!)
	disown
}
cli() { "$build/ispdns" "$@"; }

# ---- backends: each has an answer of its own ----
for i in 11 12 13 14; do
	spawn stub "$build/tests/frontend/stub" "127.0.0.$i:5301"
done

# ---- dnsdist, with the file as it is ----
dnsdist_start() { # FILE
	run "dnsdist takes the file" dnsdist --check-config -C "$1"
	spawn dnsdist dnsdist -C "$1" -l 0.0.0.0:5300 --supervised \
		--disable-syslog --uid "$(id -u)" --gid "$(id -g)"
	dnsdist_pid=$!
}
dnsdist_start "$conf"

# ---- ispdns: import, apply, a node's agent, a frontend ----
mkdir -p "$tmp"/{run/agent,run/frontend,bin,mgmt}
ln -s "$build/ispdns-frontend" "$tmp/bin/"
cat > "$tmp/mgmt.yaml" <<EOT
state: $tmp/mgmt
api_socket: $tmp/run/api.sock
nodes: {listen: "127.0.0.1:8443"}
operators: {listen: "127.0.0.1:8444"}
names: [localhost]
EOT
spawn mgmt "$build/ispdns-mgmt" --config "$tmp/mgmt.yaml" \
	--control "$tmp/run/mgmt.sock"
wait_for 10 cli status
run "the file is imported whole" cli import dnsdist "$conf"
grep -q 'statements: .* 0 not imported' "$tmp/out"
ok $? "no statement is left over"
run "again: no error" cli import dnsdist "$conf"
# dnsdist says nothing to those outside of its ACL
run "others get nothing" cli acl set --action drop
run "node add" cli node add n1 --address 127.0.0.1 --roles frontend --json
join=$(jq -r .join.command "$tmp/out" | sed 's/^ispdns //')
run "join" cli $join --mgmt 127.0.0.1:8444 --config "$tmp/node.yaml" \
	--state "$tmp/n1"
printf 'run: %s/run\nprograms: %s/bin\n' "$tmp" "$tmp" >> "$tmp/node.yaml"
spawn agent "$build/ispdns-agent" --config "$tmp/node.yaml" \
	--control "$tmp/run/agent/control.sock"
# As an init system does it: start when there is a configuration.
frontend_keep() {
	wait_for 60 test -e "$tmp/n1/current/frontend.yaml" || return
	[ -e "$tmp/stop" ] && return
	"$build/ispdns-frontend" --config "$tmp/n1/current/frontend.yaml" \
		--control "$tmp/run/frontend/control.sock" \
		>> "$tmp/frontend.log" 2>&1 &
	echo $! > "$tmp/frontend.pid"
}
frontend_keep &
is_seen() {
	cli node list --json | jq -e '.[0].last_seen_s | . >= 0 and . < 10'
}
wait_for 20 is_seen
ok $? "management sees the node"
run "apply: the frontend takes what was imported, and proves it" \
	cli apply -m "leave dnsdist"
run "its own check" "$build/ispdns-frontend" --check \
	"$tmp/n1/current/frontend.yaml"

# ---- the same questions to both ----
# What came back: rcode, TC, the records of the answer; or nothing.
ask() { # PORT SOURCE DIG-ARGUMENTS...
	dig +tries=1 +time="${patience:-1}" +noedns +ignore -p "$1" -b "$2" \
		@$server "${@:3}" 2> /dev/null | awk '
	/status:/ { sub(/.*status: /, ""); sub(/,.*/, ""); rcode = $0 }
	/^;; flags:/ { tc = / tc[ ;]/ ? " tc" : "" }
	/^[^;]/ && NF >= 5 { records[++count] = $4 " " $5 }
	END {
		if (rcode == "") { print "nothing"; exit }
		out = ""
		for (i = 1; i <= count; i++) # sorted
			for (k = i + 1; k <= count; k++)
				if (records[k] < records[i]) {
					t = records[i]
					records[i] = records[k]
					records[k] = t
				}
		for (i = 1; i <= count; i++) out = out ", " records[i]
		print rcode tc out
	}'
}
both_up() {
	[ "$(ask 5300 192.0.2.10 up.test A)" = "NOERROR, A 192.0.2.11" ] &&
		[ "$(ask 53 192.0.2.10 up.test A)" = "NOERROR, A 192.0.2.11" ] &&
		[ "$(ask 5300 192.0.2.20 up.test A)" = "NOERROR, A 192.0.2.14" ] &&
		[ "$(ask 53 192.0.2.20 up.test A)" = "NOERROR, A 192.0.2.14" ] &&
		[ "$(ask 5300 192.0.2.10 up.auth.test A)" = \
			"NOERROR, A 192.0.2.12" ] &&
		[ "$(ask 53 192.0.2.10 up.auth.test A)" = \
			"NOERROR, A 192.0.2.12" ] &&
		[ "$(ask 5300 192.0.2.10 up.first.test A)" = \
			"NOERROR, A 192.0.2.13" ] &&
		[ "$(ask 53 192.0.2.10 up.first.test A)" = \
			"NOERROR, A 192.0.2.13" ]
}
wait_for 20 both_up
ok $? "both answer, from each of the four pools"
[ "$failed" = 0 ] || { # nothing can be compared
	echo "1..$n"
	exit 1
}

cat > "$tmp/questions" <<'EOT'
192.0.2.10 www.example.test A
192.0.2.10 www.example.test AAAA
198.51.100.9 www.example.test A
203.0.113.9 www.example.test A
192.0.2.20 www.example.test A
192.0.2.30 www.example.test A
192.0.2.20 x.blocked.test A
192.0.2.20 www.example.test ANY +notcp
192.0.2.20 deep.auth.test A
192.0.2.10 www.example.test ANY +notcp
192.0.2.10 auth.test ANY +notcp
192.0.2.10 version.bind TXT CH
192.0.2.10 example.test A +opcode=NOTIFY
192.0.2.10 example.test SOA +opcode=UPDATE
192.0.2.10 example.test A +opcode=STATUS
192.0.2.10 blocked.test A
192.0.2.10 x.y.BLOCKED.test TXT
192.0.2.10 notblocked.test A
192.0.2.10 malware.test AAAA
192.0.2.10 www.phishing.test A
192.0.2.10 exact.test A
192.0.2.10 www.fail.test A
192.0.2.10 notimp.test TXT
192.0.2.10 www.exact.test A
192.0.2.10 one.set.test A
192.0.2.10 two.set.test MX
192.0.2.10 www.two.set.test A
192.0.2.10 portal.test A
192.0.2.10 portal.test AAAA
192.0.2.10 portal.test TXT
192.0.2.10 x.wpad.test A
192.0.2.10 four.test A
192.0.2.10 four.test AAAA
192.0.2.10 four.test MX
192.0.2.10 noipv6.test AAAA
192.0.2.10 noipv6.test A
192.0.2.10 www.example.test TYPE10
192.0.2.10 www.example.test HINFO
192.0.2.10 udponly.test A
192.0.2.10 udponly.test A +tcp
192.0.2.10 tconly.test A
192.0.2.10 norec.test A
192.0.2.10 norec.test A +norec
192.0.2.10 do.test A +edns
192.0.2.10 do.test A +edns +dnssec
192.0.2.10 regex.test A
192.0.2.10 www.regex.test A
192.0.2.10 www.notregex.test A
192.0.2.10 inside.test A
198.51.100.9 inside.test A
198.51.100.200 inside.test A
192.0.2.10 both.test MX
192.0.2.10 both.test A
192.0.2.10 www.example.test TXT
198.51.100.9 www.example.test TXT
198.51.100.9 www.tagged.test A
192.0.2.10 www.tagged.test A
192.0.2.10 rd.cut.test A
192.0.2.20 rd.cut.test A
192.0.2.10 rd.cut.test A +norec
192.0.2.10 rd.example.test A
192.0.2.10 first.test A
192.0.2.10 www.first.test A
192.0.2.10 auth.test A
192.0.2.10 www.AUTH.test A
192.0.2.10 www.deep.auth.test A
192.0.2.10 notauth.test A
192.0.2.10 auth.test.example A
192.0.2.10 www.outside.invalid A
192.0.2.20 www.outside.invalid A
EOT
# All at once: what is dropped takes its time.
collect() { # PORT: answers/PORT/LINE
	local line=0 source words
	mkdir -p "$tmp/answers/$1"
	while read -r source words; do
		line=$((line + 1))
		# shellcheck disable=SC2086
		ask "$1" "$source" $words > "$tmp/answers/$1/$line" &
		[ $((line % 60)) = 0 ] && wait
	done < "$tmp/questions"
	wait
}
compare() {
	local line source words theirs ours rc
	collect 5300
	collect 53
	line=0
	while read -r source words; do
		line=$((line + 1))
		theirs=$(cat "$tmp/answers/5300/$line")
		ours=$(cat "$tmp/answers/53/$line")
		# a machine that was busy is given time
		for _ in 1 2; do
			[ "$theirs" = "$ours" ] && break
			# shellcheck disable=SC2086
			theirs=$(patience=4 ask 5300 "$source" $words)
			# shellcheck disable=SC2086
			ours=$(patience=4 ask 53 "$source" $words)
		done
		[ "$theirs" = "$ours" ]
		rc=$?
		ok $rc "$source $words: $theirs"
		[ $rc = 0 ] || echo "# ispdns-frontend: $ours"
	done < "$tmp/questions"
}
compare

# ---- a limit: 10 at once, one a second ----
for port in 5300 53; do
	for i in $(seq 30); do
		ask $port 192.0.2.70 "l$i.example.test" A > "$tmp/limit.$i" &
	done
	wait
	passed=$(cat "$tmp"/limit.* | grep -c '^NOERROR, A')
	[ "$passed" -ge 10 ] && [ "$passed" -le 15 ] &&
		[ "$(cat "$tmp"/limit.* | grep -c '^NOERROR tc$')" = \
			$((30 - passed)) ]
	ok $? "port $port: of 30 queries $passed are within the limit, the rest get TC"
done
# ---- the blueprint's own file: limit, policy and routes, no rules ----
# With our addresses, the constant that dnsdist knows, and without what no
# dnsdist starts with.
blueprint=${ISPDNS_SRCDIR:-$PWD}/tests/data/blueprint/dd1
echo 'addAction(AndRule({OpcodeRule(DNSOpcode.Notify),' \
	'makeRule("192.0.2.10/32")}), PoolAction("auth"))' \
	> "$tmp/notify" # one more line
sed -e 's,10\.10\.2\.0/24,192.0.2.0/24,' \
	-e 's/10\.10\.2\.163:53/127.0.0.12:5301/' \
	-e 's/10\.10\.2\.16[45]:53/127.0.0.11:5301/' \
	-e 's/DNSClass\.CH/DNSClass.CHAOS/' -e 's/checkInterval=5/checkInterval=1/' \
	-e '/showServers/d' -e "/^addACL/r $tmp/notify" -e '/^#/d' -e '/^controlSocket/d' -e '/^webserver/d' \
	"$blueprint/dnsdist-production.conf" > "$tmp/blueprint.conf"
kill "$dnsdist_pid"
is_gone() { ! kill -0 "$dnsdist_pid" 2> /dev/null; }
wait_for 10 is_gone
dnsdist_start "$tmp/blueprint.conf"
for rule in $(cli rule list --json | jq -r '.[].name'); do
	cli rule del "$rule" > /dev/null || ok 1 "rule del $rule"
done
run "the blueprint's file is imported" cli import dnsdist "$tmp/blueprint.conf"
[ "$(cli rule list --json)" = "[]" ]
ok $? "it needs no rules"
run "apply" cli apply -m "the blueprint"
blueprint_up() {
	[ "$(ask 5300 192.0.2.10 x.zaibdns.lab A)" = "NOERROR, A 192.0.2.12" ] &&
		[ "$(ask 5300 192.0.2.10 x.test A)" = "NOERROR, A 192.0.2.11" ] &&
		[ "$(ask 53 192.0.2.10 x.test A)" = "NOERROR, A 192.0.2.11" ]
}
wait_for 20 blueprint_up
ok $? "both answer"
cat > "$tmp/questions" <<'EOT'
192.0.2.10 www.zaibdns.lab A
192.0.2.10 ZAIBDNS.LAB A
192.0.2.10 notzaibdns.lab A
192.0.2.10 zaibdns.lab.evil A
192.0.2.10 zaibdns.lab SOA +opcode=NOTIFY
192.0.2.10 x.zaibdns.lab SOA +opcode=NOTIFY
192.0.2.10 google.com A
192.0.2.10 google.com AAAA
192.0.2.10 google.com ANY +notcp
192.0.2.10 zaibdns.lab ANY +notcp
192.0.2.10 version.bind TXT CH
192.0.2.10 version.bind TXT
203.0.113.9 google.com A
EOT
compare
echo "1..$n"
