/* SPDX-License-Identifier: ISC */

/* The keys of ha.yaml: types, defaults, ranges, meaning. */

#include "common/ctl/heartbeat.h"
#include "ha/config.h"
#include "ha/handover.h"

static const char *const versions[] = {"2", "3", NULL};
static const char *const presets[] = {"default", "fast", "legacy", NULL};
static const char *const auths[] = {"none", "pass", NULL};
static const char *const checksums[] = {
	"rfc5798", "rfc9568", "follow-peer", NULL};
static const char *const hmac_modes[] = {
	"off", "receive-only", "permissive", "enforce", NULL};
static const char *const advertises[] = {"anchor", "all", NULL};
static const char *const engines[] = {"bird", "frr", NULL};

static const struct schema_item address_item[] = {
	{.name = "",
		.type = SCHEMA_STRING,
		.min = 3,
		.max = 64,
		.help = "Address with prefix length, such as 10.1.2.3/24."},
	{.type = SCHEMA_END},
};

static const struct schema_item ip_item[] = {
	{.name = "", .type = SCHEMA_IP, .help = "Address of a peer."},
	{.type = SCHEMA_END},
};

static const struct schema_item handover_item[] = {
	{.name = "",
		.type = SCHEMA_ADDR,
		.min = HANDOVER_PORT,
		.help = "Address of one of our own peers."},
	{.type = SCHEMA_END},
};

/* A virtual router has a link with a gateway; anycast has only what is
 * behind it. */
static const struct schema_item track_items[] = {
	{.name = "gateway",
		.type = SCHEMA_STRING,
		.dflt = "\"\"",
		.max = 64,
		.help = "An IPv4 router that must answer ARP; empty: none. "
			"Without it this node counts 120 less; peers are "
			"told, see VRRP.md."},
	{.name = "frontend",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Follow the heartbeat of ispdns-frontend."},
	{.name = "probe",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Ask the first address a real question while it is "
			"here."},
	{.type = SCHEMA_END},
};
#define TRACK_NODE (track_items + 1)

static const struct schema_item hmac_key[] = {
	{.name = "",
		.type = SCHEMA_STRING,
		.secret = true,
		.help = "Key of 32 to 64 octets in hex, by its number 1 to "
			"255."},
	{.type = SCHEMA_END},
};

static const struct schema_item hmac_items[] = {
	{.name = "mode",
		.type = SCHEMA_ENUM,
		.choices = hmac_modes,
		.dflt = "off",
		.help = "receive-only checks what is signed, permissive signs "
			"too, enforce wants all signed; introduce it in this "
			"order on all nodes."},
	{.name = "keys",
		.type = SCHEMA_DICT,
		.children = hmac_key,
		.max = HMAC_KEYS,
		.dflt = "{}",
		.help = "Keys by number; several while one is being "
			"replaced."},
	{.name = "active",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 255,
		.dflt = "1",
		.help = "Number of the key that signs."},
	{.name = "window",
		.type = SCHEMA_DURATION,
		.max = 300000,
		.dflt = "0s",
		.help = "How far clocks may differ, whole seconds; 0s: three "
			"intervals, at least 5s."},
	{.type = SCHEMA_END},
};

static const struct schema_item instance_items[] = {
	{.name = "interface",
		.type = SCHEMA_STRING,
		.min = 1,
		.max = IFNAMSIZ - 1,
		.required = true,
		.help = "The link that carries adverts and addresses."},
	{.name = "vrid",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 255,
		.required = true,
		.help = "Number of the virtual router, the same on all peers."},
	{.name = "preset",
		.type = SCHEMA_ENUM,
		.choices = presets,
		.dflt = "default",
		.help = "What version and interval are where they are not "
			"given: default 3 and 100ms, fast 3 and 20ms (no "
			"virtual machine), legacy 2 and 1s."},
	{.name = "version",
		.type = SCHEMA_ENUM,
		.choices = versions,
		.help = "VRRP version; 2 is for IPv4 only; without: as the "
			"preset says."},
	{.name = "accept_other_version",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "Accept adverts of the other version too, for a "
			"migration."},
	{.name = "priority",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 254,
		.dflt = "254",
		.help = "The highest of the healthy nodes is master; 255, the "
			"owner of an address, is not for one that moves."},
	{.name = "interval",
		.type = SCHEMA_DURATION,
		.min = 10,
		.max = 255000,
		.help = "Between adverts: version 2 whole seconds, version 3 "
			"10ms to 40.95s, below 50ms only with realtime; "
			"without: as the preset says."},
	{.name = "accept_interval",
		.type = SCHEMA_DURATION,
		.min = 0,
		.max = 255000,
		.dflt = "0s",
		.help = "Version 2: a second interval that is accepted while "
			"it is being changed; 0s: none."},
	{.name = "auth",
		.type = SCHEMA_ENUM,
		.choices = auths,
		.dflt = "none",
		.help = "Version 2: pass sends the password in plain text."},
	{.name = "password",
		.type = SCHEMA_STRING,
		.secret = true,
		.dflt = "\"\"",
		.max = 64,
		.help = "For auth: pass; the first 8 octets count."},
	{.name = "hmac",
		.type = SCHEMA_MAP,
		.children = hmac_items,
		.dflt = "{}",
		.help = "Sign adverts as auth_hmac of keepalived 2.4 does; "
			"needs clocks that agree."},
	{.name = "preempt",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "Take the role from a master of lower priority."},
	{.name = "preempt_delay",
		.type = SCHEMA_DURATION,
		.max = 1000000,
		.dflt = "0s",
		.help = "Wait before doing so."},
	{.name = "rescue",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.help = "As backup ask the first address a real question; "
			"when a master that is not one of ours (keepalived) "
			"advertises but does not answer, lead with priority "
			"254 until it answers at its own address."},
	{.name = "startup_delay",
		.type = SCHEMA_DURATION,
		.max = 600000,
		.dflt = "0s",
		.help = "No promotion for this long after the start."},
	{.name = "sync_group",
		.type = SCHEMA_STRING,
		.dflt = "\"\"",
		.max = CONFIG_NAME - 1,
		.help = "Instances of one group are led by one node: a fault "
			"of one is a fault of all, and a move moves all."},
	{.name = "addresses",
		.type = SCHEMA_LIST,
		.children = address_item,
		.min = 1,
		.max = CONFIG_VIPS,
		.required = true,
		.help = "The addresses that move, of one family; IPv6: the "
			"link-local one first."},
	{.name = "advertise",
		.type = SCHEMA_ENUM,
		.choices = advertises,
		.dflt = "anchor",
		.help = "Put the first address into adverts, or all of them."},
	{.name = "strict_addresses",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "Discard adverts that carry other addresses."},
	{.name = "checksum",
		.type = SCHEMA_ENUM,
		.choices = checksums,
		.dflt = "rfc5798",
		.help = "Version 3 over IPv4: form of the checksum sent; both "
			"are accepted."},
	{.name = "peers",
		.type = SCHEMA_LIST,
		.children = ip_item,
		.max = CONFIG_PEERS,
		.dflt = "[]",
		.help = "Unicast VRRP to these; empty: multicast."},
	{.name = "handover_peers",
		.type = SCHEMA_LIST,
		.children = handover_item,
		.max = CONFIG_PEERS,
		.dflt = "[]",
		.help = "Other ispdns-ha of this router, for planned moves "
			"and to know who is fit."},
	{.name = "track",
		.type = SCHEMA_MAP,
		.children = track_items,
		.dflt = "{}",
		.help = "What makes this node unfit."},
	{.type = SCHEMA_END},
};

static const struct schema_item instance_dict[] = {
	{.name = "",
		.type = SCHEMA_MAP,
		.children = instance_items,
		.help = "One virtual router."},
	{.type = SCHEMA_END},
};

static const struct schema_item prefix_item[] = {
	{.name = "",
		.type = SCHEMA_PREFIX,
		.help = "One host, such as 192.0.2.53/32."},
	{.type = SCHEMA_END},
};

static const struct schema_item anycast_items[] = {
	{.name = "addresses",
		.type = SCHEMA_LIST,
		.children = prefix_item,
		.max = CONFIG_ANYCAST_ADDRS,
		.dflt = "[]",
		.help = "Hosts of one family that ispdns-ha keeps on lo and "
			"routes; empty: those of `instance`."},
	{.name = "instance",
		.type = SCHEMA_STRING,
		.max = CONFIG_NAME - 1,
		.dflt = "\"\"",
		.help = "A virtual router whose addresses are routed while "
			"this node is its master."},
	{.name = "engine",
		.type = SCHEMA_ENUM,
		.choices = engines,
		.dflt = "bird",
		.help = "The BGP daemon; for frr the addresses are routes in "
			"table local, since it would prefer addresses on lo "
			"to the table."},
	{.name = "engine_socket",
		.type = SCHEMA_STRING,
		.max = 107,
		.dflt = "\"\"",
		.help = "Its control socket, which tells whether it runs; "
			"empty: /run/bird/bird.ctl or /run/frr/bgpd.vty."},
	{.name = "table",
		.type = SCHEMA_INT,
		.min = 1,
		.max = INT32_MAX,
		.dflt = "201",
		.help = "Kernel routing table that the BGP daemon reads; no "
			"packet is forwarded by it. FRR takes IPv6 from 254 "
			"(main) only."},
	{.name = "metric",
		.type = SCHEMA_INT,
		.min = 1,
		.max = INT32_MAX,
		.dflt = "100",
		.help = "Of the route while all is well; becomes the MED."},
	{.name = "drain_metric",
		.type = SCHEMA_INT,
		.min = 2,
		.max = INT32_MAX,
		.dflt = "1000",
		.help = "While drained or degraded, and until well for 3 s "
			"and more after that; larger than metric."},
	{.name = "drain_time",
		.type = SCHEMA_DURATION,
		.max = 600000,
		.dflt = "5s",
		.help = "From drain to withdrawal, for routers to move on; at "
			"the end of the program at most 8s."},
	{.name = "linger",
		.type = SCHEMA_DURATION,
		.max = 600000,
		.dflt = "10s",
		.help = "After a withdrawal keep the address on lo for this "
			"long; at the end of the program at most 12s."},
	{.name = "last_man",
		.type = SCHEMA_BOOL,
		.dflt = "false",
		.help = "Keep a failed node announced, with the drain metric: "
			"for when all have failed."},
	{.name = "track",
		.type = SCHEMA_MAP,
		.children = TRACK_NODE,
		.dflt = "{}",
		.help = "What is needed to be announced; with `instance` its "
			"own tracking counts instead."},
	{.type = SCHEMA_END},
};

static const struct schema_item anycast_dict[] = {
	{.name = "",
		.type = SCHEMA_MAP,
		.children = anycast_items,
		.help = "One service of anycast."},
	{.type = SCHEMA_END},
};

static const struct schema_item probe_items[] = {
	{.name = "name",
		.type = SCHEMA_NAME,
		.dflt = "health.ispdns.invalid.",
		.help = "The name asked for (type A)."},
	{.name = "port",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 65535,
		.dflt = "53",
		.help = "UDP port asked."},
	{.name = "interval",
		.type = SCHEMA_DURATION,
		.min = 100,
		.max = 60000,
		.dflt = "500ms",
		.help = "Between questions."},
	{.name = "timeout",
		.type = SCHEMA_DURATION,
		.min = 10,
		.max = 10000,
		.dflt = "300ms",
		.help = "Wait for an answer; not longer than the interval."},
	{.name = "fall",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 3,
		.dflt = "2",
		.help = "Failures of the last 3 that mean failed."},
	{.type = SCHEMA_END},
};

static const struct schema_item health_items[] = {
	{.name = "socket",
		.type = SCHEMA_PATH,
		.dflt = HEARTBEAT_PATH,
		.max = 107,
		.reload = SCHEMA_RESTART,
		.help = "Where the frontend sends its heartbeat."},
	{.name = "probe",
		.type = SCHEMA_MAP,
		.children = probe_items,
		.dflt = "{}",
		.help = "The question to our own address."},
	{.type = SCHEMA_END},
};

static const struct schema_item handover_items[] = {
	{.name = "port",
		.type = SCHEMA_INT,
		.min = 1,
		.max = 65535,
		.dflt = "7112",
		.reload = SCHEMA_RESTART,
		.help = "UDP port for the talk between our own nodes."},
	{.name = "key",
		.type = SCHEMA_STRING,
		.secret = true,
		.dflt = "\"\"",
		.max = 2 * CONFIG_KEY_MAX,
		.reload = SCHEMA_RESTART,
		.help = "Key of 16 to 64 octets in hex that authenticates it; "
			"empty: only neighbours on the link can speak."},
	{.type = SCHEMA_END},
};

static const struct schema_item fence_word[] = {
	{.name = "",
		.type = SCHEMA_STRING,
		.max = CONFIG_FENCE_ARG - 1,
		.help = "The program's path, then its arguments."},
	{.type = SCHEMA_END},
};

static const struct schema_item fencing_items[] = {
	{.name = "program",
		.type = SCHEMA_LIST,
		.children = fence_word,
		.max = CONFIG_FENCE_ARGS,
		.dflt = "[]",
		.help = "Run, without a shell, when another master of lower "
			"priority is known; instance, reason and address "
			"follow as arguments. Nothing waits for it."},
	{.name = "timeout",
		.type = SCHEMA_DURATION,
		.min = 100,
		.max = 60000,
		.dflt = "10s",
		.help = "After this it is killed."},
	{.type = SCHEMA_END},
};

static const struct schema_item metrics_items[] = {
	{.name = "listen",
		.type = SCHEMA_STRING,
		.dflt = "\"127.0.0.1:8086\"",
		.max = 64,
		.reload = SCHEMA_RESTART,
		.help = "Address and port of the metrics page; empty: none."},
	{.type = SCHEMA_END},
};

const struct schema_item config_schema[] = {
	{.name = "node",
		.type = SCHEMA_STRING,
		.dflt = "\"\"",
		.max = CONFIG_NAME - 1,
		.help = "Name of this node, shown in status."},
	{.name = "instances",
		.type = SCHEMA_DICT,
		.children = instance_dict,
		.max = CONFIG_INSTANCES,
		.dflt = "{}",
		.help = "The virtual routers, by name."},
	{.name = "anycast",
		.type = SCHEMA_DICT,
		.children = anycast_dict,
		.max = CONFIG_ANYCAST,
		.dflt = "{}",
		.help = "Addresses announced by a BGP daemon beside us, by "
			"name."},
	{.name = "health",
		.type = SCHEMA_MAP,
		.children = health_items,
		.dflt = "{}",
		.help = "How the fitness of this node is known."},
	{.name = "linger",
		.type = SCHEMA_DURATION,
		.max = 60000,
		.dflt = "2s",
		.help = "After a planned move go on answering late packets "
			"for this long."},
	{.name = "realtime",
		.type = SCHEMA_BOOL,
		.dflt = "true",
		.reload = SCHEMA_RESTART,
		.help = "Run the VRRP thread under SCHED_RR where permitted."},
	{.name = "handover",
		.type = SCHEMA_MAP,
		.children = handover_items,
		.dflt = "{}",
		.help = "The talk between our own nodes."},
	{.name = "fencing",
		.type = SCHEMA_MAP,
		.children = fencing_items,
		.dflt = "{}",
		.help = "A program of the site against a second master."},
	{.name = "metrics",
		.type = SCHEMA_MAP,
		.children = metrics_items,
		.dflt = "{}",
		.help = "Prometheus page."},
	{.type = SCHEMA_END},
};
