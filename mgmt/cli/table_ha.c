/* SPDX-License-Identifier: ISC */
/* Commands on virtual addresses, anycast and ispdns-ha. */
#include "mgmt/cli/table.h"

/* The same for create and set. */
#define VIP_OPTIONS                                                            \
	OPT("preset", "preset", PARAM_TEXT,                                    \
		"legacy (v2, 1 s), default (v3, 100 ms), fast (v3, 20 ms)"),   \
		OPT("version", "version", PARAM_INT, "VRRP 2 or 3"),           \
		OPT("interval_ms", "interval-ms", PARAM_INT, NULL),            \
		OPT("auth", "auth", PARAM_TEXT, "none or pass (version 2)"),   \
		OPT("password", "password", PARAM_TEXT, "up to 8 octets"),     \
		OPT("peers", "peers", PARAM_LIST, "unicast peers"),            \
		OPT("known_peers", "known-peers", PARAM_LIST,                  \
			"routers of it that are no nodes of ours"),            \
		OPT("sync_group", "sync-group", PARAM_TEXT,                    \
			"vips of one group move together"),                    \
		OPT("preempt", "preempt", PARAM_BOOL, "yes or no"),            \
		OPT("preempt_delay_ms", "preempt-delay-ms", PARAM_INT, NULL),  \
		OPT("rescue", "rescue", PARAM_BOOL,                            \
			"relieve a keepalived whose DNS does not answer"),     \
		OPT("startup_delay_ms", "startup-delay-ms", PARAM_INT,         \
			"no promotion for so long after a start"),             \
		OPT("track_frontend", "track-frontend", PARAM_BOOL, NULL),     \
		OPT("track_probe", "track-probe", PARAM_BOOL, NULL),           \
		OPT("gateway", "gateway", PARAM_TEXT, "address to track"),     \
		OPT("advertise", "advertise", PARAM_TEXT,                      \
			"anchor (the first address) or all"),                  \
		OPT("strict_addresses", "strict-addresses", PARAM_BOOL,        \
			"discard adverts with other addresses"),               \
		OPT("checksum", "checksum", PARAM_TEXT,                        \
			"rfc5798, rfc9568 or follow-peer (v3, IPv4)"),         \
		OPT("accept_other_version", "accept-other-version",            \
			PARAM_BOOL, "while routers of others migrate"),        \
		OPT("accept_interval_ms", "accept-interval-ms", PARAM_INT,     \
			"a second interval (version 2)"),                      \
		OPT("hmac_window_ms", "hmac-window-ms", PARAM_INT,             \
			"how far clocks may differ; 0: by interval"),          \
		OPT("qps", "qps", PARAM_INT,                                   \
			"expected, against the nodes' capacity-qps")

static const struct param p_vip[] = {ARG("vip", "VIP", PARAM_TEXT)};

static const struct param p_vip_create[] = {
	ARG("vip", "VIP", PARAM_TEXT),
	NEED("vrid", "vrid", PARAM_INT, "virtual router id, 1..255"),
	NEED("addresses", "addresses", PARAM_LIST, "10.0.0.1/24,..."),
	VIP_OPTIONS,
};

static const struct param p_vip_set[] = {
	ARG("vip", "VIP", PARAM_TEXT),
	OPT("vrid", "vrid", PARAM_INT, "virtual router id, 1..255"),
	OPT("addresses", "addresses", PARAM_LIST, "10.0.0.1/24,..."),
	VIP_OPTIONS,
};

static const struct param p_vip_node[] = {
	ARG("vip", "VIP", PARAM_TEXT),
	ARG("node", "NODE", PARAM_TEXT),
	OPT("priority", "priority", PARAM_INT,
		"1..254, the highest serves; default: below the others"),
	OPT("interface", "interface", PARAM_TEXT, "such as ens160"),
	OPT("remove", "remove", PARAM_BOOL, "take the node out"),
};

static const struct param p_vip_move[] = {
	ARG("vip", "VIP", PARAM_TEXT),
	OPT("to", "to", PARAM_TEXT, "node; default: the next one"),
};

static const struct param p_vip_hmac[] = {
	ARG("vip", "VIP", PARAM_TEXT),
	ARG("what", "on|off|rotate", PARAM_TEXT),
};

static const struct param p_ha_set[] = {
	OPT("linger_ms", "linger-ms", PARAM_INT,
		"answer late packets so long after a planned move"),
	OPT("realtime", "realtime", PARAM_BOOL, "SCHED_RR"),
	OPT("probe_name", "probe-name", PARAM_TEXT, "asked at each address"),
	OPT("probe_port", "probe-port", PARAM_INT, NULL),
	OPT("probe_interval_ms", "probe-interval-ms", PARAM_INT, NULL),
	OPT("probe_timeout_ms", "probe-timeout-ms", PARAM_INT, NULL),
	OPT("probe_fall", "probe-fall", PARAM_INT,
		"failures of the last 3 that count"),
	OPT("handover_port", "handover-port", PARAM_INT,
		"UDP between our nodes"),
	OPT("fencing", "fencing", PARAM_LIST,
		"program and arguments, run against a second master"),
	OPT("fencing_timeout_ms", "fencing-timeout-ms", PARAM_INT,
		"then it is killed"),
};

#define ANYCAST_OPTIONS                                                        \
	OPT("addresses", "addresses", PARAM_LIST, "198.51.100.53,..."),        \
		OPT("vip", "vip", PARAM_TEXT,                                  \
			"instead: a vip, routed by its master"),               \
		OPT("engine", "engine", PARAM_TEXT, "bird or frr"),            \
		OPT("engine_socket", "engine-socket", PARAM_TEXT,              \
			"where it listens, when not where it usually does"),   \
		OPT("table", "table", PARAM_INT, "kernel routing table"),      \
		OPT("metric", "metric", PARAM_INT, "MED while all is well"),   \
		OPT("drain_metric", "drain-metric", PARAM_INT,                 \
			"MED while drained or degraded"),                      \
		OPT("drain_time_ms", "drain-time-ms", PARAM_INT,               \
			"then it is withdrawn"),                               \
		OPT("linger_ms", "linger-ms", PARAM_INT,                       \
			"then the address goes"),                              \
		OPT("last_man", "last-man", PARAM_BOOL,                        \
			"a failed node stays, with the drain metric"),         \
		OPT("track_frontend", "track-frontend", PARAM_BOOL, NULL),     \
		OPT("track_probe", "track-probe", PARAM_BOOL, NULL)

static const struct param p_anycast[] = {ARG("anycast", "NAME", PARAM_TEXT)};

static const struct param p_anycast_set[] = {
	ARG("anycast", "NAME", PARAM_TEXT),
	ANYCAST_OPTIONS,
};

static const struct param p_anycast_node[] = {
	ARG("anycast", "NAME", PARAM_TEXT),
	ARG("node", "NODE", PARAM_TEXT),
	OPT("metric", "metric", PARAM_INT, "of this node; 0: the service's"),
	OPT("engine", "engine", PARAM_TEXT, "of this node"),
	OPT("remove", "remove", PARAM_BOOL, "take the node out"),
};

static const struct command commands[] = {
	{"vip list", "vip.list", NONE, NULL,
		"VIP:vip VRID:vrid VERSION:version ADDRESSES:addresses "
		"NODES:nodes OWNERS:owners",
		"virtual addresses"},
	{"vip show", "vip.show", WITH(p_vip), NULL, NULL,
		"one of them, with what its nodes say now"},
	{"vip create", "vip.create", WITH(p_vip_create), NULL, NULL,
		"a VRRP instance"},
	{"vip set", "vip.set", WITH(p_vip_set), NULL, NULL, "change it"},
	{"vip delete", "vip.delete", WITH(p_vip), NULL, NULL, "remove it"},
	{"vip node", "vip.node", WITH(p_vip_node), NULL, NULL,
		"a node's priority and interface"},
	{"vip hmac", "vip.hmac", WITH(p_vip_hmac), NULL, NULL,
		"sign adverts, or change the key: step by step with apply"},
	{"vip move", "vip.move", WITH(p_vip_move), run_vip_move, NULL,
		"hand the address over now"},
	{"anycast list", "anycast.list", NONE, NULL,
		"NAME:anycast ADDRESSES:addresses VIP:vip ENGINE:engine "
		"METRIC:metric NODES:nodes ANNOUNCED_BY:announced_by",
		"addresses announced by BGP"},
	{"anycast show", "anycast.show", WITH(p_anycast), NULL, NULL,
		"one service, with what its nodes say now"},
	{"anycast create", "anycast.create", WITH(p_anycast_set), NULL, NULL,
		"addresses that BIRD or FRR announces beside ispdns-ha"},
	{"anycast set", "anycast.set", WITH(p_anycast_set), NULL, NULL,
		"change it"},
	{"anycast delete", "anycast.delete", WITH(p_anycast), NULL, NULL,
		"remove it"},
	{"anycast node", "anycast.node", WITH(p_anycast_node), NULL, NULL,
		"a node that announces it"},
	{"ha show", "ha.show", NONE, NULL, NULL,
		"what all ispdns-ha have in common"},
	{"ha set", "ha.set", WITH(p_ha_set), NULL, NULL, "change it"},
};

const struct command *table_ha(size_t *count)
{
	*count = countof(commands);
	return commands;
}
