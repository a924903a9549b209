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
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/ctl/file.h"
#include "common/net/tls.h"
#include "mgmt/api_impl.h"
#include "mgmt/embed.h"

#define HEADER_MAX   16384
#define TIMEOUT_S    20
#define STREAM_OUT_S 15
#define FDS_MAX      1200   /* descriptors of the process */
#define FDS_EVERY    32     /* accepts between two counts */
#define ANSWER_MS    150000 /* generation.wait takes up to 120 s */
#define PAUSE_MS     200

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
		api_reply_error(req, status_of(code), code, error);
		return;
	}
	answer = json_pack("{s:b}", "ok", 1);
	json_object_set(answer, "result", (json_t *)(uintptr_t)result);
	if (!result)
		json_object_set_new(answer, "result", json_object());
	if (call->changes >= 0)
		json_object_set_new(
			answer, "changes", json_integer(call->changes));
	api_reply_json(req, 200, answer);
}

/* ---- who is calling ---- */

static bool local_caller(struct evhttp_request *req, struct call *call)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(bufferevent_getfd(api_bev(req)), SOL_SOCKET, SO_PEERCRED,
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

static void on_call(struct listener *l, struct evhttp_request *req)
{
	struct call *call = calloc(1, sizeof(*call));
	const char *body;
	size_t len;

	if (!call) {
		api_reply_error(req, 500, "internal", "no memory");
		return;
	}
	call->m = l->api->m;
	call->arg = req;
	call->done = call_done_http;
	if (!who(l, req, call)) {
		call->m->denied++;
		free(call);
		api_reply_error(req, l->kind == LISTEN_UNIX ? 403 : 401,
			"denied", "no valid token, or not the local root");
		return;
	}
	body = api_body(req, &len);
	command_run(call, body ? body : "", body ? len : 0);
}

static void on_metrics(struct listener *l, struct evhttp_request *req)
{
	struct call caller = {.m = l->api->m};
	struct text text;

	if (!who(l, req, &caller) || !(caller.rights & RIGHT_VIEW)) {
		api_reply_error(req, 401, "denied", "no valid token");
		return;
	}
	text_init(&text);
	api_metrics(l->api->m, &text);
	api_reply(req, 200, "text/plain; version=0.0.4", text.data, text.len);
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
		api_reply(req, 200, type_of(file->name), file->data, file->len);
	else
		api_reply_error(req, 404, "not_found", "no such page");
}

static void on_operator(struct evhttp_request *req, void *arg)
{
	struct listener *l = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	bool post = evhttp_request_get_command(req) == EVHTTP_REQ_POST;

	guard_request(
		l->api->guard, bufferevent_getfd(api_bev(req)), ANSWER_MS);
	if (!path || !*path)
		path = "/";
	if (!strcmp(path, "/api/v1/call") && post)
		on_call(l, req);
	else if (!strcmp(path, "/api/v1/call"))
		api_reply_error(req, 405, "usage", "use POST");
	else if (post)
		api_reply_error(req, 404, "not_found", "no such request");
	else if (!strcmp(path, "/health"))
		api_reply(req, 200, "text/plain", "ok\n", 3);
	else if (!strcmp(path, "/metrics"))
		on_metrics(l, req);
	else
		on_web(req, path);
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
	/* Head and body leave in two writes: without this (connections inherit
	 * it) the second waits 40 ms for the peer's delayed ACK. */
	if (sa->sa_family != AF_UNIX &&
		setsockopt(evconnlistener_get_fd(l->lev), IPPROTO_TCP,
			TCP_NODELAY, &(int){1}, sizeof(int)) < 0)
		return err_fail(
			err, -errno, "TCP_NODELAY: %s", strerror(errno));
	evconnlistener_set_error_cb(l->lev, on_accept_error);
	evhttp_bind_listener(l->http, l->lev);
	evhttp_set_bevcb(l->http, on_accept, l);
	evhttp_set_gencb(
		l->http, kind == LISTEN_NODES ? api_on_node : on_operator, l);
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

static uint16_t port_of(union addr addr)
{
	return addr_port(&addr);
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
	if (!rc) {
		const uint16_t ports[2] = {port_of(api_nodes_addr(api)),
			port_of(api_operators_addr(api))};

		api->guard = guard_new(m->loop, ports, config->request_ms);
		if (api->guard)
			return api;
		err_set(err, "no memory");
	}
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
	guard_free(api->guard);
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
