/* SPDX-License-Identifier: ISC */
/*
 * Rules of the frontends. What is checked here is what ispdns-frontend checks
 * in its file, so that an operator hears of it when the rule is made.
 */

#include "mgmt/check.h"

#include <errno.h>

#include "common/dns/code.h"
#include "mgmt/model.h"

#define RULES_MAX 4096 /* of the frontend */
#define SPOOF_MAX 16   /* addresses of one family */

/* A column that belongs to one action. */
struct parameter {
	const char *column, *action;
	bool required;
};

static const struct parameter parameters[] = {
	{"pool", "pool", true}, /* and set-pool */
	{"addresses", "spoof", true},
	{"ttl_s", "spoof", false},
	{"qps", "rate-limit", true},
	{"burst", "rate-limit", false},
	{"per", "rate-limit", false},
	{"over", "rate-limit", false},
	{"tag", "tag", true},
};

static bool is_given(const json_t *row, const char *column)
{
	json_t *dflt = model_default(model_column(model_table("rule"), column));
	bool same = json_equal(dflt, json_object_get(row, column));

	json_decref(dflt);
	return !same;
}

static bool owns(const char *action, const char *column, const char *owner)
{
	return !strcmp(owner, action) ||
	       (!strcmp(column, "pool") && !strcmp(action, "set-pool"));
}

static int check_parameters(const json_t *row, struct err *err)
{
	const char *name = row_str(row, "name");
	const char *action = row_str(row, "action");

	for (size_t i = 0; i < countof(parameters); i++) {
		const struct parameter *p = &parameters[i];
		bool given = is_given(row, p->column);
		bool own = owns(action, p->column, p->action);

		if (given && !own)
			return err_fail(err, -EINVAL,
				"rule %s: %s goes with action %s, not with %s",
				name, p->column, p->action, action);
		if (!given && own && p->required)
			return err_fail(err, -EINVAL,
				"rule %s: action %s needs %s", name, action,
				p->column);
	}
	return 0;
}

static bool is_any_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(*list, text))
			return true;
	return false;
}

static int check_type(const json_t *row, const char *text, struct err *err)
{
	static const char *const forwards[] = {
		"pool", "set-pool", "allow", NULL};
	uint16_t type;

	if (!dns_type_parse(text, &type))
		return err_fail(err, -EINVAL,
			"rule %s: qtype: \"%s\" is not a type such as A or "
			"TYPE65280",
			row_str(row, "name"), text);
	if ((type == DNS_TYPE_AXFR || type == DNS_TYPE_IXFR) &&
		is_any_of(row_str(row, "action"), forwards))
		return err_fail(err, -EINVAL,
			"rule %s: %s: no rule lets it pass; a route with "
			"allow_transfer does",
			row_str(row, "name"), text);
	return 0;
}

static int check_words(const json_t *row, struct err *err)
{
	static const char *const others[] = {
		"drop", "refuse", "rate-limit", "tag", NULL};
	const char *class = row_str(row, "qclass");
	const char *opcode = row_str(row, "opcode");
	uint16_t value;

	if (*class && !dns_class_parse(class, &value))
		return err_fail(err, -EINVAL,
			"rule %s: qclass: \"%s\" is not a class such as IN or "
			"CH",
			row_str(row, "name"), class);
	if (*opcode && strcmp(opcode, "QUERY") &&
		!is_any_of(row_str(row, "action"), others))
		return err_fail(err, -EINVAL,
			"rule %s: opcode %s goes with actions drop, refuse, "
			"rate-limit and tag",
			row_str(row, "name"), opcode);
	return 0;
}

static int check_addresses(const json_t *row, struct err *err)
{
	size_t i, v6 = 0, v4 = 0;
	json_t *a;

	json_array_foreach(row_list(row, "addresses"), i, a) {
		if (strchr(json_string_value(a), ':'))
			v6++;
		else
			v4++;
	}
	if (v4 > SPOOF_MAX || v6 > SPOOF_MAX)
		return err_fail(err, -EINVAL,
			"rule %s: more than %d addresses of one family",
			row_str(row, "name"), SPOOF_MAX);
	return 0;
}

int check_rule(const json_t *row, struct err *err)
{
	size_t i;
	json_t *type;
	int rc = check_parameters(row, err);

	json_array_foreach(row_list(row, "qtype"), i, type)
		if (!rc)
			rc = check_type(row, json_string_value(type), err);
	if (!rc)
		rc = check_words(row, err);
	return rc ? rc : check_addresses(row, err);
}

int check_rules(const json_t *doc, struct err *err)
{
	const json_t *rows = model_rows(doc, "rule");
	size_t i;
	json_t *row;
	int rc = 0;

	if (json_array_size(rows) > RULES_MAX)
		return err_fail(err, -EINVAL, "more than %d rules", RULES_MAX);
	json_array_foreach(rows, i, row) {
		const char *pool = row_str(row, "pool");

		if ((rc = check_rule(row, err)))
			return rc;
		if (*pool && !check_pool_has_backend(doc, pool))
			return err_fail(err, -EINVAL,
				"rule %s: pool %s has no backend",
				row_str(row, "name"), pool);
	}
	return 0;
}
