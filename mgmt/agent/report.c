/* SPDX-License-Identifier: ISC */
/* Status to management: every two seconds while connected, and on change. */
#include "mgmt/agent/agent.h"

#include "common/base/log.h"

#include "config.h"

#define REPORT_MS 2000

static json_t *status_body(struct agent *agent, const char *phase,
	const char *error, long long have)
{
	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:o}", "have", (json_int_t)have,
		"boot", agent->boot, "version", VERSION, "phase", phase,
		"error", error, "parts", local_parts(agent));
}

/* Sleep until the next report is due or something has changed. */
static void wait_turn(struct agent *agent)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += REPORT_MS / 1000;
	pthread_mutex_lock(&agent->lock);
	while (!agent->stop && !agent->report_now)
		if (pthread_cond_timedwait(&agent->wake, &agent->lock, &until))
			break;
	agent->report_now = false;
	pthread_mutex_unlock(&agent->lock);
}

void *report_run(void *arg)
{
	char phase[sizeof(((struct agent *)0)->phase)], error[ERR_MAX];
	struct agent *agent = arg;
	union addr server;
	struct err err;
	long long have;
	bool connected;

	for (;;) {
		wait_turn(agent);
		pthread_mutex_lock(&agent->lock);
		connected = agent->connected;
		server = agent->server;
		have = agent->have;
		snprintf(phase, sizeof(phase), "%s", agent->phase);
		snprintf(error, sizeof(error), "%s", agent->error);
		pthread_mutex_unlock(&agent->lock);
		if (agent_stopping(agent))
			return NULL;
		err.text[0] = '\0';
		if (connected && remote_post(agent, &server, "/node/v1/status",
					 status_body(agent, phase, error, have),
					 NULL, &err) < 0)
			log_debug("agent: status: %s", err.text);
	}
}
