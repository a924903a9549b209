#!/bin/bash
# SPDX-License-Identifier: ISC
# The golden frames of hmac-t.c, computed by openssl(1) and shell arithmetic
# from the format (draft-cassen-vrrp-auth-hmac): HMAC-SHA-256, cut to 16
# octets, over {family, version, VRID, 0, source padded to 16}, the message
# with its checksum as 0, and the trailer with the HMAC as 0.
cd "${ISPDNS_SRCDIR:-.}" || exit 255
command -v openssl > /dev/null || { echo "1..0 # SKIP no openssl"; exit 0; }
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
zero16=00000000000000000000000000000000

# sum HEX: the ones' complement sum of 16 bit words, inverted.
sum() {
	local s=0 i
	for ((i = 0; i < ${#1}; i += 4)); do s=$((s + 0x${1:i:4})); done
	while ((s >> 16)); do s=$(((s & 0xffff) + (s >> 16))); done
	printf '%04x' $((s ^ 0xffff))
}

hmac() { # HEX
	# shellcheck disable=SC2059
	printf "$(sed 's/../\\x&/g' <<< "$1")" |
		openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary |
		head -c 16 | od -An -tx1 | tr -d ' \n'
}

# frame FAMILY SRC DST KEY-ID SEQ MESSAGE: the message has checksum 0000;
# PSEUDO=no: its checksum covers the message only.
frame() {
	local family=$1 src=$2 dst=$3 msg=$6 head all ck len
	head=01$4"0000"$5
	len=$((${#msg} / 2))
	all=0$family"0${msg:0:1}${msg:2:2}00$src"
	[ "$family" = 6 ] || all+=${zero16:0:24}
	all=$head$(hmac "$all$msg$head$zero16")
	[ "$family" = 4 ] || len=$((len + 28))
	case $family${msg:0:1}$PSEUDO in
	6*) ck=$(sum "$src$dst$(printf '%04x' $len)0070$msg$all") ;;
	43yes) ck=$(sum "$src$dst$(printf '%04x' $len)0070$msg") ;;
	*) ck=$(sum "$msg") ;;
	esac
	echo "${msg:0:12}$ck${msg:16}$all"
}

a4=0a62000b a6=fe80000000000000000000fffe00000a
g4=e0000012 g6=ff020000000000000000000000000012
seq=6928000080000001
v6vips=fe800000000000000000000000000100fd980000000000000000000000000100
PSEUDO=yes
frames=(
	"$(frame 4 $a4 $g4 07 $seq 31339601000a00000a620064)"
	"$(frame 4 $a4 $g4 07 $seq 21339601000100000a6200640000000000000000)"
	"$(frame 6 $a6 $g6 07 $seq "31339602000a0000$v6vips")"
	"$(PSEUDO=no frame 4 c633640a $g4 01 6800000080000000 \
		3133c80100640000c0000264)"
	"$(frame 6 fe800000000000000000000000000010 \
		fe800000000000000000000000000020 01 6800000080000000 \
		3133c80100640000fe800000000000000000000000000100)"
)
golden=$(sed -n '/goldens\[\] = {/,/^};/p' tests/ha/hmac-t.c | tr -d '"\n\t ')
count=$(grep -o NULL,NULL\}\\\|draft_src[46], <<< "$golden" | wc -l)
n=0
echo 1..$((${#frames[@]} + 1))
for f in "${frames[@]}"; do
	n=$((n + 1))
	grep -qF "$f" <<< "$golden" || printf 'not '
	echo "ok $n - case 81: computed by openssl: $f"
done
[ "$count" = "$n" ] || printf 'not '
echo "ok $((n + 1)) - and hmac-t.c has no others ($count)"
