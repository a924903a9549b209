/* SPDX-License-Identifier: ISC */
#ifndef HA_CONFIG_H
#define HA_CONFIG_H

#include <net/if.h>

#include "common/ctl/conf.h"
#include "common/net/addr.h"
#include "ha/hmac.h"
#include "ha/packet.h"

/*
 * The configuration as a snapshot: plain values, immutable once built, so
 * that the real-time thread reads it without a thought. Addresses in network
 * octets, times in microseconds.
 */

enum {
	CONFIG_INSTANCES = 32,
	CONFIG_VIPS = 255, /* per instance: what an advert can count */
	CONFIG_PEERS = 8,
	CONFIG_NAME = 64,
	CONFIG_KEY_MAX = 64,
	CONFIG_QNAME_MAX = 255,
	CONFIG_ANYCAST = 16,
	CONFIG_ANYCAST_ADDRS = 16, /* per entry */
	CONFIG_FENCE_ARGS = 8,
	CONFIG_FENCE_ARG = 128,
};

enum config_checksum {
	CONFIG_RFC5798,
	CONFIG_RFC9568,
	CONFIG_FOLLOW_PEER
};

struct config_vip {
	uint8_t octets[PACKET_ADDR_MAX];
	uint8_t prefix;
};

struct config_instance {
	char name[CONFIG_NAME];
	char ifname[IFNAMSIZ];
	char group[CONFIG_NAME]; /* sync group; "" = none */
	uint8_t vrid;
	uint8_t version; /* 2 or 3 */
	uint8_t family;  /* 4 or 6, of all its addresses */
	uint8_t priority;
	uint8_t auth_type;
	uint8_t auth[PACKET_AUTH_LEN];
	bool password_cut; /* it was longer than that */
	struct hmac_conf hmac;
	bool preempt;
	bool rescue;
	bool strict_addrs;
	bool both_versions;
	bool track_frontend;
	bool track_probe;
	bool has_gateway; /* to watch; IPv4 */
	uint8_t gateway[4];
	enum config_checksum checksum;
	uint32_t interval_us;
	uint32_t interval_alt_us; /* v2: accepted too; 0 = none */
	int64_t preempt_delay_us;
	int64_t startup_delay_us;
	struct config_vip vips[CONFIG_VIPS];
	uint8_t vip_count;
	/* What the advertisement carries: the first address, or all. */
	uint8_t wire[CONFIG_VIPS * PACKET_ADDR_MAX];
	uint8_t wire_count;
	uint8_t peers[CONFIG_PEERS][PACKET_ADDR_MAX]; /* unicast */
	uint8_t peer_count;
	union addr handover[CONFIG_PEERS]; /* our own peers, with port */
	uint8_t handover_count;
};

/* Addresses that a BGP daemon announces for us; see route.h. */
struct config_anycast {
	char name[CONFIG_NAME];
	char instance[CONFIG_NAME]; /* empty: addresses of its own, on lo */
	uint8_t family;
	uint8_t addrs[CONFIG_ANYCAST_ADDRS][PACKET_ADDR_MAX];
	uint8_t addr_count;
	uint32_t table, metric, drain_metric;
	int64_t drain_us, linger_us;
	bool last_man, track_frontend, track_probe;
	bool for_frr;            /* else for BIRD; see `engine` */
	char engine_socket[108]; /* "": the usual one */
};

struct config_probe {
	uint8_t qname[CONFIG_QNAME_MAX]; /* wire form */
	size_t qname_len;
	uint16_t port;
	int64_t interval_us, timeout_us;
	unsigned fall; /* of 3 */
};

struct config {
	char node[CONFIG_NAME];
	struct config_instance instances[CONFIG_INSTANCES];
	size_t instance_count;
	struct config_anycast anycast[CONFIG_ANYCAST];
	size_t anycast_count;
	char health_path[108];
	struct config_probe probe;
	int64_t linger_us;
	bool realtime;
	uint16_t handover_port;
	uint8_t key[CONFIG_KEY_MAX];
	size_t key_len; /* 0 = no authentication but the link's */
	char fence_args[CONFIG_FENCE_ARGS][CONFIG_FENCE_ARG];
	size_t fence_count; /* 0 = no program */
	int fence_timeout_ms;
	bool has_metrics;
	union addr metrics;
};

extern const struct schema_item config_schema[];

/* config_anycast.c, after the instances are built. */
int config_build_anycast(const struct conf *conf, struct config *out,
	struct err *err) MUST_CHECK;

/* Check what the table cannot say; no side effects. 0 or -EINVAL with
 * FILE:LINE in err. */
int config_check(const struct conf *conf, struct err *err);
/* Build the snapshot (malloc'ed, free with config_free). NULL with err. */
struct config *config_build(
	const struct conf *conf, struct err *err) MUST_CHECK;
void config_free(struct config *c); /* NULL allowed */

/* The same virtual router: interface, VRID, family, sockets agree, so that
 * the rest can change under a running state machine. */
bool config_same_router(
	const struct config_instance *a, const struct config_instance *b);

/* The same service of anycast: the rest can change under it. */
bool config_same_anycast(
	const struct config_anycast *a, const struct config_anycast *b);

#endif
