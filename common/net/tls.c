/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL, TLS 1.3 only, no session resumption: each connection shows its
 * certificate, so that a revoked one is out at its next connection. A pin
 * replaces the authority's file at enrolment: the certificate of the shown
 * chain whose public key has that digest becomes the only trust anchor.
 */

#include "common/net/tls.h"

#include "common/base/digest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <strings.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define NODE_URI "ispdns://node/"

struct tls {
	SSL_CTX *ctx;
	char pin[DIGEST_HEX]; /* empty: none */
};

struct tls_conn {
	SSL *ssl;
};

/* --- contexts --- */

static const char *ssl_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	return text ? text : "unknown error";
}

static struct tls *tls_new(const SSL_METHOD *method, struct err *err)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	ERR_clear_error();
	if (tls)
		tls->ctx = SSL_CTX_new(method);
	if (!tls || !tls->ctx ||
		!SSL_CTX_set_min_proto_version(tls->ctx, TLS1_3_VERSION)) {
		err_set(err, "TLS: %s", ssl_reason());
		tls_free(tls);
		return NULL;
	}
	SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(tls->ctx, 0);
	SSL_CTX_set_mode(tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					   SSL_MODE_RELEASE_BUFFERS);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

static int load_identity(struct tls *tls, const char *cert_file,
	const char *key_file, struct err *err)
{
	if (SSL_CTX_use_certificate_chain_file(tls->ctx, cert_file) != 1)
		return err_fail(err, -EINVAL, "%s: not a certificate: %s",
			cert_file, ssl_reason());
	if (SSL_CTX_use_PrivateKey_file(tls->ctx, key_file, SSL_FILETYPE_PEM) !=
		1)
		return err_fail(err, -EINVAL, "%s: not its private key: %s",
			key_file, ssl_reason());
	if (SSL_CTX_check_private_key(tls->ctx) != 1)
		return err_fail(err, -EINVAL, "%s does not fit %s", key_file,
			cert_file);
	return 0;
}

static int load_authority(struct tls *tls, const char *ca_file, struct err *err)
{
	if (SSL_CTX_load_verify_locations(tls->ctx, ca_file, NULL) != 1)
		return err_fail(err, -EINVAL, "%s: not a certificate: %s",
			ca_file, ssl_reason());
	return 0;
}

static int require_clients(
	struct tls *tls, const char *ca_file, struct err *err)
{
	STACK_OF(X509_NAME) * names;

	if (load_authority(tls, ca_file, err) < 0)
		return -EINVAL;
	names = SSL_load_client_CA_file(ca_file);
	if (!names)
		return err_fail(err, -EINVAL, "%s: %s", ca_file, ssl_reason());
	SSL_CTX_set_client_CA_list(tls->ctx, names);
	SSL_CTX_set_verify(tls->ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

struct tls *tls_server(const char *cert_file, const char *key_file,
	const char *ca_file, struct err *err)
{
	struct tls *tls = tls_new(TLS_server_method(), err);

	if (!tls)
		return NULL;
	if (load_identity(tls, cert_file, key_file, err) < 0)
		goto fail;
	if (ca_file && require_clients(tls, ca_file, err) < 0)
		goto fail;
	return tls;
fail:
	tls_free(tls);
	return NULL;
}

/* --- the pin --- */

static bool has_pin(X509 *cert, const char *pin)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	char hex[DIGEST_HEX];

	if (len <= 0)
		return false;
	digest_hex(der, (size_t)len, hex);
	OPENSSL_free(der);
	return strcasecmp(hex, pin) == 0;
}

static X509 *find_pinned(X509_STORE_CTX *store, const char *pin)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);

	for (int i = 0; i < sk_X509_num(chain); i++)
		if (has_pin(sk_X509_value(chain, i), pin))
			return sk_X509_value(chain, i);
	return NULL;
}

static int verify_pinned(X509_STORE_CTX *store, void *arg)
{
	const struct tls *tls = arg;
	X509 *anchor = find_pinned(store, tls->pin);
	STACK_OF(X509) * trusted;
	int good;

	if (!anchor) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	trusted = sk_X509_new_null();
	if (!trusted || !sk_X509_push(trusted, anchor)) {
		sk_X509_free(trusted);
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	X509_STORE_CTX_set0_trusted_stack(store, trusted);
	X509_STORE_CTX_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	good = X509_verify_cert(store);
	sk_X509_free(trusted);
	return good > 0;
}

static int set_pin(struct tls *tls, const char *pin, struct err *err)
{
	uint8_t raw[DIGEST_SIZE];

	if (strlen(pin) != DIGEST_HEX - 1 || !hex_parse(pin, raw, sizeof(raw)))
		return err_fail(err, -EINVAL, "pin: 64 hex digits are wanted");
	memcpy(tls->pin, pin, DIGEST_HEX);
	SSL_CTX_set_cert_verify_callback(tls->ctx, verify_pinned, tls);
	return 0;
}

struct tls *tls_client(const char *ca_file, const char *cert_file,
	const char *key_file, const char *spki_pin, struct err *err)
{
	struct tls *tls;

	if (!ca_file && !spki_pin) {
		err_set(err, "TLS: neither an authority nor a pin is given");
		return NULL;
	}
	tls = tls_new(TLS_client_method(), err);
	if (!tls)
		return NULL;
	/* OpenSSL writes without MSG_NOSIGNAL; a closed connection is an
	 * error to report, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	if (ca_file && load_authority(tls, ca_file, err) < 0)
		goto fail;
	if (spki_pin && set_pin(tls, spki_pin, err) < 0)
		goto fail;
	if (cert_file && load_identity(tls, cert_file, key_file, err) < 0)
		goto fail;
	return tls;
fail:
	tls_free(tls);
	return NULL;
}

/* --- server side, for evhttp --- */

struct bufferevent *tls_accept_bev(struct tls *tls, struct event_base *base)
{
	SSL *ssl = SSL_new(tls->ctx);
	struct bufferevent *bev;

	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(base, -1, ssl,
		BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		SSL_free(ssl);
		return NULL;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

/* New reference, or NULL. */
static X509 *bev_peer(struct bufferevent *bev)
{
	SSL *ssl = bev ? bufferevent_openssl_get_ssl(bev) : NULL;

	return ssl ? SSL_get1_peer_certificate(ssl) : NULL;
}

/* The text behind NODE_URI, when `uri` is such a name. */
static bool node_of_uri(const ASN1_STRING *uri, char name[TLS_PEER_NAME])
{
	const char *text = (const char *)ASN1_STRING_get0_data(uri);
	size_t len = (size_t)ASN1_STRING_length(uri);
	size_t head = sizeof(NODE_URI) - 1;

	if (len <= head || len - head >= TLS_PEER_NAME ||
		memcmp(text, NODE_URI, head) != 0 || memchr(text, 0, len))
		return false;
	memcpy(name, text + head, len - head);
	name[len - head] = '\0';
	return true;
}

bool tls_bev_peer_node(struct bufferevent *bev, char name[TLS_PEER_NAME])
{
	X509 *cert = bev_peer(bev);
	GENERAL_NAMES *names;
	bool found = false;

	if (!cert)
		return false;
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == GEN_URI)
			found = node_of_uri(
				n->d.uniformResourceIdentifier, name);
	}
	GENERAL_NAMES_free(names);
	X509_free(cert);
	return found;
}

bool tls_bev_peer_serial(struct bufferevent *bev, char serial[TLS_PEER_NAME])
{
	X509 *cert = bev_peer(bev);
	BIGNUM *number;
	char *hex;
	bool good;

	if (!cert)
		return false;
	number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	hex = number ? BN_bn2hex(number) : NULL;
	good = hex && strlen(hex) < TLS_PEER_NAME;
	if (good)
		memcpy(serial, hex, strlen(hex) + 1);
	OPENSSL_free(hex);
	BN_free(number);
	X509_free(cert);
	return good;
}

/* --- blocking client --- */

static bool is_ip(const char *name)
{
	unsigned char octets[16];

	return inet_pton(AF_INET, name, octets) == 1 ||
	       inet_pton(AF_INET6, name, octets) == 1;
}

static bool expect_name(SSL *ssl, const char *name)
{
	if (is_ip(name))
		return X509_VERIFY_PARAM_set1_ip_asc(
			       SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		    TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)name) != 1)
		return false;
	return SSL_set1_host(ssl, name) == 1;
}

static void set_handshake_error(SSL *ssl, struct err *err)
{
	long verdict = SSL_get_verify_result(ssl);

	if (verdict != X509_V_OK)
		err_set(err, "TLS: server's certificate refused: %s",
			X509_verify_cert_error_string(verdict));
	else if (ERR_peek_last_error())
		err_set(err, "TLS: %s", ssl_reason());
	else
		err_set(err, "TLS: connection ended or timed out");
}

struct tls_conn *tls_connect_fd(
	struct tls *tls, int fd, const char *server_name, struct err *err)
{
	struct tls_conn *c = calloc(1, sizeof(*c));

	ERR_clear_error();
	if (c)
		c->ssl = SSL_new(tls->ctx);
	if (!c || !c->ssl || SSL_set_fd(c->ssl, fd) != 1 ||
		(server_name && !expect_name(c->ssl, server_name))) {
		err_set(err, "TLS: %s", ssl_reason());
		goto fail;
	}
	if (SSL_connect(c->ssl) != 1) {
		set_handshake_error(c->ssl, err);
		goto fail;
	}
	return c;
fail:
	tls_conn_free(c);
	return NULL;
}

/* What an operation that did not succeed means, as read(2) would put it. */
static long failure(struct tls_conn *c, int rc)
{
	switch (SSL_get_error(c->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return errno ? -errno : -ECONNRESET;
	default:
		return -EPROTO;
	}
}

static int clamp(size_t len)
{
	return len > (1 << 30) ? 1 << 30 : (int)len;
}

long tls_read(struct tls_conn *c, void *buf, size_t len)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_read(c->ssl, buf, clamp(len));
	return rc > 0 ? rc : failure(c, rc);
}

long tls_write(struct tls_conn *c, const void *buf, size_t len)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_write(c->ssl, buf, clamp(len));
	return rc > 0 ? rc : failure(c, rc);
}

void tls_conn_free(struct tls_conn *c)
{
	if (!c)
		return;
	if (c->ssl) {
		ERR_clear_error();
		if (SSL_is_init_finished(c->ssl))
			SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	free(c);
}
