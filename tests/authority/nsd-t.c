/* SPDX-License-Identifier: ISC */
/* The control protocol against a server that behaves as NSD does, and worse. */

#include "authority/nsd.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/tap/tap.h"

static char root[] = "/tmp/ispdns-nsd-t.XXXXXX";
static char path[108];
static int listen_fd;
static struct loop *loop;

/* What the fake does with its one connection. */
struct script {
	const char *reply; /* sent whole after the request */
	bool silent;       /* nothing, for ever (until the client goes) */
	bool drop;         /* closes at once */
	bool per_line;     /* answers each bulk line, by blocking writes */
	struct text got;
};

static void fake_lines(int fd, struct script *s)
{
	char c, line[4096];
	size_t n = 0, count = 0;

	while (read(fd, &c, 1) == 1) {
		text_add_bytes(&s->got, &c, 1);
		if (c != '\n') {
			line[n++] = c;
			continue;
		}
		if (n == 1 && line[0] == 4)
			break;
		line[n] = '\0';
		n = 0;
		if (strncmp(line, "NSDCT1", 6) == 0)
			continue;
		count++;
		if (dprintf(fd, "added: %s and some more text to fill it\n",
			    line) < 0)
			return;
	}
	dprintf(fd, "added %zu zones\n", count);
}

static void fake_plain(int fd, struct script *s)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		text_add_bytes(&s->got, buf, (size_t)n);
	while (s->silent && read(fd, buf, sizeof(buf)) > 0)
		;
	if (s->reply && write(fd, s->reply, strlen(s->reply)) < 0)
		return;
}

static void *fake(void *arg)
{
	struct script *s = arg;
	int fd = accept(listen_fd, NULL, NULL), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (s->per_line)
		fake_lines(fd, s);
	else if (!s->drop)
		fake_plain(fd, s);
	close(fd);
	return NULL;
}

struct outcome {
	int rc;
	char reply[256];
	size_t len;
	bool done;
};

static void done(void *arg, int rc, const char *reply, size_t len)
{
	struct outcome *o = arg;

	o->rc = rc;
	o->len = len;
	o->done = true;
	snprintf(o->reply, sizeof(o->reply), "%.255s",
		len > 255 ? reply + len - 255 : reply);
	loop_stop(loop);
}

static struct outcome talk(
	struct script *s, const char *command, const char *lines, int ms)
{
	struct outcome o = {.rc = 1};
	pthread_t thread;
	struct err err = {.text = ""};

	text_init(&s->got);
	if (pthread_create(&thread, NULL, fake, s) != 0)
		tap_bail("pthread_create");
	if (!nsd_call(loop, path, command, lines, ms, done, &o, &err))
		tap_bail("nsd_call: %s", err.text);
	loop_run(loop);
	pthread_join(thread, NULL);
	return o;
}

static void test_golden(void)
{
	struct script s = {.reply = "version: 4.6.1\nverbosity: 0\n"};
	struct outcome o = talk(&s, "status", NULL, 20000);

	is_int(o.rc, 0, "status");
	is_string(s.got.data, "NSDCT1 status\n", "what goes out");
	is_string(o.reply, s.reply, "what comes back");
	text_fini(&s.got);
	s = (struct script){.per_line = true};
	o = talk(&s, "addzones", "a.x static\nb.x static\n", 20000);
	is_int(o.rc, 0, "addzones");
	is_string(s.got.data, "NSDCT1 addzones\na.x static\nb.x static\n\004\n",
		"lines and the end mark go out");
	text_fini(&s.got);
}

static void test_bulk(void)
{
	struct script s = {.per_line = true};
	struct outcome o;
	struct text lines;

	text_init(&lines);
	for (int i = 0; i < 10000; i++)
		text_add(&lines, "zone-%d.example static\n", i);
	o = talk(&s, "addzones", lines.data, 20000);
	is_int(o.rc, 0, "10000 zones do not stop it");
	ok(strstr(o.reply, "\nadded 10000 zones\n") != NULL, "all arrived");
	ok(o.len > 10000 * 40, "each was answered");
	text_fini(&lines);
	text_fini(&s.got);
}

static void reply_is(const char *reply, int want, const char *what)
{
	struct script s = {.reply = reply};
	struct outcome o = talk(&s, "reload x", NULL, 20000);

	is_int(o.rc, want, "%s", what);
	text_fini(&s.got);
}

static void test_replies(void)
{
	struct script s = {.silent = true};
	struct outcome o = talk(&s, "status", NULL, 100);

	is_int(o.rc, -ETIMEDOUT, "no answer: time-out");
	text_fini(&s.got);
	s = (struct script){.drop = true};
	o = talk(&s, "status", NULL, 20000);
	ok(o.rc == -EPROTO || o.rc == -ECONNRESET || o.rc == -EPIPE,
		"dropped at once (%s)", strerror(-o.rc));
	text_fini(&s.got);
	reply_is("ok\n", 0, "ok");
	reply_is("error zone x not configured\n", -EREMOTEIO, "error");
	reply_is("error version mismatch\n", -EREMOTEIO, "another version");
	reply_is("warning zone x not present\n", 0, "warning");
	reply_is("", -EPROTO, "empty");
	reply_is("o", -EPROTO, "cut");
	reply_is("ok\nand", -EPROTO, "cut behind a line");
}

static void refuses(const char *command, const char *lines, const char *what)
{
	struct outcome o = {.rc = 1};
	struct err err = {.text = ""};

	ok(!nsd_call(loop, path, command, lines, 100, done, &o, &err) &&
			!o.done && err.text[0],
		"not sent: %s", what);
}

static void test_limits(void)
{
	char big[3000];
	struct err err = {.text = ""};

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	refuses(big, NULL, "a long command");
	refuses("status\nreload", NULL, "two commands");
	big[sizeof(big) - 2] = '\n';
	refuses("addzones", big, "a long line");
	refuses("addzones", "a static", "a line without end");
	refuses("addzones", "a static\n\n", "an empty line");
	refuses("addzones", "\004\n", "the end mark");
	ok(!nsd_call(loop, "/nonexistent/nsd.sock", "status", NULL, 100, done,
		   NULL, &err),
		"no socket: %s", err.text);
	nsd_cancel(NULL);
}

static void test_cancel(void)
{
	struct script s = {.silent = true};
	struct outcome o = {.rc = 1};
	pthread_t thread;
	struct nsd_call *call;

	text_init(&s.got);
	if (pthread_create(&thread, NULL, fake, &s) != 0)
		tap_bail("pthread_create");
	call = nsd_call(loop, path, "status", NULL, 3000, done, &o, NULL);
	nsd_cancel(call);
	pthread_join(thread, NULL);
	ok(call && !o.done, "cancelled: done is not called");
	text_fini(&s.got);
}

static void add_up(void *arg, const char *name, double value)
{
	text_add(arg, "%s=%g;", name, value);
}

static void test_text(void)
{
	struct err err = {.text = ""};
	struct text t;

	is_int(nsd_bulk_errors("added: a\nzone b already exists\nadded: b\n"
			       "added 2 zones\n",
		       &err),
		0, "bulk without errors");
	is_int(nsd_bulk_errors("removed: y\nwarning zone z not present\n"
			       "error for input line 'z'\ndeleted 1 zones\n",
		       &err),
		2, "bulk with errors");
	is_string(err.text, "warning zone z not present", "the first");
	text_init(&t);
	nsd_parse_stats("num.queries=7\ntime.boot=1.5\nrubbish\nx=\n=3\n"
			"num.udp=1x\nnum.tcp=2\nnum.cut=9",
		add_up, &t);
	is_string(t.data, "num.queries=7;time.boot=1.5;num.tcp=2;",
		"statistics: whole lines only");
	text_fini(&t);
}

static void listen_at(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	snprintf(path, sizeof(path), "%s/s", root);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listen_fd < 0 ||
		bind(listen_fd, (const struct sockaddr *)&sun, sizeof(sun)) <
			0 ||
		listen(listen_fd, 4) < 0)
		tap_bail("listen");
}

int main(void)
{
	if (!mkdtemp(root))
		tap_bail("mkdtemp");
	listen_at();
	loop = loop_new();
	test_golden();
	test_bulk();
	test_replies();
	test_limits();
	test_cancel();
	test_text();
	loop_free(loop);
	unlink(path);
	rmdir(root);
	return tap_done();
}
