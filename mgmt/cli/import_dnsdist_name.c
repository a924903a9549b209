/* SPDX-License-Identifier: ISC */
/* dnsdist importer: selectors of names. */
#include "mgmt/cli/import_dnsdist_select.h"

#include "common/dns/name.h"

/* Below the root are all names. */
static bool match_suffixes(
	struct dd *d, const struct dd_list *names, struct dd_sel *out)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->v[i], ".") == 0)
			return dd_match_new(d, out);
	return DD_MATCH_LIST(d, names, out, suffix);
}

bool dd_sel_suffix(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	const struct lua *arg = lua_arg(call, 0);
	struct dd_var *var = dd_var_of(d, arg, DD_SUFFIXES);
	struct dd_list names = {NULL, 0, 0};

	if (var) {
		var->used = call->line;
		names = var->list;
	} else if (!arg) {
		dd_error(d, d->now, call->line, "%s without any name",
			call->object->text);
		return false;
	} else if (!dd_names(d, arg, &names)) {
		return false;
	}
	if (names.count == 0) {
		dd_error(d, d->now, call->line, "%s without any name",
			call->object->text);
		return false;
	}
	return not ? dd_no_not(d, call) : match_suffixes(d, &names, out);
}

bool dd_sel_exact(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	const struct lua *arg = lua_arg(call, 0);
	struct dd_var *var = dd_var_of(d, arg, DD_NAMES);
	struct dd_list names = {NULL, 0, 0};

	if (var) {
		var->used = call->line;
		names = var->list;
	} else if (!dd_names(d, arg, &names)) {
		return false;
	}
	return not ? dd_no_not(d, call) : DD_MATCH_LIST(d, &names, out, exact);
}

/* A regular expression that is no more than a name: "yourisp.com", "a\\.b$".
 * The literal text goes to out; false when it is a real expression. */
static bool plain_regex(const char *regex, char *out, size_t size)
{
	size_t n = 0;

	for (; *regex && n + 1 < size; regex++) {
		if (*regex == '$' && !regex[1])
			break;
		if (*regex == '\\' && regex[1] == '.')
			continue;
		if (strchr("\\*+?()[]{}|^$", *regex))
			return false;
		out[n++] = *regex;
	}
	out[n] = '\0';
	return n > 0;
}

/* "(^|\.)", ".*\.", "\." ... in front of a suffix; *exact: "^". */
static const char *regex_start(const char *regex, bool *whole, bool *exact)
{
	static const char *const starts[] = {
		"(^|\\.)", "(.*\\.|^)", "(^|.*\\.)", "^(.*\\.)?", "^(|.*\\.)"};

	for (size_t i = 0; i < countof(starts); i++)
		if (strncmp(regex, starts[i], strlen(starts[i])) == 0) {
			*whole = true;
			return regex + strlen(starts[i]);
		}
	*exact = *regex == '^';
	regex += *regex == '^';
	if (strncmp(regex, ".*", 2) == 0) {
		*exact = false;
		regex += 2;
	}
	return regex;
}

bool dd_sel_regex(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	const char *regex = lua_string(dd_value(d, lua_arg(call, 0)));
	bool whole = false, exact = false, ends;
	char text[256], canonical[NAME_MAX_TEXT];
	struct dd_list names = {NULL, 0, 0};
	const char *start = text;
	struct name name;

	if (!regex ||
		!plain_regex(regex_start(regex, &whole, &exact), text,
			sizeof(text)) ||
		name_parse(start += text[0] == '.' && text[1], &name) < 0) {
		dd_missing(d, d->now,
			"%s(\"%s\"): no regular expressions here: name the "
			"suffixes (`ispdns rule add --suffix`)",
			call->object->text, regex ? regex : "?");
		return false;
	}
	name_to_lower(name.wire, name.wire, name.len);
	name_print(&name, canonical);
	ends = regex[strlen(regex) - 1] == '$';
	if (!(ends && (whole || exact)))
		dd_warn(d, call->line,
			"%s(\"%s\") matches %s (%s too): the suffix %s is "
			"meant and taken",
			call->object->text, regex,
			ends ? "any name that ends so" : "anywhere in a name",
			ends ? "but not the name itself, or others that end so"
			     : "evil.example with it in front",
			canonical);
	if (!dd_list_add(&d->arena, &names, canonical)) {
		d->im->failed = true;
		return false;
	}
	if (not )
		return dd_no_not(d, call);
	return exact && ends ? DD_MATCH_LIST(d, &names, out, exact)
			     : DD_MATCH_LIST(d, &names, out, suffix);
}

/* makeRule(x): masks when one of the texts is one, else suffixes. */
bool dd_sel_made(
	struct dd *d, const struct lua *what, bool not, struct dd_sel *out)
{
	const struct lua *value = dd_value(d, what), *one;
	struct dd_list masks = {NULL, 0, 0}, none = {NULL, 0, 0};
	struct prefix_probe {
		bool mask, name;
	} seen = {false, false};
	char text[NAME_MAX_TEXT];

	one = value && value->kind == LUA_TABLE ? value->args : value;
	for (; one; one = value->kind == LUA_TABLE ? one->next : NULL) {
		const char *s = lua_string(dd_value(d, one));
		size_t digits = s ? strspn(s, "0123456789abcdefABCDEF.:/") : 0;

		snprintf(text, sizeof(text), "%s", s ? s : "");
		if (s && !s[digits] && strpbrk(s, ":/") != NULL)
			seen.mask = true;
		else if (s && *s && !s[strspn(s, "0123456789.")])
			seen.mask = true;
		else
			seen.name = true;
	}
	if (seen.mask && seen.name) {
		dd_missing(d, d->now,
			"masks and names in one list: dnsdist drops the names; "
			"make two rules");
		return false;
	}
	if (seen.mask)
		return dd_masks(d, value, &masks, NULL) &&
		       dd_match_masks(d, &masks, &none, not, out);
	if (!dd_names(d, value, &masks))
		return false;
	if (not ) {
		dd_missing(d, d->now,
			"NotRule of names: say it the other way round: a rule "
			"for what is meant, in front");
		return false;
	}
	return match_suffixes(d, &masks, out);
}

bool dd_sel_make(
	struct dd *d, const struct lua *call, bool not, struct dd_sel *out)
{
	return dd_sel_made(d, lua_arg(call, 0), not, out);
}
