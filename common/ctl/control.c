/* SPDX-License-Identifier: ISC */
/*
 * Server side of the control socket. One request of a connection runs at a
 * time; while it does, nothing is read from that connection, so a client
 * cannot pile up work. A connection is freed only at the end of the callback
 * that saw it die (conn_settle).
 */

#include "common/ctl/control.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/ctl/control_impl.h"
#include "common/ctl/file.h"

#define LINE_MAX_IN ((size_t)4 << 20)
#define CONN_MAX    16
#define IDLE_MS     30000
#define TABLES_MAX  8
#define READ_SIZE   65536

struct command_table {
	const struct control_command *commands;
	void *arg;
};

struct control {
	struct loop *loop;
	char *path;
	int fd;
	struct watch *watch;
	struct command_table tables[TABLES_MAX];
	size_t table_count;
	struct list conns;
	unsigned conn_count;
};

struct conn {
	struct list link;
	struct control *control;
	int fd;
	struct watch *watch;
	struct timer *idle;
	struct text in, out;
	size_t out_pos;
	struct control_call *call; /* being answered */
	bool running;              /* inside conn_run */
	bool dead, eof;
};

struct control_call {
	struct conn *conn; /* NULL: the control is gone */
	json_t *request;
};

static void conn_free(struct conn *conn)
{
	if (conn->call)
		conn->call->conn = NULL;
	list_remove(&conn->link);
	conn->control->conn_count--;
	watch_close(conn->watch);
	timer_free(conn->idle);
	close(conn->fd);
	text_fini(&conn->in);
	text_fini(&conn->out);
	free(conn);
}

static void conn_write(struct conn *conn)
{
	while (conn->out_pos < conn->out.len && !conn->dead) {
		ssize_t n = send(conn->fd, conn->out.data + conn->out_pos,
			conn->out.len - conn->out_pos,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			conn->out_pos += (size_t)n;
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			conn->dead = true;
	}
	text_fini(&conn->out);
	conn->out_pos = 0;
}

/* What to wait for next; or the end. */
static void conn_settle(struct conn *conn)
{
	int events = 0;

	if (conn->out.failed || (conn->eof && !conn->call && !conn->out.len))
		conn->dead = true;
	if (conn->dead && !conn->call) {
		conn_free(conn);
		return;
	}
	if (!conn->call && !conn->eof)
		events |= LOOP_READ;
	if (conn->out.len > 0 && !conn->dead)
		events |= LOOP_WRITE;
	watch_events(conn->watch, events);
	if (conn->call)
		timer_clear(conn->idle);
	else
		timer_set_ms(conn->idle, IDLE_MS);
}

static void reply(struct control_call *call, json_t *answer)
{
	struct conn *conn = call->conn;
	char *text = conn ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (conn) {
		conn->call = NULL;
		if (text) {
			text_add_bytes(&conn->out, text, strlen(text));
			text_add(&conn->out, "\n");
			conn_write(conn);
		} else {
			conn->dead = true;
		}
	}
	free(text);
	json_decref(answer);
	json_decref(call->request);
	free(call);
	if (conn && !conn->running)
		control_conn_run(conn);
}

void control_ok(struct control_call *call, json_t *result)
{
	reply(call, json_pack("{s:b, s:o}", "ok", 1, "result",
			    result ? result : json_object()));
}

void control_fail(struct control_call *call, const char *fmt, ...)
{
	char text[ERR_MAX];
	va_list args;
	json_t *line;
	char *p;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (p = text; *p; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	line = json_string(text); /* NULL when it is not UTF-8 */
	if (!line)
		line = json_string("failed (the reason is not UTF-8)");
	reply(call, json_pack("{s:b, s:o}", "ok", 0, "error", line));
}

static const struct control_command *find_command(
	const struct control *control, const char *verb, void **arg)
{
	for (size_t i = 0; i < control->table_count; i++) {
		const struct control_command *c = control->tables[i].commands;

		for (; c->verb; c++) {
			if (strcmp(c->verb, verb) != 0)
				continue;
			*arg = control->tables[i].arg;
			return c;
		}
	}
	return NULL;
}

static void dispatch(struct control_call *call, json_error_t *parse_error)
{
	struct control *control = call->conn->control;
	const struct control_command *command;
	json_t *args;
	const char *verb;
	void *arg;

	if (!call->request) {
		control_fail(call, "not JSON: %s", parse_error->text);
		return;
	}
	verb = json_string_value(json_object_get(call->request, "verb"));
	if (!verb) {
		control_fail(call, "no verb");
		return;
	}
	command = find_command(control, verb, &arg);
	if (!command) {
		control_fail(call, "unknown verb \"%.64s\"", verb);
		return;
	}
	args = json_object_get(call->request, "args");
	if (!args) {
		args = json_object();
		if (json_object_set_new(call->request, "args", args) < 0) {
			control_fail(call, "out of memory");
			return;
		}
	}
	if (!json_is_object(args))
		control_fail(call, "args must be an object");
	else
		command->run(arg, call, args);
}

/* Take one line out of the input and run it. */
static void run_line(struct conn *conn, size_t len)
{
	struct control_call *call = calloc(1, sizeof(*call));
	json_error_t parse_error;
	size_t left = conn->in.len - len - 1;

	if (!call) {
		conn->dead = true;
		return;
	}
	call->conn = conn;
	call->request = json_loadb(
		conn->in.data, len, JSON_REJECT_DUPLICATES, &parse_error);
	memmove(conn->in.data, conn->in.data + len + 1, left);
	conn->in.len = left;
	conn->in.data[left] = '\0';
	conn->call = call;
	dispatch(call, &parse_error);
}

/* Run whole lines until one takes its time. May free `conn`. */
void control_conn_run(struct conn *conn)
{
	conn->running = true;
	while (!conn->call && !conn->dead && conn->in.len > 0) {
		const char *end = memchr(conn->in.data, '\n', conn->in.len);

		if (!end)
			break;
		run_line(conn, (size_t)(end - conn->in.data));
	}
	conn->running = false;
	conn_settle(conn);
}

static void conn_read(struct conn *conn)
{
	char buf[READ_SIZE];
	ssize_t n = recv(conn->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0)
		text_add_bytes(&conn->in, buf, (size_t)n);
	else if (n == 0)
		conn->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		conn->dead = true;
	if (conn->in.failed || conn->in.len > LINE_MAX_IN)
		conn->dead = true;
}

static void conn_event(void *arg, int fd, int events)
{
	struct conn *conn = arg;

	(void)fd;
	if (events & LOOP_WRITE)
		conn_write(conn);
	if (events & LOOP_READ)
		conn_read(conn);
	control_conn_run(conn);
}

static void conn_idle(void *arg)
{
	struct conn *conn = arg;

	if (!conn->call)
		conn_free(conn);
}

static void conn_new(struct control *control, int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(fd);
		return;
	}
	conn->control = control;
	conn->fd = fd;
	text_init(&conn->in);
	text_init(&conn->out);
	list_append(&control->conns, &conn->link);
	control->conn_count++;
	conn->watch =
		watch_open(control->loop, fd, LOOP_READ, conn_event, conn);
	conn->idle = timer_new(control->loop, conn_idle, conn);
	if (!conn->watch || !conn->idle)
		conn_free(conn);
	else
		timer_set_ms(conn->idle, IDLE_MS);
}

static void accept_event(void *arg, int listen_fd, int events)
{
	struct control *control = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	if (control->conn_count >= CONN_MAX) {
		LOG_EVERY(60, LOG_LVL_WARN, "control: too many connections");
		close(fd);
		return;
	}
	conn_new(control, fd);
}

int control_address(const char *path, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	memcpy(sun->sun_path, path, strlen(path) + 1);
	return 0;
}

/* Does somebody accept there? A dead one's socket file is removed. */
static int clear_path(const struct sockaddr_un *sun, struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return err_fail(err, -errno, "socket: %s", strerror(errno));
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	rc = rc < 0 ? -errno : 0;
	close(fd);
	if (rc == 0 || rc == -EAGAIN)
		return err_fail(err, -EADDRINUSE,
			"%s: another one is running here", sun->sun_path);
	if (rc == -ECONNREFUSED && unlink(sun->sun_path) < 0)
		return err_fail(err, -errno, "%s: cannot remove: %s",
			sun->sun_path, strerror(errno));
	return 0;
}

static int make_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	if (!slash || slash == path)
		return 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	return dir_make(folder, 0755, err);
}

/* Closed to all until its mode is right: nobody connects before listen. */
static int listen_at(const char *path, struct err *err)
{
	struct sockaddr_un sun;
	int fd, rc;

	if (control_address(path, &sun) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", path);
	rc = make_folder(path, err);
	if (rc == 0)
		rc = clear_path(&sun, err);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 &&
		bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0 &&
		chmod(path, 0660) == 0 && listen(fd, CONN_MAX) == 0)
		return fd;
	rc = err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

struct control *control_new(struct loop *loop, const char *path,
	const struct control_command *commands, void *arg, struct err *err)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		err_set(err, "out of memory");
		return NULL;
	}
	control->loop = loop;
	list_init(&control->conns);
	control->fd = listen_at(path, err);
	if (control->fd < 0) {
		free(control);
		return NULL;
	}
	control->path = strdup(path);
	control->watch =
		watch_open(loop, control->fd, LOOP_READ, accept_event, control);
	if (!control->path || !control->watch ||
		control_add(control, commands, arg) < 0) {
		err_set(err, "out of memory");
		control_free(control);
		return NULL;
	}
	return control;
}

int control_add(struct control *control, const struct control_command *commands,
	void *arg)
{
	if (control->table_count == TABLES_MAX)
		return -ENOSPC;
	control->tables[control->table_count].commands = commands;
	control->tables[control->table_count++].arg = arg;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (!list_empty(&control->conns))
		conn_free(list_entry(control->conns.next, struct conn, link));
	watch_close(control->watch);
	if (control->path)
		unlink(control->path);
	close(control->fd);
	free(control->path);
	free(control);
}
