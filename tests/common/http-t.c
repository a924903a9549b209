/* SPDX-License-Identifier: ISC */
/* HTTP: parsers, the responder and the client against each other. */

#include "common/net/http.h"

#include "common/net/http_head.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/un.h>
#include <unistd.h>

/* For the name of a test: one line. */
static const char *shown(const char *text)
{
	static char line[32];
	size_t i;

	for (i = 0; text[i] && i < sizeof(line) - 1; i++)
		line[i] = text[i] < ' ' ? '.' : text[i];
	line[i] = '\0';
	return line;
}

/* --- parsers --- */

static void request(const char *text, long want, const char *path)
{
	struct http_request_head h;
	long rc = http_parse_request(text, strlen(text), &h);

	is_int(rc, want, "request head \"%s\"", shown(text));
	if (path && rc > 0)
		is_string(h.path, path, "path");
}

static void test_requests(void)
{
	request("GET / HTTP/1.1\r\n\r\n", 18, "/");
	request("GET /metrics?x=1 HTTP/1.0\n\nrest", 27, "/metrics");
	request("GET /a%2fb%41 HTTP/1.1\r\nHost: x\r\n\r\n", 35, "/a/bA");
	request("GET / HTTP/1.1\r\n", 0, NULL);
	request("", 0, NULL);
	request("GET /\r\n\r\n", -EINVAL, NULL);
	request("GET  HTTP/1.1\r\n\r\n", -EINVAL, NULL);
	request("GET x HTTP/1.1\r\n\r\n", -EINVAL, NULL);
	request("GET /%4 HTTP/1.1\r\n\r\n", -EINVAL, NULL);
	request("GET /%zz HTTP/1.1\r\n\r\n", -EINVAL, NULL);
	request("GET /%00 HTTP/1.1\r\n\r\n", -EINVAL, NULL);
	request("GET / HTTP/2.0\r\n\r\n", -EINVAL, NULL);
	request("GET / HTTP/1.1 x\r\n\r\n", -EINVAL, NULL);
	request("\r\n\r\n", -EINVAL, NULL);
	request("AVERYLONGMETHODNAME / HTTP/1.1\r\n\r\n", -EINVAL, NULL);
}

static void reply(const char *text, long want, int status)
{
	struct http_reply_head h;
	long rc = http_parse_reply(text, strlen(text), &h);

	is_int(rc, want, "reply head \"%s\"", shown(text));
	if (rc > 0)
		is_int(h.status, status, "status");
}

static void test_replies(void)
{
	reply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 38, 200);
	reply("HTTP/1.1 404\r\n\r\n", 16, 404);
	reply("HTTP/1.1 200 OK\r\nTransfer-Encoding:chunked \r\n\r\n", 47, 200);
	reply("HTTP/1.1 200 OK\r\nX: y\r\n", 0, 0);
	reply("HTTP/1.1 2x0 OK\r\n\r\n", -EINVAL, 0);
	reply("HTTP/1.1 099 OK\r\n\r\n", -EINVAL, 0);
	reply("SSH-2.0-OpenSSH_9.2\r\n\r\n", -EINVAL, 0);
	reply("HTTP/1.1 200 OK\r\nnocolon\r\n\r\n", -EINVAL, 0);
	reply("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EINVAL, 0);
	reply("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	      "Content-Length: 1\r\n\r\n",
		-EINVAL, 0);
	reply("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	      "Transfer-Encoding: chunked\r\n\r\n",
		-EINVAL, 0);
	reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EINVAL, 0);
}

/* Fed whole, and octet by octet. */
static void chunks(const char *text, const char *want, bool done)
{
	struct http_chunks whole = {0}, slow = {0};
	struct text a, b;
	int rc, rc_slow = 0;

	text_init(&a);
	text_init(&b);
	rc = http_chunks_feed(&whole, text, strlen(text), &a);
	for (const char *p = text; *p && rc_slow == 0; p++)
		rc_slow = http_chunks_feed(&slow, p, 1, &b);
	is_int(rc, rc_slow, "the same, whole and octet by octet");
	is_int(rc, want ? 0 : -EINVAL, "chunks \"%s\"", shown(text));
	if (want) {
		is_string(a.data, want, "content");
		is_string(b.data, want, "content");
		ok((whole.state == CHUNK_DONE) == done, "%s",
			done ? "ended" : "not ended");
	}
	text_fini(&a);
	text_fini(&b);
}

static void test_chunks(void)
{
	chunks("5\r\nhello\r\n0\r\n\r\n", "hello", true);
	chunks("5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: r\r\n\r\njunk", "hello!",
		true);
	chunks("A\n0123456789\n00\n\n", "0123456789", true);
	chunks("5\r\nhel", "hel", false);
	chunks("0\r\n", "", false);
	chunks("\r\n", NULL, false);
	chunks("x\r\n", NULL, false);
	chunks("123456789\r\n", NULL, false);
	chunks("2\r\nabc\r\n", NULL, false);
}

/* --- responder and client --- */

static struct loop *loop;
static char *big; /* 1 MiB */

static int get(void *arg, const char *path, struct text *body)
{
	(void)arg;
	if (strcmp(path, "/hello") == 0) {
		text_add(body, "hello\n");
		return 200;
	}
	if (strcmp(path, "/big") == 0) {
		text_add_bytes(body, big, 1 << 20);
		return 200;
	}
	return 404;
}

static void *run(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void call(const struct http_target *t, const char *method,
	const char *path, int status, const char *want)
{
	struct http_reply r;
	struct err err = {{0}};
	int rc = http_call(t, method, path, NULL, 0, 4 << 20, &r, &err);

	is_int(rc, 0, "%s %s %s", method, path, err.text);
	is_int(r.status, status, "status");
	if (want)
		is_string(r.body, want, "body");
	http_reply_fini(&r);
}

static void raw(const union addr *to, const char *text, const char *want)
{
	char back[256] = "";
	struct timeval tv = {.tv_sec = 3};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, &to->sa, addr_len(to)) < 0)
		tap_bail("connect");
	n = send(fd, text, strlen(text), MSG_NOSIGNAL);
	n = n < 0 ? n : recv(fd, back, strlen(want), MSG_WAITALL);
	back[n < 0 ? 0 : n] = '\0';
	is_string(back, want, "\"%s\" gives %s", shown(text), want);
	close(fd);
}

static void test_bounds(const union addr *to)
{
	static char flood[8193];
	int fds[40];

	memset(flood, 'x', 8192);
	raw(to, flood, "HTTP/1.1 431");
	raw(to, "GET nothing\r\n\r\n", "HTTP/1.1 400");
	for (unsigned i = 0; i < 40; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fds[i], &to->sa, addr_len(to)) < 0)
			tap_diag("connect %u: %s", i, strerror(errno));
	}
	{
		struct timeval tv = {.tv_sec = 3};
		char c;

		setsockopt(fds[39], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		is_int(recv(fds[39], &c, 1, 0), 0,
			"connections beyond the bound are closed");
	}
	for (unsigned i = 0; i < 40; i++)
		close(fds[i]);
}

static void test_server(void)
{
	struct http_target t = {.timeout_ms = 3000};
	struct http_server *server;
	struct http_reply r;
	struct err err = {{0}};
	union addr any;
	pthread_t thread;

	if (addr_parse("127.0.0.1", 0, &any) < 0)
		tap_bail("addr");
	big = malloc(1 << 20);
	if (!big)
		tap_bail("malloc");
	memset(big, 'b', 1 << 20);
	loop = loop_new();
	server = http_server_new(loop, &any, get, NULL, &err);
	if (!server)
		tap_bail("http_server_new: %s", err.text);
	t.addr = http_server_addr(server);
	if (pthread_create(&thread, NULL, run, loop) != 0)
		tap_bail("pthread_create");
	call(&t, "GET", "/hello?a=b", 200, "hello\n");
	call(&t, "GET", "/none", 404, "404 Not Found\n");
	call(&t, "DELETE", "/hello", 405, "405 Method Not Allowed\n");
	is_int(http_call(&t, "GET", "/big", NULL, 0, 4 << 20, &r, &err), 0,
		"a long page");
	ok(r.body_len == 1 << 20 && memcmp(r.body, big, 1 << 20) == 0,
		"comes whole");
	http_reply_fini(&r);
	is_int(http_call(&t, "GET", "/big", NULL, 0, 1000, &r, &err), -EMSGSIZE,
		"a body over the caller's bound: %s", err.text);
	test_bounds(&t.addr);
	loop_stop(loop);
	pthread_join(thread, NULL);
	ok(!http_server_new(loop, &t.addr, get, NULL, &err),
		"an address in use: %s", err.text);
	http_server_free(server);
	is_int(http_call(&t, "GET", "/", NULL, 0, 1000, &r, &err),
		-ECONNREFUSED, "nobody there: %s", err.text);
	loop_free(loop);
	free(big);
}

/* --- scripted server on a unix socket --- */

struct script {
	int fd;
	const char *answers[8]; /* one write each; NULL ends */
	bool hang;
	char request[2048];
};

static void *play(void *arg)
{
	struct script *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	ssize_t n = 0;

	while (n >= 0 && !strstr(s->request, "\r\n\r\n")) {
		size_t have = strlen(s->request);

		n = recv(fd, s->request + have, sizeof(s->request) - 1 - have,
			0);
		if (n <= 0)
			break;
	}
	for (unsigned i = 0; s->answers[i]; i++)
		if (send(fd, s->answers[i], strlen(s->answers[i]),
			    MSG_NOSIGNAL) < 0)
			break;
	if (s->hang && recv(fd, &n, 1, 0) < 0)
		tap_diag("recv");
	close(fd);
	return NULL;
}

static char socket_path[64];

static pthread_t script_start(struct script *s)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	pthread_t thread;

	unlink(socket_path);
	memcpy(sun.sun_path, socket_path, sizeof(socket_path));
	s->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(s->fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
		listen(s->fd, 1) < 0 ||
		pthread_create(&thread, NULL, play, s) != 0)
		tap_bail("%s: %s", socket_path, strerror(errno));
	return thread;
}

static void script_end(struct script *s, pthread_t thread)
{
	pthread_join(thread, NULL);
	close(s->fd);
	unlink(socket_path);
}

static int scripted(struct script *s, const char *body, int timeout_ms,
	struct http_reply *r, struct err *err)
{
	struct http_target t = {.unix_path = socket_path,
		.bearer = "secret",
		.timeout_ms = timeout_ms};
	pthread_t thread = script_start(s);
	int rc = http_call(&t, body ? "POST" : "GET", "/x", body,
		body ? strlen(body) : 0, 1000, r, err);

	script_end(s, thread);
	return rc;
}

static void test_client(void)
{
	struct http_reply r;
	struct err err = {{0}};
	struct script chunked = {
		.answers = {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20",
			"0 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r",
			"\nabc\r\n", "2\r\nde\r\n0\r\n\r\n"}};
	struct script cut = {
		.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}};
	struct script open_ended = {.answers = {"HTTP/1.0 200 OK\r\n\r\nabc"}};
	struct script silent = {.hang = true};
	struct script junk = {.answers = {"what?\r\n\r\n"}};

	is_int(scripted(&chunked, "{}", 3000, &r, &err), 0, "chunked reply");
	is_string(r.body, "abcde", "put together");
	ok(strstr(chunked.request, "Authorization: Bearer secret\r\n") &&
			strstr(chunked.request, "Content-Length: 2\r\n"),
		"the request has its fields");
	http_reply_fini(&r);
	is_int(scripted(&cut, NULL, 3000, &r, &err), -ECONNRESET,
		"a body cut short is no reply");
	is_int(scripted(&open_ended, NULL, 3000, &r, &err), 0,
		"a body that ends with the connection");
	is_string(r.body, "abc", "is whole");
	http_reply_fini(&r);
	is_int(scripted(&silent, NULL, 100, &r, &err), -ETIMEDOUT,
		"silence: %s", err.text);
	is_int(scripted(&junk, NULL, 3000, &r, &err), -EINVAL, "not HTTP: %s",
		err.text);
}

static void test_stream(void)
{
	struct script s = {
		.answers = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
			    "chunked\r\n\r\n",
			"4\r\none\n\r\n8\r\ntwo\nthre\r\n", "2\r\ne\n\r\n"},
		.hang = true};
	struct http_target t = {.unix_path = socket_path, .timeout_ms = 3000};
	pthread_t thread = script_start(&s);
	struct err err = {{0}};
	struct http_stream *hs = http_stream_open(&t, "/events", &err);
	char *line = NULL;

	ok(hs != NULL, "open a held stream %s", err.text);
	is_int(http_stream_line(hs, 3000, &line), 1, "a line");
	is_string(line, "one", "the first");
	is_int(http_stream_line(hs, 3000, &line), 1, "a line");
	is_string(line, "two", "the second");
	is_int(http_stream_line(hs, 3000, &line), 1, "a line in two chunks");
	is_string(line, "three", "the third");
	is_int(http_stream_line(hs, 0, &line), 0, "none yet");
	is_int(http_stream_line(hs, 20, &line), 0, "none in 20 ms");
	ok(http_stream_fd(hs) >= 0, "it can be watched");
	http_stream_close(hs);
	script_end(&s, thread);
}

int main(void)
{
	snprintf(socket_path, sizeof(socket_path), "/tmp/ispdns-http-t.%d",
		(int)getpid());
	test_requests();
	test_replies();
	test_chunks();
	test_server();
	test_client();
	test_stream();
	return tap_done();
}
