/* SPDX-License-Identifier: ISC */
/* Values of schema items: parse, range, print. */

#include "common/ctl/schema.h"

#include "tests/tap/tap.h"

#include <errno.h>

static const char *const colours[] = {"red", "green", NULL};

static void refused(const struct schema_item *item, const char *want)
{
	struct schema_item table[2] = {*item, {.type = SCHEMA_END}};
	struct err err = {.text = ""};

	is_int(schema_check(table, &err), -EINVAL, "refused: %s", want);
	is_string(err.text, want, "and says so");
}

static void test_check(void)
{
	static const struct schema_item leaf[] = {
		{.name = "", .type = SCHEMA_INT, .help = NULL}};
	static const struct schema_item good[] = {
		{.name = "a", .type = SCHEMA_INT, .help = "a"},
		{.name = "b",
			.type = SCHEMA_ENUM,
			.choices = colours,
			.help = "b"},
		{.type = SCHEMA_END}};
	static const struct schema_item twice[] = {
		{.name = "a", .type = SCHEMA_INT, .help = "a"},
		{.name = "a", .type = SCHEMA_INT, .help = "a"},
		{.type = SCHEMA_END}};
	struct err err = {.text = ""};

	is_int(schema_check(good, &err), 0, "a sound table");
	is_int(schema_check(twice, &err), -EINVAL, "refused: a name twice");
	refused(&(struct schema_item){.name = "x", .type = SCHEMA_INT},
		"x: no help");
	refused(
		&(struct schema_item){
			.name = "x", .type = SCHEMA_ENUM, .help = ""},
		"x: no choices");
	refused(&(struct schema_item){.name = "x",
			.type = SCHEMA_INT,
			.min = 3,
			.max = 2,
			.help = ""},
		"x: empty range");
	refused(
		&(struct schema_item){
			.name = "x", .type = SCHEMA_MAP, .help = ""},
		"x: no children");
	refused(&(struct schema_item){.name = "x",
			.type = SCHEMA_INT,
			.dflt = "1",
			.required = true,
			.help = ""},
		"x: required with a default");
	refused(&(struct schema_item){.name = "x",
			.type = SCHEMA_LIST,
			.children = leaf,
			.help = ""},
		"x: : no help");
	ok(schema_find(good, "b") == &good[1], "find");
	ok(!schema_find(good, "c"), "find nothing");
	is_string(schema_type_name(SCHEMA_PREFIX), "prefix", "type name");
}

int main(void)
{
	test_check();
	return tap_done();
}
