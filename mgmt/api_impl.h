/* SPDX-License-Identifier: ISC */
#ifndef MGMT_API_IMPL_H
#define MGMT_API_IMPL_H

/* Shared by mgmt/api.c (listeners and operators) and mgmt/api_http.c
 * (replies and nodes) only. */

#include "mgmt/api.h"
#include "mgmt/guard.h"

struct evhttp_request;
struct bufferevent;

enum kind {
	LISTEN_UNIX,
	LISTEN_OPERATORS,
	LISTEN_NODES,
	LISTENERS
};

struct listener {
	struct api *api;
	enum kind kind;
	struct evhttp *http;
	struct evconnlistener *lev;
	struct tls *tls;
};

struct api {
	struct mgmt *m;
	struct listener listeners[LISTENERS];
	char socket[108];
	bool own_socket;
	struct timer *resume;
	struct guard *guard;
	unsigned accepts;
	unsigned long long refused;
};

void api_reply(struct evhttp_request *req, int status, const char *type,
	const void *data, size_t len);
/* `value` is stolen. */
void api_reply_json(struct evhttp_request *req, int status, json_t *value);
void api_reply_error(struct evhttp_request *req, int status, const char *code,
	const char *error);
void api_add_headers(struct evhttp_request *req, const char *type);
struct bufferevent *api_bev(struct evhttp_request *req);
/* The whole body as one string, NUL behind it. */
const char *api_body(struct evhttp_request *req, size_t *len);
/* evhttp's callback for the nodes' listener. */
void api_on_node(struct evhttp_request *req, void *listener);

#endif
