/* SPDX-License-Identifier: ISC */
/* Life of the agent: settings, threads, the status that others may see. */
#include "mgmt/agent/agent.h"

#include "common/base/log.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static const struct rollout_ops live_ops = {
	.manifest = remote_manifest,
	.blob = remote_blob,
	.control = local_control,
	.check = local_check,
	.prove = local_prove,
};

static void deadline(struct timespec *out, int ms)
{
	clock_gettime(CLOCK_REALTIME, out);
	out->tv_sec += ms / 1000;
	out->tv_nsec += ms % 1000 * 1000000L;
	if (out->tv_nsec >= 1000000000L) {
		out->tv_sec++;
		out->tv_nsec -= 1000000000L;
	}
}

bool agent_stopping(struct agent *agent)
{
	bool stop;

	pthread_mutex_lock(&agent->lock);
	stop = agent->stop;
	pthread_mutex_unlock(&agent->lock);
	return stop;
}

bool agent_pause(struct agent *agent, int ms)
{
	struct timespec until;
	bool go_on;

	deadline(&until, ms);
	pthread_mutex_lock(&agent->lock);
	while (!agent->stop)
		if (pthread_cond_timedwait(&agent->wake, &agent->lock, &until))
			break;
	go_on = !agent->stop;
	pthread_mutex_unlock(&agent->lock);
	return go_on;
}

void agent_status(struct agent *agent, json_t *out)
{
	pthread_mutex_lock(&agent->lock);
	json_object_set_new(out, "node", json_string(agent->set.name));
	json_object_set_new(out, "have", json_integer(agent->have));
	json_object_set_new(out, "want", json_integer(agent->want));
	json_object_set_new(out, "phase", json_string(agent->phase));
	json_object_set_new(out, "connected", json_boolean(agent->connected));
	json_object_set_new(out, "last_error", json_string(agent->error));
	pthread_mutex_unlock(&agent->lock);
}

static int check_files(const struct agent_settings *set, struct err *err)
{
	const char *const files[] = {set->ca, set->cert, set->key};

	for (size_t i = 0; i < countof(files); i++)
		if (access(files[i], R_OK) < 0)
			return err_fail(err, -errno,
				"%s: %s (has `ispdns join` been run?)",
				files[i], strerror(errno));
	return 0;
}

static int start_threads(struct agent *agent, struct err *err)
{
	if (pthread_create(&agent->link, NULL, link_run, agent) != 0)
		return err_fail(err, -EAGAIN, "cannot start a thread");
	if (pthread_create(&agent->reporter, NULL, report_run, agent) == 0)
		return 0;
	pthread_mutex_lock(&agent->lock);
	agent->stop = true;
	pthread_cond_broadcast(&agent->wake);
	pthread_mutex_unlock(&agent->lock);
	pthread_join(agent->link, NULL);
	return err_fail(err, -EAGAIN, "cannot start a thread");
}

struct agent *agent_new(const struct agent_settings *set, struct err *err)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	unsigned char boot[16] = {0};
	long long undone = 0;
	int rc;

	if (!agent) {
		err_set(err, "out of memory");
		return NULL;
	}
	agent->set = *set;
	pthread_mutex_init(&agent->lock, NULL);
	pthread_cond_init(&agent->wake, NULL);
	if (getrandom(boot, sizeof(boot), 0) < 0)
		log_warn("agent: no random numbers: %s", strerror(errno));
	hex_print(boot, sizeof(boot), agent->boot);
	rc = check_files(set, err);
	if (rc == 0)
		remote_heal(set);
	if (rc == 0)
		rc = rollout_open(&agent->rollout, set->state, set->name,
			&live_ops, agent, &undone, err);
	if (rc == 0) {
		agent->have = agent->rollout.have;
		agent->want = undone;
		snprintf(agent->phase, sizeof(agent->phase), "%s",
			undone ? "rolled_back" : "");
		rc = start_threads(agent, err);
	}
	if (rc == 0)
		return agent;
	pthread_cond_destroy(&agent->wake);
	pthread_mutex_destroy(&agent->lock);
	free(agent);
	return NULL;
}

void agent_free(struct agent *agent)
{
	struct timespec until;

	if (!agent)
		return;
	pthread_mutex_lock(&agent->lock);
	agent->stop = true;
	pthread_cond_broadcast(&agent->wake);
	pthread_mutex_unlock(&agent->lock);
	deadline(&until, 5000);
	if (pthread_timedjoin_np(agent->link, NULL, &until) != 0 ||
		pthread_timedjoin_np(agent->reporter, NULL, &until) != 0) {
		log_warn("agent: a step under way did not end; leaving");
		return; /* the process ends; the tree survives that */
	}
	rollout_close(&agent->rollout);
	pthread_cond_destroy(&agent->wake);
	pthread_mutex_destroy(&agent->lock);
	free(agent);
}
