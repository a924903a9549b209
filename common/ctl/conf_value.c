/* SPDX-License-Identifier: ISC */
/*
 * Scalars of a configuration: text to value by the item's type, value back
 * to one canonical text, and the words for what is allowed. The canonical
 * text parses to the same value again.
 */

#include "common/ctl/conf_tree.h"

#include <errno.h>
#include <math.h>
#include <strings.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first: printing takes the first that divides. */
static const struct unit time_units[] = {
	{"w", 604800000},
	{"d", 86400000},
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"T", (int64_t)1 << 40},
	{"G", 1 << 30},
	{"M", 1 << 20},
	{"K", 1 << 10},
	{"", 1},
	{NULL, 0},
};

static bool has_range(const struct schema_item *item)
{
	return item->min != 0 || item->max != 0;
}

static bool in_range(const struct schema_item *item, int64_t value)
{
	return !has_range(item) || (value >= item->min && value <= item->max);
}

static void print_units(int64_t value, const struct unit *u, struct text *out)
{
	while (value % u->factor != 0 ||
		(value == 0 && u->factor != 1000 && u->factor != 1))
		u++;
	text_add(out, "%lld%s", (long long)(value / u->factor), u->name);
}

static void allowed_range(const struct schema_item *item,
	const struct unit *units, struct text *out)
{
	if (!has_range(item))
		return;
	text_add(out, ", ");
	print_units(item->min, units, out);
	text_add(out, "..");
	print_units(item->max, units, out);
}

static void allowed_choices(const struct schema_item *item, struct text *out)
{
	const char *const *c;

	for (c = item->choices; *c; c++)
		text_add(out, "%s%s", c == item->choices ? "" : " | ", *c);
}

static long long string_max(const struct schema_item *item)
{
	return item->max > 0 ? item->max : 1024;
}

void conf_value_allowed(const struct schema_item *item, struct text *out)
{
	static const struct unit plain[] = {{"", 1}, {NULL, 0}};

	switch (item->type) {
	case SCHEMA_BOOL:
		text_add(out, "true or false");
		break;
	case SCHEMA_INT:
		text_add(out, "an integer");
		allowed_range(item, plain, out);
		break;
	case SCHEMA_DURATION:
		text_add(out, "a time such as 300ms, 5s, 2m, 1h");
		allowed_range(item, time_units, out);
		break;
	case SCHEMA_SIZE:
		text_add(out, "a size such as 512K, 64M, 1G");
		allowed_range(item, size_units, out);
		break;
	case SCHEMA_REAL:
		text_add(out, "a number");
		allowed_range(item, plain, out);
		break;
	case SCHEMA_STRING:
		text_add(out, "a string of %lld to %lld octets",
			(long long)item->min, string_max(item));
		break;
	case SCHEMA_ENUM:
		allowed_choices(item, out);
		break;
	case SCHEMA_ADDR:
		text_add(out,
			"an IP address with port (192.0.2.1:%d or "
			"\"[2001:db8::1]:%d\")",
			item->min ? (int)item->min : 53,
			item->min ? (int)item->min : 53);
		break;
	case SCHEMA_IP:
		text_add(out, "an IP address without port");
		break;
	case SCHEMA_PREFIX:
		text_add(out, "a prefix such as 192.0.2.0/24 or "
			      "2001:db8::/32, no bit set behind its length");
		break;
	case SCHEMA_NAME:
		text_add(out, "a domain name");
		break;
	case SCHEMA_PATH:
		text_add(out, "the path of a file");
		break;
	default:
		text_add(out, "a %s", schema_type_name(item->type));
		if (has_range(item))
			text_add(out, " of %lld to %lld entries",
				(long long)item->min, (long long)item->max);
		break;
	}
}

static bool parse_bool(const char *text, bool *out)
{
	static const char *const words[] = {
		"false",
		"true",
		"no",
		"yes",
		"off",
		"on",
	};

	for (size_t i = 0; i < countof(words); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i & 1;
			return true;
		}
	}
	return false;
}

/* Decimal digits, a sign at most before them; *end behind them. */
static bool parse_digits(const char *text, int64_t *out, const char **end)
{
	bool negative = *text == '-';
	int64_t value = 0;

	text += negative;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *text - '0', &value))
			return false;
	}
	*out = negative ? -value : value;
	*end = text;
	return true;
}

static bool parse_int(const char *text, int64_t *out)
{
	const char *end;

	return parse_digits(text, out, &end) && *end == '\0';
}

/* "N<unit>" or "N.FFF<unit>" that gives a whole number of base units; no
 * unit: `plain` base units. */
static bool parse_units(
	const char *text, const struct unit *units, int64_t plain, int64_t *out)
{
	int64_t value, scale = 1, factor = plain;
	const char *end;

	if (!parse_digits(text, &value, &end) || value < 0)
		return false;
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9'; end++) {
			scale *= 10;
			if (scale > 1000000 ||
				__builtin_mul_overflow(value, 10, &value) ||
				__builtin_add_overflow(
					value, *end - '0', &value))
				return false;
		}
	}
	if (*end != '\0') {
		while (units->name && strcmp(units->name, end) != 0)
			units++;
		if (!units->name)
			return false;
		factor = units->factor;
	}
	if (__builtin_mul_overflow(value, factor, &value) || value % scale)
		return false;
	*out = value / scale;
	return true;
}

bool conf_parse_duration(const char *text, int64_t *ms)
{
	return parse_units(text, time_units, 1000, ms);
}

static bool parse_real(const char *text, double *out)
{
	char *end;

	if (!strchr("+-.0123456789", text[0]) || strpbrk(text, "xXnN"))
		return false;
	*out = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*out);
}

static bool parse_enum(
	const struct schema_item *item, const char *text, int64_t *out)
{
	for (*out = 0; item->choices[*out]; (*out)++) {
		if (strcmp(item->choices[*out], text) == 0)
			return true;
	}
	return false;
}

static bool parse_string(const struct schema_item *item, const char *text)
{
	long long len = (long long)strlen(text);

	return len >= item->min && len <= string_max(item);
}

/* The three kinds of number whose value is in u.i. */
static bool parse_number(struct conf_node *node, const char *text)
{
	const struct schema_item *item = node->item;
	bool good;

	if (item->type == SCHEMA_INT)
		good = parse_int(text, &node->u.i);
	else if (item->type == SCHEMA_DURATION)
		good = parse_units(text, time_units, 1000, &node->u.i);
	else
		good = parse_units(text, size_units, 1, &node->u.i);
	return good && in_range(item, node->u.i);
}

/* Copy a parsed value into the arena and its text beside it. */
static int keep(struct conf *conf, struct conf_node *node, const void **slot,
	const void *value, size_t size, const char *text)
{
	if (slot) {
		*slot = arena_memdup(&conf->arena, value, size);
		if (!*slot)
			return -ENOMEM;
	}
	node->text = arena_strdup(&conf->arena, text);
	return node->text ? 0 : -ENOMEM;
}

static int set_addr(struct conf *conf, struct conf_node *node, const char *text)
{
	char buf[ADDR_TEXT];
	union addr a, b;

	if (node->item->type == SCHEMA_ADDR) {
		if (addr_parse(text, (uint16_t)node->item->min, &a) < 0)
			return -EINVAL;
		addr_print(&a, buf);
	} else {
		/* No port in the text: the default shows through. */
		if (addr_parse(text, 0, &a) < 0 ||
			addr_parse(text, 1, &b) < 0 || addr_port(&a) != 0 ||
			addr_port(&b) != 1)
			return -EINVAL;
		addr_print_ip(&a, buf);
	}
	return keep(
		conf, node, (const void **)&node->u.addr, &a, sizeof(a), buf);
}

static int set_prefix(
	struct conf *conf, struct conf_node *node, const char *text)
{
	char buf[PREFIX_TEXT];
	struct prefix p;

	if (prefix_parse(text, &p) < 0)
		return -EINVAL;
	return keep(conf, node, (const void **)&node->u.prefix, &p, sizeof(p),
		prefix_print(&p, buf));
}

static int set_name(struct conf *conf, struct conf_node *node, const char *text)
{
	char buf[NAME_MAX_TEXT];
	struct name name;

	if (text[0] == '\0' || name_parse(text, &name) < 0)
		return -EINVAL;
	name_to_lower(name.wire, name.wire, name.len);
	return keep(conf, node, (const void **)&node->u.name, &name,
		sizeof(name), name_print(&name, buf));
}

/* Empty stays empty where the table's default is the empty path. */
static int set_path(struct conf *conf, struct conf_node *node, const char *text)
{
	const char *dflt = node->item->dflt;
	char buf[4096];

	if (text[0] == '\0')
		return dflt && dflt[0] == '\0'
			       ? keep(conf, node, NULL, NULL, 0, text)
			       : -EINVAL;
	if (text[0] == '/' || strcmp(conf->folder, ".") == 0)
		return keep(conf, node, NULL, NULL, 0, text);
	if ((size_t)snprintf(buf, sizeof(buf), "%s/%s", conf->folder, text) >=
		sizeof(buf))
		return -EINVAL;
	return keep(conf, node, NULL, NULL, 0, buf);
}

static int set_number(
	struct conf *conf, struct conf_node *node, const char *text)
{
	struct text t;
	int rc;

	if (!parse_number(node, text))
		return -EINVAL;
	text_init(&t);
	if (node->item->type == SCHEMA_INT)
		text_add(&t, "%lld", (long long)node->u.i);
	else
		print_units(node->u.i,
			node->item->type == SCHEMA_SIZE ? size_units
							: time_units,
			&t);
	rc = keep(conf, node, NULL, NULL, 0, t.data);
	text_fini(&t);
	return rc;
}

static int set_real(struct conf *conf, struct conf_node *node, const char *text)
{
	char buf[40];

	if (!parse_real(text, &node->u.r) ||
		(has_range(node->item) &&
			(node->u.r < (double)node->item->min ||
				node->u.r > (double)node->item->max)))
		return -EINVAL;
	snprintf(buf, sizeof(buf), "%.17g", node->u.r);
	return keep(conf, node, NULL, NULL, 0, buf);
}

static int set_value(
	struct conf *conf, struct conf_node *node, const char *text)
{
	switch (node->item->type) {
	case SCHEMA_BOOL:
		if (!parse_bool(text, &node->u.b))
			return -EINVAL;
		return keep(conf, node, NULL, NULL, 0,
			node->u.b ? "true" : "false");
	case SCHEMA_INT:
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		return set_number(conf, node, text);
	case SCHEMA_REAL:
		return set_real(conf, node, text);
	case SCHEMA_ENUM:
		if (!parse_enum(node->item, text, &node->u.i))
			return -EINVAL;
		return keep(conf, node, NULL, NULL, 0, text);
	case SCHEMA_ADDR:
	case SCHEMA_IP:
		return set_addr(conf, node, text);
	case SCHEMA_PREFIX:
		return set_prefix(conf, node, text);
	case SCHEMA_NAME:
		return set_name(conf, node, text);
	case SCHEMA_PATH:
		return set_path(conf, node, text);
	default:
		if (!parse_string(node->item, text))
			return -EINVAL;
		return keep(conf, node, NULL, NULL, 0, text);
	}
}

int conf_value_set(struct conf *conf, struct conf_node *node, const char *text,
	struct err *err)
{
	int rc = set_value(conf, node, text);
	struct text allowed;

	if (rc == -ENOMEM)
		return err_fail(err, rc, "out of memory");
	if (rc < 0) {
		text_init(&allowed);
		conf_value_allowed(node->item, &allowed);
		err_set(err, "\"%.64s%s\": must be %s", text,
			strlen(text) > 64 ? "..." : "", allowed.data);
		text_fini(&allowed);
	}
	return rc;
}

bool conf_value_equal(const struct conf_node *a, const struct conf_node *b)
{
	return strcmp(a->text, b->text) == 0;
}
