/* SPDX-License-Identifier: ISC */
/* The table of blocks and what workers see of it. */

#include "frontend/block.h"

#include "tests/tap/failmem.h"
#include "tests/tap/tap.h"

#include <errno.h>

#define S 1000000LL

static struct blocks *blocks;

static void publish(void)
{
	struct block_list *old;

	if (blocks_publish(blocks, &old) < 0)
		tap_bail("publish");
	block_list_free(old);
}

static struct block source(const char *text, enum block_action action,
	int64_t until_us, bool automatic)
{
	struct block b = {.action = action,
		.until_us = until_us,
		.automatic = automatic,
		.reason = "test"};

	if (prefix_parse(text, &b.prefix) < 0)
		tap_bail("prefix %s", text);
	return b;
}

static struct block suffix(const char *text, int64_t until_us)
{
	struct block b = {.suffix = true, .until_us = until_us};

	if (name_parse(text, &b.name) < 0)
		tap_bail("name %s", text);
	return b;
}

/* The action of a source at this time, -1: not blocked. */
static int find(const char *client, int64_t now_us)
{
	struct block_found found;
	union addr a;

	if (addr_parse(client, 0, &a) < 0)
		tap_bail("address %s", client);
	if (!blocks_find_source(blocks, &a, now_us, &found))
		return -1;
	block_hit(&found);
	return (int)found.action;
}

static bool finds_name(const char *text, int64_t now_us)
{
	struct block_found found;
	struct name name;

	if (name_parse(text, &name) < 0)
		tap_bail("name %s", text);
	return blocks_find_name(blocks, name.wire, now_us, &found);
}

static uint64_t hits_of(size_t i)
{
	struct block b;

	return blocks_get(blocks, i, &b) ? b.hits : UINT64_MAX;
}

static void test_life(void)
{
	struct block b = source("192.0.2.0/24", BLOCK_REFUSE, 10 * S, false);

	blocks = blocks_new();
	is_int(find("192.0.2.1", 0), -1, "an empty table blocks nobody");
	is_int(blocks_add(blocks, &b), 0, "a block");
	is_int(find("192.0.2.1", S), -1, "not seen before it is published");
	publish();
	is_int(find("192.0.2.1", S), BLOCK_REFUSE, "then it is");
	is_int(find("192.0.3.1", S), -1, "by those it means only");
	is_int(find("192.0.2.1", 10 * S), -1, "until its time");
	is_int((long long)hits_of(0), 1, "one hit");
	b.action = BLOCK_TC;
	b.until_us = 20 * S;
	is_int(blocks_add(blocks, &b), 0, "the same again");
	publish();
	is_int(find("192.0.2.1", 15 * S), BLOCK_TC, "changes action and time");
	is_int((long long)hits_of(0), 2, "and keeps its hits");
	b = source("192.0.2.7", BLOCK_DROP, 30 * S, false);
	is_int(blocks_add(blocks, &b), 0, "one within the other");
	b = source("2001:db8::/32", BLOCK_DROP, 30 * S, true);
	is_int(blocks_add(blocks, &b), 0, "one for IPv6");
	publish();
	is_int(find("192.0.2.7", S), BLOCK_DROP, "the longest prefix decides");
	is_int(find("2001:db8:5::1", S), BLOCK_DROP, "IPv6");
	is_int((long long)blocks_count(blocks, false), 3, "three");
	is_int((long long)blocks_count(blocks, true), 1, "one automatic");
	is_int((long long)blocks_expire(blocks, 20 * S), 1, "one expires");
	publish();
	is_int(find("192.0.2.1", S), -1, "and is gone");
	ok(blocks_remove(blocks, &b), "one is removed");
	ok(!blocks_remove(blocks, &b), "once");
	publish();
	is_int(find("2001:db8:5::1", S), -1, "and is gone");
	blocks_free(blocks);
}

static void test_names(void)
{
	struct block b = suffix("evil.test", 10 * S);

	blocks = blocks_new();
	is_int(blocks_add(blocks, &b), 0, "a suffix");
	publish();
	ok(finds_name("evil.test", S) && finds_name("WWW.Evil.TEST", S),
		"it and all below it");
	ok(!finds_name("notevil.test", S) && !finds_name("test", S),
		"nothing else");
	ok(!finds_name("evil.test", 10 * S), "until its time");
	is_int(find("192.0.2.1", S), -1, "no source is meant");
	b = suffix("EVIL.test", 1);
	ok(blocks_remove(blocks, &b), "found in any case of letters");
	publish();
	ok(!finds_name("evil.test", S), "gone");
	blocks_free(blocks);
}

static void test_bounds(void)
{
	struct block manual = source("10.0.0.0/24", BLOCK_DROP, S, false);
	struct block automatic = source("10.0.0.0/24", BLOCK_TC, S, true);
	char text[32];
	struct block b;
	int added = 0;

	blocks = blocks_new();
	is_int(blocks_add(blocks, &manual), 0, "a person's");
	is_int(blocks_add(blocks, &automatic), -EEXIST,
		"is not replaced by an automatic one");
	b = automatic;
	b.prefix.len = 25;
	is_int(blocks_add(blocks, &b), 0, "what a source did itself");
	b.forgeable = true;
	is_int(blocks_add(blocks, &b), -EEXIST,
		"is not replaced by what others may have done");
	b.forgeable = false;
	ok(blocks_remove(blocks, &b) && (b.forgeable = true) &&
			blocks_add(blocks, &b) == 0 && !(b.forgeable = false) &&
			blocks_add(blocks, &b) == 0,
		"the other way it is");
	ok(blocks_remove(blocks, &b), "gone");
	for (int i = 1; i < BLOCKS_MAX + 50; i++) {
		(void)snprintf(
			text, sizeof(text), "10.%d.%d.0/24", i >> 8, i & 255);
		b = source(text, BLOCK_DROP, S, false);
		added += blocks_add(blocks, &b) == 0;
	}
	is_int(added, BLOCKS_MAX - 1, "the table is bounded");
	publish();
	is_int(find("10.1.0.1", 0), BLOCK_DROP, "all are found");
	is_int((long long)blocks_expire(blocks, S), BLOCKS_MAX, "all expire");
	publish();
	is_int(find("10.1.0.1", 0), -1, "none is left");
	blocks_free(blocks);
	ok(!blocks_find_source(NULL, NULL, 0, NULL), "no table: no block");
}

static void test_memory(void)
{
	struct block b = source("10.0.0.0/24", BLOCK_DROP, S, false);
	struct block c = suffix("a.test", S);
	struct block_list *old;
	int rc = -1, n;

	blocks = blocks_new();
	is_int(blocks_add(blocks, &b) | blocks_add(blocks, &c), 0, "two");
	for (n = 0; rc < 0 && n < 100; n++) {
		failmem_after((unsigned)n);
		rc = blocks_publish(blocks, &old);
		failmem_off();
		if (rc < 0 && (old || find("10.0.0.1", 0) != -1))
			tap_bail("half a list");
	}
	ok(rc == 0 && n > 1, "published with memory, or not at all");
	is_int(find("10.0.0.1", 0), BLOCK_DROP, "found");
	blocks_free(blocks);
}

int main(void)
{
	test_life();
	test_names();
	test_bounds();
	test_memory();
	return tap_done();
}
