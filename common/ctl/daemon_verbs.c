/* SPDX-License-Identifier: ISC */
/* The verbs that every daemon answers on its control socket. */

#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/daemon_impl.h"

static const char *state_word(const struct daemon *d)
{
	if (d->stopping)
		return "stopping";
	if (!d->ready)
		return "starting";
	return d->draining ? "draining" : "running";
}

static void verb_status(
	void *arg, struct control_call *call, const json_t *args)
{
	struct daemon *d = arg;
	char since[32];
	json_t *out;

	(void)args;
	wall_format(d->started_wall_s, since, sizeof(since));
	out = json_pack("{s:s, s:s, s:s, s:i, s:I, s:s, s:s, s:I, s:i, s:i}",
		"name", d->ops->name, "version", VERSION, "state",
		state_word(d), "pid", (int)getpid(), "generation",
		(json_int_t)d->generation, "config", d->path, "since", since,
		"uptime_s",
		(json_int_t)(mtime_sub_us(mtime_now(), d->started) / 1000000),
		"changes", (int)d->reloads, "changes_failed",
		(int)d->reload_failures);
	if (!out) {
		control_fail(call, "out of memory");
		return;
	}
	if (d->change.state != CHANGE_NONE)
		json_object_set_new(
			out, "prepared", json_integer(d->change.generation));
	if (d->restart_needed[0])
		json_object_set_new(
			out, "restart_needed", json_string(d->restart_needed));
	if (d->ops->status)
		d->ops->status(d->state, out);
	control_ok(call, out);
}

static void verb_stats(void *arg, struct control_call *call, const json_t *args)
{
	struct daemon *d = arg;
	json_t *out = json_object();

	(void)args;
	if (d->ops->stats)
		d->ops->stats(d->state, out);
	control_ok(call, out);
}

static void verb_config(
	void *arg, struct control_call *call, const json_t *args)
{
	struct daemon *d = arg;
	struct text text;
	json_t *out;

	(void)args;
	text_init(&text);
	conf_show(d->conf, &text);
	out = text.failed ? NULL
			  : json_pack("{s:s, s:I, s:s#}", "file", d->path,
				    "generation", (json_int_t)d->generation,
				    "text", text.data, text.len);
	text_fini(&text);
	if (out)
		control_ok(call, out);
	else
		control_fail(call, "out of memory");
}

static void verb_prepare(
	void *arg, struct control_call *call, const json_t *args)
{
	const char *path = json_string_value(json_object_get(args, "config"));
	const json_t *generation = json_object_get(args, "generation");

	if (!path || path[0] != '/' || strlen(path) >= DAEMON_PATH)
		control_fail(call, "args.config: must be an absolute path");
	else if (!json_is_integer(generation) ||
		 json_integer_value(generation) < 0)
		control_fail(call, "args.generation: must be a number");
	else
		change_prepare(arg, path, json_integer_value(generation), call);
}

static void verb_commit(
	void *arg, struct control_call *call, const json_t *args)
{
	const json_t *generation = json_object_get(args, "generation");

	if (!json_is_integer(generation))
		control_fail(call, "args.generation: must be a number");
	else
		change_commit(arg, json_integer_value(generation), call);
}

static void verb_discard(
	void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	change_discard(arg, call);
}

static void verb_reload(
	void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	change_reload(arg, call);
}

static void drain(struct daemon *d, struct control_call *call, bool on)
{
	if (!d->ops->drain) {
		control_fail(call, "this daemon cannot drain");
		return;
	}
	if (d->draining != on)
		log_info("daemon: %s", on ? "draining" : "serving again");
	d->draining = on;
	d->ops->drain(d, d->state, on);
	control_ok(call, json_pack("{s:b}", "draining", on));
}

static void verb_drain(void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	drain(arg, call, true);
}

static void verb_undrain(
	void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	drain(arg, call, false);
}

static void verb_log(void *arg, struct control_call *call, const json_t *args)
{
	const char *text = json_string_value(json_object_get(args, "level"));
	const json_t *words = json_object_get(args, "words");
	enum log_level level;

	(void)arg;
	if (!text)
		text = json_string_value(json_array_get(words, 0));
	if (!text || !log_level_parse(text, &level)) {
		control_fail(call,
			"args.level: must be error | warn | info | debug");
		return;
	}
	log_set_level(level);
	control_ok(call, json_pack("{s:s}", "level", text));
}

static void add_help(json_t *out, const struct control_command *c)
{
	for (; c && c->verb; c++)
		json_object_set_new(
			out, c->verb, json_string(c->help ? c->help : ""));
}

static void verb_verbs(void *arg, struct control_call *call, const json_t *args)
{
	struct daemon *d = arg;
	json_t *out = json_object();

	(void)args;
	add_help(out, daemon_commands);
	add_help(out, d->ops->commands);
	control_ok(call, out);
}

const struct control_command daemon_commands[] = {
	{"status", verb_status, "state, version, generation, health"},
	{"stats", verb_stats, "counters"},
	{"config", verb_config,
		"the running configuration with defaults, without secrets"},
	{"prepare", verb_prepare, "config=PATH generation=N: check and stage"},
	{"commit", verb_commit, "generation=N: switch to what is prepared"},
	{"discard", verb_discard, "drop what is prepared"},
	{"reload", verb_reload, "read the configuration file again"},
	{"drain", verb_drain, "ask the others to send nothing new here"},
	{"undrain", verb_undrain, "take part again"},
	{"log", verb_log, "LEVEL: error, warn, info or debug"},
	{"verbs", verb_verbs, "this list"},
	{NULL, NULL, NULL},
};
