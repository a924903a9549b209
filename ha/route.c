/* SPDX-License-Identifier: ISC */
#include "ha/route.h"

/*
 * Withdraw before the address goes (others lose what is on its way), and
 * never the other way round. Beside other anycast nodes a failed one needs no
 * last-man rule by default; with it, every failed node stays in the routing
 * with the drain metric, so that a healthy one always wins and the last ones
 * are used only when there is none.
 *
 * Each change of the metric is an update at every router, so the way back to
 * the normal one is damped. Failures are held by whoever finds them (track.h,
 * probe.h); of a degraded service only we know what routers have seen.
 */

enum {
	HOLD_US = 3 * 1000 * 1000,
	HOLD_MAX_US = 120 * 1000 * 1000,
	FLAP_US = 600 * 1000 * 1000
};

static const char *const reason_names[ROUTE_REASONS] = {
	[ROUTE_START] = "start",
	[ROUTE_HEALTHY] = "healthy",
	[ROUTE_DEGRADED] = "degraded",
	[ROUTE_DRAIN] = "drain",
	[ROUTE_DRAINED] = "drained",
	[ROUTE_SERVICE] = "frontend",
	[ROUTE_PROBE] = "probe",
	[ROUTE_ROLE] = "role",
	[ROUTE_LAST_MAN] = "last_man",
	[ROUTE_ADOPTED] = "adopted",
	[ROUTE_REMOVED] = "removed",
};

const char *route_reason_name(enum route_reason reason)
{
	return reason < ROUTE_REASONS ? reason_names[reason] : "?";
}

void route_init(struct route *r)
{
	memset(r, 0, sizeof(*r));
	r->reason = ROUTE_START;
}

void route_adopt(struct route *r, const struct route_conf *c, uint32_t metric)
{
	r->metric = metric == c->drain_metric ? metric : c->metric;
	r->address = true;
	r->reason = ROUTE_ADOPTED;
}

static bool service_well(enum track_service service)
{
	return service == TRACK_SERVICE_UNUSED || service == TRACK_SERVICE_OK ||
	       service == TRACK_SERVICE_DEGRADED ||
	       service == TRACK_SERVICE_DRAINING;
}

/* What was withdrawn when the drain began is not announced for it. A master
 * of a virtual router has the address until a peer takes it over. */
static enum route_reason judge_drain(
	struct route *r, const struct route_conf *c, int64_t now)
{
	if (c->by_role)
		return ROUTE_DRAIN;
	if (r->reason == ROUTE_DRAINED || r->metric == 0)
		return ROUTE_DRAINED;
	if (r->drain_us == 0)
		r->drain_us = now + c->drain_us;
	return now < r->drain_us ? ROUTE_DRAIN : ROUTE_DRAINED;
}

/* Each time soon after the last one doubles the hold. */
static void note_flap(struct route *r, int64_t now)
{
	if (r->hold_us && now - r->flap_us < FLAP_US)
		r->hold_us *= 2;
	else
		r->hold_us = HOLD_US;
	if (r->hold_us > HOLD_MAX_US)
		r->hold_us = HOLD_MAX_US;
	r->flap_us = now;
}

/* Who was never announced as well is announced so at once. */
static bool degraded(struct route *r, const struct route_conf *c,
	const struct route_input *in, int64_t now)
{
	if (in->service != TRACK_SERVICE_DEGRADED)
		return now < r->trust_us;
	if (r->metric && r->metric != c->drain_metric)
		note_flap(r, now);
	r->trust_us = r->hold_us ? now + r->hold_us : 0;
	return true;
}

static enum route_reason judge(struct route *r, const struct route_conf *c,
	const struct route_input *in, int64_t now)
{
	bool well = service_well(in->service) && !in->probe_failed;
	bool stays = c->last_man && r->metric; /* but never begins failed */

	if (in->removed)
		return ROUTE_REMOVED;
	if (c->by_role && !in->master)
		return ROUTE_ROLE;
	if (!well && !stays)
		return service_well(in->service) ? ROUTE_PROBE : ROUTE_SERVICE;
	if (in->drain || in->service == TRACK_SERVICE_DRAINING)
		return judge_drain(r, c, now);
	if (!well)
		return ROUTE_LAST_MAN;
	return degraded(r, c, in, now) ? ROUTE_DEGRADED : ROUTE_HEALTHY;
}

static uint32_t metric_for(enum route_reason reason, const struct route_conf *c)
{
	switch (reason) {
	case ROUTE_HEALTHY:
		return c->metric;
	case ROUTE_DEGRADED:
	case ROUTE_DRAIN:
	case ROUTE_LAST_MAN:
		return c->drain_metric;
	default:
		return 0;
	}
}

bool route_judge(struct route *r, const struct route_conf *c,
	const struct route_input *in, int64_t now_us)
{
	enum route_reason reason = judge(r, c, in, now_us);
	uint32_t metric = metric_for(reason, c);
	bool changed = reason != r->reason || metric != r->metric;

	if (reason != ROUTE_DRAIN)
		r->drain_us = 0;
	if (reason != ROUTE_DEGRADED)
		r->trust_us = 0;
	if (metric)
		r->linger_us = 0;
	else if (r->metric)
		r->linger_us = now_us + c->linger_us;
	else if (r->linger_us && now_us >= r->linger_us)
		r->linger_us = 0;
	/* The probe can find out only with the address here whether it
	 * answers again. */
	r->address = metric || r->linger_us || reason == ROUTE_PROBE;
	if (!changed)
		return false;
	r->metric = metric;
	r->reason = reason;
	r->since_us = now_us;
	return true;
}

int64_t route_deadline(const struct route *r)
{
	if (r->drain_us)
		return r->drain_us;
	if (r->trust_us)
		return r->trust_us;
	return r->linger_us ? r->linger_us : INT64_MAX;
}

bool route_busy(const struct route *r)
{
	return r->drain_us || r->linger_us;
}

bool route_has(const struct route_have *have, uint32_t metric)
{
	for (size_t i = 0; i < have->count; i++)
		if (have->metrics[i] == metric)
			return true;
	return false;
}

static size_t count_others(const struct route_have *have, uint32_t metric)
{
	return have->count - (size_t)route_has(have, metric);
}

size_t route_plan(uint32_t metric, bool address, bool del_first,
	const struct route_have *have, struct route_op ops[ROUTE_OPS])
{
	bool anew = del_first && count_others(have, metric) > 0;
	bool add = metric && (anew || !route_has(have, metric));
	size_t n = 0;

	if (address && !have->address)
		ops[n++] = (struct route_op){ROUTE_OP_ADDR_ADD, 0};
	if (add && !anew)
		ops[n++] = (struct route_op){ROUTE_OP_ADD, metric};
	for (size_t i = 0; i < have->count; i++)
		if (anew || have->metrics[i] != metric)
			ops[n++] = (struct route_op){
				ROUTE_OP_DEL, have->metrics[i]};
	if (add && anew)
		ops[n++] = (struct route_op){ROUTE_OP_ADD, metric};
	if (!address && have->address)
		ops[n++] = (struct route_op){ROUTE_OP_ADDR_DEL, 0};
	return n;
}

static void drop_metric(struct route_have *have, uint32_t metric)
{
	size_t n = 0;

	for (size_t i = 0; i < have->count; i++)
		if (have->metrics[i] != metric)
			have->metrics[n++] = have->metrics[i];
	have->count = (uint8_t)n;
}

void route_done(struct route_have *have, const struct route_op *op)
{
	switch (op->kind) {
	case ROUTE_OP_ADDR_ADD:
		have->address = true;
		return;
	case ROUTE_OP_ADDR_DEL:
		have->address = false;
		return;
	case ROUTE_OP_ADD:
		if (have->count < ROUTE_HAVE)
			have->metrics[have->count++] = op->metric;
		return;
	case ROUTE_OP_DEL:
		drop_metric(have, op->metric);
		return;
	}
}
