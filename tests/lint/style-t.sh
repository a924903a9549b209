#!/bin/sh
# SPDX-License-Identifier: ISC
# Sizes, and what a reader should never meet. Tests may be longer: a table is
# not harder to read for its length.
. "${0%/*}/lib.sh"

code=$( { sources '*.c'; sources '*.h'; } | grep -v '^tests/')
too_long() {
	xargs wc -l | awk -v max="$1" \
		'$2 != "total" && $1 > max { print $2 ": " $1 " lines" }'
}

ok 'files have at most 600 lines' \
	"$(printf '%s\n' "$code" | grep '\.c$' | too_long 600)"
ok 'headers have at most 200 lines' \
	"$(printf '%s\n' "$code" | grep '\.h$' | too_long 200)"

if ctags --version 2>/dev/null | grep -q Universal; then
	ok 'functions have at most 100 lines' "$(printf '%s\n' "$code" |
		ctags -f - --fields=+ne --c-kinds=f -L - 2>/dev/null |
		awk -F '\t' '{
			line = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) line = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			if (end - line >= 100)
				print $2 ": " $1 ": " end - line + 1 " lines"
		}')"
else
	tests=$((tests + 1))
	echo "ok $tests # SKIP no Universal Ctags"
fi

ok 'no blanks at the end of lines' "$(printf '%s\n' "$code" |
	xargs grep -n '[ 	]$')"
ok 'no typedef of structs' "$(printf '%s\n' "$code" |
	xargs grep -nE '^typedef (struct|union|enum)')"
ok 'no // comments' "$(printf '%s\n' "$code" |
	xargs grep -nE '(^|[ 	;{}])//' | grep -v '"[^"]*//')"
ok 'each .c includes its own header first' "$(printf '%s\n' "$code" |
	grep '\.c$' | while read -r c; do
		h=${c%.c}.h
		[ -f "$h" ] || continue
		first=$(grep -m 1 '^#include' "$c")
		[ "$first" = "#include \"$h\"" ] ||
			[ "$first" = "#include \"${c%.c}_impl.h\"" ] ||
			echo "$c: $first"
	done)"
ok 'nothing left to do' "$(printf '%s\n' "$code" |
	xargs grep -nwE 'XXX|FIXME|TODO')"
finish
