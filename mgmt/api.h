/* SPDX-License-Identifier: ISC */
#ifndef MGMT_API_H
#define MGMT_API_H

/*
 * The three listeners: unix socket (local root), 8444 (operators: TLS and a
 * bearer token), 8443 (nodes: TLS and a client certificate). The only file
 * that uses evhttp. Main loop's thread.
 */

#include "common/base/buf.h"
#include "common/net/addr.h"
#include "mgmt/command.h"

struct api;

struct api_config {
	const char *socket;
	union addr nodes, operators;
	size_t max_body;    /* octets */
	int64_t request_ms; /* for a whole request to come in */
};

/* -EADDRINUSE in err's line when another instance has the socket. */
struct api *api_new(struct mgmt *m, const struct api_config *config,
	struct err *err) MUST_CHECK;
void api_free(struct api *api); /* NULL allowed; removes the socket */
/* Where it listens (port 0 in the configuration: the one chosen). */
union addr api_nodes_addr(const struct api *api);
union addr api_operators_addr(const struct api *api);

/* Prometheus text of everything mgmt knows. */
void api_metrics(struct mgmt *m, struct text *out);

#endif
