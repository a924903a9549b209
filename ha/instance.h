/* SPDX-License-Identifier: ISC */
#ifndef HA_INSTANCE_H
#define HA_INSTANCE_H

/*
 * One virtual router at work: it feeds the state machine with packets, time
 * and health, and carries out what comes out. Made and freed by the main
 * thread, otherwise the real-time thread's alone; no allocation there.
 */

#include "common/base/metrics.h"
#include "ha/instance_env.h"
#include "ha/neighbour.h"
#include "ha/opener.h"
#include "ha/probe.h"
#include "ha/rescue.h"
#include "ha/state.h"
#include "ha/track.h"
#include "ha/vip.h"

struct instance_counters {
	uint64_t sent, received, prio0_sent, prio0_received;
	uint64_t discard[PACKET_VERDICTS];
	uint64_t interval_diff, addr_list_diff, owner, split, clone;
	uint64_t transitions, late, grace, group_waits, path_waits;
	uint64_t announced, restored, rescues;
	uint64_t takes_sent, takes_received, hellos_sent, hellos_received;
	uint64_t send_failed, handover_bad;
	struct histogram late_us;     /* of timers */
	struct histogram takeover_us; /* decision to announcement */
};

/* Which set of sockets is wanted and which is in use, by number. */
struct in_sockets {
	uint32_t want, have;
	bool asking, failed; /* one is under way; the last one was refused */
};

/* What the others of a sync group suffer; `rescued`: stand in (rescue.h). */
struct in_group {
	bool failed, gateway_lost, rescued;
};

struct instance_peer {
	union addr addr;
	int64_t heard_us; /* last hello; 0 = never */
	enum track_peer state;
	uint8_t role, priority, base, gateway;
	bool fit;
	uint32_t boot, seq;
};

struct instance {
	struct instance_env *env;
	struct config_instance conf;
	uint32_t owner;        /* of requests to the kernel */
	uint64_t refused_from; /* tell of failures from this ticket on */
	struct state_conf sc;
	struct state st;
	struct packet_rules rules;
	/* What was in force before a change is still accepted for a while:
	 * the nodes of a router cannot change at the same moment. */
	struct config_instance old_conf;
	struct packet_rules old_rules;
	struct hmac_state hmac;
	int64_t old_until_us;
	enum packet_sum sum_form;
	struct sock sock;
	int arp; /* neighbour's; -1: none */
	struct in_sockets sockets;
	struct poll_item rx;
	struct vip vip;
	struct announce_plan announce;
	int64_t decided_us; /* when to be master was decided */
	int64_t ready_us;   /* look then whether to announce; 0 = done */
	int64_t settled_us; /* the addresses were not all on until then */
	struct probe probe;
	struct rescue rescue;
	struct probe rescue_probe;
	uint32_t rescue_round; /* of its questions */
	bool rescued;          /* we or one of the group stand in */
	struct neighbour neighbour;
	int64_t reassert_us; /* not again before, after a conflict */
	bool gateway_lost;
	struct keep_entry *keep;
	struct keep_rescue *keep_rescue;
	struct instance_peer peers[CONFIG_PEERS];
	struct track_result health; /* last verdict */
	enum track_fault own_fault; /* without those of the sync group */
	struct in_group group;      /* as last looked at */
	int64_t pull_us;   /* let the group follow us then; 0 = no need */
	int64_t advert_us; /* last good advert of anybody */
	int64_t split_us;  /* another master was heard last; 0 = never */
	uint8_t rival[16]; /* its address */
	enum state_role asymmetric; /* our role meanwhile; INIT = is not */
	enum track_service service;
	struct instance_counters counters;
	uint32_t complained; /* verdicts told since the last good advert */
	int64_t told_us[PACKET_VERDICTS];     /* when each was told last */
	uint64_t told_count[PACKET_VERDICTS]; /* and its counter then */
	bool scanned;                         /* the link was looked at */
	bool started;
	bool resume; /* was master a moment ago, before a restart */
	bool late;   /* the same, but a peer leads by now, or is about to */
	bool drain;  /* operator or shutdown */
	bool can_linger;
	/* The link as last scanned. */
	bool link_up, has_source, vips_seen;
	bool foreign;  /* a service address is on it without our tag */
	int index;     /* 0 = no such link */
	int old_index; /* addresses are still on that one; 0 = not */
	uint8_t mac[6];
	uint8_t source[PACKET_ADDR_MAX];
	/* Of a scan in progress. */
	struct iface_link scan_link;
	bool scan_has_source;
	uint8_t scan_source[PACKET_ADDR_MAX];
	struct {
		bool here, foreign; /* without our tag */
	} scan_vips[CONFIG_VIPS];
	int64_t robbed_us[4]; /* last times an address was put back */
	int64_t banned_us;    /* gave up putting back until then */
	unsigned take_left;   /* how often "take" is still repeated */
	int64_t take_us;      /* when next */
	int64_t hello_us;     /* next hello */
	bool path_waits;  /* a silence is not believed, by the second path */
	int64_t trust_us; /* the frontend may connect until then */
	struct sock_packet packet; /* the one being read */
};

/* Main thread. `keep` may be NULL. NULL: no memory. */
struct instance *instance_new(const struct config_instance *conf,
	struct instance_env *env, struct keep_entry *keep) MUST_CHECK;
/* Main thread, after instance_close. */
void instance_free(struct instance *in);

/* All below: real-time thread. */

/* A scan of links and addresses: begin, each thing found, end. `ticket` is
 * that of the view: what was asked of the kernel later is not in it. */
void instance_scan_begin(struct instance *in);
void instance_scan_link(struct instance *in, const struct iface_link *link);
void instance_scan_addr(struct instance *in, const struct iface_addr *addr);
void instance_scan_end(struct instance *in, uint64_t ticket, int64_t now_us);
/* Sockets that were asked for are there, or are not to be had. */
void instance_opened(
	struct instance *in, const struct opener_got *got, int64_t now_us);
/* The kernel did not do what one of ours asked for. */
void instance_refused(struct instance *in, const struct kernel_failure *f);

/* Everything that time or changed inputs make due. The first call starts the
 * state machine. */
void instance_tick(
	struct instance *in, enum track_service service, int64_t now_us);
/* The thread did not run for `late_us`, because the machine stood still or was
 * overloaded: nobody's silence in that time proves anything. */
void instance_excuse(struct instance *in, int64_t late_us);
/* When to tick again at the latest. */
int64_t instance_deadline(const struct instance *in);

void instance_event(
	struct instance *in, enum state_event_kind kind, int64_t now_us);
void instance_drain(struct instance *in, bool on);
/* Is it a member? "" has none. */
bool instance_in_group(const struct instance *in, const char *group);
/* A datagram of a peer of ours. */
void instance_peer_said(struct instance *in, const struct handover_msg *msg,
	const union addr *from, int64_t now_us);
/* Ask the peer that is master to give the role to us. */
void instance_want(struct instance *in);
/* Take over a changed configuration of the same router. */
void instance_reconf(struct instance *in, const struct config_instance *next,
	int64_t now_us);
/* Does `next` take the place of this one, by another VRID or link? */
bool instance_is_renamed(
	const struct instance *in, const struct config_instance *next);
/* `in` is new, and `old` ends: a master goes on as one, and its addresses stay
 * where they are, or move with it. Then close `old`. */
void instance_inherit(
	struct instance *in, struct instance *old, int64_t now_us);
/* STATE_EV_STOP, addresses off, sockets closed. */
void instance_close(struct instance *in, int64_t now_us);

#endif
