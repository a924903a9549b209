/* SPDX-License-Identifier: ISC */
/*
 * Tables for a person, under the headings that dnsdist's showServers() and
 * showPools() have (and some more); --json keeps our own names. Runs in the
 * command, not in the daemon.
 */

#include "frontend/frontend.h"

struct column {
	const char *title, *key; /* key NULL: the number of the row */
};

static const struct column server_columns[] = {
	{"#", NULL},
	{"Name", "name"},
	{"Address", "address"},
	{"State", "state"},
	{"Qps", "qps"},
	{"Qlim", "qps_limit"},
	{"Ord", "order"},
	{"Wt", "weight"},
	{"Queries", "queries"},
	{"Drops", "timeouts"},
	{"Drate", "drops_per_second"},
	{"Lat", "latency_ms"},
	{"TCP", "tcp"},
	{"Outstanding", "outstanding"},
	{"Pools", "pool"},
	{"ServFail", "servfail"},
	{"Reason", "reason"},
};

static const struct column pool_columns[] = {
	{"Name", "name"},
	{"Kind", "kind"},
	{"Cache", "cache"},
	{"ServerPolicy", "policy"},
	{"Servers", "members"},
	{"Up", "up"},
	{"Queries", "queries"},
	{"Hits", "hits"},
	{"Misses", "misses"},
	{"HitRatio", "hit_ratio"},
};

static json_t *cell(const json_t *row, const struct column *c, size_t number)
{
	json_t *value;

	if (!c->key)
		return json_integer((json_int_t)number);
	value = json_object_get(row, c->key);
	return json_is_boolean(value)
		       ? json_string(json_is_true(value) ? "yes" : "no")
		       : json_incref(value);
}

static json_t *with_titles(
	const json_t *rows, const struct column *columns, size_t count)
{
	json_t *out = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_t *line = json_object();

		for (size_t k = 0; k < count; k++)
			json_object_set_new(line, columns[k].title,
				cell(row, &columns[k], i));
		json_array_append_new(out, line);
	}
	return out;
}

static bool print(
	const json_t *rows, const struct column *columns, size_t count)
{
	json_t *table;

	if (json_array_size(rows) == 0)
		return false;
	table = with_titles(rows, columns, count);
	daemon_render(table, 0, stdout);
	json_decref(table);
	return true;
}

static double sum(const json_t *rows, const char *key)
{
	double total = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const json_t *value = json_object_get(row, key);

		total += json_is_string(value)
				 ? strtod(json_string_value(value), NULL)
				 : json_number_value(value);
	}
	return total;
}

static bool render_servers(const json_t *rows)
{
	if (!print(rows, server_columns, countof(server_columns)))
		return false;
	printf("All: %.0f qps, %.0f queries, %.0f drops\n", sum(rows, "qps"),
		sum(rows, "queries"), sum(rows, "timeouts"));
	return true;
}

bool frontend_render(const char *verb, const json_t *result)
{
	if (strcmp(verb, "show") != 0)
		return false;
	if (json_object_get(result, "servers"))
		return render_servers(json_object_get(result, "servers"));
	if (json_object_get(result, "pools"))
		return print(json_object_get(result, "pools"), pool_columns,
			countof(pool_columns));
	return false;
}
