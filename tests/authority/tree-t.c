/* SPDX-License-Identifier: ISC */
/* Trees on disk: good and bad manifests, difference, switch, prune. */
#include "authority/tree.h"

#include "common/base/buf.h"
#include "common/ctl/file.h"
#include "tests/tap/tap.h"

#include <sys/stat.h>
#include <unistd.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char state[] = "/tmp/ispdns-tree-t.XXXXXX";

static void put(long long number, const char *manifest)
{
	char path[TREE_PATH];
	struct err err = {.text = ""};

	if (path_join(path, sizeof(path), "%s/gen/%lld", state, number) < 0 ||
		dir_make(path, 0700, &err) < 0 ||
		path_join(path, sizeof(path), "%s/gen/%lld/manifest", state,
			number) < 0 ||
		file_write(path, manifest, strlen(manifest), 0600, &err) < 0)
		tap_bail("%s", err.text);
}

static struct tree *get(long long number)
{
	struct err err = {.text = ""};
	struct tree *tree = tree_load(state, number, &err);

	if (!tree)
		tap_bail("%s", err.text);
	return tree;
}

static void test_load(void)
{
	const struct tree_zone *z;
	struct name name;
	struct tree *tree;
	struct text t;

	put(1, "ispdns-tree 1 77\n"
	       "b.test. b.test.zone 2 " A64 " " B64 "\n"
	       "a\\032x.test. " A64 ".zone 4294967295 " A64 " " B64 "\n");
	tree = get(1);
	is_int(tree->generation, 77, "generation");
	is_int(tree->count, 2, "zones");
	is_string(tree->zones[0].name, "a\\032x.test.", "sorted");
	ok(!tree->zones[0].plain, "a hashed file");
	ok(tree->zones[1].plain, "a plain file");
	is_string(tree->zones[1].nsd_name, "b.test", "NSD's name");
	ok(name_parse("B.TEST", &name) == 0, "name");
	z = tree_find(tree, name.wire);
	ok(z && z->serial == 2, "find");
	ok(name_parse("c.test", &name) == 0 && !tree_find(tree, name.wire),
		"find nothing");
	ok(!tree_find(NULL, name.wire), "in no tree");
	text_init(&t);
	tree_print_line(&tree->zones[1], &t);
	is_string(t.data, "b.test. b.test.zone 2 " A64 " " B64 "\n",
		"a line is printed as it was read");
	text_fini(&t);
	tree_free(tree);
}

static void test_bad(void)
{
	static const char *const bad[] = {
		"",
		"ispdns-tree 1 77",
		"ispdns-tree 2 77\n",
		"ispdns-tree 1 77 x\n",
		"ispdns-tree 1 x\n",
		"ispdns-tree 1 1\nb.test. b.test.zone 2 " A64 " " B64,
		"ispdns-tree 1 1\nb.test. b.test.zone 2 " A64 "\n",
		"ispdns-tree 1 1\nb.test. b.test.zone 2 " A64 " x\n",
		"ispdns-tree 1 1\nb.test. b.test.zone -2 " A64 " " B64 "\n",
		"ispdns-tree 1 1\nb.test. b.test.zone 4294967296 " A64 " " B64
		"\n",
		"ispdns-tree 1 1\nb.test. ../b.test.zone 2 " A64 " " B64 "\n",
		"ispdns-tree 1 1\nb..test. b.test.zone 2 " A64 " " B64 "\n",
		"ispdns-tree 1 1\nb.test. b.test.zone 2 " A64 " " B64 " x\n",
		"ispdns-tree 1 1\nb.test. b.test.zone 2 " A64 " " B64 "\n"
		"B.test. b.test.zone 2 " A64 " " B64 "\n",
		"ispdns-tree 1 1\n\n",
	};
	struct err err;

	for (size_t i = 0; i < countof(bad); i++) {
		struct tree *tree;

		put(2, bad[i]);
		tree = tree_load(state, 2, &err);
		ok(!tree, "refused: bad manifest %zu", i);
		tree_free(tree);
	}
	ok(!tree_load(state, 3, &err), "no such tree: %s", err.text);
}

static void note(void *arg, enum tree_change change, const struct tree_zone *z)
{
	static const char marks[] = "+-~";

	text_add(arg, "%c%s ", marks[change], z->name);
}

static void test_diff(void)
{
	struct tree *from, *to;
	struct text t;

	put(4, "ispdns-tree 1 1\n"
	       "a. a.zone 1 " A64 " " A64 "\n"
	       "b. b.zone 1 " A64 " " A64 "\n"
	       "c. c.zone 1 " A64 " " A64 "\n");
	put(5, "ispdns-tree 1 1\n"
	       "b. b.zone 1 " A64 " " A64 "\n"
	       "c. c.zone 2 " A64 " " B64 "\n"
	       "d. d.zone 1 " A64 " " A64 "\n");
	from = get(4);
	to = get(5);
	text_init(&t);
	tree_diff(from, to, note, &t);
	is_string(t.data, "-a. ~c. +d. ", "difference");
	text_fini(&t);
	tree_diff(NULL, to, note, &t);
	is_string(t.data, "+b. +c. +d. ", "from nothing");
	text_fini(&t);
	tree_diff(to, to, note, &t);
	is_string(t.data, "", "no difference");
	text_fini(&t);
	tree_free(from);
	tree_free(to);
}

static bool is_there(const char *name)
{
	char path[TREE_PATH];
	struct stat st;

	return path_join(path, sizeof(path), "%s/gen/%s", state, name) == 0 &&
	       stat(path, &st) == 0;
}

static void test_life(void)
{
	struct err err = {.text = ""};
	char path[TREE_PATH];
	struct tree *tree;

	is_int(tree_current(state), 0, "nothing is current");
	is_int(tree_last_good(state), 0, "nothing is good");
	is_int(tree_next_number(state), 6, "next number");
	is_int(tree_switch(state, 4, &err), 0, "switch");
	is_int(tree_switch(state, 5, &err), 0, "switch again");
	is_int(tree_current(state), 5, "current");
	tree = get(4);
	ok(!tree->good, "not good yet");
	is_int(tree_mark_good(state, tree, &err), 0, "mark");
	tree_free(tree);
	tree = get(4);
	ok(tree->good, "is good");
	tree_free(tree);
	is_int(tree_last_good(state), 4, "last good");
	for (int i = 6; i < 12; i++)
		put(i, "ispdns-tree 1 1\n");
	if (path_join(path, sizeof(path), "%s/gen/12.tmp", state) < 0 ||
		dir_make(path, 0700, &err) < 0)
		tap_bail("%s", err.text);
	tree_prune(state, 2, 7);
	ok(is_there("12.tmp"), "kept: one that is being made");
	tree_clean(state);
	ok(!is_there("12.tmp"), "cleaned");
	ok(is_there("11") && is_there("10"), "kept: the newest");
	ok(!is_there("9") && !is_there("8") && !is_there("6"), "pruned: old");
	ok(is_there("7"), "kept: the exception");
	ok(is_there("5"), "kept: current");
	ok(is_there("4"), "kept: the last good one");
	ok(!is_there("1") && !is_there("2"), "pruned: the oldest");
}

int main(void)
{
	struct err err;

	if (!mkdtemp(state))
		tap_bail("mkdtemp");
	test_load();
	test_bad();
	test_diff();
	test_life();
	is_int(dir_remove(state, &err), 0, "clean up");
	return tap_done();
}
