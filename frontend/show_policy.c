/* SPDX-License-Identifier: ISC */
/*
 * The operator's rules as a table and on the metrics page. The number of
 * labels is bounded: what is behind the first rules is summed.
 */

#include "frontend/frontend.h"

#define LABELS 256 /* rules and tags with a line of their own */
#define OWN    "ispdns_frontend_"

void frontend_rule_rows(const struct frontend *fe, json_t *rows)
{
	const struct rules *rules = fe->policy->rules;

	for (size_t i = 0; i < rules_count(rules); i++) {
		const struct rule *rule = rules_at(rules, i);

		json_array_append_new(rows,
			json_pack("{s:s, s:s, s:I, s:s}", "rule", rule->name,
				"action", rule_action_name(rule->action),
				"queries", (json_int_t)rule_read_hits(rule),
				"match", rule->match));
	}
}

static uint64_t sum_from(const struct rules *rules, size_t i)
{
	uint64_t sum = 0;

	for (; i < rules_count(rules); i++)
		sum += rule_read_hits(rules_at(rules, i));
	return sum;
}

static void print_hits(
	const struct rules *rules, const char *format, struct text *out)
{
	for (size_t i = 0; i < rules_count(rules) && i < LABELS; i++)
		text_add(out, "%s\"%s\"} %llu\n", format,
			rules_at(rules, i)->name,
			(unsigned long long)rule_read_hits(rules_at(rules, i)));
	if (rules_count(rules) > LABELS)
		text_add(out, "%s\"other\"} %llu\n", format,
			(unsigned long long)sum_from(rules, LABELS));
}

/* The hits of all rules with the tag of rule `i`; 0 when an earlier one has
 * it too. */
static bool is_first_of_tag(const struct rules *rules, size_t i, uint64_t *sum)
{
	const char *tag = rules_at(rules, i)->tag;

	*sum = 0;
	for (size_t k = 0; tag && k < rules_count(rules); k++) {
		const struct rule *rule = rules_at(rules, k);

		if (!rule->tag || strcmp(rule->tag, tag) != 0)
			continue;
		if (k < i)
			return false;
		*sum += rule_read_hits(rule);
	}
	return tag != NULL;
}

static void print_tags(const struct rules *rules, struct text *out)
{
	unsigned labels = 0;
	uint64_t sum, rest = 0;

	for (size_t i = 0; i < rules_count(rules); i++) {
		if (!is_first_of_tag(rules, i, &sum))
			continue;
		if (++labels > LABELS)
			rest += sum;
		else
			text_add(out, OWN "tagged_total{tag=\"%s\"} %llu\n",
				rules_at(rules, i)->tag,
				(unsigned long long)sum);
	}
	if (labels > LABELS)
		text_add(out, OWN "tagged_total{tag=\"other\"} %llu\n",
			(unsigned long long)rest);
}

void frontend_rule_metrics(const struct frontend *fe, struct text *out)
{
	const struct rules *rules = fe->policy->rules;

	if (!rules)
		return;
	metrics_family(out, OWN "rule_hits_total", "counter",
		"Queries that a rule of the configuration applied to.");
	print_hits(rules, OWN "rule_hits_total{rule=", out);
	metrics_family(out, "dnsdist_rule_hits", "untyped",
		"Queries that a rule of the configuration applied to.");
	print_hits(rules, "dnsdist_rule_hits{id=", out);
	metrics_family(out, OWN "tagged_total", "counter",
		"Queries that rules gave a tag.");
	print_tags(rules, out);
}

static uint64_t sum(const struct frontend *fe, enum stat_id a, enum stat_id b,
	enum stat_id c)
{
	return metrics_read(&fe->metrics, a) + metrics_read(&fe->metrics, b) +
	       metrics_read(&fe->metrics, c);
}

void frontend_miss_limits(const struct frontend *fe, json_t *out)
{
	const struct miss_limits *m = &fe->policy->misses;
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{"misses_client_qps", m->client.qps},
		{"misses_suffix_qps", m->suffix.qps},
		{"misses_over_client",
			sum(fe, STAT_DROP_MISS_CLIENT, STAT_REFUSED_MISS_CLIENT,
				STAT_TC_MISS_CLIENT)},
		{"misses_over_suffix",
			sum(fe, STAT_DROP_MISS_SUFFIX, STAT_REFUSED_MISS_SUFFIX,
				STAT_TC_MISS_SUFFIX)},
	};

	for (size_t i = 0; i < countof(rows); i++)
		json_object_set_new(out, rows[i].key,
			json_integer((json_int_t)rows[i].value));
}
