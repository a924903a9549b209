/* SPDX-License-Identifier: ISC */
/* dnsdist importer: packet caches. Frontends have one for all pools. */
#include "mgmt/cli/import_dnsdist.h"

#define ENTRIES_MAX  100000000
#define ENTRIES_DFLT 500000 /* for which the default memory is */
#define ENTRY_SIZE   512    /* octets of memory to be allowed for one */

static const struct cache_option {
	const char *name;
	const char *arg; /* of cache.set; NULL: nothing to do here */
	long long max;
} cache_options[] = {
	{"maxTTL", "max_ttl_s", 604800},
	{"minTTL", "min_ttl_s", 86400},
	{"temporaryFailureTTL", "failure_ttl_s", 300},
	{"staleTTL", NULL, 0},
	{"maxNegativeTTL", "max_negative_ttl_s", 86400},
	{"numberOfShards", NULL, 0},
	{"dontAge", NULL, 0},
	{"deferrableInsertLock", NULL, 0},
	{"keepStaleData", NULL, 0},
	{"parseECS", NULL, 0},
	{"cookieHashing", NULL, 0},
	{"skipOptions", NULL, 0},
	{"maximumEntrySize", NULL, 0},
	{"payloadRanks", NULL, 0},
	{"truncatedTTL", "truncated_ttl_s", 300},
	{"shuffle", NULL, 0},
};

static void cache_option(struct dd *d, const struct cache_option *option,
	const struct lua *value)
{
	json_int_t old = 0;
	char what[64];
	long long n;

	if (!option->arg) {
		dd_note(d, value->line, "newPacketCache: %s: not needed",
			option->name);
		return;
	}
	snprintf(what, sizeof(what), "newPacketCache: %s: seconds",
		option->name);
	if (!dd_int(d, value, what, 0, UINT32_MAX, &n))
		return;
	if (n > option->max)
		dd_warn(d, value->line, "newPacketCache: %s: %lld is taken",
			option->name, option->max);
	n = n > option->max ? option->max : n;
	if (json_object_get(d->cache, option->arg)) {
		old = json_integer_value(
			json_object_get(d->cache, option->arg));
		if (old != n)
			dd_warn(d, value->line,
				"newPacketCache: %s: one value for all pools: "
				"the lower one, %lld, is taken",
				option->name, old < n ? (long long)old : n);
		n = old < n ? old : n;
	}
	json_object_set_new(d->cache, option->arg, json_integer(n));
}

static void cache_table(struct dd *d, const struct lua *table)
{
	const struct lua *item;
	size_t i;

	for (item = table->args; item; item = item->next) {
		for (i = 0; i < countof(cache_options); i++)
			if (item->key &&
				strcmp(item->key, cache_options[i].name) == 0)
				break;
		if (i < countof(cache_options))
			cache_option(d, &cache_options[i], item);
		else
			dd_error(d, d->now, item->line,
				"newPacketCache: '%s': unknown option",
				item->key ? item->key : "?");
	}
}

/* Is it a cache that another pool has, too? */
static bool is_counted(struct dd *d, const struct lua *call)
{
	size_t i;

	for (i = 0; i < countof(d->caches) && d->caches[i]; i++)
		if (d->caches[i] == call)
			return true;
	if (i < countof(d->caches))
		d->caches[i] = call;
	return false;
}

static void cache_entries(struct dd *d, const struct lua *call, long long n)
{
	json_int_t old =
		json_integer_value(json_object_get(d->cache, "entries"));

	if (old > 0)
		dd_warn(d, d->now->line,
			"another packet cache: one cache with room for both, "
			"%lld entries, serves all pools instead",
			(long long)(old + n < ENTRIES_MAX ? old + n
							  : ENTRIES_MAX));
	n = old + n < ENTRIES_MAX ? old + n : ENTRIES_MAX;
	json_object_set_new(d->cache, "entries", json_integer(n));
	if (n > ENTRIES_DFLT)
		json_object_set_new(
			d->cache, "memory", json_integer(n * ENTRY_SIZE));
	(void)call;
}

/* newPacketCache(n, {options}) or (n, maxTTL, minTTL, failureTTL, ...) */
static bool cache_value(struct dd *d, const struct lua *call)
{
	const struct lua *arg;
	long long n;

	if (is_counted(d, call))
		return true;
	if (!dd_int(d, lua_arg(call, 0), "newPacketCache: entries", 1,
		    2000000000, &n))
		return false;
	cache_entries(d, call, n);
	arg = dd_value(d, lua_arg(call, 1));
	if (arg && arg->kind == LUA_TABLE) {
		cache_table(d, arg);
		return true;
	}
	for (unsigned i = 1; i <= 3 && (arg = lua_arg(call, i)); i++)
		cache_option(d, &cache_options[i - 1], arg);
	return true;
}

void dd_set_cache(struct dd *d, const struct lua *call)
{
	const char *name = lua_string(dd_value(d, lua_arg(call->object, 0)));
	const struct lua *value = dd_value(d, lua_arg(call, 0));
	json_t *pool;

	if (!name || !lua_is_call(value, "newPacketCache")) {
		dd_error(d, d->now, call->line,
			"getPool(\"pool\"):setCache(cache): the cache is not "
			"made by newPacketCache above");
		return;
	}
	if (!cache_value(d, value))
		return;
	pool = dd_pool(d, name);
	if (!pool)
		return;
	json_object_set_new(pool, "cache", json_true());
	dd_done(d, d->now, "pool %s has a cache", *name ? name : "default");
}

void dd_stale(struct dd *d, const struct lua *call)
{
	long long n;

	if (!dd_int(d, lua_arg(call, 0), "setStaleCacheEntriesTTL: seconds", 0,
		    UINT32_MAX, &n))
		return;
	if (n > 604800)
		dd_warn(d, call->line,
			"setStaleCacheEntriesTTL: 604800 is taken");
	n = n > 604800 ? 604800 : n;
	json_object_set_new(d->cache, "stale_s", json_integer(n));
	dd_done(d, d->now, "expired answers are kept for %lld s", n);
}
