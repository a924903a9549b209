/* SPDX-License-Identifier: ISC */
/* The request only proves that we hold the key: management takes the names
 * from its own record. */
#include "common/net/csr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static int write_key(const char *path, EVP_PKEY *key, struct err *err)
{
	char tmp[4096];
	FILE *file;
	int fd, ok;

	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= (int)sizeof(tmp))
		return err_fail(err, -ENAMETOOLONG, "%s: too long", path);
	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file) {
		if (fd >= 0)
			close(fd);
		return err_fail(err, -errno, "%s: %s", tmp, strerror(errno));
	}
	ok = PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1;
	ok &= fflush(file) == 0 && fsync(fd) == 0;
	ok &= fclose(file) == 0;
	if (ok && rename(tmp, path) == 0)
		return 0;
	(void)unlink(tmp);
	return err_fail(err, -EIO, "%s: could not be written", path);
}

static bool add_names(X509_REQ *req, const char *name)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_EXTENSION *ext;
	char san[300];
	bool ok;

	snprintf(san, sizeof(san), "URI:ispdns://node/%s", name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	ok = list && ext && sk_X509_EXTENSION_push(list, ext) > 0 &&
	     X509_REQ_add_extensions(req, list) == 1 &&
	     X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
		     MBSTRING_UTF8, (const unsigned char *)name, -1, -1,
		     0) == 1;
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return ok;
}

static char *request_pem(X509_REQ *req)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long len;

	if (bio && PEM_write_bio_X509_REQ(bio, req) == 1) {
		len = BIO_get_mem_data(bio, &data);
		pem = strndup(data, (size_t)len);
	}
	BIO_free(bio);
	return pem;
}

int csr_make(
	const char *key_file, const char *name, char **pem, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	int rc = -ENOMEM;

	*pem = NULL;
	if (!key || !req || !X509_REQ_set_version(req, 0) ||
		!add_names(req, name) || !X509_REQ_set_pubkey(req, key) ||
		!X509_REQ_sign(req, key, EVP_sha256()) ||
		!(*pem = request_pem(req)))
		err_set(err, "%s: could not make a key and its request", name);
	else
		rc = write_key(key_file, key, err);
	if (rc < 0) {
		free(*pem);
		*pem = NULL;
	}
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return rc;
}

int csr_cert_life(const char *cert_file, long *left_s, long *life_s)
{
	FILE *file = fopen(cert_file, "re");
	X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	int left_d = 0, left = 0, life_d = 0, life = 0, rc = -EINVAL;

	if (cert &&
		ASN1_TIME_diff(
			&left_d, &left, NULL, X509_get0_notAfter(cert)) == 1 &&
		ASN1_TIME_diff(&life_d, &life, X509_get0_notBefore(cert),
			X509_get0_notAfter(cert)) == 1)
		rc = 0;
	*left_s = left_d * 86400L + left;
	*life_s = life_d * 86400L + life;
	X509_free(cert);
	if (file)
		fclose(file);
	return rc;
}
