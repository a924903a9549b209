#!/bin/bash
# SPDX-License-Identifier: ISC
# internet.sh DIR [SEEN]: write the lab's private Internet into DIR: signed zones
# for three NSD servers (root, tld, web), their configuration, the root hints
# and the trust anchor. SEEN is DIR as the servers will see it. Names and addresses are fixed, so a test may rely on them;
# addresses are those of RFC 5737 and RFC 3849. Needs ldnsutils.
#
# What is there, besides the root, com net org info io pk uk arpa:
#   siteNNNN.{com,net,org,info,pk}  3000 ordinary names (see sites())
#   google.com                      unsigned, as in life; www, mail, AAAA, MX
#   example.com isc.org             signed; signed.example.com, *.wild.example.com
#   dnssec-failed.org               the DS at the parent belongs to another key
#   badsig.net                      one signature does not fit its record
#   expired.net                     all signatures ended years ago
#   chain.com                       c1 -> c2 ... c8 -> end, CNAMEs; l1 <-> l2 a loop
#   big.net                         TXT of about 3 kB: truncation and TCP
#   lame.net                        delegated to servers that refuse it
#   dead.net                        delegated to an address that never answers
#   wildcard.com                    *.wildcard.com for random names
#   short.com                       TTLs of 1 to 60 s: t1, t2, t5, t10, t60
set -euo pipefail
export LC_ALL=C
out=${1:?usage: internet.sh DIR [SEEN]}
seen=${2:-$out}
sites=3000
ttl=3600
mkdir -p "$out"/{root,tld,web,keys,raw}
cd "$out"

inception=$(date -u -d '2 days ago' +%Y%m%d)
expiration=$(date -u -d '300 days' +%Y%m%d)
declare -A keyfile

# Zone heads: NAME SERVER... on stdin is not needed, all is in the arguments.
head_of() { # ZONE NS...
	local zone=$1 ns
	shift
	printf '$ORIGIN %s\n$TTL %s\n' "$zone" "$ttl"
	printf '@ SOA %s hostmaster.hosting.net. 2026010101 7200 3600 1209600 300\n' "$1"
	for ns in "$@"; do printf '@ NS %s\n' "$ns"; done
}

key_of() { # ZONE: make its key once
	local zone=$1
	[ -n "${keyfile[$zone]:-}" ] ||
		keyfile[$zone]=$(cd keys && ldns-keygen -a ECDSAP256SHA256 -k "$zone")
}

ds_of() { # ZONE: its DS record, for the parent
	key_of "$1"
	cat "keys/${keyfile[$1]}.ds"
}

sign() { # SERVER ZONE FILE [OPTION...]
	local server=$1 zone=$2 file=$3
	shift 3
	key_of "$zone"
	ldns-signzone -i "$inception" -e "$expiration" "$@" -o "$zone" \
		-f "$server/$file.zone" "raw/$file" "keys/${keyfile[$zone]}"
}

servers_glue() { # the A and AAAA of the servers, for zones that need glue
	cat <<-EOT
	a.root-servers.net. A 198.51.100.4
	a.root-servers.net. AAAA 2001:db8:1::4
	b.root-servers.net. A 198.51.100.5
	b.root-servers.net. AAAA 2001:db8:1::5
	a.gtld-servers.net. A 203.0.113.10
	a.gtld-servers.net. AAAA 2001:db8:2::10
	b.gtld-servers.net. A 203.0.113.11
	b.gtld-servers.net. AAAA 2001:db8:2::11
	ns1.hosting.net. A 192.0.2.10
	ns1.hosting.net. AAAA 2001:db8:3::10
	ns2.hosting.net. A 192.0.2.11
	ns2.hosting.net. AAAA 2001:db8:3::11
	ns1.google.com. A 192.0.2.12
	ns2.google.com. A 192.0.2.13
	ns1.dnshost.com. A 192.0.2.14
	ns2.dnshost.com. A 192.0.2.15
	ns1.dead.net. A 192.0.2.99
	EOT
}

glue() { servers_glue | grep -E "$1"; }

delegate() { # ZONE NS...
	local zone=$1 ns
	shift
	for ns in "$@"; do printf '%s NS %s\n' "$zone" "$ns"; done
}

hosting="ns1.hosting.net. ns2.hosting.net."
dnshost="ns1.dnshost.com. ns2.dnshost.com."
google="ns1.google.com. ns2.google.com."
gtld="a.gtld-servers.net. b.gtld-servers.net."
rootns="a.root-servers.net. b.root-servers.net."

# ---- the names below the TLDs ----

# One line each: ZONE NUMBER. Deterministic: com gets half of them.
sites() {
	awk -v n="$sites" 'BEGIN {
		split("com net com org com info com net com pk", t, " ")
		for (i = 1; i <= n; i++)
			printf "site%04d.%s. %d\n", i, t[i % 10 + 1], i
	}'
}

site_zones() {
	sites | awk -v ttl="$ttl" '{
		zone = substr($1, 1, length($1) - 1)
		file = "web/" zone ".zone"
		ns = $2 % 3 ? "hosting.net." : "dnshost.com."
		a = "192.0.2." 100 + $2 % 100
		printf "$ORIGIN %s\n$TTL %d\n@ SOA ns1.%s hostmaster.%s 1 7200 3600 1209600 300\n@ NS ns1.%s\n@ NS ns2.%s\n@ A %s\nwww A %s\n@ AAAA 2001:db8:80::%x\n@ MX 10 mail\nmail A %s\n@ TXT \"%s\"\n", \
			$1, ttl, ns, ns, ns, ns, a, a, $2, a, zone > file
		close(file)
	}'
}

site_delegations() { # TLD
	sites | awk -v tld=".$1." 'substr($1, length($1) - length(tld) + 1) == tld {
		ns = $2 % 3 ? "hosting.net." : "dnshost.com."
		printf "%s NS ns1.%s\n%s NS ns2.%s\n", $1, ns, $1, ns
	}'
}

plain() { # ZONE NS... ; records on stdin: an unsigned zone of server web
	local zone=$1
	{ head_of "$@"; cat; } > "web/${zone%.}.zone"
}

signed() { # ZONE NS... ; records on stdin: a signed zone of server web
	local zone=$1
	{ head_of "$@"; cat; } > "raw/${zone%.}"
	sign web "$zone" "${zone%.}"
}

chain() {
	local i
	for i in 1 2 3 4 5 6 7; do echo "c$i CNAME c$((i + 1))"; done
	printf 'c8 CNAME end\nend A 192.0.2.108\nl1 CNAME l2\nl2 CNAME l1\n'
}

big_text() {
	local i
	printf '@ A 192.0.2.120\n'
	for i in $(seq 1 15); do
		printf 'big TXT "%03d %s"\n' "$i" "$(printf 'x%.0s' {1..200})"
	done
}

names() {
	plain google.com. $google <<-EOT
	@ A 192.0.2.112
	@ AAAA 2001:db8:80::112
	@ MX 10 mail
	@ TXT "v=spf1 -all"
	www A 192.0.2.113
	www AAAA 2001:db8:80::113
	mail A 192.0.2.114
	ns1 A 192.0.2.12
	ns2 A 192.0.2.13
	EOT
	plain hosting.net. $hosting < <(glue '^ns.\.hosting'; echo '@ A 192.0.2.10')
	plain dnshost.com. $dnshost < <(glue '^ns.\.dnshost'; echo '@ A 192.0.2.14')
	plain chain.com. $hosting < <(chain)
	plain big.net. $hosting < <(big_text)
	plain wildcard.com. $hosting <<< '* 300 A 192.0.2.130'
	plain short.com. $hosting <<-EOT
	t1 1 A 192.0.2.131
	t2 2 A 192.0.2.132
	t5 5 A 192.0.2.135
	t10 10 A 192.0.2.136
	t60 60 A 192.0.2.137
	EOT
	signed example.com. $hosting <<-EOT
	@ A 192.0.2.140
	www A 192.0.2.141
	signed A 192.0.2.142
	signed AAAA 2001:db8:80::142
	*.wild A 192.0.2.143
	alias CNAME signed
	EOT
	signed isc.org. $hosting <<< '@ A 192.0.2.150
www A 192.0.2.151'
	signed dnssec-failed.org. $hosting <<< '@ A 192.0.2.152
www A 192.0.2.153'
	signed badsig.net. $hosting <<< '@ A 192.0.2.154
www A 192.0.2.155
good A 192.0.2.156'
	# The address changes after it was signed.
	sed -i 's/192\.0\.2\.155$/192.0.2.66/' web/badsig.net.zone
	grep -q '192\.0\.2\.66' web/badsig.net.zone
	head_of expired.net. $hosting > raw/expired.net
	echo '@ A 192.0.2.157' >> raw/expired.net
	sign web expired.net. expired.net -i 20200101 -e 20200201
}

# ---- the TLDs and the root ----

tld() { # ZONE ; further records on stdin
	local zone=$1
	head_of "$zone" $gtld
	site_delegations "${zone%.}"
	cat
}

# The bogus one: a DS as of a key that the zone does not have.
wrong_ds() {
	ds_of dnssec-failed.org. | sed -E 's/[0-9a-fA-F]{32}([[:space:]]|$)/0123456789abcdef0123456789abcdef\1/'
}

tlds() {
	tld com. > raw/com < <(
		delegate google.com. $google; delegate dnshost.com. $dnshost
		delegate chain.com. $hosting; delegate wildcard.com. $hosting
		delegate short.com. $hosting
		delegate example.com. $hosting; ds_of example.com.
		glue '\.(google|dnshost)\.com\.')
	tld net. > raw/net < <(
		delegate hosting.net. $hosting; delegate big.net. $hosting
		delegate root-servers.net. $rootns
		delegate gtld-servers.net. $gtld
		delegate lame.net. $hosting; delegate dead.net. ns1.dead.net.
		delegate badsig.net. $hosting; ds_of badsig.net.
		delegate expired.net. $hosting; ds_of expired.net.
		glue '\.net\.')
	tld org. > raw/org < <(
		delegate isc.org. $hosting; ds_of isc.org.
		delegate dnssec-failed.org. $hosting; wrong_ds)
	tld info. > raw/info < /dev/null
	tld io. > raw/io < /dev/null
	tld arpa. > raw/arpa < /dev/null
	tld pk. > tld/pk.zone < /dev/null
	tld uk. > tld/uk.zone < /dev/null
	head_of gtld-servers.net. $gtld > tld/gtld-servers.net.zone
	glue gtld-servers >> tld/gtld-servers.net.zone
	local z
	# The large ones have NSEC3 with opt-out, as in life.
	for z in com net org; do sign tld "$z." "$z" -n -p -t 0; done
	for z in info io arpa; do sign tld "$z." "$z"; done
}

root_zone() {
	local z
	head_of . $rootns > raw/root
	{
		for z in com net org info io arpa; do
			delegate "$z." $gtld
			ds_of "$z."
		done
		delegate pk. $gtld
		delegate uk. $gtld
		glue '(root|gtld)-servers'
	} >> raw/root
	sign root . root
	head_of root-servers.net. $rootns > root/root-servers.net.zone
	glue root-servers >> root/root-servers.net.zone
}

hints() {
	printf '. 518400 NS %s\n' $rootns
	glue root-servers | sed 's/ / 518400 /'
}

# ---- what the servers and the resolvers are given ----

nsd_conf() { # SERVER ADDRESS...
	local server=$1 a f zone
	shift
	printf 'server:\n'
	for a in "$@"; do printf '\tip-address: %s\n' "$a"; done
	cat <<-EOT
		username: ""
		zonesdir: "$seen/$server"
		database: ""
		pidfile: "/run/nsd/nsd.pid"
		xfrdfile: "/run/nsd/xfrd.state"
		zonelistfile: "/run/nsd/zone.list"
		xfrdir: "/run/nsd"
		server-count: 1
		tcp-count: 200
		hide-version: yes
		rrl-ratelimit: 0
		zonefiles-check: no
		zonefiles-write: 0
		ipv4-edns-size: 1232
		ipv6-edns-size: 1232
	remote-control:
		control-enable: no
	EOT
	for f in "$server"/*.zone; do
		zone=${f#"$server"/} zone=${zone%.zone}
		[ "$zone" != root ] || zone=.
		printf 'zone:\n\tname: "%s"\n\tzonefile: "%s"\n' "$zone" "${f#"$server"/}"
	done
}

site_zones
names
tlds
root_zone
hints > root.hints
grep -h DNSKEY "keys/${keyfile[.]}.key" > root.key
nsd_conf root 198.51.100.4 198.51.100.5 2001:db8:1::4 2001:db8:1::5 > root.conf
nsd_conf tld 203.0.113.10 203.0.113.11 2001:db8:2::10 2001:db8:2::11 > tld.conf
nsd_conf web 192.0.2.10 192.0.2.11 192.0.2.12 192.0.2.13 192.0.2.14 \
	192.0.2.15 2001:db8:3::10 2001:db8:3::11 > web.conf
rm -rf raw keys
date +%s > made
