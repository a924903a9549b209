/* SPDX-License-Identifier: ISC */

/*
 * The daemon's own control verbs. A planned move is answered when it is
 * done: by the role change that it was meant to cause, by the report that
 * nobody took over, or by a time limit.
 */

#include "ha/ha.h"

#include "common/base/clock.h"

enum {
	MOVE_LIMIT_MS = 15000
};

static void verb_show(void *arg, struct control_call *call, const json_t *args)
{
	json_t *out = json_object();

	(void)args;
	ha_status(arg, out);
	control_ok(call, out);
}

static void verb_events(
	void *arg, struct control_call *call, const json_t *args)
{
	struct ha *ha = arg;
	long long since = json_integer_value(json_object_get(args, "since"));
	long long first = ha->history_seq - HA_HISTORY + 1;
	json_t *list = json_array();

	if (first < 1)
		first = 1;
	if (first <= since)
		first = since + 1;
	for (long long i = first; i <= ha->history_seq; i++)
		json_array_append_new(
			list, ha_note_json(&ha->history[i % HA_HISTORY]));
	control_ok(call, json_pack("{s:o, s:I}", "events", list, "last",
				 (json_int_t)ha->history_seq));
}

/* --- planned moves ----------------------------------------------------- */

struct move_ask {
	const char *name; /* of the instance; NULL: */
	json_int_t vrid;  /* this one; 0: the only one */
	bool take;
	char found[CONFIG_NAME];
	char group[CONFIG_NAME]; /* of the one found */
	bool ambiguous;
	enum state_role role;
	size_t peers;
};

static bool is_meant(const struct instance *in, const struct move_ask *ask)
{
	if (ask->name)
		return strcmp(in->conf.name, ask->name) == 0;
	return ask->vrid == 0 || in->conf.vrid == ask->vrid;
}

/* On the real-time thread. */
static void find_meant(struct worker *w, void *arg)
{
	struct move_ask *ask = arg;

	for (size_t i = 0; i < worker_instances(w); i++) {
		const struct instance *in = worker_instance(w, i);

		if (!is_meant(in, ask))
			continue;
		ask->ambiguous |= ask->found[0] != '\0' &&
				  !instance_in_group(in, ask->group);
		memcpy(ask->found, in->conf.name, sizeof(ask->found));
		memcpy(ask->group, in->conf.group, sizeof(ask->group));
		ask->role = in->st.role;
		ask->peers = in->conf.handover_count;
	}
}

static void do_move(struct worker *w, void *arg)
{
	const struct move_ask *ask = arg;

	for (size_t i = 0; i < worker_instances(w); i++) {
		struct instance *in = worker_instance(w, i);

		if (strcmp(in->conf.name, ask->found) != 0 &&
			!instance_in_group(in, ask->group))
			continue;
		if (ask->take)
			instance_want(in);
		else
			instance_event(in, STATE_EV_MOVE, mtime_now().us);
	}
}

static struct ha_move *free_move(struct ha *ha)
{
	for (size_t i = 0; i < HA_MOVES; i++)
		if (!ha->moves[i].call)
			return &ha->moves[i];
	return NULL;
}

static const char *move_refused(const struct move_ask *ask)
{
	if (!ask->found[0])
		return "no such instance";
	if (ask->ambiguous)
		return "several instances: name one";
	if (ask->take && ask->role == STATE_MASTER)
		return "is master here already";
	if (ask->take && ask->role != STATE_BACKUP)
		return "is not fit here";
	if (ask->take && ask->peers == 0)
		return "has no handover_peers to ask";
	if (!ask->take && ask->role != STATE_MASTER)
		return "is not master here";
	return NULL;
}

static void start_move(
	struct ha *ha, struct control_call *call, const json_t *args, bool take)
{
	const json_t *words = json_object_get(args, "words");
	struct move_ask ask = {.take = take};
	struct ha_move *move = free_move(ha);
	const char *why;

	ask.name = json_string_value(json_object_get(args, "instance"));
	if (!ask.name)
		ask.name = json_string_value(json_array_get(words, 0));
	ask.vrid = json_integer_value(json_object_get(args, "vrid"));
	worker_call(ha->worker, find_meant, &ask);
	why = move ? move_refused(&ask) : "too many moves at once";
	if (why) {
		control_fail(call, "move: %s%s%s", ask.found,
			ask.found[0] ? ": " : "", why);
		return;
	}
	move->call = call;
	move->take = take;
	memcpy(move->name, ask.found, sizeof(move->name));
	move->until_us = mtime_now().us + MOVE_LIMIT_MS * 1000LL;
	timer_set_ms(ha->move_timer, MOVE_LIMIT_MS);
	worker_call(ha->worker, do_move, &ask);
}

static void verb_move(void *arg, struct control_call *call, const json_t *args)
{
	start_move(arg, call, args, false);
}

static void verb_take(void *arg, struct control_call *call, const json_t *args)
{
	start_move(arg, call, args, true);
}

void ha_moves_event(struct ha *ha, const struct instance_event *ev)
{
	if (ev->kind != INSTANCE_ROLE && ev->kind != INSTANCE_STAYED)
		return;
	for (size_t i = 0; i < HA_MOVES; i++) {
		struct ha_move *m = &ha->moves[i];
		struct control_call *call = m->call;

		if (!call || strcmp(m->name, ev->name) != 0)
			continue;
		m->call = NULL;
		if (ev->kind == INSTANCE_STAYED)
			control_fail(
				call, "move: %s: nobody took over", ev->name);
		else if (m->take != (ev->to == STATE_MASTER))
			control_fail(call, "move: %s: became %s here", ev->name,
				state_role_name((enum state_role)ev->to));
		else
			control_ok(call,
				json_pack("{s:s, s:s}", "instance", ev->name,
					"role",
					state_role_name(
						(enum state_role)ev->to)));
	}
}

void ha_moves_expire(void *arg)
{
	struct ha *ha = arg;
	int64_t now = mtime_now().us;
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < HA_MOVES; i++) {
		struct ha_move *m = &ha->moves[i];
		struct control_call *call = m->call;

		if (!call)
			continue;
		if (m->until_us > now) {
			next = m->until_us < next ? m->until_us : next;
			continue;
		}
		m->call = NULL;
		control_fail(call, "move: %s: did not happen in %d s", m->name,
			MOVE_LIMIT_MS / 1000);
	}
	if (next != INT64_MAX)
		timer_set_us(ha->move_timer, next - now + 1000);
}

/* --- restarts ---------------------------------------------------------- */

static void verb_stay(void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	ha_stay(arg);
	control_ok(call, NULL);
}

static void verb_restart(
	void *arg, struct control_call *call, const json_t *args)
{
	(void)args;
	ha_restart(arg);
	control_ok(call, NULL);
}

const struct control_command ha_commands[] = {
	{"show", verb_show, "every virtual router with role and health"},
	{"events", verb_events, "since=N: what happened, newest last"},
	{"move", verb_move, "[INSTANCE | vrid=N]: give the role to the peer"},
	{"take", verb_take, "[INSTANCE | vrid=N]: ask our peer for the role"},
	{"restart", verb_restart,
		"end now and keep roles and routes: systemd starts it again"},
	{"stay", verb_stay, "an end in the next 10 s is such a restart"},
	{NULL, NULL, NULL},
};
