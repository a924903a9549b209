/* SPDX-License-Identifier: ISC */
/* The only user of libcrypto's digests, and hex beside them. */

#include "common/base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SIZE])
{
	if (!SHA256(data, len, out))
		abort(); /* libcrypto without SHA-256: nothing works */
}

char *digest_hex(const void *data, size_t len, char out[DIGEST_HEX])
{
	uint8_t digest[DIGEST_SIZE];

	digest_sha256(data, len, digest);
	return hex_print(digest, sizeof(digest), out);
}

void digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
	uint8_t out[DIGEST_SIZE])
{
	unsigned size = DIGEST_SIZE;

	if (!HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &size))
		abort();
}

char *hex_print(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

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

bool hex_parse(const char *text, void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		p[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * len] == '\0';
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
