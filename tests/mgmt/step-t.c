/* SPDX-License-Identifier: ISC */
/*
 * Changes of a virtual router in steps: what an operator sees of the usual
 * ones, and over all pairs of settings that each step understands the one
 * before it and the one behind it, comes to an end, and is a valid model.
 */

#include "mgmt/step.h"

#include "common/base/base.h"
#include "mgmt/check.h"
#include "mgmt/model.h"
#include "tests/mgmt/site.h"
#include "tests/tap/tap.h"

#define STEPS_MAX 12

static const char *late; /* the node that is not ready */

static bool ready(void *arg, const char *node)
{
	(void)arg;
	return !late || strcmp(node, late) != 0;
}

/* A doc with one router on two nodes and these columns. */
static json_t *doc_of(const char *columns)
{
	json_t *doc = site_doc(), *args = json_loads(columns, 0, NULL);
	json_t *rows = json_object_get(doc, "vip"), *row;

	json_array_clear(json_object_get(doc, "anycast"));
	json_array_clear(json_object_get(doc, "anycast_node"));
	row = site_row(doc, "vip", "VI_DNS");
	json_object_update(row, args);
	json_object_set_new(row, "sync_group", json_string(""));
	json_array_remove(rows, 1);
	rows = json_object_get(doc, "vip_node");
	json_array_remove(rows, 3);
	json_array_remove(rows, 2);
	json_decref(args);
	return doc;
}

static json_t *vip_of(json_t *doc)
{
	return site_row(doc, "vip", "VI_DNS");
}

static json_t *next_of(const json_t *now, const json_t *goal, json_t *waits)
{
	struct err err = {""};
	json_t *out = NULL;

	if (step_doc(now, goal, ready, NULL, &out, waits, &err))
		tap_bail("%s", err.text);
	return out;
}

/* ---- the usual changes ---- */

/* The columns of interest of each step, as one line. */
static void walk(const char *from, const char *to, const char *const columns[],
	const char *want, const char *what)
{
	json_t *now = doc_of(from), *goal = doc_of(to), *next;
	char text[512] = "";

	for (int i = 0; i < STEPS_MAX && !json_equal(now, goal); i++) {
		next = next_of(now, goal, NULL);
		for (size_t c = 0; columns[c]; c++) {
			char *value = json_dumps(
				json_object_get(vip_of(next), columns[c]),
				JSON_ENCODE_ANY);

			snprintf(text + strlen(text),
				sizeof(text) - strlen(text), "%s%s",
				c ? "," : "", value);
			free(value);
		}
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " ");
		json_decref(now);
		now = next;
	}
	is_string(text, want, "%s", what);
	json_decref(now);
	json_decref(goal);
}

static void test_walks(void)
{
	static const char *const interval[] = {
		"interval_ms", "accept_interval_ms", NULL};
	static const char *const version[] = {
		"version", "interval_ms", "accept_other_version", NULL};
	static const char *const hmac[] = {
		"hmac", "hmac_key", "hmac_also", NULL};
#define PLAIN "\"auth\":\"none\",\"password\":\"\""

	walk("{}", "{\"interval_ms\":2000}", interval,
		"1000,2000 2000,1000 2000,0 ", "an interval of version 2");
	walk("{\"version\":3,\"interval_ms\":100," PLAIN "}",
		"{\"version\":3,\"interval_ms\":20," PLAIN "}", interval,
		"20,0 ", "one of version 3 is learnt");
	walk("{}", "{\"version\":3,\"interval_ms\":100," PLAIN "}", version,
		"2,1000,true 3,100,true 3,100,false ", "version 2 to 3");
	walk("{\"version\":3,\"interval_ms\":100," PLAIN "}", "{}", version,
		"3,100,true 2,1000,true 2,1000,false ", "and back");
	walk("{" PLAIN "}", "{" PLAIN ",\"hmac\":\"enforce\"}", hmac,
		"\"receive-only\",1,0 \"permissive\",1,0 \"enforce\",1,0 ",
		"signatures");
	walk("{" PLAIN ",\"hmac\":\"enforce\"}", "{" PLAIN "}", hmac,
		"\"permissive\",1,0 \"receive-only\",1,0 \"off\",1,0 ",
		"none any more");
	walk("{" PLAIN ",\"hmac\":\"enforce\"}",
		"{" PLAIN ",\"hmac\":\"enforce\",\"hmac_key\":2}", hmac,
		"\"enforce\",1,2 \"enforce\",2,1 \"enforce\",2,0 ",
		"another key");
	walk("{}", "{\"addresses\":[\"10.10.2.9/24\"]}", interval, "1000,0 ",
		"anything else in one");
}

/* ---- who is late ---- */

static void test_late(void)
{
	json_t *now = doc_of("{}"), *next;
	json_t *goal = doc_of("{\"interval_ms\":2000,\"preempt\":false}");
	json_t *waits = json_array(), *members;

	late = "dd2";
	next = next_of(now, goal, waits);
	is_int(row_int(vip_of(next), "interval_ms"), 1000, "as it was");
	is_int(row_int(vip_of(next), "accept_interval_ms"), 0, "whole");
	ok(!row_bool(vip_of(next), "preempt"), "but what nobody is deaf to");
	is_string(json_string_value(json_array_get(waits, 0)),
		"vip VI_DNS: its change goes on when node dd2 has the "
		"generation before (or is taken out of it)",
		"and why");
	json_decref(next);
	late = "rec1";
	next = next_of(now, goal, NULL);
	is_int(row_int(vip_of(next), "accept_interval_ms"), 2000,
		"a node of something else does not count");
	json_decref(next);
	late = "dd2";
	members = json_object_get(goal, "vip_node");
	json_array_remove(members, 1);
	next = next_of(now, goal, NULL);
	is_int(row_int(vip_of(next), "accept_interval_ms"), 2000,
		"nor one that leaves");
	json_decref(next);
	late = NULL;
	next = next_of(NULL, goal, NULL);
	ok(json_equal(next, goal), "the first generation is the goal");
	json_decref(next);
	json_decref(waits);
	json_decref(goal);
	json_decref(now);
}

/* ---- all pairs ---- */

/* Would a node with `a` take the adverts of one with `b`? A password that
 * changes is left out: ispdns-ha takes the old one for two minutes. */
static bool hears_signed(const json_t *a, const json_t *b)
{
	const char *mine = row_str(a, "hmac"), *his = row_str(b, "hmac");
	bool sends = !strcmp(his, "permissive") || !strcmp(his, "enforce");
	int64_t key = row_int(b, "hmac_key");

	if (!sends)
		return strcmp(mine, "enforce") != 0;
	return strcmp(mine, "off") && (row_int(a, "hmac_key") == key ||
					      row_int(a, "hmac_also") == key);
}

static bool hears(const json_t *a, const json_t *b)
{
	int64_t version = row_int(b, "version");

	if (version != row_int(a, "version"))
		return row_bool(a, "accept_other_version") &&
		       hears_signed(a, b);
	if (version == 2 &&
		row_int(a, "interval_ms") != row_int(b, "interval_ms") &&
		row_int(a, "accept_interval_ms") != row_int(b, "interval_ms"))
		return false;
	return hears_signed(a, b);
}

static const char *const settings[] = {
	"{}",
	"{\"interval_ms\":2000}",
	"{\"interval_ms\":3000,\"accept_interval_ms\":1000}",
	"{\"accept_other_version\":true}",
	"{" PLAIN "}",
	"{" PLAIN ",\"interval_ms\":2000,\"hmac\":\"receive-only\"}",
	"{" PLAIN ",\"hmac\":\"enforce\",\"hmac_key\":2}",
	"{" PLAIN ",\"hmac\":\"enforce\",\"hmac_key\":3,\"hmac_also\":1}",
	"{" PLAIN ",\"hmac_key\":9}",
	"{" PLAIN ",\"version\":3,\"interval_ms\":100}",
	"{" PLAIN ",\"version\":3,\"interval_ms\":20,"
	"\"accept_other_version\":true}",
	"{" PLAIN ",\"version\":3,\"interval_ms\":100,\"hmac\":\"enforce\"}",
	"{" PLAIN ",\"version\":3,\"interval_ms\":20,\"hmac\":\"permissive\","
	"\"hmac_key\":255,\"hmac_also\":7}",
};

/* 0: came to its goal with nobody deaf, in valid models. */
static int pair(const char *from, const char *to)
{
	json_t *now = doc_of(from), *goal = doc_of(to), *next;
	struct err err = {""};
	int bad = 0, i;

	for (i = 0; i < STEPS_MAX && !json_equal(now, goal); i++) {
		next = next_of(now, goal, NULL);
		if (check_model(next, &err)) {
			tap_diag("%s -> %s: %s", from, to, err.text);
			bad++;
		}
		if (!hears(vip_of(now), vip_of(next)) ||
			!hears(vip_of(next), vip_of(now))) {
			tap_diag("%s -> %s: deaf in step %d", from, to, i + 1);
			bad++;
		}
		json_decref(now);
		now = next;
	}
	if (i == STEPS_MAX) {
		tap_diag("%s -> %s: no end", from, to);
		bad++;
	}
	json_decref(now);
	json_decref(goal);
	return bad;
}

/* Turned round in the middle: the goal changes after each step. */
static int turned(const char *from, const char *to, const char *other)
{
	json_t *now = doc_of(from), *goal = doc_of(to), *next;
	json_t *instead = doc_of(other);
	int bad = 0;

	for (int i = 0; i < STEPS_MAX; i++) {
		next = next_of(now, i == 1 || i > 2 ? instead : goal, NULL);
		bad += !hears(vip_of(now), vip_of(next)) ||
		       !hears(vip_of(next), vip_of(now));
		json_decref(now);
		now = next;
	}
	bad += !json_equal(now, instead);
	if (bad)
		tap_diag("%s -> %s -> %s", from, to, other);
	json_decref(now);
	json_decref(goal);
	json_decref(instead);
	return bad;
}

static void test_pairs(void)
{
	int bad = 0, worse = 0;

	for (size_t a = 0; a < countof(settings); a++)
		for (size_t b = 0; b < countof(settings); b++)
			bad += pair(settings[a], settings[b]);
	is_int(bad, 0, "no pair of settings leaves a node deaf");
	for (size_t a = 0; a < countof(settings); a++)
		for (size_t b = 0; b < countof(settings); b++)
			for (size_t c = 0; c < countof(settings); c++)
				worse += turned(
					settings[a], settings[b], settings[c]);
	is_int(worse, 0, "nor one that is changed again on its way");
}

int main(void)
{
	test_walks();
	test_late();
	test_pairs();
	return tap_done();
}
