# SPDX-License-Identifier: ISC
# Debian packages by what they are for, and need_packages, which installs
# those that are missing. Sourced by deploy/check and deploy/quickstart.

packages_build="gcc make autoconf automake pkg-config libevent-dev libssl-dev
	libsqlite3-dev libjansson-dev libyaml-dev libldns-dev libmnl-dev
	libunbound-dev nettle-dev"
# What a running system and the lab use.
packages_run="nsd dns-root-data iproute2 procps util-linux jq bind9-dnsutils
	ldnsutils python3-minimal"
# What the tests use beyond that: peers, packaging, containers.
packages_test="perl dnsdist knot knot-dnsutils keepalived curl sqlite3 openssl
	xxd universal-ctags clang-format debhelper dpkg-dev fakeroot lintian
	mmdebstrap systemd-container prometheus nftables tcpdump bird2 frr"

# Those with a server of their own that nobody here asked for: neither now nor
# after the next boot is it to run.
packages_servers="nsd knot keepalived prometheus bird2 frr"

no_servers() { # NAME... that were just installed
	command -v systemctl >/dev/null || return 0
	for p in "$@"; do
		case " $packages_servers " in *" $p "*) ;; *) continue ;; esac
		for unit in $(dpkg -L "$p" | sed -n \
			's|.*/lib/systemd/system/\([^/@]*\.service\)$|\1|p'); do
			systemctl -q disable "$unit" 2>/dev/null || true
		done
	done
}

# need_packages NAME...: install what is missing, without starting services.
need_packages() {
	missing=
	for p in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) in
		installed) ;;
		*) missing="$missing $p" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	echo "installing:$missing"
	# Packages such as nsd start a server on port 53 when installed; a
	# policy that says no is put in place for the time of the installation.
	policy=/usr/sbin/policy-rc.d
	made=
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		made=yes
	fi
	status=0
	# shellcheck disable=SC2086
	{ apt-get update -qq || true; } && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $missing \
		>/tmp/ispdns-apt.$$ 2>&1 || status=$?
	[ -z "$made" ] || rm -f $policy
	# shellcheck disable=SC2086
	[ $status -ne 0 ] || no_servers $missing
	if [ $status -ne 0 ]; then
		tail -20 /tmp/ispdns-apt.$$ >&2
		echo "cannot install:$missing" >&2
	fi
	rm -f /tmp/ispdns-apt.$$
	return $status
}
