/* SPDX-License-Identifier: ISC */
/*
 * One prober per server. A probe is one UDP question with a random id from
 * a socket of its own; wrong answers do not end the wait. The decisions are
 * health.c's; here is the I/O, and the rule of the last one standing: when
 * all backends of a pool are out, those that still answer real queries are
 * asked on.
 */

#include "frontend/probe.h"

#include "common/base/log.h"
#include "common/dns/code.h"
#include "common/net/udp.h"
#include "frontend/lazy.h"
#include "frontend/probe_check.h"

#include <errno.h>
#include <unistd.h>

struct totals { /* the server's counters at the last tick */
	uint64_t answers, failures, timeouts, errors;
};

struct prober {
	struct probes *owner;
	struct prober *next;
	struct server *server;
	struct pool_check check;
	struct health health;
	struct lazy lazy;
	struct totals totals;
	struct timer *timer; /* next probe, or time-out of this one */
	struct watch *watch;
	int fd; /* >= 0: a probe is under way */
	uint16_t id;
	struct name name; /* asked for */
	struct mtime asked;
	struct probe_info info;
	enum server_fitness told; /* to the log */
	bool seen;
};

struct probes {
	struct loop *loop;
	const struct policy *policy;
	struct prober *first;
	struct prober *by_id[SERVERS_MAX];
	struct timer *tick;
	struct rng rng;
};

static struct prober *prober_of(
	const struct probes *p, const struct server *server)
{
	struct prober *pr = p->by_id[server->id];

	return pr && pr->server == server ? pr : NULL;
}

/* --- what workers are told --------------------------------------------- */

static enum server_fitness judge(const struct prober *pr)
{
	switch ((enum server_mode)pr->server->mode) {
	case SERVER_UP:
		return SERVER_FIT;
	case SERVER_DOWN:
	case SERVER_DRAIN:
		return SERVER_OUT;
	case SERVER_AUTO:
	default:
		break;
	}
	if (health_fit(&pr->health))
		return SERVER_FIT;
	return pr->health.state == HEALTH_UNKNOWN ? SERVER_TRY : SERVER_OUT;
}

static enum health_reason reason_of(const struct prober *pr)
{
	if (pr->health.state == HEALTH_DOWN)
		return HEALTH_PROBE;
	return pr->health.ejected;
}

static void tell(struct prober *pr, enum server_fitness fitness)
{
	struct server *s = pr->server;
	char addr[ADDR_TEXT];

	if (fitness == SERVER_FIT && pr->told != SERVER_FIT)
		__atomic_store_n(
			&s->revived_us, mtime_now().us, __ATOMIC_RELAXED);
	__atomic_store_n(&s->fitness, fitness, __ATOMIC_RELAXED);
	if (fitness == pr->told ||
		(fitness == SERVER_TRY && pr->health.state == HEALTH_UNKNOWN))
		return;
	if (fitness == SERVER_FIT)
		log_info("health: backend up: pool=%s backend=%s address=%s",
			s->pool, s->name, addr_print(&s->addr, addr));
	else if (fitness == SERVER_TRY)
		log_warn("health: last backend that answers is kept: pool=%s "
			 "backend=%s",
			s->pool, s->name);
	else
		log_warn("health: backend down: pool=%s backend=%s address=%s "
			 "reason=%s",
			s->pool, s->name, addr_print(&s->addr, addr),
			s->mode == SERVER_AUTO
				? health_reason_name(reason_of(pr))
				: "operator");
	pr->info.changes++;
	pr->told = fitness;
}

/* The fitness of all members of a pool, the last one standing included. */
static void publish(struct probes *p, const struct pool *pool)
{
	struct mtime now = loop_now(p->loop);
	bool any = false;

	for (unsigned i = 0; i < pool->count; i++) {
		const struct prober *pr = prober_of(p, pool->members[i].server);

		any |= pr && judge(pr) != SERVER_OUT;
	}
	for (unsigned i = 0; i < pool->count; i++) {
		struct prober *pr = prober_of(p, pool->members[i].server);
		enum server_fitness fitness;

		if (!pr)
			continue;
		fitness = judge(pr);
		if (!any && pr->server->mode == SERVER_AUTO &&
			health_answers(&pr->health, now))
			fitness = SERVER_TRY;
		tell(pr, fitness);
	}
}

static void publish_all(struct probes *p)
{
	for (unsigned i = 0; i < p->policy->pool_count; i++)
		publish(p, &p->policy->pools[i]);
}

/* --- real answers ------------------------------------------------------ */

static uint32_t delta(const uint64_t *cell, uint64_t *last)
{
	uint64_t now = server_read(cell);
	uint64_t diff = now - *last;

	*last = now;
	return (uint32_t)diff;
}

static void probe_soon(struct prober *pr);

static void take_sample(struct prober *pr, struct mtime now)
{
	const struct server *s = pr->server;
	struct health_sample sample;

	/* failures before answers: each is counted as an answer first */
	sample.failures = delta(&s->failures, &pr->totals.failures);
	sample.answers = delta(&s->answers, &pr->totals.answers);
	sample.timeouts = delta(&s->timeouts, &pr->totals.timeouts);
	sample.errors = delta(&s->errors, &pr->totals.errors);
	health_tick(&pr->health, &sample, now);
	if (!pr->check.timing.lazy)
		return;
	lazy_add(&pr->lazy, &sample);
	if (pr->lazy.suspect && !timer_is_set(pr->timer))
		probe_soon(pr);
}

/* The windows of the other fit members; how many these are. */
static unsigned sum_peers(struct probes *p, const struct pool *pool,
	const struct prober *self, struct health_sample *sum)
{
	unsigned n = 0;

	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < pool->count; i++) {
		const struct prober *pr = prober_of(p, pool->members[i].server);
		struct health_sample w;

		if (!pr || pr == self || judge(pr) != SERVER_FIT)
			continue;
		w = health_window(&pr->health);
		sum->answers += w.answers;
		sum->failures += w.failures;
		sum->timeouts += w.timeouts;
		sum->errors += w.errors;
		n++;
	}
	return n;
}

static void judge_pool(struct probes *p, const struct pool *pool)
{
	struct mtime now = loop_now(p->loop);

	for (unsigned i = 0; i < pool->count; i++) {
		struct prober *pr = prober_of(p, pool->members[i].server);
		struct health_sample peers;
		unsigned n;

		if (!pr)
			continue;
		n = sum_peers(p, pool, pr, &peers);
		if (health_judge(&pr->health, &pr->check.timing, &peers, n == 0,
			    now) &&
			pr->health.ejected != HEALTH_FINE)
			probe_soon(pr);
	}
}

static void on_tick(void *arg)
{
	struct probes *p = arg;
	struct mtime now = loop_now(p->loop);

	timer_set_ms(p->tick, HEALTH_TICK_MS);
	if (!p->policy)
		return;
	for (struct prober *pr = p->first; pr; pr = pr->next)
		take_sample(pr, now);
	for (unsigned i = 0; i < p->policy->pool_count; i++)
		judge_pool(p, &p->policy->pools[i]);
	publish_all(p);
}

/* --- probing ----------------------------------------------------------- */

static void close_probe(struct prober *pr)
{
	watch_close(pr->watch);
	pr->watch = NULL;
	if (pr->fd >= 0)
		close(pr->fd);
	pr->fd = -1;
}

/* Nothing more to be known from probes for now? */
static bool is_at_rest(const struct prober *pr, bool good)
{
	return good && pr->check.timing.lazy && health_fit(&pr->health);
}

static void probe_ended(struct prober *pr, bool good, enum probe_failure why)
{
	struct probes *p = pr->owner;

	close_probe(pr);
	if (!good)
		pr->info.failed[why]++;
	(void)health_probed(&pr->health, &pr->check.timing, good);
	timer_clear(pr->timer);
	if (is_at_rest(pr, good))
		lazy_clear(&pr->lazy);
	else
		timer_set_ms(pr->timer,
			health_pause_ms(&pr->health, &pr->check.timing));
	if (p->policy)
		publish_all(p);
}

/* Not an answer to this probe: counted, and the wait goes on. */
static void take_answer(struct prober *pr, const uint8_t *msg, size_t len)
{
	struct question q;
	struct edns edns;
	int64_t us = mtime_sub_us(loop_now(pr->owner->loop), pr->asked);

	if (!msg_check_answer(msg, len, &q, &edns)) {
		pr->info.failed[PROBE_INVALID]++;
	} else if (msg_id(msg) != pr->id ||
		   !check_is_ours(&pr->check, &pr->name, &q)) {
		pr->info.failed[PROBE_MISMATCH]++;
	} else if (check_is_good(&pr->check, msg, len, &q)) {
		pr->info.latency_us = (uint32_t)us;
		histogram_add(&pr->info.latency, (uint64_t)us);
		probe_ended(pr, true, PROBE_TIMEOUT);
	} else {
		probe_ended(pr, false, PROBE_RCODE);
	}
}

static void readable(void *arg, int fd, int events)
{
	struct prober *pr = arg;
	uint8_t msg[4096];
	ssize_t n = recv(fd, msg, sizeof(msg), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		probe_ended(pr, false, PROBE_NETWORK);
	else
		take_answer(pr, msg, (size_t)n);
}

static void send_probe(struct prober *pr)
{
	struct probes *p = pr->owner;
	uint8_t msg[512];
	size_t len;

	pr->info.sent++;
	pr->asked = loop_now(p->loop);
	pr->id = (uint16_t)rng_next(&p->rng);
	check_name(&pr->check, &p->rng, &pr->name);
	len = msg_make_query(msg, sizeof(msg), pr->id, pr->name.wire,
		pr->name.len, pr->check.type, DNS_CLASS_IN,
		pr->check.require_aa ? 0 : MSG_RD, EDNS_OUR_PAYLOAD, false);
	pr->fd = udp_connect(NULL, &pr->server->addr, NULL);
	if (pr->fd >= 0)
		pr->watch =
			watch_open(p->loop, pr->fd, LOOP_READ, readable, pr);
	if (pr->fd < 0 || !pr->watch ||
		send(pr->fd, msg, len, MSG_NOSIGNAL) < 0)
		probe_ended(pr, false, PROBE_NETWORK);
	else
		timer_set_ms(pr->timer, pr->check.timing.timeout_ms);
}

/* Whom the operator has forced up or down, probes tell nothing new. */
static bool is_probed(const struct prober *pr)
{
	return pr->check.timing.enabled && pr->server->mode != SERVER_UP &&
	       pr->server->mode != SERVER_DOWN;
}

static void on_timer(void *arg)
{
	struct prober *pr = arg;

	if (pr->fd >= 0)
		probe_ended(pr, false, PROBE_TIMEOUT);
	else if (is_probed(pr))
		send_probe(pr);
}

static void probe_soon(struct prober *pr)
{
	if (pr->fd < 0 && is_probed(pr))
		timer_set_us(pr->timer, 0);
}

static void probe_never(struct prober *pr)
{
	close_probe(pr);
	timer_clear(pr->timer);
}

/* --- life -------------------------------------------------------------- */

static void prober_free(struct prober *pr)
{
	if (!pr)
		return;
	close_probe(pr);
	timer_free(pr->timer);
	free(pr);
}

struct probes *probes_new(struct loop *loop)
{
	struct probes *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	rng_init(&p->rng);
	p->tick = timer_new(loop, on_tick, p);
	if (!p->tick) {
		free(p);
		return NULL;
	}
	timer_set_ms(p->tick, HEALTH_TICK_MS);
	return p;
}

void probes_free(struct probes *p)
{
	if (!p)
		return;
	while (p->first) {
		struct prober *pr = p->first;

		p->first = pr->next;
		prober_free(pr);
	}
	timer_free(p->tick);
	free(p);
}

static struct prober *prober_new(struct probes *p, struct server *server)
{
	struct prober *pr = calloc(1, sizeof(*pr));

	if (!pr)
		return NULL;
	pr->owner = p;
	pr->server = server;
	pr->fd = -1;
	pr->told = SERVER_TRY;
	health_init(&pr->health);
	pr->timer = timer_new(p->loop, on_timer, pr);
	if (!pr->timer) {
		free(pr);
		return NULL;
	}
	return pr;
}

static int watch_member(struct probes *p, const struct pool_member *m)
{
	struct prober *pr = prober_of(p, m->server);
	bool fresh = !pr;

	if (!pr) {
		pr = prober_new(p, m->server);
		if (!pr)
			return -ENOMEM;
		pr->next = p->first;
		p->first = pr;
		p->by_id[m->server->id] = pr;
	}
	pr->seen = true;
	pr->check = m->check;
	if (!pr->check.timing.enabled) {
		pr->health.state = HEALTH_UP;
		probe_never(pr);
	} else if (fresh || (!timer_is_set(pr->timer) &&
				    !is_at_rest(pr, !pr->lazy.suspect))) {
		probe_soon(pr);
	}
	return 0;
}

/* Those that the new snapshot does not name. */
static void forget_others(struct probes *p)
{
	struct prober **link = &p->first;

	while (*link) {
		struct prober *pr = *link;

		if (pr->seen) {
			link = &pr->next;
			continue;
		}
		*link = pr->next;
		for (unsigned i = 0; i < SERVERS_MAX; i++)
			if (p->by_id[i] == pr)
				p->by_id[i] = NULL;
		prober_free(pr);
	}
}

int probes_update(
	struct probes *p, const struct policy *policy, struct err *err)
{
	int rc = 0;

	for (struct prober *pr = p->first; pr; pr = pr->next)
		pr->seen = false;
	for (unsigned i = 0; i < policy->pool_count; i++)
		for (unsigned k = 0; k < policy->pools[i].count; k++)
			if (watch_member(p, &policy->pools[i].members[k]) < 0)
				rc = -ENOMEM;
	forget_others(p);
	p->policy = policy;
	publish_all(p);
	return rc < 0 ? err_fail(err, rc, "out of memory") : 0;
}

bool probes_set_mode(struct probes *p, const char *pool, const char *name,
	enum server_mode mode)
{
	bool found = false;

	for (struct prober *pr = p->first; pr; pr = pr->next) {
		struct server *s = pr->server;

		if (strcmp(s->name, name) != 0 ||
			(pool && strcmp(s->pool, pool) != 0))
			continue;
		s->mode = mode;
		found = true;
		if (is_probed(pr))
			probe_soon(pr);
		else
			probe_never(pr);
	}
	publish_all(p);
	return found;
}

static const char *state_word(const struct prober *pr)
{
	switch ((enum server_mode)pr->server->mode) {
	case SERVER_UP:
		return "UP";
	case SERVER_DOWN:
		return "DOWN";
	case SERVER_DRAIN:
		return "drain";
	case SERVER_AUTO:
	default:
		break;
	}
	if (health_fit(&pr->health))
		return "up";
	return pr->health.state == HEALTH_UNKNOWN ? "unknown" : "down";
}

bool probes_info(const struct probes *p, const struct server *server,
	struct probe_info *out)
{
	const struct prober *pr = prober_of(p, server);

	if (!pr)
		return false;
	*out = pr->info;
	out->server = server;
	out->state = state_word(pr);
	out->reason =
		pr->server->mode == SERVER_AUTO && reason_of(pr) != HEALTH_FINE
			? health_reason_name(reason_of(pr))
			: "";
	out->window = health_window(&pr->health);
	return true;
}

bool probes_all_pools_usable(const struct probes *p)
{
	for (unsigned i = 0; i < p->policy->pool_count; i++)
		if (p->policy->pools[i].count > 0 &&
			!pool_is_usable(&p->policy->pools[i]))
			return false;
	return true;
}
