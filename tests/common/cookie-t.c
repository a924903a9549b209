/* SPDX-License-Identifier: ISC */
/* Server cookies: the examples of RFC 9018 appendix A, then what is refused. */

#include "common/dns/cookie.h"

#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

struct example {
	const char *what, *secret, *other, *ip, *in, *out;
	uint32_t now_s;
	bool good;
};

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"

static bool answer(const struct example *e, uint8_t out[COOKIE_SIZE])
{
	struct cookie_secrets secrets = {.has_other = e->other != NULL};
	uint8_t ip[16], in[64];
	size_t ip_len = wire(ip, sizeof(ip), e->ip);
	size_t len = wire(in, sizeof(in), e->in);

	if (!cookie_secret_parse(e->secret, &secrets.now) ||
		(e->other && !cookie_secret_parse(e->other, &secrets.other)))
		tap_bail("secret");
	return cookie_answer(&secrets, in, len, ip, ip_len, e->now_s, out);
}

static void test_rfc9018(void)
{
	static const struct example rows[] = {
		{"A.1: a new server cookie", SECRET, NULL, "c6336464",
			"2464c4abcf10c957",
			"2464c4abcf10c957 010000005cf79f11 1f8130c3eee29480",
			1559731985, false},
		{"A.2: the same client, renewed", SECRET, NULL, "c6336464",
			"2464c4abcf10c957 010000005cf79f11 1f8130c3eee29480",
			"2464c4abcf10c957 010000005cf7a871 d4a564a1442aca77",
			1559734385, true},
		{"A.3: another client, reserved octets set", SECRET, NULL,
			"cb0071cb",
			"fc93fc62807ddb86 01abcdef5cf78f71 a314227b6679ebf5",
			"fc93fc62807ddb86 010000005cf7a9ac f73a7810aca2381e",
			1559734700, false}, /* two hours old */
		{"A.4: IPv6, another secret",
			"445536bcd2513298075a5d379663c962",
			"dd3bdf9344b678b185a6f5cb60fca715",
			"20010db8022000 0159ded0f4876982b8",
			"22681ab97d52c298 010000005cf7c579 26556bd0934c72f8",
			"22681ab97d52c298 010000005cf7c609 a6bb79d16625507a",
			1559741961, true},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t out[COOKIE_SIZE], want[COOKIE_SIZE];
		bool good = answer(&rows[i], out);

		(void)wire(want, sizeof(want), rows[i].out);
		is_bytes(out, sizeof(out), want, sizeof(want), "%s",
			rows[i].what);
		is_int(good, rows[i].good, "%s: proven or not", rows[i].what);
	}
}

#define A1      "2464c4abcf10c957 010000005cf79f11 1f8130c3eee29480"
#define A1_MADE 1559731985

static void test_refused(void)
{
	static const struct example rows[] = {
		{"an hour", SECRET, NULL, "c6336464", A1, NULL, A1_MADE + 3600,
			true},
		{"reserved octets as they came", SECRET, NULL, "cb0071cb",
			"fc93fc62807ddb86 01abcdef5cf78f71 a314227b6679ebf5",
			NULL, 1559727985 + 60, true},
		{"older", SECRET, NULL, "c6336464", A1, NULL, A1_MADE + 3601,
			false},
		{"five minutes ahead", SECRET, NULL, "c6336464", A1, NULL,
			A1_MADE - 300, true},
		{"more", SECRET, NULL, "c6336464", A1, NULL, A1_MADE - 301,
			false},
		{"another address", SECRET, NULL, "c6336465", A1, NULL, A1_MADE,
			false},
		{"another client cookie", SECRET, NULL, "c6336464",
			"2464c4abcf10c958 010000005cf79f11 1f8130c3eee29480",
			NULL, A1_MADE, false},
		{"one bit of the hash", SECRET, NULL, "c6336464",
			"2464c4abcf10c957 010000005cf79f11 1f8130c3eee29481",
			NULL, A1_MADE, false},
		{"another version", SECRET, NULL, "c6336464",
			"2464c4abcf10c957 020000005cf79f11 1f8130c3eee29480",
			NULL, A1_MADE, false},
		{"another server's form, 32 octets", SECRET, NULL, "c6336464",
			A1 "0000000000000000", NULL, A1_MADE, false},
		{"an unknown secret", "00000000000000000000000000000000", NULL,
			"c6336464", A1, NULL, A1_MADE, false},
		{"the other secret", "00000000000000000000000000000000", SECRET,
			"c6336464", A1, NULL, A1_MADE, true},
	};

	for (size_t i = 0; i < countof(rows); i++) {
		uint8_t out[COOKIE_SIZE];

		is_int(answer(&rows[i], out), rows[i].good, "%s", rows[i].what);
	}
}

static void test_given_back(void)
{
	struct example e = {
		NULL, SECRET, NULL, "c6336464", A1, NULL, A1_MADE + 1800, true};
	uint8_t out[COOKIE_SIZE], want[COOKIE_SIZE];

	(void)wire(want, sizeof(want), A1);
	ok(answer(&e, out) && memcmp(out, want, sizeof(want)) == 0,
		"half an hour old: given back as it is");
	e.now_s++;
	ok(answer(&e, out) && memcmp(out, want, sizeof(want)) != 0,
		"older: renewed");
	e.secret = "000102030405060708090a0b0c0d0e0f";
	e.other = SECRET;
	e.now_s = A1_MADE;
	ok(answer(&e, out) && memcmp(out, want, sizeof(want)) != 0,
		"made with the other secret: renewed");
}

static void test_secret(void)
{
	struct hash_key key;

	ok(cookie_secret_parse("000102030405060708090A0b0c0d0e0f", &key) &&
			key.k0 == 0x0706050403020100ULL &&
			key.k1 == 0x0f0e0d0c0b0a0908ULL,
		"32 hex digits");
	ok(!cookie_secret_parse("", &key), "none");
	ok(!cookie_secret_parse("000102030405060708090a0b0c0d0e0", &key),
		"31 digits");
	ok(!cookie_secret_parse("000102030405060708090a0b0c0d0e0fa", &key),
		"33 digits");
	ok(!cookie_secret_parse("000102030405060708090a0b0c0d0e0g", &key),
		"another letter");
}

int main(void)
{
	test_rfc9018();
	test_refused();
	test_given_back();
	test_secret();
	return tap_done();
}
