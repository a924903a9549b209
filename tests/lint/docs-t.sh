#!/bin/sh
# SPDX-License-Identifier: ISC
# The papers: they exist, their links and the paths they name lead somewhere.
. "${0%/*}/lib.sh"

for paper in README.md ARCHITECTURE.md CONTRIBUTING.md CHANGES.md LICENSE; do
	[ -s "$paper" ] && ok "$paper" || ok "$paper" 'is missing'
done

papers=$(find . -name '*.md' -not -path './.git/*' -not -path '*/_build/*')
bad=
for paper in $papers; do
	for link in $(grep -oE '\]\([^)#: ]+' "$paper" | sed 's/^](//'); do
		[ -e "${paper%/*}/$link" ] || bad="$bad$paper: link to $link
"
	done
done
ok 'links between papers' "$bad"

# `common/dns/msg.h` and `mgmt/agent/` in backquotes are files of the tree.
bad=
for paper in README.md ARCHITECTURE.md CONTRIBUTING.md; do
	for path in $(grep -oE \
		'`(common|frontend|resolver|authority|ha|mgmt|tests|deploy)/[A-Za-z0-9_./-]+`' \
		"$paper" | tr -d '`' | sort -u); do
		[ -e "$path" ] || [ -e "${ISPDNS_BUILDDIR:-.}/$path" ] ||
			bad="$bad$paper: $path is not there
"
	done
done
ok 'paths named in the papers' "$bad"
finish
