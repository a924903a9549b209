/* SPDX-License-Identifier: ISC */
/*
 * Nodes that share a virtual address.
 */

#include "mgmt/partner.h"

#include "mgmt/model.h"
#include "mgmt/render.h"

static bool is_of_vip(const json_t *doc, const char *vip, const char *node)
{
	size_t i;
	json_t *vn;

	json_array_foreach(model_rows(doc, "vip_node"), i, vn)
		if (!strcmp(row_str(vn, "vip"), vip) &&
			!strcmp(row_str(vn, "node"), node))
			return true;
	return false;
}

static bool share_vip(const json_t *doc, const char *a, const char *b)
{
	size_t i;
	json_t *vip;

	json_array_foreach(model_rows(doc, "vip"), i, vip)
		if (is_of_vip(doc, row_str(vip, "vip"), a) &&
			is_of_vip(doc, row_str(vip, "vip"), b))
			return true;
	return false;
}

json_t *partners_of(const json_t *doc, const json_t *node)
{
	const char *self = row_str(node, "node");
	json_t *list = json_array();
	size_t i;
	json_t *n;

	json_array_foreach(model_rows(doc, "node"), i, n)
		if (strcmp(row_str(n, "node"), self) &&
			node_has_role(n, "frontend") &&
			json_array_size(list) < PARTNERS &&
			share_vip(doc, row_str(n, "node"), self))
			json_array_append(list, n);
	return list;
}
