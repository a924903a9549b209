/* SPDX-License-Identifier: ISC */
/*
 * Replies, and the nodes' side: who is calling is in the certificate, looked
 * up in the database for each request; a stream is held until either side
 * lets go of it.
 */

#include "mgmt/api_impl.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "common/net/tls.h"
#include "mgmt/node_api.h"

#define STREAM_OUT_S 15

/* ---- replies ---- */

void api_add_headers(struct evhttp_request *req, const char *type)
{
	struct evkeyvalq *h = evhttp_request_get_output_headers(req);

	evhttp_add_header(h, "Content-Type", type);
	evhttp_add_header(h, "Cache-Control", "no-store");
	evhttp_add_header(h, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(h, "Referrer-Policy", "no-referrer");
	evhttp_add_header(h, "Content-Security-Policy",
		"default-src 'none'; script-src 'self'; style-src 'self'; "
		"connect-src 'self'; img-src 'self'; form-action 'none'; "
		"base-uri 'none'; frame-ancestors 'none'");
}

void api_reply(struct evhttp_request *req, int status, const char *type,
	const void *data, size_t len)
{
	struct evbuffer *buf = evbuffer_new();

	if (buf && len)
		evbuffer_add(buf, data, len);
	api_add_headers(req, type);
	evhttp_send_reply(req, status, NULL, buf);
	if (buf)
		evbuffer_free(buf);
}

void api_reply_json(struct evhttp_request *req, int status, json_t *value)
{
	char *text = json_canonical(value);

	api_reply(req, text ? status : 500, "application/json",
		text ? text : "", text ? strlen(text) : 0);
	free(text);
	json_decref(value);
}

void api_reply_error(struct evhttp_request *req, int status, const char *code,
	const char *error)
{
	api_reply_json(req, status,
		json_pack("{s:b, s:s, s:s}", "ok", 0, "code", code, "error",
			error));
}

struct bufferevent *api_bev(struct evhttp_request *req)
{
	return evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(req));
}

/* The whole body as one string. */
const char *api_body(struct evhttp_request *req, size_t *len)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);

	*len = evbuffer_get_length(in);
	if (evbuffer_add(in, "", 1))
		return NULL;
	return (const char *)evbuffer_pullup(in, -1);
}

/* ---- nodes ---- */

/* The node of a valid certificate; false: answered already. */
static bool node_of(struct listener *l, struct evhttp_request *req,
	char name[TLS_PEER_NAME])
{
	char hex[TLS_PEER_NAME], serial[PKI_SERIAL];
	struct bufferevent *bev = api_bev(req);

	if (tls_bev_peer_node(bev, name) && tls_bev_peer_serial(bev, hex)) {
		pki_serial_canonical(hex, serial);
		if (store_cert_valid(l->api->m->store, serial, name))
			return true;
	}
	l->api->m->denied++;
	evhttp_add_header(
		evhttp_request_get_output_headers(req), "Connection", "close");
	api_reply_error(req, 403, "denied", "the certificate is not believed");
	return false;
}

struct held {
	struct api *api;
	struct evhttp_request *req;
	char node[TLS_PEER_NAME];
};

static void held_send(void *arg, const char *line)
{
	struct held *h = arg;
	struct evbuffer *buf = evbuffer_new();

	if (!buf)
		return;
	evbuffer_add_printf(buf, "%s\n", line);
	evhttp_send_reply_chunk(h->req, buf);
	evbuffer_free(buf);
}

/* The fleet lets go of it. */
static void held_close(void *arg)
{
	struct held *h = arg;
	struct evhttp_connection *conn = evhttp_request_get_connection(h->req);

	if (conn)
		evhttp_connection_set_closecb(conn, NULL, NULL);
	evhttp_send_reply_end(h->req);
	free(h);
}

/* The connection is gone. A request that evhttp has given up is ours to
 * free, which the end of a reply does. */
static void held_gone(struct evhttp_connection *conn, void *arg)
{
	struct held *h = arg;

	(void)conn;
	fleet_disconnect(push_fleet(h->api->m->push), h->node, h);
	if (!evhttp_request_get_connection(h->req))
		evhttp_send_reply_end(h->req);
	free(h);
}

static void on_stream(
	struct listener *l, struct evhttp_request *req, const char *node)
{
	const struct timeval out = {STREAM_OUT_S, 0};
	struct fleet_stream stream = {held_send, held_close, NULL};
	const char *query =
		evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
	struct held *h = calloc(1, sizeof(*h));
	struct evkeyvalq args;
	const char *have, *boot;
	struct err err = {""};

	if (!h || evhttp_parse_query_str(query ? query : "", &args)) {
		free(h);
		api_reply_error(req, 400, "usage", "malformed query");
		return;
	}
	h->api = l->api;
	h->req = req;
	snprintf(h->node, sizeof(h->node), "%s", node);
	have = evhttp_find_header(&args, "have");
	boot = evhttp_find_header(&args, "boot");
	stream.arg = h;
	api_add_headers(req, "application/x-ndjson");
	evhttp_send_reply_start(req, 200, NULL);
	guard_request(l->api->guard, bufferevent_getfd(api_bev(req)), -1);
	bufferevent_set_timeouts(api_bev(req), NULL, &out);
	bufferevent_setwatermark(api_bev(req), EV_READ, 0, 4096);
	evhttp_connection_set_closecb(
		evhttp_request_get_connection(req), held_gone, h);
	if (fleet_connect(push_fleet(l->api->m->push), node,
		    have ? strtoll(have, NULL, 10) : 0, boot ? boot : "",
		    &stream, &err))
		held_close(h);
	evhttp_clear_headers(&args);
}

void api_on_node(struct evhttp_request *req, void *arg)
{
	struct listener *l = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL, *body;
	bool post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;
	char node[TLS_PEER_NAME];
	struct node_reply out;
	size_t len;

	if (!node_of(l, req, node))
		return;
	guard_request(l->api->guard, bufferevent_getfd(api_bev(req)), 0);
	if (path && !strcmp(path, "/node/v1/stream") && !post) {
		on_stream(l, req, node);
		return;
	}
	body = api_body(req, &len);
	node_request(l->api->m, node, post, path ? path : "/", body ? body : "",
		body ? len : 0, &out);
	api_reply(req, out.status,
		out.json ? "application/json" : "application/octet-stream",
		out.data, out.data ? out.len : 0);
	free(out.data);
}
