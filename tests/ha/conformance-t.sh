#!/bin/bash
# SPDX-License-Identifier: ISC
# tests/ha/CONFORMANCE.md tells the truth: 84 cases, and each unit test that
# it names has a line for the case. So does ha/VRRP.md of the metrics.
cd "${ISPDNS_SRCDIR:-.}" || exit 255
table=tests/ha/CONFORMANCE.md
count=$(grep -cE '^\| [0-9]+ \|' "$table")
missing=
while IFS='|' read -r _ n _ _ _ _ where _; do
	n=${n// /}
	for f in $(grep -oE '\b[a-z]+-t\b' <<< "${where//-t.sh/}"); do
		grep -q "\"case $n: " "tests/ha/$f.c" ||
			missing="$missing case $n in $f;"
	done
done < <(grep -E '^\| [0-9]+ \|' "$table")
unknown=
for name in $(grep -oE 'ispdns_ha_[a-z0-9_]+' ha/stats.c | sort -u); do
	short=${name#ispdns_ha}
	[ "$short" = _ ] || grep -qE "\`(ispdns_ha)?$short[\`{]" ha/VRRP.md ||
		unknown="$unknown $name"
done
echo 1..3
[ "$count" = 84 ] || printf 'not '
echo "ok 1 - $count cases are listed"
[ -z "$missing" ] || printf 'not '
echo "ok 2 - each is where the table says:$missing"
[ -z "$unknown" ] || printf 'not '
echo "ok 3 - ha/VRRP.md knows every series:$unknown"
