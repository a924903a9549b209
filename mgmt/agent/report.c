/* SPDX-License-Identifier: ISC */
/*
 * Status to management: every second while connected, and at once when
 * something changed that an operator looks at (a role, a state, a count of
 * backends), which is looked for every half second.
 */
#include "mgmt/agent/agent.h"

#include "common/base/log.h"

#include "config.h"

#define LOOK_MS   500
#define REPORT_MS 1000

/* Members whose change is worth a report of its own. */
static bool matters(const char *key)
{
	static const char *const keys[] = {"state", "role", "generation",
		"backends_up", "draining", "drained", "pools_usable",
		"restart_needed", "pid", "announced", "metric", "split_brain",
		"engine_absent", "master_silent", "rescue_of"};

	for (size_t i = 0; i < countof(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* Their values, in order, as one text. */
static void outline(const json_t *value, struct text *out)
{
	const char *key;
	json_t *member;
	char *dump;
	size_t i;

	json_array_foreach(value, i, member)
		outline(member, out);
	json_object_foreach((json_t *)(uintptr_t)value, key, member) {
		if (json_is_object(member) || json_is_array(member)) {
			outline(member, out);
		} else if (matters(key)) {
			dump = json_dumps(member, JSON_ENCODE_ANY);
			text_add(out, "%s=%s;", key, dump ? dump : "");
			free(dump);
		}
	}
}

/* Does `parts` differ from the last time? Remembers it. */
static bool has_changed(const json_t *parts, struct text *last)
{
	struct text now;
	bool changed;

	text_init(&now);
	outline(parts, &now);
	changed = strcmp(now.data, last->data) != 0;
	text_fini(last);
	*last = now;
	return changed;
}

/* Sleep until the next look, or until something is to be told at once; true
 * in the latter case. */
static bool wait_turn(struct agent *agent)
{
	struct timespec until;
	bool now;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&agent->lock);
	while (!agent->stop && !agent->report_now)
		if (pthread_cond_timedwait(&agent->wake, &agent->lock, &until))
			break;
	now = agent->report_now;
	agent->report_now = false;
	pthread_mutex_unlock(&agent->lock);
	return now;
}

/* What the link has done, and where to send it. False: not connected. */
static bool snapshot(struct agent *agent, union addr *server, json_t **body)
{
	bool connected;

	pthread_mutex_lock(&agent->lock);
	connected = agent->connected;
	*server = agent->server;
	*body = json_pack("{s:I,s:s,s:s,s:s,s:s}", "have",
		(json_int_t)agent->have, "boot", agent->boot, "version",
		VERSION, "phase", agent->phase, "error", agent->error);
	pthread_mutex_unlock(&agent->lock);
	return connected;
}

static void report(struct agent *agent, json_t *parts)
{
	struct err err = {""};
	union addr server;
	json_t *body;

	if (!snapshot(agent, &server, &body)) {
		json_decref(body);
		return;
	}
	json_object_set(body, "parts", parts);
	if (remote_post(agent, &server, "/node/v1/status", body, NULL, &err) <
		0)
		log_debug("agent: status: %s", err.text);
}

void *report_run(void *arg)
{
	struct agent *agent = arg;
	struct mtime due = mtime_now();
	struct text last;
	json_t *parts;
	bool now;

	text_init(&last);
	for (;;) {
		now = wait_turn(agent);
		if (agent_stopping(agent))
			break;
		parts = local_parts(agent);
		now |= has_changed(parts, &last);
		if (now || !mtime_before(mtime_now(), due)) {
			report(agent, parts);
			due = mtime_add_ms(mtime_now(), REPORT_MS);
		}
		json_decref(parts);
	}
	text_fini(&last);
	return NULL;
}
