/* SPDX-License-Identifier: ISC */
/*
 * From the checked tree to the snapshot, in one arena. All that can be wrong
 * with the text is found in config_check, so config_build fails for want of
 * memory only (or of the file of cookie secrets).
 */

#include "frontend/config_impl.h"

#include "common/dns/code.h"

#include <errno.h>

#define FAILURE_TTL_MAX_S 5

/* --- checks ------------------------------------------------------------ */

static bool check_has_name(const struct conf_node *check)
{
	return conf_line(conf_get(check, "name")) != 0;
}

/* POOL_RCODE_ANY for "ANY". */
static bool parse_rcode(const char *text, int *rcode)
{
	uint16_t value = 0;

	if (strcasecmp(text, "ANY") == 0) {
		*rcode = POOL_RCODE_ANY;
		return true;
	}
	if (!dns_rcode_parse(text, &value))
		return false;
	*rcode = value;
	return true;
}

static int check_probe(
	const struct conf *conf, const struct conf_node *check, struct err *err)
{
	const struct conf_node *type = conf_get(check, "type");
	const struct conf_node *rcode = conf_get(check, "rcode");
	uint16_t value;
	int any;

	if (!dns_type_parse(conf_str(type), &value))
		return conf_error(conf, type, err,
			"type: \"%s\" is not a type such as A or SOA",
			conf_str(type));
	if (rcode && !parse_rcode(conf_str(rcode), &any))
		return conf_error(conf, rcode, err,
			"rcode: \"%s\" is not an rcode such as NOERROR, nor "
			"ANY",
			conf_str(rcode));
	return 0;
}

/* Keys of the check that do not go together. */
static int check_probe_keys(
	const struct conf *conf, const struct conf_node *check, struct err *err)
{
	const struct conf_node *serial = conf_get(check, "min_serial");
	const struct conf_node *label = conf_get(check, "random_label");
	uint16_t type = 0;

	(void)dns_type_parse(conf_get_str(check, "type"), &type);
	if (serial && type != DNS_TYPE_SOA)
		return conf_error(
			conf, serial, err, "min_serial: only with type: SOA");
	if (serial && conf_bool(label))
		return conf_error(conf, serial, err,
			"min_serial: not with random_label, a name that is "
			"not there has no SOA");
	if (conf_bool(label) &&
		conf_name(conf_get(check, "name"))->len + POOL_CHECK_LABEL >
			NAME_MAX_WIRE)
		return conf_error(conf, label, err,
			"random_label: the name is too long for one more "
			"label");
	return 0;
}

static int check_backends(const struct conf *conf, const struct conf_node *list,
	unsigned *total, struct err *err)
{
	const struct conf_node *b, *other;
	int rc;

	for (b = conf_first(list); b; b = conf_next(b)) {
		const char *name = conf_get_str(b, "name");

		rc = check_probe(conf, conf_get(b, "check"), err);
		if (rc == 0)
			rc = check_probe_keys(conf, conf_get(b, "check"), err);
		if (rc < 0)
			return rc;
		if (++*total > SERVERS_MAX / 2)
			return conf_error(conf, b, err, "more than %d backends",
				SERVERS_MAX / 2);
		for (other = conf_first(list); other != b;
			other = conf_next(other))
			if (strcmp(conf_get_str(other, "name"), name) == 0)
				return conf_error(conf, b, err,
					"backend \"%s\" is already defined in "
					"line %u",
					name, conf_line(other));
	}
	return 0;
}

static int check_pools(const struct conf *conf, struct err *err)
{
	const struct conf_node *pool;
	unsigned total = 0;
	int rc;

	pool = conf_first(conf_get(conf_root(conf), "pools"));
	for (; pool; pool = conf_next(pool)) {
		if (strlen(conf_key(pool)) >= SERVER_NAME)
			return conf_error(conf, pool, err,
				"the name of a pool has at most %d octets",
				SERVER_NAME - 1);
		rc = check_backends(
			conf, conf_get(pool, "backends"), &total, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int config_pool_index(const struct conf *conf, const char *name)
{
	const struct conf_node *pool;
	int i = 0;

	pool = conf_first(conf_get(conf_root(conf), "pools"));
	for (; pool; pool = conf_next(pool), i++)
		if (strcmp(conf_key(pool), name) == 0)
			return i;
	return -ENOENT;
}

static int check_pool_name(
	const struct conf *conf, const struct conf_node *node, struct err *err)
{
	if (config_pool_index(conf, conf_str(node)) >= 0)
		return 0;
	return conf_error(
		conf, node, err, "there is no pool \"%s\"", conf_str(node));
}

static bool is_auth(const struct conf_node *pool)
{
	int64_t kind = conf_get_int(pool, "kind"); /* auto, rec, auth */
	const struct conf_node *b = conf_first(conf_get(pool, "backends"));

	if (kind != 0)
		return kind == 2;
	if (strcmp(conf_key(pool), "auth") == 0)
		return true;
	for (; b; b = conf_next(b))
		if (conf_get_bool(conf_get(b, "check"), "require_aa"))
			return true;
	return false;
}

static const struct conf_node *find_pool(
	const struct conf *conf, const char *name)
{
	return conf_get(conf_get(conf_root(conf), "pools"), name);
}

static int check_routes(const struct conf *conf, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "routes");
	const struct conf_node *route;
	int rc = 0;

	for (route = conf_first(list); route && rc == 0;
		route = conf_next(route)) {
		const struct conf_node *pool = conf_get(route, "pool");

		rc = check_pool_name(conf, pool, err);
		if (rc == 0)
			rc = config_check_permits(conf, route,
				is_auth(find_pool(conf, conf_str(pool))), err);
	}
	return rc;
}

static int check_listen(const struct conf *conf, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "listen");
	const struct conf_node *a, *b;

	for (a = conf_first(list); a; a = conf_next(a))
		for (b = conf_first(list); b != a; b = conf_next(b))
			if (addr_port(conf_addr(a)) != 0 &&
				addr_equal(conf_addr(a), conf_addr(b)))
				return conf_error(conf, a, err,
					"the address is listed twice");
	return 0;
}

static int check_retry(const struct conf *conf, struct err *err)
{
	const struct conf_node *retry = conf_get(conf_root(conf), "retry");

	if (conf_get_int(retry, "timeout") <= conf_get_int(retry, "deadline"))
		return 0;
	return conf_error(conf, conf_get(retry, "deadline"), err,
		"retry.deadline must not be shorter than retry.timeout");
}

int config_check(const struct conf *conf, struct err *err)
{
	struct registry *scratch = calloc(1, sizeof(*scratch));
	struct policy *policy = NULL;
	int rc = scratch ? 0 : -ENOMEM;

	if (rc == 0)
		rc = check_listen(conf, err);
	if (rc == 0)
		rc = check_pools(conf, err);
	if (rc == 0)
		rc = check_pool_name(
			conf, conf_get(conf_root(conf), "default_pool"), err);
	if (rc == 0)
		rc = check_routes(conf, err);
	if (rc == 0)
		rc = config_check_rules(conf, err);
	if (rc == 0)
		rc = check_retry(conf, err);
	if (rc == 0) { /* duplicates show when it is built */
		rc = config_build(conf, scratch, &policy, err);
		config_release(policy, scratch);
	}
	free(scratch);
	return rc;
}

/* --- build ------------------------------------------------------------- */

static int build_acl(const struct conf *conf, struct policy *p, struct err *err)
{
	static const enum policy_action actions[] = {
		POLICY_REFUSE, POLICY_DROP};
	const struct conf_node *acl = conf_get(conf_root(conf), "acl");
	int rc;

	p->acl = prefix_map_new(&p->arena);
	if (!p->acl)
		return err_fail(err, -ENOMEM, "out of memory");
	rc = config_add_prefixes(conf, p->acl, conf_get(acl, "allow"), 1, err);
	if (rc == 0)
		rc = config_add_prefixes(
			conf, p->acl, conf_get(acl, "deny"), 0, err);
	p->acl_action = actions[conf_get_int(acl, "action")];
	return rc;
}

static void build_actions(const struct conf *conf, struct policy *p)
{
	static const enum policy_action actions[] = {
		POLICY_ALLOW, POLICY_DROP, POLICY_REFUSE, POLICY_TC};
	const struct conf_node *n = conf_get(conf_root(conf), "policy");

	p->any = actions[conf_get_int(n, "any")];
	p->chaos = actions[conf_get_int(n, "chaos")];
	p->empty = (enum policy_empty)conf_get_int(n, "empty");
	p->transfer =
		conf_get_int(n, "transfer") == 0 ? POLICY_REFUSE : POLICY_DROP;
}

static uint32_t seconds(const struct conf_node *n, const char *key)
{
	return (uint32_t)(conf_get_int(n, key) / 1000);
}

static void build_cache_rules(const struct conf *conf, struct cache_rules *r)
{
	const struct conf_node *n = conf_get(conf_root(conf), "cache");

	r->max_ttl_s = seconds(n, "max_ttl");
	r->min_ttl_s = seconds(n, "min_ttl");
	r->max_negative_ttl_s = seconds(n, "max_negative_ttl");
	r->failure_ttl_s = seconds(n, "failure_ttl");
	if (r->failure_ttl_s > FAILURE_TTL_MAX_S)
		r->failure_ttl_s = FAILURE_TTL_MAX_S;
	r->truncated_ttl_s = seconds(n, "truncated_ttl");
	r->stale_s = seconds(n, "stale");
	r->prefetch = conf_get_bool(n, "prefetch");
	r->cap_served = conf_get_bool(n, "cap_served_ttl");
}

static int build_warm(
	const struct conf *conf, struct policy *p, struct err *err)
{
	const struct conf_node *list =
		conf_get(conf_get(conf_root(conf), "cache"), "warm");
	const struct conf_node *n;

	p->warm = arena_array(&p->arena, conf_count(list), sizeof(*p->warm));
	if (!p->warm)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n))
		p->warm[p->warm_count++] = *conf_addr(n);
	return 0;
}

static void build_check(
	const struct conf_node *n, bool auth, struct pool_check *out)
{
	out->timing.enabled = conf_get_bool(n, "enabled");
	out->timing.lazy = conf_get_bool(n, "lazy");
	out->timing.interval_ms = (uint32_t)conf_get_int(n, "interval");
	out->timing.timeout_ms = (uint32_t)conf_get_int(n, "timeout");
	out->timing.rise = (uint32_t)conf_get_int(n, "rise");
	out->timing.fall = (uint32_t)conf_get_int(n, "fall");
	out->name = *conf_name(conf_get(n, "name"));
	(void)dns_type_parse(conf_get_str(n, "type"), &out->type);
	out->require_aa = conf_get_bool(n, "require_aa");
	out->random_label = conf_get_bool(n, "random_label");
	out->has_serial = conf_has(n, "min_serial");
	if (out->has_serial)
		out->serial = (uint32_t)conf_get_int(n, "min_serial");
	/* nobody serves "." but the root: such a check asks for life only */
	out->rcode = auth && !check_has_name(n) ? POOL_RCODE_ANY
						: POOL_RCODE_RESOLVED;
	if (conf_has(n, "rcode"))
		(void)parse_rcode(conf_get_str(n, "rcode"), &out->rcode);
}

static int build_members(struct registry *registry, struct policy *p,
	struct pool *pool, const struct conf_node *list, struct err *err)
{
	const struct conf_node *b;

	pool->members = arena_array(
		&p->arena, conf_count(list), sizeof(*pool->members));
	if (!pool->members)
		return err_fail(err, -ENOMEM, "out of memory");
	for (b = conf_first(list); b; b = conf_next(b)) {
		struct pool_member *m = &pool->members[pool->count];

		m->server = registry_take(registry, pool->name,
			conf_get_str(b, "name"),
			conf_addr(conf_get(b, "address")));
		if (!m->server)
			return err_fail(err, -ENOMEM, "out of memory");
		pool->count++;
		m->weight = (uint32_t)conf_get_int(b, "weight");
		m->order = (uint32_t)conf_get_int(b, "order");
		m->limit.qps = (uint32_t)conf_get_int(b, "qps");
		m->limit.burst = m->limit.qps;
		build_check(conf_get(b, "check"), pool->auth, &m->check);
	}
	if (pool->policy == POOL_CONSISTENT_HASH && pool->count > 0 &&
		pool_build_ring(pool, &p->arena) < 0)
		return err_fail(err, -ENOMEM, "out of memory");
	return 0;
}

static int build_pools(const struct conf *conf, struct registry *registry,
	struct policy *p, struct err *err)
{
	const struct conf_node *dict = conf_get(conf_root(conf), "pools"), *n;
	int rc;

	p->pools = arena_array(&p->arena, conf_count(dict), sizeof(*p->pools));
	if (!p->pools)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(dict); n; n = conf_next(n)) {
		struct pool *pool = &p->pools[p->pool_count++];

		pool->name = arena_strdup(&p->arena, conf_key(n));
		if (!pool->name)
			return err_fail(err, -ENOMEM, "out of memory");
		if (registry_pool_id(registry, pool->name, &pool->id) < 0)
			return conf_error(conf, n, err,
				"too many names of pools since the start: "
				"restart");
		pool->auth = is_auth(n);
		pool->cached = conf_get_bool(n, "cache") &&
			       conf_get_int(conf_path(conf_root(conf), "cache"),
				       "entries") > 0;
		pool->policy = (enum pool_policy)conf_get_int(n, "policy");
		pool->tiers = conf_get_bool(n, "tiers");
		pool->drops = conf_get_int(n, "no_server") == 1;
		pool->ecs = (enum pool_ecs)conf_get_int(n, "ecs");
		rc = build_members(
			registry, p, pool, conf_get(n, "backends"), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int build_routes(
	const struct conf *conf, struct policy *p, struct err *err)
{
	const struct conf_node *root = conf_root(conf);
	const struct conf_node *list = conf_get(root, "routes"), *n;

	p->default_pool = (unsigned)config_pool_index(
		conf, conf_get_str(root, "default_pool"));
	p->routes = suffix_map_new(&p->arena, conf_count(list));
	if (!p->routes)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n)) {
		const struct conf_node *suffix = conf_get(n, "suffix");
		int pool = config_pool_index(conf, conf_get_str(n, "pool"));
		int rc = suffix_map_add(
			p->routes, conf_name(suffix), (uint32_t)pool);

		if (rc == -EEXIST)
			return conf_error(conf, suffix, err,
				"the suffix has a route already");
		if (rc < 0)
			return err_fail(err, rc, "out of memory");
	}
	return 0;
}

static void build_rest(const struct conf *conf, struct policy *p)
{
	const struct conf_node *root = conf_root(conf);
	const struct conf_node *retry = conf_get(root, "retry");
	const struct conf_node *upstream = conf_get(root, "upstream");

	p->retry.timeout_ms = (uint32_t)conf_get_int(retry, "timeout");
	p->retry.deadline_ms = (uint32_t)conf_get_int(retry, "deadline");
	p->retry.hedge = conf_get_bool(retry, "hedge");
	p->retry.tries = (uint32_t)conf_get_int(retry, "tries");
	p->sockets = (unsigned)conf_get_int(upstream, "sockets");
	p->socket_queries = (unsigned)conf_get_int(upstream, "socket_queries");
	p->waiting_max = (uint32_t)conf_get_int(root, "inflight_per_client");
	p->hop.idle_ms = (uint32_t)conf_get_int(conf_get(root, "tcp"), "idle");
	p->drop_lines = (unsigned)conf_get_int(
		conf_get(root, "drop_log"), "lines_per_second");
	if (conf_get_bool(conf_get(root, "top"), "enabled"))
		p->top_window_ms =
			(uint32_t)conf_get_int(conf_get(root, "top"), "window");
	p->udp_limit = (uint16_t)conf_get_int(root, "udp_size");
}

int config_build(const struct conf *conf, struct registry *registry,
	struct policy **policy, struct err *err)
{
	struct policy *p = calloc(1, sizeof(*p));
	int rc;

	*policy = NULL;
	if (!p)
		return err_fail(err, -ENOMEM, "out of memory");
	arena_init(&p->arena, 0, 0);
	build_actions(conf, p);
	build_cache_rules(conf, &p->cache_rules);
	build_rest(conf, p);
	rc = build_acl(conf, p, err);
	if (rc == 0)
		rc = config_cookies(conf, registry, &p->hop, err);
	if (rc == 0)
		rc = config_build_limits(conf, p, err);
	if (rc == 0)
		rc = build_pools(conf, registry, p, err);
	if (rc == 0)
		rc = build_routes(conf, p, err);
	if (rc == 0)
		rc = config_build_transfers(conf, p, err);
	if (rc == 0)
		rc = config_build_rules(conf, registry, p, err);
	if (rc == 0)
		rc = build_warm(conf, p, err);
	if (rc < 0)
		config_release(p, registry);
	else
		*policy = p;
	return rc;
}

void config_release(struct policy *policy, struct registry *registry)
{
	if (!policy)
		return;
	config_release_rules(policy, registry);
	for (unsigned i = 0; i < policy->pool_count; i++) {
		struct pool *pool = &policy->pools[i];

		for (unsigned k = 0; k < pool->count; k++)
			registry_give(registry, pool->members[k].server);
	}
	policy_free(policy);
}

/* --- the rest ---------------------------------------------------------- */

void config_serve(
	const struct conf *conf, union addr *addrs, struct serve_config *out)
{
	const struct conf_node *root = conf_root(conf);
	const struct conf_node *tcp = conf_get(root, "tcp");
	const struct conf_node *n = conf_first(conf_get(root, "listen"));

	memset(out, 0, sizeof(*out));
	for (; n && out->addr_count < CONFIG_LISTEN_MAX; n = conf_next(n))
		addrs[out->addr_count++] = *conf_addr(n);
	out->addrs = addrs;
	out->reuseport = true;
	out->freebind = conf_get_bool(root, "freebind");
	out->tcp_max = (uint32_t)conf_get_int(tcp, "connections");
	out->tcp_per_client = (uint32_t)conf_get_int(tcp, "per_client");
	out->tcp_per_net = (uint32_t)conf_get_int(tcp, "per_net");
	out->tcp_queries = (uint32_t)conf_get_int(tcp, "queries");
	out->tcp_lifetime_ms = (uint32_t)conf_get_int(tcp, "lifetime");
	out->tcp_inflight = (uint32_t)conf_get_int(tcp, "inflight");
	out->tcp_idle_ms = (uint32_t)conf_get_int(tcp, "idle");
	out->tcp_message_ms = (uint32_t)conf_get_int(tcp, "message");
	out->tcp_reads = (uint32_t)conf_get_int(tcp, "reads");
	out->tcp_ban_ms = (uint32_t)conf_get_int(tcp, "ban");
}

void config_sizes(const struct conf *conf, struct config_sizes *out)
{
	const struct conf_node *root = conf_root(conf);
	const struct conf_node *cache = conf_get(root, "cache");

	out->workers = (unsigned)conf_get_int(root, "workers");
	out->inflight = (uint32_t)conf_get_int(root, "inflight");
	out->cache_entries = (size_t)conf_get_int(cache, "entries");
	out->cache_entries += out->cache_entries == 0; /* one, never used */
	out->cache_bytes = (size_t)conf_get_int(cache, "memory");
	out->limit_entries =
		(size_t)conf_get_int(conf_get(root, "limit"), "table_size");
	out->offender_entries = (size_t)conf_get_int(
		conf_get(root, "dynamic_blocks"), "table_size");
}

const union addr *config_metrics(const struct conf *conf)
{
	const struct conf_node *n =
		conf_path(conf_root(conf), "metrics.listen");

	return n ? conf_addr(n) : NULL;
}

const char *config_cache_file(const struct conf *conf)
{
	const struct conf_node *n = conf_path(conf_root(conf), "cache.file");

	return n ? conf_str(n) : NULL;
}

int config_blocks_file(
	const struct conf *conf, char *out, size_t size, struct err *err)
{
	const struct conf_node *n = conf_path(conf_root(conf), "blocks.file");
	const char *dir = getenv("STATE_DIRECTORY");
	int len = 0;

	out[0] = '\0';
	if (n)
		len = snprintf(out, size, "%s", conf_str(n));
	else if (dir && dir[0] == '/' && !strchr(dir, ':'))
		len = snprintf(out, size, "%s/blocks", dir);
	if ((size_t)len < size)
		return 0;
	return n ? conf_error(conf, n, err, "blocks.file: at most %zu octets",
			   size - 1)
		 : err_fail(err, -ENAMETOOLONG, "STATE_DIRECTORY is too long");
}

const char *config_ha_socket(const struct conf *conf)
{
	const struct conf_node *n = conf_path(conf_root(conf), "ha.socket");

	return n ? conf_str(n) : NULL;
}
