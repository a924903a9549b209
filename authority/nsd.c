/* SPDX-License-Identifier: ISC */
/* The client side of NSD's control socket; the only file that knows it. */

#include "authority/nsd.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define COMMAND_MAX 1000
#define LINE_MAX_   2000
#define READ_SIZE   65536

struct nsd_call {
	int fd;
	struct watch *watch;
	struct timer *timer;
	struct text out, in;
	size_t out_pos;
	nsd_done done;
	void *arg;
};

void nsd_cancel(struct nsd_call *call)
{
	if (!call)
		return;
	watch_close(call->watch);
	timer_free(call->timer);
	if (call->fd >= 0)
		close(call->fd);
	text_fini(&call->out);
	text_fini(&call->in);
	free(call);
}

static void finish(struct nsd_call *call, int rc)
{
	nsd_done done = call->done;
	void *arg = call->arg;
	size_t len = call->in.len;
	char *reply = text_take(&call->in);

	nsd_cancel(call);
	done(arg, rc, reply ? reply : "", reply ? len : 0);
	free(reply);
}

/* The whole answer is there. */
static int judge(const struct nsd_call *call)
{
	if (call->in.failed)
		return -EMSGSIZE;
	if (call->in.len == 0 || call->out_pos < call->out.len ||
		call->in.data[call->in.len - 1] != '\n' ||
		strlen(call->in.data) != call->in.len)
		return -EPROTO;
	return strncmp(call->in.data, "error", 5) == 0 ? -EREMOTEIO : 0;
}

/* 0, or what ends the call. */
static int do_write(struct nsd_call *call)
{
	while (call->out_pos < call->out.len) {
		ssize_t n = send(call->fd, call->out.data + call->out_pos,
			call->out.len - call->out_pos,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EPIPE ? 0 : -errno;
		call->out_pos += (size_t)n;
	}
	watch_events(call->watch, LOOP_READ);
	return 0;
}

/* 1: more may come; 0: it is all; else an error. */
static int do_read(struct nsd_call *call)
{
	char buf[READ_SIZE];
	ssize_t n = recv(call->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -errno;
	text_add_bytes(&call->in, buf, (size_t)n);
	return n > 0 && !call->in.failed;
}

static void on_event(void *arg, int fd, int events)
{
	struct nsd_call *call = arg;
	int rc = 1;

	(void)fd;
	if (events & LOOP_WRITE) {
		rc = do_write(call);
		if (rc < 0) {
			finish(call, rc);
			return;
		}
	}
	if (events & LOOP_READ) {
		rc = do_read(call);
		if (rc <= 0)
			finish(call, rc < 0 ? rc : judge(call));
	}
}

static void on_timeout(void *arg)
{
	finish(arg, -ETIMEDOUT);
}

/* No line may be longer than NSD's buffer, nor end the bulk early. */
static bool lines_fit(const char *lines)
{
	while (*lines) {
		size_t n = strcspn(lines, "\n");

		if (n == 0 || n > LINE_MAX_ || lines[n] != '\n' ||
			memchr(lines, 4, n))
			return false;
		lines += n + 1;
	}
	return true;
}

/* Header and command in one write: NSD reads seven octets at first. */
static int make_request(
	struct nsd_call *call, const char *command, const char *lines)
{
	if (strlen(command) > COMMAND_MAX || strchr(command, '\n') ||
		(lines && !lines_fit(lines)))
		return -EINVAL;
	text_add(&call->out, "NSDCT1 %s\n", command);
	if (lines) {
		text_add_bytes(&call->out, lines, strlen(lines));
		text_add(&call->out, "\004\n");
	}
	return call->out.failed ? -ENOMEM : 0;
}

static int open_socket(struct nsd_call *call, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	call->fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (call->fd < 0 || connect(call->fd, (const struct sockaddr *)&sun,
				    sizeof(sun)) < 0)
		return -errno;
	return 0;
}

struct nsd_call *nsd_call(struct loop *loop, const char *path,
	const char *command, const char *lines, int timeout_ms, nsd_done done,
	void *arg, struct err *err)
{
	struct nsd_call *call = calloc(1, sizeof(*call));
	int rc;

	if (!call) {
		err_set(err, "out of memory");
		return NULL;
	}
	call->fd = -1;
	call->done = done;
	call->arg = arg;
	text_init(&call->in);
	text_init(&call->out);
	rc = make_request(call, command, lines);
	if (rc == 0)
		rc = open_socket(call, path);
	if (rc == 0) {
		call->watch = watch_open(
			loop, call->fd, LOOP_READ | LOOP_WRITE, on_event, call);
		call->timer = timer_new(loop, on_timeout, call);
		rc = call->watch && call->timer ? 0 : -ENOMEM;
	}
	if (rc == 0) {
		timer_set_ms(call->timer, timeout_ms);
		return call;
	}
	err_set(err, "%s: %s", path, strerror(-rc));
	nsd_cancel(call);
	return NULL;
}

size_t nsd_bulk_errors(const char *reply, struct err *err)
{
	size_t count = 0;

	while (*reply) {
		size_t n = strcspn(reply, "\n");

		if (strncmp(reply, "error", 5) == 0 ||
			strncmp(reply, "warning", 7) == 0) {
			if (count++ == 0)
				err_set(err, "%.*s", (int)(n > 200 ? 200 : n),
					reply);
		}
		reply += n + (reply[n] == '\n');
	}
	return count;
}

void nsd_parse_stats(const char *reply,
	void (*each)(void *arg, const char *name, double value), void *arg)
{
	while (*reply) {
		size_t n = strcspn(reply, "\n"), key = strcspn(reply, "=\n");
		char name[64], *end;
		double value;

		if (key > 0 && key < n && key < sizeof(name) &&
			reply[n] == '\n') {
			snprintf(name, sizeof(name), "%.*s", (int)key, reply);
			value = strtod(reply + key + 1, &end);
			if (end == reply + n && end > reply + key + 1)
				each(arg, name, value);
		}
		reply += n + (reply[n] == '\n');
	}
}
