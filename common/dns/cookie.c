/* SPDX-License-Identifier: ISC */
/*
 * RFC 9018 4: the hash covers client cookie, version, reserved octets and
 * time as they stand in the message, then the client's address.
 */

#include "common/dns/cookie.h"

#include "common/base/buf.h"

#define HASHED  16 /* octets in front of the hash */
#define VERSION 1
#define IP_MAX  16

/* RFC 9018 4.3, seconds */
#define AGE_MAX   3600
#define AGE_FRESH 1800
#define AHEAD_MAX 300

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool cookie_secret_parse(const char *hex, struct hash_key *out)
{
	uint64_t k[2] = {0, 0};

	if (strlen(hex) != 32)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		int high = hex_digit(hex[2 * i]);
		int low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		k[i / 8] |= (uint64_t)(high << 4 | low) << (8 * (i % 8));
	}
	out->k0 = k[0];
	out->k1 = k[1];
	return true;
}

/* `cookie`: the first HASHED octets are set. */
static uint64_t hash_of(const struct hash_key *key, const uint8_t *cookie,
	const uint8_t *ip, size_t ip_len)
{
	uint8_t input[HASHED + IP_MAX];

	memcpy(input, cookie, HASHED);
	memcpy(input + HASHED, ip, ip_len);
	return hash_mac(key, input, HASHED + ip_len);
}

static void put_hash(uint8_t *out, uint64_t hash)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(hash >> (8 * i));
}

/* Compared as numbers: the time it takes tells nothing. */
static bool is_made_with(const struct hash_key *key, const uint8_t *in,
	const uint8_t *ip, size_t ip_len)
{
	uint8_t hash[8];

	put_hash(hash, hash_of(key, in, ip, ip_len));
	return (get32(hash) ^ get32(in + HASHED)) == 0 &&
	       (get32(hash + 4) ^ get32(in + HASHED + 4)) == 0;
}

bool cookie_answer(const struct cookie_secrets *secrets, const uint8_t *in,
	size_t len, const uint8_t *ip, size_t ip_len, uint32_t now_s,
	uint8_t out[COOKIE_SIZE])
{
	bool current = false, good = false;

	if (len == COOKIE_SIZE && in[COOKIE_CLIENT] == VERSION) {
		/* serial number arithmetic: good beyond 2106 */
		int32_t age = (int32_t)(now_s - get32(in + 12));

		if (age <= AGE_MAX && age >= -AHEAD_MAX) {
			current = is_made_with(&secrets->now, in, ip, ip_len);
			good = current || (secrets->has_other &&
						  is_made_with(&secrets->other,
							  in, ip, ip_len));
		}
		if (current && age <= AGE_FRESH) {
			memcpy(out, in, COOKIE_SIZE);
			return true;
		}
	}
	memcpy(out, in, COOKIE_CLIENT);
	put32(out + COOKIE_CLIENT, (uint32_t)VERSION << 24);
	put32(out + 12, now_s);
	put_hash(out + HASHED, hash_of(&secrets->now, out, ip, ip_len));
	return good;
}
