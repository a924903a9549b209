/* SPDX-License-Identifier: ISC */
/*
 * A table by descriptor. An entry is of the connection it was made for only
 * while the peer's address and port are the same, so a descriptor that was
 * closed and given out again starts anew.
 */

#include "mgmt/guard.h"

#include "common/net/addr.h"

#define FDS     4096
#define SCAN_MS 500

struct entry {
	union addr peer;
	struct mtime deadline;
	bool known, asked, forever;
};

struct guard {
	struct timer *timer;
	uint16_t ports[2];
	int64_t request_ms;
	uint64_t ended;
	struct entry entries[FDS];
};

/* A TCP connection of ours? Then *peer. */
static bool is_ours(const struct guard *g, int fd, union addr *peer)
{
	union addr local;
	socklen_t len = sizeof(local), peer_len = sizeof(*peer);

	memset(&local, 0, sizeof(local));
	memset(peer, 0, sizeof(*peer));
	if (getsockname(fd, &local.sa, &len) ||
		(local.sa.sa_family != AF_INET &&
			local.sa.sa_family != AF_INET6))
		return false;
	if (addr_port(&local) != g->ports[0] &&
		addr_port(&local) != g->ports[1])
		return false;
	return getpeername(fd, &peer->sa, &peer_len) == 0;
}

static struct entry *entry_of(struct guard *g, int fd, const union addr *peer)
{
	struct entry *e = &g->entries[fd];

	if (e->known && addr_equal(&e->peer, peer))
		return e;
	*e = (struct entry){.peer = *peer, .known = true};
	e->deadline = mtime_add_ms(mtime_now(), g->request_ms);
	return e;
}

/* Connections of the address that have not asked anything, with lower
 * descriptors than this one. */
static unsigned silent_before(const struct guard *g, int fd)
{
	unsigned n = 0;

	for (int i = 0; i < fd; i++)
		if (g->entries[i].known && !g->entries[i].asked &&
			addr_equal_ip(
				&g->entries[i].peer, &g->entries[fd].peer))
			n++;
	return n;
}

static void look_at(struct guard *g, int fd)
{
	union addr peer;
	struct entry *e;
	bool late;

	if (!is_ours(g, fd, &peer)) {
		g->entries[fd].known = false;
		return;
	}
	e = entry_of(g, fd, &peer);
	late = !e->forever && !mtime_before(mtime_now(), e->deadline);
	if (!late && (e->asked || silent_before(g, fd) < GUARD_PER_ADDRESS))
		return;
	g->ended++;
	e->known = false;
	shutdown(fd, SHUT_RDWR);
}

static void scan(void *arg)
{
	struct guard *g = arg;

	timer_set_ms(g->timer, SCAN_MS);
	for (int fd = 0; fd < FDS; fd++)
		look_at(g, fd); /* getsockname fails fast on what is closed */
}

struct guard *guard_new(
	struct loop *loop, const uint16_t ports[2], int64_t request_ms)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->ports[0] = ports[0];
	g->ports[1] = ports[1];
	g->request_ms = request_ms;
	g->timer = timer_new(loop, scan, g);
	if (!g->timer) {
		free(g);
		return NULL;
	}
	timer_set_ms(g->timer, SCAN_MS);
	return g;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	timer_free(guard->timer);
	free(guard);
}

void guard_request(struct guard *guard, int fd, int64_t ms)
{
	union addr peer;
	struct entry *e;

	if (fd < 0 || fd >= FDS || !is_ours(guard, fd, &peer))
		return;
	e = entry_of(guard, fd, &peer);
	e->asked = true;
	e->forever = ms < 0;
	e->deadline = mtime_add_ms(mtime_now(), guard->request_ms + ms);
}

uint64_t guard_ended(const struct guard *guard)
{
	return guard->ended;
}
