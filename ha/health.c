/* SPDX-License-Identifier: ISC */
#include "ha/health.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/ctl/heartbeat.h"

/*
 * Several connections may exist for a moment, when a new frontend starts
 * while the old one still drains: the one that began to speak last counts,
 * and when it goes another that still speaks takes its place.
 */

enum {
	RISE_S = 3,
	RISE_MAX_S = 120,
	FLAP_S = 600
};

static void set_conf(struct track_beat_conf *c)
{
	c->period_us = HEARTBEAT_MS * 1000;
	c->missed = HEARTBEAT_MISS;
	c->rise_us = RISE_S * 1000000LL;
	c->rise_max_us = RISE_MAX_S * 1000000LL;
	c->flap_us = FLAP_S * 1000000LL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, rc;

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
		chmod(path, 0660) == 0 && listen(fd, HEALTH_CONNS) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int health_open(struct health *h, const char *path, struct err *err)
{
	int fd;

	memset(h, 0, sizeof(*h));
	set_conf(&h->conf);
	track_beat_init(&h->beat, &h->conf);
	h->listener.fd = -1;
	for (size_t i = 0; i < HEALTH_CONNS; i++) {
		h->conns[i].owner = h;
		h->conns[i].sock.fd = h->conns[i].pidfd.fd = -1;
	}
	fd = listen_at(path);
	if (fd < 0)
		return err_fail(err, fd, "%s: %s", path, strerror(-fd));
	h->listener.fd = fd;
	snprintf(h->path, sizeof(h->path), "%s", path);
	return 0;
}

static void close_item(struct health *h, struct poll_item *item)
{
	if (item->fd < 0)
		return;
	poll_del(h->poll, item);
	close(item->fd);
	item->fd = -1;
}

static void conn_close(struct health_conn *c)
{
	struct health *h = c->owner;

	close_item(h, &c->sock);
	close_item(h, &c->pidfd);
	c->speaks = false;
	if (h->current != c)
		return;
	h->current = NULL;
	for (size_t i = 0; i < HEALTH_CONNS; i++)
		if (h->conns[i].speaks)
			h->current = &h->conns[i];
	if (h->current)
		return;
	h->deaths++;
	track_beat_gone(&h->beat, &h->conf, h->poll->now_us);
}

static void on_death(void *arg)
{
	conn_close(arg);
}

static enum track_service to_service(enum heartbeat_state state)
{
	switch (state) {
	case HEARTBEAT_OK:
		return TRACK_SERVICE_OK;
	case HEARTBEAT_DEGRADED:
		return TRACK_SERVICE_DEGRADED;
	case HEARTBEAT_DRAINING:
		return TRACK_SERVICE_DRAINING;
	case HEARTBEAT_FAILED:
		break;
	}
	return TRACK_SERVICE_FAILED;
}

static void take_beat(struct health_conn *c, const char *data, size_t len)
{
	struct health *h = c->owner;
	struct heartbeat hb;

	if (!heartbeat_decode(data, len, &hb)) {
		h->malformed++;
		return;
	}
	if (!c->speaks) {
		c->speaks = true;
		h->current = c;
	}
	if (h->current != c)
		return;
	h->beats++;
	track_beat_heard(
		&h->beat, &h->conf, to_service(hb.state), h->poll->now_us);
}

static void on_data(void *arg)
{
	struct health_conn *c = arg;
	char data[HEARTBEAT_MAX * 2];
	ssize_t n;

	while (c->sock.fd >= 0) {
		n = recv(c->sock.fd, data, sizeof(data), MSG_DONTWAIT);
		if (n > 0)
			take_beat(c, data, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			conn_close(c);
		else
			return;
	}
}

static struct health_conn *free_conn(struct health *h)
{
	for (size_t i = 0; i < HEALTH_CONNS; i++)
		if (h->conns[i].sock.fd < 0)
			return &h->conns[i];
	return NULL;
}

static void watch_pid(struct health *h, struct health_conn *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(c->sock.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 ||
		cred.pid <= 0)
		return;
	c->pid = cred.pid;
	c->pidfd.fd = (int)syscall(SYS_pidfd_open, cred.pid, 0);
	if (c->pidfd.fd < 0)
		return;
	c->pidfd.ready = on_death;
	c->pidfd.arg = c;
	if (poll_add(h->poll, &c->pidfd) < 0) {
		close(c->pidfd.fd);
		c->pidfd.fd = -1;
	}
}

static void on_connect(void *arg)
{
	struct health *h = arg;
	struct health_conn *c = free_conn(h);
	int fd = accept4(
		h->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (!c) {
		close(fd);
		return;
	}
	c->sock.fd = fd;
	c->sock.ready = on_data;
	c->sock.arg = c;
	if (poll_add(h->poll, &c->sock) < 0) {
		close(fd);
		c->sock.fd = -1;
		return;
	}
	watch_pid(h, c);
}

int health_watch(struct health *h, struct poll *poll)
{
	h->poll = poll;
	h->listener.ready = on_connect;
	h->listener.arg = h;
	return poll_add(poll, &h->listener);
}

void health_close(struct health *h)
{
	for (size_t i = 0; i < HEALTH_CONNS; i++) {
		close_item(h, &h->conns[i].sock);
		close_item(h, &h->conns[i].pidfd);
	}
	if (h->listener.fd < 0)
		return;
	if (h->poll)
		poll_del(h->poll, &h->listener);
	close(h->listener.fd);
	h->listener.fd = -1;
	unlink(h->path);
}
