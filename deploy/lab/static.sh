# SPDX-License-Identifier: ISC
# static.sh: the lab's daemons without management, each from a file in
# /etc/ispdns that was made from deploy/examples. For work on one daemon and
# for tests of the data plane alone. Sourced by ispdns-lab.

example() { # DAEMON HOST EXPRESSION...: edit the example by sed
	local daemon=$1 host=$2
	shift 2
	sed -e '' "$@" "$examples/$daemon.yaml" > "$(dir_of "$host")/etc/$daemon.yaml"
}

static_ha() { # HOST PRIORITY PEER
	example ha "$1" -e "s/^node:.*/node: $1/" \
		-e "s/priority: 150/priority: $2/" -e 's/version: 2/version: 3/' \
		-e 's/interval: 1s/interval: 100ms/' -e 's/auth: pass/auth: none/' \
		-e '/password:/d' \
		-e "s/handover_peers: .*/handover_peers: [10.10.2.$3]/"
}

static_zone() {
	cat <<-EOT
	\$ORIGIN zaibdns.lab.
	\$TTL 86400
	@ IN SOA ns1.zaibdns.lab. admin.zaibdns.lab. 2026021401 3600 1800 604800 86400
	@ IN NS ns1.zaibdns.lab.
	ns1 IN A 10.10.2.163
	www IN A 10.10.2.163
	portal IN A 10.10.2.163
	EOT
}

static_auth() {
	local d sum
	d=$(dir_of auth1)/etc
	mkdir -p "$d/zones"
	static_zone > "$d/zones/zaibdns.lab.zone"
	sum=$(sha256sum "$d/zones/zaibdns.lab.zone" | cut -d' ' -f1)
	example authority auth1 -e "s/0\{64\}/$sum/"
}

static_files() {
	local h
	examples=$src/deploy/examples
	[ -d "$examples" ] || die "no examples at $examples"
	for h in dd1 dd2; do example frontend $h; done
	static_ha dd1 150 162
	static_ha dd2 100 161
	static_auth
	for h in rec1 rec2; do
		example resolver $h -e "s/10\.10\.2\.164/10.10.2.$(octet_of $h)/" \
			-e 's|^# \([a-z_]*: \)/usr/share/dns/\([a-z.]*\).*|\1/etc/ispdns/\2|'
	done
}

static_up() {
	. "$lib/drill.sh"
	green_checks="owner auth rec backends frontends"
	wait_for 10 is_green || say "not everything answers: $not_green"
}
