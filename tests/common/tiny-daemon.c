/* SPDX-License-Identifier: ISC */
/*
 * A daemon that serves nothing, for tests/common/daemon-t.sh: every step of
 * the frame can be seen in its status, and made to fail or to take its time
 * by its configuration.
 */

#include "common/ctl/daemon.h"

#include <errno.h>

struct tiny {
	struct daemon *d;
	long long value;
	unsigned prepares, commits, discards;
	bool drained;
	struct timer *timer;
	long long *next; /* being prepared or committed late */
};

static const struct schema_item schema[] = {
	{.name = "value",
		.type = SCHEMA_INT,
		.required = true,
		.help = "Any number; 13 is refused by check, 14 by start, 15 "
			"by prepare, 16 by a late commit."},
	{.name = "late",
		.type = SCHEMA_DURATION,
		.dflt = "0s",
		.help = "How long prepare and commit take."},
	{.name = "fixed",
		.type = SCHEMA_STRING,
		.dflt = "a",
		.reload = SCHEMA_RESTART,
		.help = "Needs a restart."},
	{.type = SCHEMA_END}};

static int check(const struct conf *conf, struct err *err)
{
	const struct conf_node *n = conf_get(conf_root(conf), "value");

	if (conf_int(n) == 13)
		return conf_error(conf, n, err, "13 is unlucky");
	return 0;
}

static void finish_commit(struct tiny *t)
{
	struct err err = {.text = ""};

	if (*t->next == 16)
		err_set(&err, "16 went back");
	else
		t->value = *t->next;
	free(t->next);
	t->next = NULL;
	daemon_committed(t->d, &err);
}

static bool committing;

static void on_timer(void *arg)
{
	struct tiny *t = arg;
	long long *next = t->next;

	if (committing) {
		committing = false;
		finish_commit(t);
		return;
	}
	t->next = NULL;
	daemon_prepared(t->d, next, NULL);
}

static int start(struct daemon *d, const struct conf *conf, void **state,
	struct err *err)
{
	struct tiny *t;
	long long value = conf_get_int(conf_root(conf), "value");

	if (value == 14)
		return err_fail(err, -EINVAL, "14 does not start");
	t = calloc(1, sizeof(*t));
	t->d = d;
	t->value = value;
	t->timer = timer_new(daemon_loop(d), on_timer, t);
	*state = t;
	return 0;
}

static void prepare(struct daemon *d, void *state, const struct conf *conf)
{
	struct tiny *t = state;
	struct err err = {.text = ""};
	long long *next = malloc(sizeof(*next));
	int64_t late_ms = conf_get_int(conf_root(conf), "late");

	t->prepares++;
	*next = conf_get_int(conf_root(conf), "value");
	if (*next == 15) {
		free(next);
		err_set(&err, "15 cannot be prepared");
		daemon_prepared(d, NULL, &err);
	} else if (late_ms > 0) {
		t->next = next;
		timer_set_ms(t->timer, late_ms);
	} else {
		daemon_prepared(d, next, NULL);
	}
}

static bool commit(struct daemon *d, void *state, void *next)
{
	struct tiny *t = state;

	(void)d;
	t->commits++;
	if (*(long long *)next == 16) {
		t->next = next;
		committing = true;
		timer_set_ms(t->timer, 10);
		return false;
	}
	t->value = *(long long *)next;
	free(next);
	return true;
}

static void discard(struct daemon *d, void *state, void *next)
{
	(void)d;
	((struct tiny *)state)->discards++;
	free(next);
}

static void drain(struct daemon *d, void *state, bool on)
{
	(void)d;
	((struct tiny *)state)->drained = on;
}

static void status(void *state, json_t *out)
{
	const struct tiny *t = state;

	json_object_set_new(out, "value", json_integer(t->value));
	json_object_set_new(out, "prepares", json_integer(t->prepares));
	json_object_set_new(out, "commits", json_integer(t->commits));
	json_object_set_new(out, "discards", json_integer(t->discards));
	json_object_set_new(out, "drained", json_boolean(t->drained));
}

static void stats(void *state, json_t *out)
{
	(void)state;
	json_object_set_new(out, "queries", json_integer(0));
}

static void state_free(void *state)
{
	struct tiny *t = state;

	timer_free(t->timer);
	free(t->next);
	free(t);
}

static void verb_args(void *arg, struct control_call *call, const json_t *args)
{
	(void)arg;
	control_ok(call, json_deep_copy(args));
}

static const struct control_command commands[] = {
	{"args", verb_args, "print them back"},
	{NULL, NULL, NULL},
};

int main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.name = "tiny-daemon",
		.part = "tiny",
		.summary = "does nothing",
		.schema = schema,
		.version_extra = "extra 1.0",
		.check = check,
		.start = start,
		.prepare = prepare,
		.commit = commit,
		.discard = discard,
		.drain = drain,
		.status = status,
		.stats = stats,
		.free = state_free,
		.commands = commands,
	};

	return daemon_main(argc, argv, &ops);
}
