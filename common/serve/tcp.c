/* SPDX-License-Identifier: ISC */
/*
 * Connections live in a slot table. Those without an unanswered query form a
 * list, the longest idle first: when the table is full that one makes room
 * (RFC 7766 6.2.3), so idle connections never keep anyone out. A bucket
 * table by client address finds how many connections a client has; an IPv6
 * client is its /64. Networks (/24, /56) are counted by a hash of theirs:
 * the rare two that share a counter share its limit.
 */

#include "common/serve/tcp_impl.h"

#include <errno.h>
#include <unistd.h>

#define TABLE_MIN     16384
#define ACCEPT_BATCH  16
#define BACKLOG       1024
#define NO_FD_WAIT_MS 100

struct serve_tcp_listener {
	struct serve_tcp *tcp;
	struct watch *watch;
	struct timer *retry; /* no descriptors left: look again */
	struct serve_tcp_gate *gate;
	int fd;
	uint16_t index;
};

/* --- clients --- */

static void client_key(const union addr *client, uint8_t key[8])
{
	const uint8_t *octets;
	size_t n = addr_octets(client, &octets);

	memset(key, 0, 8);
	memcpy(key, octets, n == 16 ? 8 : 4);
}

static bool same_client(const union addr *a, const union addr *b)
{
	uint8_t ka[8], kb[8];

	client_key(a, ka);
	client_key(b, kb);
	return a->sa.sa_family == b->sa.sa_family && memcmp(ka, kb, 8) == 0;
}

static uint32_t bucket_of(const struct serve_tcp *tcp, const union addr *client)
{
	uint8_t key[8];

	client_key(client, key);
	return (uint32_t)(hash_bytes(&tcp->key, key, 8) % SERVE_TCP_BUCKETS);
}

static uint64_t client_hash(
	const struct serve_tcp *tcp, const union addr *client)
{
	uint8_t key[9];

	client_key(client, key);
	key[8] = client->sa.sa_family == AF_INET6;
	return hash_bytes(&tcp->key, key, 9);
}

static uint32_t client_count(
	const struct serve_tcp *tcp, const union addr *client)
{
	uint32_t i = tcp->buckets[bucket_of(tcp, client)], n = 0;

	while (i != SLOT_NONE) {
		const struct serve_tcp_conn *c = slots_get(&tcp->conns, i);

		n += same_client(&c->client, client);
		i = c->next;
	}
	return n;
}

static uint32_t net_of(const struct serve_tcp *tcp, const union addr *client)
{
	uint8_t key[9];

	client_key(client, key);
	key[8] = client->sa.sa_family == AF_INET6;
	key[key[8] ? 7 : 3] = 0;
	return (uint32_t)(hash_bytes(&tcp->key, key, 9) % SERVE_TCP_NETS);
}

static bool is_net_full(const struct serve_tcp *tcp, const union addr *client)
{
	uint32_t limit = tcp->limits.tcp_per_net;

	return limit > 0 && tcp->nets[net_of(tcp, client)] >= limit;
}

static void bucket_remove(struct serve_tcp *tcp, const struct serve_tcp_conn *c)
{
	uint32_t self = slots_index(&tcp->conns, c);
	uint32_t *at = &tcp->buckets[c->bucket];

	while (*at != self)
		at = &((struct serve_tcp_conn *)slots_get(&tcp->conns, *at))
			      ->next;
	*at = c->next;
}

/* --- counters of a listener --- */

static void gate_give(struct serve_tcp_gate *gate)
{
	if (gate && --gate->uses == 0)
		free(gate);
}

static void gate_enter(struct serve_tcp_gate *gate)
{
	struct serve_tcp_counts *n = &gate->counts;

	gate->uses++;
	n->accepted++;
	if (++n->open > n->most)
		n->most = n->open;
}

static void gate_leave(const struct serve_tcp_conn *c)
{
	struct serve_tcp_counts *n = &c->gate->counts;
	int64_t life_us = mtime_sub_us(loop_now(c->tcp->loop), c->start);

	n->open--;
	n->ended++;
	n->life_ms += (uint64_t)(life_us / 1000);
	n->reads += stream_reads(c->stream);
	n->ended_queries += c->queries;
	gate_give(c->gate);
}

const struct serve_tcp_counts *serve_tcp_listener_counts(
	const struct serve_tcp_listener *l)
{
	return &l->gate->counts;
}

/* --- one connection --- */

void serve_tcp_conn_free(struct serve_tcp_conn *c)
{
	struct serve_tcp *tcp = c->tcp;
	uint32_t slot = slots_index(&tcp->conns, c);
	uint32_t gen = slots_generation(&tcp->conns, slot);
	bool flows = c->flows > 0;

	gate_leave(c);
	stream_free(c->stream);
	list_remove(&c->idle);
	bucket_remove(tcp, c);
	tcp->nets[c->net]--;
	tcp->stats->tcp_open--;
	slots_give(&tcp->conns, slot);
	if (flows)
		tcp->flow->gone(tcp->arg, slot, gen);
}

static void set_paused(struct serve_tcp_conn *c)
{
	bool paused = c->last || c->inflight >= c->tcp->limits.tcp_inflight;

	if (paused == c->paused)
		return;
	c->paused = paused;
	stream_pause(c->stream, paused);
}

/* Has it asked long enough, or often enough? */
static bool is_last(const struct serve_tcp_conn *c)
{
	const struct serve_config *limits = &c->tcp->limits;
	int64_t age_us = mtime_sub_us(loop_now(c->tcp->loop), c->start);

	return (limits->tcp_queries && c->queries >= limits->tcp_queries) ||
	       (limits->tcp_lifetime_ms &&
		       age_us >= limits->tcp_lifetime_ms * 1000ll);
}

static void count_query(struct serve_tcp_conn *c)
{
	c->queries++;
	c->last |= is_last(c);
	if (c->inflight++ == 0) {
		list_remove(&c->idle);
		stream_set_busy(c->stream, true);
	}
	set_paused(c);
}

void serve_tcp_count_answer(struct serve_tcp_conn *c)
{
	if (c->inflight == 0)
		return; /* answered twice: the owner's fault, harmless here */
	if (--c->inflight == 0) {
		list_append(&c->tcp->idle, &c->idle);
		stream_set_busy(c->stream, false);
		if (c->tcp->pausing || c->last)
			stream_shutdown(c->stream);
	}
	set_paused(c);
}

static void on_message(void *arg, struct stream *s, uint8_t *msg, size_t len)
{
	struct serve_tcp_conn *c = arg;
	struct serve_tcp *tcp = c->tcp;
	uint32_t slot = slots_index(&tcp->conns, c);
	struct serve_request req = {
		.peer = {.client = c->client,
			.local = c->local,
			.listener = c->listener,
			.tcp = true,
			.conn = slot,
			.conn_gen = slots_generation(&tcp->conns, slot)},
		.msg = msg,
		.len = len,
	};

	(void)s;
	tcp->stats->tcp_in++;
	c->gate->counts.queries++;
	count_query(c);
	tcp->fn(tcp->arg, &req); /* may free c */
	if (tcp->batch_end)
		tcp->batch_end(tcp->arg);
}

static void ban(const struct serve_tcp_conn *c)
{
	struct serve_tcp *tcp = c->tcp;

	tcp->stats->tcp_drips++;
	if (tcp->limits.tcp_ban_ms)
		bans_add(&tcp->bans, client_hash(tcp, &c->client),
			mtime_add_ms(
				loop_now(tcp->loop), tcp->limits.tcp_ban_ms));
}

static void on_closed(void *arg, struct stream *s, enum stream_end why)
{
	struct serve_tcp_conn *c = arg;

	(void)s;
	if (why == STREAM_TIMEOUT || why == STREAM_OVERFLOW)
		c->tcp->stats->tcp_timeouts++;
	if (why == STREAM_DRIP)
		ban(c);
	if (c->inflight > 0 || why == STREAM_OVERFLOW)
		c->gate->counts.died_sending++;
	else if (why == STREAM_TIMEOUT || why == STREAM_DRIP)
		c->gate->counts.timeouts++;
	else if (why == STREAM_ERROR)
		c->gate->counts.died_reading++;
	serve_tcp_conn_free(c);
}

static const struct stream_events conn_events = {
	on_message, on_closed, serve_tcp_on_drained};

static bool conn_new(
	struct serve_tcp_listener *l, int fd, const union addr *client)
{
	struct serve_tcp *tcp = l->tcp;
	struct stream_limits limits;
	uint32_t slot = slots_take(&tcp->conns);
	struct serve_tcp_conn *c = slots_get(&tcp->conns, slot);
	socklen_t len = sizeof(c->local);

	if (!c) {
		close(fd);
		return false;
	}
	memset(c, 0, sizeof(*c));
	c->tcp = tcp;
	c->client = *client;
	c->listener = l->index;
	c->gate = l->gate;
	c->start = loop_now(tcp->loop);
	if (getsockname(fd, &c->local.sa, &len) < 0)
		c->local.sa.sa_family = AF_UNSPEC;
	serve_tcp_stream_limits(tcp, &limits);
	c->stream = stream_accepted(tcp->loop, fd, &limits, &conn_events, c);
	if (!c->stream) {
		slots_give(&tcp->conns, slot);
		return false;
	}
	c->bucket = bucket_of(tcp, client);
	c->next = tcp->buckets[c->bucket];
	tcp->buckets[c->bucket] = slot;
	c->net = net_of(tcp, client);
	tcp->nets[c->net]++;
	list_append(&tcp->idle, &c->idle);
	gate_enter(c->gate);
	tcp->stats->tcp_open++;
	return true;
}

/* --- accepting --- */

/* Close the one that idles longest; false when all are at work. */
static bool evict_idle(struct serve_tcp *tcp)
{
	if (list_empty(&tcp->idle))
		return false;
	tcp->stats->tcp_evicted++;
	serve_tcp_conn_free(
		list_entry(tcp->idle.next, struct serve_tcp_conn, idle));
	return true;
}

static bool make_room(struct serve_tcp *tcp)
{
	return tcp->stats->tcp_open < tcp->limits.tcp_max || evict_idle(tcp);
}

static void admit(struct serve_tcp_listener *l, int fd, union addr *client)
{
	struct serve_tcp *tcp = l->tcp;
	struct serve_stats *stats = tcp->stats;

	addr_unmap(client);
	if (tcp->admit && !tcp->admit(tcp->arg, client)) {
		stats->tcp_refused++;
	} else if (bans_hold(&tcp->bans, client_hash(tcp, client),
			   loop_now(tcp->loop))) {
		stats->tcp_banned++;
	} else if (client_count(tcp, client) >= tcp->limits.tcp_per_client) {
		stats->tcp_over_client++;
	} else if (is_net_full(tcp, client)) {
		stats->tcp_over_net++;
	} else if (!make_room(tcp)) {
		stats->tcp_refused++;
	} else {
		if (conn_new(l, fd, client))
			stats->tcp_accepted++;
		return;
	}
	close(fd);
}

/* Out of descriptors: the connection stays in the backlog, which would wake
 * us at once again and again. */
static void wait_for_fds(struct serve_tcp_listener *l)
{
	if (watch_events(l->watch, 0) == 0)
		timer_set_ms(l->retry, NO_FD_WAIT_MS);
}

static void retry_accept(void *arg)
{
	struct serve_tcp_listener *l = arg;

	if (watch_events(l->watch, LOOP_READ) < 0)
		timer_set_ms(l->retry, NO_FD_WAIT_MS);
}

static void acceptable(void *arg, int listen_fd, int events)
{
	struct serve_tcp_listener *l = arg;

	(void)events;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		union addr client;
		socklen_t len = sizeof(client);
		int fd = accept4(listen_fd, &client.sa, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(l, fd, &client);
		} else if (errno == EMFILE || errno == ENFILE ||
			   errno == ENOBUFS || errno == ENOMEM) {
			if (evict_idle(l->tcp))
				continue;
			wait_for_fds(l);
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

static int set_one(int fd, int level, int option)
{
	const int one = 1;

	return setsockopt(fd, level, option, &one, sizeof(one)) < 0 ? -errno
								    : 0;
}

static int listen_options(int fd, int family, bool reuseport, bool freebind)
{
	int rc = set_one(fd, SOL_SOCKET, SO_REUSEADDR);

	if (rc == 0 && reuseport)
		rc = set_one(fd, SOL_SOCKET, SO_REUSEPORT);
	if (rc == 0 && family == AF_INET6)
		rc = set_one(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (rc == 0 && freebind && family == AF_INET6)
		rc = set_one(fd, IPPROTO_IPV6, IPV6_FREEBIND);
	if (rc == 0 && freebind && family == AF_INET)
		rc = set_one(fd, IPPROTO_IP, IP_FREEBIND);
	return rc;
}

static int listen_on(
	const union addr *addr, bool reuseport, bool freebind, struct err *err)
{
	int family = addr->sa.sa_family, rc;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[ADDR_TEXT];

	rc = fd < 0 ? -errno : listen_options(fd, family, reuseport, freebind);
	if (rc == 0 && (bind(fd, &addr->sa, addr_len(addr)) < 0 ||
			       listen(fd, BACKLOG) < 0))
		rc = -errno;
	if (rc == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_fail(err, rc, "listen on TCP %s: %s", addr_print(addr, text),
		strerror(-rc));
}

struct serve_tcp_listener *serve_tcp_listen(struct serve_tcp *tcp,
	const union addr *addr, bool reuseport, bool freebind, struct err *err)
{
	struct serve_tcp_listener *l;
	int fd = listen_on(addr, reuseport, freebind, err);

	if (fd < 0)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l) {
		close(fd);
		err_set(err, "out of memory");
		return NULL;
	}
	l->tcp = tcp;
	l->fd = fd;
	l->retry = timer_new(tcp->loop, retry_accept, l);
	l->watch = watch_open(tcp->loop, fd, LOOP_READ, acceptable, l);
	l->gate = calloc(1, sizeof(*l->gate));
	if (l->gate)
		l->gate->uses = 1;
	if (l->retry && l->watch && l->gate)
		return l;
	err_set(err, "out of memory");
	serve_tcp_listener_close(l);
	return NULL;
}

void serve_tcp_listener_close(struct serve_tcp_listener *l)
{
	if (!l)
		return;
	watch_close(l->watch);
	timer_free(l->retry);
	gate_give(l->gate);
	close(l->fd);
	free(l);
}

void serve_tcp_set_index(struct serve_tcp_listener *l, uint16_t index)
{
	l->index = index;
}

/* --- the table --- */

void serve_tcp_on_batch_end(struct serve_tcp *tcp, serve_batch_fn fn)
{
	tcp->batch_end = fn;
}

void serve_tcp_set_limits(
	struct serve_tcp *tcp, const struct serve_config *config)
{
	tcp->limits = *config;
	if (tcp->limits.tcp_max > tcp->conns.count)
		tcp->limits.tcp_max = tcp->conns.count;
}

struct serve_tcp *serve_tcp_new(struct loop *loop,
	const struct serve_config *config, serve_fn fn, serve_admit_fn admit_fn,
	void *arg, struct serve_stats *stats)
{
	struct serve_tcp *tcp = calloc(1, sizeof(*tcp));
	uint32_t count =
		config->tcp_max > TABLE_MIN ? config->tcp_max : TABLE_MIN;

	if (!tcp)
		return NULL;
	if (slots_init(&tcp->conns, count, sizeof(struct serve_tcp_conn)) < 0) {
		free(tcp);
		return NULL;
	}
	tcp->loop = loop;
	tcp->fn = fn;
	tcp->admit = admit_fn;
	tcp->arg = arg;
	tcp->stats = stats;
	list_init(&tcp->idle);
	hash_key_random(&tcp->key);
	for (unsigned i = 0; i < SERVE_TCP_BUCKETS; i++)
		tcp->buckets[i] = SLOT_NONE;
	serve_tcp_set_limits(tcp, config);
	return tcp;
}

static void free_all_conns(struct serve_tcp *tcp)
{
	for (unsigned i = 0; i < SERVE_TCP_BUCKETS; i++)
		while (tcp->buckets[i] != SLOT_NONE)
			serve_tcp_conn_free(
				slots_get(&tcp->conns, tcp->buckets[i]));
}

void serve_tcp_free(struct serve_tcp *tcp)
{
	if (!tcp)
		return;
	free_all_conns(tcp);
	slots_fini(&tcp->conns);
	free(tcp);
}

void serve_tcp_pause(struct serve_tcp *tcp)
{
	struct list *at;

	tcp->pausing = true;
	list_each(at, &tcp->idle)
		stream_shutdown(
			list_entry(at, struct serve_tcp_conn, idle)->stream);
}
