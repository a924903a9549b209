#!/bin/sh
# SPDX-License-Identifier: ISC
# Each header compiles alone and is guarded by its own name.
. "${0%/*}/lib.sh"

flags="-std=gnu11 -D_GNU_SOURCE -I. -I${ISPDNS_BUILDDIR:-.} -Wall -Wextra 
	-Wno-unused-function -Wno-unused-const-variable
	-Werror -fsyntax-only -x c"
compile() {
	# shellcheck disable=SC2086
	${CC:-cc} $flags "$@" 2>&1
}

headers=$(sources '*.h')
# shellcheck disable=SC2086
if compile $headers >/dev/null; then
	ok 'each header compiles alone'
else
	for h in $headers; do
		ok "$h compiles alone" "$(compile "$h" | head -3)"
	done
fi

bad=
for h in $headers; do
	guard=$(echo "$h" | tr 'a-z./-' 'A-Z___')
	grep -q "^#ifndef $guard\$" "$h" && grep -q "^#define $guard\$" "$h" ||
		bad="$bad$h: guard is not $guard
"
done
ok 'guards are the path' "$bad"
finish
