#!/bin/bash
# SPDX-License-Identifier: ISC
# The failure drills, through `ispdns drill` as an operator runs them, hold
# their limits; a drill that cannot hold is told as failed and repaired.
. "$(dirname "$0")/lib.sh"
need_lab
lab_up

export ISPDNS_DRILL=$srcdir/deploy/lab/ispdns-drill ISPDNS_LAB=$lab_name
drill() { "$ISPDNS_BUILDDIR/ispdns" drill "$@"; }

names=$(drill list --json | jq -r '.[].drill')
is "$(wc -w <<< "$names")" 9 "nine drills"
not "an unknown one is an error" drill run nosuch
[ -n "${ISPDNS_TEST_LAB:-}" ] || not "no report before the first" drill report

# Under a load that this machine may not sustain beside its other work the
# drill says so itself: `load` is one of its checks.
# (proof-t.sh runs the other three.)
ran="frontend-stop ha-stop host-off rec1-stop auth1-stop mgmt-down"
for n in $ran; do
	drill run "$n" > "$work/out"
	is $? 0 "$n"
	grep -E '^(not ok|ok .* (gap|lost|good answers|load) )' "$work/out" |
		sed 's/^/# /'
done
is "$(drill report --json | jq '[.[] | select(.ok)] | length')" 6 \
	"the report has them all"

# The standby stumbled a moment ago, so it is not yet trusted, when the owner's
# frontend hangs: the address goes to the one that answers all the same.
owner_is() { [ "$(lab status --json | jq -r .vip_owner)" = "$1" ]; }
standby_is() { grep -Eq "^frontend +$1" <<< "$(on dd2 ispdns-ha status 2>&1)"; }
wait_for 130 owner_is dd1
on client1 ispdns-lab-client --rate 500 --seconds 60 --name www.google.com \
	--source "$(seq -s, -f '10.10.2.%g' 200 219)" --marks "$work/marks" \
	10.10.2.160 > "$work/json" &
load=$!
wait_for 5 test -p "$work/marks"
lab svc freeze dd2 frontend
ok "the standby is found failed" wait_for 5 standby_is failed
lab svc thaw dd2 frontend
ok "and is well, but held" wait_for 3 standby_is held
echo event > "$work/marks"
lab svc freeze dd1 frontend
owner_two() { ip -n "$lab_name-dd2" -o addr show to 10.10.2.160 | grep -q .; }
ok "then the owner hangs: the standby takes the VIP" wait_for 5 owner_two
lab svc thaw dd1 frontend
ok "all comes back" wait_for 130 owner_is dd1
on client1 pkill -TERM -x ispdns-lab-clie
wait $load
at_most "$(jq '.marks[0].longest_gap_ms' "$work/json")" 1000 "the gap, in ms"

# A drill that must fail: with REC2 away, REC1's stop is nobody's to survive.
lab svc stop rec2 resolver
drill run rec1-stop --json > "$work/json"
is $? 11 "without REC2 the drill fails, with status 11"
is "$(jq -r '.checks[0] | "\(.check) \(.ok)"' "$work/json")" "precheck false" \
	"at its precheck, before anything is broken"
rec1_runs() { [ "$(lab svc status rec1 resolver | jq -r .state)" = running ]; }
ok "so REC1 still runs" rec1_runs
lab svc start rec2 resolver

# An interrupted drill repairs what it broke.
setsid "$ISPDNS_BUILDDIR/ispdns" drill run rec1-stop > "$work/out" 2>&1 &
stopped() { ! rec1_runs; }
ok "a drill under way has REC1 stopped" wait_for 40 stopped
kill -TERM -- "-$!"
wait $!
ok "interrupted, it repairs" wait_for 20 rec1_runs
done_testing
