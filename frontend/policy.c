/* SPDX-License-Identifier: ISC */
/*
 * The gate of the frontend. Order: the source (ACL), then the number of its
 * questions (limit), then what they are (malformed, foreign opcodes, AXFR,
 * ANY, CHAOS). Every query costs the same few look-ups, however long the
 * lists are.
 */

#include "frontend/policy.h"

#include "common/dns/code.h"

/* REFUSED answers per denied source; above: silence, lest we reflect. */
static const struct limit_rule refusals = {.qps = 10, .burst = 10};

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	arena_fini(&policy->arena);
	free(policy);
}

static struct policy_result pass(void)
{
	return (struct policy_result){.verdict = VERDICT_PASS, .ede = -1};
}

static struct policy_result drop(enum stat_id counter)
{
	return (struct policy_result){
		.verdict = VERDICT_DROP, .counter = counter, .ede = -1};
}

static struct policy_result reply(enum stat_id counter, unsigned rcode, int ede)
{
	return (struct policy_result){.verdict = VERDICT_REPLY,
		.counter = counter,
		.rcode = rcode,
		.ede = ede};
}

static struct policy_result truncate_it(enum stat_id counter)
{
	return (struct policy_result){.verdict = VERDICT_REPLY,
		.counter = counter,
		.rcode = DNS_RCODE_NOERROR,
		.tc = true,
		.ede = -1};
}

static bool is_allowed(const struct policy *policy, const union addr *client)
{
	return prefix_map_find(policy->acl, client) == 1;
}

struct policy_result policy_admit(
	const struct policy *policy, const union addr *client, int64_t now_us)
{
	if (is_allowed(policy, client))
		return pass();
	if (policy->acl_action != POLICY_REFUSE)
		return drop(STAT_DROP_ACL);
	if (!limit_take(policy->limiter, LIMIT_REFUSALS, client,
		    policy->limit_v4_bits, policy->limit_v6_bits, &refusals,
		    now_us))
		return drop(STAT_DROP_ACL_LIMIT);
	return reply(STAT_REFUSED_ACL, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
}

bool policy_admit_tcp(const struct policy *policy, const union addr *client)
{
	return policy->acl_action == POLICY_REFUSE ||
	       is_allowed(policy, client);
}

static const struct policy_limit *find_limit(
	const struct policy *policy, const union addr *client)
{
	uint32_t i = policy->overrides
			     ? prefix_map_find(policy->overrides, client)
			     : PREFIX_NONE;

	return i == PREFIX_NONE ? &policy->limit : &policy->override[i];
}

static struct policy_result check_limit(const struct policy *policy,
	const union addr *client, bool tcp, int64_t now_us)
{
	const struct policy_limit *limit = find_limit(policy, client);
	/* who was told to come by TCP has a bucket of its own there */
	enum limit_kind kind = tcp && limit->action == POLICY_TC
				       ? LIMIT_TCP_QUERIES
				       : LIMIT_QUERIES;

	if (limit_take(policy->limiter, kind, client, policy->limit_v4_bits,
		    policy->limit_v6_bits, &limit->rule, now_us))
		return pass();
	switch (limit->action) {
	case POLICY_REFUSE:
		return reply(STAT_REFUSED_LIMIT, DNS_RCODE_REFUSED,
			DNS_EDE_PROHIBITED);
	case POLICY_TC:
		return tcp ? drop(STAT_DROP_LIMIT) : truncate_it(STAT_TC_LIMIT);
	case POLICY_CACHE_ONLY:
		return (struct policy_result){.verdict = VERDICT_CACHE_ONLY,
			.counter = STAT_CACHE_ONLY,
			.ede = -1};
	case POLICY_DROP:
	case POLICY_ALLOW:
	default:
		return drop(STAT_DROP_LIMIT);
	}
}

static struct policy_result check_action(
	enum policy_action action, bool tcp, enum stat_id dropped)
{
	bool any = dropped == STAT_DROP_ANY;

	switch (action) {
	case POLICY_DROP:
		return drop(dropped);
	case POLICY_TC: /* TCP proves the source: answer it there */
		return tcp ? pass() : truncate_it(STAT_TC_ANY);
	case POLICY_REFUSE:
		return reply(any ? STAT_REFUSED_ANY : STAT_REFUSED_CHAOS,
			DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
	case POLICY_ALLOW:
	case POLICY_CACHE_ONLY:
	default:
		return pass();
	}
}

static bool is_meta(uint16_t type)
{
	return type == 0 || type == DNS_TYPE_OPT ||
	       (type >= 128 && type < DNS_TYPE_ANY);
}

static struct policy_result check_type(
	const struct policy *policy, bool tcp, const struct question *q)
{
	if (q->class != DNS_CLASS_IN) {
		struct policy_result r =
			check_action(policy->chaos, tcp, STAT_DROP_CHAOS);

		if (r.verdict != VERDICT_PASS)
			return r;
	}
	if (q->type == DNS_TYPE_AXFR || q->type == DNS_TYPE_IXFR)
		return policy->transfer == POLICY_DROP
			       ? drop(STAT_DROP_TRANSFER)
			       : reply(STAT_REFUSED_TRANSFER, DNS_RCODE_REFUSED,
					 DNS_EDE_PROHIBITED);
	if (q->type == DNS_TYPE_ANY)
		return check_action(policy->any, tcp, STAT_DROP_ANY);
	if (is_meta(q->type))
		return reply(STAT_REFUSED_TYPE, DNS_RCODE_REFUSED, -1);
	return pass();
}

struct policy_result policy_check(const struct policy *policy,
	const union addr *client, bool tcp, enum msg_verdict parsed,
	const struct query_view *view, int64_t now_us)
{
	struct policy_result limit = check_limit(policy, client, tcp, now_us);
	struct policy_result type;

	if (limit.verdict == VERDICT_DROP || limit.verdict == VERDICT_REPLY)
		return limit;
	switch (parsed) {
	case MSG_FORMERR:
		return reply(STAT_BAD_FORMERR, DNS_RCODE_FORMERR, -1);
	case MSG_NOTIMP:
		return reply(STAT_BAD_NOTIMP, DNS_RCODE_NOTIMP, -1);
	case MSG_BADVERS:
		return reply(STAT_BAD_BADVERS, DNS_RCODE_BADVERS, -1);
	case MSG_OK:
	case MSG_DROP:
	default:
		break;
	}
	type = check_type(policy, tcp, &view->q);
	return type.verdict == VERDICT_PASS ? limit : type;
}

const struct pool *policy_route(
	const struct policy *policy, const struct question *q)
{
	bool parent = q->type == DNS_TYPE_DS && q->name[0] != 0;
	uint32_t i = suffix_map_find(
		policy->routes, parent ? name_parent(q->name) : q->name);

	return &policy->pools[i == SUFFIX_NONE ? policy->default_pool : i];
}

const struct pool *policy_pool(const struct policy *policy, uint16_t id)
{
	for (unsigned i = 0; i < policy->pool_count; i++)
		if (policy->pools[i].id == id)
			return &policy->pools[i];
	return NULL;
}
