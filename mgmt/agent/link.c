/* SPDX-License-Identifier: ISC */
/*
 * The held stream: connect, read its lines, do what they want, acknowledge.
 * Losing it changes nothing on the node; it is opened again after a random
 * wait that grows (so a restart of management is met by no herd).
 */
#include "mgmt/agent/agent.h"

#include "common/base/log.h"
#include "common/net/resolve.h"
#include "common/net/tls.h"

#include <errno.h>
#include <sys/random.h>

#define SLICE_MS       500
#define SILENCE_MS     25000 /* pings come every 10 s */
#define OPEN_MS        8000
#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 15000

int link_backoff_ms(unsigned failures, uint32_t random)
{
	long span = BACKOFF_MIN_MS;

	for (unsigned i = 0; i < failures && span < BACKOFF_MAX_MS; i++)
		span *= 2;
	if (span > BACKOFF_MAX_MS)
		span = BACKOFF_MAX_MS;
	return BACKOFF_MIN_MS + (int)((uint64_t)span * random >> 32);
}

/* For status and report; `phase` NULL: as it was. */
static void note(struct agent *agent, long long want, const char *phase,
	const char *error)
{
	pthread_mutex_lock(&agent->lock);
	agent->have = agent->rollout.have;
	if (want > 0)
		agent->want = want;
	if (phase)
		snprintf(agent->phase, sizeof(agent->phase), "%s", phase);
	snprintf(agent->error, sizeof(agent->error), "%s", error);
	agent->report_now = true;
	pthread_cond_broadcast(&agent->wake);
	pthread_mutex_unlock(&agent->lock);
}

static void acknowledge(struct agent *agent, long long generation,
	const char *sha256, const char *phase, const char *error,
	int64_t took_us)
{
	struct err err = {""};

	if (*error)
		log_error("agent: generation %lld: %s: %s", generation, phase,
			error);
	else
		log_info("agent: generation %lld: %s", generation, phase);
	note(agent, generation, phase, error);
	if (remote_post(agent, &agent->server, "/node/v1/ack",
		    json_pack("{s:I,s:s,s:s,s:s,s:I}", "generation",
			    (json_int_t)generation, "phase", phase, "error",
			    error, "manifest_sha256", sha256, "took_ms",
			    (json_int_t)(took_us / 1000)),
		    NULL, &err) < 0)
		log_warn("agent: acknowledgement of generation %lld: %s",
			generation, err.text);
}

static void on_want(struct agent *agent, const json_t *line)
{
	struct mtime start = mtime_now();
	enum rollout_result result = ROLLOUT_OK;
	struct err err = {""};
	const char *sha, *mode, *phase;
	json_int_t generation;

	if (json_unpack((json_t *)(uintptr_t)line, "{s:I,s:s,s:s}",
		    "generation", &generation, "manifest_sha256", &sha, "mode",
		    &mode) < 0 ||
		generation < 1) {
		log_warn("agent: a want line is malformed");
		return;
	}
	phase = strcmp(mode, "apply") == 0 ? "applied" : "staged";
	if (strcmp(mode, "abort") == 0) {
		rollout_abort(&agent->rollout, generation);
		log_info("agent: generation %lld: discarded", generation);
		note(agent, generation, "aborted", "");
		return;
	}
	if (generation == agent->rollout.have)
		phase = "applied";
	else if (strcmp(mode, "apply") == 0)
		result = rollout_apply(&agent->rollout, generation, sha, &err);
	else if (strcmp(mode, "stage") == 0)
		result = rollout_stage(&agent->rollout, generation, sha, &err);
	else
		return; /* a later protocol's mode */
	remote_fetched(agent);
	if (result == ROLLOUT_FAILED)
		phase = "failed";
	if (result == ROLLOUT_ROLLED_BACK)
		phase = "rolled_back";
	acknowledge(agent, generation, sha, phase, err.text,
		mtime_sub_us(mtime_now(), start));
}

/* ---- commands ---- */

static bool verb_allowed(const char *verb)
{
	static const char *const ours[] = {"prepare", "commit", "discard"};

	for (size_t i = 0; i < countof(ours); i++)
		if (strcmp(verb, ours[i]) == 0)
			return false;
	return true;
}

/* Verbs for the agent itself. */
static int run_own(
	struct agent *agent, const char *verb, json_t **result, struct err *err)
{
	*result = json_object();
	if (strcmp(verb, "status") == 0) {
		agent_status(agent, *result);
		return 0;
	}
	if (strcmp(verb, "renew") == 0)
		return remote_renew(agent, err);
	return err_fail(err, -EINVAL,
		"'%.40s': the agent's verbs are status and renew", verb);
}

static int run_cmd(struct agent *agent, const char *part, const char *verb,
	const json_t *args, json_t **result, struct err *err)
{
	int index = part_find(part);

	if (strcmp(part, "agent") == 0)
		return run_own(agent, verb, result, err);
	if (index < 0)
		return err_fail(err, -EINVAL, "no part '%.40s' here", part);
	if (!verb_allowed(verb))
		return err_fail(err, -EPERM,
			"%.40s belongs to roll-outs and is no command", verb);
	return local_control(agent, (enum part)index, verb, args, result, err);
}

static void on_cmd(struct agent *agent, const json_t *line)
{
	json_t *id = NULL, *args = NULL, *result = NULL, *body;
	const char *part, *verb;
	struct err err = {""};
	int rc;

	if (json_unpack((json_t *)(uintptr_t)line, "{s:o,s:s,s:s,s?o}", "id",
		    &id, "part", &part, "verb", &verb, "args", &args) < 0) {
		log_warn("agent: a cmd line is malformed");
		return;
	}
	rc = run_cmd(agent, part, verb, args, &result, &err);
	if (rc == 0)
		body = json_pack("{s:O,s:b,s:o}", "id", id, "ok", 1, "result",
			result ? result : json_object());
	else
		body = json_pack(
			"{s:O,s:b,s:s}", "id", id, "ok", 0, "error", err.text);
	if (rc < 0)
		json_decref(result);
	err.text[0] = '\0';
	if (remote_post(agent, &agent->server, "/node/v1/result", body, NULL,
		    &err) < 0)
		log_warn("agent: result of %s: %s", verb, err.text);
}

/* ---- the stream ---- */

static int on_hello(struct agent *agent, const json_t *line, struct err *err)
{
	json_int_t proto = 0, epoch = 0;
	const char *node = "";

	if (json_unpack((json_t *)(uintptr_t)line, "{s:I,s:I,s:s}", "proto",
		    &proto, "epoch", &epoch, "node", &node) < 0)
		return err_fail(err, -EPROTO, "hello is malformed");
	if (proto < 1)
		return err_fail(err, -EPROTO,
			"management speaks node protocol %lld",
			(long long)proto);
	if (strcmp(node, agent->set.name) != 0)
		return err_fail(err, -EPROTO,
			"management knows us as '%.63s', node.yaml says '%s'",
			node, agent->set.name);
	return rollout_epoch(&agent->rollout, epoch, err);
}

/* One line. Negative: leave this stream. */
static int on_line(
	struct agent *agent, const char *text, bool *greeted, struct err *err)
{
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(line, "type"));
	int rc = 0;

	if (!type)
		rc = err_fail(err, -EPROTO, "a line is malformed");
	else if (strcmp(type, "hello") == 0) {
		rc = on_hello(agent, line, err);
		*greeted = rc == 0;
	} else if (!*greeted)
		rc = err_fail(err, -EPROTO, "no hello");
	else if (strcmp(type, "want") == 0)
		on_want(agent, line);
	else if (strcmp(type, "cmd") == 0)
		on_cmd(agent, line);
	json_decref(line); /* ping, and types of later protocols */
	return rc;
}

static void set_connected(struct agent *agent, bool connected)
{
	pthread_mutex_lock(&agent->lock);
	agent->connected = connected;
	agent->report_now = connected;
	pthread_cond_broadcast(&agent->wake);
	pthread_mutex_unlock(&agent->lock);
}

static int read_stream(
	struct agent *agent, struct http_stream *stream, struct err *err)
{
	struct mtime heard = mtime_now();
	bool greeted = false, was = false;
	char *line;
	int rc;

	while (!agent_stopping(agent)) {
		rc = http_stream_line(stream, SLICE_MS, &line);
		if (rc < 0)
			return err_fail(
				err, rc, "the stream ended: %s", strerror(-rc));
		if (rc == 0 &&
			mtime_sub_us(mtime_now(), heard) > SILENCE_MS * 1000LL)
			return err_fail(err, -ETIMEDOUT, "silence");
		if (rc == 0)
			continue;
		rc = on_line(agent, line, &greeted, err);
		if (rc < 0)
			return rc;
		heard = mtime_now();
		if (greeted && !was) {
			set_connected(agent, true);
			agent->failures = 0;
			log_info("agent: connected to management");
			remote_renew_when_due(agent);
		}
		was = greeted;
	}
	return 0;
}

static int hold_stream(struct agent *agent, const char *host, struct err *err)
{
	struct http_stream *stream = NULL;
	struct http_target target = {0};
	union addr server;
	char path[128];
	int rc = resolve_host(host, 8443, &server, err);

	if (rc == 0)
		rc = remote_target(agent, &server, OPEN_MS, &target, err);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&agent->lock);
	agent->server = server;
	pthread_mutex_unlock(&agent->lock);
	snprintf(path, sizeof(path),
		"/node/v1/stream?have=%lld&boot=%s&proto=%d",
		agent->rollout.have, agent->boot, MANIFEST_PROTO);
	stream = http_stream_open(&target, path, err);
	if (stream)
		rc = read_stream(agent, stream, err);
	else
		rc = -ECONNREFUSED;
	set_connected(agent, false);
	http_stream_close(stream);
	tls_free(target.tls);
	return rc;
}

static uint32_t random32(void)
{
	uint32_t value = 0;

	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		value = UINT32_MAX / 2;
	return value;
}

void *link_run(void *arg)
{
	struct agent *agent = arg;
	const char *host;
	struct err err;
	size_t turn = 0;

	while (!agent_stopping(agent)) {
		host = agent->set.hosts[turn++ % agent->set.host_count];
		err.text[0] = '\0';
		if (hold_stream(agent, host, &err) < 0 &&
			!agent_stopping(agent)) {
			/* the first failures and then every tenth */
			if (agent->failures < 3 || agent->failures % 10 == 0)
				log_warn("agent: management at %s: %s", host,
					err.text);
			note(agent, 0, NULL, err.text);
		}
		agent_pause(
			agent, link_backoff_ms(agent->failures++, random32()));
	}
	return NULL;
}
