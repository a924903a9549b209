/* SPDX-License-Identifier: ISC */
#ifndef MGMT_PKI_H
#define MGMT_PKI_H

/*
 * Our own certification authority: makes itself and the server's certificate
 * at the first start, signs nodes' requests. Only the public key of a request
 * is used; name, use and time are ours. The only file with OpenSSL's
 * certificates. Main thread.
 */

#include "common/base/digest.h"
#include "common/base/err.h"

#include <jansson.h>

#define PKI_SERIAL    64 /* hex, lower case, no leading zeros, NUL */
#define PKI_NODE_DAYS 90

struct pki;

/* Files ca.key, ca.pem, server.key, server.pem (with the CA behind it) in
 * `dir`, keys 0600. `names`: array of DNS names and addresses of the server;
 * its certificate is made anew when they change or 30 days are left. */
struct pki *pki_open(
	const char *dir, const json_t *names, struct err *err) MUST_CHECK;
void pki_free(struct pki *pki); /* NULL allowed */
const char *pki_ca_file(const struct pki *pki);
const char *pki_cert_file(const struct pki *pki);
const char *pki_key_file(const struct pki *pki);
const char *pki_ca_pem(const struct pki *pki);
/* SHA-256 of the CA's public key (SubjectPublicKeyInfo), hex. */
const char *pki_pin(const struct pki *pki);
/* *cert_pem is malloc'ed. -EINVAL: the request is no good. */
int pki_sign(struct pki *pki, const char *csr_pem, const char *node,
	char **cert_pem, char serial[PKI_SERIAL], int64_t *not_after,
	struct err *err) MUST_CHECK;
/* Any spelling of a serial number's hex into ours. */
void pki_serial_canonical(const char *hex, char out[PKI_SERIAL]);

#endif
