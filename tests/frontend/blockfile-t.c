/* SPDX-License-Identifier: ISC */
/* The file of blocks: there and back, clocks, and what is no such file. */

#include "frontend/blockfile.h"

#include "common/base/clock.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define S 1000000LL

static const struct blockfile_now then = {.us = 5 * S, .wall_s = 1764000000};
/* After a reboot the one clock begins anew. */
static const struct blockfile_now later = {
	.us = 1 * S, .wall_s = 1764000000 + 60};

static struct blocks *blocks;

static void add(const char *source, const char *suffix, struct block b)
{
	b.suffix = suffix != NULL;
	if (source ? prefix_parse(source, &b.prefix) < 0
		   : name_parse(suffix, &b.name) < 0)
		tap_bail("target");
	if (blocks_restore(blocks, &b) < 0)
		tap_bail("add");
}

static void fill(void)
{
	blocks_free(blocks);
	blocks = blocks_new();
	add("192.0.2.0/24", NULL,
		(struct block){.action = BLOCK_DROP,
			.reason = "manual",
			.until_us = 105 * S,
			.hits = 17});
	add("2001:db8::/48", NULL,
		(struct block){.action = BLOCK_TC,
			.automatic = true,
			.forgeable = true,
			.reason = "rate",
			.until_us = 64 * S});
	add("192.0.2.1", NULL,
		(struct block){.action = BLOCK_REFUSE,
			.automatic = true,
			.reason = "nxdomain",
			.until_us = 64 * S + 1});
	add(NULL, "ev\\032il.test",
		(struct block){.action = BLOCK_REFUSE,
			.reason = "manual",
			.until_us = 3605 * S});
	add(NULL, "over.test", (struct block){.until_us = 5 * S});
}

static char *printed(const struct blockfile_now *now)
{
	struct text t;

	text_init(&t);
	blockfile_print(blocks, now, &t);
	return text_take(&t);
}

static int parse(const char *text, size_t len, const struct blockfile_now *now)
{
	struct err err = {.text = ""};
	size_t count;
	int rc;

	blocks_free(blocks);
	blocks = blocks_new();
	rc = blockfile_parse(blocks, text, len, now, &count, &err);
	if (rc < 0 && (!err.text[0] || blocks_count(blocks, false) > 0))
		tap_bail("half a file");
	return rc < 0 ? rc : (int)count;
}

static void test_there_and_back(void)
{
	struct block b;
	char *text, *again;

	fill();
	text = printed(&then);
	is_string(text,
		"ispdns-blocks 1\n"
		"source 192.0.2.0/24 drop manual - 1764000100 17\n"
		"source 2001:db8::/48 tc rate auto,forgeable 1764000059 0\n"
		"source 192.0.2.1/32 refuse nxdomain auto 1764000060 0\n"
		"suffix ev\\032il.test. refuse manual - 1764003600 0\n"
		"end 4\n",
		"printed");
	is_int(parse(text, strlen(text), &then), 4, "and read");
	again = printed(&then);
	is_string(again, text, "the same");
	free(again);
	is_int(parse(text, strlen(text), &later), 2,
		"a minute later: two have ended");
	ok(blocks_get(blocks, 0, &b) && b.until_us == 41 * S && b.hits == 17 &&
			!b.automatic,
		"the other ones have so much less to go");
	free(text);
	blocks_free(blocks);
	blocks = NULL;
}

static void test_clocks(void)
{
	static const struct blockfile_now set_back = {.us = S, .wall_s = 1000};
	struct block b;
	char *text;

	fill();
	text = printed(&then);
	is_int(parse(text, strlen(text), &set_back), 4, "the clock is wrong");
	ok(blocks_get(blocks, 0, &b) && b.until_us == S + BLOCK_LONGEST_S * S,
		"no block is for ever");
	free(text);
	blocks_free(blocks);
	blocks = NULL;
}

static void test_no_such_file(void)
{
	static const char *const wrong[] = {
		"",
		"ispdns-blocks 2\nend 0\n",
		"ispdns-cache 1\n",
		"ispdns-blocks 1\nend 1\n",
		"ispdns-blocks 1\nend 0\nend 0\n",
		"ispdns-blocks 1\nend 0",
		"ispdns-blocks 1\nsource 10.0.0.1/8 drop manual - 9 0\nend 1\n",
		"ispdns-blocks 1\nsource x drop manual - 9 0\nend 1\n",
		"ispdns-blocks 1\nhost 10.0.0.1 drop manual - 9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a..b drop manual - 9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a. allow manual - 9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop Manual - 9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop manual x 9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop manual auto 9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop manual - -9 0\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop manual - 9 0x\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop manual - 9 0 1\nend 1\n",
		"ispdns-blocks 1\nsuffix a. drop manual - 9\nend 1\n",
		"ispdns-blocks 1\nsuffix a.  drop manual - 9 0\nend 1\n",
	};
	char *text;
	size_t len;
	unsigned bad = 0;

	for (size_t i = 0; i < countof(wrong); i++)
		is_int(parse(wrong[i], strlen(wrong[i]), &then), -EBADMSG,
			"refused: %zu", i);
	fill();
	text = printed(&then);
	len = strlen(text);
	for (size_t i = 0; i < len; i++)
		bad += parse(text, i, &then) == -EBADMSG;
	is_int(bad, (long long)len, "cut anywhere: refused");
	free(text);
	blocks_free(blocks);
	blocks = NULL;
}

static void test_many(void)
{
	struct text t;

	text_init(&t);
	text_add(&t, "ispdns-blocks 1\n");
	for (int i = 0; i < BLOCKS_MAX; i++)
		text_add(&t,
			"source 10.1.%d.%d/32 drop manual - 1764000009 1\n",
			i >> 8, i & 255);
	text_add(&t, "end %d\n", BLOCKS_MAX);
	is_int(parse(t.data, t.len, &then), BLOCKS_MAX,
		"as many as there may "
		"be");
	t.len -= strlen("end 1024\n");
	text_add(&t, "suffix a. drop manual - 1764000009 1\nend 1025\n");
	is_int(parse(t.data, t.len, &then), -EBADMSG, "one more is too much");
	text_fini(&t);
	blocks_free(blocks);
	blocks = NULL;
}

static void test_file(void)
{
	char dir[] = "/tmp/ispdns-blockfile-t.XXXXXX", path[64], next[80];
	struct err err = {.text = ""};
	struct stat st;
	size_t count;

	if (!mkdtemp(dir))
		tap_bail("mkdtemp");
	(void)snprintf(path, sizeof(path), "%s/blocks", dir);
	(void)snprintf(next, sizeof(next), "%s.next", path);
	blocks = blocks_new();
	is_int(blockfile_load(blocks, path, &count, &err), -ENOENT, "no file");
	add("192.0.2.0/24", NULL,
		(struct block){.reason = "manual",
			.until_us = mtime_now().us + 100 * S});
	is_int(blockfile_save(blocks, path, &err), 0, "saved %s", err.text);
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
		"for its owner alone");
	blocks_free(blocks);
	blocks = blocks_new();
	is_int(blockfile_load(blocks, path, &count, &err), 0, "read");
	is_int((long long)count, 1, "one");
	ok(truncate(path, 30) == 0 &&
			blockfile_load(blocks, path, &count, &err) ==
				-EBADMSG &&
			strstr(err.text, path),
		"damaged: %s", err.text);
	ok(unlink(path) == 0 && rmdir(dir) == 0, "nothing else is left");
	is_int(blockfile_save(blocks, path, &err), -ENOENT, "no folder");
	ok(strstr(err.text, path) != NULL, "says so: %s", err.text);
	blocks_free(blocks);
}

int main(void)
{
	test_there_and_back();
	test_clocks();
	test_no_such_file();
	test_many();
	test_file();
	return tap_done();
}
