/* SPDX-License-Identifier: ISC */
/*
 * Roll-outs with nodes that are played here: order of the waves, lost nodes,
 * deadlines (the clock is set, not waited for), reconnects, catching up,
 * commands.
 */

#include "mgmt/push.h"

#include <errno.h>
#include <unistd.h>

#include "common/ctl/file.h"
#include "mgmt/change.h"
#include "mgmt/wave.h"
#include "tests/tap/tap.h"

#define NODES 5

static char dir[64];
static struct store *store;
static struct loop *loop;
static struct push *push;
static struct timer *ender;

static struct player {
	const char *name;
	long long have;
	char mode[16]; /* of the last want */
	long long want;
	int wants, closed, pings;
	long long command;
} players[NODES] = {
	{.name = "auth1"},
	{.name = "dd1"},
	{.name = "dd2"},
	{.name = "rec1"},
	{.name = "rec2"},
};

static struct player *player(const char *name)
{
	for (size_t i = 0; i < NODES; i++)
		if (!strcmp(players[i].name, name))
			return &players[i];
	tap_bail("no player %s", name);
}

static void on_line(void *arg, const char *line)
{
	struct player *p = arg;
	json_t *m = json_loads(line, 0, NULL);
	const char *type = row_str(m, "type");

	if (!strcmp(type, "want")) {
		p->want = row_int(m, "generation");
		snprintf(p->mode, sizeof(p->mode), "%s", row_str(m, "mode"));
		p->wants++;
	} else if (!strcmp(type, "cmd")) {
		p->command = row_int(m, "id");
	} else if (!strcmp(type, "ping")) {
		p->pings++;
	}
	json_decref(m);
}

static void on_close(void *arg)
{
	((struct player *)arg)->closed++;
}

static void connect_as(struct player *p)
{
	const struct fleet_stream stream = {on_line, on_close, p};
	struct err err = {""};

	p->mode[0] = '\0';
	is_int(fleet_connect(push_fleet(push), p->name, p->have, "boot",
		       &stream, &err),
		0, "%s connects", p->name);
}

static void cut(struct player *p)
{
	fleet_disconnect(push_fleet(push), p->name, p);
}

static void ack(struct player *p, const char *phase)
{
	json_t *body = json_pack("{s:I,s:s,s:s,s:i}", "generation",
		(json_int_t)p->want, "phase", phase, "error",
		strcmp(phase, "failed") ? "" : "because", "took_ms", 3);
	struct err err = {""};

	if (!strcmp(phase, "applied"))
		p->have = p->want;
	is_int(fleet_ack(push_fleet(push), p->name, body, &err), 0, "%s: %s",
		p->name, phase);
	json_decref(body);
}

/* `master`: whom it hears, NULL: nobody. */
static void status_of(struct player *p, const char *role, const char *master)
{
	char source[16];
	json_t *body;
	struct err err = {""};

	snprintf(source, sizeof(source), "10.0.1.%c",
		p->name[strlen(p->name) - 1]);
	body = json_pack("{s:I,s:{s:{s:[{s:s,s:s,s:s,s:s*,s:i}]}}}", "have",
		(json_int_t)p->have, "parts", "ha", "instances", "name", "V",
		"role", role, "source", source, "master", master,
		"master_heard_ms_ago", 10);

	if (fleet_status(push_fleet(push), p->name, body, &err))
		tap_bail("%s", err.text);
	json_decref(body);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void status(struct player *p, const char *role)
{
	status_of(p, role, NULL);
}

/* Let the loop's timers run for a moment. */
static void turn(void)
{
	timer_set_ms(ender, 250);
	loop_run(loop);
}

/* The clock jumps; nodes that are heard of stay alive. */
static void jump(long long ms, const char *but)
{
	struct mtime now = mtime_add_ms(mtime_now(), ms);

	mtime_set(now);
	for (size_t i = 0; i < NODES; i++)
		if (!but || strcmp(players[i].name, but))
			status(&players[i], "BACKUP");
	turn();
}

/* ---- generations ---- */

static void row(const char *table, const char *json)
{
	json_t *args = json_loads(json, 0, NULL), *full = NULL, *now = NULL;
	const struct model_table *t = model_table(table);
	struct err err = {""};
	int rc = model_row_new(t, args, &full, &err);

	if (!rc && !store_row(store, t, full, &now, NULL))
		rc = store_update(store, t, full, &err);
	else if (!rc)
		rc = store_insert(store, t, full, &err);
	if (rc)
		tap_bail("%s: %s", json, err.text);
	json_decref(now);
	json_decref(full);
	json_decref(args);
}

static long long make(const char *table, const char *json)
{
	struct change change = {.author = "tester",
		.message = "",
		.ready = push ? push_node_is_ready : NULL,
		.arg = push};
	struct err err = {""};
	long long gen = 0;

	if (store_begin(store, &err))
		tap_bail("%s", err.text);
	if (table)
		row(table, json);
	if (change_make(store, &change, &gen, &err) ||
		store_commit(store, &err))
		tap_bail("%s", err.text);
	return gen;
}

static void start(long long gen, bool allow_missing)
{
	struct err err = {""};

	for (size_t i = 0; i < NODES; i++)
		players[i].mode[0] = '\0';
	is_int(push_start(push, gen, allow_missing, &err), 0, "starts %s",
		err.text);
}

static const char *state(long long gen)
{
	static char text[32];
	json_t *report = NULL;
	struct err err = {""};

	if (push_report(push, gen, &report, &err))
		tap_bail("%s", err.text);
	snprintf(text, sizeof(text), "%s", row_str(report, "state"));
	json_decref(report);
	return text;
}

/* Names of those that were told `mode` and have not answered since. */
static const char *told(const char *mode)
{
	static char text[128];

	text[0] = '\0';
	for (size_t i = 0; i < NODES; i++)
		if (!strcmp(players[i].mode, mode))
			snprintf(text + strlen(text),
				sizeof(text) - strlen(text), "%s ",
				players[i].name);
	return text;
}

static void answer_all(const char *mode, const char *phase)
{
	struct player *who[NODES];
	size_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		if (!strcmp(players[i].mode, mode))
			who[n++] = &players[i];
	for (size_t i = 0; i < n; i++) {
		who[i]->mode[0] = '\0';
		ack(who[i], phase);
	}
}

static void set_up(void)
{
	struct err err = {""};
	char path[96];

	if (dir_remove(dir, &err) || dir_make(dir, 0700, &err))
		tap_bail("%s", err.text);
	snprintf(path, sizeof(path), "%s/mgmt.db", dir);
	store = store_open(path, &err);
	if (!store || store_begin(store, &err))
		tap_bail("%s", err.text);
	row("pool", "{\"pool\":\"rec\"}");
	row("backend", "{\"pool\":\"rec\",\"name\":\"r\",\"address\":"
		       "\"10.0.0.4\"}");
	row("route", "{\"suffix\":\".\",\"pool\":\"rec\"}");
	row("node", "{\"node\":\"auth1\",\"address\":\"10.0.0.3\",\"roles\":"
		    "[\"authority\"]}");
	row("node", "{\"node\":\"dd1\",\"address\":\"10.0.0.1\",\"roles\":"
		    "[\"frontend\",\"ha\"]}");
	row("node", "{\"node\":\"dd2\",\"address\":\"10.0.0.2\",\"roles\":"
		    "[\"frontend\",\"ha\"]}");
	row("node", "{\"node\":\"rec1\",\"address\":\"10.0.0.4\",\"roles\":"
		    "[\"resolver\"]}");
	row("node", "{\"node\":\"rec2\",\"address\":\"10.0.0.5\",\"roles\":"
		    "[\"resolver\"]}");
	row("vip", "{\"vip\":\"V\",\"vrid\":5,\"addresses\":"
		   "[\"10.0.0.9/24\"]}");
	row("vip_node", "{\"vip\":\"V\",\"node\":\"dd1\",\"interface\":\"e\"}");
	row("vip_node", "{\"vip\":\"V\",\"node\":\"dd2\",\"interface\":\"e\"}");
	for (size_t i = 0; i < NODES; i++)
		if (store_cert_add(store, players[i].name, players[i].name,
			    1LL << 40, &err))
			tap_bail("%s", err.text);
	if (store_commit(store, &err))
		tap_bail("%s", err.text);
	push = push_new(loop, store, &err);
	if (!push)
		tap_bail("%s", err.text);
}

static void test_first(void)
{
	struct err err = {""};
	long long gen;

	is_int(push_ready(push, false, &err), -EHOSTUNREACH,
		"nodes that joined and are away: %s", err.text);
	for (size_t i = 0; i < NODES; i++)
		connect_as(&players[i]);
	status(player("dd1"), "MASTER");
	status(player("dd2"), "BACKUP");
	is_int(push_ready(push, false, &err), 0, "all are there");
	gen = make(NULL, NULL);
	start(gen, false);
	is_int(push_ready(push, true, &err), -EBUSY, "one at a time: %s",
		err.text);
	is_string(told("stage"), "auth1 dd1 dd2 rec1 rec2 ", "all stage");
	for (size_t i = 0; i < 4; i++)
		ack(&players[i], "staged");
	is_string(told("apply"), "", "nobody applies before all have staged");
	ack(&players[4], "fetched");
	is_string(told("apply"), "", "fetched is not staged");
	ack(&players[4], "staged");
	is_string(told("apply"), "auth1 ", "authority first");
	answer_all("apply", "applied");
	is_string(
		told("apply"), "dd2 rec1 ", "canaries: the BACKUP, a resolver");
	answer_all("apply", "applied");
	is_string(told("apply"), "dd1 rec2 ", "the rest");
	is_string(state(gen), "running", "still running");
	answer_all("apply", "applied");
	is_string(state(gen), "done", "done");
}

static void test_ha_order(void)
{
	long long gen = make("vip", "{\"vip\":\"V\",\"vrid\":6,\"addresses\":"
				    "[\"10.0.0.9/24\"]}");

	start(gen, false);
	answer_all("stage", "staged");
	answer_all("apply", "applied");
	while (strcmp(told("apply"), "dd2 ") && *told("apply"))
		answer_all("apply", "applied");
	is_string(told("apply"), "dd2 ", "VRRP settings: the BACKUP first");
	answer_all("apply", "applied");
	is_string(told("apply"), "dd1 ", "then the MASTER, alone");
	answer_all("apply", "applied");
	is_string(state(gen), "done", "done");
}

static void test_stage_fails(void)
{
	long long gen = make("limits", "{\"qps\":1}");

	start(gen, false);
	ack(player("auth1"), "staged");
	ack(player("rec2"), "failed");
	is_string(state(gen), "failed", "one cannot stage");
	is_string(told("abort"), "auth1 dd1 dd2 rec1 rec2 ", "all are told");
	gen = make("limits", "{\"qps\":2}");
	start(gen, false);
	for (size_t i = 0; i < 4; i++)
		ack(&players[i], "staged");
	jump(21000, NULL);
	is_string(state(gen), "failed", "no answer in time is a failure");
	gen = make("limits", "{\"qps\":3}");
	start(gen, true);
	for (size_t i = 0; i < 4; i++)
		ack(&players[i], "staged");
	jump(21000, NULL);
	is_string(told("apply"), "auth1 ", "allow_missing goes on without it");
	for (int i = 0; i < 4; i++)
		answer_all("apply", "applied");
	is_string(state(gen), "done", "and ends well");
	cut(player("rec2"));
	connect_as(player("rec2"));
	is_string(told("stage"), "rec2 ", "it catches up when it comes");
	answer_all("stage", "staged");
	is_string(told("apply"), "rec2 ", "and applies");
	answer_all("apply", "applied");
}

static void test_apply_fails(void)
{
	long long gen = make("limits", "{\"qps\":4}");
	json_t *doc = NULL;
	struct err err = {""};

	start(gen, false);
	answer_all("stage", "staged");
	answer_all("apply", "applied"); /* authority */
	ack(player("dd2"), "rolled_back");
	is_string(state(gen), "rolled_back", "rolled back");
	is_string(state(gen + 1), "running", "a return begins");
	is_string(told("stage"), "auth1 dd1 dd2 rec1 rec2 ", "to all");
	if (change_doc(store, gen + 1, &doc, &err))
		tap_bail("%s", err.text);
	is_int(row_int(model_single(doc, "limits"), "qps"), 3, "as before");
	json_decref(doc);
	answer_all("stage", "staged");
	for (int i = 0; i < 4; i++)
		answer_all("apply", "applied");
	is_string(state(gen + 1), "done", "returned");
}

static void test_reconnect(void)
{
	long long gen = make("limits", "{\"qps\":5}");
	struct player *p = player("auth1");
	struct err err = {""};

	cut(p);
	jump(2500, NULL);
	is_int(push_ready(push, false, &err), 0, "a stream that just broke");
	jump(1000, NULL);
	is_int(push_ready(push, false, &err), -EHOSTUNREACH, "a while ago: %s",
		err.text);
	connect_as(p);
	cut(p);
	start(gen, false);
	is_string(told("stage"), "dd1 dd2 rec1 rec2 ", "it cannot be told");
	connect_as(p);
	is_string(p->mode, "stage", "is told when it comes again");
	answer_all("stage", "staged");
	cut(p);
	connect_as(p);
	is_string(p->mode, "apply", "a stream that broke: told again");
	cut(p);
	p->have = gen;
	connect_as(p);
	is_string(told("apply"), "dd1 rec1 rec2 ",
		"one that has applied meanwhile counts; unchanged nodes go "
		"with the canary");
	for (int i = 0; i < 3; i++)
		answer_all("apply", "applied");
	is_string(state(gen), "done", "done");
}

static int waited;

static void on_wait(void *arg)
{
	(void)arg;
	waited++;
}

/* All that a roll-out asks for is done; a step's next one begins. */
static void roll(void)
{
	answer_all("stage", "staged");
	for (int i = 0; i < 6; i++)
		answer_all("apply", "applied");
	turn();
}

#define SIGNED(mode)                                                           \
	"{\"vip\":\"V\",\"vrid\":6,\"addresses\":[\"10.0.0.9/24\"],"           \
	"\"hmac\":\"" mode "\"}"

/* What a generation says of signatures. */
static void mode_is(long long gen, const char *want)
{
	json_t *doc = NULL;
	struct err err = {""};

	if (change_doc(store, gen, &doc, &err))
		tap_bail("%s", err.text);
	is_string(row_str(json_array_get(model_rows(doc, "vip"), 0), "hmac"),
		want, "generation %lld: %s", gen, want);
	json_decref(doc);
}

/* One change, several generations, which follow each other by themselves. */
static void test_steps(void)
{
	long long gen = make("vip", SIGNED("enforce"));
	json_t *report = NULL;
	struct err err = {""};

	waited = 0;
	start(gen, false);
	mode_is(gen, "receive-only");
	is_int(push_wait(push, gen, 60000, on_wait, NULL, &err), 0, "a waiter");
	roll();
	is_string(told("stage"), "auth1 dd1 dd2 rec1 rec2 ", "the next begins");
	is_string(state(gen), "running", "who asks for the first hears so");
	is_int(waited, 0, "and waits on");
	mode_is(gen + 1, "permissive");
	roll();
	mode_is(gen + 2, "enforce");
	is_int(waited, 0, "the last one counts");
	roll();
	is_int(waited, 1, "that was it");
	if (push_report(push, gen, &report, &err))
		tap_bail("%s", err.text);
	is_int(row_int(report, "generation"), gen + 2, "it is told of");
	is_string(row_str(report, "state"), "done", "as done");
	json_decref(report);
}

/* A node that is away holds the next step, not the one that it misses. */
static void test_steps_wait(void)
{
	long long gen = make("vip", SIGNED("off"));
	struct player *p = player("dd2");
	json_t *all;
	struct err err = {""};

	start(gen, true);
	answer_all("stage", "staged");
	cut(p);
	for (int i = 0; i < 8; i++) {
		answer_all("apply", "applied");
		jump(4000, "dd2");
	}
	jump(21000, "dd2");
	for (int i = 0; i < 8; i++)
		answer_all("apply", "applied");
	jump(1500, "dd2");
	mode_is(gen, "permissive");
	is_string(told("stage"), "", "without it the next step does not begin");
	is_string(state(gen), "running", "so it is not done");
	all = push_alarms(push);
	ok(strstr(json_string_value(json_array_get(all, 0)),
		   "vip V: its change goes on when node dd2 has") != NULL,
		"%s", json_string_value(json_array_get(all, 0)));
	json_decref(all);
	push_free(push); /* nor does a restart forget it */
	push = push_new(loop, store, &err);
	for (size_t i = 0; i < NODES; i++)
		connect_as(&players[i]);
	jump(1500, NULL);
	is_string(told("stage"), "dd2 ", "it is brought up to the others");
	answer_all("stage", "staged");
	answer_all("apply", "applied");
	jump(1500, NULL);
	is_string(told("stage"), "auth1 dd1 dd2 rec1 rec2 ", "then it goes on");
	mode_is(gen + 1, "receive-only");
	roll();
	roll();
	is_string(state(gen), "done", "to its end");
	mode_is(gen + 2, "off");
	jump(1500, NULL);
	is_string(told("stage"), "", "and no further");
}

static int answers;
static char answer_error[128];

static void on_result(
	void *arg, bool ok, const json_t *result, const char *error)
{
	(void)arg;
	(void)result;
	answers += ok ? 1 : 100;
	snprintf(answer_error, sizeof(answer_error), "%s", error ? error : "");
}

static void test_waits(void)
{
	struct player *p = player("rec1");
	struct err err = {""};
	json_t *body;

	is_int(push_wait(push, 1, 5000, on_wait, NULL, &err), 0, "a waiter");
	turn();
	is_int(waited, 0, "waits");
	jump(5001, NULL);
	is_int(waited, 1, "not for ever");
	is_int(fleet_command(push_fleet(push), "rec1", "resolver", "flush",
		       NULL, on_result, NULL, &err),
		0, "a command");
	body = json_pack(
		"{s:I,s:b}", "id", (json_int_t)p->command + 1, "ok", 1);
	is_int(fleet_result(push_fleet(push), "rec1", body, &err), 0, "other");
	is_int(answers, 0, "an answer to another command is none");
	json_object_set_new(body, "id", json_integer(p->command));
	is_int(fleet_result(push_fleet(push), "dd1", body, &err), 0, "dd1");
	is_int(answers, 0, "nor one of another node");
	is_int(fleet_result(push_fleet(push), "rec1", body, &err), 0, "rec1");
	is_int(answers, 1, "the right one is");
	json_decref(body);
	is_int(fleet_command(push_fleet(push), "rec1", "resolver", "flush",
		       NULL, on_result, NULL, &err),
		0, "another");
	jump(10001, NULL);
	is_int(answers, 101, "in time: %s", answer_error);
	ok(p->pings > 0, "streams are pinged");
	jump(16000, "rec1");
	is_int(fleet_command(push_fleet(push), "rec1", "resolver", "flush",
		       NULL, on_result, NULL, &err),
		-EHOSTUNREACH, "a lost node: %s", err.text);
}

static void test_malformed(void)
{
	static const char *const bodies[] = {"{}", "{\"generation\":\"1\"}",
		"{\"generation\":1,\"phase\":\"dancing\"}",
		"{\"generation\":1,\"phase\":5}"};
	struct err err = {""};

	for (size_t i = 0; i < 4; i++) {
		json_t *body = json_loads(bodies[i], 0, NULL);

		is_int(fleet_ack(push_fleet(push), "dd1", body, &err), -EBADR,
			"ack %s", bodies[i]);
		json_decref(body);
	}
	is_int(fleet_ack(push_fleet(push), "nobody", NULL, &err), -ENOENT,
		"an unknown node");
}

/* What a node said counts while it is fresh. */
static void test_owner(void)
{
	struct link *link = fleet_find(push_fleet(push), "dd1");

	status(player("dd1"), "MASTER");
	ok(vrrp_owns(link, "V"), "owns the vip that it says");
	ok(vrrp_owns(link, NULL), "owns one");
	ok(!vrrp_owns(link, "W"), "not another");
	jump(6000, "dd1");
	ok(!vrrp_owns(link, "V"), "not for ever");
	status(player("dd1"), "BACKUP");
	ok(!vrrp_owns(link, "V"), "nor as BACKUP");
}

static json_t *alarms(void)
{
	json_t *out = json_array(), *rows = NULL;

	if (store_rows(store, model_table("vip"), NULL, &rows, NULL))
		tap_bail("no rows");
	vrrp_alarms(push_vrrp(push), rows, NULL, out);
	json_decref(rows);
	return out;
}

static void alarm_is(const char *want, const char *what)
{
	json_t *all = alarms();
	const char *text = json_string_value(json_array_get(all, 0));

	is_string(text ? text : "", want, "%s", what);
	is_int((long long)json_array_size(all), *want != '\0', "that alone");
	json_decref(all);
}

/* One moment in which both are heard of. */
static void both(const char *dd1, const char *dd2)
{
	status(player("dd1"), dd1);
	status(player("dd2"), dd2);
	turn();
}

/* A split brain that no node can see by itself: both say so, again. */
static void test_split(void)
{
	struct vrrp *vrrp = push_vrrp(push);
	struct vrrp_stats stats;

	both("MASTER", "BACKUP");
	alarm_is("", "one owner");
	status(player("dd2"), "MASTER"); /* a move: dd1 has not spoken yet */
	turn();
	status(player("dd2"), "MASTER");
	turn();
	ok(!vrrp_is_split(vrrp, "V"), "a move is none");
	both("BACKUP", "MASTER");
	both("MASTER", "MASTER");
	both("MASTER", "MASTER");
	ok(!vrrp_is_split(vrrp, "V"), "nor what each has said once more");
	both("MASTER", "MASTER");
	ok(vrrp_is_split(vrrp, "V"), "what they insist on is a split brain");
	alarm_is("vip V: split brain: dd1, dd2 own it at the same time",
		"an alarm");
	both("MASTER", "BACKUP");
	ok(!vrrp_is_split(vrrp, "V"), "over by itself");
	alarm_is("", "no alarm is left");
	both("MASTER", "MASTER");
	ok(!vrrp_is_split(vrrp, "V"), "the next one begins anew");
	vrrp_stats(vrrp, &stats);
	is_int((long long)stats.splits, 1, "and is counted once");
	both("BACKUP", "BACKUP");
	alarm_is("vip V: nobody owns it", "nobody does");
}

static void hear(const char *master)
{
	status(player("dd1"), "MASTER");
	status_of(player("dd2"), "BACKUP", master);
	turn();
}

/* Somebody else advertises with our VRID. */
static void test_stranger(void)
{
	struct vrrp *vrrp = push_vrrp(push);

	hear("10.0.1.1");
	hear("10.0.1.77");
	ok(!vrrp_stranger(vrrp, "V"), "heard once: not yet");
	mtime_set(mtime_add_ms(mtime_now(), 3500));
	hear("10.0.1.77");
	is_string(vrrp_stranger(vrrp, "V"), "10.0.1.77", "heard for a while");
	alarm_is("vip V: 10.0.1.77 advertises vrid 6 and is no node of it (if "
		 "it belongs to it: vip set --known-peers)",
		"an alarm");
	hear("10.0.1.1");
	ok(!vrrp_stranger(vrrp, "V"), "a node of ours is none");
	(void)make("vip", "{\"vip\":\"V\",\"vrid\":6,\"addresses\":["
			  "\"10.0.0.9/24\"],\"known_peers\":\"10.0.1.77\"}");
	for (int i = 0; i < 2; i++) {
		mtime_set(mtime_add_ms(mtime_now(), 3500));
		hear("10.0.1.77");
	}
	ok(!vrrp_stranger(vrrp, "V"), "nor one that the operator knows");
}

static void say_rescue(const char *of, bool silent)
{
	json_t *body = json_pack("{s:I,s:{s:{s:[{s:s,s:s,s:s,s:s,s:{s:b}}]}}}",
		"have", (json_int_t)player("dd1")->have, "parts", "ha",
		"instances", "name", "V", "role", "MASTER", "master",
		"10.0.1.77", "rescue_of", of, "health", "master_silent",
		silent);
	struct err err = {""};

	if (fleet_status(push_fleet(push), "dd1", body, &err))
		tap_bail("%s", err.text);
	json_decref(body);
}

/* A master of others that does not answer. */
static void test_silence(void)
{
	say_rescue("", true);
	alarm_is("vip V: master 10.0.1.77 advertises, but its DNS does not "
		 "answer node dd1",
		"found, not relieved");
	say_rescue("10.0.1.77", false);
	alarm_is("vip V: node dd1 stands in for 10.0.1.77, whose DNS did not "
		 "answer",
		"relieved");
	say_rescue("", false);
	alarm_is("", "and over");
}

static void say_service(const char *node, bool announced, bool absent)
{
	json_t *body = json_pack("{s:I,s:{s:{s:[{s:s,s:b,s:b}]}}}", "have",
		(json_int_t)player(node)->have, "parts", "ha", "anycast",
		"name", "A", "announced", announced, "engine_absent", absent);
	struct err err = {""};

	if (fleet_status(push_fleet(push), node, body, &err))
		tap_bail("%s", err.text);
	json_decref(body);
}

/* The alarms of service A as one line. */
static void service_is(const char *want, const char *what)
{
	json_t *rows = json_pack("[{s:s}]", "anycast", "A"), *line;
	json_t *out = json_array();
	char text[256] = "";
	size_t i;

	vrrp_alarms(push_vrrp(push), NULL, rows, out);
	json_array_foreach(out, i, line)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"%s%s", i ? "; " : "", json_string_value(line));
	is_string(text, want, "%s", what);
	json_decref(out);
	json_decref(rows);
}

/* A route that no BGP daemon takes up is announced to nobody. */
static void test_engine(void)
{
	const struct link *dd2 = fleet_find(push_fleet(push), "dd2");

	say_service("dd1", true, false);
	say_service("dd2", true, false);
	service_is("", "both announce: no alarm");
	say_service("dd2", true, true);
	service_is("anycast A: the BGP daemon of node dd2 does not run",
		"its BGP daemon is gone");
	ok(!vrrp_announces(dd2, "A"), "it announces to nobody");
	say_service("dd1", false, false);
	service_is("anycast A: the BGP daemon of node dd2 does not run; "
		   "anycast A: no node announces it",
		"and the other does not announce");
	say_service("dd2", true, false);
	service_is("", "it is back: the alarm is over");
	ok(vrrp_announces(dd2, "A"), "it announces");
	ok(!vrrp_announces(dd2, "B"), "not another service");
	say_service("dd2", true, true);
	jump(6000, NULL);
	service_is("anycast A: no node announces it",
		"what was said long ago is no alarm");
}

/* A restart in the middle. */
static void test_restart(void)
{
	long long gen = make("limits", "{\"qps\":6}");
	struct err err = {""};

	for (size_t i = 0; i < NODES; i++)
		status(&players[i], "BACKUP");
	start(gen, false);
	push_free(push);
	push = push_new(loop, store, &err);
	is_string(state(gen), "failed", "cut before approval: failed");
	for (size_t i = 0; i < NODES; i++)
		connect_as(&players[i]);
	is_string(told("stage"), "", "nobody is told of it");
	gen = make("limits", "{\"qps\":7}");
	start(gen, false);
	answer_all("stage", "staged");
	push_free(push);
	push = push_new(loop, store, &err);
	is_string(state(gen), "done", "cut after it: it stands");
	connect_as(player("dd1"));
	is_string(player("dd1")->mode, "stage", "and nodes catch up");
	is_int(player("dd1")->want, gen, "with it");
}

int main(void)
{
	snprintf(dir, sizeof(dir), "/tmp/ispdns-push-t.%d", (int)getpid());
	loop = loop_new();
	ender = timer_new(loop, stop, loop);
	mtime_set(mtime_now());
	set_up();
	test_first();
	test_ha_order();
	test_stage_fails();
	test_apply_fails();
	test_reconnect();
	test_steps();
	test_steps_wait();
	waited = 0;
	test_waits();
	test_malformed();
	test_owner();
	test_split();
	test_stranger();
	test_silence();
	test_engine();
	test_restart();
	push_free(push);
	store_close(store);
	timer_free(ender);
	loop_free(loop);
	if (dir_remove(dir, NULL))
		tap_diag("%s is left", dir);
	return tap_done();
}
