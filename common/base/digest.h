/* SPDX-License-Identifier: ISC */
#ifndef COMMON_BASE_DIGEST_H
#define COMMON_BASE_DIGEST_H

/* SHA-256 and HMAC-SHA-256 (OpenSSL's libcrypto, used nowhere else for
 * digests). Any thread. */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX  65 /* 64 lower-case hex digits and NUL */

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SIZE]);
/* Same, as hex. Returns `out`. */
char *digest_hex(const void *data, size_t len, char out[DIGEST_HEX]);
void digest_hmac(const void *key, size_t key_len, const void *data, size_t len,
	uint8_t out[DIGEST_SIZE]);
/* `len` octets to 2*len hex digits and NUL. Returns `out`. */
char *hex_print(const void *data, size_t len, char *out);
/* Exactly `len` octets from 2*len hex digits; false when malformed. */
bool hex_parse(const char *text, void *out, size_t len);
/* Equal, in time that does not depend on the content. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif
