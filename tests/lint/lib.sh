# SPDX-License-Identifier: ISC
# What the lint tests share: the list of files and a TAP writer.

cd "${ISPDNS_SRCDIR:-$(dirname "$0")/../..}" || exit 255
LC_ALL=C
export LC_ALL
tests=0
failed=0

# ok NAME [COMPLAINTS]: passes when there are none.
ok() {
	tests=$((tests + 1))
	if [ -z "$2" ]; then
		echo "ok $tests - $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $tests - $1"
	printf '%s\n' "$2" | sed 's/^/#   /'
}

finish() {
	echo "1..$tests"
	[ "$failed" -eq 0 ]
}

# sources PATTERN: our files by name, with folder, without made ones.
sources() {
	find common frontend resolver authority ha mgmt deploy tests \
		-name "$1" -not -path '*/.deps/*' -not -path '*/found-*' |
		grep -v -e '_sql\.[ch]$' -e '/built/' | sort
}
