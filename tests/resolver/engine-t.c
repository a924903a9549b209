/* SPDX-License-Identifier: ISC */
/*
 * libunbound as the engine uses it, with its own local data in place of the
 * Internet: answers come at the end of the round and never inside the call.
 */

#include "resolver/engine.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

static const char config[] =
	"server:\n  use-syslog: no\n  logfile: \"\"\n  do-daemonize: no\n"
	"  module-config: \"iterator\"\n"
	"  root-hints: \"\"\n"
	"  local-zone: \"example.\" static\n"
	"  local-data: \"www.example. 60 IN A 192.0.2.1\"\n"
	"  local-data: \"a\\.b.example. 60 IN A 192.0.2.2\"\n";

static struct loop *loop;
static struct engine *engine;
static struct {
	unsigned count;
	uint64_t token;
	struct answer *answer;
	bool inside; /* engine_resolve is on the stack */
	bool was_inside;
} got;

static void on_done(void *arg, uint64_t token, struct answer *answer)
{
	(void)arg;
	got.count++;
	got.token = token;
	got.was_inside |= got.inside;
	free(got.answer);
	got.answer = answer;
	loop_stop(loop);
}

static struct question question(const char *text, struct name *n)
{
	if (name_parse(text, n) < 0)
		tap_bail("%s", text);
	return (struct question){.name = n->wire,
		.name_len = n->len,
		.type = DNS_TYPE_A,
		.class = DNS_CLASS_IN};
}

static void ask_now(void *arg)
{
	struct name n;
	struct question q = question(arg, &n);

	got.inside = true;
	if (engine_resolve(engine, &q, 42) < 0)
		tap_bail("engine_resolve");
	got.inside = false;
}

static void ask(const char *name)
{
	static char text[256];
	struct timer *t = timer_new(loop, ask_now, text);

	snprintf(text, sizeof(text), "%s", name);
	got.count = 0;
	timer_set_ms(t, 0);
	loop_run(loop);
	timer_free(t);
}

int main(void)
{
	struct err err = {.text = ""};

	loop = loop_new();
	ok(!engine_new(
		   loop, "server:\n  no-such-option: 1\n", on_done, NULL, &err),
		"a wrong configuration: %s", err.text);
	err.text[0] = '\0';
	engine = engine_new(loop, config, on_done, NULL, &err);
	ok(engine != NULL, "an engine %s", err.text);
	if (!engine)
		return tap_done();
	ask("www.example.");
	is_int(got.count, 1, "an answer");
	is_int((long long)got.token, 42, "with its token");
	ok(!got.was_inside, "not from inside engine_resolve");
	is_int(got.answer->full.counts[0], 1, "one record");
	is_int(got.answer->security, ANSWER_INSECURE, "insecure");
	ask("nothere.example.");
	is_int(got.answer->rcode, DNS_RCODE_NXDOMAIN,
		"NXDOMAIN, though the library's rcode is 0");
	ask("a\\.b.example.");
	is_int(got.answer->full.counts[0], 1, "a dot inside a label");
	ask("\\000\\255\\\"x.example.");
	is_int(got.answer->rcode, DNS_RCODE_NXDOMAIN, "any octet in a label");
	is_int(engine_inflight(engine), 0, "nothing is under way");
	ok(engine_version()[0] != '\0', "a version: %s", engine_version());
	free(got.answer);
	engine_free(engine);
	loop_free(loop);
	return tap_done();
}
