/* SPDX-License-Identifier: ISC */
/* dnsdist importer: variables, constants, and what statements are made of. */
#include "mgmt/cli/import_dnsdist.h"

#include "common/dns/name.h"
#include "common/net/prefix.h"

#include <ctype.h>
#include <errno.h>

#define ALIASES 16 /* a = b, b = c ... */

/* ---- variables ---- */

struct dd_var *dd_var(struct dd *d, const char *name)
{
	for (size_t i = d->var_count; i-- > 0;)
		if (strcmp(d->vars[i].name, name) == 0)
			return &d->vars[i];
	return NULL;
}

static bool kind_of(const struct lua *value, enum dd_kind *kind)
{
	static const struct {
		const char *maker;
		enum dd_kind kind;
	} makers[] = {
		{"newSuffixMatchNode", DD_SUFFIXES},
		{"newDNSNameSet", DD_NAMES},
		{"newNMG", DD_MASKS},
		{"dynBlockRulesGroup", DD_BLOCKS},
		{"newPacketCache", DD_VALUE},
		{"newServer", DD_VALUE},
		{"newDNSName", DD_VALUE},
	};

	*kind = DD_VALUE;
	if (!value || value->kind != LUA_CALL)
		return true;
	for (size_t i = 0; i < countof(makers); i++)
		if (lua_is_call(value, makers[i].maker)) {
			*kind = makers[i].kind;
			return true;
		}
	return false;
}

/* A call whose value is a rule or an action is read where it is used. */
static bool is_rule_value(const struct lua *value)
{
	char name[128];
	size_t len;

	if (value->kind != LUA_CALL)
		return false;
	lua_path(value->object, name, sizeof(name));
	len = strlen(name);
	return (len > 4 && strcmp(name + len - 4, "Rule") == 0) ||
	       (len > 6 && strcmp(name + len - 6, "Action") == 0) ||
	       strcmp(name, "makeRule") == 0;
}

static void say_assigned(
	struct dd *d, const char *name, const struct lua *value, bool known)
{
	if (lua_is_call(value, "newServer"))
		dd_server(d, value);
	else if (value && value->kind == LUA_METHOD)
		dd_missing(d, d->now,
			"the value of '%s' is not known: write it out", name);
	else if (!known && !is_rule_value(value))
		dd_error(d, d->now, d->now->line,
			"'%s' = ...: unknown kind of value", name);
	else
		dd_done(d, d->now, "for the lines that use it");
}

void dd_assign(
	struct dd *d, unsigned line, const char *name, const struct lua *value)
{
	struct dd_var *var = dd_var(d, name);
	enum dd_kind kind;
	bool known;

	dd_begin(d, line, name);
	if (!var && d->var_count == DD_VARS) {
		dd_error(d, d->now, line, "more than %d variables", DD_VARS);
		return;
	}
	value = dd_value(d, value);
	known = kind_of(value, &kind);
	if (!var)
		var = &d->vars[d->var_count++];
	*var = (struct dd_var){.name = name, .value = value, .kind = kind};
	say_assigned(d, name, value, known);
}

const struct lua *dd_value(struct dd *d, const struct lua *node)
{
	for (int i = 0; i < ALIASES && node && node->kind == LUA_NAME; i++) {
		struct dd_var *var = dd_var(d, node->text);

		if (!var || var->kind != DD_VALUE)
			return node;
		node = var->value;
	}
	return node;
}

struct dd_var *dd_var_of(
	struct dd *d, const struct lua *node, enum dd_kind kind)
{
	struct dd_var *var = NULL;

	node = dd_value(d, node);
	if (node && node->kind == LUA_NAME)
		var = dd_var(d, node->text);
	return var && var->kind == kind ? var : NULL;
}

/* ---- numbers and words ---- */

bool dd_int(struct dd *d, const struct lua *value, const char *what,
	long long min, long long max, long long *out)
{
	const struct lua *at = dd_value(d, value);
	double n = 0;
	char *end = NULL;
	bool ok = at && at->kind == LUA_NUMBER;

	if (ok)
		n = at->number;
	if (at && at->kind == LUA_STRING && *at->text) {
		n = strtod(at->text, &end);
		ok = !*end;
	}
	if (ok && n >= (double)min && n <= (double)max) {
		*out = (long long)n;
		return true;
	}
	dd_error(d, d->now, value ? value->line : d->now->line,
		"%s: a number from %lld to %lld expected", what, min, max);
	return false;
}

const char *dd_constant(struct dd *d, const struct lua *value,
	const char *family, char *out, size_t size)
{
	char path[128];
	size_t len = strlen(family);

	out[0] = '\0';
	value = dd_value(d, value);
	if (!value)
		return out;
	lua_path(value, path, sizeof(path));
	if (strncmp(path, family, len) == 0 && path[len] == '.')
		snprintf(out, size, "%s", path + len + 1);
	else if (value->kind == LUA_STRING || value->kind == LUA_NUMBER)
		snprintf(out, size, "%s", value->text);
	return out;
}

bool dd_is_ident(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i]))
			return false;
	return len > 0 && len <= 63;
}

json_t *dd_pool(struct dd *d, const char *name)
{
	const char *key = *name ? name : "default";
	json_t *pool = json_object_get(d->pools, key);

	if (pool)
		return pool;
	if (!dd_is_ident(key)) {
		dd_error(d, d->now, d->now->line,
			"pool '%s': a name of at most 63 letters, digits, '_', "
			"'.' and '-' is allowed",
			key);
		return NULL;
	}
	pool = json_pack("{s:[]}", "backends");
	if (!pool || json_object_set_new(d->pools, key, pool) < 0)
		d->im->failed = true;
	return pool;
}

/* ---- names and masks ---- */

static bool add_name(
	struct dd *d, const struct lua *value, struct dd_list *names)
{
	char text[NAME_MAX_TEXT];
	struct name name;

	if (lua_is_call(value, "newDNSName"))
		value = dd_value(d, lua_arg(value, 0));
	if (!value || !lua_string(value) ||
		name_parse(value->text, &name) < 0) {
		dd_error(d, d->now, value ? value->line : d->now->line,
			"'%s' is no domain name",
			value && value->text ? value->text : "?");
		return false;
	}
	name_to_lower(name.wire, name.wire, name.len);
	if (!dd_list_add(&d->arena, names, name_print(&name, text)))
		d->im->failed = true;
	return true;
}

static bool add_mask(struct dd *d, const struct lua *value,
	struct dd_list *masks, struct dd_list *without)
{
	const char *text = lua_string(value);
	bool not = text && *text == '!';
	char canonical[PREFIX_TEXT];
	struct prefix prefix;
	int rc = text ? prefix_parse(text + not, &prefix) : -EINVAL;

	if (rc == -EDOM) {
		dd_warn(d, value->line, "%s has host bits: %s is taken", text,
			prefix_print(&prefix, canonical));
	} else if (rc < 0) {
		dd_error(d, d->now, value ? value->line : d->now->line,
			"'%s' is no address prefix", text ? text : "?");
		return false;
	}
	if (!dd_list_add(&d->arena, not &&without ? without : masks,
		    prefix_print(&prefix, canonical)))
		d->im->failed = true;
	return true;
}

bool dd_names(struct dd *d, const struct lua *value, struct dd_list *names)
{
	bool ok = true;

	value = dd_value(d, value);
	if (!value || value->kind != LUA_TABLE)
		return add_name(d, value, names);
	for (value = value->args; value; value = value->next)
		ok &= add_name(d, dd_value(d, value), names);
	return ok;
}

bool dd_masks(struct dd *d, const struct lua *value, struct dd_list *masks,
	struct dd_list *without)
{
	bool ok = true;

	value = dd_value(d, value);
	if (!value || value->kind != LUA_TABLE)
		return add_mask(d, value, masks, without);
	for (value = value->args; value; value = value->next)
		ok &= add_mask(d, dd_value(d, value), masks, without);
	return ok;
}
