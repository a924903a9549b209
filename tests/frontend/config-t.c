/* SPDX-License-Identifier: ISC */
/* frontend.yaml: what is wrong is said with file and line; what is right
 * becomes the snapshot it describes. */

#include "frontend/config.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

#include <unistd.h>

static const char pools[] =
	"pools:\n"
	"  rec: {backends: [{name: r1, address: 192.0.2.1}]}\n";
static const char base[] = "listen: [127.0.0.1]\ndefault_pool: rec\n";

static struct conf *parse(const char *text, struct err *err)
{
	struct conf *conf =
		conf_parse(text, strlen(text), "f.yaml", config_schema(), err);

	if (conf && config_check(conf, err) == 0)
		return conf;
	conf_free(conf);
	return NULL;
}

/* `text` with the parts of a whole configuration before it. */
static struct conf *parse_rest(const char *text, struct err *err)
{
	char whole[4096];

	(void)snprintf(whole, sizeof(whole), "%s%s%s", base, pools, text);
	return parse(whole, err);
}

static void test_errors(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		/* line 5 is the first of the rest */
		{"acl: {allow: [10.0.0.0/33]}", "f.yaml:5: "},
		{"acl:\n  allow: [10.0.0.0/8]\n  deny: [10.0.0.0/8]",
			"f.yaml:7: the prefix is listed twice"},
		{"acl: {action: maybe}", "refuse"},
		{"policy: {any: perhaps}", "f.yaml:5: "},
		{"routes:\n  - {suffix: a.test, pool: nowhere}",
			"f.yaml:6: there is no pool \"nowhere\""},
		{"routes:\n  - {suffix: a.test, pool: rec}\n"
		 "  - {suffix: A.test., pool: rec}",
			"f.yaml:7: the suffix has a route already"},
		{"routes:\n  - {suffix: a.test, pool: rec,\n"
		 "     allow_transfer: [192.0.2.0/24]}",
			"f.yaml:7: allow_transfer: goes with a pool of kind "
			"auth only, not with \"rec\""},
		{"routes:\n  - {suffix: a.test, pool: rec, allow_update: "
		 "[\"::1\"]}",
			"f.yaml:6: allow_update: goes with a pool of kind"},
		{"routes:\n  - {suffix: a.test, pool: rec, allow_notify: [x]}",
			"f.yaml:6: "},
		{"transfers: {max: 0}", "f.yaml:5: "},
		{"transfers: {lifetime: 2d}", "f.yaml:5: "},
		{"limit: {overrides: [\n {prefix: 10.0.0.0/8, qps: 1},\n"
		 " {prefix: 10.0.0.0/8, qps: 2}]}",
			"f.yaml:7: the prefix is listed twice"},
		{"rules:\n  - {suffix: [a.test], action: pool}",
			"f.yaml:6: action pool needs the key pool"},
		{"rules:\n  - {action: pool, pool: nowhere}",
			"f.yaml:6: there is no pool \"nowhere\""},
		{"rules:\n  - action: drop\n    ttl: 5s",
			"f.yaml:7: ttl: goes with action spoof, not with drop"},
		{"rules: [{action: spoof}]",
			"f.yaml:5: action spoof needs the key addresses"},
		{"rules: [{action: spoof, addresses: [192.0.2.1:53]}]",
			"f.yaml:5: "},
		{"rules: [{action: rate-limit}]", "needs the key qps"},
		{"rules: [{action: tag, tag: \"a b\"}]",
			"f.yaml:5: tag: \"a b\": letters, digits"},
		{"rules: [{name: \"#1\", action: drop}]",
			"f.yaml:5: name: \"#1\": letters, digits"},
		{"rules:\n  - {name: x, action: drop}\n"
		 "  - {name: x, action: allow}",
			"f.yaml:7: rule \"x\" is already defined in line 6"},
		{"rules:\n  - action: drop\n    qtype: [A, BOGUS]",
			"f.yaml:7: qtype: \"BOGUS\" is not a type"},
		{"rules: [{qclass: XX, action: drop}]",
			"f.yaml:5: qclass: \"XX\" is not a class"},
		{"rules: [{qtype: [AXFR], action: pool, pool: rec}]",
			"f.yaml:5: AXFR: no rule lets it pass; a route with"},
		{"rules: [{opcode: NOTIFY, action: pool, pool: rec}]",
			"f.yaml:5: opcode: with others than QUERY go drop"},
		{"rules: [{opcode: FOO, action: drop}]", "NOTIFY"},
		{"rules: [{suffix: [], action: drop}]", "f.yaml:5: "},
		{"rules: [{source: [10.0.0.1/8], action: drop}]", "f.yaml:5: "},
		{"rules: [{suffix: [a.test]}]", "action"},
		{"dynamic_blocks: {nxdomain_percent: 101}", "f.yaml:5: "},
		{"dynamic_blocks: {action: cache-only}", "refuse"},
		{"dynamic_blocks:\n  exempt: [10.0.0.0/8]\n  window: 0s",
			"f.yaml:7: "},
		{"dynamic_blocks:\n  exempt:\n    - 10.0.0.0/8\n"
		 "    - 10.0.0.0/8",
			"f.yaml:8: the prefix is listed twice"},
		{"limit: {exempt: [10.0.0.0/8, 10.0.0.0/8]}",
			"f.yaml:5: the prefix is listed twice"},
		{"limit:\n  misses:\n    per_suffix: {labels: 0}",
			"f.yaml:7: "},
		{"limit:\n  misses:\n    per_suffix:\n      registries:\n"
		 "        - co.uk\n        - CO.uk.",
			"f.yaml:10: the name is listed twice"},
		{"limit: {misses: {action: maybe}}", "cache-only"},
		{"limit: {qps: -1}", "f.yaml:5: "},
		{"retry: {timeout: 2s, deadline: 1s}",
			"f.yaml:5: retry.deadline"},
		{"retry: {tries: 99}", "f.yaml:5: "},
		{"cache: {failure_ttl: 10h}", "f.yaml:5: "},
		{"cookies: {secret: abc}", "f.yaml:5: "},
		{"cookies:\n  secret: 000102030405060708090a0b0c0d0e0x",
			"f.yaml:6: secret: 32 hex digits"},
		{"cookies:\n  previous: 000102030405060708090a0b0c0d0e0f",
			"f.yaml:6: previous without secret"},
		{"cookies:\n  secret_file: /nonexistent/x",
			"f.yaml:6: /nonexistent/x"},
		{"cookies:\n  secret_file: /nonexistent/x\n"
		 "  secret: 000102030405060708090a0b0c0d0e0f",
			"f.yaml:6: secret_file stands instead"},
		{"nonsense: 1", "f.yaml:5: "},
		{"workers: 0", "f.yaml:5: "},
		{"workers: 1\nworkers: 2", "f.yaml:6: "},
		{"listen: [127.0.0.1]", "f.yaml:5: "},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct err err = {.text = ""};
		struct conf *conf = parse_rest(cases[i].text, &err);

		ok(!conf && strstr(err.text, cases[i].want), "%s: %s",
			cases[i].want, err.text);
		conf_free(conf);
	}
}

static void test_pool_errors(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"pools: {}\n", "f.yaml:3: "},
		{"pools:\n  rec:\n    backends:\n"
		 "      - {name: a, address: 192.0.2.1}\n"
		 "      - {name: a, address: 192.0.2.2}\n",
			"f.yaml:7: backend \"a\" is already defined in line 6"},
		{"pools:\n  rec: {backends: [{name: a}]}\n", "address"},
		{"pools:\n  rec: {backends: [{name: a, address: host.test}]}\n",
			"f.yaml:4: "},
		{"pools:\n  rec: {backends: [{name: a, address: 192.0.2.1,\n"
		 "    check: {type: BOGUS}}]}\n",
			"f.yaml:5: type: \"BOGUS\""},
		{"pools:\n  rec: {backends: [{name: a, address: 192.0.2.1,\n"
		 "    check: {min_serial: 1}}]}\n",
			"f.yaml:5: min_serial: only with type: SOA"},
		{"pools:\n  rec: {backends: [{name: a, address: 192.0.2.1,\n"
		 "    check: {type: SOA, min_serial: 1, random_label: "
		 "true}}]}\n",
			"f.yaml:5: min_serial: not with random_label"},
		{"pools:\n  rec: {backends: [{name: a, address: 192.0.2.1,\n"
		 "    checkTypo: A}]}\n",
			"f.yaml:5: "},
		{"pools:\n  auth: {backends: []}\n",
			"f.yaml:2: there is no pool \"rec\""},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char whole[4096];
		struct err err = {.text = ""};
		struct conf *conf;

		(void)snprintf(
			whole, sizeof(whole), "%s%s", base, cases[i].text);
		conf = parse(whole, &err);
		ok(!conf && strstr(err.text, cases[i].want), "%s: %s",
			cases[i].want, err.text);
		conf_free(conf);
	}
}

static struct policy *build(const char *rest, struct registry *registry)
{
	struct err err = {.text = ""};
	struct conf *conf = parse_rest(rest, &err);
	struct policy *policy = NULL;

	if (!conf || config_build(conf, registry, &policy, &err) < 0)
		tap_bail("%s", err.text);
	conf_free(conf); /* the snapshot must not need it */
	return policy;
}

static void test_defaults(void)
{
	struct registry registry;
	struct policy *p;
	struct config_sizes sizes;
	struct err err = {.text = ""};
	struct conf *conf = parse_rest("", &err);

	config_sizes(conf, &sizes);
	is_int(sizes.workers, 2, "two workers");
	ok(!config_metrics(conf), "no metrics page unless asked for");
	conf_free(conf);
	registry_init(&registry);
	p = build("", &registry);
	is_int(p->acl_action, POLICY_REFUSE, "outside the ACL: refuse");
	is_int(p->any, POLICY_DROP, "ANY: drop");
	is_int(p->limit.rule.qps, 0, "no limit");
	is_int(p->udp_limit, 1232, "1232 octets");
	is_int(p->cache_rules.failure_ttl_s, 5, "failures 5 s");
	is_int((int)p->pools[0].members[0].check.timing.interval_ms, 1000,
		"probes each second");
	is_int(addr_port(&p->pools[0].members[0].server->addr), 53, "port 53");
	ok(!p->pools[0].auth && p->pools[0].cached, "a cached pool rec");
	config_release(p, &registry);
	is_int(registry.servers[0] != NULL, 0, "released: no server is left");
	registry_fini(&registry);
}

static void test_cookies(void)
{
	char path[] = "/tmp/ispdns-config-t.XXXXXX", rest[128];
	int fd = mkstemp(path);
	struct registry registry;
	struct policy *p;

	registry_init(&registry);
	p = build("", &registry);
	ok(p->hop.cookies && !p->hop.secrets.has_other &&
			p->hop.secrets.now.k0 == registry.cookie_secret.k0 &&
			p->hop.secrets.now.k0 != 0,
		"cookies by a random secret that outlives a reload");
	config_release(p, &registry);
	if (fd < 0 || dprintf(fd, "000102030405060708090a0b0c0d0e0f\n"
				  "ff0102030405060708090a0b0c0d0e0f\n") < 0)
		tap_bail("mkstemp");
	(void)snprintf(
		rest, sizeof(rest), "cookies: {secret_file: %s}\n", path);
	p = build(rest, &registry);
	ok(p->hop.secrets.now.k0 == 0x0706050403020100ULL &&
			p->hop.secrets.has_other &&
			p->hop.secrets.other.k0 == 0x07060504030201ffULL,
		"secret and previous from a file");
	config_release(p, &registry);
	ok(dprintf(fd, "more\n") > 0 && !parse_rest(rest, &(struct err){}),
		"a third line is refused");
	close(fd);
	unlink(path);
	registry_fini(&registry);
}

static void test_kinds(void)
{
	static const char text[] =
		"listen: [127.0.0.1]\ndefault_pool: x\npools:\n"
		"  x: {kind: auth, backends: []}\n"
		"  auth: {backends: [{name: a, address: 192.0.2.1}]}\n"
		"  y: {backends: [{name: a, address: 192.0.2.1,\n"
		"       check: {require_aa: true, name: t., type: SOA,\n"
		"         rcode: NOERROR}}]}\n"
		"  z: {kind: rec, policy: chashed, backends: [\n"
		"       {name: a, address: \"[2001:db8::1]:5353\"}]}\n";
	struct err err = {.text = ""};
	struct conf *conf = parse(text, &err);
	struct registry registry;
	struct policy *p = NULL;

	registry_init(&registry);
	if (!conf || config_build(conf, &registry, &p, &err) < 0)
		tap_bail("%s", err.text);
	ok(p->pools[0].auth && p->pools[1].auth && p->pools[2].auth &&
			!p->pools[3].auth,
		"auth by kind, by name, by require_aa");
	is_int(p->pools[1].members[0].check.rcode, POOL_RCODE_ANY,
		"an authority without a check of its own: alive is enough");
	is_int(p->pools[2].members[0].check.rcode, DNS_RCODE_NOERROR,
		"an rcode by name");
	is_int(p->pools[2].members[0].check.type, DNS_TYPE_SOA, "a type");
	ok(p->pools[3].ring_size > 0, "chashed has its ring");
	config_release(p, &registry);
	registry_fini(&registry);
	conf_free(conf);
}

/* What a route allows, of which name, from where. */
static enum permit_verdict permit(const struct policy *p, enum permit_what what,
	const char *zone, const char *client, const char **pool)
{
	enum permit_verdict verdict;
	struct name name;
	union addr addr;
	unsigned i = 0;

	if (name_parse(zone, &name) < 0 || addr_parse(client, 0, &addr) < 0)
		tap_bail("%s %s", zone, client);
	verdict = permit_find(p->permits, what, name.wire, &addr, &i);
	*pool = verdict == PERMIT_GRANTED ? p->pools[i].name : "";
	return verdict;
}

static void test_permits(void)
{
	static const char text[] =
		"listen: [127.0.0.1]\ndefault_pool: rec\npools:\n"
		"  rec: {backends: []}\n"
		"  auth: {backends: []}\n"
		"  other: {kind: auth, backends: []}\n"
		"routes:\n"
		"  - {suffix: lab., pool: auth, allow_transfer: [10.0.0.0/8],\n"
		"     allow_notify: [\"2001:db8::/32\", 10.1.2.3]}\n"
		"  - {suffix: sub.lab., pool: auth}\n"
		"  - {suffix: z.sub.lab., pool: other, allow_update: "
		"[10.0.0.1]}\n"
		"transfers: {max: 3, per_client: 2, idle: 2s, lifetime: 3s, "
		"answer: 4s}\n";
	static const struct {
		enum permit_what what;
		const char *zone, *client, *pool;
		enum permit_verdict verdict;
	} cases[] = {
		{PERMIT_TRANSFER, "lab", "10.2.3.4", "auth", PERMIT_GRANTED},
		{PERMIT_TRANSFER, "a.LAB", "10.2.3.4", "auth", PERMIT_GRANTED},
		{PERMIT_TRANSFER, "lab", "11.2.3.4", "", PERMIT_NOT_FROM_HERE},
		{PERMIT_TRANSFER, "lab", "::1", "", PERMIT_NOT_FROM_HERE},
		{PERMIT_TRANSFER, "sub.lab", "10.2.3.4", "", PERMIT_NOT_ROUTED},
		{PERMIT_TRANSFER, "test", "10.2.3.4", "", PERMIT_NOT_ROUTED},
		{PERMIT_NOTIFY, "lab", "10.1.2.3", "auth", PERMIT_GRANTED},
		{PERMIT_NOTIFY, "lab", "2001:db8::9", "auth", PERMIT_GRANTED},
		{PERMIT_NOTIFY, "lab", "10.1.2.4", "", PERMIT_NOT_FROM_HERE},
		{PERMIT_UPDATE, "lab", "10.1.2.3", "", PERMIT_NOT_ROUTED},
		{PERMIT_UPDATE, "z.sub.lab", "10.0.0.1", "other",
			PERMIT_GRANTED},
	};
	struct err err = {.text = ""};
	struct conf *conf = parse(text, &err);
	struct registry registry;
	struct policy *p = NULL;
	const char *pool;

	registry_init(&registry);
	if (!conf || config_build(conf, &registry, &p, &err) < 0)
		tap_bail("%s", err.text);
	for (size_t i = 0; i < countof(cases); i++) {
		is_int(permit(p, cases[i].what, cases[i].zone, cases[i].client,
			       &pool),
			cases[i].verdict, "%d of %s for %s", cases[i].what,
			cases[i].zone, cases[i].client);
		is_string(pool, cases[i].pool, "its pool");
	}
	ok(p->transfers.max == 3 && p->transfers.per_client == 2 &&
			p->transfers.idle_ms == 2000 &&
			p->transfers.lifetime_ms == 3000 &&
			p->transfers.answer_ms == 4000,
		"the bounds of transfers");
	config_release(p, &registry);
	registry_fini(&registry);
	conf_free(conf);
}

static void test_rules(void)
{
	static const char one[] =
		"rules:\n"
		"  - {name: ads, suffix: [ads.test, b.test], action: "
		"nxdomain}\n"
		"  - {source: [10.0.0.0/8], qtype: [A], action: drop}\n"
		"  - {source: [10.0.0.0/8], qtype: [A], action: drop}\n";
	static const char two[] =
		"rules:\n"
		"  - {source: [10.0.0.0/8], qtype: [AAAA], action: drop}\n"
		"  - {source: [10.0.0.0/8], qtype: [A], action: drop}\n"
		"  - {name: ads, suffix: [ads.test, b.test], action: "
		"nxdomain}\n";
	struct registry registry;
	struct policy *p, *q;

	registry_init(&registry);
	p = build(one, &registry);
	is_int((long long)rules_count(p->rules), 3, "three rules");
	is_string(rules_at(p->rules, 0)->name, "ads", "one with a name");
	is_string(rules_at(p->rules, 0)->match, "suffix=ads.test.,b.test.",
		"what it matches, for people");
	is_string(rules_at(p->rules, 1)->name, "#2", "one without");
	is_string(rules_at(p->rules, 1)->match, "qtype=A source=10.0.0.0/8",
		"two matchers");
	ok(rules_at(p->rules, 1)->hits != rules_at(p->rules, 2)->hits,
		"equal rules are counted apart");
	rule_hit(rules_at(p->rules, 0));
	rule_hit(rules_at(p->rules, 1));
	q = build(two, &registry);
	is_int((long long)rule_read_hits(rules_at(q->rules, 0)), 0,
		"a new rule starts at none");
	is_int((long long)rule_read_hits(rules_at(q->rules, 1)), 1,
		"one that says the same keeps its hits elsewhere in the list");
	is_int((long long)rule_read_hits(rules_at(q->rules, 2)), 1,
		"so does one with a name");
	config_release(q, &registry);
	q = build(one, &registry);
	is_int((long long)rule_read_hits(rules_at(q->rules, 1)), 1,
		"after a change that was not made too");
	config_release(p, &registry);
	config_release(q, &registry);
	p = build(one, &registry);
	is_int((long long)rule_read_hits(rules_at(p->rules, 0)), 0,
		"once it was gone it starts again");
	config_release(p, &registry);
	for (int i = 0; i < REGISTRY_HITS; i++)
		if (registry.hits[i])
			tap_bail("a counter is left");
	registry_fini(&registry);
}

static void test_round_trip(void)
{
	struct err err = {.text = ""};
	struct conf *a, *b;
	struct text one, two;
	char path[512];
	const char *src = getenv("ISPDNS_SRCDIR");

	(void)snprintf(path, sizeof(path), "%s/deploy/examples/frontend.yaml",
		src ? src : ".");
	a = conf_read(path, config_schema(), &err);
	ok(a && config_check(a, &err) == 0, "the example is right%s", err.text);
	if (!a)
		return;
	text_init(&one);
	text_init(&two);
	conf_print(a, &one);
	b = parse(one.data, &err);
	ok(b, "it is printed so that it can be read%s", err.text);
	if (b)
		conf_print(b, &two);
	is_string(two.data, one.data, "to the same");
	text_fini(&one);
	text_fini(&two);
	conf_free(a);
	conf_free(b);
}

int main(void)
{
	struct err err = {.text = ""};

	ok(schema_check(config_schema(), &err) == 0, "a sound table%s",
		err.text);
	test_errors();
	test_pool_errors();
	test_defaults();
	test_cookies();
	test_kinds();
	test_permits();
	test_rules();
	test_round_trip();
	return tap_done();
}
