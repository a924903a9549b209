/* SPDX-License-Identifier: ISC */
/*
 * Values and rows of the model: one value in, its canonical form out, or one
 * line that says what is allowed.
 */

#include "mgmt/model.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>

#include "common/base/buf.h"
#include "common/dns/name.h"
#include "common/net/prefix.h"

#define IDENT_MAX 63

const struct model_table *model_table(const char *name)
{
	size_t count;
	const struct model_table *t = model_tables(&count);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(t[i].name, name))
			return &t[i];
	return NULL;
}

const struct model_column *model_column(
	const struct model_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->columns[i].name, name))
			return &table->columns[i];
	return NULL;
}

static int value_text(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	size_t max = c->max && !(c->flags & MODEL_LIST) ? (size_t)c->max : 255;
	size_t len = strlen(text);

	if (len > max)
		return err_fail(err, -EINVAL, "%s: longer than %zu octets",
			c->name, max);
	if (len == 0 && !(c->flags & MODEL_OPTIONAL))
		return err_fail(err, -EINVAL, "%s: is empty", c->name);
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)text[i];

		if (ch == '\n' || ch == '\t' || ch == '\r') {
			if (c->flags & MODEL_LINES)
				continue;
		} else if (ch >= 32 && ch != 127) {
			continue;
		}
		return err_fail(
			err, -EINVAL, "%s: has a control character", c->name);
	}
	*out = json_string(text);
	return 0;
}

static int value_ident(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	size_t max = c->max ? (size_t)c->max : IDENT_MAX;
	size_t len = strlen(text);
	size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	if (len == 0 || len > max || good != len || text[0] == '.' ||
		text[0] == '-')
		return err_fail(err, -EINVAL,
			"%s: \"%.80s\": letters, digits, '_', '-', '.', at "
			"most %zu",
			c->name, text, max);
	*out = json_string(text);
	return 0;
}

static int value_enum(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	struct text all;

	for (const char *const *p = c->choices; *p; p++) {
		if (strcmp(*p, text))
			continue;
		*out = json_string(text);
		return 0;
	}
	text_init(&all);
	for (const char *const *p = c->choices; *p; p++)
		text_add(&all, "%s%s", p == c->choices ? "" : ", ", *p);
	err_set(err, "%s: \"%.80s\": must be one of %s", c->name, text,
		all.data);
	text_fini(&all);
	return -EINVAL;
}

static int value_name(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	char print[NAME_MAX_TEXT];
	struct name name;

	if (name_parse(text, &name))
		return err_fail(err, -EINVAL,
			"%s: \"%.80s\": not a domain name", c->name, text);
	name_to_lower(name.wire, name.wire, name.len);
	*out = json_string(name_print(&name, print));
	return 0;
}

static int value_prefix(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	char print[PREFIX_TEXT];
	struct prefix prefix;
	int rc = prefix_parse(text, &prefix);

	if (rc == -EDOM)
		return err_fail(err, -EINVAL,
			"%s: \"%.80s\" has host bits set, did you mean %s?",
			c->name, text, prefix_print(&prefix, print));
	if (rc)
		return err_fail(err, -EINVAL,
			"%s: \"%.80s\": not a prefix such as 10.0.0.0/8",
			c->name, text);
	*out = json_string(prefix_print(&prefix, print));
	return 0;
}

static int value_addr(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	bool ip = c->type == MODEL_IP;
	uint16_t port = ip ? 0 : (uint16_t)c->min;
	char print[ADDR_TEXT];
	union addr addr;

	if (addr_parse(text, port, &addr) || (ip && addr_port(&addr)))
		return err_fail(err, -EINVAL, "%s: \"%.80s\": not an address%s",
			c->name, text, ip ? " without port" : "");
	*out = json_string(
		ip ? addr_print_ip(&addr, print) : addr_print(&addr, print));
	return 0;
}

/* "10.10.2.160/24": the host bits stay; without length: /32 or /128. */
static int value_ifaddr(const struct model_column *c, const char *text,
	json_t **out, struct err *err)
{
	const char *slash = strchr(text, '/');
	char ip[ADDR_TEXT], print[ADDR_TEXT];
	struct prefix prefix;
	union addr addr;
	int rc;

	if (strlen(text) >= sizeof(ip))
		goto bad;
	snprintf(ip, sizeof(ip), "%.*s",
		slash ? (int)(slash - text) : (int)strlen(text), text);
	rc = prefix_parse(text, &prefix);
	if ((rc && rc != -EDOM) || addr_parse(ip, 0, &addr) || addr_port(&addr))
		goto bad;
	*out = json_sprintf(
		"%s/%u", addr_print_ip(&addr, print), (unsigned)prefix.len);
	return 0;
bad:
	return err_fail(err, -EINVAL,
		"%s: \"%.80s\": not an address such as 192.0.2.1/24", c->name,
		text);
}

/* Plain number, or with K, M, G behind it (octets). */
static bool number_parse(const char *text, int64_t *out)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || errno)
		return false;
	for (const char *unit = "KMG"; *end && *unit; unit++) {
		if (v > LLONG_MAX / 1024 || v < 0)
			return false;
		v *= 1024;
		if (toupper((unsigned char)*end) != *unit)
			continue;
		end++;
		break;
	}
	*out = v;
	return *end == '\0';
}

static int value_int(const struct model_column *c, const json_t *in,
	json_t **out, struct err *err)
{
	int64_t v;

	if (json_is_integer(in))
		v = json_integer_value(in);
	else if (!json_is_string(in) ||
		 !number_parse(json_string_value(in), &v))
		return err_fail(err, -EINVAL, "%s: not a number", c->name);
	if (v < c->min || v > c->max)
		return err_fail(err, -EINVAL, "%s: %lld: must be %lld to %lld",
			c->name, (long long)v, (long long)c->min,
			(long long)c->max);
	*out = json_integer(v);
	return 0;
}

static int value_bool(const struct model_column *c, const json_t *in,
	json_t **out, struct err *err)
{
	static const char *const words[] = {
		"false", "true", "no", "yes", "off", "on"};
	const char *text = json_string_value(in);

	if (json_is_boolean(in)) {
		*out = json_boolean(json_is_true(in));
		return 0;
	}
	for (size_t i = 0; text && i < countof(words); i++) {
		if (strcmp(words[i], text))
			continue;
		*out = json_boolean(i & 1);
		return 0;
	}
	return err_fail(err, -EINVAL, "%s: must be true or false", c->name);
}

static int value_string(const struct model_column *c, const json_t *in,
	json_t **out, struct err *err)
{
	const char *text = json_string_value(in);

	if (!text)
		return err_fail(err, -EINVAL, "%s: not a text", c->name);
	if (strlen(text) != json_string_length(in))
		return err_fail(err, -EINVAL, "%s: has a NUL", c->name);
	if (!*text && (c->flags & MODEL_OPTIONAL)) {
		*out = json_string("");
		return 0;
	}
	switch (c->type) {
	case MODEL_IDENT:
		return value_ident(c, text, out, err);
	case MODEL_ENUM:
		return value_enum(c, text, out, err);
	case MODEL_NAME:
		return value_name(c, text, out, err);
	case MODEL_PREFIX:
		return value_prefix(c, text, out, err);
	case MODEL_IP:
	case MODEL_ADDR:
		return value_addr(c, text, out, err);
	case MODEL_IFADDR:
		return value_ifaddr(c, text, out, err);
	default:
		return value_text(c, text, out, err);
	}
}

static int value_one(const struct model_column *c, const json_t *in,
	json_t **out, struct err *err)
{
	int rc;

	if (c->type == MODEL_INT)
		rc = value_int(c, in, out, err);
	else if (c->type == MODEL_BOOL)
		rc = value_bool(c, in, out, err);
	else
		rc = value_string(c, in, out, err);
	if (!rc && !*out)
		rc = err_fail(err, -ENOMEM, "%s: no memory", c->name);
	return rc;
}

/* A list of texts: an array, or one value alone; no value twice. */
static int value_list(const struct model_column *c, const json_t *in,
	json_t **out, struct err *err)
{
	size_t n = json_is_array(in) ? json_array_size(in) : 1;
	json_t *list = json_array(), *seen = json_object();
	int rc = list && seen ? 0 : -ENOMEM;

	if (rc)
		err_set(err, "%s: no memory", c->name);
	else if (n > (size_t)c->max)
		rc = err_fail(err, -EINVAL, "%s: more than %lld values",
			c->name, (long long)c->max);
	else if (n == 0 && (c->flags & MODEL_REQUIRED))
		rc = err_fail(err, -EINVAL, "%s: is empty", c->name);
	for (size_t i = 0; i < n && !rc; i++) {
		json_t *v = NULL;

		rc = value_one(c,
			json_is_array(in) ? json_array_get(in, i) : in, &v,
			err);
		if (!rc && !(c->flags & MODEL_REPEAT) &&
			json_object_get(seen, json_string_value(v)))
			rc = err_fail(err, -EINVAL, "%s: %s is there twice",
				c->name, json_string_value(v));
		if (!rc && (json_object_set(seen, json_string_value(v), v) ||
				   json_array_append(list, v)))
			rc = err_fail(err, -ENOMEM, "%s: no memory", c->name);
		json_decref(v);
	}
	json_decref(seen);
	if (rc)
		json_decref(list);
	else
		*out = list;
	return rc;
}

int model_value(const struct model_column *column, const json_t *in,
	json_t **out, struct err *err)
{
	*out = NULL;
	if (column->flags & MODEL_LIST)
		return value_list(column, in, out, err);
	return value_one(column, in, out, err);
}

/* -EBADR when `args` has a member that is no column. */
static int args_known(
	const struct model_table *table, const json_t *args, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)args, key, value)
		if (!model_column(table, key))
			return err_fail(
				err, -EBADR, "unknown argument \"%.80s\"", key);
	return 0;
}

json_t *model_default(const struct model_column *c)
{
	return c->dflt ? json_loads(c->dflt, JSON_DECODE_ANY, NULL) : NULL;
}

static int row_build(const struct model_table *table, const json_t *args,
	bool whole, json_t **out, struct err *err)
{
	int rc = args_known(table, args, err);
	json_t *row = json_object();

	for (size_t i = 0; i < table->count && !rc; i++) {
		const struct model_column *c = &table->columns[i];
		const json_t *in = json_object_get(args, c->name);
		json_t *v = NULL;

		if (!in && !whole)
			continue;
		if (in)
			rc = model_value(c, in, &v, err);
		else if (!(v = model_default(c)))
			rc = err_fail(
				err, -EBADR, "\"%s\" is missing", c->name);
		if (!rc && json_object_set_new(row, c->name, v))
			rc = err_fail(err, -ENOMEM, "no memory");
	}
	if (rc)
		json_decref(row);
	else
		*out = row;
	return rc;
}

int model_row_new(const struct model_table *table, const json_t *args,
	json_t **out, struct err *err)
{
	return row_build(table, args, true, out, err);
}

int model_row_change(const struct model_table *table, const json_t *args,
	json_t **out, struct err *err)
{
	return row_build(table, args, false, out, err);
}

char *model_key(const struct model_table *table, const json_t *row,
	char out[MODEL_KEY_TEXT])
{
	size_t len = 0;

	snprintf(out, MODEL_KEY_TEXT, "%s",
		table->flags & MODEL_SINGLE ? table->noun : "");
	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];

		if (!(c->flags & MODEL_KEY))
			continue;
		snprintf(out + len, MODEL_KEY_TEXT - len, "%s%s",
			len ? "/" : "", row_str(row, c->name));
		len = strlen(out);
	}
	return out;
}

json_t *model_masked(const struct model_table *table, const json_t *row)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)row);

	for (size_t i = 0; i < table->count; i++) {
		const char *name = table->columns[i].name;
		const char *text =
			json_string_value(json_object_get(copy, name));

		if ((table->columns[i].flags & MODEL_SECRET) && text && *text)
			json_object_set_new(copy, name, json_string("***"));
	}
	return copy;
}

static int row_complete(
	const struct model_table *table, json_t *row, struct err *err)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct model_column *c = &table->columns[i];
		json_t *v;

		if (json_object_get(row, c->name))
			continue;
		v = model_default(c);
		if (!v || json_object_set_new(row, c->name, v))
			return err_fail(err, -EINVAL, "%s: \"%s\" is missing",
				table->noun, c->name);
	}
	return 0;
}

static int table_complete(
	const struct model_table *table, json_t *doc, struct err *err)
{
	json_t *rows = json_object_get(doc, table->name), *row;
	size_t i;
	int rc = 0;

	if (!rows) {
		rows = json_array();
		if (json_object_set_new(doc, table->name, rows))
			return err_fail(err, -ENOMEM, "no memory");
	}
	if ((table->flags & MODEL_SINGLE) && json_array_size(rows) == 0)
		json_array_append_new(rows, json_object());
	json_array_foreach(rows, i, row)
		if (!rc)
			rc = row_complete(table, row, err);
	return rc;
}

int model_complete(json_t *doc, struct err *err)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++)
		rc = table_complete(&t[i], doc, err);
	return rc;
}

const json_t *model_rows(const json_t *doc, const char *table)
{
	return json_object_get(doc, table);
}

const json_t *model_single(const json_t *doc, const char *table)
{
	return json_array_get(json_object_get(doc, table), 0);
}

const char *row_str(const json_t *row, const char *column)
{
	const char *text = json_string_value(json_object_get(row, column));

	assert(text);
	return text;
}

int64_t row_int(const json_t *row, const char *column)
{
	const json_t *v = json_object_get(row, column);

	assert(json_is_integer(v));
	return json_integer_value(v);
}

bool row_bool(const json_t *row, const char *column)
{
	const json_t *v = json_object_get(row, column);

	assert(json_is_boolean(v));
	return json_is_true(v);
}

const json_t *row_list(const json_t *row, const char *column)
{
	const json_t *v = json_object_get(row, column);

	assert(json_is_array(v));
	return v;
}

bool list_has(const json_t *list, const char *text)
{
	for (size_t i = 0; text && i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));

		if (item && !strcmp(item, text))
			return true;
	}
	return false;
}

char *json_canonical(const json_t *value)
{
	return json_dumps(
		value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
}
