/* SPDX-License-Identifier: ISC */
/* Compiled rules: what matches, in which order, and at what cost. */

#include "frontend/rule.h"

#include "common/dns/code.h"
#include "tests/tap/tap.h"

#define RANDOM_ROUNDS 4000

static struct name name_of(const char *text)
{
	struct name name;

	if (name_parse(text, &name) < 0)
		tap_bail("name %s", text);
	return name;
}

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p) < 0)
		tap_bail("prefix %s", text);
	return p;
}

static union addr addr_of(const char *text)
{
	union addr a;

	if (addr_parse(text, 0, &a) < 0)
		tap_bail("address %s", text);
	return a;
}

static void must(int rc)
{
	if (rc < 0)
		tap_bail("rules: %d", rc);
}

/* One rule in words: NULL and -1 are not given. */
struct spec {
	const char *suffix[3], *exact[2], *source[3];
	int type[3]; /* 0 ends */
	int class, opcode, transport;
};

static struct rules *compile(
	struct arena *arena, const struct spec *specs, size_t count)
{
	/* must live until rules_end */
	static struct name names[64];
	static struct prefix prefixes[64];
	struct rules_builder *b = rules_begin(arena, count);
	size_t n = 0, p = 0;

	for (size_t i = 0; i < count; i++) {
		const struct spec *s = &specs[i];

		if (!b || !rules_add(b))
			tap_bail("no rule");
		for (int k = 0; k < 3 && s->suffix[k]; k++) {
			names[n] = name_of(s->suffix[k]);
			must(rules_match_suffix(b, &names[n++]));
		}
		for (int k = 0; k < 2 && s->exact[k]; k++) {
			names[n] = name_of(s->exact[k]);
			must(rules_match_exact(b, &names[n++]));
		}
		for (int k = 0; k < 3 && s->source[k]; k++) {
			prefixes[p] = prefix_of(s->source[k]);
			must(rules_match_source(b, &prefixes[p++]));
		}
		for (int k = 0; k < 3 && s->type[k]; k++)
			must(rules_match_digit(
				b, RULE_TYPE, (uint16_t)s->type[k]));
		if (s->class)
			must(rules_match_digit(
				b, RULE_CLASS, (uint16_t)s->class));
		if (s->opcode)
			must(rules_match_digit(
				b, RULE_OPCODE, (uint16_t)s->opcode));
		if (s->transport)
			must(rules_match_digit(b, RULE_TRANSPORT,
				(uint16_t)(s->transport - 1)));
	}
	return rules_end(b);
}

/* The numbers of the rules that match, as text. */
static const char *matches(const struct rules *rules, const char *name,
	uint16_t type, uint16_t class, unsigned opcode, bool tcp,
	const char *client)
{
	static char out[256];
	struct name n = name_of(name ? name : ".");
	union addr a = addr_of(client);
	const struct rule_query q = {.name = name ? n.wire : NULL,
		.type = type,
		.class = class,
		.opcode = opcode,
		.tcp = tcp,
		.client = &a};
	struct rule_cursor c;
	const struct rule *rule;
	int len = 0;

	out[0] = '\0';
	rules_find(rules, &q, &c);
	while ((rule = rules_next(rules, &c)) != NULL && len < 200)
		len += snprintf(out + len, sizeof(out) - (size_t)len, "%s%d",
			len ? " " : "", (int)(rule - rules_at(rules, 0)));
	return out;
}

static const struct spec table[] = {
	[0] = {.suffix = {"example."}},
	[1] = {.suffix = {"ads.Example.", "b.test."}},
	[2] = {.exact = {"www.ads.example."}},
	[3] = {.type = {DNS_TYPE_ANY, 65280}},
	[4] = {.class = DNS_CLASS_CH},
	[5] = {.opcode = DNS_OPCODE_NOTIFY},
	[6] = {.transport = 2},
	[7] = {.source = {"10.0.0.0/8", "2001:db8::/32"}},
	[8] = {.source = {"10.1.0.0/16"}, .type = {DNS_TYPE_A}},
	[9] = {.suffix = {"example."},
		.exact = {"www.ads.example."},
		.source = {"10.1.2.3"},
		.type = {DNS_TYPE_A},
		.class = DNS_CLASS_IN,
		.transport = 1},
	[10] = {{NULL}},
};

static void test_matching(void)
{
	static const struct {
		const char *name;
		uint16_t type, class;
		unsigned opcode;
		bool tcp;
		const char *client, *want;
	} cases[] = {
		{"other.", 1, 1, 0, false, "192.0.2.1", "10"},
		{"example.", 1, 1, 0, false, "192.0.2.1", "0 10"},
		{"notexample.", 1, 1, 0, false, "192.0.2.1", "10"},
		{"WWW.EXAMPLE.", 1, 1, 0, false, "192.0.2.1", "0 10"},
		{"ads.example.", 1, 1, 0, false, "192.0.2.1", "0 1 10"},
		{"b.TEST.", 1, 1, 0, false, "192.0.2.1", "1 10"},
		{"www.ads.example.", 16, 1, 0, false, "192.0.2.1", "0 1 2 10"},
		{"x.www.ads.example.", 1, 1, 0, false, "192.0.2.1", "0 1 10"},
		{"a.", 255, 1, 0, false, "192.0.2.1", "3 10"},
		{"a.", 65280, 1, 0, false, "192.0.2.1", "3 10"},
		{"a.", 65281, 1, 0, false, "192.0.2.1", "10"},
		{"a.", 1, 3, 0, false, "192.0.2.1", "4 10"},
		{"a.", 6, 1, 4, false, "192.0.2.1", "5 10"},
		{NULL, 0, 0, 4, false, "192.0.2.1", "5 10"},
		{NULL, 0, 0, 5, true, "10.9.9.9", "6 7 10"},
		{"a.", 1, 1, 0, true, "192.0.2.1", "6 10"},
		{"a.", 28, 1, 0, false, "10.1.2.3", "7 10"},
		{"a.", 1, 1, 0, false, "10.1.2.3", "7 8 10"},
		{"a.", 1, 1, 0, false, "10.2.2.3", "7 10"},
		{"a.", 1, 1, 0, false, "2001:db8:1::1", "7 10"},
		{"a.", 1, 1, 0, false, "2001:db9::1", "10"},
		{"www.ads.example.", 1, 1, 0, false, "10.1.2.3",
			"0 1 2 7 8 9 10"},
		{"www.ads.example.", 1, 1, 0, true, "10.1.2.3",
			"0 1 2 6 7 8 10"},
	};
	struct arena arena;
	struct rules *rules;

	arena_init(&arena, 0, 0);
	rules = compile(&arena, table, countof(table));
	for (size_t i = 0; i < countof(cases); i++)
		is_string(matches(rules, cases[i].name, cases[i].type,
				  cases[i].class, cases[i].opcode, cases[i].tcp,
				  cases[i].client),
			cases[i].want, "%s type %u class %u from %s: %s",
			cases[i].name ? cases[i].name : "(none)", cases[i].type,
			cases[i].class, cases[i].client, cases[i].want);
	arena_fini(&arena);
}

/* --- against the plain meaning ----------------------------------------- */

static unsigned seed = 1;

static unsigned below(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static const char *const names[] = {".", "a.", "b.a.", "c.b.a.", "b.", "x.b."};
static const char *const nets[] = {"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16",
	"10.1.2.0/24", "10.1.2.3/32", "::/0", "2001:db8::/32"};
static const char *const clients[] = {"10.1.2.3", "10.1.2.4", "10.1.9.9",
	"10.9.9.9", "11.0.0.1", "2001:db8::1", "2001:db9::1"};

static void random_spec(struct spec *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < 2 && below(3) == 0; i++)
		s->suffix[i] = names[below(countof(names))];
	if (below(4) == 0)
		s->exact[0] = names[below(countof(names))];
	for (unsigned i = 0; i < 2 && below(3) == 0; i++)
		s->source[i] = nets[below(countof(nets))];
	for (unsigned i = 0; i < 2 && below(3) == 0; i++)
		s->type[i] = (int)(254 + below(4));
	s->transport = (int)below(3);
	s->class = below(2) ? 1 : 0;
}

static bool spec_matches(const struct spec *s, const char *name, uint16_t type,
	bool tcp, const char *client)
{
	struct name n = name_of(name);
	union addr a = addr_of(client);
	bool any;

	any = !s->suffix[0];
	for (int i = 0; i < 3 && s->suffix[i]; i++) {
		struct name suffix = name_of(s->suffix[i]);

		any |= name_under(n.wire, suffix.wire);
	}
	if (!any)
		return false;
	if (s->exact[0]) {
		struct name exact = name_of(s->exact[0]);

		if (!name_equal(n.wire, exact.wire))
			return false;
	}
	any = !s->source[0];
	for (int i = 0; i < 3 && s->source[i]; i++) {
		struct prefix p = prefix_of(s->source[i]);

		any |= prefix_contains(&p, &a);
	}
	if (!any)
		return false;
	any = !s->type[0];
	for (int i = 0; i < 3 && s->type[i]; i++)
		any |= s->type[i] == type;
	return any && (!s->transport || (s->transport == 2) == tcp);
}

static void test_random(void)
{
	struct spec specs[12];
	int wrong = 0;

	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		const char *name = names[below(countof(names))];
		const char *client = clients[below(countof(clients))];
		uint16_t type = (uint16_t)(254 + below(4));
		bool tcp = below(2);
		char want[256] = "";
		int len = 0;
		struct arena arena;
		struct rules *rules;

		for (size_t i = 0; i < countof(specs); i++) {
			random_spec(&specs[i]);
			if (spec_matches(&specs[i], name, type, tcp, client))
				len += snprintf(want + len,
					sizeof(want) - (size_t)len, "%s%d",
					len ? " " : "", (int)i);
		}
		arena_init(&arena, 0, 0);
		rules = compile(&arena, specs, countof(specs));
		wrong += strcmp(matches(rules, name, type, 1, 0, tcp, client),
				 want) != 0;
		arena_fini(&arena);
	}
	is_int(wrong, 0, "%d random lists of 12 rules match as each rule says",
		RANDOM_ROUNDS);
}

/* --- cost -------------------------------------------------------------- */

/* `count` rules of one suffix each, a type and a prefix among them. */
static struct rules *many(struct arena *arena, size_t count)
{
	static struct name suffixes[RULES_MAX];
	static struct prefix prefixes[RULES_MAX];
	struct rules_builder *b = rules_begin(arena, count);
	char text[64];

	for (size_t i = 0; i < count; i++) {
		if (!b || !rules_add(b))
			tap_bail("no rule");
		(void)snprintf(text, sizeof(text), "s%zu.example.", i);
		suffixes[i] = name_of(text);
		(void)snprintf(
			text, sizeof(text), "10.%zu.%zu.0/24", i >> 8, i & 255);
		prefixes[i] = prefix_of(text);
		must(rules_match_suffix(b, &suffixes[i]));
		if (i == 0 || i % 3 == 1)
			must(rules_match_source(b, &prefixes[i]));
		must(rules_match_digit(b, RULE_TYPE, (uint16_t)(1 + i % 60)));
	}
	return rules_end(b);
}

static unsigned steps(const struct rules *rules, const char *name, int *found)
{
	struct name n = name_of(name);
	union addr a = addr_of("10.0.0.1");
	const struct rule_query q = {
		.name = n.wire, .type = 1, .class = 1, .client = &a};
	struct rule_cursor c;

	*found = -1;
	rules_find(rules, &q, &c);
	for (const struct rule *r; (r = rules_next(rules, &c)) != NULL;)
		*found = (int)(r - rules_at(rules, 0));
	return c.steps;
}

static void test_cost(void)
{
	static const size_t counts[] = {1, 1000, RULES_MAX};
	unsigned missed[3], hit[3];
	int found;

	for (size_t i = 0; i < countof(counts); i++) {
		struct arena arena;
		struct rules *rules;
		char last[64];
		size_t n = (counts[i] - 1) / 60 * 60; /* of type 1 */

		arena_init(&arena, 0, 0);
		rules = many(&arena, counts[i]);
		missed[i] = steps(rules, "www.other.example.", &found);
		is_int(found, -1, "%zu rules: none is about it", counts[i]);
		(void)snprintf(last, sizeof(last), "a.s%zu.example.", n);
		hit[i] = steps(rules, last, &found);
		is_int(found, (int)n, "%zu rules: one is", counts[i]);
		ok(counts[i] < 1000 || arena.used_bytes < counts[i] * 600,
			"they take %zu octets each",
			arena.used_bytes / counts[i]);
		arena_fini(&arena);
	}
	ok(missed[1] <= missed[0] && missed[2] <= missed[0],
		"a query that no rule is about: %u steps with 1 rule, %u with "
		"1000, %u with %d",
		missed[0], missed[1], missed[2], RULES_MAX);
	ok(hit[1] <= hit[0] && hit[2] <= hit[0],
		"one that a rule is about: %u, %u, %u", hit[0], hit[1], hit[2]);
}

static void test_bounds(void)
{
	struct arena arena;
	struct rules_builder *b;

	arena_init(&arena, 0, 0);
	b = rules_begin(&arena, 2);
	ok(rules_add(b) && rules_add(b) && !rules_add(b),
		"no more rules than announced");
	rules_abort(b);
	ok(!rules_end(NULL), "nothing comes of nothing");
	is_int((long long)rules_count(NULL), 0, "no rules are none");
	is_string(matches(rules_end(rules_begin(&arena, 1)), "a.", 1, 1, 0,
			  false, "10.0.0.1"),
		"", "an empty list matches nothing");
	arena_fini(&arena);
}

int main(void)
{
	test_matching();
	test_random();
	test_cost();
	test_bounds();
	return tap_done();
}
