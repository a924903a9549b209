# SPDX-License-Identifier: ISC
# lib.sh: TAP and the lab for system tests in bash. Source it first:
#
#	. "$(dirname "$0")/lib.sh"
#	need_lab
#	lab_up --bare
#	ok "the name server answers" on rec1 dig @198.51.100.4 . SOA
#	done_testing
#
# A test owns one lab of its own name, removed when the test ends in any way.
# With ISPDNS_TEST_LAB=NAME a lab that is up already is used and left alone.
# Conditions are waited for with wait_for, never slept for.
set -u

srcdir=${ISPDNS_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
export ISPDNS_SRCDIR=$srcdir
export ISPDNS_BUILDDIR=${ISPDNS_BUILDDIR:-$srcdir}
tap_count=0
tap_failed=0
tap_planned=
tap_done=
work=$(mktemp -d "${TMPDIR:-/tmp}/ispdns-test.XXXXXX")
lab_name=${ISPDNS_TEST_LAB:-t$$}
lab_is_ours=

# ---- TAP ----

plan() { tap_planned=$1; echo "1..$1"; }

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

bail() { echo "Bail out! $*"; exit 255; }

skip_all() { tap_done=1; echo "1..0 # SKIP $*"; exit 0; }

tap_line() { # STATUS DESCRIPTION
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
	return "$1"
}

pass() { tap_line 0 "$*"; }
fail() { tap_line 1 "$*"; }

# ok DESCRIPTION COMMAND...: passes when the command succeeds; else its output
# is shown.
ok() {
	local name=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=1
	tap_line "$status" "$name" && return
	diag "command: $*"
	diag "$out"
	return 1
}

# not DESCRIPTION COMMAND...: passes when the command fails.
not() {
	local name=$1 out status=1
	shift
	out=$("$@" 2>&1) || status=0
	tap_line "$status" "$name" && return
	diag "command should fail: $*"
	diag "$out"
	return 1
}

is() { # GOT WANT DESCRIPTION
	[ "$1" = "$2" ]
	tap_line $? "$3" && return
	diag " got: $1"
	diag "want: $2"
	return 1
}

like() { # GOT EXTENDED-REGEX DESCRIPTION
	grep -Eq -- "$2" <<< "$1"
	tap_line $? "$3" && return
	diag "  got: $1"
	diag "match: $2"
	return 1
}

unlike() { # GOT EXTENDED-REGEX DESCRIPTION
	! grep -Eq -- "$2" <<< "$1"
	tap_line $? "$3" && return
	diag "          got: $1"
	diag "must not match: $2"
	return 1
}

at_most() { # GOT LIMIT DESCRIPTION (numbers, decimals allowed)
	awk -v got="$1" -v max="$2" 'BEGIN { exit !(got != "" && got <= max) }'
	tap_line $? "$3 ($1 <= $2)"
}

at_least() { # GOT LIMIT DESCRIPTION
	awk -v got="$1" -v min="$2" 'BEGIN { exit !(got != "" && got >= min) }'
	tap_line $? "$3 ($1 >= $2)"
}

skip() { # COUNT REASON
	local i
	for i in $(seq "$1"); do
		tap_count=$((tap_count + 1))
		echo "ok $tap_count # SKIP $2"
	done
}

done_testing() {
	tap_done=1
	[ -n "$tap_planned" ] || echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# ---- waiting ----

# wait_for SECONDS COMMAND...: until it succeeds; 1 when time is over.
wait_for() {
	local end=$(($(date +%s) + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# ---- the lab ----

need_root() { [ "$(id -u)" = 0 ] || skip_all "needs root"; }

need() { # PROGRAM...
	local p
	for p in "$@"; do
		command -v "$p" > /dev/null || [ -x "/usr/sbin/$p" ] ||
			skip_all "no $p here"
	done
}

need_lab() {
	need_root
	need ip nsenter nsd ldns-signzone dig jq
	unshare -n true 2>/dev/null || skip_all "no network namespaces here"
	[ -x "$ISPDNS_BUILDDIR/ispdns-lab-host" ] || bail "run make first"
}

lab() { "$srcdir/deploy/lab/ispdns-lab" -n "$lab_name" "$@"; }

# on HOST COMMAND...
on() { lab exec "$@"; }

lab_up() {
	local out
	if [ -n "${ISPDNS_TEST_LAB:-}" ] && lab status > /dev/null 2>&1; then
		return
	fi
	lab_is_ours=1
	out=$(lab up "$@" 2>&1) || {
		diag "$out"
		lab_logs
		bail "the lab does not come up"
	}
	diag "$out"
}

# What an engineer wants to see after a failure.
lab_logs() {
	local f
	for f in /run/ispdns-lab/"$lab_name"/hosts/*/log/*.log; do
		[ -s "$f" ] || continue
		diag "--- ${f#/run/ispdns-lab/*/hosts/}"
		tail -n "${1:-15}" "$f" | sed 's/^/# /'
	done
}

lab_down() { lab -q down > /dev/null 2>&1; }

lab_cleanup() {
	local status=$?
	trap - EXIT INT TERM HUP
	if [ "$tap_failed" -gt 0 ] && [ -n "$lab_is_ours" ]; then
		lab_logs 10
	fi
	[ -z "$lab_is_ours" ] || lab_down
	rm -rf "$work"
	[ -n "$tap_done" ] || [ "$status" != 0 ] || status=255
	exit "$status"
}
trap lab_cleanup EXIT
trap 'exit 254' INT TERM HUP
