/* SPDX-License-Identifier: ISC */
/* Memory runs out in settings, answers and the cache: a clean failure. */

#include "common/dns/code.h"
#include "resolver/cache.h"
#include "resolver/config.h"
#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

static const char text[] =
	"acl: {allow: [10.0.0.0/8, 192.0.2.0/24], deny: [10.1.0.0/16]}\n"
	"listen: [127.0.0.1, 127.0.0.2]\n"
	"forward: [{zone: x., to: [192.0.2.1]}]\n";

static void test_settings(void)
{
	struct err err = {.text = ""};
	struct conf *conf = conf_parse(
		text, sizeof(text) - 1, "r.yaml", resolver_schema, &err);
	struct settings *s = NULL;
	unsigned n = 0;

	if (!conf)
		tap_bail("%s", err.text);
	for (; !s && n < 1000; n++) {
		err.text[0] = '\0';
		failmem_after(n);
		s = settings_new(conf, &err);
		failmem_off();
		if (!s && !err.text[0])
			ok(false, "failure %u without a word", n);
	}
	ok(s != NULL && n > 1, "settings after %u failures", n - 1);
	settings_free(s);
	conf_free(conf);
}

static void test_cache(void)
{
	struct cache_limits limits = {1000, 1 << 20, 0};
	struct cache *cache = NULL;
	struct name name;
	struct question q;
	unsigned n = 0;

	for (; !cache && n < 100; n++) {
		failmem_after(n);
		cache = cache_new(&limits);
		failmem_off();
	}
	ok(cache && n > 1, "a cache after %u failures", n - 1);
	if (name_parse("www.example.", &name) < 0)
		tap_bail("name");
	q = (struct question){.name = name.wire,
		.name_len = name.len,
		.type = DNS_TYPE_A,
		.class = DNS_CLASS_IN};
	failmem_after(1); /* for the answer, not for the entry */
	cache_insert(cache, &q, answer_new_failure(name.len, 2, -1), 60,
		(struct mtime){.us = 1});
	failmem_off();
	is_int(cache_entries(cache), 0, "no memory: nothing is kept");
	limits.entries = 100000;
	failmem_after(0);
	cache_set_limits(cache, &limits);
	failmem_off();
	cache_insert(cache, &q, answer_new_failure(name.len, 2, -1), 60,
		(struct mtime){.us = 1});
	ok(cache_find(cache, &q, (struct mtime){.us = 2}) != NULL,
		"without memory to grow the old table serves on");
	cache_free(cache);
}

int main(void)
{
	test_settings();
	test_cache();
	return tap_done();
}
