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
	golden_in blueprint 0 "$@"
}
golden_in() { # FOLDER STATUS KIND FILE [OPTION ...]
	folder=$1 status=$2 kind=$3 file=$4
	shift 4
	want=$src/tests/data/$folder/expected/$kind-$(echo "$file" | tr / -).json
	(cd "$src/tests/data/$folder" &&
		"$cli" import "$kind" "$file" --dry-run --json "$@") \
		> "$tmp/got" 2> "$tmp/err"
	[ $? -eq "$status" ]
	ok $? "import $kind $file: exit status $status"
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

# A statement without an equivalent: exit status 12, the line named, its text.
missing() { # NAME LINE TEXT-PATTERN  (content on stdin)
	cat > "$tmp/$1"
	"$cli" import dnsdist "$tmp/$1" --dry-run > "$tmp/got" 2> "$tmp/err"
	[ $? -eq 12 ]
	ok $? "dnsdist: $1: exit status 12"
	grep -q "$1:$2: not imported: .*$3" "$tmp/err"
	rc=$?
	ok $rc "dnsdist: $1:$2: not imported: $3"
	[ $rc -eq 0 ] || sed 's/^/# /' "$tmp/err"
}

# A file whose calls are exactly these lines.
gives() { # NAME CALL...  (content on stdin)
	name=$1
	shift
	cat > "$tmp/$name"
	"$cli" import dnsdist "$tmp/$name" --dry-run > "$tmp/got" 2> "$tmp/err"
	ok $? "dnsdist: $name: exit status 0"
	printf '%s\n' "$@" > "$tmp/want"
	grep -v '^acl.add\|^pool.create\|^backend.add' "$tmp/got" |
		diff "$tmp/want" - > "$tmp/diff"
	rc=$?
	ok $rc "dnsdist: $name: gives what is expected"
	[ $rc -eq 0 ] || cat "$tmp/diff" "$tmp/err" | sed 's/^/# /'
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
golden_in dnsdist 12 dnsdist rules.conf
bad dnsdist unknown.conf 2 "'addThings': unknown statement" <<'EOT'
setLocal("0.0.0.0:53")
addThings(x)
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
bad dnsdist rule.conf 1 "'NiceRule': unknown rule" <<'EOT'
addAction(NiceRule("x"), DropAction())
EOT
bad dnsdist action.conf 1 "'NiceAction': unknown action" <<'EOT'
addAction(AllRule(), NiceAction(f))
EOT
bad dnsdist qtype.conf 1 "QTypeRule(NICE): no such type" <<'EOT'
addAction(QTypeRule("NICE"), DropAction())
EOT
bad dnsdist qps.conf 1 "MaxQPSIPRule: a number from 1 to" <<'EOT'
addAction(MaxQPSIPRule(0), DropAction())
EOT
bad dnsdist mask.conf 1 "v4Mask: a number from 8 to 32" <<'EOT'
addAction(MaxQPSIPRule(5, 33), DropAction())
EOT
bad dnsdist weight.conf 1 "newServer: weight: a number from 1 to 1000" <<'EOT'
newServer({address="192.0.2.1", weight=5000})
EOT
bad dnsdist poolname.conf 1 "pool 'a b': a name of at most 63" <<'EOT'
newServer({address="192.0.2.1", pool="a b"})
EOT
bad dnsdist pool.conf 1 "newServer: pool: a name in quotes" <<'EOT'
newServer({address="192.0.2.1", pool={}})
EOT
bad dnsdist spoof.conf 1 "SpoofAction: 'x' is no address" <<'EOT'
addAction("a.test", SpoofAction("x"))
EOT
bad dnsdist loop.conf 2 "nested too deep" <<'EOT'
r = AndRule({r, r})
addAction(r, DropAction())
EOT
bad dnsdist expression.conf 1 "a number from 1 to" <<'EOT'
getPool("rec"):setCache(newPacketCache(size * 2))
EOT
missing lua.conf 1 "LuaAction: no Lua is run" <<'EOT'
addAction(AllRule(), LuaAction(function(dq) return DNSAction.Drop end))
EOT
missing regex.conf 1 "no regular expressions" <<'EOT'
addAction(RegexRule("^a+$"), PoolAction("x"))
EOT
missing function.conf 1 "function f: no Lua is run" <<'EOT'
function f() if x then return 1 end end
EOT
missing for.conf 1 "for: no Lua is run" <<'EOT'
for i = 1, 9 do
	while true do newServer("192.0.2." .. i) end
end
EOT
grep -q 'statements\|backend' "$tmp/got"
[ $? -eq 1 ]
ok $? "dnsdist: nothing of a loop is imported"
missing not.conf 1 "NotRule of QTypeRule" <<'EOT'
addAction(AndRule({NotRule(QTypeRule("A")), QNameRule("a.test")}), DropAction())
EOT
missing nottag.conf 1 "NotRule: only with an action that ends" <<'EOT'
addAction(NotRule(QTypeRule("A")), SetTagAction("x"))
EOT
missing notnot.conf 1 "NotRule: the rules behind it cannot be narrowed" <<'EOT'
addAction(NotRule(QTypeRule("A")), DropAction())
addAction(QTypeRule("TXT"), DropAction())
addAction(NotRule(QTypeRule("NS")), DropAction())
EOT
grep -q 'qtype=\["TXT"\] action=drop' "$tmp/got"
ok $? "dnsdist: and they are left as they were"
missing masks.conf 2 "all limits per client count the same prefixes" <<'EOT'
addAction(MaxQPSIPRule(5), DropAction())
addAction(AndRule({QTypeRule("A"), MaxQPSIPRule(5, 24)}), DropAction())
EOT
missing over.conf 1 "over a limit queries are dropped" <<'EOT'
addAction(MaxQPSIPRule(5), RCodeAction(DNSRCode.NXDOMAIN))
EOT
missing opcode.conf 2 "none to pool default is known" <<'EOT'
newServer("192.0.2.1")
addAction(OpcodeRule(DNSOpcode.Notify), PoolAction(""))
EOT
missing maintenance.conf 1 "'topClients' in it has no effect" <<'EOT'
function maintenance() topClients(5) end
EOT
missing response.conf 1 "rules on answers" <<'EOT'
addResponseAction(AllRule(), DropResponseAction())
EOT
missing nmg.conf 3 "a mask inside of one with" <<'EOT'
m = newNMG()
m:addMask({"!192.0.2.0/24", "192.0.2.1/32"})
addAction(NetmaskGroupRule(m), DropAction())
EOT

# The order decides what becomes the limit, the policy and routes.
gives order.conf "policy.set any=drop chaos=refuse transfer=drop" \
	"limit.set qps=50 action=tc burst=100" \
	"route.add suffix=. pool=rec" "route.add suffix=a.test. pool=auth" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(MaxQPSIPRule(50, 32, 64, 100), TCAction())
addAction(QTypeRule(255), DropAction())
addAction(NotRule(QClassRule(DNSClass.IN)), RCodeAction(DNSRCode.REFUSED))
addAction(OrRule({QTypeRule("AXFR"), QTypeRule("IXFR")}), DropAction())
addAction("A.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
gives inorder.conf "route.add suffix=. pool=rec" \
	"rule.add name=dnsdist-2 position=10 suffix=[\"a.test.\"] action=pool pool=auth" \
	"rule.add name=dnsdist-3 position=20 action=rate-limit qps=50 burst=50 per=client over=drop" \
	"rule.add name=dnsdist-4 position=30 qtype=[\"ANY\"] action=drop" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction("a.test", PoolAction("auth"))
addAction(MaxQPSIPRule(50), DropAction())
addAction(QTypeRule("ANY"), DropAction())
addAction(AllRule(), PoolAction("rec"))
EOT
gives goeson.conf "route.add suffix=. pool=rec" \
	"rule.add name=dnsdist-2 position=10 suffix=[\"a.test.\"] action=set-pool pool=auth" \
	"rule.add name=dnsdist-3 position=20 source=[\"192.0.2.0/24\"] action=no-recurse" \
	"rule.add name=dnsdist-4 position=30 qtype=[\"ANY\"] action=drop" \
	"rule.add name=dnsdist-5 position=40 suffix=[\"test.\"] action=pool pool=rec" \
	"rule.add name=dnsdist-6 position=50 action=pool pool=rec" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction("a.test", PoolAction("auth", false))
addAction("192.0.2.0/24", NoRecurseAction())
addAction(QTypeRule("ANY"), DropAction())
addAction("test", PoolAction("rec"))
addAction(AllRule(), PoolAction("rec"))
EOT
gives norecurse.conf "limit.set qps=50 action=drop burst=50" \
	"route.add suffix=. pool=rec" "route.add suffix=a.test. pool=auth" \
	"rule.add name=dnsdist-2 position=10 action=no-recurse" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(AllRule(), SetNoRecurseAction())
addAction(MaxQPSIPRule(50), DropAction())
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
grep -q 'note: the limit comes before' "$tmp/err"
[ $? -eq 1 ]
ok $? "dnsdist: a rule that goes on stops nothing before the limit"
gives setallow.conf "route.add suffix=. pool=rec" \
	"rule.add name=dnsdist-5 position=10 action=set-pool pool=default" \
	"rule.add name=dnsdist-3 position=20 suffix=[\"a.test.\"] action=set-pool pool=auth" \
	"rule.add name=dnsdist-4 position=30 source=[\"192.0.2.0/24\"] action=allow" \
	"rule.add name=dnsdist-5-2 position=40 action=pool pool=rec" <<'EOT'
newServer("192.0.2.1")
newServer({address="192.0.2.2", pool={"rec", "auth"}})
addAction("a.test", PoolAction("auth", false))
addAction("192.0.2.0/24", AllowAction())
addAction(AllRule(), PoolAction("rec"))
EOT
bad dnsdist setpool.conf 1 "pool 'none' is routed to but has no server" <<'EOT'
addAction("a.test", PoolAction("none", false))
EOT
# What routes allow; the rest of these rules says what they say anyway.
gives relay.conf "policy.set transfer=refuse" "route.add suffix=. pool=rec" \
	"route.add suffix=a.test. pool=own allow_notify=[\"192.0.2.8/32\"] allow_transfer=[\"192.0.2.9/32\",\"2001:db8::/32\"]" \
	"route.add suffix=dyn.a.test. pool=own allow_notify=[\"192.0.2.8/32\"] allow_transfer=[\"192.0.2.9/32\",\"2001:db8::/32\"] allow_update=[\"0.0.0.0/0\",\"::/0\"]" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "own"}})
addAction(AndRule({OpcodeRule(DNSOpcode.Notify), NetmaskGroupRule("192.0.2.8/32")}), PoolAction("own"))
addAction(OpcodeRule(DNSOpcode.Notify), RCodeAction(DNSRCode.REFUSED))
addAction(AndRule({OrRule({QTypeRule("AXFR"), QTypeRule("IXFR")}), NetmaskGroupRule({"192.0.2.9", "2001:db8::/32"})}), PoolAction("own"))
addAction(OrRule({QTypeRule("AXFR"), QTypeRule("IXFR")}), RCodeAction(DNSRCode.REFUSED))
addAction(AndRule({OpcodeRule(5), SuffixMatchNodeRule("dyn.a.test")}), PoolAction("own"))
addAction("a.test", PoolAction("own"))
addAction(AllRule(), PoolAction("rec"))
EOT
grep -q '^pool.create pool=own .* kind=auth$' "$tmp/got" &&
	grep -q 'relay.conf:6: warning: allow_update for every' "$tmp/err"
ok $? "dnsdist: the pool is one of kind auth, and who is not named is"
gives relaydrop.conf "route.add suffix=. pool=rec" \
	"route.add suffix=a.test. pool=auth allow_notify=[\"0.0.0.0/1\"]" \
	"rule.add name=dnsdist-3 position=10 opcode=NOTIFY source=[\"128.0.0.0/1\",\"::/0\"] action=drop" \
	"rule.add name=dnsdist-4 position=20 qtype=[\"TXT\"] action=drop" \
	"rule.add name=dnsdist-5 position=30 suffix=[\"a.test.\"] action=pool pool=auth" \
	"rule.add name=dnsdist-6 position=40 qtype=[\"NULL\"] action=drop" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(AndRule({OpcodeRule(4), NetmaskGroupRule("0.0.0.0/1")}), PoolAction("auth"))
addAction(OpcodeRule(4), DropAction())
addAction(QTypeRule("TXT"), DropAction())
addAction("a.test", PoolAction("auth"))
addAction(QTypeRule("NULL"), DropAction())
addAction(AllRule(), PoolAction("rec"))
EOT
gives relaylate.conf "policy.set transfer=drop" \
	"route.add suffix=. pool=rec" "route.add suffix=a.test. pool=auth" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(OrRule({QTypeRule("AXFR"), QTypeRule("IXFR")}), DropAction())
addAction(AndRule({QTypeRule("AXFR"), NetmaskGroupRule("192.0.2.9")}), PoolAction("auth"))
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
grep -q ':3: not needed: addAction: never reached: line 2 takes' "$tmp/err"
ok $? "dnsdist: transfers that the policy takes"
missing relaystop.conf 2 "line 3 is one for the same" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(AndRule({OpcodeRule(5), NetmaskGroupRule("192.0.2.9")}), PoolAction("auth"))
addAction("b.a.test", DropAction())
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
gives relayexact.conf "route.add suffix=. pool=rec" \
	"route.add suffix=a.test. pool=auth allow_update=[\"192.0.2.9/32\"]" \
	"rule.add name=dnsdist-3 position=10 exact=[\"b.test.\"] action=drop" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(AndRule({OpcodeRule(5), NetmaskGroupRule("192.0.2.9"), SuffixMatchNodeRule("a.test")}), PoolAction("auth"))
addAction(QNameRule("b.test"), DropAction())
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
missing relayaway.conf 3 "line 2 is one for the same" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction("192.0.2.0/24", PoolAction("rec"))
addAction(AndRule({QTypeRule("AXFR"), NetmaskGroupRule("192.0.2.9")}), PoolAction("auth"))
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
missing relaypool.conf 2 "none to pool auth is known for these names" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction(AndRule({OpcodeRule(5), SuffixMatchNodeRule("b.test")}), PoolAction("auth"))
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), PoolAction("rec"))
EOT
missing relayallow.conf 2 "transfers go where a route allows it" <<'EOT'
newServer("192.0.2.1")
addAction(QTypeRule("AXFR"), AllowAction())
EOT
gives longest.conf "route.add suffix=. pool=rec" \
	"route.add suffix=test. pool=auth" <<'EOT'
newServer({address="192.0.2.1", pool={"rec", "auth"}})
addAction("test", PoolAction("auth"))
addAction("b.test", PoolAction("rec"))
addAction(AllRule(), PoolAction("rec"))
EOT
gives deny.conf "route.add suffix=. pool=auth" \
	"rule.add name=dnsdist-2 position=10 suffix=[\"a.test.\"] action=pool pool=auth" \
	"rule.add name=dnsdist-3 position=20 action=refuse" <<'EOT'
newServer({address="192.0.2.1", pool="auth"})
addAction("a.test", PoolAction("auth"))
addAction(AllRule(), RCodeAction(DNSRCode.REFUSED))
addAction("b.test", DropAction())
EOT
grep -q ':4: not needed: addAction: never reached: line 3 takes' "$tmp/err"
ok $? "dnsdist: what is never reached is named"
gives invert.conf "route.add suffix=. pool=default" \
	"rule.add name=dnsdist-3 position=10 suffix=[\"a.test.\"] qtype=[\"TXT\"] action=drop" \
	"rule.add name=dnsdist-2 position=20 suffix=[\"a.test.\"] action=allow" \
	"rule.add name=dnsdist-2-2 position=30 action=refuse" <<'EOT'
newServer("192.0.2.1")
addAction(NotRule(SuffixMatchNodeRule("a.test")), RCodeAction(DNSRCode.REFUSED))
addAction(QTypeRule("TXT"), DropAction())
EOT
grep -q 'backend.add check={"type":"SOA","name":"a.test."}' "$tmp/got"
ok $? "dnsdist: the check of a pool that serves one suffix asks for it"
grep -q 'note: pool default: its answers get RA and lose AA' "$tmp/err"
ok $? "dnsdist: and its kind is named"
gives allow.conf "route.add suffix=. pool=rec" \
	"rule.add name=m position=10 source=[\"192.0.2.0/24\"] action=allow" \
	"rule.add name=dnsdist-3 position=20 qtype=[\"ANY\"] action=drop" <<'EOT'
newServer({address="192.0.2.1", pool="rec"})
addAction("192.0.2.0/24", AllowAction(), {name="m"})
addAction(QTypeRule("ANY"), DropAction())
addAction(AllRule(), PoolAction("rec"))
EOT
gives alternatives.conf "route.add suffix=. pool=default" \
	"rule.add name=dnsdist-2 position=10 suffix=[\"a.b.test.\"] qtype=[\"A\",\"NS\"] transport=tcp action=drop" \
	"rule.add name=dnsdist-2-2 position=20 suffix=[\"a.b.test.\"] opcode=STATUS transport=tcp action=drop" <<'EOT'
newServer("192.0.2.1")
addAction(AndRule({SuffixMatchNodeRule("b.test"), OrRule({QTypeRule("A"), QTypeRule("NS"), OpcodeRule(2)}), NotRule(TCPRule(false)), QNameSuffixRule({"a.b.test", "c.test"})}), DropAction())
EOT
gives never.conf "route.add suffix=. pool=default" <<'EOT'
newServer("192.0.2.1")
addAction(AndRule({QTypeRule("A"), QTypeRule("NS")}), DropAction())
addAction(NotRule(AllRule()), DropAction())
addAction(TagRule("none"), DropAction())
EOT
gives caches.conf "cache.set entries=3000 max_ttl_s=60 stale_s=90" \
	"route.add suffix=. pool=rec" <<'EOT'
a = newPacketCache(1000, {maxTTL=60})
getPool("rec"):setCache(a)
getPool("spare"):setCache(a)
getPool("auth"):setCache(newPacketCache(2000, {["maxTTL"]=3600}))
newServer({address="192.0.2.1", pool={"auth", "spare", "rec"}})
setStaleCacheEntriesTTL(90)
addAction(AllRule(), PoolAction("rec"))
EOT
gives settings.conf "policy.set empty=drop" \
	"frontend.tcp.set per_client=1000000 queries=5 lifetime_s=60 idle_ms=3000 reads=20 ban_s=60" \
	"route.add suffix=. pool=default" <<'EOT'
newServer({address="192.0.2.1", qps=500, healthCheckMode="up"})
setMaxTCPConnectionsPerClient(0)
setMaxTCPQueriesPerConnection(5)
setMaxTCPConnectionDuration(60)
setTCPRecvTimeout(3)
setMaxTCPReadIOsPerQuery(20)
setBanDurationForExceedingMaxReadIOsPerQuery(60)
setDropEmptyQueries(true)
setServFailWhenNoServer(false)
EOT
"$cli" import dnsdist "$tmp/settings.conf" --dry-run 2> /dev/null |
	grep 'pool.create.* no_server=drop\|"enabled":false.* qps=500' |
	wc -l | grep -qx 2
ok $? "dnsdist: qps of a server, no checks, no answer without a server"
gives lazy.conf "policy.set empty=notimp" \
	"block.policy.set window_ms=10000 duration_s=60 action=nxdomain qps=50" \
	"route.add suffix=. pool=default" <<'EOT'
newServer({address="192.0.2.1", healthCheckMode="lazy"})
setDropEmptyQueries(false)
dbr = dynBlockRulesGroup()
dbr:setQueryRate(50, 10, "rate", 60, DNSAction.Nxdomain)
function maintenance() dbr:apply() end
EOT
grep -q 'backend.add check={"lazy":true,' "$tmp/got"
ok $? "dnsdist: lazy checks"
gives subnet.conf "route.add suffix=. pool=geo" <<'EOT'
newServer({address="192.0.2.1", pool="geo", useClientSubnet=true})
newServer({address="192.0.2.2", pool="geo"})
newServer({address="192.0.2.3", pool="rec", useClientSubnet=false})
setECSOverride(false)
setECSSourcePrefixV4(24)
setECSSourcePrefixV6(56)
addAction(AllRule(), PoolAction("geo"))
EOT
[ "$(grep -c 'ecs' "$tmp/got")" = 1 ] &&
	grep -q '^pool.create pool=geo .* ecs=add$' "$tmp/got" &&
	grep -q 'subnet.conf:2: warning: useClientSubnet: all backends' "$tmp/err"
ok $? "dnsdist: a pool with servers that are told the client's subnet"
missing prefix.conf 2 "/24 is what is told" <<'EOT'
newServer("192.0.2.1")
setECSSourcePrefixV4(20)
EOT
missing override.conf 2 "a client's own subnet is kept" <<'EOT'
newServer("192.0.2.1")
setECSOverride(true)
EOT
missing typerate.conf 3 "over a limit queries are dropped" <<'EOT'
newServer("192.0.2.1")
dbr = dynBlockRulesGroup()
dbr:setQTypeRate(DNSQType.ANY, 5, 10, "any", 60, DNSAction.NoOp)
function maintenance() dbr:apply() end
EOT
gives late.conf "route.add suffix=. pool=default" \
	"rule.add name=dnsdist-4 position=10 suffix=[\"a.test.\"] action=drop" <<'EOT'
newServer("192.0.2.1")
s = newSuffixMatchNode()
s:add("a.test")
addAction(SuffixMatchNodeRule(s), DropAction())
s:add("b.test")
EOT
grep -q "late.conf:5: not needed: s:add: it never had an effect" "$tmp/err"
ok $? "dnsdist: what is added behind its use never had an effect"
gives noacl.conf "route.add suffix=. pool=default" <<'EOT'
newServer("192.0.2.1")
EOT
[ "$(grep -c '^acl.add' "$tmp/got")" = 9 ]
ok $? "dnsdist: without an ACL its built-in list is taken"

seq 4097 | sed 's/.*/addAction("n&.test", DropAction())/' > "$tmp/many.conf"
"$cli" import dnsdist "$tmp/many.conf" --dry-run > "$tmp/got" 2> "$tmp/err"
[ $? -eq 7 ] && grep -q "many.conf:4097: error: more than 4096 rules" "$tmp/err"
ok $? "dnsdist: more rules than there can be"
# Names beyond what one rule takes go into several.
{
	echo 's = newSuffixMatchNode()'
	seq 10001 | sed 's/.*/s:add("n&.test")/'
	echo 'addAction(SuffixMatchNodeRule(s), RCodeAction(3))'
} > "$tmp/long.conf"
"$cli" import dnsdist "$tmp/long.conf" --dry-run > "$tmp/got" 2> "$tmp/err"
[ $? -eq 0 ] && [ "$(grep -c '^rule.add' "$tmp/got")" = 2 ] &&
	grep -q 'long.conf:2: imported: s:add: .* (and 10000 more)' "$tmp/err"
ok $? "dnsdist: a long list of names is two rules, and two lines"

# Sent only whole, unless the rest is asked for.
printf 'newServer("192.0.2.1")\naddAction(SNIRule("a.test"), DropAction())\n' \
	> "$tmp/part.conf"
"$cli" import dnsdist "$tmp/part.conf" > "$tmp/got" 2> "$tmp/err"
[ $? -eq 12 ] && grep -q "so nothing was; --partial imports" "$tmp/err"
ok $? "dnsdist: with something not imported nothing is sent"
"$cli" import dnsdist "$tmp/part.conf" --partial --socket "$tmp/none" \
	> "$tmp/got" 2> "$tmp/err"
[ $? -eq 10 ]
ok $? "dnsdist: --partial sends the rest"

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
