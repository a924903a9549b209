/* SPDX-License-Identifier: ISC */
/* Services of anycast, as ispdns-ha would check them in its file. */

#include "mgmt/check_impl.h"

#include <errno.h>
#include <netinet/in.h>

#include "common/net/prefix.h"

#define SERVICES_MAX 16 /* of one node */

/* Tables that the kernel forwards by. */
enum {
	TABLE_DEFAULT = 253,
	TABLE_LOCAL = 255
};

static int service_fail(const json_t *row, struct err *err, const char *text)
{
	return err_fail(
		err, -EINVAL, "anycast %s: %s", row_str(row, "anycast"), text);
}

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* One host, of a kind that is routed between networks. */
static bool is_host(const char *text)
{
	struct prefix p;
	const uint8_t *octets;
	size_t len;

	if (prefix_parse(text, &p))
		return false;
	len = addr_octets(&p.addr, &octets);
	if (p.len != 8 * len || addr_is_any(&p.addr))
		return false;
	if (len == 4)
		return octets[0] != 127 && octets[0] < 224;
	return octets[0] < 0xfe && !IN6_IS_ADDR_LOOPBACK(&p.addr.v6.sin6_addr);
}

/* Is it an address of the vip, whose have the length of their network? */
static bool is_of_vip(const json_t *vip, const char *host)
{
	size_t i, len = strcspn(host, "/");
	json_t *a;

	json_array_foreach(row_list(vip, "addresses"), i, a) {
		const char *text = json_string_value(a);

		if (strcspn(text, "/") == len && !strncmp(text, host, len))
			return true;
	}
	return false;
}

/* The first that has an address keeps it. */
static int check_owner(
	const json_t *doc, const json_t *row, const char *host, struct err *err)
{
	size_t i;
	json_t *other;

	json_array_foreach(model_rows(doc, "anycast"), i, other) {
		if (other == row)
			break;
		if (list_has(row_list(other, "addresses"), host))
			return err_fail(err, -EINVAL,
				"anycast %s: address %s is that of anycast %s",
				row_str(row, "anycast"), host,
				row_str(other, "anycast"));
	}
	json_array_foreach(model_rows(doc, "vip"), i, other)
		if (is_of_vip(other, host))
			return err_fail(err, -EINVAL,
				"anycast %s: address %s is that of vip %s",
				row_str(row, "anycast"), host,
				row_str(other, "vip"));
	return 0;
}

static int check_addresses(
	const json_t *doc, const json_t *row, struct err *err)
{
	const json_t *list = row_list(row, "addresses");
	const char *first = json_string_value(json_array_get(list, 0));
	size_t i;
	json_t *a;
	int rc = 0;

	json_array_foreach(list, i, a) {
		const char *host = json_string_value(a);

		if (!is_host(host))
			return err_fail(err, -EINVAL,
				"anycast %s: address %s: must be a single host "
				"that can be routed",
				row_str(row, "anycast"), host);
		if (is_v6(host) != is_v6(first))
			return service_fail(row, err,
				"IPv4 and IPv6 addresses need a service each");
		rc = check_owner(doc, row, host, err);
		if (rc)
			return rc;
	}
	if (!row_bool(row, "track_frontend") && !row_bool(row, "track_probe"))
		return service_fail(row, err,
			"needs track_frontend or track_probe, or nothing would "
			"ever withdraw it");
	return 0;
}

/* Its vip may be routed by one service only. */
static int check_vip_of(const json_t *doc, const json_t *row, struct err *err)
{
	const char *vip = row_str(row, "vip");
	size_t i;
	json_t *other;

	json_array_foreach(model_rows(doc, "anycast"), i, other) {
		if (other == row)
			break;
		if (!strcmp(row_str(other, "vip"), vip))
			return err_fail(err, -EINVAL,
				"anycast %s: vip %s is routed by anycast %s",
				row_str(row, "anycast"), vip,
				row_str(other, "anycast"));
	}
	return 0;
}

static int check_service(const json_t *doc, const json_t *row, struct err *err)
{
	int64_t table = row_int(row, "table");
	bool listed = json_array_size(row_list(row, "addresses")) > 0;

	if (listed == (*row_str(row, "vip") != '\0'))
		return service_fail(row, err, "needs either addresses or vip");
	if (row_int(row, "drain_metric") <= row_int(row, "metric"))
		return service_fail(
			row, err, "drain_metric must be larger than metric");
	if (table >= TABLE_DEFAULT && table <= TABLE_LOCAL)
		return service_fail(row, err,
			"table: packets are forwarded by 253 to 255, a private "
			"one is needed");
	return listed ? check_addresses(doc, row, err)
		      : check_vip_of(doc, row, err);
}

static int check_node(const json_t *doc, const json_t *row, struct err *err)
{
	const char *name = row_str(row, "anycast"),
		   *node = row_str(row, "node");
	const json_t *service = check_find(doc, "anycast", name);
	const char *vip = row_str(service, "vip");

	if (!list_has(row_list(check_find(doc, "node", node), "roles"), "ha"))
		return err_fail(err, -EINVAL,
			"anycast %s: node %s has not the role ha", name, node);
	if (*vip && !check_member(doc, "vip_node", vip, node))
		return err_fail(err, -EINVAL,
			"anycast %s: node %s does not carry vip %s", name, node,
			vip);
	if (row_int(row, "metric") >= row_int(service, "drain_metric"))
		return err_fail(err, -EINVAL,
			"anycast %s: node %s: metric must be less than "
			"drain_metric",
			name, node);
	return 0;
}

static int check_count(const json_t *doc, const char *node, struct err *err)
{
	size_t i, n = 0;
	json_t *row;

	json_array_foreach(model_rows(doc, "anycast_node"), i, row)
		n += !strcmp(row_str(row, "node"), node);
	return n <= SERVICES_MAX
		       ? 0
		       : err_fail(err, -EINVAL,
				 "node %s: has more than %d anycast services",
				 node, SERVICES_MAX);
}

int check_anycasts(const json_t *doc, struct err *err)
{
	size_t i;
	json_t *row;
	int rc = 0;

	json_array_foreach(model_rows(doc, "anycast"), i, row)
		if (!rc)
			rc = check_service(doc, row, err);
	json_array_foreach(model_rows(doc, "anycast_node"), i, row)
		if (!rc)
			rc = check_node(doc, row, err);
	json_array_foreach(model_rows(doc, "node"), i, row)
		if (!rc)
			rc = check_count(doc, row_str(row, "node"), err);
	return rc;
}
