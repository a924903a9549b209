#!/bin/bash
# SPDX-License-Identifier: ISC
# Every file of deploy/examples is right in the eyes of its own program.
set -u
src=${ISPDNS_SRCDIR:-.}
build=${ISPDNS_BUILDDIR:-.}
n=0
check() { # FILE PROGRAM
	local out
	n=$((n + 1))
	if [ ! -x "$build/$2" ]; then
		echo "ok $n # SKIP no $2 in this build"
		return
	fi
	if out=$("$build/$2" --check "$src/deploy/examples/$1" 2>&1) &&
		[ "$out" = "$src/deploy/examples/$1: ok" ]; then
		echo "ok $n - $2 takes $1"
	else
		echo "not ok $n - $2 takes $1"
		echo "# $out"
	fi
}
for f in "$src"/deploy/examples/*.yaml; do
	f=${f##*/}
	case $f in
	node.yaml) check "$f" ispdns-agent ;;
	ha-*.yaml) check "$f" ispdns-ha ;;
	*) check "$f" "ispdns-${f%.yaml}" ;;
	esac
done
echo "1..$n"
