/* SPDX-License-Identifier: ISC */
/*
 * TLS as the management plane uses it: evhttp on tls_accept_bev against
 * http_call. Certificates are made by make-certs in a folder of this run.
 */

#include "common/net/tls.h"

#include "common/net/http.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <openssl/ssl.h>

static char dir[64];

static const char *file(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void slurp(const char *name, char *out, size_t size)
{
	FILE *f = fopen(file(name), "r");

	if (!f || !fgets(out, (int)size, f))
		tap_bail("%s", name);
	out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

static void run_command(const char *const argv[])
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (status != 0)
		tap_bail("%s failed", argv[0]);
}

static void make_certs(void)
{
	const char *src = getenv("ISPDNS_SRCDIR");
	char script[512];
	const char *const argv[] = {script, dir, NULL};

	snprintf(script, sizeof(script), "%s/tests/common/make-certs",
		src ? src : ".");
	snprintf(dir, sizeof(dir), "/tmp/ispdns-tls-t.XXXXXX");
	if (!mkdtemp(dir))
		tap_bail("mkdtemp");
	run_command(argv);
}

/* --- server --- */

struct server {
	struct loop *loop;
	struct tls *tls;
	struct evhttp *http;
	union addr addr;
	pthread_t thread;
};

static struct bufferevent *new_bev(struct event_base *base, void *arg)
{
	return tls_accept_bev(arg, base);
}

/* Say who the peer is. */
static void on_request(struct evhttp_request *req, void *arg)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(c);
	char node[TLS_PEER_NAME] = "-", serial[TLS_PEER_NAME] = "-";
	struct evbuffer *out = evbuffer_new();

	(void)arg;
	tls_bev_peer_node(bev, node);
	tls_bev_peer_serial(bev, serial);
	evbuffer_add_printf(out, "%s %s", node, serial);
	evhttp_send_reply(req, 200, "OK", out);
	evbuffer_free(out);
}

static void *run(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void server_start(
	struct server *s, const char *cert, const char *key, const char *ca)
{
	struct evhttp_bound_socket *bound;
	struct err err = {{0}};
	socklen_t len = sizeof(s->addr);

	s->loop = loop_new();
	s->tls = tls_server(file(cert), file(key), ca ? file(ca) : NULL, &err);
	if (!s->tls)
		tap_bail("tls_server: %s", err.text);
	s->http = evhttp_new(loop_base(s->loop));
	evhttp_set_bevcb(s->http, new_bev, s->tls);
	evhttp_set_gencb(s->http, on_request, NULL);
	bound = evhttp_bind_socket_with_handle(s->http, "127.0.0.1", 0);
	if (!bound || getsockname(evhttp_bound_socket_get_fd(bound),
			      &s->addr.sa, &len) < 0)
		tap_bail("evhttp");
	if (pthread_create(&s->thread, NULL, run, s->loop) != 0)
		tap_bail("pthread_create");
}

static void server_stop(struct server *s)
{
	loop_stop(s->loop);
	pthread_join(s->thread, NULL);
	evhttp_free(s->http);
	loop_free(s->loop);
	tls_free(s->tls);
}

/* --- calls --- */

struct attempt {
	const char *ca, *cert, *key, *pin, *name;
};

static int attempt(const struct server *s, const struct attempt *a,
	struct http_reply *r, struct err *err)
{
	struct http_target t = {
		.addr = s->addr, .server_name = a->name, .timeout_ms = 3000};
	int rc;

	t.tls = tls_client(a->ca ? file(a->ca) : NULL,
		a->cert ? file(a->cert) : NULL, a->key ? file(a->key) : NULL,
		a->pin, err);
	if (!t.tls)
		return -EINVAL;
	rc = http_call(&t, "GET", "/", NULL, 0, 1000, r, err);
	tls_free(t.tls);
	return rc;
}

static void good(const struct server *s, struct attempt a, const char *want,
	const char *why)
{
	struct http_reply r = {0};
	struct err err = {{0}};

	is_int(attempt(s, &a, &r, &err), 0, "%s %s", why, err.text);
	if (want)
		is_string(r.body, want, "the server knows who it is");
	http_reply_fini(&r);
}

static void bad(const struct server *s, struct attempt a, const char *why)
{
	struct http_reply r = {0};
	struct err err = {{0}};
	int rc = attempt(s, &a, &r, &err);

	ok(rc < 0 && err.text[0], "%s is refused: %s", why, err.text);
	http_reply_fini(&r);
}

static void test_server_names(struct server *s, const char *pin)
{
	char wrong[80];

	memcpy(wrong, pin, 65);
	wrong[0] = wrong[0] == '0' ? '1' : '0';
	good(s, (struct attempt){.ca = "test-ca.pem", .name = "mgmt.test"},
		"- -", "a server by its DNS name");
	good(s, (struct attempt){.ca = "test-ca.pem", .name = "127.0.0.1"},
		"- -", "a server by its address");
	good(s, (struct attempt){.pin = pin}, "- -", "the pinned authority");
	good(s, (struct attempt){.pin = pin, .name = "mgmt.test"}, "- -",
		"the pinned authority and a name");
	bad(s, (struct attempt){.ca = "test-ca.pem", .name = "other.test"},
		"another name");
	bad(s, (struct attempt){.ca = "test-ca.pem", .name = "127.0.0.2"},
		"another address");
	bad(s, (struct attempt){.ca = "other-ca.pem"}, "another authority");
	bad(s, (struct attempt){.pin = wrong}, "another pin");
	bad(s, (struct attempt){.pin = pin, .name = "other.test"},
		"the pinned authority with another name");
	bad(s, (struct attempt){.pin = "abc"}, "a malformed pin");
	bad(s, (struct attempt){0}, "no authority at all");
	bad(s, (struct attempt){.ca = "no-such-file.pem"}, "a missing file");
}

static void test_mutual(struct server *s)
{
	char serial[TLS_PEER_NAME], want[2 * TLS_PEER_NAME];
	struct attempt a = {.ca = "test-ca.pem",
		.name = "mgmt.test",
		.cert = "node.pem",
		.key = "node.key"};

	slurp("node.serial", serial, sizeof(serial));
	snprintf(want, sizeof(want), "dd1 %s", serial);
	good(s, a, want, "a node's certificate");
	a.cert = a.key = NULL;
	bad(s, a, "no certificate");
	a.cert = "foreign.pem";
	a.key = "foreign.key";
	bad(s, a, "one of another authority");
	a.cert = "server.pem";
	a.key = "server.key";
	bad(s, a, "one that is not for clients");
	a.cert = "node.pem";
	a.key = "server.key";
	bad(s, a, "a key that does not fit");
}

static void test_nameless(struct server *s)
{
	struct attempt a = {.ca = "test-ca.pem",
		.cert = "nameless.pem",
		.key = "nameless.key"};
	struct http_reply r = {0};
	struct err err = {{0}};

	is_int(attempt(s, &a, &r, &err), 0, "a certificate without our URI");
	ok(r.body && strncmp(r.body, "- ", 2) == 0, "is no node");
	http_reply_fini(&r);
}

/* A client that offers nothing newer than TLS 1.2. */
static void test_old_version(const struct server *s)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl;

	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	ssl = SSL_new(ctx);
	if (connect(fd, &s->addr.sa, addr_len(&s->addr)) < 0)
		tap_bail("connect");
	SSL_set_fd(ssl, fd);
	ok(SSL_connect(ssl) <= 0, "TLS 1.2 is refused");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
}

/* A plain HTTP client, and one that says nothing. */
static void test_not_tls(const struct server *s)
{
	struct http_target t = {.addr = s->addr, .timeout_ms = 3000};
	struct http_reply r = {0};
	struct err err = {{0}};

	ok(http_call(&t, "GET", "/", NULL, 0, 1000, &r, &err) < 0,
		"plain HTTP gets no answer: %s", err.text);
	http_reply_fini(&r);
}

int main(void)
{
	struct server s;
	char pin[80];
	const char *const clean[] = {"rm", "-rf", dir, NULL};

	make_certs();
	slurp("test-ca.pin", pin, sizeof(pin));
	server_start(&s, "server.pem", "server.key", NULL);
	test_server_names(&s, pin);
	test_old_version(&s);
	test_not_tls(&s);
	server_stop(&s);
	server_start(&s, "server.pem", "server.key", "test-ca.pem");
	test_mutual(&s);
	test_nameless(&s);
	server_stop(&s);
	server_start(&s, "expired.pem", "expired.key", NULL);
	bad(&s, (struct attempt){.ca = "test-ca.pem"}, "an expired server");
	bad(&s, (struct attempt){.pin = pin}, "an expired server with a pin");
	server_stop(&s);
	run_command(clean);
	return tap_done();
}
