/* SPDX-License-Identifier: ISC */
/* The cache in a file: what comes back, how old, and what damage does. */

#include "frontend/dump.h"

#include "common/base/clock.h"
#include "common/dns/code.h"
#include "tests/tap/tap.h"
#include "tests/tap/wire.h"

#include <errno.h>
#include <unistd.h>

static const struct hash_key secret = {1, 2};
static const struct cache_rules rules = {.max_ttl_s = 300,
	.max_negative_ttl_s = 60,
	.failure_ttl_s = 5,
	.stale_s = 60};
static struct registry registry;
static struct answer answer, got;
static uint8_t stored[CACHE_MAX_MSG];
static struct cache_found found;
static char path[64];

static struct cache_key key_of(const char *text, uint16_t pool)
{
	struct asker a = {.type = DNS_TYPE_A, .class = DNS_CLASS_IN};
	struct cache_key key;
	struct name n;

	if (name_parse(text, &n) < 0)
		tap_bail("name");
	memcpy(a.name, n.wire, n.len);
	a.name_len = n.len;
	cache_key_make(&secret, &key, pool, &a);
	return key;
}

/* An answer with one A record, or SERVFAIL. */
static void put(struct cache *c, const char *name, bool fail, uint16_t pool,
	struct mtime when)
{
	static uint8_t buf[512];
	char text[512];
	struct cache_key key = key_of(name, pool);
	struct question q;
	struct edns edns;
	size_t len;

	(void)snprintf(text, sizeof(text),
		"0007 %s 0001 %s 0000 0000 <%s> 0001 0001 %s",
		fail ? "8182" : "8180", fail ? "0000" : "0001", name,
		fail ? "" : "c00c 0001 0001 000000c8 0004 c0000201");
	len = wire(buf, sizeof(buf), text);
	if (!msg_check_answer(buf, len, &q, &edns) ||
		!answer_take(&answer, buf, len, &q, &edns) ||
		!cache_insert(c, &key, &rules, when, &answer))
		tap_bail("%s is not kept", name);
}

/* The same answer for a subnet, and for all of them: not for the file. */
static void put_subnet(struct cache *c, const char *name, uint16_t pool)
{
	static const uint8_t ip[4] = {192, 0, 2, 1};
	struct cache_key key = key_of(name, pool), shared;
	struct mtime now = mtime_now();
	struct ecs ecs;

	ecs_make(&ecs, ip, sizeof(ip), 24);
	cache_key_set_ecs(&secret, &key, &ecs);
	cache_key_share(&secret, &key, &shared);
	if (!cache_insert(c, &key, &rules, now, &answer) ||
		!cache_insert(c, &shared, &rules, now, &answer))
		tap_bail("%s is not kept", name);
}

static enum cache_result look(
	struct cache *c, const char *name, uint16_t pool, struct mtime now)
{
	struct cache_key key = key_of(name, pool);

	return cache_lookup(c, &key, &rules, now, &got, stored, &found);
}

static int load(struct cache *c, size_t *count)
{
	struct err err = {.text = ""};
	int rc = dump_load(c, &registry, &secret, &rules, path, count, &err);

	ok((rc == 0) == (err.text[0] == '\0'), "a line when it fails: %s",
		err.text);
	return rc;
}

static void spoil(long at, int octet)
{
	FILE *f = fopen(path, "r+");

	if (!f || fseek(f, at, at < 0 ? SEEK_END : SEEK_SET) < 0)
		tap_bail("spoil");
	(void)fputc(octet, f);
	(void)fclose(f);
}

int main(void)
{
	struct mtime now = mtime_now();
	struct cache *a = cache_new(100, 1 << 20), *b = cache_new(100, 1 << 20);
	struct err err = {.text = ""};
	uint16_t rec, gone;
	size_t count;

	(void)snprintf(path, sizeof(path), "/tmp/ispdns-dump-t.%d", getpid());
	registry_init(&registry);
	if (registry_pool_id(&registry, "rec", &rec) < 0 ||
		registry_pool_id(&registry, "gone", &gone) < 0)
		tap_bail("registry");
	is_int(load(b, &count), -ENOENT, "no file: said so");
	put(a, "one.test.", false, rec, mtime_add_ms(now, -50000));
	put(a, "two.test.", false, rec, now);
	put_subnet(a, "two.test.", rec);
	put(a, "other.test.", false, gone, now);
	put(a, "fail.test.", true, rec, now);
	ok(dump_save(a, &registry, path, &count, &err) == 0, "written%s",
		err.text);
	is_int((long long)count, 3,
		"three answers, no failure, none of a subnet");
	registry.pools[gone][0] = 'x'; /* that pool is not there any more */
	is_int(load(b, &count), 0, "read");
	is_int((long long)count, 2, "the answers of the pool that we have");
	is_int(look(b, "two.test.", rec, now), CACHE_HIT, "found");
	ok(look(b, "one.test.", rec, now) == CACHE_HIT && found.age_s >= 49 &&
			found.age_s <= 52,
		"as old as it was: %u s", found.age_s);
	is_int(look(b, "fail.test.", rec, now), CACHE_MISS, "no failure");
	spoil(-12, 0xff);
	is_int(load(b, &count), -EBADMSG, "damaged within: said so");
	if (truncate(path, 60) < 0)
		tap_bail("truncate");
	is_int(load(b, &count), -EBADMSG, "cut off: said so");
	spoil(0, 'X');
	is_int(load(b, &count), -EBADMSG, "another kind of file: said so");
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "/nonexistent/x");
	ok(dump_save(a, &registry, path, &count, &err) < 0 && err.text[0],
		"a folder that is not there: %s", err.text);
	cache_free(a);
	cache_free(b);
	registry_fini(&registry);
	return tap_done();
}
