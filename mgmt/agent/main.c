/* SPDX-License-Identifier: ISC */
/* ispdns-agent: brings generations from management to this node's daemons. */
#include "common/ctl/daemon.h"
#include "mgmt/agent/agent.h"

static int check(const struct conf *conf, struct err *err)
{
	struct agent_settings set;

	return agent_settings_read(conf, &set, err);
}

static int start(struct daemon *d, const struct conf *conf, void **state,
	struct err *err)
{
	struct agent_settings set;
	int rc = agent_settings_read(conf, &set, err);

	(void)d;
	if (rc < 0)
		return rc;
	*state = agent_new(&set, err);
	return *state ? 0 : -1;
}

/* All of node.yaml needs a restart; the frame says so. */
static void prepare(struct daemon *d, void *state, const struct conf *conf)
{
	(void)conf;
	daemon_prepared(d, state, NULL);
}

static bool commit(struct daemon *d, void *state, void *next)
{
	(void)d;
	(void)state;
	(void)next;
	return true;
}

static void discard(struct daemon *d, void *state, void *next)
{
	(void)d;
	(void)state;
	(void)next;
}

static void status(void *state, json_t *out)
{
	agent_status(state, out);
}

static void free_state(void *state)
{
	agent_free(state);
}

int main(int argc, char **argv)
{
	static struct daemon_ops ops = {
		.name = "ispdns-agent",
		.part = "agent",
		.summary = "brings configuration from management to this node",
		.config_file = ISPDNS_ETC_DIR "/node.yaml",
		.check = check,
		.start = start,
		.prepare = prepare,
		.commit = commit,
		.discard = discard,
		.status = status,
		.free = free_state,
	};

	ops.schema = agent_schema();
	return daemon_main(argc, argv, &ops);
}
