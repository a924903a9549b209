/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_CSR_H
#define COMMON_NET_CSR_H

/* A node's own key and the request for its certificate. The private key
 * never leaves the host it was made on. Blocking. */

#include "common/base/err.h"

/*
 * Make a P-256 key, write it to `key_file` (mode 0600, replaced in one step),
 * and give the signing request (PKCS #10, PEM, malloc'ed) for node `name`:
 * CN=name, SAN URI ispdns://node/<name>.
 */
int csr_make(const char *key_file, const char *name, char **pem,
	struct err *err) MUST_CHECK;

/* Seconds that are left of a certificate (negative: expired) and its whole
 * life. -EINVAL: the file is no certificate. */
int csr_cert_life(const char *cert_file, long *left_s, long *life_s) MUST_CHECK;

#endif
