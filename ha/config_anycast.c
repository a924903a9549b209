/* SPDX-License-Identifier: ISC */
#include "ha/config.h"

#include <errno.h>

/* The anycast part of ha.yaml: from its keys to the snapshot. */

/* Tables that the kernel forwards by. */
enum {
	TABLE_DEFAULT = 253,
	TABLE_MAIN = 254,
	TABLE_LOCAL = 255
};

struct build {
	const struct conf *conf;
	struct config *out;
	struct err *err;
};

static bool is_host(const struct prefix *p)
{
	const uint8_t *octets;
	size_t len = addr_octets(&p->addr, &octets);

	if (p->len != 8 * len || addr_is_any(&p->addr))
		return false;
	if (len == 4)
		return octets[0] != 127 && octets[0] < 224;
	return octets[0] < 0xfe && !IN6_IS_ADDR_LOOPBACK(&p->addr.v6.sin6_addr);
}

static bool has_addr(const struct config_anycast *a, const uint8_t *octets)
{
	for (size_t i = 0; i < a->addr_count; i++)
		if (memcmp(a->addrs[i], octets, PACKET_ADDR_MAX) == 0)
			return true;
	return false;
}

/* Whose is it already? NULL: nobody's. */
static const char *owner_of(
	const struct config *c, uint8_t family, const uint8_t *octets)
{
	for (size_t i = 0; i < c->anycast_count; i++)
		if (c->anycast[i].family == family &&
			has_addr(&c->anycast[i], octets))
			return c->anycast[i].name;
	for (size_t i = 0; i < c->instance_count; i++)
		for (size_t k = 0; k < c->instances[i].vip_count; k++)
			if (c->instances[i].family == family &&
				memcmp(c->instances[i].vips[k].octets, octets,
					PACKET_ADDR_MAX) == 0)
				return c->instances[i].name;
	return NULL;
}

static int take_addr(struct build *b, const struct conf_node *n,
	struct config_anycast *a, const struct prefix *p)
{
	uint8_t octets[PACKET_ADDR_MAX] = {0};
	const uint8_t *from;
	size_t len = addr_octets(&p->addr, &from);
	const char *owner;

	memcpy(octets, from, len);
	if (!is_host(p))
		return conf_error(b->conf, n, b->err,
			"addresses: need single hosts (/32 or /128) that can "
			"be routed");
	if (a->addr_count && a->family != (len == 16 ? 6 : 4))
		return conf_error(b->conf, n, b->err,
			"addresses: IPv4 and IPv6 need an entry each");
	a->family = len == 16 ? 6 : 4;
	owner = has_addr(a, octets) ? a->name
				    : owner_of(b->out, a->family, octets);
	if (owner)
		return conf_error(b->conf, n, b->err,
			"addresses: one of them belongs to %s already", owner);
	memcpy(a->addrs[a->addr_count++], octets, sizeof(octets));
	return 0;
}

static int take_addresses(
	struct build *b, const struct conf_node *node, struct config_anycast *a)
{
	const struct conf_node *n = conf_first(conf_get(node, "addresses"));
	int rc = 0;

	for (; rc == 0 && n; n = conf_next(n))
		rc = take_addr(b, n, a, conf_prefix(n));
	if (rc == 0 && !a->track_frontend && !a->track_probe)
		return conf_error(b->conf, conf_get(node, "track"), b->err,
			"track: need frontend or probe, or nothing would ever "
			"withdraw the route");
	return rc;
}

static bool is_link_local(uint8_t family, const uint8_t *octets)
{
	return family == 6 && octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

static int take_instance(
	struct build *b, const struct conf_node *node, struct config_anycast *a)
{
	const struct config_instance *in = NULL;

	for (size_t i = 0; i < b->out->instance_count; i++)
		if (strcmp(b->out->instances[i].name, a->instance) == 0)
			in = &b->out->instances[i];
	if (!in)
		return conf_error(b->conf, conf_get(node, "instance"), b->err,
			"instance: %s: no such virtual router", a->instance);
	a->family = in->family;
	for (size_t i = 0; i < in->vip_count; i++) {
		if (is_link_local(in->family, in->vips[i].octets))
			continue;
		if (a->addr_count == CONFIG_ANYCAST_ADDRS)
			return conf_error(b->conf, node, b->err,
				"instance: has more than %d addresses",
				CONFIG_ANYCAST_ADDRS);
		memcpy(a->addrs[a->addr_count++], in->vips[i].octets,
			PACKET_ADDR_MAX);
	}
	return 0;
}

static int check_numbers(struct build *b, const struct conf_node *node,
	const struct config_anycast *a)
{
	if (a->drain_metric <= a->metric)
		return conf_error(b->conf, conf_get(node, "drain_metric"),
			b->err,
			"drain_metric: %u: must be larger than metric (%u)",
			a->drain_metric, a->metric);
	for (size_t i = 0; i < b->out->anycast_count; i++)
		if (a->instance[0] &&
			strcmp(a->instance, b->out->anycast[i].instance) == 0)
			return conf_error(b->conf, node, b->err,
				"instance: %s is routed by %s already",
				a->instance, b->out->anycast[i].name);
	return 0;
}

/* FRR imports tables of IPv4 only; of IPv6 it takes what is in table main,
 * where the route does no harm: table local, which has the address, is asked
 * first. */
static int check_table(struct build *b, const struct conf_node *node,
	const struct config_anycast *a)
{
	const struct conf_node *n = conf_get(node, "table");

	if (a->for_frr && a->family == 6)
		return a->table == TABLE_MAIN
			       ? 0
			       : conf_error(b->conf, n, b->err,
					 "table: %u: FRR takes IPv6 from table "
					 "254 (main) only",
					 a->table);
	if (a->table < TABLE_DEFAULT || a->table > TABLE_LOCAL)
		return 0;
	return conf_error(b->conf, n, b->err,
		"table: %u: packets are forwarded by it; need a private one",
		a->table);
}

static int build_one(struct build *b, const struct conf_node *node)
{
	struct config_anycast *a = &b->out->anycast[b->out->anycast_count];
	const struct conf_node *track = conf_get(node, "track");
	bool listed = conf_count(conf_get(node, "addresses")) > 0;
	int rc;

	if (strlen(conf_key(node)) >= sizeof(a->name))
		return conf_error(
			b->conf, node, b->err, "anycast: the name is too long");
	snprintf(a->name, sizeof(a->name), "%s", conf_key(node));
	snprintf(a->instance, sizeof(a->instance), "%s",
		conf_get_str(node, "instance"));
	a->table = (uint32_t)conf_get_int(node, "table");
	a->metric = (uint32_t)conf_get_int(node, "metric");
	a->drain_metric = (uint32_t)conf_get_int(node, "drain_metric");
	a->drain_us = conf_get_int(node, "drain_time") * 1000;
	a->linger_us = conf_get_int(node, "linger") * 1000;
	a->last_man = conf_get_bool(node, "last_man");
	a->for_frr = conf_get_int(node, "engine") == 1;
	snprintf(a->engine_socket, sizeof(a->engine_socket), "%s",
		conf_get_str(node, "engine_socket"));
	a->track_frontend = conf_get_bool(track, "frontend");
	a->track_probe = conf_get_bool(track, "probe");
	if (listed == (a->instance[0] != '\0'))
		return conf_error(b->conf, node, b->err,
			"anycast: %s: need either addresses or instance",
			a->name);
	rc = check_numbers(b, node, a);
	if (rc == 0)
		rc = listed ? take_addresses(b, node, a)
			    : take_instance(b, node, a);
	if (rc == 0)
		rc = check_table(b, node, a);
	if (rc == 0)
		b->out->anycast_count++;
	return rc;
}

int config_build_anycast(
	const struct conf *conf, struct config *out, struct err *err)
{
	struct build b = {conf, out, err};
	const struct conf_node *n =
		conf_first(conf_get(conf_root(conf), "anycast"));
	int rc = 0;

	for (; rc == 0 && n; n = conf_next(n))
		rc = build_one(&b, n);
	return rc;
}

bool config_same_anycast(
	const struct config_anycast *a, const struct config_anycast *b)
{
	return a->family == b->family && a->table == b->table &&
	       a->for_frr == b->for_frr && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->instance, b->instance) == 0;
}
