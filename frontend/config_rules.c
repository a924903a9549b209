/* SPDX-License-Identifier: ISC */
/*
 * The rules of frontend.yaml: which keys go with which action, and the way
 * into the compiled form. A rule is known again after a reload by a hash of
 * all that it says, wherever it stands in the list.
 */

#include "frontend/config_impl.h"

#include "common/dns/code.h"

#include <ctype.h>
#include <errno.h>

#define MATCH_TEXT 160

/* --- checks ------------------------------------------------------------ */

/* A key that belongs to one action. */
struct parameter {
	const char *key;
	enum rule_action action;
	bool required;
};

static const struct parameter parameters[] = {
	{"pool", RULE_POOL, true}, /* and RULE_SET_POOL */
	{"addresses", RULE_SPOOF, true},
	{"ttl", RULE_SPOOF, false},
	{"qps", RULE_RATE, true},
	{"burst", RULE_RATE, false},
	{"per", RULE_RATE, false},
	{"over", RULE_RATE, false},
	{"tag", RULE_TAG, true},
};

static enum rule_action action_of(const struct conf_node *rule)
{
	return (enum rule_action)conf_get_int(rule, "action");
}

static bool is_for(const struct parameter *p, enum rule_action action)
{
	return p->action == action ||
	       (p->action == RULE_POOL && action == RULE_SET_POOL);
}

static int check_parameters(
	const struct conf *conf, const struct conf_node *rule, struct err *err)
{
	enum rule_action action = action_of(rule);

	for (size_t i = 0; i < countof(parameters); i++) {
		const struct parameter *p = &parameters[i];
		const struct conf_node *n = conf_get(rule, p->key);

		if (n && !is_for(p, action))
			return conf_error(conf, n, err,
				"%s: goes with action %s, not with %s", p->key,
				rule_action_name(p->action),
				rule_action_name(action));
		if (!n && is_for(p, action) && p->required)
			return conf_error(conf, rule, err,
				"action %s needs the key %s",
				rule_action_name(action), p->key);
	}
	return 0;
}

static bool is_word(const char *text)
{
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
			return false;
	return true;
}

static int check_word(const struct conf *conf, const struct conf_node *rule,
	const char *key, struct err *err)
{
	const struct conf_node *n = conf_get(rule, key);

	if (!n || is_word(conf_str(n)))
		return 0;
	return conf_error(conf, n, err,
		"%s: \"%s\": letters, digits, _ . and - are allowed", key,
		conf_str(n));
}

static bool is_transfer(uint16_t type)
{
	return type == DNS_TYPE_AXFR || type == DNS_TYPE_IXFR;
}

static int check_types(
	const struct conf *conf, const struct conf_node *rule, struct err *err)
{
	const struct conf_node *n = conf_first(conf_get(rule, "qtype"));
	enum rule_action action = action_of(rule);
	uint16_t type;

	for (; n; n = conf_next(n)) {
		if (!dns_type_parse(conf_str(n), &type))
			return conf_error(conf, n, err,
				"qtype: \"%s\" is not a type such as A or "
				"TYPE65280",
				conf_str(n));
		if (is_transfer(type) &&
			(action == RULE_POOL || action == RULE_SET_POOL ||
				action == RULE_ALLOW))
			return conf_error(conf, n, err,
				"%s: no rule lets it pass; a route with "
				"allow_transfer does",
				conf_str(n));
	}
	return 0;
}

static int check_numbers(
	const struct conf *conf, const struct conf_node *rule, struct err *err)
{
	const struct conf_node *class = conf_get(rule, "qclass");
	const struct conf_node *opcode = conf_get(rule, "opcode");
	enum rule_action action = action_of(rule);
	uint16_t value;

	if (class && !dns_class_parse(conf_str(class), &value))
		return conf_error(conf, class, err,
			"qclass: \"%s\" is not a class such as IN or CH",
			conf_str(class));
	if (opcode && conf_int(opcode) != 0 && action != RULE_DROP &&
		action != RULE_REFUSE && action != RULE_RATE &&
		action != RULE_TAG)
		return conf_error(conf, opcode, err,
			"opcode: with others than QUERY go drop, refuse, "
			"rate-limit and tag; a route with allow_notify or "
			"allow_update lets them pass");
	return 0;
}

static int check_spoof(
	const struct conf *conf, const struct conf_node *rule, struct err *err)
{
	const struct conf_node *n = conf_first(conf_get(rule, "addresses"));
	struct spoof spoof = {0};

	for (; n; n = conf_next(n))
		if (!spoof_add(&spoof, conf_addr(n)))
			return conf_error(conf, n, err,
				"more than %d addresses of one family",
				SPOOF_MAX);
	return 0;
}

static int check_name(const struct conf *conf, const struct conf_node *list,
	const struct conf_node *rule, struct err *err)
{
	const char *name = conf_get_str(rule, "name");
	const struct conf_node *other;

	for (other = conf_first(list); name && other != rule;
		other = conf_next(other)) {
		const char *its = conf_get_str(other, "name");

		if (its && strcmp(its, name) == 0)
			return conf_error(conf, rule, err,
				"rule \"%s\" is already defined in line %u",
				name, conf_line(other));
	}
	return 0;
}

static int check_pool(
	const struct conf *conf, const struct conf_node *rule, struct err *err)
{
	const struct conf_node *n = conf_get(rule, "pool");

	if (!n || config_pool_index(conf, conf_str(n)) >= 0)
		return 0;
	return conf_error(conf, n, err, "there is no pool \"%s\"", conf_str(n));
}

int config_check_rules(const struct conf *conf, struct err *err)
{
	static int (*const checks[])(const struct conf *conf,
		const struct conf_node *rule,
		struct err *err) = {check_parameters, check_types,
		check_numbers, check_spoof, check_pool};
	const struct conf_node *list = conf_get(conf_root(conf), "rules");
	const struct conf_node *rule;
	int rc = 0;

	for (rule = conf_first(list); rule && rc == 0; rule = conf_next(rule)) {
		for (size_t i = 0; i < countof(checks) && rc == 0; i++)
			rc = checks[i](conf, rule, err);
		if (rc == 0)
			rc = check_word(conf, rule, "name", err);
		if (rc == 0)
			rc = check_word(conf, rule, "tag", err);
		if (rc == 0)
			rc = check_name(conf, list, rule, err);
	}
	return rc;
}

/* --- build ------------------------------------------------------------- */

/* One rule on its way: what it says goes into its id and its text. */
struct work {
	struct rules_builder *b;
	struct rule *rule;
	const char *key; /* the one that is being read */
	unsigned count;  /* of its values */
	struct text text;
};

static void say(struct work *w, const void *data, size_t len)
{
	const struct hash_key key = {w->rule->id, 0x69737072756c6521};

	w->rule->id = hash_bytes(&key, data, len);
}

static void say_text(struct work *w, const char *text)
{
	say(w, text, strlen(text));
}

/* A value of a matcher: "suffix=a.test.,b.test." */
static void say_match(struct work *w, const char *key, const char *value)
{
	if (w->key != key) {
		text_add(&w->text, "%s%s=", w->text.len ? " " : "", key);
		w->key = key;
		w->count = 0;
	}
	say_text(w, key);
	say_text(w, value);
	if (w->text.len < MATCH_TEXT)
		text_add(&w->text, "%s%s", w->count ? "," : "", value);
	else if (w->text.data[w->text.len - 1] != '~')
		text_add(&w->text, "~");
	w->count++;
}

static int match_names(struct work *w, const struct conf_node *rule,
	const char *key,
	int (*add)(struct rules_builder *b, const struct name *name))
{
	const struct conf_node *n = conf_first(conf_get(rule, key));
	char text[NAME_MAX_TEXT];
	int rc = 0;

	for (; n && rc == 0; n = conf_next(n)) {
		say_match(w, key, name_print(conf_name(n), text));
		rc = add(w->b, conf_name(n));
	}
	return rc;
}

static int match_types(struct work *w, const struct conf_node *rule)
{
	const struct conf_node *n = conf_first(conf_get(rule, "qtype"));
	char text[DNS_CODE_TEXT];
	uint16_t type = 0;
	int rc = 0;

	for (; n && rc == 0; n = conf_next(n)) {
		(void)dns_type_parse(conf_str(n), &type);
		say_match(w, "qtype", dns_type_print(type, text));
		rc = rules_match_digit(w->b, RULE_TYPE, type);
	}
	return rc;
}

static int match_sources(struct work *w, const struct conf_node *rule)
{
	const struct conf_node *n = conf_first(conf_get(rule, "source"));
	char text[PREFIX_TEXT];
	int rc = 0;

	for (; n && rc == 0; n = conf_next(n)) {
		say_match(w, "source", prefix_print(conf_prefix(n), text));
		rc = rules_match_source(w->b, conf_prefix(n));
	}
	return rc;
}

static int match_class(struct work *w, const struct conf_node *rule)
{
	const struct conf_node *n = conf_get(rule, "qclass");
	char text[DNS_CODE_TEXT];
	uint16_t class = 0;

	if (!n || !dns_class_parse(conf_str(n), &class))
		return 0;
	say_match(w, "qclass", dns_class_print(class, text));
	return rules_match_digit(w->b, RULE_CLASS, class);
}

static int match_words(struct work *w, const struct conf_node *rule)
{
	static const uint8_t opcodes[] = {DNS_OPCODE_QUERY, DNS_OPCODE_STATUS,
		DNS_OPCODE_NOTIFY, DNS_OPCODE_UPDATE};
	const struct conf_node *opcode = conf_get(rule, "opcode");
	const struct conf_node *transport = conf_get(rule, "transport");
	int rc = 0;

	if (opcode) {
		say_match(w, "opcode", conf_str(opcode));
		rc = rules_match_digit(
			w->b, RULE_OPCODE, opcodes[conf_int(opcode)]);
	}
	if (transport && rc == 0) {
		say_match(w, "transport", conf_str(transport));
		rc = rules_match_digit(
			w->b, RULE_TRANSPORT, (uint16_t)conf_int(transport));
	}
	return rc;
}

static int match_flags(struct work *w, const struct conf_node *rule)
{
	static const struct {
		const char *key;
		enum rule_digit digit;
	} flags[] = {{"rd", RULE_RD}, {"dnssec", RULE_DO}};
	int rc = 0;

	for (size_t i = 0; i < countof(flags) && rc == 0; i++) {
		const struct conf_node *n = conf_get(rule, flags[i].key);

		if (!n)
			continue;
		say_match(w, flags[i].key, conf_bool(n) ? "true" : "false");
		rc = rules_match_digit(w->b, flags[i].digit, conf_bool(n));
	}
	return rc;
}

static int match_all(struct work *w, const struct conf_node *rule)
{
	int rc = match_names(w, rule, "suffix", rules_match_suffix);

	if (rc == 0)
		rc = match_names(w, rule, "exact", rules_match_exact);
	if (rc == 0)
		rc = match_types(w, rule);
	if (rc == 0)
		rc = match_class(w, rule);
	if (rc == 0)
		rc = match_words(w, rule);
	if (rc == 0)
		rc = match_flags(w, rule);
	return rc == 0 ? match_sources(w, rule) : rc;
}

static int build_spoof(
	struct work *w, const struct conf_node *rule, struct policy *p)
{
	const struct conf_node *n = conf_first(conf_get(rule, "addresses"));
	struct spoof *spoof = arena_alloc(&p->arena, sizeof(*spoof));

	if (!spoof)
		return -ENOMEM;
	for (; n; n = conf_next(n))
		(void)spoof_add(spoof, conf_addr(n));
	spoof->ttl_s = conf_has(rule, "ttl")
			       ? (uint32_t)(conf_get_int(rule, "ttl") / 1000)
			       : 60;
	say(w, spoof, sizeof(*spoof));
	w->rule->spoof = spoof;
	return 0;
}

static void build_rate(struct work *w, const struct conf_node *rule)
{
	static const enum policy_action actions[] = {
		POLICY_DROP, POLICY_TC, POLICY_REFUSE, POLICY_CACHE_ONLY};
	struct rule *r = w->rule;

	r->rate.qps = (uint32_t)conf_get_int(rule, "qps");
	r->rate.burst = conf_has(rule, "burst")
				? (uint32_t)conf_get_int(rule, "burst")
				: r->rate.qps;
	r->over = conf_has(rule, "over") ? actions[conf_get_int(rule, "over")]
					 : POLICY_DROP;
	r->shared = conf_has(rule, "per") && conf_get_int(rule, "per") == 1;
	say(w, &r->rate, sizeof(r->rate));
	say(w, &r->over, sizeof(r->over));
	say(w, &r->shared, sizeof(r->shared));
}

static int build_action(struct work *w, const struct conf *conf,
	const struct conf_node *rule, struct policy *p)
{
	struct rule *r = w->rule;

	r->action = action_of(rule);
	say_text(w, rule_action_name(r->action));
	if (r->action == RULE_SPOOF)
		return build_spoof(w, rule, p);
	if (r->action == RULE_RATE)
		build_rate(w, rule);
	if (r->action == RULE_POOL || r->action == RULE_SET_POOL) {
		const char *pool = conf_get_str(rule, "pool");

		r->pool = (unsigned)config_pool_index(conf, pool);
		say_text(w, pool);
	}
	if (r->action == RULE_TAG) {
		r->tag = arena_strdup(&p->arena, conf_get_str(rule, "tag"));
		say_text(w, conf_get_str(rule, "tag"));
		if (!r->tag)
			return -ENOMEM;
	}
	return 0;
}

static int build_rule(struct work *w, const struct conf *conf,
	const struct conf_node *node, size_t number, struct policy *p)
{
	const char *name = conf_get_str(node, "name");
	char text[24];
	int rc;

	w->rule = rules_add(w->b);
	if (!w->rule)
		return -ENOMEM;
	w->key = NULL;
	w->text.len = 0;
	(void)snprintf(text, sizeof(text), "#%zu", number);
	w->rule->name = arena_strdup(&p->arena, name ? name : text);
	say_text(w, name ? name : "");
	rc = match_all(w, node);
	if (rc == 0)
		rc = build_action(w, conf, node, p);
	w->rule->match =
		arena_strdup(&p->arena, w->text.len ? w->text.data : "all");
	return rc == 0 && w->rule->name && w->rule->match ? rc : -ENOMEM;
}

/* Rules that say the same are told apart by their order. */
static int take_hits(struct registry *registry, const struct policy *p,
	struct rule *first, size_t count)
{
	for (struct rule *r = first; r < first + count; r++) {
		for (;; r->id++) {
			r->hits = registry_hits_take(registry, r->id);
			if (!r->hits)
				return -ENOMEM;
			if (r->hits->owner != p)
				break;
			registry_hits_give(registry, r->hits);
		}
		r->hits->owner = p;
	}
	return 0;
}

int config_build_rules(const struct conf *conf, struct registry *registry,
	struct policy *p, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "rules");
	const struct conf_node *n = conf_first(list);
	struct work w = {.b = NULL};
	struct rule *first = NULL;
	size_t count = 0;
	int rc = 0;

	if (!n)
		return 0;
	text_init(&w.text);
	w.b = rules_begin(&p->arena, conf_count(list));
	for (; w.b && n && rc == 0; n = conf_next(n)) {
		rc = build_rule(&w, conf, n, ++count, p);
		first = first ? first : w.rule;
	}
	if (rc == 0)
		p->rules = rules_end(w.b);
	else
		rules_abort(w.b);
	text_fini(&w.text);
	if (!p->rules || take_hits(registry, p, first, count) < 0)
		return err_fail(err, -ENOMEM, "out of memory");
	return 0;
}

void config_release_rules(struct policy *p, struct registry *registry)
{
	for (size_t i = 0; i < rules_count(p->rules); i++) {
		struct rule_hits *hits = rules_at(p->rules, i)->hits;

		if (hits && hits->owner == p)
			hits->owner = NULL;
		registry_hits_give(registry, hits);
	}
}
