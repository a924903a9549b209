#!/bin/bash
# SPDX-License-Identifier: ISC
# tests/ha/CONFORMANCE.md tells the truth: 84 cases, and each unit test that
# it names has a line for the case.
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
echo 1..2
[ "$count" = 84 ] || printf 'not '
echo "ok 1 - $count cases are listed"
[ -z "$missing" ] || printf 'not '
echo "ok 2 - each is where the table says:$missing"
