/* SPDX-License-Identifier: ISC */
#include "ha/fence.h"

#include <sys/wait.h>

#include "common/base/log.h"
#include "common/ctl/child.h"
#include "ha/ha.h"

/*
 * Two masters that both answer lose nothing, so a promotion is never delayed
 * by this. Only the node that wins by the protocol's own rule acts: else two
 * that do not hear each other would switch each other off.
 */

enum {
	OUTPUT_MAX = 4096
};

const char *fence_reason(const struct instance_event *ev)
{
	if (ev->kind == INSTANCE_SPLIT)
		return "split_brain";
	if (ev->kind == INSTANCE_ASYMMETRIC && ev->value &&
		ev->to == STATE_MASTER && ev->priority < ev->from)
		return "asymmetric";
	return NULL;
}

static void done(void *arg, int status, const char *output, size_t len)
{
	struct fence *f = arg;
	const char *end = memchr(output, '\n', len);

	f->running = false;
	if (end)
		len = (size_t)(end - output);
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		log_warn("ha: fencing: done");
		return;
	}
	f->failed++;
	if (status < 0)
		log_error("ha: fencing: %s", strerror(-status));
	else
		log_error("ha: fencing: status=%d: %.*s", status, (int)len,
			output);
}

void fence_event(struct fence *f, const struct config *config,
	const struct instance_event *ev, int64_t now_us)
{
	const char *reason = fence_reason(ev);
	char *argv[CONFIG_FENCE_ARGS + 4] = {NULL};
	char words[CONFIG_FENCE_ARGS][CONFIG_FENCE_ARG];
	char ip[ADDR_TEXT] = "-", name[CONFIG_NAME], why[32];
	struct err err = {.text = ""};
	size_t n = config->fence_count;

	if (!reason || n == 0 || f->running || now_us < f->next_us)
		return;
	memcpy(words, config->fence_args, sizeof(words));
	for (size_t i = 0; i < n; i++)
		argv[i] = words[i];
	if (ev->family)
		ha_print_ip(ev->family, ev->peer, ip);
	snprintf(name, sizeof(name), "%s", ev->name);
	snprintf(why, sizeof(why), "%s", reason);
	argv[n] = name;
	argv[n + 1] = why;
	argv[n + 2] = ip;
	f->next_us = now_us + FENCE_GAP_S * 1000000LL;
	f->started++;
	log_warn("ha: fencing: %s %s %s %s", argv[0], name, why, ip);
	f->running = child_run(f->loop, argv, config->fence_timeout_ms,
			     OUTPUT_MAX, done, f, &err) == 0;
	if (f->running)
		return;
	f->failed++;
	log_error("ha: fencing: %s", err.text);
}
