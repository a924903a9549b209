/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_TLS_H
#define COMMON_NET_TLS_H

/*
 * TLS 1.3 for the management plane: contexts with mutual authentication, the
 * peer's name, a pin on the authority's public key. The only file that uses
 * OpenSSL's TLS.
 */

#include "common/base/err.h"

#include <stdbool.h>

struct tls; /* a context, shared by connections, immutable */
struct ssl_st;
struct bufferevent;
struct event_base;

#define TLS_PEER_NAME 128

/* Server: our certificate chain and key (PEM files). `ca_file`: clients must
 * show a certificate of this authority (NULL: none asked). */
struct tls *tls_server(const char *cert_file, const char *key_file,
	const char *ca_file, struct err *err) MUST_CHECK;
/* Client: `ca_file` verifies the server (NULL with `spki_pin`, the sha256 hex
 * of its chain's CA public key). cert/key may be NULL. */
struct tls *tls_client(const char *ca_file, const char *cert_file,
	const char *key_file, const char *spki_pin, struct err *err) MUST_CHECK;
void tls_free(struct tls *tls);
/* For evhttp's bevcb. */
struct bufferevent *tls_accept_bev(struct tls *tls, struct event_base *base);
/* The "ispdns://node/<name>" SAN of the peer: writes <name>. False: none. */
bool tls_bev_peer_node(struct bufferevent *bev, char name[TLS_PEER_NAME]);
/* The serial number of the peer's certificate, hex. */
bool tls_bev_peer_serial(struct bufferevent *bev, char serial[TLS_PEER_NAME]);
/* Blocking use (CLI, agent's calls): wrap a connected fd, handshake within
 * its SO_RCVTIMEO. `server_name` is checked against the certificate (DNS SAN
 * or IP SAN) unless NULL. */
struct tls_conn *tls_connect_fd(struct tls *tls, int fd,
	const char *server_name, struct err *err) MUST_CHECK;
/* As read(2)/write(2): >0, 0 at EOF, negative errno (-EAGAIN: time-out). */
long tls_read(struct tls_conn *c, void *buf, size_t len);
long tls_write(struct tls_conn *c, const void *buf, size_t len);
void tls_conn_free(struct tls_conn *c); /* does not close the fd */

#endif
