/* SPDX-License-Identifier: ISC */
/* The schema of authority.yaml, its checks, and a flat view of its zones. */

#include "authority/config.h"

#include <errno.h>

#include "common/base/digest.h"

static const struct schema_item listen_item[] = {{.name = "",
	.type = SCHEMA_ADDR,
	.min = 53,
	.help = "Address and port."}};

static const struct schema_item zone_items[] = {
	{.name = "name",
		.type = SCHEMA_NAME,
		.required = true,
		.help = "Name of the zone."},
	{.name = "file",
		.type = SCHEMA_PATH,
		.required = true,
		.help = "Zone text; relative to this file's folder."},
	{.name = "sha256",
		.type = SCHEMA_STRING,
		.min = 64,
		.max = 64,
		.help = "SHA-256 of the file in hex; another content is "
			"refused. With it the file may have no $INCLUDE."},
	{.name = "serial",
		.type = SCHEMA_INT,
		.min = 0,
		.max = UINT32_MAX,
		.help = "SOA serial; a file with another one is refused."},
	{.type = SCHEMA_END}};

static const struct schema_item zone_item[] = {{.name = "",
	.type = SCHEMA_MAP,
	.children = zone_items,
	.help = "A zone."}};

static const struct schema_item tcp_items[] = {
	{.name = "count",
		.type = SCHEMA_INT,
		.dflt = "500",
		.min = 1,
		.max = 65535,
		.help = "Connections at a time, for each server process."},
	{.name = "timeout",
		.type = SCHEMA_DURATION,
		.dflt = "30s",
		.min = 1000,
		.max = 600000,
		.help = "Idle time of a connection; whole seconds."},
	{.type = SCHEMA_END}};

static const struct schema_item check_items[] = {
	{.name = "memory",
		.type = SCHEMA_SIZE,
		.dflt = "4G",
		.min = 256 << 20,
		.max = (int64_t)1 << 40,
		.help = "Memory that checking zones may take."},
	{.name = "timeout",
		.type = SCHEMA_DURATION,
		.dflt = "5m",
		.min = 1000,
		.max = 3600000,
		.help = "Time that checking one change may take."},
	{.name = "max_zone",
		.type = SCHEMA_SIZE,
		.dflt = "64M",
		.min = 1024,
		.max = (int64_t)1 << 30,
		.help = "Largest zone file."},
	{.type = SCHEMA_END}};

static const struct schema_item metrics_items[] = {
	{.name = "listen",
		.type = SCHEMA_ADDR,
		.min = 8085,
		.help = "Where /metrics and /health are served; none when "
			"absent."},
	{.name = "nsd_interval",
		.type = SCHEMA_DURATION,
		.dflt = "15s",
		.min = 15000,
		.max = 3600000,
		.help = "NSD is asked for its counters at most that often: "
			"each time restarts its server processes."},
	{.type = SCHEMA_END}};

const struct schema_item auth_schema[] = {
	{.name = "listen",
		.type = SCHEMA_LIST,
		.children = listen_item,
		.required = true,
		.min = 1,
		.max = 64,
		.help = "Addresses that NSD serves, UDP and TCP. A change "
			"restarts NSD."},
	{.name = "freebind",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "Bind addresses that are not up yet."},
	{.name = "nsd",
		.type = SCHEMA_PATH,
		.dflt = "/usr/sbin/nsd",
		.reload = SCHEMA_RESTART,
		.help = "NSD's program; nsd-checkconf and nsd-checkzone lie "
			"beside it."},
	{.name = "servers",
		.type = SCHEMA_INT,
		.dflt = "1",
		.min = 1,
		.max = 64,
		.help = "Server processes of NSD. A change restarts NSD."},
	{.name = "state",
		.type = SCHEMA_PATH,
		.dflt = "/var/lib/ispdns/authority",
		.reload = SCHEMA_RESTART,
		.help = "Folder of what NSD reads and writes."},
	{.name = "keep",
		.type = SCHEMA_INT,
		.dflt = "5",
		.min = 2,
		.max = 1000,
		.help = "Trees of earlier changes that are kept."},
	{.name = "health_zone",
		.type = SCHEMA_NAME,
		.dflt = "health.ispdns.invalid.",
		.help = "A zone of one SOA whose serial is the generation; "
			"absent while draining."},
	{.name = "zones",
		.type = SCHEMA_LIST,
		.children = zone_item,
		.dflt = "[]",
		.min = 0,
		.max = 1000000,
		.help = "The zones to serve."},
	{.name = "tcp",
		.type = SCHEMA_MAP,
		.children = tcp_items,
		.dflt = "{}",
		.help = "TCP. A change restarts NSD."},
	{.name = "check",
		.type = SCHEMA_MAP,
		.children = check_items,
		.dflt = "{}",
		.help = "Limits of the process that checks zones."},
	{.name = "metrics",
		.type = SCHEMA_MAP,
		.children = metrics_items,
		.dflt = "{}",
		.reload = SCHEMA_RESTART,
		.help = "Metrics."},
	{.type = SCHEMA_END}};

static int check_zone(
	const struct conf *conf, const struct conf_node *zone, struct err *err)
{
	const struct name *health =
		conf_name(conf_get(conf_root(conf), "health_zone"));
	const struct conf_node *sha = conf_get(zone, "sha256");
	uint8_t digest[DIGEST_SIZE];

	if (name_equal(conf_name(conf_get(zone, "name"))->wire, health->wire))
		return conf_error(conf, zone, err,
			"zones: %s: is the health zone",
			conf_get_str(zone, "name"));
	if (sha && !hex_parse(conf_str(sha), digest, DIGEST_SIZE))
		return conf_error(
			conf, sha, err, "zones.sha256: must be 64 hex digits");
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct conf_node *const *x = a, *const *y = b;
	const struct name *nx = conf_name(conf_get(*x, "name"));
	const struct name *ny = conf_name(conf_get(*y, "name"));
	int order = name_compare(nx->wire, ny->wire);

	if (order != 0)
		return order;
	return conf_line(*x) < conf_line(*y) ? -1 : 1;
}

/* Two zones of one name: sorted, they are neighbours. */
static int check_twice(
	const struct conf *conf, const struct conf_node *list, struct err *err)
{
	size_t n = conf_count(list), i = 0;
	const struct conf_node **sorted, *zone;
	int rc = 0;

	sorted = calloc(n ? n : 1, sizeof(struct conf_node *));
	if (!sorted)
		return err_fail(err, -ENOMEM, "out of memory");
	for (zone = conf_first(list); zone; zone = conf_next(zone))
		sorted[i++] = zone;
	qsort(sorted, n, sizeof(struct conf_node *), by_name);
	for (i = 1; i < n && rc == 0; i++) {
		const struct name *a =
			conf_name(conf_get(sorted[i - 1], "name"));
		const struct name *b = conf_name(conf_get(sorted[i], "name"));

		if (name_equal(a->wire, b->wire))
			rc = conf_error(conf, sorted[i], err,
				"zones: %s: twice, first in line %u",
				conf_get_str(sorted[i], "name"),
				conf_line(sorted[i - 1]));
	}
	free(sorted);
	return rc;
}

static int check_listen(
	const struct conf *conf, const struct conf_node *list, struct err *err)
{
	const struct conf_node *a, *b;

	for (a = conf_first(list); a; a = conf_next(a)) {
		if (addr_port(conf_addr(a)) == 0)
			return conf_error(conf, a, err, "listen: %s: no port",
				conf_str(a));
		for (b = conf_first(list); b != a; b = conf_next(b)) {
			if (addr_equal(conf_addr(a), conf_addr(b)))
				return conf_error(conf, a, err,
					"listen: %s: twice", conf_str(a));
		}
	}
	return 0;
}

/* NSD's configuration has no way to quote these. */
static int check_state(const struct conf *conf, struct err *err)
{
	const struct conf_node *state = conf_get(conf_root(conf), "state");
	const char *path = conf_str(state);

	if (path[0] != '/')
		return conf_error(
			conf, state, err, "state: must be an absolute path");
	if (strpbrk(path, "\"\n\\%") || strlen(path) > 90)
		return conf_error(conf, state, err,
			"state: at most 90 octets, without \" \\ and %%");
	return 0;
}

int auth_config_check(const struct conf *conf, struct err *err)
{
	const struct conf_node *root = conf_root(conf), *zone;
	const struct conf_node *list = conf_get(root, "zones");
	int rc;

	for (zone = conf_first(list); zone; zone = conf_next(zone)) {
		if ((rc = check_zone(conf, zone, err)) < 0)
			return rc;
	}
	if ((rc = check_twice(conf, list, err)) < 0 ||
		(rc = check_state(conf, err)) < 0)
		return rc;
	return check_listen(conf, conf_get(root, "listen"), err);
}

static void fill_zone(struct auth_zone *out, const struct conf_node *zone)
{
	const struct conf_node *serial = conf_get(zone, "serial");

	out->wire = conf_name(conf_get(zone, "name"));
	out->name = conf_get_str(zone, "name");
	out->file = conf_get_str(zone, "file");
	out->sha256 = conf_get_str(zone, "sha256");
	out->has_serial = serial != NULL;
	out->serial = serial ? (uint32_t)conf_int(serial) : 0;
}

struct auth_config *auth_config_new(
	const struct conf *conf, long long generation)
{
	const struct conf_node *list = conf_get(conf_root(conf), "zones");
	struct auth_config *config = calloc(1, sizeof(*config));
	const struct conf_node *zone;

	if (!config)
		return NULL;
	config->conf = conf;
	config->generation = generation;
	config->zones = calloc(conf_count(list) + 1, sizeof(struct auth_zone));
	if (!config->zones) {
		free(config);
		return NULL;
	}
	for (zone = conf_first(list); zone; zone = conf_next(zone))
		fill_zone(&config->zones[config->zone_count++], zone);
	return config;
}

void auth_config_free(struct auth_config *config)
{
	if (!config)
		return;
	free(config->zones);
	free(config);
}

const char *auth_config_state(const struct auth_config *config)
{
	return conf_get_str(conf_root(config->conf), "state");
}

int auth_config_tool(const struct auth_config *config, const char *tool,
	char *out, size_t size)
{
	const char *nsd = conf_get_str(conf_root(config->conf), "nsd");
	const char *slash = strrchr(nsd, '/');
	int n = snprintf(out, size, "%.*s%s",
		slash ? (int)(slash - nsd) + 1 : 0, nsd, tool);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

const struct name *auth_config_health(const struct auth_config *config)
{
	return conf_name(conf_get(conf_root(config->conf), "health_zone"));
}

static bool is_loopback(const union addr *a)
{
	if (a->sa.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* A loopback address if there is one, else the first. */
union addr auth_config_probe_addr(const struct auth_config *config)
{
	const struct conf_node *list =
		conf_get(conf_root(config->conf), "listen");
	const struct conf_node *n, *best = conf_first(list);
	union addr a;

	for (n = conf_first(list); n; n = conf_next(n)) {
		if (is_loopback(conf_addr(n))) {
			best = n;
			break;
		}
	}
	a = *conf_addr(best);
	if (!addr_is_any(&a))
		return a;
	if (a.sa.sa_family == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a.v6.sin6_addr = in6addr_loopback;
	return a;
}
