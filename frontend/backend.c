/* SPDX-License-Identifier: ISC */
/*
 * An attempt is one question sent to one server. Its random id, unique among
 * those of this worker, finds it again; its socket must be the one the answer
 * came by. Attempts live in fixed slots; each is in the list of its socket or
 * connection, which is walked when the network says that nobody is there.
 */

#include "frontend/backend_impl.h"

#include "common/base/buf.h"

#include <errno.h>

#define TCP_PATIENCE 3 /* time-outs in a row that condemn a connection */

/* --- attempts ---------------------------------------------------------- */

/* Drawn one ahead: its place in the table is far away in memory. */
static uint16_t free_id(struct backends *b)
{
	uint16_t id = b->next_id;

	while (b->by_id[id])
		id = (uint16_t)rng_next(b->rng);
	b->next_id = (uint16_t)rng_next(b->rng);
	__builtin_prefetch(&b->by_id[b->next_id], 1);
	return id;
}

void backend_renew_id(struct backends *b, struct attempt *a)
{
	uint16_t slot = b->by_id[a->id];

	b->by_id[a->id] = 0;
	a->id = free_id(b);
	b->by_id[a->id] = slot;
}

static struct attempt *attempt_take(struct backends *b, struct upstream *up,
	const struct cache_key *key, bool rd, uint32_t tag, uint32_t *index)
{
	uint32_t i = slots_take(&b->attempts);
	struct attempt *a;

	if (i == SLOT_NONE)
		return NULL;
	a = slots_get(&b->attempts, i);
	memset(a, 0, sizeof(*a));
	list_init(&a->link);
	a->up = up;
	a->key = key;
	a->tag = tag;
	a->rd = rd;
	a->sent = loop_now(b->loop);
	a->id = free_id(b);
	b->by_id[a->id] = (uint16_t)(i + 1);
	(void)__atomic_fetch_add(&up->server->outstanding, 1, __ATOMIC_RELAXED);
	*index = i;
	return a;
}

void backend_give(struct backends *b, struct attempt *a)
{
	struct upstream *up = a->up;

	list_remove(&a->link);
	if (a->sock)
		upstream_done(a->sock);
	else if (up->stream && list_empty(&up->tcp_attempts))
		stream_set_busy(up->stream, false);
	b->by_id[a->id] = 0;
	(void)__atomic_fetch_sub(&up->server->outstanding, 1, __ATOMIC_RELAXED);
	slots_give(&b->attempts, slots_index(&b->attempts, a));
}

/* Until the main thread has judged it (50 ms) others are preferred. */
static void count_error(struct backends *b, struct server *server)
{
	server_count(&server->errors);
	metric_inc(b->row, STAT_SEND_ERRORS);
	server_doubt(server);
}

void backend_fail(
	struct backends *b, struct attempt *a, enum backend_failure why)
{
	uint32_t index = slots_index(&b->attempts, a), tag = a->tag;
	struct server *server = a->up->server;

	if (why == BACKEND_REFUSED)
		count_error(b, server);
	backend_give(b, a);
	b->events->failed(b->arg, tag, index, server, why);
}

void backend_fail_all(
	struct backends *b, struct list *list, enum backend_failure why)
{
	struct list doomed;

	list_init(&doomed);
	while (!list_empty(list)) {
		struct list *first = list->next;

		list_remove(first);
		list_append(&doomed, first);
	}
	while (!list_empty(&doomed))
		backend_fail(
			b, list_entry(doomed.next, struct attempt, link), why);
}

struct attempt *backend_attempt_of(struct backends *b, const uint8_t *msg)
{
	uint32_t i = b->by_id[msg_id(msg)];

	return i ? slots_get(&b->attempts, i - 1) : NULL;
}

/* --- asking ------------------------------------------------------------ */

size_t backend_make_query(const struct attempt *a, uint8_t *out, size_t size)
{
	const struct cache_key *key = a->key;
	/* AD: we understand it (RFC 6840 5.7); clients get it as they ask */
	unsigned flags = MSG_AD;
	size_t len, option;

	if (a->rd)
		flags |= MSG_RD;
	if (key->bits & CACHE_CD)
		flags |= MSG_CD;
	len = msg_make_query(out, size, a->id, key->name, key->name_len,
		key->type, key->class, (uint16_t)flags, EDNS_OUR_PAYLOAD,
		key->bits & CACHE_DO);
	if (!(key->bits & CACHE_ECS))
		return len;
	option = ecs_write(cache_key_ecs(key), 0, out + len);
	put16(out + len - 2, (uint16_t)option); /* the OPT's RDLENGTH */
	return len + option;
}

int backend_ask(struct backends *b, struct server *server,
	const struct cache_key *key, bool rd, bool tcp, uint32_t tag,
	uint32_t *attempt)
{
	struct upstream *up = b->ups[server->id];
	struct attempt *a;
	int rc;

	if (!up || up->server != server)
		return -ENOENT;
	a = attempt_take(b, up, key, rd, tag, attempt);
	if (!a)
		return -ENOBUFS;
	rc = tcp ? backend_ask_tcp(b, a) : backend_ask_udp(b, a);
	if (rc < 0) {
		/* it waits nowhere yet: free it without touching a list */
		b->by_id[a->id] = 0;
		(void)__atomic_fetch_sub(
			&server->outstanding, 1, __ATOMIC_RELAXED);
		slots_give(&b->attempts, *attempt);
		count_error(b, server);
		*attempt = ATTEMPT_NONE;
		return rc;
	}
	server_count(&server->queries);
	return 0;
}

static void count_timeout(struct backends *b, struct attempt *a)
{
	if (a->late)
		return;
	a->late = true;
	server_count(&a->up->server->timeouts);
	metric_inc(b->row, STAT_TIMEOUTS);
}

void backend_late(struct backends *b, uint32_t attempt)
{
	struct attempt *a = slots_get(&b->attempts, attempt);

	if (a)
		count_timeout(b, a);
}

void backend_forget(struct backends *b, uint32_t attempt, bool timed_out)
{
	struct attempt *a = slots_get(&b->attempts, attempt);
	struct upstream *up;
	bool tcp;

	if (!a)
		return;
	up = a->up;
	tcp = !a->sock;
	if (timed_out)
		count_timeout(b, a);
	if (a->sock)
		upstream_forget(a->sock, a->id);
	backend_give(b, a);
	if (tcp && timed_out && up->stream &&
		++up->tcp_timeouts >= TCP_PATIENCE &&
		list_empty(&up->tcp_attempts)) {
		upstream_ended(up, loop_now(b->loop), true, STREAM_TIMEOUT);
		stream_free(up->stream);
		up->stream = NULL;
	}
}

uint32_t backends_outstanding(const struct backends *b)
{
	return b->attempts.used;
}

/* --- life -------------------------------------------------------------- */

struct backends *backends_new(struct loop *loop, struct rng *rng,
	struct metrics_row *row, uint32_t attempts,
	const struct backend_events *events, void *arg)
{
	struct backends *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->loop = loop;
	b->rng = rng;
	b->row = row;
	b->events = events;
	b->arg = arg;
	b->next_id = (uint16_t)rng_next(rng);
	if (!slots_init(&b->attempts, attempts, sizeof(struct attempt)) &&
		!backend_udp_init(b))
		return b;
	backends_free(b);
	return NULL;
}

void backends_free(struct backends *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		upstream_free(b->ups[i]);
	backend_udp_fini(b);
	slots_fini(&b->attempts);
	free(b);
}

static void close_upstream(struct backends *b, unsigned id)
{
	struct upstream *up = b->ups[id];

	b->ups[id] = NULL; /* events find it gone */
	for (unsigned i = 0; i < UPSTREAM_SOCKETS; i++)
		backend_fail_all(b, &up->sockets[i].attempts, BACKEND_GONE);
	backend_fail_all(b, &up->tcp_attempts, BACKEND_GONE);
	upstream_free(up);
}

static void see_server(
	struct backends *b, struct server *server, const struct policy *policy)
{
	struct upstream *up = b->ups[server->id];

	if (!up)
		up = b->ups[server->id] = upstream_new(server, b);
	if (!up)
		return; /* asking it fails until the next reload */
	up->seen = true;
	up->socket_count = policy->sockets;
	up->socket_queries = policy->socket_queries;
}

void backends_update(struct backends *b, const struct policy *policy)
{
	backend_udp_flush(b); /* sockets may go */
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (b->ups[i])
			b->ups[i]->seen = false;
	for (unsigned i = 0; i < policy->pool_count; i++)
		for (unsigned k = 0; k < policy->pools[i].count; k++)
			see_server(
				b, policy->pools[i].members[k].server, policy);
	for (unsigned i = 0; i < SERVERS_MAX; i++)
		if (b->ups[i] && !b->ups[i]->seen)
			close_upstream(b, i);
}
