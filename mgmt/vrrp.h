/* SPDX-License-Identifier: ISC */
#ifndef MGMT_VRRP_H
#define MGMT_VRRP_H

/*
 * Virtual addresses and anycast services as their nodes report them: who owns
 * an address, whether two do (split brain, seen over the management network
 * when the service LAN carries no adverts), and whether a node hears a master
 * that is none of ours (the same VRID used by somebody else). Main thread.
 */

#include "mgmt/fleet.h"

/* The node's last word on a virtual router or service, borrowed until it
 * reports again: an entry of ha's status. NULL: it said nothing of it in the
 * last 5 s. A host that is cut off said MASTER last: its word is not good for
 * long. */
const json_t *vrrp_instance(const struct link *link, const char *vip);
const json_t *vrrp_service(const struct link *link, const char *anycast);
/* Does it say that it owns the vip (NULL: any)? */
bool vrrp_owns(const struct link *link, const char *vip);
/* Does it announce the service, by a BGP daemon that runs? */
bool vrrp_announces(const struct link *link, const char *anycast);

struct vrrp;

struct vrrp *vrrp_new(struct fleet *fleet, struct store *store) MUST_CHECK;
void vrrp_free(struct vrrp *vrrp); /* NULL allowed */
/* Judge anew, when nodes have reported: to be called often. */
void vrrp_tick(struct vrrp *vrrp);

/* Two nodes or more have said twice each that they own it, since it began. */
bool vrrp_is_split(const struct vrrp *vrrp, const char *vip);
/* Names of those who say that they own it. New. */
json_t *vrrp_owners(const struct vrrp *vrrp, const char *vip) MUST_CHECK;
/* The address of a master that is none of the vip's; NULL: none is heard. */
const char *vrrp_stranger(const struct vrrp *vrrp, const char *vip);
/* What is wrong with the rows of vip and anycast, as lines for people. */
void vrrp_alarms(const struct vrrp *vrrp, const json_t *vips,
	const json_t *services, json_t *out);

struct vrrp_stats {
	uint64_t splits, strangers; /* begun since the start */
};
void vrrp_stats(const struct vrrp *vrrp, struct vrrp_stats *out);

#endif
