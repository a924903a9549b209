/* SPDX-License-Identifier: ISC */
#ifndef HA_IFACE_H
#define HA_IFACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Links and addresses by netlink. The calls are synchronous: tens of
 * microseconds, or as long as somebody holds the kernel's lock (kernel.h has
 * them in a thread of their own). A second socket tells that something
 * changed, and then everything is read anew, so that a lost notification costs
 * nothing but time. Addresses that we put on carry our tag (IFA_PROTO), by
 * which they are found again after a crash. One thread at a time; nothing is
 * allocated after iface_new.
 */

struct iface;

/* The tag of our addresses (the number of the VRRP protocol). */
#define IFACE_TAG 112

struct iface_link {
	int index;
	char name[IFNAMSIZ];
	bool up; /* administratively up, with carrier */
	uint8_t mac[6];
};

struct iface_addr {
	int index;      /* of the link */
	uint8_t family; /* 4 or 6 */
	uint8_t prefix;
	uint8_t tag; /* IFA_PROTO; 0 = none */
	bool secondary;
	bool usable; /* not tentative, not a failed duplicate */
	uint8_t octets[16];
};

/* NULL with a line in err. */
struct iface *iface_new(struct err *err) MUST_CHECK;
void iface_free(struct iface *f); /* NULL allowed */

/* Readable when links or addresses changed. */
int iface_fd(const struct iface *f);
/* Read the notifications away; true when there was any. */
bool iface_drain(struct iface *f);

typedef void (*iface_link_fn)(void *arg, const struct iface_link *link);
typedef void (*iface_addr_fn)(void *arg, const struct iface_addr *addr);
/* All links, all addresses of both families. 0 or -errno. */
int iface_scan_links(struct iface *f, iface_link_fn fn, void *arg) MUST_CHECK;
int iface_scan_addrs(struct iface *f, iface_addr_fn fn, void *arg) MUST_CHECK;

/* Put an address on with our tag, usable at once (no duplicate address
 * detection). An address that is there already is no error. */
int iface_add(struct iface *f, int index, uint8_t family, const uint8_t *octets,
	uint8_t prefix) MUST_CHECK;
/* Take it off; absent is no error. */
int iface_del(struct iface *f, int index, uint8_t family, const uint8_t *octets,
	uint8_t prefix);

/* Does the kernel take packets to this address in by now? IPv6 addresses are
 * visible before they are. It waits for no lock, and may run beside all the
 * others in a thread of its own. */
bool iface_is_local(struct iface *f, uint8_t family, const uint8_t *octets);

/* --- routes ------------------------------------------------------------- */

/* The tag of our routes (rtm_protocol). */
#define IFACE_ROUTE_TAG 201

/* A route to one host: a blackhole in a table that nobody forwards by, or, in
 * table IFACE_TABLE_LOCAL, what makes the host's address one of ours. */
#define IFACE_TABLE_LOCAL 255

struct iface_route {
	uint32_t table;
	uint32_t metric; /* 0 for a local one */
	uint8_t family;  /* 4 or 6 */
	uint8_t octets[16];
};

typedef void (*iface_route_fn)(void *arg, const struct iface_route *route);

/* Readable when a route with our tag came or went; others wake nobody. */
int iface_route_fd(const struct iface *f);
bool iface_route_drain(struct iface *f);
/* All routes with our tag in `table` (0: in every table). A table that does
 * not exist has none. 0 or -errno. */
int iface_route_scan(struct iface *f, uint8_t family, uint32_t table,
	iface_route_fn fn, void *arg) MUST_CHECK;
/* One that is there already, or absent, is no error. */
int iface_route_add(
	struct iface *f, const struct iface_route *route) MUST_CHECK;
int iface_route_del(struct iface *f, const struct iface_route *route);
/* Remove every route with our tag for which `keep` (may be NULL) says no.
 * Returns how many were removed, or -errno. */
int iface_route_sweep(struct iface *f,
	bool (*keep)(void *arg, const struct iface_route *route), void *arg);

/* Remove every address that carries our tag and for which `keep` (may be
 * NULL) says no. Returns how many were removed, or -errno. */
int iface_sweep(struct iface *f,
	bool (*keep)(void *arg, const struct iface_addr *addr), void *arg);

#endif
