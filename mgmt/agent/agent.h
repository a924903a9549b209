/* SPDX-License-Identifier: ISC */
#ifndef MGMT_AGENT_AGENT_H
#define MGMT_AGENT_AGENT_H

/*
 * ispdns-agent: the node's end of the node protocol. Three threads: the main
 * loop (control socket, signals), the link (held stream, roll-outs, commands;
 * blocking) and the reporter (status to management every two seconds). What
 * they share is in struct agent behind `lock`; the rest is set before they
 * start and read only, or the link's own.
 */

#include "common/ctl/conf.h"
#include "common/net/http.h"
#include "mgmt/agent/rollout.h"

#include <pthread.h>

#define AGENT_HOSTS 8
#define AGENT_PATH  512

struct agent_settings {
	char name[64];
	char hosts[AGENT_HOSTS][256];
	size_t host_count;
	char ca[AGENT_PATH], cert[AGENT_PATH], key[AGENT_PATH];
	char state[AGENT_PATH], run[AGENT_PATH], programs[AGENT_PATH];
};

struct agent {
	struct agent_settings set;
	char boot[33];

	pthread_mutex_t lock; /* of the members down to `report_now` */
	pthread_cond_t wake;
	bool stop;
	bool connected, report_now;
	long long have, want;
	char phase[24];      /* of `want` */
	char error[ERR_MAX]; /* the last one, "" after success */
	union addr server;   /* of the management that is connected */

	/* the link's own */
	struct rollout rollout;
	struct http_link *fetch; /* during a roll-out */
	struct tls *fetch_tls;
	unsigned failures; /* attempts since the last good stream */
	pthread_t link, reporter;
};

const struct schema_item *agent_schema(void);
int agent_settings_read(const struct conf *conf, struct agent_settings *out,
	struct err *err) MUST_CHECK;

/* NULL with a line in err. Starts both threads. */
struct agent *agent_new(
	const struct agent_settings *set, struct err *err) MUST_CHECK;
/* Stop the threads (waits up to 5 s for a step under way) and free. */
void agent_free(struct agent *agent); /* NULL allowed */
/* For the control socket. Any thread. */
void agent_status(struct agent *agent, json_t *out);

/* Wait `ms`, or less when the agent is to stop. True: go on. Any thread. */
bool agent_pause(struct agent *agent, int ms);
bool agent_stopping(struct agent *agent);

/* ---- link.c ---- */
void *link_run(void *agent);
/* Milliseconds before attempt number `failures` + 1: full jitter between 0.2 s
 * and twice as much each time, up to 15 s. `random` 0..UINT32_MAX. Pure. */
int link_backoff_ms(unsigned failures, uint32_t random);

/* ---- remote.c: requests to management ---- */
/* Fill a target for calls; a TLS context of its own (free with tls_free). */
int remote_target(struct agent *agent, const union addr *server, int timeout_ms,
	struct http_target *target, struct err *err) MUST_CHECK;
/* POST a JSON object (stolen); the answer's body is not looked at when
 * `reply` is NULL. */
int remote_post(struct agent *agent, const union addr *server, const char *path,
	json_t *body, json_t **reply, struct err *err) MUST_CHECK;
int remote_manifest(void *agent, long long generation, char **text, size_t *len,
	struct err *err);
int remote_blob(void *agent, const struct manifest_item *item, char **data,
	size_t *len, struct err *err);
/* No more of them for now: the connection goes. */
void remote_fetched(void *agent);
/* A new key and certificate; used from the next connection on. */
int remote_renew(struct agent *agent, struct err *err) MUST_CHECK;
/* ... when less than a third of the present one's life is left. */
void remote_renew_when_due(struct agent *agent);
/* Finish a renewal in whose middle the agent died. Before the threads. */
void remote_heal(const struct agent_settings *set);

/* ---- local.c: this host's daemons ---- */
int local_control(void *agent, enum part part, const char *verb,
	const json_t *args, json_t **result, struct err *err);
int local_check(void *agent, enum part part, const char *file, struct err *err);
int local_prove(void *agent, const struct manifest *m, int ms, struct err *err);
/* {"frontend":{status}, ...} of the parts that `current` has. */
json_t *local_parts(struct agent *agent);

/* ---- report.c ---- */
void *report_run(void *agent);

#endif
