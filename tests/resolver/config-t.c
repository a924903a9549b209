/* SPDX-License-Identifier: ISC */
/* resolver.yaml: settings, the library's text, what needs new workers. */

#include "resolver/config.h"

#include "common/ctl/file.h"

#include "common/dns/code.h"
#include "resolver/policy.h"
#include "tests/tap/tap.h"

static struct settings *parse(const char *text, struct err *err)
{
	struct conf *conf =
		conf_parse(text, strlen(text), "r.yaml", resolver_schema, err);
	struct settings *s;

	if (!conf)
		return NULL;
	s = settings_check(conf, err) < 0 ? NULL : settings_new(conf, err);
	conf_free(conf);
	return s;
}

static struct settings *good(const char *text)
{
	struct err err = {.text = ""};
	struct settings *s = parse(text, &err);

	if (!s)
		tap_bail("%s: %s", text, err.text);
	return s;
}

static void bad(const char *text, const char *want)
{
	struct err err = {.text = ""};
	struct settings *s = parse(text, &err);

	ok(!s && strstr(err.text, want), "refused: %s", err.text);
	settings_free(s);
}

static bool allowed(const struct settings *s, const char *client)
{
	union addr a;

	if (addr_parse(client, 0, &a) < 0)
		tap_bail("%s", client);
	return settings_allow(s, &a);
}

static void test_defaults(void)
{
	struct settings *s = good("{}");

	ok(s->workers >= 1, "a worker for each core");
	is_int(s->listen_count, 1, "one address");
	ok(allowed(s, "127.0.0.9") && allowed(s, "::1"), "loopback may ask");
	ok(!allowed(s, "192.0.2.1"), "nobody else");
	is_int(s->payload, 1232, "1232 octets");
	is_int(s->deadline_ms, 5000, "5 s");
	ok(!strstr(s->library, "unwanted-reply-threshold"),
		"never the threshold at which the library aborts");
	ok(strstr(s->library, "module-config: \"validator iterator\"") &&
			strstr(s->library, "trust-anchor: \". DS 20326"),
		"validation with the root's keys");
	ok(strstr(s->library, "qname-minimisation: yes"), "minimisation");
	settings_free(s);
}

static void test_acl(void)
{
	struct settings *s = good(
		"acl: {allow: [10.0.0.0/8, 2001:db8::/32], deny: [10.9.0.0/16],"
		" action: drop}");

	ok(allowed(s, "10.1.1.1") && allowed(s, "2001:db8::1"), "inside");
	ok(!allowed(s, "10.9.1.1"), "an exception");
	ok(!allowed(s, "127.0.0.1"), "outside");
	is_int(s->acl_action, ACL_DROP, "silence");
	settings_free(s);
	bad("acl: {allow: [10.0.0.0/8], deny: [10.0.0.0/8]}",
		"both allowed and denied");
	bad("acl: {allow: [10.0.0.1/8]}", "r.yaml:1");
	bad("acl: {allow: [10.0.0.0/8], mode: x}", "unknown key");
}

static void test_library(void)
{
	struct settings *s = good(
		"forward: [{zone: corp.example., to: ['192.0.2.1:5353']}]\n"
		"stub: [{zone: 10.in-addr.arpa., to: [192.0.2.2]}]\n"
		"local_zones: [test.]\n"
		"dnssec: false\n");

	ok(strstr(s->library, "forward-zone:\n  name: \"corp.example.\"\n"
			      "  forward-addr: 192.0.2.1@5353\n"),
		"a forward zone");
	ok(strstr(s->library, "stub-addr: 192.0.2.2@53\n"), "a stub zone");
	ok(strstr(s->library, "local-zone: \"10.in-addr.arpa.\" nodefault") &&
			strstr(s->library, "local-zone: \"test.\" nodefault"),
		"whose names the library must not answer itself");
	ok(strstr(s->library, "module-config: \"iterator\""),
		"without validation");
	settings_free(s);
	bad("forward: [{zone: 'a\\\"b.example.', to: [192.0.2.1]}]",
		"not possible");
	bad("forward: [{zone: x.}]", "r.yaml:1");
	bad("root_hints: /no/such/file\n", "No such file");
	bad("trust_anchor: /dev/null\n", "neither DS nor DNSKEY");
	bad("listen: ['127.0.0.1:53', 127.0.0.1]", "twice");
	bad("listen: []", "r.yaml:1");
}

static void roll(const char *a, const char *b, bool want)
{
	struct settings *sa = good(a), *sb = good(b);

	ok(settings_need_roll(sa, sb) == want, "\"%.30s\": %s", b,
		want ? "new workers" : "live");
	settings_free(sa);
	settings_free(sb);
}

static void write_file(const char *path, const char *data)
{
	struct err err;

	if (file_write(path, data, strlen(data), 0600, &err) < 0)
		tap_bail("%s", err.text);
}

/* Two generations: the same file in another folder changes nothing. */
static void test_files(void)
{
	char folder[] = "/tmp/ispdns-config-t.XXXXXX", a[64], b[64];
	char conf_a[128], conf_b[128];
	struct err err;

	if (!mkdtemp(folder))
		tap_bail("mkdtemp");
	snprintf(a, sizeof(a), "%s/a.key", folder);
	snprintf(b, sizeof(b), "%s/b.key", folder);
	snprintf(conf_a, sizeof(conf_a), "trust_anchor: %s", a);
	snprintf(conf_b, sizeof(conf_b), "trust_anchor: %s", b);
	write_file(a, ". IN DS 1 8 2 aa ; one\n");
	write_file(b, ". IN DS 1 8 2 aa ; one\n");
	roll(conf_a, conf_b, false);
	write_file(b, ". IN DS 2 8 2 bb\n");
	roll(conf_a, conf_b, true);
	if (dir_remove(folder, &err) < 0)
		tap_diag("%s", err.text);
}

static void test_roll(void)
{
	roll("{}", "{}", false);
	roll("{}", "acl: {allow: [10.0.0.0/8]}", false);
	roll("{}", "cache: {entries: 500}", false);
	roll("{}", "limits: {inflight: 99, per_client: 9}", false);
	roll("{}", "metrics: {listen: 127.0.0.1}", false);
	roll("{}", "dnssec: false", true);
	roll("{}", "listen: [127.0.0.2]", true);
	roll("workers: 2", "workers: 3", true);
	roll("{}", "forward: [{zone: x., to: [192.0.2.1]}]", true);
}

static void policy(const char *config, uint16_t type, uint16_t class,
	uint16_t flags, bool tcp, enum policy want)
{
	struct settings *s = good(config);
	struct question q = {.type = type, .class = class};

	is_int(policy_question(s, &q, flags, tcp), want,
		"type %u class %u flags %x %s", type, class, flags, config);
	settings_free(s);
}

static void test_policy(void)
{
	policy("{}", DNS_TYPE_A, 1, MSG_RD, false, POLICY_RESOLVE);
	policy("{}", DNS_TYPE_A, 1, 0, false, POLICY_REFUSE);
	policy("rd0: cache", DNS_TYPE_A, 1, 0, false, POLICY_CACHE_ONLY);
	policy("{}", DNS_TYPE_TXT, DNS_CLASS_CH, MSG_RD, false, POLICY_REFUSE);
	policy("{}", DNS_TYPE_A, DNS_CLASS_ANY, MSG_RD, false, POLICY_REFUSE);
	policy("{}", DNS_TYPE_AXFR, 1, MSG_RD, true, POLICY_REFUSE);
	policy("{}", DNS_TYPE_TSIG, 1, MSG_RD, true, POLICY_NOTIMP);
	policy("{}", DNS_TYPE_OPT, 1, MSG_RD, true, POLICY_FORMERR);
	policy("{}", 0, 1, MSG_RD, true, POLICY_FORMERR);
	policy("{}", DNS_TYPE_ANY, 1, MSG_RD, false, POLICY_TC);
	policy("{}", DNS_TYPE_ANY, 1, MSG_RD, true, POLICY_RESOLVE);
	policy("any: drop", DNS_TYPE_ANY, 1, MSG_RD, true, POLICY_DROP);
	policy("any: refuse", DNS_TYPE_ANY, 1, MSG_RD, true, POLICY_REFUSE);
	policy("any: allow", DNS_TYPE_ANY, 1, MSG_RD, false, POLICY_RESOLVE);
}

static void test_refusals(void)
{
	static struct refusals r;
	struct mtime now = {.us = 5000000};
	union addr a, b;
	unsigned n = 0;

	if (addr_parse("192.0.2.1", 0, &a) < 0 ||
		addr_parse("192.0.2.2", 0, &b) < 0)
		tap_bail("addr");
	refusals_init(&r);
	for (unsigned i = 0; i < 100; i++)
		n += refusals_take(&r, &a, 20, now);
	is_int(n, 20, "20 a second for one source");
	ok(refusals_take(&r, &b, 20, now), "another has its own");
	now.us += 1000000;
	ok(refusals_take(&r, &a, 20, now), "again in the next second");
	ok(!refusals_take(&r, &a, 0, now), "0: never");
}

int main(void)
{
	test_defaults();
	test_acl();
	test_library();
	test_roll();
	test_files();
	test_policy();
	test_refusals();
	return tap_done();
}
