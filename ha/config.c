/* SPDX-License-Identifier: ISC */
#include "ha/config.h"

#include <errno.h>

#include "common/base/digest.h"

/*
 * The step from checked text to the snapshot. What the schema table cannot say
 * (version against family, intervals against version, the same VRID twice) is
 * found by building: config_check is config_build with the result thrown away,
 * so both can never disagree.
 */

enum {
	MTU = 1500,
	REALTIME_MS = 50
};

struct build {
	const struct conf *conf;
	struct config *out;
	struct err *err;
};

static void copy_octets(const union addr *addr, uint8_t out[16])
{
	const uint8_t *octets;
	size_t n = addr_octets(addr, &octets);

	memset(out, 0, 16);
	memcpy(out, octets, n);
}

static uint8_t family_of(const union addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? 6 : 4;
}

/* "10.1.2.3/24"; without a length it is one host. */
static int parse_vip(const char *text, struct config_vip *vip, uint8_t *family)
{
	const char *slash = strchr(text, '/');
	char ip[64];
	union addr addr;
	long len, max;
	char *end;

	snprintf(ip, sizeof(ip), "%.*s",
		(int)(slash ? slash - text : (long)strlen(text)), text);
	if (addr_parse(ip, 0, &addr) < 0 || addr_port(&addr) != 0)
		return -EINVAL;
	*family = family_of(&addr);
	max = *family == 6 ? 128 : 32;
	len = max;
	if (slash) {
		len = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end || len < 1 || len > max)
			return -EINVAL;
	}
	memset(vip, 0, sizeof(*vip));
	copy_octets(&addr, vip->octets);
	vip->prefix = (uint8_t)len;
	return 0;
}

static bool has_vip(const struct config_instance *in, const uint8_t *octets)
{
	for (size_t i = 0; i < in->vip_count; i++)
		if (memcmp(in->vips[i].octets, octets, 16) == 0)
			return true;
	return false;
}

/* Of the longest message: version 2's authentication, and a trailer. */
static size_t wire_max(uint8_t family)
{
	size_t rest = MTU - (family == 6 ? 40 : PACKET_IP4_HDR) - 8 -
		      PACKET_AUTH_LEN - PACKET_TRAILER;

	return rest / packet_addr_len(family);
}

static int build_addresses(struct build *b, const struct conf_node *node,
	struct config_instance *in)
{
	const struct conf_node *n = conf_first(conf_get(node, "addresses"));
	bool all = conf_get_int(node, "advertise") == 1;
	size_t max;

	for (; n; n = conf_next(n)) {
		struct config_vip vip;
		uint8_t family;

		if (parse_vip(conf_str(n), &vip, &family) < 0)
			return conf_error(b->conf, n, b->err,
				"addresses: %s: need ADDRESS/LENGTH",
				conf_str(n));
		if (in->vip_count && family != in->family)
			return conf_error(b->conf, n, b->err,
				"addresses: IPv4 and IPv6 need an instance "
				"each");
		if (has_vip(in, vip.octets))
			return conf_error(b->conf, n, b->err,
				"addresses: %s is there twice", conf_str(n));
		in->family = family;
		if (in->vip_count == 0 || all)
			memcpy(in->wire + in->wire_count++ *
						  packet_addr_len(family),
				vip.octets, packet_addr_len(family));
		in->vips[in->vip_count++] = vip;
	}
	max = wire_max(in->family);
	if (in->wire_count > max)
		return conf_error(b->conf, conf_get(node, "advertise"), b->err,
			"advertise: all: a packet of %d octets takes %zu "
			"addresses, there are %d",
			MTU, max, in->wire_count);
	return 0;
}

static int build_peers(struct build *b, const struct conf_node *node,
	struct config_instance *in)
{
	const struct conf_node *n = conf_first(conf_get(node, "peers"));

	for (; n; n = conf_next(n)) {
		if (family_of(conf_addr(n)) != in->family)
			return conf_error(b->conf, n, b->err,
				"peers: not of the addresses' family");
		copy_octets(conf_addr(n), in->peers[in->peer_count++]);
	}
	n = conf_first(conf_get(node, "handover_peers"));
	for (; n; n = conf_next(n))
		in->handover[in->handover_count++] = *conf_addr(n);
	return 0;
}

static const struct preset {
	uint8_t version;
	int64_t interval_ms;
} presets[] = {{3, 100}, {3, 20}, {2, 1000}}; /* as the schema names them */

static int build_timing(struct build *b, const struct conf_node *node,
	struct config_instance *in)
{
	const struct preset *preset = &presets[conf_get_int(node, "preset")];
	bool given = conf_has(node, "interval");
	const struct conf_node *n = given ? conf_get(node, "interval") : node;
	int64_t ms = given ? conf_int(n) : preset->interval_ms;
	int64_t alt = conf_get_int(node, "accept_interval");

	in->version = conf_has(node, "version")
			      ? (uint8_t)(conf_get_int(node, "version") + 2)
			      : preset->version;
	if (in->version == 2 && (ms < 1000 || ms % 1000 || alt % 1000))
		return conf_error(b->conf, n, b->err,
			"interval: version 2 has whole seconds, 1s..255s");
	if (in->version == 3 && (ms > 40950 || ms % 10))
		return conf_error(b->conf, n, b->err,
			"interval: version 3 has 10ms..40950ms in steps of "
			"10ms");
	if (ms < REALTIME_MS && !b->out->realtime)
		return conf_error(b->conf, n, b->err,
			"interval: below %dms needs realtime: true, or a busy "
			"machine loses its role",
			REALTIME_MS);
	if (in->version == 3 && alt)
		return conf_error(b->conf, conf_get(node, "accept_interval"),
			b->err,
			"accept_interval: version 3 accepts any interval");
	in->interval_us = (uint32_t)(ms * 1000);
	in->interval_alt_us = (uint32_t)(alt * 1000);
	in->preempt_delay_us = conf_get_int(node, "preempt_delay") * 1000;
	in->startup_delay_us = conf_get_int(node, "startup_delay") * 1000;
	return 0;
}

static int build_auth(struct build *b, const struct conf_node *node,
	struct config_instance *in)
{
	const struct conf_node *n = conf_get(node, "auth");
	const char *password = conf_get_str(node, "password");
	size_t len = password ? strlen(password) : 0;

	in->auth_type = (uint8_t)conf_int(n);
	if (in->auth_type == PACKET_AUTH_NONE)
		return 0;
	if (in->version == 3)
		return conf_error(b->conf, n, b->err,
			"auth: version 3 has no authentication");
	if (len == 0)
		return conf_error(
			b->conf, n, b->err, "auth: pass needs a password");
	in->password_cut = len > PACKET_AUTH_LEN;
	if (in->password_cut)
		len = PACKET_AUTH_LEN;
	memcpy(in->auth, password, len);
	return 0;
}

static int build_hmac_key(
	struct build *b, const struct conf_node *n, struct hmac_conf *hmac)
{
	struct hmac_key *key = &hmac->keys[hmac->key_count];
	const char *hex = conf_str(n);
	size_t len = strlen(hex);
	char *end;
	long id = strtol(conf_key(n), &end, 10);

	if (*end || id < 1 || id > 255)
		return conf_error(b->conf, n, b->err,
			"keys: %s: need a number of 1 to 255", conf_key(n));
	if (len % 2 || len < 2 * HMAC_KEY_MIN || len > 2 * HMAC_KEY_MAX ||
		!hex_parse(hex, key->octets, len / 2))
		return conf_error(b->conf, n, b->err,
			"keys: %ld: need 64 to 128 hex digits", id);
	key->id = (uint8_t)id;
	key->len = (uint8_t)(len / 2);
	for (size_t i = 0; i < hmac->key_count; i++)
		if (hmac->keys[i].id == key->id)
			return conf_error(b->conf, n, b->err,
				"keys: %ld is there twice", id);
	hmac->key_count++;
	return 0;
}

/* Three intervals, as the time until a master counts as dead; but clocks
 * differ by seconds sooner than by hundredths. */
static uint32_t default_window(const struct config_instance *in)
{
	uint32_t s = 3 * (in->interval_us / 1000000);

	return s < 5 ? 5 : s > 300 ? 300 : s;
}

static int build_hmac(struct build *b, const struct conf_node *node,
	struct config_instance *in)
{
	const struct conf_node *n = conf_get(node, "hmac"), *k;
	struct hmac_conf *hmac = &in->hmac;
	long long active = conf_get_int(n, "active");
	int rc = 0;

	hmac->mode = (enum hmac_mode)conf_get_int(n, "mode");
	hmac->window_s = (uint32_t)(conf_get_int(n, "window") / 1000);
	if (!hmac->window_s)
		hmac->window_s = default_window(in);
	k = conf_first(conf_get(n, "keys"));
	for (; k && rc == 0; k = conf_next(k))
		rc = build_hmac_key(b, k, hmac);
	if (rc < 0 || hmac->mode == HMAC_OFF)
		return rc;
	if (in->auth_type != PACKET_AUTH_NONE)
		return conf_error(b->conf, n, b->err,
			"hmac: not together with auth: pass");
	while (hmac->active < hmac->key_count &&
		hmac->keys[hmac->active].id != active)
		hmac->active++;
	if (hmac->active == hmac->key_count)
		return conf_error(b->conf, n, b->err,
			"hmac: the active key %lld is not among the keys",
			active);
	return 0;
}

static int check_twice(struct build *b, const struct conf_node *node,
	const struct config_instance *in)
{
	for (size_t i = 0; i < b->out->instance_count; i++) {
		const struct config_instance *other = &b->out->instances[i];

		if (config_same_router(in, other))
			return conf_error(b->conf, node, b->err,
				"vrid: %d on %s is %s already", in->vrid,
				in->ifname, other->name);
		for (size_t k = 0; k < in->vip_count; k++)
			if (in->family == other->family &&
				has_vip(other, in->vips[k].octets))
				return conf_error(b->conf, node, b->err,
					"addresses: one of them belongs to %s "
					"already",
					other->name);
	}
	return 0;
}

static int build_track(struct build *b, const struct conf_node *track,
	struct config_instance *in)
{
	const char *gateway = conf_get_str(track, "gateway");
	const uint8_t *octets;
	union addr addr;

	in->track_frontend = conf_get_bool(track, "frontend");
	in->track_probe = conf_get_bool(track, "probe");
	if (!gateway || !*gateway)
		return 0;
	if (addr_parse(gateway, 0, &addr) < 0 || addr_port(&addr) != 0 ||
		addr.sa.sa_family != AF_INET || in->family != 4)
		return conf_error(b->conf, conf_get(track, "gateway"), b->err,
			"gateway: need an IPv4 address, in an instance of "
			"IPv4");
	addr_octets(&addr, &octets);
	memcpy(in->gateway, octets, sizeof(in->gateway));
	in->has_gateway = true;
	return 0;
}

static int build_instance(struct build *b, const struct conf_node *node)
{
	struct config_instance *in = &b->out->instances[b->out->instance_count];
	const struct conf_node *track = conf_get(node, "track");
	int rc;

	if (strlen(conf_key(node)) >= sizeof(in->name))
		return conf_error(b->conf, node, b->err,
			"instances: the name is too long");
	snprintf(in->name, sizeof(in->name), "%s", conf_key(node));
	snprintf(in->ifname, sizeof(in->ifname), "%s",
		conf_get_str(node, "interface"));
	snprintf(in->group, sizeof(in->group), "%s",
		conf_get_str(node, "sync_group"));
	in->vrid = (uint8_t)conf_get_int(node, "vrid");
	in->both_versions = conf_get_bool(node, "accept_other_version");
	in->priority = (uint8_t)conf_get_int(node, "priority");
	in->preempt = conf_get_bool(node, "preempt");
	in->rescue = conf_get_bool(node, "rescue");
	in->strict_addrs = conf_get_bool(node, "strict_addresses");
	in->checksum = (enum config_checksum)conf_get_int(node, "checksum");
	rc = build_timing(b, node, in);
	if (rc == 0)
		rc = build_auth(b, node, in);
	if (rc == 0)
		rc = build_hmac(b, node, in);
	if (rc == 0)
		rc = build_addresses(b, node, in);
	if (rc == 0)
		rc = build_track(b, track, in);
	if (rc == 0 && in->version == 2 && in->family == 6)
		rc = conf_error(
			b->conf, node, b->err, "version: 2 is for IPv4 only");
	if (rc == 0)
		rc = build_peers(b, node, in);
	if (rc == 0)
		rc = check_twice(b, node, in);
	if (rc == 0)
		b->out->instance_count++;
	return rc;
}

/* Alone in a group is most likely a name that was mistyped. */
static int check_groups(struct build *b, const struct conf_node *first)
{
	const struct config_instance *all = b->out->instances;
	const struct conf_node *n = first;

	for (size_t i = 0; n; n = conf_next(n), i++) {
		size_t members = 0;

		for (size_t k = 0; k < b->out->instance_count; k++)
			members += strcmp(all[i].group, all[k].group) == 0;
		if (all[i].group[0] && members < 2)
			return conf_error(b->conf, conf_get(n, "sync_group"),
				b->err,
				"sync_group: %s has one member only, need two",
				all[i].group);
	}
	return 0;
}

static int build_key(struct build *b, const struct conf_node *node)
{
	const char *hex = conf_str(node);
	size_t len = strlen(hex);

	b->out->key_len = len / 2;
	if (len == 0)
		return 0;
	if (len % 2 || len < 32 || !hex_parse(hex, b->out->key, len / 2))
		return conf_error(b->conf, node, b->err,
			"key: need 32 to 128 hex digits");
	return 0;
}

static int build_metrics(struct build *b, const struct conf_node *node)
{
	const char *text = conf_str(node);

	if (!*text)
		return 0;
	if (addr_parse(text, 8086, &b->out->metrics) < 0)
		return conf_error(b->conf, node, b->err,
			"listen: %s: need ADDRESS:PORT", text);
	b->out->has_metrics = true;
	return 0;
}

static int build_health(struct build *b, const struct conf_node *root)
{
	const struct conf_node *probe = conf_path(root, "health.probe");
	const struct conf_node *socket = conf_path(root, "health.socket");
	struct config_probe *p = &b->out->probe;
	const struct name *name = conf_name(conf_get(probe, "name"));

	if (strlen(conf_str(socket)) >= sizeof(b->out->health_path))
		return conf_error(
			b->conf, socket, b->err, "socket: path too long");
	snprintf(b->out->health_path, sizeof(b->out->health_path), "%s",
		conf_str(socket));
	memcpy(p->qname, name->wire, name->len);
	p->qname_len = name->len;
	p->port = (uint16_t)conf_get_int(probe, "port");
	p->interval_us = conf_get_int(probe, "interval") * 1000;
	p->timeout_us = conf_get_int(probe, "timeout") * 1000;
	p->fall = (unsigned)conf_get_int(probe, "fall");
	if (p->timeout_us > p->interval_us)
		return conf_error(b->conf, conf_get(probe, "timeout"), b->err,
			"timeout: longer than the interval, so that failures "
			"are found late or never");
	return 0;
}

static int build_fencing(struct build *b, const struct conf_node *node)
{
	const struct conf_node *list = conf_get(node, "program");
	const struct conf_node *n = conf_first(list);
	struct config *c = b->out;

	c->fence_timeout_ms = (int)conf_get_int(node, "timeout");
	for (; n; n = conf_next(n))
		snprintf(c->fence_args[c->fence_count++], CONFIG_FENCE_ARG,
			"%s", conf_str(n));
	if (c->fence_count && c->fence_args[0][0] != '/')
		return conf_error(b->conf, list, b->err,
			"program: %s: need an absolute path", c->fence_args[0]);
	return 0;
}

static int build_all(struct build *b)
{
	const struct conf_node *root = conf_root(b->conf), *n;
	int rc;

	snprintf(b->out->node, sizeof(b->out->node), "%s",
		conf_get_str(root, "node"));
	b->out->linger_us = conf_get_int(root, "linger") * 1000;
	b->out->realtime = conf_get_bool(root, "realtime");
	b->out->handover_port =
		(uint16_t)conf_int(conf_path(root, "handover.port"));
	rc = build_key(b, conf_path(root, "handover.key"));
	if (rc == 0)
		rc = build_metrics(b, conf_path(root, "metrics.listen"));
	if (rc == 0)
		rc = build_health(b, root);
	if (rc == 0)
		rc = build_fencing(b, conf_get(root, "fencing"));
	n = conf_first(conf_get(root, "instances"));
	for (; rc == 0 && n; n = conf_next(n))
		rc = build_instance(b, n);
	if (rc == 0)
		rc = config_build_anycast(b->conf, b->out, b->err);
	if (rc == 0)
		rc = check_groups(b, conf_first(conf_get(root, "instances")));
	return rc;
}

struct config *config_build(const struct conf *conf, struct err *err)
{
	struct build b = {conf, calloc(1, sizeof(struct config)), err};

	if (!b.out) {
		err_set(err, "out of memory");
		return NULL;
	}
	if (build_all(&b) < 0) {
		config_free(b.out);
		return NULL;
	}
	return b.out;
}

int config_check(const struct conf *conf, struct err *err)
{
	struct config *c = config_build(conf, err);

	if (!c)
		return -EINVAL;
	config_free(c);
	return 0;
}

void config_free(struct config *c)
{
	free(c);
}

bool config_same_router(
	const struct config_instance *a, const struct config_instance *b)
{
	return a->vrid == b->vrid && a->family == b->family &&
	       strcmp(a->ifname, b->ifname) == 0;
}
