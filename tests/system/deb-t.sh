#!/bin/bash
# SPDX-License-Identifier: ISC
# The packages: built, checked by lintian, installed, upgraded, removed and
# purged in a chroot, and run under a real systemd in a container, where each
# daemon starts from its unit and answers.
set -u
src=${ISPDNS_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${ISPDNS_BUILDDIR:-$src}
cache=${ISPDNS_TEST_CACHE:-/var/cache/ispdns-tests}
tmp=$(mktemp -d /var/tmp/ispdns-deb.XXXXXX)
ns=ispdnsdeb$$
count=0
failed=0
nspawn_pid=

ok() { # ok STATUS TEXT
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=$((failed + 1))
	fi
}
try() { # try TEXT COMMAND...: ok when COMMAND succeeds
	local text=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	ok $status "$text"
	[ $status -eq 0 ] || printf '%s\n' "$out" | tail -20 | sed 's/^/# /'
}
bail() {
	echo "Bail out! $1"
	exit 1
}
unmount_below() {
	local m
	for m in $(awk -v d="$1" '$2 ~ "^" d {print $2}' /proc/mounts | sort -r)
	do
		umount -l "$m"
	done
}
cleanup() {
	if [ -n "$nspawn_pid" ] && kill -0 "$nspawn_pid" 2>/dev/null; then
		kill -TERM "$nspawn_pid"
		timeout 20 tail --pid="$nspawn_pid" -f /dev/null ||
			kill -KILL "$nspawn_pid"
	fi
	ip netns del "$ns" 2>/dev/null
	unmount_below "$tmp"
	rm -rf --one-file-system "$tmp"
}
trap cleanup EXIT

[ "$(id -u)" -eq 0 ] || { echo "1..0 # skip needs root"; exit 0; }

# The base system, made once and kept while the list of packages is the same.
packages=systemd,systemd-sysv,dbus,init-system-helpers
packages=$packages,libevent-2.1-7,libevent-openssl-2.1-7
packages=$packages,libjansson4,libldns3,libmnl0,libsqlite3-0,libssl3
packages=$packages,libunbound8,libyaml-0-2,dns-root-data,nsd,bind9-dnsutils
packages=$packages,iproute2,jq,ldnsutils,procps,python3,util-linux,curl
base=$cache/base-$(printf %s "$packages" | sha256sum | cut -c1-12).tar
if [ ! -s "$base" ]; then
	mkdir -p "$cache"
	mmdebstrap --quiet --variant=minbase --include="$packages" bookworm \
		"$base.tmp.tar" >"$tmp/mmdebstrap.log" 2>&1 || {
		tail -20 "$tmp/mmdebstrap.log" | sed 's/^/# /'
		bail "cannot make a base system with mmdebstrap"
	}
	mv "$base.tmp.tar" "$base"
fi

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C "$@"; }

# --- build ---------------------------------------------------------------
build_packages() {
	make -C "$build" deb >"$tmp/deb.log" 2>&1
	ok $? "make deb builds the packages"
	debs=$build/build/deb
	for p in common frontend resolver authority ha mgmt lab; do
		set -- "$debs/ispdns-${p}"_*.deb
		[ -f "$1" ]
		ok $? "package ispdns-$p is there"
	done
	[ $failed -eq 0 ] || { tail -30 "$tmp/deb.log" | sed 's/^/# /'; bail "no packages"; }
	try "lintian finds no error" lintian --allow-root --fail-on error \
		--suppress-tags embedded-library "$debs"/ispdns-*_*.deb
}

# A later version of the same packages, to upgrade to.
next_version() {
	mkdir "$tmp/next"
	for deb in "$debs"/ispdns-*.deb; do
		case $deb in *dbgsym*) continue ;; esac
		d=$tmp/repack
		rm -rf "$d"
		dpkg-deb -R "$deb" "$d"
		v=$(sed -n 's/^Version: //p' "$d/DEBIAN/control")
		sed -i "s/^Version: .*/Version: $v+next/;s/(= $v)/(= $v+next)/g" \
			"$d/DEBIAN/control"
		dpkg-deb --root-owner-group -b "$d" "$tmp/next" >/dev/null
	done
}

# --- chroot: install, upgrade, remove, purge --------------------------------
test_chroot() {
	root=$tmp/root
	mkdir "$root"
	tar -xf "$base" -C "$root"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	mount -t proc proc "$root/proc"
	mkdir "$root/debs" "$root/next"
	cp "$debs"/ispdns-*.deb "$root/debs/"
	rm -f "$root"/debs/*dbgsym*
	cp "$tmp"/next/*.deb "$root/next/"

	try "all packages install" inside sh -c 'dpkg -i /debs/*.deb'
	for p in frontend resolver authority ha mgmt agent; do
		try "ispdns-$p runs there" inside /usr/sbin/ispdns-$p --version
		[ -L "$root/etc/systemd/system/multi-user.target.wants/ispdns-$p.service" ]
		ok $? "ispdns-$p.service is enabled"
	done
	try "the command line runs there" inside ispdns version
	[ ! -L "$root/etc/systemd/system/multi-user.target.wants/nsd.service" ]
	ok $? "Debian's own nsd.service is not enabled any more"
	try "the service users exist" inside sh -c 'for u in _ispdns \
		_ispdns-frontend _ispdns-resolver _ispdns-authority _ispdns-ha \
		_ispdns-mgmt; do id $u || exit 1; done'
	own=$(inside stat -c '%a %U' /var/lib/ispdns-mgmt)
	[ "$own" = "700 _ispdns-mgmt" ]
	ok $? "the state of mgmt is private to it ($own)"
	for e in frontend resolver authority ha; do
		try "$e accepts its shipped example" inside sh -c "mkdir -p /tmp/e &&
			cp /usr/share/doc/ispdns-common/examples/*.yaml /tmp/e &&
			ispdns-$e --check /tmp/e/$e.yaml"
	done
	for u in "$root"/lib/systemd/system/ispdns-*.service; do
		try "exposure of $(basename "$u") is at most 2.0" \
			systemd-analyze security --offline=yes --threshold=20 "$u"
	done

	inside sh -c 'echo keep >/var/lib/ispdns-mgmt/mgmt.db;
		mkdir -p /var/lib/ispdns/gen/1; echo keep >/var/lib/ispdns/gen/1/x;
		echo "name: n1" >/etc/ispdns/node.yaml'
	try "all packages upgrade" inside sh -c 'dpkg -i /next/*.deb'
	v=$(inside dpkg-query -W -f '${Version}' ispdns-frontend)
	case $v in *+next) ok 0 "the new version is installed" ;;
	*) ok 1 "the new version is installed, not $v" ;; esac
	[ "$(cat "$root/var/lib/ispdns-mgmt/mgmt.db")" = keep ]
	ok $? "an upgrade keeps the database"
	all="ispdns-lab ispdns-mgmt ispdns-ha ispdns-authority ispdns-resolver
		ispdns-frontend ispdns-common"
	# shellcheck disable=SC2086
	try "all packages are removed" inside dpkg -r $all
	[ -f "$root/var/lib/ispdns-mgmt/mgmt.db" ] &&
		[ -f "$root/var/lib/ispdns/gen/1/x" ]
	ok $? "removal keeps the state"
	# shellcheck disable=SC2086
	try "all packages are purged" inside dpkg -P $all
	[ ! -e "$root/var/lib/ispdns" ] && [ ! -e "$root/var/lib/ispdns-mgmt" ]
	ok $? "purge removes the state"
	[ "$(cat "$root/var/backups/ispdns/mgmt.db" 2>/dev/null)" = keep ]
	ok $? "purge keeps a copy of the database"
	left=$(cd "$root" && find . -xdev -name '*ispdns*' ! -path './debs*' \
		! -path './next*' ! -path './var/backups*' ! -path './var/lib/dpkg*' \
		! -path './proc*' ! -path './tmp*' | head)
	# The operator's own file in /etc/ispdns is not ours to delete.
	left=$(printf '%s\n' "$left" | grep -v '^./etc/ispdns$')
	[ -z "$left" ]
	ok $? "purge leaves nothing else behind"
	[ -z "$left" ] || printf '%s\n' "$left" | sed 's/^/# left: /'
	unmount_below "$root"
	rm -rf --one-file-system "$root"
}

# --- container: real systemd ------------------------------------------------
test_container() {
	root=$tmp/boot
	mkdir "$root"
	tar -xf "$base" -C "$root"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	mount -t proc proc "$root/proc"
	mkdir "$root/debs" "$root/result"
	cp "$debs"/ispdns-*.deb "$root/debs/"
	rm -f "$root"/debs/*dbgsym*
	try "the packages install in the container's tree" \
		inside sh -c 'dpkg -i /debs/*.deb'
	rm -f "$root/usr/sbin/policy-rc.d"
	unmount_below "$root"
	cp "$src/tests/system/deb/inside.sh" "$root/usr/local/sbin/ispdns-inside"
	chmod 755 "$root/usr/local/sbin/ispdns-inside"
	mkdir -p "$root/etc/ispdns"
	cp "$src"/tests/system/deb/*.yaml "$root/etc/ispdns/"
	cp "$src"/tests/system/deb/example.test.zone "$root/etc/ispdns/"
	sum=$(sha256sum <"$root/etc/ispdns/example.test.zone" | cut -d' ' -f1)
	sed -i "s/@SHA256@/$sum/" "$root/etc/ispdns/authority.yaml"
	cp "$src/tests/system/deb/ispdns-inside.service" "$root/etc/systemd/system/"
	ln -s ../ispdns-inside.service \
		"$root/etc/systemd/system/multi-user.target.wants/ispdns-inside.service"
	for u in systemd-resolved systemd-networkd systemd-timesyncd getty@tty1 \
		console-getty nsd; do
		ln -sf /dev/null "$root/etc/systemd/system/$u.service"
	done
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	ip -n "$ns" link add svc0 type veth peer name lan0
	ip -n "$ns" address add 198.51.100.2/24 dev svc0
	ip -n "$ns" link set lan0 up
	ip -n "$ns" link set svc0 up
	systemd-nspawn --quiet --boot -D "$root" --register=no --keep-unit \
		--network-namespace-path="/run/netns/$ns" --machine="$ns" \
		--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE \
		--console=pipe </dev/null >"$tmp/nspawn.log" 2>&1 &
	nspawn_pid=$!
	timeout 150 tail --pid=$nspawn_pid -f /dev/null
	ended=$?
	[ $ended -eq 0 ]
	ok $? "the container booted, ran its checks and powered off"
	nspawn_pid=$([ $ended -eq 0 ] || echo $nspawn_pid)
	if [ -s "$root/result/tap" ]; then
		while read -r verdict text; do
			[ "$verdict" = pass ]
			ok $? "container: $text"
		done <"$root/result/tap"
	else
		ok 1 "container: results were written"
		tail -20 "$tmp/nspawn.log" | sed 's/^/# /'
	fi
	mkdir -p "$build/build"
	cp "$root/result/log" "$build/build/deb-container.log" 2>/dev/null
	! grep -q '^fail' "$root/result/tap" 2>/dev/null ||
		echo "# see build/deb-container.log"
}

# For work on one part: deb-t.sh PART..., with the packages of the last build.
[ $# -gt 0 ] || set -- build_packages next_version test_chroot test_container
debs=$build/build/deb
for part in "$@"; do $part; done
echo "1..$count"
[ $failed -eq 0 ]
