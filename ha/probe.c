/* SPDX-License-Identifier: ISC */
#include "ha/probe.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/hash.h"

/*
 * After a failure the address is given up and cannot be asked any more, so
 * the failure is held for a while and then forgotten; if it was real it will
 * be found again, and then held longer.
 */

enum {
	HOLD_S = 3,
	HOLD_MAX_S = 120,
	FLAP_S = 600,
	QUERY_MAX = 300
};

void probe_init(struct probe *p, struct poll *poll)
{
	memset(p, 0, sizeof(*p));
	p->poll = poll;
	p->item.fd = -1;
	p->next_us = INT64_MAX;
	p->hold_us = HOLD_S * 1000000LL;
}

static void result(struct probe *p, bool good, int64_t now)
{
	p->waiting = false;
	p->next_us = now + p->conf->interval_us;
	if (!good)
		p->silent_us = p->asked_us;
	if (!track_probe_result(&p->judge, good, p->conf->fall, PROBE_OF))
		return;
	if (p->held_us > now)
		return;
	if (p->failed_us && now - p->failed_us < FLAP_S * 1000000LL)
		p->hold_us *= 2;
	else
		p->hold_us = HOLD_S * 1000000LL;
	if (p->hold_us > HOLD_MAX_S * 1000000LL)
		p->hold_us = HOLD_MAX_S * 1000000LL;
	p->failed_us = now;
	p->held_us = now + p->hold_us;
}

static void on_answer(void *arg)
{
	struct probe *p = arg;
	int64_t now = mtime_now().us;
	uint8_t in[512];
	ssize_t n;

	for (;;) {
		n = recv(p->item.fd, in, sizeof(in), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) { /* nobody listens there */
			if (p->waiting)
				result(p, false, now);
			return;
		}
		if (n < 12 || get16(in) != p->id || !(in[2] & 0x80) ||
			!p->waiting)
			continue;
		p->answered++;
		p->proven = true;
		result(p, true, now);
	}
}

/* A connected socket keeps the source address of then, although the address
 * may have left this machine since. */
static bool route_anew(struct probe *p)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	return connect(p->item.fd, &none, sizeof(none)) == 0 &&
	       connect(p->item.fd, &p->to.sa, addr_len(&p->to)) == 0;
}

/* It cannot be asked from here: what is known of it is no more. */
static void unsent(struct probe *p, int64_t now)
{
	p->waiting = false;
	p->believed |= p->proven;
	p->proven = false;
	memset(&p->judge, 0, sizeof(p->judge));
	p->next_us = now + p->conf->interval_us;
}

static void ask(struct probe *p, int64_t now)
{
	uint8_t out[QUERY_MAX];
	struct wbuf w;

	if (p->afar && !route_anew(p)) {
		unsent(p, now);
		return;
	}
	random_bytes(&p->id, sizeof(p->id));
	wbuf_init(&w, out, sizeof(out));
	wbuf_u16(&w, p->id);
	wbuf_u16(&w, 0x0100); /* RD */
	wbuf_u16(&w, 1);
	wbuf_u16(&w, 0);
	wbuf_u32(&w, 0);
	wbuf_bytes(&w, p->conf->qname, p->conf->qname_len);
	wbuf_u16(&w, 1); /* A */
	wbuf_u16(&w, 1); /* IN */
	p->asked++;
	p->asked_us = now;
	p->waiting = true;
	p->next_us = now + p->conf->timeout_us;
	if (send(p->item.fd, out, w.pos, MSG_DONTWAIT) >= 0)
		return;
	if (errno == ECONNREFUSED)
		result(p, false, now);
	else if (p->afar)
		unsent(p, now);
}

int probe_start(struct probe *p, const struct config_probe *conf,
	uint8_t family, const uint8_t *octets, int index, int64_t now_us)
{
	union addr to = {0};
	int rc = 0;

	probe_stop(p);
	p->conf = conf;
	if (family == 6) {
		to.v6.sin6_family = AF_INET6;
		memcpy(&to.v6.sin6_addr, octets, 16);
		if (IN6_IS_ADDR_LINKLOCAL(&to.v6.sin6_addr))
			to.v6.sin6_scope_id = (uint32_t)index;
	} else {
		to.v4.sin_family = AF_INET;
		memcpy(&to.v4.sin_addr, octets, 4);
	}
	addr_set_port(&to, conf->port);
	p->to = to;
	p->item.fd = socket(
		to.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->item.fd < 0)
		return -errno;
	p->item.ready = on_answer;
	p->item.arg = p;
	if (!p->afar && connect(p->item.fd, &to.sa, addr_len(&to)) < 0)
		rc = -errno;
	if (rc == 0)
		rc = poll_add(p->poll, &p->item);
	if (rc < 0) {
		close(p->item.fd);
		p->item.fd = -1;
		return rc;
	}
	p->next_us = now_us + conf->interval_us;
	return 0;
}

bool probe_reconf(struct probe *p, const struct config_probe *conf)
{
	bool same = !p->conf || p->conf->port == conf->port;

	p->conf = conf; /* the other one may go */
	return same;
}

void probe_stop(struct probe *p)
{
	if (p->item.fd >= 0) {
		poll_del(p->poll, &p->item);
		close(p->item.fd);
	}
	p->item.fd = -1;
	p->waiting = p->proven = p->believed = false;
	p->next_us = INT64_MAX;
	memset(&p->judge, 0, sizeof(p->judge));
}

void probe_at_once(struct probe *p, int64_t now_us)
{
	if (p->item.fd >= 0)
		p->next_us = now_us;
}

void probe_believe(struct probe *p)
{
	p->believed = true;
}

bool probe_is_silent(const struct probe *p)
{
	return p->judge.failed;
}

bool probe_answers(const struct probe *p)
{
	return p->proven && !p->judge.failed;
}

bool probe_running(const struct probe *p)
{
	return p->item.fd >= 0;
}

int64_t probe_deadline(const struct probe *p)
{
	return p->next_us < p->held_us || p->held_us == 0 ? p->next_us
							  : p->held_us;
}

void probe_tick(struct probe *p, int64_t now_us)
{
	if (p->held_us && now_us >= p->held_us)
		p->held_us = 0;
	if (p->item.fd < 0 || now_us < p->next_us)
		return;
	if (p->waiting && (p->proven || p->believed)) {
		result(p, false, now_us);
	} else if (p->waiting) {
		p->waiting = false;
		p->next_us = now_us + p->conf->interval_us;
	} else {
		ask(p, now_us);
	}
}

void probe_excuse(struct probe *p, int64_t late_us)
{
	if (p->waiting)
		p->next_us += late_us;
}

bool probe_failed(const struct probe *p, int64_t now_us)
{
	return p->held_us > now_us;
}
