/* SPDX-License-Identifier: ISC */
#include "ha/iface_impl.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/*
 * Routes of our own tag. A host that runs BGP may have a million others, so
 * the kernel does the sorting: dumps ask for one table and tag (strict
 * checking makes it obey), and a socket filter drops notifications about
 * routes of other origin before they wake the real-time thread.
 */

enum {
	LOOPBACK = 1, /* the index of lo in every network namespace */
	PROTOCOL_AT =
		sizeof(struct nlmsghdr) + offsetof(struct rtmsg, rtm_protocol)
};

static int filter_watch(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IFACE_ROUTE_TAG, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {countof(code), code};

	return setsockopt(
		fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

int iface_route_open(struct iface *f)
{
	int on = 1;

	f->route_watch = iface_open(
		RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE, SOCK_NONBLOCK);
	if (!f->route_watch || !iface_open_talk(&f->routes))
		return -errno;
	/* An old kernel sends more than was asked for; on_route sorts again. */
	(void)setsockopt(mnl_socket_get_fd(f->routes.nl), SOL_NETLINK,
		NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return filter_watch(mnl_socket_get_fd(f->route_watch)) < 0 ? -errno : 0;
}

int iface_route_fd(const struct iface *f)
{
	return mnl_socket_get_fd(f->route_watch);
}

bool iface_route_drain(struct iface *f)
{
	return iface_drain_socket(f, f->route_watch);
}

static uint8_t af_of(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

static size_t octets_of(uint8_t family)
{
	return family == 6 ? 16 : 4;
}

struct route_walk {
	iface_route_fn fn;
	void *arg;
	uint8_t family;
	uint32_t table; /* 0: any */
};

static int on_route_attr(const struct nlattr *attr, void *data)
{
	struct iface_route *route = data;
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		if (len == octets_of(route->family))
			memcpy(route->octets, mnl_attr_get_payload(attr), len);
		break;
	case RTA_TABLE:
		if (len == sizeof(route->table))
			route->table = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		if (len == sizeof(route->metric))
			route->metric = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	const struct route_walk *walk = data;
	struct iface_route route = {.family = walk->family};

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
		rt->rtm_protocol != IFACE_ROUTE_TAG ||
		rt->rtm_family != af_of(walk->family) ||
		(rt->rtm_type != RTN_BLACKHOLE && rt->rtm_type != RTN_LOCAL) ||
		rt->rtm_dst_len != 8 * octets_of(walk->family))
		return MNL_CB_OK;
	route.table = rt->rtm_table;
	mnl_attr_parse(nlh, sizeof(*rt), on_route_attr, &route);
	if (walk->table == 0 || walk->table == route.table)
		walk->fn(walk->arg, &route);
	return MNL_CB_OK;
}

int iface_route_scan(struct iface *f, uint8_t family, uint32_t table,
	iface_route_fn fn, void *arg)
{
	struct route_walk walk = {fn, arg, family, table};
	char req[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	struct rtmsg *rt;
	int rc;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtm_family = af_of(family);
	rt->rtm_protocol = IFACE_ROUTE_TAG;
	if (table)
		mnl_attr_put_u32(nlh, RTA_TABLE, table);
	rc = iface_ask(&f->routes, nlh, on_route, &walk);
	return rc == -ENOENT ? 0 : rc; /* no such table yet */
}

static int change(struct iface *f, uint16_t type, uint16_t flags,
	const struct iface_route *route)
{
	char req[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	size_t len = octets_of(route->family);
	bool local = route->table == IFACE_TABLE_LOCAL;
	struct rtmsg *rt;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtm_family = af_of(route->family);
	rt->rtm_dst_len = (uint8_t)(8 * len);
	rt->rtm_protocol = IFACE_ROUTE_TAG;
	rt->rtm_scope = local ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	rt->rtm_type = local ? RTN_LOCAL : RTN_BLACKHOLE;
	mnl_attr_put(nlh, RTA_DST, len, route->octets);
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	if (local)
		mnl_attr_put_u32(nlh, RTA_OIF, LOOPBACK);
	return iface_ask(&f->talk, nlh, NULL, NULL);
}

int iface_route_add(struct iface *f, const struct iface_route *route)
{
	int rc = change(f, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);

	return rc == -EEXIST ? 0 : rc;
}

int iface_route_del(struct iface *f, const struct iface_route *route)
{
	int rc = change(f, RTM_DELROUTE, 0, route);

	return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

static void note_route(void *arg, const struct iface_route *route)
{
	struct iface *f = arg;

	if (f->found_count < IFACE_SWEEP_ROUTES)
		f->found_routes[f->found_count++] = *route;
}

int iface_route_sweep(struct iface *f,
	bool (*keep)(void *arg, const struct iface_route *route), void *arg)
{
	int rc, count = 0;

	f->found_count = 0;
	rc = iface_route_scan(f, 4, 0, note_route, f);
	if (rc == 0)
		rc = iface_route_scan(f, 6, 0, note_route, f);
	for (size_t i = 0; rc == 0 && i < f->found_count; i++) {
		if (keep && keep(arg, &f->found_routes[i]))
			continue;
		rc = iface_route_del(f, &f->found_routes[i]);
		count++;
	}
	return rc < 0 ? rc : count;
}
