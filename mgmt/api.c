/* SPDX-License-Identifier: ISC */
/*
 * HTTP: listeners, limits, who is calling, and the way from a request to
 * command_run or node_request and back. evhttp has no limit of connections:
 * a listener that has too many of them stops to accept for a while.
 */

#include "mgmt/api.h"

#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ctl/file.h"
#include "common/net/tls.h"
#include "mgmt/embed.h"
#include "mgmt/node_api.h"

#define HEADER_MAX   16384
#define TIMEOUT_S    20
#define STREAM_OUT_S 15
#define FDS_MAX      1200 /* descriptors of the process */
#define FDS_EVERY    32   /* accepts between two counts */
#define PAUSE_MS     200

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
	unsigned accepts;
	unsigned long long refused;
};

/* ---- replies ---- */

static void add_headers(struct evhttp_request *req, const char *type)
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

static void reply(struct evhttp_request *req, int status, const char *type,
	const void *data, size_t len)
{
	struct evbuffer *buf = evbuffer_new();

	if (buf && len)
		evbuffer_add(buf, data, len);
	add_headers(req, type);
	evhttp_send_reply(req, status, NULL, buf);
	if (buf)
		evbuffer_free(buf);
}

static void reply_json(struct evhttp_request *req, int status, json_t *value)
{
	char *text = json_canonical(value);

	reply(req, text ? status : 500, "application/json", text ? text : "",
		text ? strlen(text) : 0);
	free(text);
	json_decref(value);
}

static void reply_error(struct evhttp_request *req, int status,
	const char *code, const char *error)
{
	reply_json(req, status,
		json_pack("{s:b, s:s, s:s}", "ok", 0, "code", code, "error",
			error));
}

static const struct {
	const char *code;
	int status;
} statuses[] = {
	{"usage", 400},
	{"invalid", 422},
	{"not_found", 404},
	{"conflict", 409},
	{"denied", 403},
	{"unavailable", 503},
	{"internal", 500},
};

static int status_of(const char *code)
{
	for (size_t i = 0; i < countof(statuses); i++)
		if (!strcmp(statuses[i].code, code))
			return statuses[i].status;
	return 500;
}

static void call_done_http(struct call *call, const char *code,
	const json_t *result, const char *error)
{
	struct evhttp_request *req = call->arg;
	json_t *answer;

	if (code) {
		reply_error(req, status_of(code), code, error);
		return;
	}
	answer = json_pack("{s:b}", "ok", 1);
	json_object_set(answer, "result", (json_t *)(uintptr_t)result);
	if (!result)
		json_object_set_new(answer, "result", json_object());
	if (call->changes >= 0)
		json_object_set_new(
			answer, "changes", json_integer(call->changes));
	reply_json(req, 200, answer);
}

/* ---- who is calling ---- */

static struct bufferevent *bev_of(struct evhttp_request *req)
{
	return evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(req));
}

static bool local_caller(struct evhttp_request *req, struct call *call)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(bufferevent_getfd(bev_of(req)), SOL_SOCKET, SO_PEERCRED,
		    &cred, &len) ||
		(cred.uid != 0 && cred.uid != geteuid()))
		return false;
	call->rights = RIGHT_LOCAL;
	if (cred.uid == 0)
		snprintf(call->actor, sizeof(call->actor), "root");
	else
		snprintf(call->actor, sizeof(call->actor), "uid %u", cred.uid);
	snprintf(call->src, sizeof(call->src), "unix");
	return true;
}

static const char *bearer_of(struct evhttp_request *req)
{
	const char *value = evhttp_find_header(
		evhttp_request_get_input_headers(req), "Authorization");

	if (!value || strncasecmp(value, "Bearer ", 7))
		return NULL;
	return value + 7;
}

static bool token_caller(
	struct api *api, struct evhttp_request *req, struct call *call)
{
	const char *token = bearer_of(req);
	char hash[DIGEST_HEX], *peer = NULL;
	json_t *row = NULL;
	uint16_t port = 0;

	evhttp_connection_get_peer(
		evhttp_request_get_connection(req), &peer, &port);
	snprintf(call->src, sizeof(call->src), "%s", peer ? peer : "?");
	if (!token)
		return false;
	digest_hex(token, strlen(token), hash);
	if (!strncmp(token, "ispdns1.", 8)) {
		call->rights = RIGHT_JOIN;
		snprintf(call->actor, sizeof(call->actor), "join");
		memcpy(call->bearer_hash, hash, sizeof(hash));
		return true;
	}
	if (store_token(api->m->store, hash, wall_now_s(), &row, NULL))
		return false;
	call->rights = role_rights(row_str(row, "role"));
	snprintf(call->actor, sizeof(call->actor), "token:%s",
		row_str(row, "name"));
	json_decref(row);
	return true;
}

static bool who(
	struct listener *l, struct evhttp_request *req, struct call *call)
{
	return l->kind == LISTEN_UNIX ? local_caller(req, call)
				      : token_caller(l->api, req, call);
}

/* ---- operators ---- */

/* The whole body as one string. */
static const char *body_of(struct evhttp_request *req, size_t *len)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);

	*len = evbuffer_get_length(in);
	if (evbuffer_add(in, "", 1))
		return NULL;
	return (const char *)evbuffer_pullup(in, -1);
}

static void on_call(struct listener *l, struct evhttp_request *req)
{
	struct call *call = calloc(1, sizeof(*call));
	const char *body;
	size_t len;

	if (!call) {
		reply_error(req, 500, "internal", "no memory");
		return;
	}
	call->m = l->api->m;
	call->arg = req;
	call->done = call_done_http;
	if (!who(l, req, call)) {
		call->m->denied++;
		free(call);
		reply_error(req, l->kind == LISTEN_UNIX ? 403 : 401, "denied",
			"no valid token, or not the local root");
		return;
	}
	body = body_of(req, &len);
	command_run(call, body ? body : "", body ? len : 0);
}

static void on_metrics(struct listener *l, struct evhttp_request *req)
{
	struct call caller = {.m = l->api->m};
	struct text text;

	if (!who(l, req, &caller) || !(caller.rights & RIGHT_VIEW)) {
		reply_error(req, 401, "denied", "no valid token");
		return;
	}
	text_init(&text);
	api_metrics(l->api->m, &text);
	reply(req, 200, "text/plain; version=0.0.4", text.data, text.len);
	text_fini(&text);
}

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot && !strcmp(dot, ".js"))
		return "text/javascript; charset=utf-8";
	if (dot && !strcmp(dot, ".css"))
		return "text/css; charset=utf-8";
	return "text/html; charset=utf-8";
}

static void on_web(struct evhttp_request *req, const char *path)
{
	const struct embed *file = embed_web(path);

	if (file)
		reply(req, 200, type_of(file->name), file->data, file->len);
	else
		reply_error(req, 404, "not_found", "no such page");
}

static void on_operator(struct evhttp_request *req, void *arg)
{
	struct listener *l = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	bool post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;

	if (!path || !*path)
		path = "/";
	if (!strcmp(path, "/api/v1/call") && post)
		on_call(l, req);
	else if (!strcmp(path, "/api/v1/call"))
		reply_error(req, 405, "usage", "use POST");
	else if (post)
		reply_error(req, 404, "not_found", "no such request");
	else if (!strcmp(path, "/health"))
		reply(req, 200, "text/plain", "ok\n", 3);
	else if (!strcmp(path, "/metrics"))
		on_metrics(l, req);
	else
		on_web(req, path);
}

/* ---- nodes ---- */

/* The node of a valid certificate; false: answered already. */
static bool node_of(struct listener *l, struct evhttp_request *req,
	char name[TLS_PEER_NAME])
{
	char hex[TLS_PEER_NAME], serial[PKI_SERIAL];
	struct bufferevent *bev = bev_of(req);

	if (tls_bev_peer_node(bev, name) && tls_bev_peer_serial(bev, hex)) {
		pki_serial_canonical(hex, serial);
		if (store_cert_valid(l->api->m->store, serial, name))
			return true;
	}
	l->api->m->denied++;
	evhttp_add_header(
		evhttp_request_get_output_headers(req), "Connection", "close");
	reply_error(req, 403, "denied", "the certificate is not believed");
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
		reply_error(req, 400, "usage", "malformed query");
		return;
	}
	h->api = l->api;
	h->req = req;
	snprintf(h->node, sizeof(h->node), "%s", node);
	have = evhttp_find_header(&args, "have");
	boot = evhttp_find_header(&args, "boot");
	stream.arg = h;
	add_headers(req, "application/x-ndjson");
	evhttp_send_reply_start(req, 200, NULL);
	bufferevent_set_timeouts(bev_of(req), NULL, &out);
	bufferevent_setwatermark(bev_of(req), EV_READ, 0, 4096);
	evhttp_connection_set_closecb(
		evhttp_request_get_connection(req), held_gone, h);
	if (fleet_connect(push_fleet(l->api->m->push), node,
		    have ? strtoll(have, NULL, 10) : 0, boot ? boot : "",
		    &stream, &err))
		held_close(h);
	evhttp_clear_headers(&args);
}

static void on_node(struct evhttp_request *req, void *arg)
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
	if (path && !strcmp(path, "/node/v1/stream") && !post) {
		on_stream(l, req, node);
		return;
	}
	body = body_of(req, &len);
	node_request(l->api->m, node, post, path ? path : "/", body ? body : "",
		body ? len : 0, &out);
	reply(req, out.status,
		out.json ? "application/json" : "application/octet-stream",
		out.data, out.data ? out.len : 0);
	free(out.data);
}

/* ---- listeners ---- */

static unsigned open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	if (!dir)
		return FDS_MAX;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void set_accepting(struct api *api, bool on)
{
	for (size_t i = 0; i < LISTENERS; i++) {
		struct evconnlistener *lev = api->listeners[i].lev;

		if (lev && i != LISTEN_UNIX)
			(void)(on ? evconnlistener_enable(lev)
				  : evconnlistener_disable(lev));
	}
}

static void resume(void *arg)
{
	struct api *api = arg;

	if (open_fds() > FDS_MAX)
		timer_set_ms(api->resume, PAUSE_MS);
	else
		set_accepting(api, true);
}

static void pause_accepting(struct api *api)
{
	api->refused++;
	LOG_EVERY(60, LOG_LVL_WARN, "api: too many connections: limit=%d",
		FDS_MAX);
	set_accepting(api, false);
	timer_set_ms(api->resume, PAUSE_MS);
}

/* evhttp asks for each new connection. */
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
	struct listener *l = arg;
	struct api *api = l->api;

	if (++api->accepts % FDS_EVERY == 0 && open_fds() > FDS_MAX)
		pause_accepting(api);
	if (l->tls)
		return tls_accept_bev(l->tls, base);
	return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
}

static void on_accept_error(struct evconnlistener *lev, void *arg)
{
	(void)lev;
	pause_accepting(arg);
}

static int listener_start(struct api *api, enum kind kind,
	const struct sockaddr *sa, socklen_t len, size_t max_body,
	struct err *err)
{
	struct listener *l = &api->listeners[kind];
	struct event_base *base = loop_base(api->m->loop);

	l->api = api;
	l->kind = kind;
	l->http = evhttp_new(base);
	l->lev = evconnlistener_new_bind(base, NULL, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
			LEV_OPT_REUSEABLE,
		128, sa, (int)len);
	if (!l->http || !l->lev)
		return err_fail(err, -errno, "%s", strerror(errno));
	evconnlistener_set_error_cb(l->lev, on_accept_error);
	evhttp_bind_listener(l->http, l->lev);
	evhttp_set_bevcb(l->http, on_accept, l);
	evhttp_set_gencb(
		l->http, kind == LISTEN_NODES ? on_node : on_operator, l);
	evhttp_set_max_headers_size(l->http, HEADER_MAX);
	evhttp_set_max_body_size(l->http, (ev_ssize_t)max_body);
	evhttp_set_timeout(l->http, TIMEOUT_S);
	evhttp_set_allowed_methods(l->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
	return 0;
}

/* A socket that nobody answers on is left from a crash. */
static int socket_clear(const char *path, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = -1;

	if (fd < 0)
		return err_fail(err, -errno, "socket: %s", strerror(errno));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	rc = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	if (rc == 0)
		return err_fail(err, -EADDRINUSE,
			"%s: another ispdns-mgmt is running", path);
	unlink(path);
	return 0;
}

static int unix_start(
	struct api *api, const struct api_config *config, struct err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char dir[sizeof(sun.sun_path)];
	char *slash;
	mode_t mask;
	int rc;

	if (strlen(config->socket) >= sizeof(sun.sun_path))
		return err_fail(err, -ENAMETOOLONG, "api_socket: too long");
	snprintf(dir, sizeof(dir), "%s", config->socket);
	slash = strrchr(dir, '/');
	if (slash && slash != dir) {
		*slash = '\0';
		rc = dir_make(dir, 0755, err);
		if (rc)
			return rc;
	}
	rc = socket_clear(config->socket, err);
	if (rc)
		return rc;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", config->socket);
	snprintf(api->socket, sizeof(api->socket), "%s", config->socket);
	mask = umask(0117);
	rc = listener_start(api, LISTEN_UNIX, (struct sockaddr *)&sun,
		sizeof(sun), config->max_body, err);
	umask(mask);
	if (rc)
		err_prefix(err, "%s", config->socket);
	api->own_socket = rc == 0;
	return rc;
}

static int tcp_start(struct api *api, enum kind kind, const union addr *addr,
	size_t max_body, struct err *err)
{
	const struct pki *pki = api->m->pki;
	struct listener *l = &api->listeners[kind];
	char text[ADDR_TEXT];
	int rc;

	l->tls = tls_server(pki_cert_file(pki), pki_key_file(pki),
		kind == LISTEN_NODES ? pki_ca_file(pki) : NULL, err);
	if (!l->tls)
		return -EINVAL;
	rc = listener_start(
		api, kind, &addr->sa, addr_len(addr), max_body, err);
	if (rc)
		err_prefix(err, "%s", addr_print(addr, text));
	return rc;
}

struct api *api_new(
	struct mgmt *m, const struct api_config *config, struct err *err)
{
	struct api *api = calloc(1, sizeof(*api));
	int rc = -ENOMEM;

	if (!api)
		return NULL;
	api->m = m;
	api->resume = timer_new(m->loop, resume, api);
	if (api->resume)
		rc = unix_start(api, config, err);
	if (!rc)
		rc = tcp_start(api, LISTEN_NODES, &config->nodes,
			config->max_body, err);
	if (!rc)
		rc = tcp_start(api, LISTEN_OPERATORS, &config->operators,
			config->max_body, err);
	if (!rc)
		return api;
	api_free(api);
	return NULL;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	for (size_t i = 0; i < LISTENERS; i++) {
		struct listener *l = &api->listeners[i];

		if (l->http)
			evhttp_free(l->http); /* its listener too */
		tls_free(l->tls);
	}
	if (api->own_socket)
		unlink(api->socket);
	timer_free(api->resume);
	free(api);
}

static union addr bound(const struct listener *l)
{
	union addr addr = {0};
	socklen_t len = sizeof(addr);

	getsockname(evconnlistener_get_fd(l->lev), &addr.sa, &len);
	return addr;
}

union addr api_nodes_addr(const struct api *api)
{
	return bound(&api->listeners[LISTEN_NODES]);
}

union addr api_operators_addr(const struct api *api)
{
	return bound(&api->listeners[LISTEN_OPERATORS]);
}
