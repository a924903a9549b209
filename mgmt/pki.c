/* SPDX-License-Identifier: ISC */
/*
 * Certificates: P-256, one authority, whose key stays in the state folder.
 * Revocation is not here: it is a row in the database that is looked at for
 * every connection, since nobody but ispdns-mgmt verifies nodes.
 */

#include "mgmt/pki.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/ctl/file.h"
#include "common/net/addr.h"

#define DAY         86400
#define CA_DAYS     3650
#define SERVER_DAYS 825
#define RENEW_DAYS  30
#define PEM_MAX     65536
#define CSR_MAX     16384

struct pki {
	EVP_PKEY *ca_key;
	X509 *ca;
	char ca_file[PATH_MAX], cert_file[PATH_MAX], key_file[PATH_MAX];
	char *ca_pem;
	char pin[DIGEST_HEX];
};

const char *pki_ca_file(const struct pki *pki)
{
	return pki->ca_file;
}

const char *pki_cert_file(const struct pki *pki)
{
	return pki->cert_file;
}

const char *pki_key_file(const struct pki *pki)
{
	return pki->key_file;
}

const char *pki_ca_pem(const struct pki *pki)
{
	return pki->ca_pem;
}

const char *pki_pin(const struct pki *pki)
{
	return pki->pin;
}

static int ssl_fail(struct err *err, const char *what)
{
	char text[160] = "";

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return err_fail(err, -EINVAL, "%s: %s", what, text);
}

void pki_serial_canonical(const char *hex, char out[PKI_SERIAL])
{
	size_t n = 0;

	while (*hex == '0' && hex[1])
		hex++;
	for (; *hex && n + 1 < PKI_SERIAL; hex++)
		if (isxdigit((unsigned char)*hex))
			out[n++] = (char)tolower((unsigned char)*hex);
	out[n] = '\0';
}

/* ---- PEM ---- */

static char *bio_text(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	return len > 0 ? strndup(data, (size_t)len) : NULL;
}

static char *cert_text(X509 *cert, X509 *behind)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (bio && PEM_write_bio_X509(bio, cert) &&
		(!behind || PEM_write_bio_X509(bio, behind)))
		text = bio_text(bio);
	BIO_free(bio);
	return text;
}

static int key_write(const char *file, EVP_PKEY *key, struct err *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data = NULL;
	long len;
	int rc = -ENOMEM;

	if (bio &&
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)) {
		len = BIO_get_mem_data(bio, &data);
		rc = file_write(file, data, (size_t)len, 0600, err);
	}
	BIO_free(bio);
	return rc;
}

static X509 *cert_read(const char *file, struct err *err)
{
	char *data = NULL;
	size_t len = 0;
	X509 *cert = NULL;
	BIO *bio = NULL;

	if (file_read(file, PEM_MAX, &data, &len, err))
		return NULL;
	bio = BIO_new_mem_buf(data, (int)len);
	if (bio)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (!cert)
		ssl_fail(err, file);
	BIO_free(bio);
	free(data);
	return cert;
}

static EVP_PKEY *key_read(const char *file, struct err *err)
{
	char *data = NULL;
	size_t len = 0;
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;

	if (file_read(file, PEM_MAX, &data, &len, err))
		return NULL;
	bio = BIO_new_mem_buf(data, (int)len);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (!key)
		ssl_fail(err, file);
	BIO_free(bio);
	OPENSSL_cleanse(data, len);
	free(data);
	return key;
}

/* ---- making certificates ---- */

struct spec {
	const char *name; /* common name */
	const char *san;  /* "URI:...", NULL: none */
	const char *use;  /* extended key usage, NULL: an authority */
	int days;
};

static bool ext_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool done;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	done = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return done;
}

static bool serial_set(X509 *cert)
{
	BIGNUM *bn = BN_new();
	bool done = bn && BN_rand(bn, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);

	done = done && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
	BN_free(bn);
	return done;
}

static bool exts_add(X509 *cert, X509 *issuer, const struct spec *spec)
{
	bool ca = spec->use == NULL;

	return ext_add(cert, issuer, NID_basic_constraints,
		       ca ? "critical,CA:TRUE,pathlen:0"
			  : "critical,CA:FALSE") &&
	       ext_add(cert, issuer, NID_key_usage,
		       ca ? "critical,keyCertSign,cRLSign"
			  : "critical,digitalSignature") &&
	       ext_add(cert, issuer, NID_subject_key_identifier, "hash") &&
	       ext_add(cert, issuer, NID_authority_key_identifier,
		       "keyid:always") &&
	       (ca || ext_add(cert, issuer, NID_ext_key_usage, spec->use)) &&
	       (!spec->san ||
		       ext_add(cert, issuer, NID_subject_alt_name, spec->san));
}

/* `issuer` NULL: signs itself. The clock of a node may be a little behind. */
static X509 *cert_make(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
	const struct spec *spec)
{
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
	const unsigned char *cn = (const unsigned char *)spec->name;
	bool done = cert && X509_set_version(cert, X509_VERSION_3) &&
		    serial_set(cert) && X509_set_pubkey(cert, key) &&
		    X509_NAME_add_entry_by_txt(
			    name, "CN", MBSTRING_UTF8, cn, -1, -1, 0) &&
		    X509_set_issuer_name(cert,
			    issuer ? X509_get_subject_name(issuer) : name) &&
		    X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
		    X509_gmtime_adj(
			    X509_getm_notAfter(cert), (long)spec->days * DAY) &&
		    exts_add(cert, issuer ? issuer : cert, spec) &&
		    X509_sign(cert, issuer_key, EVP_sha256());

	if (done)
		return cert;
	X509_free(cert);
	return NULL;
}

static int cert_write(
	const char *file, X509 *cert, X509 *behind, struct err *err)
{
	char *text = cert_text(cert, behind);
	int rc = text ? file_write(file, text, strlen(text), 0644, err)
		      : ssl_fail(err, file);

	free(text);
	return rc;
}

static int ca_make(struct pki *pki, const char *key_file, struct err *err)
{
	static const struct spec spec = {
		"ispdns management CA", NULL, NULL, CA_DAYS};
	int rc;

	pki->ca_key = EVP_EC_gen("P-256");
	if (pki->ca_key)
		pki->ca = cert_make(pki->ca_key, NULL, pki->ca_key, &spec);
	if (!pki->ca)
		return ssl_fail(err, "certification authority");
	rc = key_write(key_file, pki->ca_key, err);
	if (!rc)
		rc = cert_write(pki->ca_file, pki->ca, NULL, err);
	if (!rc)
		log_info("pki: made a new certification authority: %s",
			pki->ca_file);
	return rc;
}

static int ca_open(struct pki *pki, const char *dir, struct err *err)
{
	char key_file[PATH_MAX];
	int rc = path_join(key_file, sizeof(key_file), "%s/ca.key", dir);

	if (rc)
		return err_fail(err, rc, "%s: path is too long", dir);
	if (access(key_file, F_OK) && access(pki->ca_file, F_OK))
		return ca_make(pki, key_file, err);
	pki->ca_key = key_read(key_file, err);
	pki->ca = pki->ca_key ? cert_read(pki->ca_file, err) : NULL;
	if (!pki->ca)
		return -EINVAL;
	if (!X509_check_private_key(pki->ca, pki->ca_key))
		return err_fail(err, -EINVAL, "%s: is not the key of %s",
			key_file, pki->ca_file);
	return 0;
}

/* "DNS:mgmt,IP:10.10.2.167,DNS:localhost,IP:127.0.0.1" */
static int san_text(const json_t *names, struct text *out, struct err *err)
{
	size_t i;
	json_t *v;

	json_array_foreach(names, i, v) {
		const char *name = json_string_value(v);
		union addr addr;

		if (strspn(name,
			    "abcdefghijklmnopqrstuvwxyz0123456789-.:"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(name) ||
			!*name)
			return err_fail(err, -EINVAL,
				"names: \"%.80s\": not a host name or address",
				name);
		text_add(out, "%s:%s,",
			addr_parse(name, 0, &addr) ? "DNS" : "IP", name);
	}
	text_add(out, "DNS:localhost,IP:127.0.0.1,IP:::1");
	return 0;
}

/* Is the certificate for these names, of this authority, with time left? */
static bool server_fits(const struct pki *pki, const char *san)
{
	X509 *cert = access(pki->cert_file, F_OK)
			     ? NULL
			     : cert_read(pki->cert_file, NULL);
	char *names, *save = NULL, *copy = strdup(san);
	EVP_PKEY *key = key_read(pki->key_file, NULL);
	time_t soon = time(NULL) + (time_t)RENEW_DAYS * DAY;
	bool fits = cert && key && copy && X509_check_private_key(cert, key) &&
		    X509_cmp_time(X509_get0_notAfter(cert), &soon) > 0 &&
		    X509_verify(cert, pki->ca_key) == 1;

	for (names = copy ? strtok_r(copy, ",", &save) : NULL; names && fits;
		names = strtok_r(NULL, ",", &save)) {
		const char *name = strchr(names, ':') + 1;

		fits = names[0] == 'D'
			       ? X509_check_host(cert, name, 0, 0, NULL) == 1
			       : X509_check_ip_asc(cert, name, 0) == 1;
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(cert);
	free(copy);
	return fits;
}

static int server_open(struct pki *pki, const json_t *names, struct err *err)
{
	struct spec spec = {"ispdns-mgmt", NULL, "serverAuth", SERVER_DAYS};
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	struct text san;
	int rc;

	text_init(&san);
	rc = san_text(names, &san, err);
	if (rc || server_fits(pki, san.data))
		goto out;
	spec.san = san.data;
	key = EVP_EC_gen("P-256");
	if (key)
		cert = cert_make(key, pki->ca, pki->ca_key, &spec);
	rc = cert ? key_write(pki->key_file, key, err)
		  : ssl_fail(err, "server's certificate");
	if (!rc)
		rc = cert_write(pki->cert_file, cert, pki->ca, err);
	if (!rc)
		log_info("pki: made a server certificate: %s", san.data);
out:
	X509_free(cert);
	EVP_PKEY_free(key);
	text_fini(&san);
	return rc;
}

static int pin_make(struct pki *pki, struct err *err)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pki->ca), &der);

	pki->ca_pem = cert_text(pki->ca, NULL);
	if (len <= 0 || !pki->ca_pem)
		return ssl_fail(err, pki->ca_file);
	digest_hex(der, (size_t)len, pki->pin);
	OPENSSL_free(der);
	return 0;
}

static int paths_make(struct pki *pki, const char *dir, struct err *err)
{
	int rc =
		path_join(pki->ca_file, sizeof(pki->ca_file), "%s/ca.pem", dir);

	if (!rc)
		rc = path_join(pki->cert_file, sizeof(pki->cert_file),
			"%s/server.pem", dir);
	if (!rc)
		rc = path_join(pki->key_file, sizeof(pki->key_file),
			"%s/server.key", dir);
	return rc ? err_fail(err, rc, "%s: path is too long", dir)
		  : dir_make(dir, 0700, err);
}

struct pki *pki_open(const char *dir, const json_t *names, struct err *err)
{
	struct pki *pki = calloc(1, sizeof(*pki));
	int rc = pki ? paths_make(pki, dir, err) : -ENOMEM;

	if (!rc)
		rc = ca_open(pki, dir, err);
	if (!rc)
		rc = server_open(pki, names, err);
	if (!rc)
		rc = pin_make(pki, err);
	if (!rc)
		return pki;
	pki_free(pki);
	return NULL;
}

void pki_free(struct pki *pki)
{
	if (!pki)
		return;
	X509_free(pki->ca);
	EVP_PKEY_free(pki->ca_key);
	free(pki->ca_pem);
	free(pki);
}

/* ---- nodes ---- */

/* The request's public key, proven and strong enough; NULL: no good. */
static EVP_PKEY *csr_key(const char *csr_pem)
{
	size_t len = strlen(csr_pem);
	BIO *bio = len <= CSR_MAX ? BIO_new_mem_buf(csr_pem, (int)len) : NULL;
	X509_REQ *csr =
		bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
	EVP_PKEY *key = csr ? X509_REQ_get_pubkey(csr) : NULL;

	if (key && (X509_REQ_verify(csr, key) != 1 ||
			   EVP_PKEY_get_security_bits(key) < 112)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	X509_REQ_free(csr);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static void serial_text(X509 *cert, char out[PKI_SERIAL])
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get_serialNumber(cert), NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL;

	pki_serial_canonical(hex ? hex : "", out);
	OPENSSL_free(hex);
	BN_free(bn);
}

int pki_sign(struct pki *pki, const char *csr_pem, const char *node,
	char **cert_pem, char serial[PKI_SERIAL], int64_t *not_after,
	struct err *err)
{
	char san[128];
	struct spec spec = {node, san, "clientAuth", PKI_NODE_DAYS};
	EVP_PKEY *key = csr_key(csr_pem);
	X509 *cert = NULL;
	int rc = 0;

	if (!key)
		return err_fail(err, -EINVAL,
			"csr_pem: not a signed request for a key of 112 bits "
			"of strength or more");
	snprintf(san, sizeof(san), "URI:ispdns://node/%s", node);
	cert = cert_make(key, pki->ca, pki->ca_key, &spec);
	*cert_pem = cert ? cert_text(cert, NULL) : NULL;
	if (!*cert_pem) {
		rc = ssl_fail(err, "certificate");
	} else {
		serial_text(cert, serial);
		*not_after = time(NULL) + (int64_t)PKI_NODE_DAYS * DAY;
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}
