#!/bin/bash
# SPDX-License-Identifier: ISC
# SCENARIOS.md tells the truth: sixty, each with a line of its number in the
# tests that it names; no number in these that it does not name; and all files.
cd "${ISPDNS_SRCDIR:-.}/tests" || exit 255
table=frontend/SCENARIOS.md
rows() { grep -E '^\| [0-9]+ \|' "$table"; }
words() { grep -oE '[a-z]+(-[a-z]+)*-t(\.sh)?' <<< "$1"; }
has() { # NUMBER FILE
	grep -qE "\"$1(: |\")" "$2"
}
missing= unknown= unnamed=
while IFS='|' read -r _ n _ where also _; do
	n=${n// /}
	for f in $(words "$where"); do
		has "$n" "frontend/$f.c" || missing="$missing $n in $f;"
	done
	for f in $(words "$also"); do
		f=${f%.sh}
		ls {frontend,common,system,mgmt}/"$f".{c,sh} 2> /dev/null |
			grep -q . || unknown="$unknown $f"
	done
	for f in frontend/scenario-*-t.c; do
		name=$(basename "$f" .c)
		has "$n" "$f" && [[ $where != *"$name"* ]] &&
			unnamed="$unnamed $n in $name;"
	done
done < <(rows)
echo 1..4
[ "$(rows | awk '{print $2}')" = "$(seq 60)" ] || printf 'not '
echo "ok 1 - 1 to 60 are listed"
[ -z "$missing" ] || printf 'not '
echo "ok 2 - each is where the table says:$missing"
[ -z "$unknown" ] || printf 'not '
echo "ok 3 - all other tests that it names are there:$unknown"
[ -z "$unnamed" ] || printf 'not '
echo "ok 4 - and it names all that have its number:$unnamed"
