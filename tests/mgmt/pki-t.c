/* SPDX-License-Identifier: ISC */
/* The authority: made once, kept, and what it signs and does not sign. */

#include "mgmt/pki.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/ctl/file.h"
#include "common/net/csr.h"
#include "tests/tap/tap.h"

static char dir[64];

static char *slurp(const char *name)
{
	char path[128], *data = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (file_read(path, 65536, &data, &len, NULL))
		return strdup("");
	return data;
}

static unsigned mode_of(const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) ? 0 : st.st_mode & 0777;
}

static struct pki *open_with(const char *names)
{
	json_t *list = json_loads(names, 0, NULL);
	struct err err = {""};
	struct pki *pki = pki_open(dir, list, &err);

	ok(pki != NULL, "opens with %s %s", names, err.text);
	json_decref(list);
	return pki;
}

static void test_open(void)
{
	struct pki *pki = open_with("[\"mgmt\",\"10.10.2.167\"]");
	char *cert = slurp("server.pem"), *again, pin[DIGEST_HEX];
	struct err err = {""};
	json_t *bad = json_pack("[s]", "a,DNS:evil");

	snprintf(pin, sizeof(pin), "%s", pki_pin(pki));
	is_int(mode_of("ca.key"), 0600, "ca.key is 0600");
	is_int(mode_of("server.key"), 0600, "server.key is 0600");
	ok(strstr(cert, pki_ca_pem(pki)) != NULL, "the CA is in the chain");
	pki_free(pki);
	pki = open_with("[\"mgmt\",\"10.10.2.167\"]");
	is_string(pki_pin(pki), pin, "the same authority");
	again = slurp("server.pem");
	is_string(again, cert, "and server certificate");
	free(again);
	pki_free(pki);
	pki = open_with("[\"mgmt\",\"10.10.2.168\"]");
	is_string(pki_pin(pki), pin, "other names: the same authority");
	again = slurp("server.pem");
	ok(strcmp(again, cert) != 0, "a new server certificate");
	free(again);
	free(cert);
	pki_free(pki);
	ok(!pki_open(dir, bad, &err), "a name that is none: %s", err.text);
	json_decref(bad);
}

static void test_sign(void)
{
	struct pki *pki = open_with("[]");
	char key[128], serial[PKI_SERIAL], other[PKI_SERIAL];
	char *csr = NULL, *cert = NULL, path[128];
	int64_t not_after = 0;
	struct err err = {""};
	long left = 0, life = 0;
	char *at;

	snprintf(key, sizeof(key), "%s/node.key", dir);
	is_int(csr_make(key, "evil", &csr, &err), 0, "a request %s", err.text);
	is_int(pki_sign(pki, csr, "dd1", &cert, serial, &not_after, &err), 0,
		"is signed %s", err.text);
	ok(not_after > wall_now_s() + 89 * 86400, "for 90 days");
	ok(strlen(serial) > 20, "with a serial of its own: %s", serial);
	snprintf(path, sizeof(path), "%s/node.pem", dir);
	is_int(file_write(path, cert, strlen(cert), 0644, &err), 0, "saved");
	is_int(csr_cert_life(path, &left, &life), 0, "can be read");
	ok(left > 89 * 86400, "and is valid now");
	free(cert);
	is_int(pki_sign(pki, csr, "dd1", &cert, other, &not_after, &err), 0,
		"once more");
	ok(strcmp(serial, other) != 0, "another serial");
	free(cert);
	is_int(pki_sign(pki, "", "dd1", &cert, serial, &not_after, &err),
		-EINVAL, "nothing is refused");
	is_int(pki_sign(pki, pki_ca_pem(pki), "dd1", &cert, serial, &not_after,
		       &err),
		-EINVAL, "a certificate is no request");
	at = strchr(csr, '\n') + 90;
	*at = *at == 'A' ? 'B' : 'A';
	is_int(pki_sign(pki, csr, "dd1", &cert, serial, &not_after, &err),
		-EINVAL, "a request that was changed is refused");
	free(csr);
	pki_free(pki);
}

/* A key that is not the authority's own stops the start. */
static void test_mixed(void)
{
	json_t *none = json_array();
	char path[128];
	struct err err = {""};
	char *key = slurp("node.key");

	snprintf(path, sizeof(path), "%s/ca.key", dir);
	is_int(file_write(path, key, strlen(key), 0600, &err), 0, "swapped");
	ok(!pki_open(dir, none, &err) && strstr(err.text, "is not the key of"),
		"refused: %s", err.text);
	is_int(file_write(path, "rubbish", 7, 0600, &err), 0, "rubbish");
	ok(!pki_open(dir, none, &err), "refused: %s", err.text);
	json_decref(none);
	free(key);
}

int main(void)
{
	char serial[PKI_SERIAL];

	snprintf(dir, sizeof(dir), "/tmp/ispdns-pki-t.%d", (int)getpid());
	pki_serial_canonical("00AbC", serial);
	is_string(serial, "abc", "serials have one spelling");
	pki_serial_canonical("0", serial);
	is_string(serial, "0", "zero stays");
	test_open();
	test_sign();
	test_mixed();
	if (dir_remove(dir, NULL))
		tap_diag("%s is left", dir);
	return tap_done();
}
