/* SPDX-License-Identifier: ISC */
/*
 * The listeners of one worker. A UDP answer finds its listener by a number
 * that is never used again, so that addresses may come and go while queries
 * are in flight.
 */

#include "common/serve/serve.h"

#include "common/serve/tcp.h"
#include "common/serve/udp.h"

#include <errno.h>

#define QUERY_SIZE 1500 /* no query is longer */
#define PORT_TRIES 20   /* port 0: one that is free for UDP and TCP */

struct listener {
	union addr wanted; /* as configured */
	union addr bound;
	struct serve_udp *udp;
	struct serve_tcp_listener *tcp;
};

struct serve {
	struct loop *loop;
	struct serve_config config; /* addrs unset */
	struct serve_udp_owner udp;
	struct serve_tcp *tcp;
	struct listener *listeners;
	size_t count;
	uint32_t next_id;
	struct serve_stats stats;
	bool paused;
};

static void set_default(uint32_t *value, uint32_t dflt)
{
	if (*value == 0)
		*value = dflt;
}

static void fill_defaults(struct serve_config *c)
{
	if (c->udp_batch == 0)
		c->udp_batch = UDP_BATCH;
	if (c->udp_batch > SERVE_BATCH_MAX)
		c->udp_batch = SERVE_BATCH_MAX;
	set_default(&c->tcp_max, 1024);
	set_default(&c->tcp_per_client, 20);
	set_default(&c->tcp_inflight, 100);
	set_default(&c->tcp_idle_ms, 10000);
	set_default(&c->tcp_message_ms, 5000);
	c->addrs = NULL;
	c->addr_count = 0;
}

/* --- listeners --- */

static void listener_close(struct listener *l)
{
	serve_udp_close(l->udp);
	serve_tcp_listener_close(l->tcp);
	l->udp = NULL;
	l->tcp = NULL;
}

static int listener_open(struct serve *serve, const struct serve_config *config,
	struct listener *l, struct err *err)
{
	socklen_t len = sizeof(l->bound);
	/* what comes to one address needs not be told where it came to, which
	 * costs on both ways */
	int flags = addr_is_any(&l->wanted) ? UDP_PKTINFO : 0;

	if (config->reuseport)
		flags |= UDP_REUSEPORT;
	if (config->freebind)
		flags |= UDP_FREEBIND;
	l->udp = serve_udp_open(
		&serve->udp, &l->wanted, flags, ++serve->next_id, err);
	if (!l->udp)
		return -EADDRNOTAVAIL;
	if (getsockname(serve_udp_socket(l->udp), &l->bound.sa, &len) < 0)
		return err_fail(err, -errno, "getsockname");
	l->tcp = serve_tcp_listen(serve->tcp, &l->bound, config->reuseport,
		config->freebind, err);
	return l->tcp ? 0 : -EADDRINUSE;
}

static int listener_start(struct serve *serve,
	const struct serve_config *config, struct listener *l, struct err *err)
{
	unsigned tries = addr_port(&l->wanted) == 0 ? PORT_TRIES : 1;
	int rc = 0;

	while (tries-- > 0) {
		rc = listener_open(serve, config, l, err);
		if (rc == 0)
			return 0;
		listener_close(l);
	}
	return rc;
}

/* The present listener for this address that is not taken over yet. */
static struct listener *find_present(struct serve *serve, const union addr *a)
{
	for (size_t i = 0; i < serve->count; i++) {
		struct listener *l = &serve->listeners[i];

		if (l->udp && addr_equal(&l->wanted, a))
			return l;
	}
	return NULL;
}

static void close_all(struct listener *listeners, size_t count)
{
	for (size_t i = 0; i < count; i++)
		listener_close(&listeners[i]);
	free(listeners);
}

/* Open those of `config` that are not there. The others stay unset. */
static int open_missing(struct serve *serve, const struct serve_config *config,
	struct listener *next, struct err *err)
{
	for (size_t i = 0; i < config->addr_count; i++) {
		int rc;

		next[i].wanted = config->addrs[i];
		if (find_present(serve, &config->addrs[i]))
			continue;
		rc = listener_start(serve, config, &next[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void take_over(struct serve *serve, struct listener *next, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct listener *old;

		old = next[i].udp ? NULL : find_present(serve, &next[i].wanted);
		if (old) {
			next[i] = *old;
			old->udp = NULL;
			old->tcp = NULL;
		}
		serve_udp_set_index(next[i].udp, (uint16_t)i);
		serve_tcp_set_index(next[i].tcp, (uint16_t)i);
	}
	close_all(serve->listeners, serve->count);
	serve->listeners = next;
	serve->count = count;
}

static const union addr *find_twice(const struct serve_config *config)
{
	for (size_t i = 1; i < config->addr_count; i++)
		for (size_t j = 0; j < i; j++)
			if (addr_port(&config->addrs[i]) != 0 &&
				addr_equal(
					&config->addrs[i], &config->addrs[j]))
				return &config->addrs[i];
	return NULL;
}

static int set_listeners(
	struct serve *serve, const struct serve_config *config, struct err *err)
{
	const union addr *twice = find_twice(config);
	struct listener *next;
	char text[ADDR_TEXT];
	int rc;

	if (config->addr_count == 0 || config->addr_count > UINT16_MAX)
		return err_fail(err, -EINVAL, "no address to listen on");
	if (twice)
		return err_fail(err, -EEXIST, "listen on %s twice",
			addr_print(twice, text));
	next = calloc(config->addr_count, sizeof(*next));
	if (!next)
		return err_fail(err, -ENOMEM, "out of memory");
	rc = open_missing(serve, config, next, err);
	if (rc < 0) {
		close_all(next, config->addr_count);
		return rc;
	}
	take_over(serve, next, config->addr_count);
	return 0;
}

/* --- the whole --- */

static void flush_all(void *arg)
{
	struct serve *serve = arg;

	for (size_t i = 0; i < serve->count; i++)
		if (serve->listeners[i].udp)
			serve_udp_flush(serve->listeners[i].udp);
}

static int serve_init(struct serve *serve, struct loop *loop,
	const struct serve_config *config, serve_fn fn, serve_admit_fn admit,
	void *arg)
{
	serve->loop = loop;
	serve->config = *config;
	fill_defaults(&serve->config);
	serve->udp = (struct serve_udp_owner){
		.loop = loop,
		.in = udp_batch_new(serve->config.udp_batch, QUERY_SIZE),
		.batch = serve->config.udp_batch,
		.fn = fn,
		.arg = arg,
		.stats = &serve->stats,
	};
	serve->tcp = serve_tcp_new(
		loop, &serve->config, fn, admit, arg, &serve->stats);
	if (!serve->udp.in || !serve->tcp)
		return -ENOMEM;
	return loop_after_round(loop, flush_all, serve);
}

struct serve *serve_new(struct loop *loop, const struct serve_config *config,
	serve_fn fn, serve_admit_fn admit, void *arg, struct err *err)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	if (!serve) {
		err_set(err, "out of memory");
		return NULL;
	}
	if (serve_init(serve, loop, config, fn, admit, arg) < 0) {
		err_set(err, "out of memory");
		goto fail;
	}
	if (set_listeners(serve, config, err) < 0)
		goto fail;
	return serve;
fail:
	serve_free(serve);
	return NULL;
}

void serve_on_batch_end(struct serve *serve, serve_batch_fn fn)
{
	serve->udp.batch_end = fn;
	serve_tcp_on_batch_end(serve->tcp, fn);
}

void serve_free(struct serve *serve)
{
	if (!serve)
		return;
	loop_after_round_remove(serve->loop, flush_all, serve);
	close_all(serve->listeners, serve->count);
	serve_tcp_free(serve->tcp);
	udp_batch_free(serve->udp.in);
	free(serve);
}

void serve_pause(struct serve *serve)
{
	if (serve->paused)
		return;
	serve->paused = true;
	for (size_t i = 0; i < serve->count; i++) {
		struct listener *l = &serve->listeners[i];

		serve_tcp_listener_close(l->tcp);
		l->tcp = NULL;
		if (l->udp)
			serve_udp_pause(l->udp);
	}
	serve_tcp_pause(serve->tcp);
}

int serve_update(
	struct serve *serve, const struct serve_config *config, struct err *err)
{
	int rc;

	if (serve->paused)
		return err_fail(err, -ESHUTDOWN, "stopping");
	rc = set_listeners(serve, config, err);
	if (rc < 0)
		return rc;
	serve->config = *config;
	fill_defaults(&serve->config);
	serve_tcp_set_limits(serve->tcp, &serve->config);
	return 0;
}

static struct serve_udp *find_udp(const struct serve *serve, uint32_t id)
{
	for (size_t i = 0; i < serve->count; i++) {
		struct serve_udp *udp = serve->listeners[i].udp;

		if (udp && serve_udp_id(udp) == id)
			return udp;
	}
	return NULL;
}

void serve_reply(struct serve *serve, const struct serve_peer *peer,
	const uint8_t *msg, size_t len)
{
	struct serve_udp *udp;

	if (peer->tcp) {
		serve_tcp_reply(serve->tcp, peer, msg, len);
		return;
	}
	udp = find_udp(serve, peer->conn);
	if (udp)
		serve_udp_reply(udp, peer, msg, len);
	else
		serve->stats.udp_send_errors++;
}

void serve_on_flow(struct serve *serve, const struct serve_flow_events *events)
{
	serve_tcp_on_flow(serve->tcp, events);
}

bool serve_flow_open(
	struct serve *serve, const struct serve_peer *peer, uint32_t stall_ms)
{
	return peer->tcp && serve_tcp_flow_open(serve->tcp, peer, stall_ms);
}

int serve_flow_send(struct serve *serve, const struct serve_peer *peer,
	const uint8_t *msg, size_t len)
{
	return serve_tcp_flow_send(serve->tcp, peer, msg, len);
}

void serve_flow_close(struct serve *serve, const struct serve_peer *peer)
{
	serve_tcp_flow_close(serve->tcp, peer);
}

void serve_abort(struct serve *serve, const struct serve_peer *peer)
{
	if (peer->tcp)
		serve_tcp_abort(serve->tcp, peer);
}

void serve_drop(struct serve *serve, const struct serve_peer *peer)
{
	if (peer->tcp)
		serve_tcp_drop(serve->tcp, peer, false);
}

void serve_close(struct serve *serve, const struct serve_peer *peer)
{
	if (peer->tcp)
		serve_tcp_drop(serve->tcp, peer, true);
}

const struct serve_stats *serve_get_stats(const struct serve *serve)
{
	return &serve->stats;
}

union addr serve_local_addr(const struct serve *serve, size_t listener)
{
	return serve->listeners[listener].bound;
}

const struct serve_tcp_counts *serve_tcp_counts(
	const struct serve *serve, size_t listener)
{
	const struct serve_tcp_listener *l = serve->listeners[listener].tcp;

	return l ? serve_tcp_listener_counts(l) : NULL;
}

int serve_udp_fd(const struct serve *serve, size_t listener)
{
	return serve_udp_socket(serve->listeners[listener].udp);
}
