/* SPDX-License-Identifier: ISC */
/*
 * Virtual addresses: one by one, in pairs, in sync groups, and on the nodes
 * that carry them. What ispdns-ha would refuse in its file is refused here.
 */

#include "mgmt/check_impl.h"

#include <errno.h>

#include "common/net/addr.h"

#define PEERS_MAX     8   /* of ispdns-ha */
#define INSTANCES_MAX 32  /* of one node */
#define FENCE_WORD    127 /* octets */

static bool same_interface(const json_t *doc, const char *a, const char *b)
{
	const json_t *rows = model_rows(doc, "vip_node");
	size_t i, j;
	json_t *x, *y;

	json_array_foreach(rows, i, x)
		json_array_foreach(rows, j, y)
			if (!strcmp(row_str(x, "vip"), a) &&
				!strcmp(row_str(y, "vip"), b) &&
				!strcmp(row_str(x, "node"),
					row_str(y, "node")) &&
				!strcmp(row_str(x, "interface"),
					row_str(y, "interface")))
				return true;
	return false;
}

static bool vip_is_v6(const json_t *vip)
{
	return strchr(json_string_value(
			      json_array_get(row_list(vip, "addresses"), 0)),
		       ':') != NULL;
}

static int check_vip_pair(
	const json_t *doc, const json_t *a, const json_t *b, struct err *err)
{
	const char *x = row_str(a, "vip"), *y = row_str(b, "vip");
	size_t i;
	json_t *address;

	if (row_int(a, "vrid") == row_int(b, "vrid") &&
		vip_is_v6(a) == vip_is_v6(b) && same_interface(doc, x, y))
		return err_fail(err, -EINVAL,
			"vip %s: vrid %lld is that of vip %s on the same "
			"interface",
			y, (long long)row_int(b, "vrid"), x);
	json_array_foreach(row_list(a, "addresses"), i, address)
		if (list_has(row_list(b, "addresses"),
			    json_string_value(address)))
			return err_fail(err, -EINVAL,
				"vip %s: address %s is that of vip %s", y,
				json_string_value(address), x);
	return 0;
}

static int vip_fail(const json_t *row, struct err *err, const char *text)
{
	return err_fail(err, -EINVAL, "vip %s: %s", row_str(row, "vip"), text);
}

static int check_version2(const json_t *row, struct err *err)
{
	if (row_int(row, "interval_ms") % 1000 ||
		row_int(row, "interval_ms") == 0)
		return vip_fail(row, err,
			"version 2 needs an interval of whole seconds");
	if (row_int(row, "accept_interval_ms") % 1000)
		return vip_fail(
			row, err, "accept_interval_ms must be whole seconds");
	if (vip_is_v6(row))
		return vip_fail(row, err, "IPv6 addresses need version 3");
	if (!strcmp(row_str(row, "auth"), "pass") && !*row_str(row, "password"))
		return vip_fail(row, err, "the password is missing");
	return 0;
}

static int check_version3(const json_t *row, struct err *err)
{
	if (!strcmp(row_str(row, "auth"), "pass"))
		return vip_fail(row, err, "a password needs version 2");
	if (row_int(row, "interval_ms") % 10)
		return vip_fail(row, err,
			"version 3 needs an interval in steps of 10 ms");
	if (row_int(row, "accept_interval_ms"))
		return vip_fail(row, err,
			"accept_interval_ms is for version 2: version 3 "
			"accepts any interval");
	return 0;
}

static int check_hmac(const json_t *row, struct err *err)
{
	if (strcmp(row_str(row, "hmac"), "off") &&
		!strcmp(row_str(row, "auth"), "pass"))
		return vip_fail(
			row, err, "hmac and a password exclude each other");
	if (row_int(row, "hmac_window_ms") % 1000)
		return vip_fail(
			row, err, "hmac_window_ms must be whole seconds");
	if (row_int(row, "hmac_also") == row_int(row, "hmac_key"))
		return vip_fail(
			row, err, "hmac_also must differ from hmac_key");
	return 0;
}

static int check_vip(const json_t *row, struct err *err)
{
	bool v6 = vip_is_v6(row);
	size_t i;
	json_t *a;
	int rc;

	rc = row_int(row, "version") == 2 ? check_version2(row, err)
					  : check_version3(row, err);
	if (!rc)
		rc = check_hmac(row, err);
	if (rc)
		return rc;
	json_array_foreach(row_list(row, "addresses"), i, a)
		if ((strchr(json_string_value(a), ':') != NULL) != v6)
			return vip_fail(row, err,
				"IPv4 and IPv6 addresses need a vip each");
	json_array_foreach(row_list(row, "peers"), i, a)
		if ((strchr(json_string_value(a), ':') != NULL) != v6)
			return vip_fail(row, err,
				"peers must be of the addresses' family");
	if (*row_str(row, "gateway") &&
		(v6 || strchr(row_str(row, "gateway"), ':')))
		return vip_fail(row, err,
			"gateway must be an IPv4 address, of a vip of IPv4");
	return 0;
}

/* ---- nodes ---- */

const json_t *check_member(const json_t *doc, const char *table,
	const char *name, const char *node)
{
	const char *column = model_table(table)->columns[0].name;
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, table), i, row)
		if (!strcmp(row_str(row, column), name) &&
			!strcmp(row_str(row, "node"), node))
			return row;
	return NULL;
}

static size_t count_of(const json_t *doc, const char *table, const char *column,
	const char *is)
{
	size_t i, n = 0;
	json_t *row;

	json_array_foreach(model_rows(doc, table), i, row)
		n += !strcmp(row_str(row, column), is);
	return n;
}

static int check_vip_node(const json_t *doc, const json_t *row, struct err *err)
{
	const char *vip = row_str(row, "vip"), *name = row_str(row, "node");
	const json_t *node = check_find(doc, "node", name);

	if (!list_has(row_list(node, "roles"), "ha"))
		return err_fail(err, -EINVAL,
			"vip %s: node %s has not the role ha", vip, name);
	if (count_of(doc, "vip_node", "vip", vip) > PEERS_MAX + 1)
		return err_fail(err, -EINVAL, "vip %s: has more than %d nodes",
			vip, PEERS_MAX + 1);
	if (count_of(doc, "vip_node", "node", name) > INSTANCES_MAX)
		return err_fail(err, -EINVAL,
			"node %s: carries more than %d vips", name,
			INSTANCES_MAX);
	return 0;
}

/* Should all others be away, the node serves every address that it carries. */
static int check_load(const json_t *doc, const json_t *node, struct err *err)
{
	int64_t capacity = row_int(node, "capacity_qps"), sum = 0;
	const json_t *vip;
	size_t i;
	json_t *row;

	json_array_foreach(model_rows(doc, "vip_node"), i, row) {
		if (strcmp(row_str(row, "node"), row_str(node, "node")))
			continue;
		vip = check_find(doc, "vip", row_str(row, "vip"));
		sum += row_int(vip, "qps");
	}
	if (capacity == 0 || sum <= capacity)
		return 0;
	return err_fail(err, -EINVAL,
		"node %s: alone it must serve %lld queries/s, the sum of its "
		"vips' qps, but its capacity_qps is %lld",
		row_str(node, "node"), (long long)sum, (long long)capacity);
}

/* ---- sync groups ---- */

/* One node is to lead both: the same nodes, in the same order. */
static int check_order(
	const json_t *doc, const json_t *a, const json_t *b, struct err *err)
{
	const char *x = row_str(a, "vip"), *y = row_str(b, "vip");
	const json_t *rows = model_rows(doc, "vip_node"), *p, *q;
	size_t i, j;
	json_t *m, *n;

	json_array_foreach(rows, i, m) {
		const char *node = row_str(m, "node");

		if (strcmp(row_str(m, "vip"), x))
			continue;
		p = check_member(doc, "vip_node", y, node);
		if (!p)
			return err_fail(err, -EINVAL,
				"vip %s: node %s carries vip %s of the same "
				"sync group, but not this one",
				y, node, x);
		json_array_foreach(rows, j, n) {
			if (strcmp(row_str(n, "vip"), x))
				continue;
			q = check_member(
				doc, "vip_node", y, row_str(n, "node"));
			if (q &&
				row_int(m, "priority") >
					row_int(n, "priority") &&
				row_int(p, "priority") <=
					row_int(q, "priority"))
				return err_fail(err, -EINVAL,
					"vip %s: prefers node %s, but vip %s "
					"of the same sync group %s",
					y, row_str(n, "node"), x, node);
		}
	}
	return 0;
}

static int check_group(const json_t *doc, const json_t *vip, struct err *err)
{
	const char *group = row_str(vip, "sync_group");
	size_t i;
	json_t *other;
	int rc = 0;

	if (!*group)
		return 0;
	if (count_of(doc, "vip", "sync_group", group) < 2)
		return err_fail(err, -EINVAL,
			"vip %s: sync group %s has no other vip",
			row_str(vip, "vip"), group);
	json_array_foreach(model_rows(doc, "vip"), i, other)
		if (!rc && other != vip &&
			!strcmp(row_str(other, "sync_group"), group))
			rc = check_order(doc, vip, other, err);
	return rc;
}

/* ---- all of it ---- */

static int check_settings(const json_t *doc, struct err *err)
{
	const json_t *words = row_list(model_single(doc, "ha"), "fencing");
	size_t i;
	json_t *word;

	json_array_foreach(words, i, word) {
		if (i == 0 && json_string_value(word)[0] != '/')
			return err_fail(err, -EINVAL,
				"ha: fencing: %s: must be the absolute path of "
				"a program",
				json_string_value(word));
		if (json_string_length(word) > FENCE_WORD)
			return err_fail(err, -EINVAL,
				"ha: fencing: a word is longer than %d octets",
				FENCE_WORD);
	}
	return 0;
}

static int check_pairs(const json_t *doc, struct err *err)
{
	const json_t *vips = model_rows(doc, "vip");
	size_t i, j;
	json_t *a;
	int rc = 0;

	json_array_foreach(vips, i, a)
		for (j = i + 1; !rc && j < json_array_size(vips); j++)
			rc = check_vip_pair(
				doc, a, json_array_get(vips, j), err);
	return rc;
}

int check_vips(const json_t *doc, struct err *err)
{
	size_t i;
	json_t *row;
	int rc = check_settings(doc, err);

	json_array_foreach(model_rows(doc, "vip"), i, row)
		if (!rc)
			rc = check_vip(row, err);
	if (!rc)
		rc = check_pairs(doc, err);
	json_array_foreach(model_rows(doc, "vip_node"), i, row)
		if (!rc)
			rc = check_vip_node(doc, row, err);
	json_array_foreach(model_rows(doc, "node"), i, row)
		if (!rc)
			rc = check_load(doc, row, err);
	json_array_foreach(model_rows(doc, "vip"), i, row)
		if (!rc)
			rc = check_group(doc, row, err);
	return rc;
}
