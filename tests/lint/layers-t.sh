#!/bin/sh
# SPDX-License-Identifier: ISC
# The dependency rule of ARCHITECTURE.md: who may include whom, and the one
# place of each foreign library.
. "${0%/*}/lib.sh"

# "file<TAB>what it includes" of all sources.
all=$( { sources '*.c'; sources '*.h'; } | xargs grep -H '^ *# *include' |
	sed -n 's/^\([^:]*\):.*include *[<"]\([^>"]*\)[>"].*/\1	\2/p')

# inside FOLDER ALLOWED...: what FOLDER includes of ours is in ALLOWED.
inside() {
	folder=$1
	shift
	bad=$(printf '%s\n' "$all" | awk -F '\t' -v folder="$folder/" \
		-v allowed="$*" '
		BEGIN { n = split(allowed, a, " ") }
		index($1, folder) == 1 &&
		$2 ~ /^(common|frontend|resolver|authority|ha|mgmt|deploy|tests)\// {
			for (i = 1; i <= n; i++)
				if (index($2, a[i] "/") == 1) next
			print $1 " includes " $2
		}')
	ok "$folder includes only: $*" "$bad"
}

# sole LIBRARY HEADERS FILES: headers that match are included by files that
# match, and by tests, only (extended regular expressions from the start).
sole() {
	bad=$(printf '%s\n' "$all" | awk -F '\t' -v headers="^($2)" \
		-v files="^(tests/|$3)" '$2 ~ headers && $1 !~ files {
			print $1 " includes " $2 }')
	ok "$1 has one place" "$bad"
}

inside common/base common/base
inside common/dns common/base common/dns
inside common/net common/base common/net
inside common/serve common/base common/dns common/net common/serve
inside common/ctl common/base common/dns common/net common/ctl
inside common/zone common/base common/dns common/zone
inside frontend common frontend
inside resolver common resolver
inside authority common authority
inside ha common ha
inside mgmt common mgmt
inside mgmt/agent common mgmt/agent mgmt/proto mgmt
inside mgmt/cli common mgmt/cli mgmt
inside deploy common deploy
inside tests/common common tests

sole ldns 'ldns/' 'common/zone/record\.c'
sole libyaml 'yaml\.h' 'common/ctl/conf\.c'
sole libunbound 'unbound' 'resolver/engine\.c'
sole sqlite 'sqlite3' 'mgmt/store'
sole netlink 'libmnl/|linux/(rt)?netlink|linux/if_addr' 'ha/(iface|route)'
sole libevent 'event2/|event\.h|evhttp|evdns' 'common/net/|mgmt/api|resolver/engine\.c'
sole 'TLS of OpenSSL' 'openssl/ssl\.h' 'common/net/|mgmt/api'
sole OpenSSL 'openssl/' \
	'common/net/|common/base/digest\.c|mgmt/(pki|api)'
sole systemd 'systemd/' 'none'

# dns/ is pure: it can be fuzzed and reasoned about as it stands.
ok 'common/dns: no clock, socket, file, log' "$(printf '%s\n' "$all" | awk -F '\t' '
	index($1, "common/dns/") == 1 &&
	$2 ~ /^(time|unistd|fcntl|pthread|poll|netdb|sys\/|arpa\/|net\/|netinet\/|common\/base\/(log|clock|metrics|digest))/ {
		print $1 " includes " $2 }')"
ok 'common/dns: no malloc of its own' "$(sources '*.[ch]' |
	grep '^common/dns/' |
	xargs grep -nE '\b(m|c|re)alloc(array)?\(|\bstrdup\(|\bfree\(')"

# A header gives no variables away but constants.
ok 'no extern variables in headers' "$(sources '*.h' |
	xargs grep -nE '^extern ' | grep -v 'extern const ')"
finish
