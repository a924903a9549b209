#!/bin/sh
# SPDX-License-Identifier: ISC
# Each source file starts with its licence and says what it is for.
. "${0%/*}/lib.sh"

bad=
for pattern in '*.c' '*.h' '*.sh' '*.mk'; do
	for f in $(sources "$pattern"); do
		head -2 "$f" | grep -q 'SPDX-License-Identifier: ISC' ||
			bad="$bad$f
"
	done
done
ok 'SPDX line on top' "$bad"

ok 'each .c and .h tells what it is for' "$( { sources '*.c'
	sources '*.h'; } | while read -r f; do
		awk 'NR > 1 && /\/\*/ { found = 1; exit }
			NR > 14 { exit } END { exit !found }' "$f" ||
			echo "$f: no comment in its first lines"
	done)"
finish
