/* SPDX-License-Identifier: ISC */
/*
 * The one file that knows both the text of resolver.yaml and the settings.
 * The library's part becomes a text in its own language: whatever changes
 * that text needs a new library context, whatever does not is live.
 */

#include "resolver/config.h"

#include <errno.h>
#include <unistd.h>

#include "resolver/libconf.h"

#define K 1024LL
#define M (1024 * K)
#define G (1024 * M)

static const char *const acl_actions[] = {"refuse", "drop", NULL};
static const char *const any_actions[] = {
	"tc", "refuse", "drop", "allow", NULL};
static const char *const rd0_actions[] = {"refuse", "cache", NULL};

static const struct schema_item addr53_item[] = {
	{.name = "", .type = SCHEMA_ADDR, .min = 53, .help = "An address."},
	{0},
};
static const struct schema_item prefix_item[] = {
	{.name = "", .type = SCHEMA_PREFIX, .help = "A prefix."},
	{0},
};
static const struct schema_item name_item[] = {
	{.name = "", .type = SCHEMA_NAME, .help = "A domain name."},
	{0},
};
static const struct schema_item ip_item[] = {
	{.name = "", .type = SCHEMA_IP, .help = "An address."},
	{0},
};

static const struct schema_item acl_items[] = {
	{.name = "allow",
		.type = SCHEMA_LIST,
		.dflt = "[127.0.0.0/8, '::1/128']",
		.children = prefix_item,
		.help = "Who may ask."},
	{.name = "deny",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = prefix_item,
		.help = "Exceptions: the longest prefix decides."},
	{.name = "action",
		.type = SCHEMA_ENUM,
		.dflt = "refuse",
		.choices = acl_actions,
		.help = "What others get: REFUSED or silence."},
	{.name = "refuse_rate",
		.type = SCHEMA_INT,
		.dflt = "20",
		.min = 0,
		.max = 1000000,
		.unit = "per second",
		.help = "REFUSED answers to one source; silence above."},
	{0},
};

static const struct schema_item cache_items[] = {
	{.name = "entries",
		.type = SCHEMA_INT,
		.dflt = "100000",
		.min = 100,
		.max = 100000000,
		.help = "Answers in the front cache of each worker."},
	{.name = "memory",
		.type = SCHEMA_SIZE,
		.dflt = "128M",
		.min = M,
		.max = 1024 * G,
		.help = "Memory of the front cache of each worker."},
	{.name = "library_memory",
		.type = SCHEMA_SIZE,
		.dflt = "64M",
		.min = 8 * M,
		.max = 1024 * G,
		.help = "Memory of the library's caches of each worker (it "
			"may use twice that)."},
	{.name = "max_ttl",
		.type = SCHEMA_DURATION,
		.dflt = "24h",
		.min = 1000,
		.max = 604800000,
		.help = "Longest life of an answer."},
	{.name = "max_negative_ttl",
		.type = SCHEMA_DURATION,
		.dflt = "1h",
		.min = 1000,
		.max = 86400000,
		.help = "Longest life of NXDOMAIN and of no data."},
	{.name = "failure_ttl",
		.type = SCHEMA_DURATION,
		.dflt = "5s",
		.min = 1000,
		.max = 300000,
		.help = "Life of SERVFAIL (RFC 9520)."},
	{.name = "bogus_ttl",
		.type = SCHEMA_DURATION,
		.dflt = "60s",
		.min = 1000,
		.max = 3600000,
		.help = "Life of an answer that failed validation."},
	{.name = "stale",
		.type = SCHEMA_DURATION,
		.dflt = "24h",
		.min = 0,
		.max = 259200000,
		.help = "How long expired answers may be served when no "
			"fresh one can be had (RFC 8767); 0: never."},
	{.name = "stale_ttl",
		.type = SCHEMA_DURATION,
		.dflt = "30s",
		.min = 1000,
		.max = 3600000,
		.help = "TTL of stale answers."},
	{.name = "stale_wait",
		.type = SCHEMA_DURATION,
		.dflt = "1800ms",
		.min = 0,
		.max = 60000,
		.help = "How long a client waits before it gets a stale "
			"answer."},
	{.name = "stale_retry",
		.type = SCHEMA_DURATION,
		.dflt = "30s",
		.min = 0,
		.max = 600000,
		.help = "After a failed refresh stale answers are given at "
			"once for this long."},
	{0},
};

static const struct schema_item limit_items[] = {
	{.name = "inflight",
		.type = SCHEMA_INT,
		.dflt = "4096",
		.min = 16,
		.max = INFLIGHT_MAX,
		.help = "Questions that wait for an answer in each worker."},
	{.name = "per_client",
		.type = SCHEMA_INT,
		.dflt = "512",
		.min = 1,
		.max = INFLIGHT_MAX,
		.help = "The same for one client address."},
	{.name = "per_zone",
		.type = SCHEMA_INT,
		.dflt = "256",
		.min = 1,
		.max = INFLIGHT_MAX,
		.help = "Lookups under way below one two-label suffix."},
	{.name = "deadline",
		.type = SCHEMA_DURATION,
		.dflt = "5s",
		.min = 500,
		.max = 60000,
		.help = "A client gets an answer within this time."},
	{0},
};

static const struct schema_item tcp_items[] = {
	{.name = "connections",
		.type = SCHEMA_INT,
		.dflt = "1024",
		.min = 1,
		.max = 16384,
		.help = "TCP connections of each worker."},
	{.name = "per_client",
		.type = SCHEMA_INT,
		.dflt = "20",
		.min = 1,
		.max = 16384,
		.help = "The same for one client (IPv6: /64)."},
	{.name = "idle",
		.type = SCHEMA_DURATION,
		.dflt = "10s",
		.min = 100,
		.max = 600000,
		.help = "An idle connection is closed after this."},
	{.name = "message",
		.type = SCHEMA_DURATION,
		.dflt = "5s",
		.min = 100,
		.max = 60000,
		.help = "A message must be whole within this."},
	{0},
};

static const struct schema_item outgoing_items[] = {
	{.name = "range",
		.type = SCHEMA_INT,
		.dflt = "4096",
		.min = 16,
		.max = 60000,
		.help = "Sockets to name servers of each worker."},
	{.name = "tcp",
		.type = SCHEMA_INT,
		.dflt = "100",
		.min = 1,
		.max = 1000,
		.help = "TCP connections to name servers of each worker."},
	{.name = "interfaces",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = ip_item,
		.help = "Source addresses of these queries."},
	{.name = "ipv4",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Ask name servers over IPv4."},
	{.name = "ipv6",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Ask name servers over IPv6."},
	{.name = "localhost",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "May name servers have loopback addresses?"},
	{.name = "caps_for_id",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "Random upper and lower case in questions."},
	{.name = "ratelimit",
		.type = SCHEMA_INT,
		.dflt = "1000",
		.min = 0,
		.max = 1000000,
		.unit = "per second",
		.help = "Questions to the servers of one zone; 0: no bound."},
	{.name = "max_rtt",
		.type = SCHEMA_DURATION,
		.dflt = "120s",
		.min = 1000,
		.max = 120000,
		.help = "Longest time-out for one name server."},
	{0},
};

static const struct schema_item route_map[] = {
	{.name = "zone",
		.type = SCHEMA_NAME,
		.required = true,
		.help = "This name and all below it."},
	{.name = "to",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = 64,
		.required = true,
		.children = addr53_item,
		.help = "The servers to ask."},
	{.name = "first",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "Recurse when they fail."},
	{0},
};
static const struct schema_item route_item[] = {
	{.name = "",
		.type = SCHEMA_MAP,
		.children = route_map,
		.help = "A zone and its servers."},
	{0},
};

static const struct schema_item metrics_items[] = {
	{.name = "listen",
		.type = SCHEMA_ADDR,
		.min = 8084,
		.required = true,
		.help = "Address of the metrics page."},
	{0},
};

const struct schema_item resolver_schema[] = {
	{.name = "workers",
		.type = SCHEMA_INT,
		.dflt = "0",
		.min = 0,
		.max = 256,
		.help = "Worker processes; 0: one for each core."},
	{.name = "listen",
		.type = SCHEMA_LIST,
		.dflt = "['127.0.0.1:53']",
		.min = 1,
		.max = 256,
		.children = addr53_item,
		.help = "Addresses to answer on, UDP and TCP; they may come "
			"up later."},
	{.name = "acl",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = acl_items,
		.help = "Who may ask."},
	{.name = "root_hints",
		.type = SCHEMA_PATH,
		.help = "File with the root name servers; absent: the "
			"library's own list."},
	{.name = "trust_anchor",
		.type = SCHEMA_PATH,
		.help = "File with the DNSSEC trust anchors; absent: the keys "
			"of the root of 2017 and 2024."},
	{.name = "dnssec",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Validate answers."},
	{.name = "insecure",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = name_item,
		.help = "Names below which nothing is validated."},
	{.name = "qname_minimisation",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Tell each server no more of the name than it needs "
			"(RFC 9156)."},
	{.name = "edns_payload",
		.type = SCHEMA_INT,
		.dflt = "1232",
		.min = 512,
		.max = 4096,
		.unit = "octets",
		.help = "Largest UDP answer, sent or received."},
	{.name = "any",
		.type = SCHEMA_ENUM,
		.dflt = "tc",
		.choices = any_actions,
		.help = "Questions of type ANY: over TCP only, refused, "
			"dropped or answered."},
	{.name = "rd0",
		.type = SCHEMA_ENUM,
		.dflt = "refuse",
		.choices = rd0_actions,
		.help = "Questions without RD: refused, or answered from the "
			"cache."},
	{.name = "cache",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = cache_items,
		.help = "What is kept, and how long."},
	{.name = "limits",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = limit_items,
		.help = "Bounds on work under way."},
	{.name = "tcp",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = tcp_items,
		.help = "Bounds on clients' connections."},
	{.name = "outgoing",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = outgoing_items,
		.help = "How name servers are asked."},
	{.name = "forward",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = route_item,
		.help = "Zones resolved by other resolvers."},
	{.name = "stub",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = route_item,
		.help = "Zones asked at these name servers."},
	{.name = "local_zones",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = name_item,
		.help = "Names such as 10.in-addr.arpa. or test. that are "
			"resolved, not answered by the library itself."},
	{.name = "private_addresses",
		.type = SCHEMA_LIST,
		.dflt = "[]",
		.children = prefix_item,
		.help = "Addresses that names outside must not have."},
	{.name = "metrics",
		.type = SCHEMA_MAP,
		.children = metrics_items,
		.help = "Page with counters for Prometheus; absent: none."},
	{0},
};

/* --- settings --- */

static int add_prefixes(struct prefix_map *map, const struct conf *conf,
	const struct conf_node *list, uint32_t value, struct err *err)
{
	const struct conf_node *n;

	for (n = conf_first(list); n; n = conf_next(n)) {
		int rc = prefix_map_add(map, conf_prefix(n), value);

		if (rc == -EEXIST &&
			prefix_map_find(map, &conf_prefix(n)->addr) == value)
			continue; /* twice the same */
		if (rc == -EEXIST)
			return conf_error(
				conf, n, err, "acl: both allowed and denied");
		if (rc < 0)
			return err_fail(err, rc, "out of memory");
	}
	return 0;
}

static int set_acl(struct settings *s, const struct conf *conf, struct err *err)
{
	const struct conf_node *acl = conf_get(conf_root(conf), "acl");
	struct prefix_map *map = prefix_map_new(&s->arena);
	int rc;

	if (!map)
		return err_fail(err, -ENOMEM, "out of memory");
	s->acl = map;
	s->acl_action = (enum acl_action)conf_get_int(acl, "action");
	s->acl_refuse_per_s = (uint32_t)conf_get_int(acl, "refuse_rate");
	rc = add_prefixes(map, conf, conf_get(acl, "allow"), 1, err);
	if (rc == 0)
		rc = add_prefixes(map, conf, conf_get(acl, "deny"), 0, err);
	return rc;
}

static int set_listen(
	struct settings *s, const struct conf *conf, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "listen"), *n;
	union addr *out =
		arena_array(&s->arena, conf_count(list), sizeof(union addr));

	if (!out)
		return err_fail(err, -ENOMEM, "out of memory");
	for (n = conf_first(list); n; n = conf_next(n)) {
		for (size_t i = 0; i < s->listen_count; i++)
			if (addr_equal(&out[i], conf_addr(n)))
				return conf_error(conf, n, err,
					"listen: this address is there twice");
		out[s->listen_count++] = *conf_addr(n);
	}
	s->listen = out;
	return 0;
}

static uint32_t get_s(const struct conf_node *node, const char *key)
{
	return (uint32_t)(conf_get_int(node, key) / 1000);
}

static uint32_t get_u32(const struct conf_node *node, const char *key)
{
	return (uint32_t)conf_get_int(node, key);
}

static void set_cache(struct settings *s, const struct conf_node *cache)
{
	s->cache.entries = get_u32(cache, "entries");
	s->cache.bytes = (size_t)conf_get_int(cache, "memory");
	s->cache.stale_ms = conf_get_int(cache, "stale");
	s->max_ttl_s = get_s(cache, "max_ttl");
	s->max_negative_ttl_s = get_s(cache, "max_negative_ttl");
	s->failure_ttl_s = get_s(cache, "failure_ttl");
	s->bogus_ttl_s = get_s(cache, "bogus_ttl");
	s->stale_ttl_s = get_s(cache, "stale_ttl");
	s->stale_wait_ms = get_u32(cache, "stale_wait");
	s->stale_retry_ms = get_u32(cache, "stale_retry");
}

static void set_limits(struct settings *s, const struct conf_node *root)
{
	const struct conf_node *limits = conf_get(root, "limits");
	const struct conf_node *tcp = conf_get(root, "tcp");

	s->inflight = get_u32(limits, "inflight");
	s->per_client = get_u32(limits, "per_client");
	s->per_zone = get_u32(limits, "per_zone");
	s->deadline_ms = get_u32(limits, "deadline");
	s->tcp_max = get_u32(tcp, "connections");
	s->tcp_per_client = get_u32(tcp, "per_client");
	s->tcp_idle_ms = get_u32(tcp, "idle");
	s->tcp_message_ms = get_u32(tcp, "message");
}

static void set_policy(struct settings *s, const struct conf_node *root)
{
	const struct conf_node *metrics = conf_get(root, "metrics");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	s->workers = (unsigned)conf_get_int(root, "workers");
	if (s->workers == 0)
		s->workers = cores > 0 && cores <= 256 ? (unsigned)cores : 1;
	s->any = (enum any_action)conf_get_int(root, "any");
	s->rd0_cache = conf_get_int(root, "rd0") == 1;
	s->payload = (uint16_t)conf_get_int(root, "edns_payload");
	s->metrics = metrics != NULL;
	if (metrics)
		s->metrics_addr = *conf_addr(conf_get(metrics, "listen"));
}

static int check_file(const struct conf *conf, const char *key, struct err *err)
{
	const char *path = conf_get_str(conf_root(conf), key);

	if (path && access(path, R_OK) < 0)
		return conf_error(conf, conf_get(conf_root(conf), key), err,
			"%s: %s: %s", key, path, strerror(errno));
	return 0;
}

static int check_files(const struct conf *conf, struct err *err)
{
	if (check_file(conf, "root_hints", err) < 0)
		return -EINVAL;
	if (!conf_get_bool(conf_root(conf), "dnssec"))
		return 0;
	return check_file(conf, "trust_anchor", err);
}

struct settings *settings_new(const struct conf *conf, struct err *err)
{
	const struct conf_node *root = conf_root(conf);
	struct settings *s = calloc(1, sizeof(*s));

	if (!s) {
		err_set(err, "out of memory");
		return NULL;
	}
	arena_init(&s->arena, 0, 0);
	set_policy(s, root);
	set_cache(s, conf_get(root, "cache"));
	set_limits(s, root);
	if (set_acl(s, conf, err) < 0 || set_listen(s, conf, err) < 0)
		goto fail;
	s->library = libconf_text(&s->arena, root, err);
	if (!s->library)
		goto fail;
	return s;
fail:
	settings_free(s);
	return NULL;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	arena_fini(&settings->arena);
	free(settings);
}

int settings_check(const struct conf *conf, struct err *err)
{
	struct settings *s;

	if (check_files(conf, err) < 0)
		return -EINVAL;
	s = settings_new(conf, err);
	if (!s)
		return -EINVAL;
	settings_free(s);
	return 0;
}

bool settings_need_roll(const struct settings *a, const struct settings *b)
{
	if (a->workers != b->workers || a->listen_count != b->listen_count)
		return true;
	for (size_t i = 0; i < a->listen_count; i++)
		if (!addr_equal(&a->listen[i], &b->listen[i]))
			return true;
	return strcmp(a->library, b->library) != 0;
}

bool settings_allow(const struct settings *s, const union addr *client)
{
	return prefix_map_find(s->acl, client) == 1;
}
