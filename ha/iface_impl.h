/* SPDX-License-Identifier: ISC */
#ifndef HA_IFACE_IMPL_H
#define HA_IFACE_IMPL_H

/* Between iface.c and iface_route.c only. */

#include <libmnl/libmnl.h>

#include "ha/iface.h"

enum {
	IFACE_BUF = 32768,
	IFACE_SWEEP_ADDRS = 16384, /* more than all instances may have */
	IFACE_SWEEP_ROUTES = 512
};

/* Requests and their answers. */
struct iface_talk {
	struct mnl_socket *nl;
	uint32_t seq;
	_Alignas(struct nlmsghdr) char buf[IFACE_BUF];
};

struct iface {
	struct iface_talk talk;
	struct iface_talk routes; /* dumps that the kernel filters */
	struct iface_talk local;  /* iface_is_local alone */
	struct mnl_socket *watch; /* notifications */
	struct mnl_socket *route_watch;
	struct iface_addr found[IFACE_SWEEP_ADDRS]; /* for iface_sweep */
	struct iface_route found_routes[IFACE_SWEEP_ROUTES];
	size_t found_count;
};

/* A netlink socket that listens; NULL with errno. */
struct mnl_socket *iface_open(unsigned groups, int flags) MUST_CHECK;
/* One to talk by; false with errno. */
bool iface_open_talk(struct iface_talk *t) MUST_CHECK;
/* Read notifications away; true when there was any. */
bool iface_drain_socket(struct iface *f, struct mnl_socket *nl);
/* Send a request and give every answer to `cb`. 0 or -errno. */
int iface_ask(struct iface_talk *t, struct nlmsghdr *nlh, mnl_cb_t cb,
	void *arg) MUST_CHECK;

/* iface_route.c: the two sockets for routes. */
int iface_route_open(struct iface *f) MUST_CHECK;

#endif
