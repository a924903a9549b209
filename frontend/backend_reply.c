/* SPDX-License-Identifier: ISC */
/*
 * Which reply is believed: the one that came by the socket of the attempt
 * whose id it has, with its question, in a form that is right throughout. Who
 * guesses ids at the right port has a few tries before we are elsewhere.
 */

#include "frontend/backend_impl.h"

#include "common/dns/code.h"

/* A reply may come twice, or very late: each believed one makes up for one. */
#define STRANGERS_MAX 16

/* An error in place of the backend's message, with the question asked. */
static void make_error(
	struct backends *b, const struct attempt *a, unsigned rcode, int ede)
{
	answer_make(&b->answer, b->made, a->key->name, a->key->name_len,
		a->key->type, a->key->class, rcode, ede);
}

/* An error may come without its question; it gets the one that was asked. No
 * less is proven by id and socket than of one that repeats it. */
static bool take_bare(
	struct backends *b, const struct attempt *a, const uint8_t *msg)
{
	unsigned rcode = msg_rcode(msg);

	if (rcode == DNS_RCODE_NOERROR)
		return false;
	make_error(b, a, rcode, -1);
	return true;
}

static bool is_asked(const struct question *q, const struct cache_key *key)
{
	return q->type == key->type && q->class == key->class &&
	       q->name_len == key->name_len && name_equal(q->name, key->name);
}

/* It must be that which was asked (RFC 7871 7.3), if anything. What comes
 * unasked is ignored: it goes nowhere. */
static bool read_scope(const struct cache_key *key, const uint8_t *msg,
	const struct edns *edns, uint8_t *scope)
{
	struct ecs ecs;

	*scope = 0;
	if (!(key->bits & CACHE_ECS) || !edns->ecs_offset)
		return true;
	return ecs_read(msg + edns->ecs_offset, edns->ecs_len, &ecs, scope) &&
	       memcmp(&ecs, cache_key_ecs(key), sizeof(ecs)) == 0;
}

/* Fill b->answer; else count what was wrong. */
static bool check_reply(
	struct backends *b, const struct attempt *a, uint8_t *msg, size_t len)
{
	struct question q;
	struct edns edns;
	uint8_t scope;
	bool good;

	if (!msg_check_answer(msg, len, &q, &edns)) {
		metric_inc(b->row, STAT_REPLY_MALFORMED);
		return false;
	}
	if (q.name && !is_asked(&q, a->key)) {
		metric_inc(b->row, STAT_REPLY_QUESTION);
		return false;
	}
	if (!read_scope(a->key, msg, &edns, &scope)) {
		metric_inc(b->row, STAT_REPLY_ECS);
		return false;
	}
	if (edns.present && edns.ext_rcode) {
		/* BADVERS, BADCOOKIE: between the backend and us only */
		make_error(b, a, DNS_RCODE_SERVFAIL, -1);
		return true;
	}
	good = q.name ? answer_take(&b->answer, msg, len, &q, &edns)
		      : take_bare(b, a, msg);
	b->answer.scope = scope;
	if (!good)
		metric_inc(b->row, STAT_REPLY_MALFORMED);
	return good;
}

static struct attempt *find_attempt(struct backends *b,
	const struct upstream *up, const struct upstream_socket *sock,
	const uint8_t *msg, size_t len)
{
	struct attempt *a =
		len >= MSG_HEADER ? backend_attempt_of(b, msg) : NULL;

	return a && a->up == up && a->sock == sock ? a : NULL;
}

static bool is_failure(unsigned rcode)
{
	return rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN;
}

static void count_answer(struct backends *b, const struct attempt *a)
{
	struct server *server = a->up->server;
	int64_t us = mtime_sub_us(loop_now(b->loop), a->sent);

	metric_inc(b->row, STAT_REPLIES);
	server_count(&server->answers);
	if (is_failure(msg_rcode(b->answer.msg)))
		server_count(&server->failures);
	us = us < 1 ? 1 : us < 60000000 ? us : 60000000;
	server_add_latency(server, (uint32_t)us);
	if (!a->sock)
		server_add_tcp_latency(server, (uint32_t)us);
}

/* One guess too many, while there is something to be hit? */
static bool is_guess(struct upstream_socket *s, const uint8_t *msg, size_t len)
{
	if (s->waiting == 0 ||
		(len >= MSG_HEADER && upstream_is_late(s, msg_id(msg))))
		return false;
	return ++s->strangers >= STRANGERS_MAX;
}

void backend_take_reply(struct backends *b, struct upstream *up,
	struct upstream_socket *sock, uint8_t *msg, size_t len)
{
	struct attempt *a = find_attempt(b, up, sock, msg, len);
	struct server *server = up->server;
	uint32_t index, tag;

	if (!a) {
		metric_inc(b->row, STAT_REPLY_UNKNOWN);
		server_count(&server->ignored);
		if (sock && is_guess(sock, msg, len))
			backend_udp_flee(b, sock);
		return;
	}
	if (!check_reply(b, a, msg, len)) {
		server_count(&server->ignored);
		return;
	}
	count_answer(b, a);
	if (sock)
		sock->strangers -= sock->strangers > 0;
	index = slots_index(&b->attempts, a);
	tag = a->tag;
	backend_give(b, a);
	b->events->answer(b->arg, tag, index, server, !sock, &b->answer);
}
