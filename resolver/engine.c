/* SPDX-License-Identifier: ISC */
/*
 * Rules that the library's event mode imposes:
 *  - A cached answer is delivered synchronously, inside ub_resolve_event,
 *    and all answers of a context share one packet buffer: the callback
 *    copies the packet first and calls nothing of the library.
 *  - The callback's rcode is 0 whenever there is a packet, NXDOMAIN and
 *    cached SERVFAIL included; with another rcode the packet is not to be
 *    read.
 *  - The name is passed as text and a name that does not parse leaks
 *    memory, so it is always printed with full escapes.
 * Answers are therefore queued and handed out at the end of the round.
 */

#include "resolver/engine.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <unbound.h>

#include <unbound-event.h>

#include "common/base/list.h"
#include "common/base/log.h"
#include "common/dns/code.h"

struct engine {
	struct loop *loop;
	struct ub_ctx *ctx;
	engine_done done;
	void *arg;
	uint32_t inflight;
	struct list running, finished;
	bool hooked;
	FILE *log;
};

/* One question of the library's. */
struct job {
	struct list link;
	struct engine *engine;
	uint64_t token;
	struct answer *answer;
	uint16_t type, class;
	uint8_t name_len;
	uint8_t name[NAME_MAX_WIRE];
};

const char *engine_version(void)
{
	return ub_version();
}

/* Fixed upstream in 1.25.1, 1.25.2 and 1.26.1 (2026); not in the 1.17.1 that
 * Debian 12 ships. */
const char *engine_version_warning(void)
{
	unsigned major = 0, minor = 0;

	if (sscanf(ub_version(), "%u.%u", &major, &minor) == 2 &&
		(major > 1 || (major == 1 && minor >= 26)))
		return NULL;
	return "libunbound is older than 1.26: known security defects of 2026 "
	       "may not be fixed in it; see --with-libunbound";
}

/* --- answers --- */

static struct answer *failure(const struct job *job, bool limited)
{
	return answer_new_failure(job->name_len, DNS_RCODE_SERVFAIL,
		limited ? (int)DNS_EDE_OTHER
			: (int)DNS_EDE_NO_REACHABLE_AUTHORITY);
}

static struct answer *make_answer(const struct job *job, int rcode,
	const void *packet, int len, int sec, const char *why, bool limited)
{
	struct question q = {.name = job->name,
		.name_len = job->name_len,
		.type = job->type,
		.class = job->class};
	enum answer_security security = ANSWER_INSECURE;
	struct answer *a = NULL;

	if (sec == 1)
		security = ANSWER_BOGUS;
	else if (sec == 2)
		security = ANSWER_SECURE;
	if (rcode == 0 && packet && len > 0)
		a = answer_new(packet, (size_t)len, &q, security, why);
	return a ? a : failure(job, limited);
}

static void on_result(void *arg, int rcode, void *packet, int len, int sec,
	char *why, int limited)
{
	struct job *job = arg;
	struct engine *engine = job->engine;

	job->answer =
		make_answer(job, rcode, packet, len, sec, why, limited != 0);
	list_remove(&job->link);
	list_append(&engine->finished, &job->link);
}

static void hand_out(void *arg)
{
	struct engine *engine = arg;

	while (!list_empty(&engine->finished)) {
		struct job *job =
			list_entry(engine->finished.next, struct job, link);
		uint64_t token = job->token;
		struct answer *answer = job->answer;

		list_remove(&job->link);
		free(job);
		engine->inflight--;
		engine->done(engine->arg, token, answer);
	}
}

int engine_resolve(
	struct engine *engine, const struct question *q, uint64_t token)
{
	struct job *job = calloc(1, sizeof(*job));
	char text[NAME_MAX_TEXT];
	int rc;

	if (!job)
		return -ENOMEM;
	job->engine = engine;
	job->token = token;
	job->type = q->type;
	job->class = q->class;
	job->name_len = q->name_len;
	memcpy(job->name, q->name, q->name_len);
	list_append(&engine->running, &job->link);
	engine->inflight++;
	rc = ub_resolve_event(engine->ctx, name_wire_print(job->name, text),
		q->type, q->class, job, on_result, NULL);
	if (rc == 0)
		return 0;
	list_remove(&job->link);
	free(job);
	engine->inflight--;
	return -EIO;
}

void engine_log_again(struct engine *engine)
{
	ub_ctx_debugout(engine->ctx, engine->log);
}

uint32_t engine_inflight(const struct engine *engine)
{
	return engine->inflight;
}

/* --- making --- */

/* What the library logs can be caused by packets: seldom, and for debugging
 * only. */
static ssize_t on_log(void *cookie, const char *text, size_t len)
{
	int n = len > 400 ? 400 : (int)len;

	(void)cookie;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n > 0)
		LOG_EVERY(10, LOG_LVL_DEBUG, "libunbound: %.*s", n, text);
	return (ssize_t)len;
}

static FILE *open_log(void)
{
	const cookie_io_functions_t functions = {.write = on_log};
	FILE *f = fopencookie(NULL, "w", functions);

	if (f)
		setvbuf(f, NULL, _IOLBF, 1024);
	return f;
}

/* The library reads a file: one in memory. */
static int configure(struct ub_ctx *ctx, const char *text, struct err *err)
{
	int fd = memfd_create("libunbound", MFD_CLOEXEC);
	size_t len = strlen(text);
	char path[64];
	int rc = 0;

	if (fd < 0 || write(fd, text, len) != (ssize_t)len) {
		rc = err_fail(err, -errno, "configuration of libunbound: %s",
			strerror(errno));
		goto out;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rc = ub_ctx_config(ctx, path);
	if (rc != 0)
		rc = err_fail(err, -EINVAL,
			"libunbound refuses its configuration: %s",
			ub_strerror(rc));
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The first question makes the library read its files and start; one that
 * it answers from its built-in data. */
static void on_first(void *arg, int rcode, void *packet, int len, int sec,
	char *why, int limited)
{
	(void)rcode;
	(void)packet;
	(void)len;
	(void)sec;
	(void)why;
	(void)limited;
	*(bool *)arg = true;
}

static int start(struct engine *engine, struct err *err)
{
	bool answered = false;
	int rc = ub_resolve_event(engine->ctx, "localhost.", DNS_TYPE_A,
		DNS_CLASS_IN, &answered, on_first, NULL);

	if (rc != 0)
		return err_fail(err, -EINVAL,
			"libunbound cannot start: %s (files of root_hints and "
			"trust_anchor, addresses of outgoing)",
			ub_strerror(rc));
	if (!answered)
		return err_fail(err, -EINVAL,
			"libunbound does not answer for localhost");
	return 0;
}

struct engine *engine_new(struct loop *loop, const char *text, engine_done done,
	void *arg, struct err *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine) {
		err_set(err, "out of memory");
		return NULL;
	}
	list_init(&engine->running);
	list_init(&engine->finished);
	engine->loop = loop;
	engine->done = done;
	engine->arg = arg;
	engine->ctx = ub_ctx_create_event(loop_base(loop));
	engine->log = open_log();
	if (!engine->ctx || !engine->log ||
		loop_after_round(loop, hand_out, engine) < 0) {
		err_set(err, "libunbound: no context");
		goto fail;
	}
	engine->hooked = true;
	ub_ctx_debugout(engine->ctx, engine->log);
	if (configure(engine->ctx, text, err) == 0 && start(engine, err) == 0)
		return engine;
fail:
	engine_free(engine);
	return NULL;
}

static void drop_jobs(struct list *jobs)
{
	while (!list_empty(jobs)) {
		struct job *job = list_entry(jobs->next, struct job, link);

		list_remove(&job->link);
		free(job->answer);
		free(job);
	}
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	if (engine->hooked)
		loop_after_round_remove(engine->loop, hand_out, engine);
	if (engine->ctx)
		ub_ctx_delete(engine->ctx); /* calls on_result for each */
	drop_jobs(&engine->running);
	drop_jobs(&engine->finished);
	if (engine->log)
		fclose(engine->log);
	free(engine);
}
