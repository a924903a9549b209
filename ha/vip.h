/* SPDX-License-Identifier: ISC */
#ifndef HA_VIP_H
#define HA_VIP_H

#include "ha/config.h"
#include "ha/kernel.h"

/*
 * The addresses of one virtual router on this host: off, on the service
 * link, or lingering on the loopback, where late packets are still answered
 * but no ARP request is (the service link has arp_ignore=1). Real-time
 * thread; no allocation.
 */

enum vip_place {
	VIP_OFF,
	VIP_ON,
	VIP_LINGER
};

struct vip {
	struct kernel *kernel;
	uint32_t owner;  /* who is told when the kernel refuses */
	uint64_t ticket; /* of the last request; 0 = none yet */
	int index;       /* of the service link; 0 = unknown */
	int loopback;    /* of lo */
	enum vip_place place;
	int64_t until_us; /* end of the linger */
	int64_t leave_us; /* off the service link then; 0 = is off */
};

/* Each asks the kernel, and waits for nothing. */
void vip_on(struct vip *v, const struct config_instance *conf);
void vip_off(struct vip *v, const struct config_instance *conf);
void vip_linger(struct vip *v, const struct config_instance *conf,
	int64_t now_us, int64_t linger_us);
/* End the linger, or the stay on the link before it, when due. */
void vip_tick(
	struct vip *v, const struct config_instance *conf, int64_t now_us);
int64_t vip_deadline(const struct vip *v);
/* Off another link, on which they were before this one. */
void vip_leave(struct vip *v, const struct config_instance *conf, int index);
/* Was all that was asked done (or refused)? */
bool vip_settled(const struct vip *v);
/* Follow a change of the list while the place stays. */
void vip_change(struct vip *v, const struct config_instance *old,
	const struct config_instance *next);

/* The first address that is not link-local: what a client asks. */
const struct config_vip *vip_public(const struct config_instance *conf);

/* May addresses linger on this link? Sets arp_ignore and arp_announce when
 * they are off; false when that was not possible. Files of /proc only. */
bool vip_prepare_linger(const char *ifname);

#endif
