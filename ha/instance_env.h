/* SPDX-License-Identifier: ISC */
#ifndef HA_INSTANCE_ENV_H
#define HA_INSTANCE_ENV_H

/*
 * What all virtual routers of a node share: the worker's, who made it, and for
 * each of them to use on the real-time thread.
 */

#include "ha/announce.h"
#include "ha/config.h"
#include "ha/handover.h"
#include "ha/instance_event.h"
#include "ha/keep.h"
#include "ha/kernel.h"
#include "ha/opener.h"
#include "ha/poll.h"

struct instance;

struct instance_env {
	struct poll *poll;
	struct iface *iface; /* iface_is_local only */
	struct kernel *kernel;
	struct opener *opener;
	uint64_t done;   /* ticket; failures up to it were told */
	uint32_t owners; /* numbers given to those who ask the kernel */
	uint32_t chains; /* and to requests that depend on each other */
	/* The kernel's routes with our tag, as last seen. */
	const struct kernel_routes *routes;
	struct handover *handover;
	const struct config *config;      /* running one; changes at commit */
	struct keep *keep;                /* the role file; NULL = none */
	int packet_fd;                    /* announcements */
	struct announce_links *announced; /* how many of late */
	int loopback;                     /* index of lo */
	void (*emit)(void *arg, const struct instance_event *event);
	/* Is this VRID another one of ours on the same link? */
	bool (*known)(void *arg, int index, uint8_t family, uint8_t vrid);
	/* All instances that run, this one among them. */
	struct instance *const *(*everybody)(void *arg, size_t *count);
	void *arg;
};

#endif
