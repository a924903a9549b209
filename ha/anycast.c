/* SPDX-License-Identifier: ISC */
#include "ha/anycast.h"

#include "common/base/clock.h"

/*
 * Each tick decides (route_judge) and then brings every address to what was
 * decided (route_plan), so that a failed call, a stolen route and a changed
 * configuration are all mended in the same way. What was found in the kernel
 * is believed, never what we did.
 */

enum {
	RETRY_US = 1000 * 1000,
	TRUST_US = 3 * 1000 * 1000,
	ROBBED_WINDOW_US = 10 * 1000 * 1000,
	FLUSH_US = 1000 * 1000,
	FLUSH_WAIT_US = 100 * 1000,
	HURRY_DRAIN_US = 8 * 1000 * 1000,
	HURRY_LINGER_US = 12 * 1000 * 1000,
};

static void emit(struct anycast *a, struct instance_event *ev)
{
	memcpy(ev->name, a->conf.name, sizeof(ev->name));
	ev->family = a->conf.family;
	ev->at_us = mtime_now().us;
	a->env->emit(a->env->arg, ev);
}

/* Does the address live on lo by us, or is it a virtual router's? */
static bool on_lo(const struct anycast *a)
{
	return !a->conf.instance[0];
}

static void derive(struct anycast *a)
{
	a->rc.metric = a->conf.metric;
	a->rc.drain_metric = a->conf.drain_metric;
	a->rc.drain_us = a->conf.drain_us;
	a->rc.linger_us = a->conf.linger_us;
	a->rc.last_man = a->conf.last_man;
	a->rc.by_role = !on_lo(a);
}

static struct anycast_slot *find_slot(struct anycast *a, const uint8_t *octets)
{
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (a->slots[i].used && memcmp(a->slots[i].octets, octets,
						PACKET_ADDR_MAX) == 0)
			return &a->slots[i];
	return NULL;
}

static void set_slot(struct anycast_slot *slot, const uint8_t *octets)
{
	memset(slot, 0, sizeof(*slot));
	memcpy(slot->octets, octets, PACKET_ADDR_MAX);
	slot->used = true;
}

struct anycast *anycast_new(
	const struct config_anycast *conf, struct instance_env *env)
{
	struct anycast *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->env = env;
	a->owner = ++env->owners;
	a->conf = *conf;
	for (size_t i = 0; i < conf->addr_count; i++)
		set_slot(&a->slots[i], conf->addrs[i]);
	route_init(&a->st);
	probe_init(&a->probe, env->poll);
	derive(a);
	return a;
}

void anycast_free(struct anycast *a)
{
	free(a);
}

bool anycast_owns(
	const struct anycast *a, uint8_t family, const uint8_t *octets)
{
	if (family != a->conf.family)
		return false;
	for (size_t i = 0; i < a->conf.addr_count; i++)
		if (memcmp(a->conf.addrs[i], octets, PACKET_ADDR_MAX) == 0)
			return true;
	return false;
}

/* --- carrying out ------------------------------------------------------- */

static void ask(struct anycast *a, struct anycast_slot *slot,
	const struct route_op *op, uint32_t chain)
{
	bool add = op->kind == ROUTE_OP_ADDR_ADD || op->kind == ROUTE_OP_ADD;
	bool addr =
		op->kind == ROUTE_OP_ADDR_ADD || op->kind == ROUTE_OP_ADDR_DEL;
	struct kernel_op k = {.index = a->env->loopback,
		.prefix = a->conf.family == 6 ? 128 : 32,
		.owner = a->owner,
		.chain = chain,
		.route = {.family = a->conf.family}};

	memcpy(k.route.octets, slot->octets, sizeof(k.route.octets));
	if (addr && !a->conf.for_frr) {
		k.kind = add ? KERNEL_ADDR_ADD : KERNEL_ADDR_DEL;
	} else {
		k.kind = add ? KERNEL_ROUTE_ADD : KERNEL_ROUTE_DEL;
		k.route.table = addr ? IFACE_TABLE_LOCAL : a->conf.table;
		k.route.metric = addr ? 0 : op->metric;
	}
	slot->ticket = kernel_ask(a->env->kernel, &k);
}

void anycast_refused(
	struct anycast *a, const struct kernel_failure *f, int64_t now_us)
{
	static const char *const names[] = {[KERNEL_ADDR_ADD] = "add address",
		[KERNEL_ADDR_DEL] = "remove address",
		[KERNEL_ROUTE_ADD] = "add route",
		[KERNEL_ROUTE_DEL] = "delete route"};
	struct instance_event ev = {.kind = INSTANCE_TROUBLE, .value = -f->rc};

	a->counters.failed++;
	a->refused = KERNEL_SEES_ROUTES;
	if (on_lo(a) && !a->conf.for_frr)
		a->refused |= KERNEL_SEES_LINKS;
	a->refused_at = f->ticket;
	a->retry_us = now_us + RETRY_US;
	if (a->complained)
		return;
	a->complained = true;
	snprintf(ev.what, sizeof(ev.what), "%s", names[f->kind]);
	emit(a, &ev);
}

/* Ask for what is missing. It counts as done, until the kernel refuses; what
 * would come after it is not done then. */
static void settle_slot(struct anycast *a, struct anycast_slot *slot,
	uint32_t metric, bool address, int64_t now)
{
	struct route_op ops[ROUTE_OPS];
	uint32_t chain = ++a->env->chains;
	size_t n;

	if (!on_lo(a)) /* not ours to put on or off */
		address = slot->have.address;
	n = route_plan(metric, address, a->conf.for_frr, &slot->have, ops);
	for (size_t i = 0; i < n; i++) {
		if (now < a->banned_us && ops[i].kind <= ROUTE_OP_ADD)
			return;
		ask(a, slot, &ops[i], chain);
		route_done(&slot->have, &ops[i]);
	}
}

/* Has the kernel nothing of it any more, and said so? */
static bool is_clear(const struct anycast *a, const struct anycast_slot *slot)
{
	return slot->have.count == 0 && !slot->have.address && !a->refused &&
	       slot->ticket <= a->env->done;
}

static void settle(struct anycast *a, int64_t now)
{
	if (now < a->retry_us)
		return;
	a->retry_us = 0;
	for (size_t i = 0; i < ANYCAST_SLOTS; i++) {
		struct anycast_slot *slot = &a->slots[i];

		if (!slot->used)
			continue;
		if (slot->gone)
			settle_slot(a, slot, 0,
				slot->have.address && now < slot->off_us, now);
		else
			settle_slot(a, slot, a->st.metric, a->st.address, now);
		if (slot->gone && now >= slot->off_us && is_clear(a, slot))
			slot->used = false;
	}
}

/* --- time --------------------------------------------------------------- */

static void follow_probe(struct anycast *a, int64_t now)
{
	/* A dead frontend is known to be; no need to ask for a hold. */
	bool want = a->conf.track_probe && on_lo(a) && a->st.address &&
		    !a->removed && a->st.reason != ROUTE_SERVICE;

	if (want == probe_running(&a->probe))
		return;
	if (!want)
		probe_stop(&a->probe);
	else if (probe_start(&a->probe, &a->env->config->probe, a->conf.family,
			 a->conf.addrs[0], 0, now) < 0)
		a->counters.failed++;
}

static void note_change(struct anycast *a, uint32_t before)
{
	struct instance_event ev = {.kind = INSTANCE_ROUTE};

	if (before != a->st.metric)
		a->counters.changes++;
	a->retry_us = 0;
	ev.reason = (uint8_t)a->st.reason;
	ev.value = a->st.metric;
	emit(a, &ev);
}

/* The hold ends, but a window full of failures is not health; and where the
 * probe is the only witness it must have spoken. */
static bool probe_bad(struct anycast *a, int64_t now)
{
	if (!on_lo(a) || !a->conf.track_probe)
		return false;
	a->proven |= a->probe.proven;
	return probe_failed(&a->probe, now) || a->probe.judge.failed ||
	       (!a->conf.track_frontend && !a->proven);
}

static void judge(
	struct anycast *a, enum track_service service, bool master, int64_t now)
{
	struct route_input in = {.drain = a->drain, .master = master};
	uint32_t before = a->st.metric;

	/* After a restart of ours the frontend needs a moment to connect. */
	if (service == TRACK_SERVICE_WAITING && now < a->trust_us)
		service = TRACK_SERVICE_OK;
	a->service = a->conf.track_frontend && on_lo(a) ? service
							: TRACK_SERVICE_UNUSED;
	in.service = a->service;
	in.probe_failed = probe_bad(a, now);
	in.removed = a->removed;
	if (route_judge(&a->st, &a->rc, &in, now))
		note_change(a, before);
}

void anycast_tick(struct anycast *a, enum track_service service, bool master,
	int64_t now_us)
{
	if (now_us >= a->banned_us)
		a->banned_us = 0;
	if (now_us >= a->trust_us)
		a->trust_us = 0;
	probe_tick(&a->probe, now_us);
	judge(a, service, master, now_us);
	settle(a, now_us);
	follow_probe(a, now_us);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What was asked for is told when it is done. */
static bool leaves_later(const struct anycast_slot *slot)
{
	return slot->used && slot->gone &&
	       (slot->have.count || slot->have.address);
}

int64_t anycast_deadline(const struct anycast *a)
{
	int64_t t = earlier(route_deadline(&a->st), probe_deadline(&a->probe));

	if (a->retry_us)
		t = earlier(t, a->retry_us);
	if (a->banned_us)
		t = earlier(t, a->banned_us);
	if (a->trust_us)
		t = earlier(t, a->trust_us);
	for (size_t i = 0; i < ANYCAST_SLOTS && !a->retry_us; i++)
		if (leaves_later(&a->slots[i]))
			t = earlier(t, a->slots[i].off_us);
	return t;
}

void anycast_drain(struct anycast *a, bool on)
{
	a->drain = on;
}

void anycast_hurry(struct anycast *a, int64_t now_us)
{
	a->drain = true;
	a->rc.drain_us = earlier(a->rc.drain_us, HURRY_DRAIN_US);
	a->rc.linger_us = earlier(a->rc.linger_us, HURRY_LINGER_US);
	a->st.drain_us = earlier(a->st.drain_us, now_us + HURRY_DRAIN_US);
	a->st.linger_us = earlier(a->st.linger_us, now_us + HURRY_LINGER_US);
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		a->slots[i].off_us =
			earlier(a->slots[i].off_us, now_us + HURRY_LINGER_US);
}

bool anycast_busy(const struct anycast *a)
{
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (a->slots[i].used && a->slots[i].gone)
			return true;
	return on_lo(a) && (a->st.metric || route_busy(&a->st));
}

/* --- what the kernel has ------------------------------------------------ */

/* Something of ours was taken off: put it back. A flush comes again until it
 * finds nothing, so the second time we wait until it is over; and we do not
 * fight for ever (three times in 10 s). */
static void robbed(struct anycast *a, int64_t now)
{
	struct instance_event ev = {.kind = INSTANCE_ROUTE_ROBBED};

	if (now < a->banned_us)
		return;
	if (a->robbed_us[2] && now - a->robbed_us[2] < ROBBED_WINDOW_US) {
		a->banned_us = now + ROBBED_WINDOW_US;
		ev.value = -1;
	} else {
		if (a->robbed_us[0] && now - a->robbed_us[0] < FLUSH_US)
			a->banned_us = now + FLUSH_WAIT_US;
		a->robbed_us[2] = a->robbed_us[1];
		a->robbed_us[1] = a->robbed_us[0];
		a->robbed_us[0] = now;
		ev.value = (int64_t)++a->counters.restored;
	}
	emit(a, &ev);
}

void anycast_scan_begin(struct anycast *a)
{
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		a->slots[i].seen.address = false;
}

void anycast_scan_addr(struct anycast *a, const struct iface_addr *addr)
{
	struct anycast_slot *slot;

	if (addr->index != a->env->loopback || addr->family != a->conf.family)
		return;
	slot = find_slot(a, addr->octets);
	if (slot)
		slot->seen.address = true;
}

/* Does what was seen tell of this one? Not when more was asked since. */
static bool is_seen(const struct anycast_slot *slot, uint64_t ticket)
{
	return slot->used && slot->ticket <= ticket;
}

/* Believe what was seen; true when something we had is missing. */
static bool take_addrs(struct anycast *a, uint64_t ticket)
{
	bool missing = false;

	for (size_t i = 0; i < ANYCAST_SLOTS; i++) {
		struct anycast_slot *slot = &a->slots[i];

		if (!is_seen(slot, ticket))
			continue;
		missing |= slot->have.address && !slot->seen.address;
		slot->have.address = slot->seen.address;
	}
	return missing;
}

/* What is missing after a refusal nobody took. */
static void judge_missing(struct anycast *a, unsigned part, bool missing,
	uint64_t ticket, int64_t now)
{
	bool never_was = a->refused & part;

	if (ticket >= a->refused_at)
		a->refused &= ~part;
	if (missing && !never_was)
		robbed(a, now);
	else if (!missing && !a->refused && !a->retry_us)
		a->complained = false;
}

void anycast_scan_end(struct anycast *a, uint64_t ticket, int64_t now_us)
{
	if (on_lo(a) && !a->conf.for_frr)
		judge_missing(a, KERNEL_SEES_LINKS, take_addrs(a, ticket),
			ticket, now_us);
}

static void see_routes(struct anycast *a)
{
	const struct kernel_routes *routes = a->env->routes;

	for (size_t i = 0; i < ANYCAST_SLOTS; i++) {
		a->slots[i].seen.count = 0;
		if (a->conf.for_frr)
			a->slots[i].seen.address = false;
	}
	for (size_t i = 0; i < routes->count; i++) {
		const struct iface_route *r = &routes->list[i];
		struct anycast_slot *slot = r->family == a->conf.family
						    ? find_slot(a, r->octets)
						    : NULL;

		if (!slot)
			continue;
		if (r->table == a->conf.table && slot->seen.count < ROUTE_HAVE)
			slot->seen.metrics[slot->seen.count++] = r->metric;
		if (a->conf.for_frr && r->table == IFACE_TABLE_LOCAL)
			slot->seen.address = true;
	}
}

/* As take_addrs. */
static bool take_routes(struct anycast_slot *slot)
{
	bool missing = false;

	for (size_t i = 0; i < slot->have.count; i++)
		missing |= !route_has(&slot->seen, slot->have.metrics[i]);
	memcpy(slot->have.metrics, slot->seen.metrics,
		sizeof(slot->have.metrics));
	slot->have.count = slot->seen.count;
	return missing;
}

void anycast_scan_routes(struct anycast *a, int64_t now_us)
{
	uint64_t ticket = a->env->routes->ticket;
	bool missing = false;

	see_routes(a);
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (is_seen(&a->slots[i], ticket))
			missing |= take_routes(&a->slots[i]);
	if (a->conf.for_frr)
		missing |= take_addrs(a, ticket);
	judge_missing(a, KERNEL_SEES_ROUTES, missing, ticket, now_us);
}

/* Announced while any address is: the first one that is tells the metric. */
void anycast_adopt(struct anycast *a, int64_t now_us)
{
	see_routes(a);
	if (a->conf.for_frr)
		take_addrs(a, a->env->routes->ticket);
	for (size_t i = 0; i < ANYCAST_SLOTS; i++) {
		struct anycast_slot *slot = &a->slots[i];

		if (!slot->used || slot->seen.count == 0)
			continue;
		take_routes(slot);
		if (a->st.metric)
			continue;
		route_adopt(&a->st, &a->rc, slot->have.metrics[0]);
		a->st.since_us = now_us;
		a->proven = true;
		a->trust_us = now_us + TRUST_US;
	}
}

/* --- changes and end ---------------------------------------------------- */

static const struct config_anycast *new_owner(
	const struct config *all, uint8_t family, const uint8_t *octets)
{
	for (size_t i = 0; i < all->anycast_count; i++) {
		const struct config_anycast *c = &all->anycast[i];

		for (size_t k = 0; c->family == family && k < c->addr_count;
			k++)
			if (memcmp(c->addrs[k], octets, PACKET_ADDR_MAX) == 0)
				return c;
	}
	return NULL;
}

/* Addresses that `next` (NULL: nothing) does not have leave this entry: to
 * another one, which finds them as they are, or off this host. */
static void let_go(struct anycast *a, const struct config_anycast *next,
	const struct config *all, int64_t now)
{
	for (size_t i = 0; i < ANYCAST_SLOTS; i++) {
		struct anycast_slot *slot = &a->slots[i];
		const struct config_anycast *owner;

		if (!slot->used)
			continue;
		owner = new_owner(all, a->conf.family, slot->octets);
		if (owner && owner == next)
			continue;
		if (owner) {
			if (owner->table == a->conf.table)
				slot->have.count = 0;
			if (owner->for_frr == a->conf.for_frr)
				slot->have.address = false;
			settle_slot(a, slot, 0, false, now);
			slot->used = false;
		} else if (!slot->gone) {
			slot->gone = true;
			slot->off_us = now + a->rc.linger_us;
		}
	}
}

static void take_on(struct anycast *a, const uint8_t *octets)
{
	struct anycast_slot *slot = find_slot(a, octets);

	if (slot) {
		slot->gone = false;
		return;
	}
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (!a->slots[i].used) {
			set_slot(&a->slots[i], octets);
			return;
		}
	/* More changes than a linger lasts: the first that leaves goes now. */
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (a->slots[i].gone) {
			settle_slot(a, &a->slots[i], 0, false, 0);
			set_slot(&a->slots[i], octets);
			return;
		}
}

void anycast_reconf(struct anycast *a, const struct config_anycast *next,
	const struct config *all, int64_t now_us)
{
	let_go(a, next, all, now_us);
	a->conf = *next;
	derive(a);
	for (size_t i = 0; i < next->addr_count; i++)
		take_on(a, next->addrs[i]);
	probe_stop(&a->probe); /* its settings are in the old snapshot */
}

void anycast_remove(struct anycast *a, const struct config *all, int64_t now_us)
{
	let_go(a, NULL, all, now_us);
	a->removed = true;
	probe_stop(&a->probe);
}

void anycast_close(struct anycast *a)
{
	probe_stop(&a->probe);
	a->banned_us = 0;
	for (size_t i = 0; i < ANYCAST_SLOTS; i++)
		if (a->slots[i].used)
			settle_slot(a, &a->slots[i], 0, false, 0);
}
