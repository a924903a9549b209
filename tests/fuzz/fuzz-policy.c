/* SPDX-License-Identifier: ISC */
/*
 * The text of frontend.yaml to a snapshot, and queries through it: what is
 * refused says where; what is taken is built, gives each query one verdict
 * that makes sense, the same twice, and leaves nothing behind.
 */

#include "tests/fuzz/fuzz.h"

#include "common/dns/code.h"
#include "frontend/config.h"

static struct registry registry;
static struct answer made;
static uint8_t buf[SPOOF_MSG];

static const char *const names[] = {".", "test.", "www.ads.test.",
	"ROUTER.lan.", "4.3.2.10.in-addr.arpa.", "a.b.c.d.e.co.uk."};
static const char *const clients[] = {"10.1.2.3", "127.0.0.1", "2001:db8::1"};
static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_ANY,
	DNS_TYPE_AXFR, DNS_TYPE_TXT, 65280};

static void check_spoof(const struct spoof *spoof, const struct question *q)
{
	struct question again;
	struct edns edns;

	spoof_make(spoof, &made, buf, q);
	fuzz_check(made.len <= sizeof(buf));
	fuzz_check(msg_check_answer(made.msg, made.len, &again, &edns));
	fuzz_check(again.type == q->type && name_equal(again.name, q->name));
}

static void check_verdict(const struct policy *p, const struct policy_query *q)
{
	struct policy_result r = policy_check(p, q);
	const struct question *question = &q->view->q;
	bool passes =
		r.verdict == VERDICT_PASS || r.verdict == VERDICT_CACHE_ONLY;

	fuzz_check(!passes || q->parsed == MSG_OK);
	fuzz_check(!passes || question->type != DNS_TYPE_AXFR);
	fuzz_check(!passes || !r.pool || policy_pool(p, r.pool->id) == r.pool);
	fuzz_check(r.verdict != VERDICT_REPLY || r.tc ||
		   r.rcode != DNS_RCODE_NOERROR);
	fuzz_check(!r.tc || !q->tcp);
	if (r.verdict == VERDICT_SPOOF)
		check_spoof(r.spoof, question);
	if (passes)
		(void)policy_check_miss(
			p, q->client, q->tcp, question->name, q->now_us);
}

static void ask(const struct policy *p, const char *text, uint16_t type,
	const union addr *client, unsigned bits)
{
	struct query_view view;
	struct name name;
	struct policy_query q = {.client = client,
		.tcp = bits & 1,
		.view = &view,
		.now_us = 1000000};
	uint8_t msg[512];
	size_t len;

	if (name_parse(text, &name) < 0)
		return;
	len = msg_make_query(msg, sizeof(msg), 1, name.wire, name.len, type,
		bits & 2 ? DNS_CLASS_CH : DNS_CLASS_IN,
		bits & 4 ? DNS_OPCODE_NOTIFY << 11 : 0, 0, false);
	q.parsed = msg_parse_query(msg, len, &view);
	q.opcode = msg_opcode(msg);
	check_verdict(p, &q);
}

static void ask_all(struct policy *p)
{
	p->limiter = limiter_new(64);
	for (size_t c = 0; p->limiter && c < countof(clients); c++) {
		union addr client;

		if (addr_parse(clients[c], 0, &client) < 0)
			continue;
		(void)policy_admit(p, &client, PROOF_UNKNOWN, 1000000);
		for (size_t n = 0; n < countof(names); n++)
			for (size_t t = 0; t < countof(types); t++)
				for (unsigned bits = 0; bits < 8; bits++)
					ask(p, names[n], types[t], &client,
						bits);
	}
	limiter_free(p->limiter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {.text = ""};
	struct policy *policy = NULL;
	struct conf *conf;

	if (size > 4096)
		return 0;
	conf = conf_parse(
		(const char *)data, size, "/x/f.yaml", config_schema(), &err);
	if (!conf || config_check(conf, &err) < 0) {
		fuzz_check(strncmp(err.text, "/x/f.yaml", 9) == 0);
		conf_free(conf);
		return 0;
	}
	fuzz_check(config_build(conf, &registry, &policy, &err) == 0);
	conf_free(conf);
	ask_all(policy);
	config_release(policy, &registry);
	for (unsigned i = 0; i < REGISTRY_HITS; i++)
		fuzz_check(!registry.hits[i]);
	registry.pool_count = 0; /* names of pools outlive their snapshots */
	return 0;
}
