/* SPDX-License-Identifier: ISC */
/*
 * The gate of the frontend. Order: the source (ACL, blocks), the name (blocks),
 * the number of questions (limit), is the message well-formed, the operator's
 * rules, then what else is not answered (foreign opcodes, AXFR, ANY, CHAOS)
 * unless a route permits it.
 * Every query costs the same few look-ups, however long the lists are.
 */

#include "frontend/policy.h"

#include "common/dns/code.h"

_Static_assert(sizeof(struct policy_result) <= 16, "fits two registers");

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

static struct policy_result reply(
	enum stat_id counter, uint16_t rcode, int16_t ede)
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

static bool is_exempt(const struct policy *policy, const union addr *client)
{
	return policy->exempt &&
	       prefix_map_find(policy->exempt, client) != PREFIX_NONE;
}

/* --- blocks ------------------------------------------------------------ */

/* From blocks that are set by what was seen. */
static bool is_spared(const struct policy *policy, const union addr *client)
{
	const struct prefix_map *exempt = policy->dynamic.exempt;

	return is_exempt(policy, client) ||
	       (exempt && prefix_map_find(exempt, client) != PREFIX_NONE);
}

/* A no to a source is limited: above, silence, lest we reflect. */
static struct policy_result limit_refusals(const struct policy *policy,
	const union addr *client, int64_t now_us, struct policy_result no,
	enum stat_id dropped)
{
	if (limit_take(policy->limiter, LIMIT_REFUSALS, client,
		    policy->limit_v4_bits, policy->limit_v6_bits, &refusals,
		    now_us))
		return no;
	return drop(dropped);
}

static bool is_proven(const struct policy_query *q)
{
	return q->tcp || q->proven;
}

/* Is it for those only who may not be who they say? */
static bool spares_proven(const struct block_found *found)
{
	return found->forgeable || found->action == BLOCK_TC;
}

static struct policy_result apply_block(const struct block_found *found)
{
	block_hit(found);
	switch (found->action) {
	case BLOCK_LOG:
		return pass();
	case BLOCK_TC:
		return truncate_it(STAT_TC_BLOCK);
	case BLOCK_REFUSE:
		return reply(
			STAT_REFUSED_BLOCK, DNS_RCODE_REFUSED, DNS_EDE_BLOCKED);
	case BLOCK_NXDOMAIN:
		return reply(STAT_NXDOMAIN_BLOCK, DNS_RCODE_NXDOMAIN,
			DNS_EDE_BLOCKED);
	case BLOCK_DROP:
	case BLOCK_ACTIONS:
	default:
		return drop(STAT_DROP_BLOCK);
	}
}

static bool find_source_block(const struct policy *policy,
	const union addr *client, int64_t now_us, struct block_found *found)
{
	return blocks_find_source(policy->blocks, client, now_us, found) &&
	       !(found->automatic && is_spared(policy, client));
}

static struct policy_result check_source_block(const struct policy *policy,
	const union addr *client, enum policy_proof proof, int64_t now_us)
{
	struct block_found found;
	struct policy_result r;

	if (!find_source_block(policy, client, now_us, &found))
		return pass();
	if (spares_proven(&found) && proof == PROOF_GIVEN)
		return pass();
	if (spares_proven(&found) && proof == PROOF_UNKNOWN)
		return (struct policy_result){
			.verdict = VERDICT_PROVE, .ede = -1};
	r = apply_block(&found);
	if (r.verdict == VERDICT_REPLY && !r.tc)
		return limit_refusals(
			policy, client, now_us, r, STAT_DROP_BLOCK);
	return r;
}

static bool is_watched(const struct policy *policy, const union addr *client)
{
	return offender_is_watched(&policy->dynamic.rules) &&
	       policy->offenders && !is_spared(policy, client);
}

void policy_note_answer(const struct policy *policy, const union addr *client,
	bool proven, unsigned rcode, int64_t now_us)
{
	if (is_watched(policy, client))
		offenders_answer(policy->offenders, &policy->dynamic.rules,
			client, proven, rcode, now_us);
}

/* --- sources ----------------------------------------------------------- */

struct policy_result policy_admit(const struct policy *policy,
	const union addr *client, enum policy_proof proof, int64_t now_us)
{
	if (is_allowed(policy, client))
		return check_source_block(policy, client, proof, now_us);
	if (policy->acl_action != POLICY_REFUSE)
		return drop(STAT_DROP_ACL);
	return limit_refusals(policy, client, now_us,
		reply(STAT_REFUSED_ACL, DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED),
		STAT_DROP_ACL_LIMIT);
}

bool policy_admit_tcp(const struct policy *policy, const union addr *client,
	int64_t now_us, enum stat_id *why)
{
	struct block_found found;

	*why = STAT_DROP_ACL;
	if (policy->acl_action != POLICY_REFUSE && !is_allowed(policy, client))
		return false;
	if (!find_source_block(policy, client, now_us, &found) ||
		found.action != BLOCK_DROP || spares_proven(&found))
		return true;
	block_hit(&found);
	*why = STAT_DROP_BLOCK;
	return false;
}

static const struct policy_limit *find_limit(
	const struct policy *policy, const union addr *client)
{
	uint32_t i = policy->overrides
			     ? prefix_map_find(policy->overrides, client)
			     : PREFIX_NONE;

	return i == PREFIX_NONE ? &policy->limit : &policy->override[i];
}

/* Over a limit. `counters` are those of drop, refuse, tc, cache-only. Who has
 * `proven` its address is not told to do so by TCP. */
static struct policy_result over_limit(
	enum policy_action action, bool proven, const enum stat_id counters[4])
{
	switch (action) {
	case POLICY_REFUSE:
		return reply(
			counters[1], DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
	case POLICY_TC:
		return proven ? drop(counters[0]) : truncate_it(counters[2]);
	case POLICY_CACHE_ONLY:
		return (struct policy_result){.verdict = VERDICT_CACHE_ONLY,
			.counter = counters[3],
			.ede = -1};
	case POLICY_DROP:
	case POLICY_ALLOW:
	default:
		return drop(counters[0]);
	}
}

/* Who was told to come by TCP has a bucket of its own there; so has a cookie,
 * which a flood of queries with a forged address cannot empty. */
static enum limit_kind bucket_of(
	const struct policy_limit *limit, bool tcp, bool proven)
{
	if (proven || (tcp && limit->action == POLICY_TC))
		return LIMIT_PROVEN_QUERIES;
	return LIMIT_QUERIES;
}

static struct policy_result check_limit(
	const struct policy *policy, const struct policy_query *q)
{
	static const enum stat_id counters[] = {STAT_DROP_LIMIT,
		STAT_REFUSED_LIMIT, STAT_TC_LIMIT, STAT_CACHE_ONLY};
	const struct policy_limit *limit = find_limit(policy, q->client);
	enum limit_kind kind = bucket_of(limit, q->tcp, q->proven);

	if (is_exempt(policy, q->client) ||
		limit_take(policy->limiter, kind, q->client,
			policy->limit_v4_bits, policy->limit_v6_bits,
			&limit->rule, q->now_us))
		return pass();
	return over_limit(limit->action, is_proven(q), counters);
}

static struct policy_result check_action(
	enum policy_action action, bool proven, enum stat_id dropped)
{
	bool any = dropped == STAT_DROP_ANY;

	switch (action) {
	case POLICY_DROP:
		return drop(dropped);
	case POLICY_TC: /* to one who proves its address it is answered */
		return proven ? pass() : truncate_it(STAT_TC_ANY);
	case POLICY_REFUSE:
		return reply(any ? STAT_REFUSED_ANY : STAT_REFUSED_CHAOS,
			DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
	case POLICY_ALLOW:
	case POLICY_CACHE_ONLY:
	default:
		return pass();
	}
}

static struct policy_result hand_on(const struct policy *policy, unsigned pool)
{
	return (struct policy_result){.verdict = VERDICT_RELAY,
		.ede = -1,
		.pool = &policy->pools[pool]};
}

/* AXFR is not defined over UDP (RFC 5936 4.2). */
static struct policy_result check_transfer(
	const struct policy *policy, const struct policy_query *q)
{
	const struct question *asked = &q->view->q;
	unsigned pool = 0;
	enum permit_verdict permit = permit_find(policy->permits,
		PERMIT_TRANSFER, asked->name, q->client, &pool);

	if (permit == PERMIT_GRANTED && asked->class == DNS_CLASS_IN)
		return q->tcp || asked->type == DNS_TYPE_IXFR
			       ? hand_on(policy, pool)
			       : reply(STAT_AXFR_UDP, DNS_RCODE_NOTIMP, -1);
	if (policy->transfer == POLICY_DROP)
		return drop(STAT_DROP_TRANSFER);
	return reply(permit == PERMIT_NOT_FROM_HERE
			     ? STAT_REFUSED_TRANSFER_SOURCE
			     : STAT_REFUSED_TRANSFER,
		DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
}

/* Opcodes other than QUERY. */
static struct policy_result check_opcode(
	const struct policy *policy, const struct policy_query *q)
{
	bool update = q->opcode == DNS_OPCODE_UPDATE;
	const struct question *asked = &q->view->q;
	enum permit_verdict permit = PERMIT_NOT_ROUTED;
	unsigned pool = 0;

	if ((update || q->opcode == DNS_OPCODE_NOTIFY) && asked->name &&
		asked->class == DNS_CLASS_IN)
		permit = permit_find(policy->permits,
			update ? PERMIT_UPDATE : PERMIT_NOTIFY, asked->name,
			q->client, &pool);
	if (permit == PERMIT_GRANTED)
		return hand_on(policy, pool);
	if (permit == PERMIT_NOT_FROM_HERE)
		return reply(update ? STAT_REFUSED_UPDATE : STAT_REFUSED_NOTIFY,
			DNS_RCODE_REFUSED, DNS_EDE_PROHIBITED);
	return reply(STAT_BAD_NOTIMP, DNS_RCODE_NOTIMP, -1);
}

static bool is_meta(uint16_t type)
{
	return type == 0 || type == DNS_TYPE_OPT ||
	       (type >= 128 && type < DNS_TYPE_ANY);
}

/* `allowed`: a rule said so; what no backend can answer stays refused. */
static struct policy_result check_type(const struct policy *policy,
	const struct policy_query *query, bool allowed)
{
	const struct question *q = &query->view->q;
	bool proven = is_proven(query);

	if (q->class != DNS_CLASS_IN && !allowed) {
		struct policy_result r =
			check_action(policy->chaos, proven, STAT_DROP_CHAOS);

		if (r.verdict != VERDICT_PASS)
			return r;
	}
	if (q->type == DNS_TYPE_AXFR || q->type == DNS_TYPE_IXFR)
		return check_transfer(policy, query);
	if (q->type == DNS_TYPE_ANY && !allowed)
		return check_action(policy->any, proven, STAT_DROP_ANY);
	if (is_meta(q->type))
		return reply(STAT_REFUSED_TYPE, DNS_RCODE_REFUSED, -1);
	return pass();
}

/* --- rules ------------------------------------------------------------- */

static struct policy_result check_rate(const struct policy *policy,
	const struct policy_query *q, const struct rule *rule,
	const struct policy_result *before)
{
	static const enum stat_id counters[] = {STAT_DROP_RULE_RATE,
		STAT_REFUSED_RULE_RATE, STAT_TC_RULE_RATE,
		STAT_CACHE_ONLY_RULE};
	enum policy_action over = (enum policy_action)rule->over;
	const struct limit_owner owner = {.kind = LIMIT_RULE,
		/* as in check_limit: who proves itself has its own bucket */
		.scope = rule->id ^ (is_proven(q) && over == POLICY_TC),
		.client = rule->shared ? NULL : q->client,
		.v4_bits = policy->limit_v4_bits,
		.v6_bits = policy->limit_v6_bits};
	struct policy_result out;

	if (limit_take_owned(policy->limiter, &owner, &rule->rate, q->now_us))
		return pass();
	out = over_limit(over, is_proven(q), counters);
	if (out.verdict == VERDICT_CACHE_ONLY) { /* still to be routed */
		out.pool = before->pool;
		out.no_recurse = before->no_recurse;
	}
	return out;
}

/* Does evaluation end at this rule? Then *out is what comes of it. */
static bool apply_rule(const struct policy *policy,
	const struct policy_query *q, const struct rule *rule,
	struct policy_result *out)
{
	switch (rule->action) {
	case RULE_DROP:
		*out = drop(STAT_DROP_RULE);
		return true;
	case RULE_REFUSE:
		*out = reply(STAT_REFUSED_RULE, DNS_RCODE_REFUSED,
			DNS_EDE_PROHIBITED);
		return true;
	case RULE_NXDOMAIN:
		*out = reply(STAT_NXDOMAIN_RULE, DNS_RCODE_NXDOMAIN,
			DNS_EDE_BLOCKED);
		return true;
	case RULE_SERVFAIL:
		*out = reply(STAT_SERVFAIL_RULE, DNS_RCODE_SERVFAIL,
			DNS_EDE_PROHIBITED);
		return true;
	case RULE_NOTIMP:
		*out = reply(STAT_NOTIMP_RULE, DNS_RCODE_NOTIMP, -1);
		return true;
	case RULE_TRUNCATE:
		*out = truncate_it(STAT_TC_RULE);
		return true;
	case RULE_POOL:
	case RULE_SET_POOL:
		out->pool = &policy->pools[rule->pool];
		return rule->action == RULE_POOL;
	case RULE_NO_RECURSE:
		out->no_recurse = true;
		return false;
	case RULE_SPOOF:
		*out = (struct policy_result){.verdict = VERDICT_SPOOF,
			.counter = STAT_SPOOFED_RULE,
			.ede = -1,
			.spoof = rule->spoof};
		return true;
	case RULE_RATE:
		*out = check_rate(policy, q, rule, out);
		return out->verdict != VERDICT_PASS &&
		       out->verdict != VERDICT_CACHE_ONLY;
	case RULE_ALLOW:
	case RULE_TAG:
	default:
		return rule->action == RULE_ALLOW;
	}
}

/* Has this rule nothing to say to this message? TC means nothing over TCP,
 * and to another opcode there is no answer but a refusal. */
static bool is_void(const struct rule *rule, const struct policy_query *q)
{
	switch (rule->action) {
	case RULE_TRUNCATE:
		return q->tcp || q->parsed == MSG_NOTIMP;
	case RULE_NXDOMAIN:
	case RULE_SERVFAIL:
	case RULE_NOTIMP:
	case RULE_POOL:
	case RULE_SET_POOL:
	case RULE_NO_RECURSE:
	case RULE_SPOOF:
		return q->parsed == MSG_NOTIMP;
	default:
		return false;
	}
}

/* The rule that ended evaluation, NULL: none; *out as it says. */
static const struct rule *check_rules(const struct policy *policy,
	const struct policy_query *q, struct policy_result *out)
{
	const struct rule_query rq = {.name = q->view->q.name,
		.type = q->view->q.type,
		.class = q->view->q.class,
		.opcode = q->opcode,
		.tcp = q->tcp,
		.rd = q->rd,
		.dnssec = q->view->edns.present && q->view->edns.dnssec_ok,
		.client = q->client};
	const struct rule *rule;
	struct rule_cursor c;

	rules_find(policy->rules, &rq, &c);
	while ((rule = rules_next(policy->rules, &c)) != NULL) {
		struct policy_result r = *out;
		bool ends;

		if (is_void(rule, q))
			continue;
		ends = apply_rule(policy, q, rule, &r);
		if (!ends && rule->action == RULE_RATE &&
			r.verdict == VERDICT_PASS)
			continue; /* within its limit */
		rule_hit(rule);
		*out = r;
		if (ends)
			return rule;
	}
	return NULL;
}

static struct policy_result check_form(
	const struct policy *policy, const struct policy_query *q)
{
	if (q->empty && policy->empty == EMPTY_DROP)
		return drop(STAT_DROP_EMPTY);
	if (q->empty && policy->empty == EMPTY_NOTIMP)
		return reply(STAT_BAD_NOTIMP, DNS_RCODE_NOTIMP, -1);
	return reply(STAT_BAD_FORMERR, DNS_RCODE_FORMERR, -1);
}

struct policy_result policy_check(
	const struct policy *policy, const struct policy_query *q)
{
	const struct rule *rule = NULL;
	struct policy_result limit, type;
	struct block_found found;

	if (blocks_find_name(
		    policy->blocks, q->view->q.name, q->now_us, &found) &&
		!(spares_proven(&found) && is_proven(q)))
		return apply_block(&found);
	if (is_watched(policy, q->client))
		offenders_query(policy->offenders, &policy->dynamic.rules,
			q->client, is_proven(q), q->now_us);
	limit = check_limit(policy, q);
	if (limit.verdict == VERDICT_DROP || limit.verdict == VERDICT_REPLY)
		return limit;
	if (q->parsed == MSG_FORMERR)
		return check_form(policy, q);
	if (q->parsed == MSG_BADVERS)
		return reply(STAT_BAD_BADVERS, DNS_RCODE_BADVERS, -1);
	if (policy->rules)
		rule = check_rules(policy, q, &limit);
	if (limit.verdict != VERDICT_PASS &&
		limit.verdict != VERDICT_CACHE_ONLY)
		return limit;
	type = q->parsed == MSG_NOTIMP
		       ? check_opcode(policy, q)
		       : check_type(
				 policy, q, rule && rule->action == RULE_ALLOW);
	if (type.verdict == VERDICT_RELAY && limit.verdict != VERDICT_PASS)
		return drop(STAT_DROP_LIMIT); /* no cache has it */
	return type.verdict == VERDICT_PASS ? limit : type;
}

struct policy_result policy_check_miss(const struct policy *policy,
	const union addr *client, bool proven, const uint8_t *name,
	int64_t now_us)
{
	static const enum stat_id by_client[] = {STAT_DROP_MISS_CLIENT,
		STAT_REFUSED_MISS_CLIENT, STAT_TC_MISS_CLIENT,
		STAT_DROP_MISS_CLIENT};
	static const enum stat_id by_suffix[] = {STAT_DROP_MISS_SUFFIX,
		STAT_REFUSED_MISS_SUFFIX, STAT_TC_MISS_SUFFIX,
		STAT_DROP_MISS_SUFFIX};
	enum policy_action action = (enum policy_action)policy->misses.action;
	const struct miss_query q = {.client = client,
		.v4_bits = policy->limit_v4_bits,
		.v6_bits = policy->limit_v6_bits,
		.name = name,
		.apart = proven && action == POLICY_TC};
	struct miss_limits limits = policy->misses;
	enum miss_over over;

	if (!limits.on || is_exempt(policy, client))
		return pass();
	limits.client = find_limit(policy, client)->misses;
	over = miss_take(&limits, policy->limiter, policy->routes, &q, now_us);
	if (over == MISS_WITHIN)
		return pass();
	/* "cache-only": it is not in the cache */
	return over_limit(action == POLICY_CACHE_ONLY ? POLICY_DROP : action,
		proven, over == MISS_CLIENT ? by_client : by_suffix);
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
