/* SPDX-License-Identifier: ISC */
/* The control socket: verbs, bad requests, many clients. */

#include "common/ctl/control.h"

#include "common/ctl/file.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char root[] = "/tmp/ispdns-control-t.XXXXXX";
static char path[108];
static struct loop *loop;
static struct control_call *pending;

static void run_echo(void *arg, struct control_call *call, const json_t *args)
{
	(void)arg;
	control_ok(call, json_deep_copy(args));
}

static void run_fail(void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	control_fail(call, "no\nway: %s", (const char *)arg);
}

static void answer_later(void *arg)
{
	control_ok(arg, NULL);
}

static void run_later(void *arg, struct control_call *call, const json_t *args)
{
	(void)arg;
	(void)args;
	if (loop_post(loop, answer_later, call) < 0)
		tap_bail("loop_post");
}

static void run_never(void *arg, struct control_call *call, const json_t *args)
{
	(void)arg;
	(void)args;
	pending = call;
}

static void run_big(void *arg, struct control_call *call, const json_t *args)
{
	char *text = calloc(1, (1 << 20) + 1);

	(void)arg;
	(void)args;
	memset(text, 'x', 1 << 20);
	control_ok(call, json_pack("{s:s}", "big", text));
	free(text);
}

static const struct control_command first[] = {
	{"echo", run_echo, ""},
	{"fail", run_fail, ""},
	{NULL, NULL, NULL},
};
static const struct control_command second[] = {
	{"later", run_later, ""},
	{"never", run_never, ""},
	{"big", run_big, ""},
	{NULL, NULL, NULL},
};

static void *serve(void *arg)
{
	(void)arg;
	loop_run(loop);
	return NULL;
}

static int call(
	const char *verb, json_t *args, json_t **result, struct err *err)
{
	int rc = control_call_path(path, verb, args, 20000, result, err);

	json_decref(args);
	return rc;
}

static void test_calls(void)
{
	struct err err = {.text = ""};
	json_t *result;

	is_int(call("echo", json_pack("{s:i}", "a", 7), &result, &err), 0,
		"a call (%s)", err.text);
	is_int(json_integer_value(json_object_get(result, "a")), 7, "result");
	json_decref(result);
	is_int(call("echo", NULL, &result, &err), 0, "without args");
	ok(json_is_object(result), "an object comes back");
	json_decref(result);
	is_int(call("fail", NULL, &result, &err), -EREMOTEIO, "refused");
	is_string(err.text, "no way: really", "one line");
	is_int(call("later", NULL, &result, &err), 0, "answered later");
	json_decref(result);
	is_int(call("nope", NULL, &result, &err), -EREMOTEIO, "unknown verb");
	is_string(err.text, "unknown verb \"nope\"", "says so");
	is_int(call("big", NULL, &result, &err), 0, "1 MiB of answer");
	is_int(json_string_length(json_object_get(result, "big")), 1 << 20,
		"whole");
	json_decref(result);
}

static int client(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timeval t = {.tv_sec = 20};

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.107s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (fd < 0 ||
		connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		tap_bail("connect");
	return fd;
}

/* Send raw octets and compare the answer. */
static void raw(const char *send_text, const char *want, const char *what)
{
	int fd = client();
	char buf[512] = "";
	size_t len = 0;
	ssize_t n = 1;

	if (write(fd, send_text, strlen(send_text)) < 0)
		tap_bail("write");
	while (len < strlen(want) && n > 0) {
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (want[strlen(want) - 1] != '\n')
		buf[strlen(want)] = '\0'; /* only its start matters */
	is_string(buf, want, "%s", what);
	close(fd);
}

static void test_raw(void)
{
	raw("{\"verb\":\"fail\"}\n",
		"{\"ok\":false,\"error\":\"no way: really\"}\n", "error line");
	raw("{\"verb\":\"later\"}\n{\"verb\":\"echo\"}\n",
		"{\"ok\":true,\"result\":{}}\n{\"ok\":true,\"result\":{}}\n",
		"two in one write are answered in order");
	raw("{}\n", "{\"ok\":false,\"error\":\"no verb\"}\n", "no verb");
	raw("{\"verb\":7}\n", "{\"ok\":false,\"error\":\"no verb\"}\n",
		"verb is a number");
	raw("[]\n", "{\"ok\":false,\"error\":\"no verb\"}\n", "an array");
	raw("{\"verb\":\"echo\",\"args\":[]}\n",
		"{\"ok\":false,\"error\":\"args must be an object\"}\n",
		"args is an array");
	raw("xyz\n", "{\"ok\":false,\"error\":\"not JSON: ", "not JSON");
	raw("{\"verb\":\"echo\",\"verb\":\"fail\"}\n",
		"{\"ok\":false,\"error\":\"not JSON: ", "duplicate member");
}

static void test_flood(void)
{
	int fd = client(), fds[20];
	char *junk = malloc(1 << 16);
	ssize_t n, sent = 0;
	struct err err;
	json_t *result;

	memset(junk, 'a', 1 << 16);
	do {
		n = send(fd, junk, 1 << 16, MSG_NOSIGNAL);
		sent += n > 0 ? n : 0;
	} while (n > 0 && sent < (16 << 20));
	ok(sent < (16 << 20), "an endless line is cut off");
	close(fd);
	for (size_t i = 0; i < countof(fds); i++)
		fds[i] = client();
	ok(read(fds[countof(fds) - 1], junk, 1) <= 0,
		"the connection over the limit is closed");
	for (size_t i = 0; i < countof(fds); i++)
		close(fds[i]);
	for (int i = 0; i < 300; i++) {
		if (call("echo", NULL, &result, &err) == 0)
			break;
		usleep(10000);
	}
	ok(result != NULL, "and then it serves again");
	json_decref(result);
	free(junk);
}

static void test_gone_client(void)
{
	int fd = client();
	struct err err = {.text = ""};
	json_t *result;

	if (write(fd, "{\"verb\":\"later\"}\n", 17) != 17)
		tap_bail("write");
	close(fd);
	is_int(call("later", NULL, &result, &err), 0,
		"a client that went before its answer does no harm");
	json_decref(result);
	is_int(control_call_path(path, "never", NULL, 100, &result, &err),
		-ETIMEDOUT, "no answer: %s", err.text);
}

static void test_socket(void)
{
	struct err err = {.text = ""};
	struct loop *other = loop_new();
	struct control *control;
	struct stat st;
	char dead[120];
	int fd;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0660, "mode 0660");
	ok(!control_new(other, path, first, NULL, &err), "a live one: %s",
		err.text);
	is_int(stat(path, &st), 0, "and is not removed");
	snprintf(dead, sizeof(dead), "%s/dead/x.sock", root);
	control = control_new(other, dead, first, NULL, &err);
	ok(control != NULL, "the folder is made");
	control_free(control);
	ok(stat(dead, &st) < 0, "freed: the file is gone");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%.107s", dead);
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		tap_bail("bind");
	close(fd);
	control = control_new(other, dead, first, NULL, &err);
	ok(control != NULL, "a dead one's socket is replaced");
	control_free(control);
	memset(dead, 'x', sizeof(dead) - 1);
	dead[0] = '/';
	dead[sizeof(dead) - 1] = '\0';
	ok(!control_new(other, dead, first, NULL, &err), "too long: %s",
		err.text);
	loop_free(other);
}

static void test_unreachable(void)
{
	struct err err = {.text = ""};
	json_t *result;

	is_int(control_call_path(
		       "/nonexistent/c.sock", "x", NULL, 500, &result, &err),
		-ENOENT, "no socket");
	is_string(err.text, "/nonexistent/c.sock: No such file or directory",
		"says where");
}

int main(void)
{
	struct control *control;
	struct err err = {.text = ""};
	static char word[] = "really";
	pthread_t thread;

	if (!mkdtemp(root))
		tap_bail("mkdtemp");
	snprintf(path, sizeof(path), "%s/c.sock", root);
	loop = loop_new();
	control = control_new(loop, path, first, word, &err);
	if (!control || control_add(control, second, NULL) < 0)
		tap_bail("control_new: %s", err.text);
	if (pthread_create(&thread, NULL, serve, NULL) != 0)
		tap_bail("pthread_create");
	test_calls();
	test_raw();
	test_flood();
	test_gone_client();
	test_socket();
	test_unreachable();
	loop_stop(loop);
	pthread_join(thread, NULL);
	control_free(control);
	control_ok(pending, NULL); /* its connection is gone: only freed */
	loop_free(loop);
	is_int(dir_remove(root, &err), 0, "clean up");
	return tap_done();
}
