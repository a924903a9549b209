#!/bin/sh
# SPDX-License-Identifier: ISC
# The program ispdns where no management is: exit codes, one line on stderr,
# JSON of errors, drills, zone check, join's refusals.
set -u
cli=${ISPDNS_BUILDDIR:-$PWD}/ispdns
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset ISPDNS_SERVER ISPDNS_TOKEN ISPDNS_CA_PIN ISPDNS_CONTEXT
export HOME="$tmp" ISPDNS_SOCKET="$tmp/absent.sock"
n=0

ok() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/out" "$tmp/err"
	fi
}
# run WANTED-STATUS STDERR-PATTERN ARGUMENT ...
run() {
	want=$1 pattern=$2
	shift 2
	"$cli" "$@" > "$tmp/out" 2> "$tmp/err"
	rc=$?
	[ $rc -eq "$want" ]
	ok $? "ispdns $*: exit status $want ($rc)"
	[ -z "$pattern" ] && return
	grep -q -- "$pattern" "$tmp/err" && [ "$(wc -l < "$tmp/err")" -eq 1 ]
	ok $? "says in one line: $pattern"
}

run 0 "" version
run 0 "" --version
run 0 "" help
run 0 "" zone create --help
run 3 "no command 'zoo'" help zoo
run 3 "'zoo' is no command; allowed:" zoo
run 3 "zone: 'lst' is unknown; allowed: list" zone lst
run 10 "management is not reachable at $tmp/absent.sock" status
run 10 "management is not reachable" apply
run 3 "needs --token" zone list --server 127.0.0.1:1
run 3 "needs --ca-pin" zone list --server 127.0.0.1:1 --token x
run 3 "64 hex digits" zone list --server 127.0.0.1:1 --token x --ca-pin 00
pin=$(printf '0%.0s' 1 2 3 4 5 6 7 8)
pin=$pin$pin$pin$pin$pin$pin$pin$pin
run 10 "127.0.0.1:1" zone list --server 127.0.0.1:1 --token x --ca-pin $pin
run 3 "HOST or HOST:PORT expected" zone list \
	--server 'mgmt:port' --token x --ca-pin 00
run 10 "not reachable" zone list --json
grep -q '"code": "unavailable"' "$tmp/out"
ok $? "--json gives the error as JSON too"

printf 'server: 127.0.0.1:1\ntoken: t\nca_pin: 00\ncolour: red\n' > "$tmp/c"
chmod 600 "$tmp/c"
ISPDNS_SOCKET='' run 7 "$tmp/c:4: " zone list --context "$tmp/c"
chmod 644 "$tmp/c"
ISPDNS_SOCKET='' run 5 "others can read it" zone list --context "$tmp/c"

run 3 "where is management" join --node n1 --token t --ca-pin 00
run 3 "no node name" join 127.0.0.1:1 --node 'a b' --token t --ca-pin 00
run 3 "token is missing" join 127.0.0.1:1 --node a --ca-pin 00
run 3 "ca-pin is missing" join 127.0.0.1:1 --node a --token t
run 10 "not reachable" join 127.0.0.1:1 --node a --token t --ca-pin $pin \
	--state "$tmp/state" --config "$tmp/node.yaml"
[ ! -e "$tmp/node.yaml" ] && [ ! -e "$tmp/state/pki/node.key" ]
ok $? "a failed join leaves no key and no configuration"
run 1 "File exists\|Not a directory" join 127.0.0.1:1 --node a --token t \
	--ca-pin 00 --state "$tmp/c" --config "$tmp/node.yaml"
run 0 "" join 127.0.0.1:1 --node a --token t --ca-pin 00 --dry-run
[ ! -e "$tmp/node.yaml" ]
ok $? "join --dry-run writes nothing"

printf '$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n' > "$tmp/z"
run 0 "" zone check a.example "$tmp/z"
grep -q "a.example.: ok, 3 records" "$tmp/out"
ok $? "zone check counts records"
run 0 "" zone check a.example - < "$tmp/z"
echo 'x A 192.0.2.300' >> "$tmp/z"
run 7 "" zone check a.example "$tmp/z"
grep -q "$tmp/z:5: " "$tmp/err"
ok $? "zone check names file and line"
run 4 "$tmp/none" zone check a.example "$tmp/none"
run 7 "" zone import a.example "$tmp/z"
run 7 "$tmp/none" resolver set --root-hints "$tmp/none"

run 3 "no domain name" query 'a..b' --at 127.0.0.1
run 3 "no type" query a.example BOGUS --at 127.0.0.1
run 10 "127.0.0.1:1" query a.example --at 127.0.0.1:1

ISPDNS_DRILL="$tmp/none" run 11 "ispdns-lab" drill list
printf '#!/bin/sh\necho "$@"\nexit 11\n' > "$tmp/drill"
chmod +x "$tmp/drill"
ISPDNS_DRILL="$tmp/drill" run 11 "" drill run all --json
[ "$(cat "$tmp/out")" = "run all --json" ]
ok $? "drill hands its words on"
echo "1..$n"
