/* SPDX-License-Identifier: ISC */
/* Client side of the control socket: one blocking call with a deadline. */

#include "common/ctl/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/ctl/control_impl.h"

#define READ_SIZE 65536

static int wait_for(int fd, short events, struct mtime deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left_us;
	int n;

	do {
		left_us = mtime_sub_us(deadline, mtime_now());
		if (left_us <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)((left_us + 999) / 1000));
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static int send_all(int fd, const char *data, size_t len, struct mtime deadline)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLOUT, deadline);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Up to the first newline. */
static int receive_line(int fd, struct text *in, struct mtime deadline)
{
	char buf[READ_SIZE];

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		int rc = 0;

		if (n == 0)
			return -ECONNRESET;
		if (n > 0) {
			text_add_bytes(in, buf, (size_t)n);
			if (in->failed)
				return -EMSGSIZE;
			if (buf[n - 1] == '\n')
				return 0;
		} else if (errno == EAGAIN) {
			rc = wait_for(fd, POLLIN, deadline);
		} else if (errno != EINTR) {
			rc = -errno;
		}
		if (rc < 0)
			return rc;
	}
}

/* The answer's meaning: 0, -EREMOTEIO or -EPROTO. */
static int judge(const struct text *in, json_t **result, struct err *err)
{
	json_error_t why;
	json_t *answer = json_loadb(in->data, in->len, 0, &why);
	const char *text;
	int rc = 0;

	if (!answer)
		return err_fail(err, -EPROTO, "bad answer: %s", why.text);
	text = json_string_value(json_object_get(answer, "error"));
	if (json_is_true(json_object_get(answer, "ok"))) {
		if (result)
			*result =
				json_incref(json_object_get(answer, "result"));
	} else if (text) {
		rc = err_fail(err, -EREMOTEIO, "%s", text);
	} else {
		rc = err_fail(err, -EPROTO, "bad answer");
	}
	json_decref(answer);
	return rc;
}

static char *make_request(const char *verb, const json_t *args)
{
	json_t *request = json_pack("{s:s}", "verb", verb);
	json_t *copy = args ? json_deep_copy(args) : json_object();
	char *text = NULL;

	if (request && json_object_set_new(request, "args", copy) == 0)
		text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	return text;
}

static int talk(int fd, const struct sockaddr_un *sun, const char *request,
	struct mtime deadline, struct text *in)
{
	int rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));

	if (rc < 0)
		return -errno;
	rc = send_all(fd, request, strlen(request), deadline);
	if (rc == 0)
		rc = send_all(fd, "\n", 1, deadline);
	return rc < 0 ? rc : receive_line(fd, in, deadline);
}

int control_call_path(const char *path, const char *verb, const json_t *args,
	int timeout_ms, json_t **result, struct err *err)
{
	struct mtime deadline = mtime_add_ms(mtime_now(), timeout_ms);
	char *request = make_request(verb, args);
	struct sockaddr_un sun;
	struct text in;
	int fd, rc;

	if (result)
		*result = NULL;
	text_init(&in);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!request)
		rc = -ENOMEM;
	else if (fd < 0)
		rc = -errno;
	else
		rc = control_address(path, &sun);
	if (rc == 0)
		rc = talk(fd, &sun, request, deadline, &in);
	if (rc < 0)
		err_set(err, "%s: %s", path,
			rc == -ETIMEDOUT ? "no answer in time" : strerror(-rc));
	else
		rc = judge(&in, result, err);
	if (fd >= 0)
		close(fd);
	free(request);
	text_fini(&in);
	return rc;
}
