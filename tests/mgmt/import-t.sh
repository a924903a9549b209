#!/bin/sh
# SPDX-License-Identifier: ISC
# The importers: the blueprint's files give exactly the calls and remarks that
# are written beside them, and bad files give FILE:LINE and no calls sent.
# ISPDNS_GOLDEN=write renews the expected files.
set -u
src=${ISPDNS_SRCDIR:-$PWD}
cli=${ISPDNS_BUILDDIR:-$PWD}/ispdns
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export HOME="$tmp"
n=0

ok() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

golden() { # KIND FILE [OPTION ...]
	kind=$1 file=$2
	shift 2
	want=$src/tests/data/blueprint/expected/$kind-$(echo "$file" | tr / -).json
	(cd "$src/tests/data/blueprint" &&
		"$cli" import "$kind" "$file" --dry-run --json "$@") \
		> "$tmp/got" 2> "$tmp/err"
	ok $? "import $kind $file is understood"
	[ "${ISPDNS_GOLDEN:-}" = write ] && cp "$tmp/got" "$want"
	cmp -s "$tmp/got" "$want"
	rc=$?
	ok $rc "import $kind $file: calls and remarks are as expected"
	[ $rc -eq 0 ] || diff "$want" "$tmp/got" | sed 's/^/# /'
}

# A file with one mistake: exit status 7, the line named, its text.
bad() { # KIND NAME LINE TEXT-PATTERN  (content on stdin)
	cat > "$tmp/$2"
	"$cli" import "$1" "$tmp/$2" --dry-run > "$tmp/got" 2> "$tmp/err"
	[ $? -eq 7 ]
	ok $? "$1: $2: exit status 7"
	grep -q "$2:$3: error: .*$4" "$tmp/err"
	rc=$?
	ok $rc "$1: $2:$3: error: $4"
	[ $rc -eq 0 ] || sed 's/^/# /' "$tmp/err"
}

# A file that is understood with a warning.
warned() { # KIND NAME LINE TEXT-PATTERN [CALL-PATTERN]
	cat > "$tmp/$2"
	"$cli" import "$1" "$tmp/$2" --node n1 --dry-run \
		> "$tmp/got" 2> "$tmp/err"
	ok $? "$1: $2: exit status 0"
	grep -q "$2:$3: warning: .*$4" "$tmp/err"
	rc=$?
	ok $rc "$1: $2:$3: warning: $4"
	[ $rc -eq 0 ] || sed 's/^/# /' "$tmp/err"
	[ $# -lt 5 ] && return
	grep -q -- "$5" "$tmp/got"
	rc=$?
	ok $rc "$1: $2: gives $5"
	[ $rc -eq 0 ] || sed 's/^/# /' "$tmp/got"
}

golden dnsdist dd1/dnsdist.conf
golden dnsdist dd1/dnsdist-production.conf
golden dnsdist dd2/dnsdist.conf
golden dnsdist dd2/dnsdist-production.conf
golden keepalived dd1/keepalived.conf --node dd1
golden keepalived dd2/keepalived.conf --node dd2
golden bind auth1/named.conf
golden bind rec1/named.conf
golden bind rec2/named.conf

# ---- dnsdist ----
bad dnsdist unknown.conf 2 "'addDynBlocks': unknown statement" <<'EOT'
setLocal("0.0.0.0:53")
addDynBlocks(x)
EOT
bad dnsdist typo.conf 1 "'checkTypo': unknown key" <<'EOT'
newServer({address="192.0.2.1", checkTypo="A"})
EOT
bad dnsdist address.conf 1 "'10.10.2.300' is no address" <<'EOT'
newServer("10.10.2.300")
EOT
bad dnsdist noaddress.conf 1 "address missing" <<'EOT'
newServer({pool="x"})
EOT
bad dnsdist syntax.conf 2 "'}' expected" <<'EOT'
addACL("192.0.2.0/24")
newServer({address="192.0.2.1" pool="x"})
EOT
bad dnsdist string.conf 1 "string without end" <<'EOT'
addACL("192.0.2.0/24)
EOT
bad dnsdist acl.conf 1 "'all' is no address prefix" <<'EOT'
setACL({"all"})
EOT
bad dnsdist policy.conf 1 "policy 'fastest' is unknown" <<'EOT'
setServerPolicy(fastest)
EOT
bad dnsdist rule.conf 1 "'TagRule': unknown rule" <<'EOT'
addAction(TagRule("x"), DropAction())
EOT
bad dnsdist action.conf 1 "'LuaAction': unknown action" <<'EOT'
addAction(AllRule(), LuaAction(f))
EOT
bad dnsdist qtype.conf 1 "no such rule here" <<'EOT'
addAction(QTypeRule(DNSQType.TXT), DropAction())
EOT
bad dnsdist regex.conf 1 "no regular expressions" <<'EOT'
addAction(RegexRule("^a+$"), PoolAction("x"))
EOT
bad dnsdist function.conf 1 "neither an assignment\|a value expected\|unknown" <<'EOT'
function f() return 1 end
EOT
bad dnsdist cache.conf 2 "'maxTtl': unknown option" <<'EOT'
getPool("rec"):setCache(newPacketCache(10, {
maxTtl=3}))
EOT
bad dnsdist cachevar.conf 1 "not made by newPacketCache" <<'EOT'
getPool("rec"):setCache(pc)
EOT
printf 'addAction(AllRule(), PoolAction("rec"))\n' > "$tmp/empty.conf"
"$cli" import dnsdist "$tmp/empty.conf" --dry-run > /dev/null 2> "$tmp/err"
[ $? -eq 7 ] && grep -q "pool 'rec' is routed to but has no server" "$tmp/err"
ok $? "dnsdist: a routed pool without servers is an error"

warned dnsdist regexname.conf 2 "matches anywhere" \
	"route.add suffix=yourisp.com. pool=auth" <<'EOT'
newServer({address="192.0.2.1", pool="auth"})
addAction(RegexRule("yourisp.com"), PoolAction("auth"))
EOT
warned dnsdist quotes.conf 1 "typographic" "prefix=192.0.2.0/24" <<'EOT'
setACL(“192.0.2.0/24”)
EOT
warned dnsdist hostbits.conf 1 "host bits" "prefix=192.0.2.0/24" <<'EOT'
setACL("192.0.2.7/24")
EOT
warned dnsdist lower.conf 2 "the lower one, 50/s" "limit.set qps=50 " <<'EOT'
addAction(MaxQPSIPRule(50), DropAction())
addAction(MaxQPSIPRule(200), DropAction())
EOT
warned dnsdist unreachable.conf 3 "dnsdist never comes here" "any=drop" <<'EOT'
newServer({address="192.0.2.1", pool="a"})
addAction(AllRule(), PoolAction("a"))
addAction(QTypeRule("ANY"), DropAction())
EOT
warned dnsdist log.conf 1 "no query log" <<'EOT'
addAction(AllRule(), LogAction("/var/log/dnsdist-queries.log"))
EOT
# A statement that was switched off on purpose stays off.
printf -- '-- addAction(MaxQPSIPRule(5), DropAction())\n' > "$tmp/off.conf"
"$cli" import dnsdist "$tmp/off.conf" --dry-run > "$tmp/got" 2>&1
[ $? -eq 0 ] && [ ! -s "$tmp/got" ]
ok $? "dnsdist: a commented-out statement is left out"
# Deep nesting and long garbage end with an error, not with a crash.
awk 'BEGIN { printf "x = "; for (i = 0; i < 5000; i++) printf "{"; print "" }' \
	> "$tmp/deep.conf"
"$cli" import dnsdist "$tmp/deep.conf" --dry-run > /dev/null 2> "$tmp/err"
[ $? -eq 7 ] && grep -q "nested too deep" "$tmp/err"
ok $? "dnsdist: deep nesting is refused"

# ---- keepalived ----
bad keepalived unknown.ka 2 "'virtual_server': unknown statement" <<'EOT'
! a load balancer of another kind
virtual_server 192.0.2.1 80 { delay_loop 6 }
EOT
bad keepalived word.ka 2 "'colour': unknown statement" <<'EOT'
vrrp_instance A {
colour blue
interface eth0
virtual_router_id 5
virtual_ipaddress {
192.0.2.1
}
}
EOT
bad keepalived vrid.ka 2 "virtual_router_id '256': a number from 1 to 255" <<'EOT'
vrrp_instance A {
virtual_router_id 256
}
EOT
bad keepalived incomplete.ka 1 "interface is missing" <<'EOT'
vrrp_instance A {
virtual_router_id 7
virtual_ipaddress {
192.0.2.1
}
}
EOT
bad keepalived address.ka 2 "'192.0.2.999' is no address" <<'EOT'
vrrp_instance A { interface eth0 virtual_router_id 7
virtual_ipaddress { 192.0.2.999 } }
EOT
bad keepalived open.ka 3 "'}' is missing" <<'EOT'
vrrp_instance A {
interface eth0
EOT
bad keepalived auth.ka 3 "auth_type AH" <<'EOT'
vrrp_instance A {
authentication {
auth_type AH
}
}
EOT
warned keepalived untracked.ka 1 "nothing was tracked" \
	"version=3 interval_ms=100 auth=none" <<'EOT'
vrrp_instance A {
version 3
interface eth0
virtual_router_id 9
advert_int 0.1
nopreempt
virtual_ipaddress {
2001:db8::53/64 dev eth0
}
}
EOT
warned keepalived owner.ka 1 "priority 255" "priority=254" <<'EOT'
vrrp_instance A {
priority 255
interface eth0
virtual_router_id 9
virtual_ipaddress {
192.0.2.1/24
}
}
EOT

# ---- BIND ----
bad bind missing.conf 1 "include .*absent.conf" <<'EOT'
include "absent.conf";
EOT
bad bind slave.conf 1 "only primary" <<'EOT'
zone "example.net" { type slave; masters { 192.0.2.1; }; };
EOT
bad bind option.conf 1 "options: 'dns64': unknown statement" <<'EOT'
options { dns64 64:ff9b::/96 { clients { any; }; }; };
EOT
bad bind semicolon.conf 2 "';' is missing" <<'EOT'
options {
recursion no
};
EOT
bad bind view.conf 1 "'view': unknown statement" <<'EOT'
view "inside" { recursion yes; };
EOT
mkdir "$tmp/zone"
cat > "$tmp/zone/db" <<'EOT'
$TTL 3600
@ SOA ns h 1 2 3 4 5
@ NS ns
ns A 192.0.2.300
EOT
printf 'zone "example.net" { type primary; file "db"; };\n' \
	> "$tmp/zone/named.conf"
"$cli" import bind "$tmp/zone/named.conf" --dry-run > "$tmp/got" 2> "$tmp/err"
[ $? -eq 7 ] && grep -q "zone/db:4: error: " "$tmp/err"
ok $? "bind: a bad record is named by its zone file and line"
cat > "$tmp/zone/db" <<'EOT'
$TTL 1h
$ORIGIN net.
example SOA ns.example h.example 1 2 3 4 5
        NS ns.example
$INCLUDE more example.net.
$ORIGIN example.net.
$GENERATE 1-3 host-$ A 192.0.2.$
EOT
echo 'ns A 192.0.2.53' > "$tmp/zone/more"
"$cli" import bind "$tmp/zone/named.conf" --dry-run --json > "$tmp/got" \
	2> "$tmp/err"
ok $? "bind: \$ORIGIN, \$TTL, \$INCLUDE and \$GENERATE"
for r in 'ns.example.net. *3600 IN A 192.0.2.53' \
	'host-3.example.net. *3600 IN A 192.0.2.3'; do
	sed 's/\\t/ /g' "$tmp/got" | grep -q "$r"
	ok $? "bind: the zone has $r"
done

"$cli" import dnsdist "$tmp/absent" --dry-run > /dev/null 2> "$tmp/err"
[ $? -eq 4 ] && grep -q "absent" "$tmp/err"
ok $? "an absent file: exit status 4 and its name"

echo "1..$n"
