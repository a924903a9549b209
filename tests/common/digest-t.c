/* SPDX-License-Identifier: ISC */
/* SHA-256 (FIPS 180), HMAC (RFC 4231), hex. */

#include "common/base/digest.h"

#include "tests/tap/tap.h"

int main(void)
{
	char hex[DIGEST_HEX];
	uint8_t out[DIGEST_SIZE];

	is_string(digest_hex("abc", 3, hex),
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad",
		"SHA-256 of abc");
	is_string(digest_hex("", 0, hex),
		"e3b0c44298fc1c149afbf4c8996fb924"
		"27ae41e4649b934ca495991b7852b855",
		"SHA-256 of nothing");
	digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, out);
	is_string(hex_print(out, sizeof(out), hex),
		"5bdcc146bf60754e6a042426089575c7"
		"5a003f089d2739839dec58b964ec3843",
		"HMAC, RFC 4231 case 2");

	ok(hex_parse("00ffA5", out, 3), "hex parsed");
	is_bytes(out, 3, "\x00\xff\xa5", 3, "octets");
	ok(!hex_parse("00ff", out, 3), "too short");
	ok(!hex_parse("00ffa", out, 3), "half an octet");
	ok(!hex_parse("00ffa5b", out, 3), "too long");
	ok(!hex_parse("00fg00", out, 3), "not a digit");
	ok(hex_parse("", out, 0), "nothing");
	ok(digest_equal("abc", "abc", 3), "equal");
	ok(!digest_equal("abc", "abd", 3), "not equal");
	return tap_done();
}
