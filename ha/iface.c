/* SPDX-License-Identifier: ISC */
#include "ha/iface_impl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

/*
 * rtnetlink by libmnl, used nowhere else but in iface_route.c. Buffers are part
 * of the object; replies are waited for at most ANSWER_MS.
 */

enum {
	ANSWER_MS = 500,
};

struct mnl_socket *iface_open(unsigned groups, int flags)
{
	struct mnl_socket *nl =
		mnl_socket_open2(NETLINK_ROUTE, flags | SOCK_CLOEXEC);
	struct timeval tv = {.tv_usec = ANSWER_MS * 1000};

	if (!nl)
		return NULL;
	if (mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID) < 0 ||
		setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &tv,
			sizeof(tv)) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	return nl;
}

bool iface_open_talk(struct iface_talk *t)
{
	t->nl = iface_open(0, 0);
	t->seq = (uint32_t)time(NULL);
	return t->nl;
}

struct iface *iface_new(struct err *err)
{
	struct iface *f = calloc(1, sizeof(*f));

	if (!f) {
		err_set(err, "netlink: out of memory");
		return NULL;
	}
	f->watch = iface_open(
		RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
		SOCK_NONBLOCK);
	if (!f->watch || !iface_open_talk(&f->talk) ||
		!iface_open_talk(&f->local) || iface_route_open(f) < 0) {
		err_set(err, "netlink: %s", strerror(errno));
		iface_free(f);
		return NULL;
	}
	return f;
}

void iface_free(struct iface *f)
{
	if (!f)
		return;
	if (f->talk.nl)
		mnl_socket_close(f->talk.nl);
	if (f->local.nl)
		mnl_socket_close(f->local.nl);
	if (f->watch)
		mnl_socket_close(f->watch);
	if (f->routes.nl)
		mnl_socket_close(f->routes.nl);
	if (f->route_watch)
		mnl_socket_close(f->route_watch);
	free(f);
}

int iface_fd(const struct iface *f)
{
	return mnl_socket_get_fd(f->watch);
}

bool iface_drain_socket(struct iface *f, struct mnl_socket *nl)
{
	bool any = false;

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(
			nl, f->talk.buf, sizeof(f->talk.buf));

		/* ENOBUFS: some were lost; that is news too. */
		if (n < 0 && errno != ENOBUFS)
			return any;
		any = true;
	}
}

bool iface_drain(struct iface *f)
{
	return iface_drain_socket(f, f->watch);
}

static bool is_answer(const struct iface_talk *t, size_t len)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)t->buf;

	return len >= sizeof(*nlh) && nlh->nlmsg_seq == t->seq;
}

int iface_ask(
	struct iface_talk *t, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	unsigned port = mnl_socket_get_portid(t->nl);
	int rc = MNL_CB_OK;

	nlh->nlmsg_seq = ++t->seq;
	if (mnl_socket_sendto(t->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (rc > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(t->nl, t->buf, sizeof(t->buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (!is_answer(t, (size_t)n)) /* to one that was given up */
			continue;
		rc = mnl_cb_run(t->buf, (size_t)n, t->seq, port, cb, arg);
	}
	return rc < 0 ? -errno : 0;
}

static int dump(
	struct iface *f, uint16_t type, uint8_t family, mnl_cb_t cb, void *arg)
{
	char req[MNL_NLMSG_HDRLEN + 64];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	struct rtgenmsg *gen;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	gen = mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	gen->rtgen_family = family;
	return iface_ask(&f->talk, nlh, cb, arg);
}

struct link_walk {
	iface_link_fn fn;
	void *arg;
};

static int on_link_attr(const struct nlattr *attr, void *data)
{
	struct iface_link *link = data;
	size_t len = mnl_attr_get_payload_len(attr);

	if (mnl_attr_get_type(attr) == IFLA_IFNAME)
		snprintf(link->name, sizeof(link->name), "%.*s", (int)len,
			mnl_attr_get_str(attr));
	if (mnl_attr_get_type(attr) == IFLA_ADDRESS && len == 6)
		memcpy(link->mac, mnl_attr_get_payload(attr), 6);
	return MNL_CB_OK;
}

static int on_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(nlh);
	struct link_walk *walk = data;
	struct iface_link link = {.index = info->ifi_index};

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	link.up = (info->ifi_flags & IFF_UP) && (info->ifi_flags & IFF_RUNNING);
	mnl_attr_parse(nlh, sizeof(*info), on_link_attr, &link);
	walk->fn(walk->arg, &link);
	return MNL_CB_OK;
}

int iface_scan_links(struct iface *f, iface_link_fn fn, void *arg)
{
	struct link_walk walk = {fn, arg};

	return dump(f, RTM_GETLINK, AF_PACKET, on_link, &walk);
}

struct addr_walk {
	iface_addr_fn fn;
	void *arg;
};

struct addr_read {
	struct iface_addr *addr;
	uint32_t flags;
	bool local; /* IFA_LOCAL was seen; IFA_ADDRESS is the far end then */
};

static int on_addr_attr(const struct nlattr *attr, void *data)
{
	struct addr_read *r = data;
	unsigned type = mnl_attr_get_type(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	size_t want = r->addr->family == 6 ? 16 : 4;
	const void *value = mnl_attr_get_payload(attr);

	if (type == IFA_LOCAL && len == want) {
		memcpy(r->addr->octets, value, want);
		r->local = true;
	} else if (type == IFA_ADDRESS && len == want && !r->local) {
		memcpy(r->addr->octets, value, want);
	} else if (type == IFA_FLAGS && len == sizeof(r->flags)) {
		memcpy(&r->flags, value, len);
	} else if (type == IFA_PROTO && len == 1) {
		memcpy(&r->addr->tag, value, len);
	}
	return MNL_CB_OK;
}

static int on_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(nlh);
	struct addr_walk *walk = data;
	struct iface_addr addr = {0};
	struct addr_read r = {&addr, info->ifa_flags, false};

	if (nlh->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return MNL_CB_OK;
	addr.index = (int)info->ifa_index;
	addr.family = info->ifa_family == AF_INET6 ? 6 : 4;
	addr.prefix = info->ifa_prefixlen;
	mnl_attr_parse(nlh, sizeof(*info), on_addr_attr, &r);
	addr.secondary = r.flags & IFA_F_SECONDARY;
	addr.usable = !(r.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
	walk->fn(walk->arg, &addr);
	return MNL_CB_OK;
}

int iface_scan_addrs(struct iface *f, iface_addr_fn fn, void *arg)
{
	struct addr_walk walk = {fn, arg};
	int rc = dump(f, RTM_GETADDR, AF_INET, on_addr, &walk);

	if (rc == 0)
		rc = dump(f, RTM_GETADDR, AF_INET6, on_addr, &walk);
	return rc;
}

static int change(struct iface *f, uint16_t type, uint16_t flags, int index,
	uint8_t family, const uint8_t *octets, uint8_t prefix)
{
	char req[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	size_t len = family == 6 ? 16 : 4;
	/* Never chosen as the source of what we say ourselves. */
	static const struct ifa_cacheinfo deprecated = {
		.ifa_valid = UINT32_MAX};
	struct ifaddrmsg *info;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	info = mnl_nlmsg_put_extra_header(nlh, sizeof(*info));
	info->ifa_family = family == 6 ? AF_INET6 : AF_INET;
	info->ifa_prefixlen = prefix;
	info->ifa_index = (uint32_t)index;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(nlh, IFA_LOCAL, len, octets);
	mnl_attr_put(nlh, IFA_ADDRESS, len, octets);
	if (type == RTM_NEWADDR)
		mnl_attr_put_u8(nlh, IFA_PROTO, IFACE_TAG);
	if (type == RTM_NEWADDR && family == 6) {
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD);
		mnl_attr_put(
			nlh, IFA_CACHEINFO, sizeof(deprecated), &deprecated);
	}
	return iface_ask(&f->talk, nlh, NULL, NULL);
}

int iface_add(struct iface *f, int index, uint8_t family, const uint8_t *octets,
	uint8_t prefix)
{
	int rc = change(f, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index,
		family, octets, prefix);

	return rc == -EEXIST ? 0 : rc;
}

int iface_del(struct iface *f, int index, uint8_t family, const uint8_t *octets,
	uint8_t prefix)
{
	int rc = change(f, RTM_DELADDR, 0, index, family, octets, prefix);

	return rc == -EADDRNOTAVAIL || rc == -ENODEV ? 0 : rc;
}

static int on_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	bool *local = data;

	if (nlh->nlmsg_type == RTM_NEWROUTE && rt->rtm_type == RTN_LOCAL)
		*local = true;
	/* The one answer to a question without NLM_F_ACK. */
	return MNL_CB_STOP;
}

bool iface_is_local(struct iface *f, uint8_t family, const uint8_t *octets)
{
	char req[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	size_t len = family == 6 ? 16 : 4;
	bool local = false;
	struct rtmsg *rt;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtm_family = family == 6 ? AF_INET6 : AF_INET;
	rt->rtm_dst_len = (uint8_t)(len * 8);
	mnl_attr_put(nlh, RTA_DST, len, octets);
	return iface_ask(&f->local, nlh, on_route, &local) == 0 && local;
}

static void note_tagged(void *arg, const struct iface_addr *addr)
{
	struct iface *f = arg;

	if (addr->tag == IFACE_TAG && f->found_count < IFACE_SWEEP_ADDRS)
		f->found[f->found_count++] = *addr;
}

int iface_sweep(struct iface *f,
	bool (*keep)(void *arg, const struct iface_addr *addr), void *arg)
{
	int rc, count = 0;

	f->found_count = 0;
	rc = iface_scan_addrs(f, note_tagged, f);
	for (size_t i = 0; rc == 0 && i < f->found_count; i++) {
		const struct iface_addr *a = &f->found[i];

		if (keep && keep(arg, a))
			continue;
		rc = iface_del(f, a->index, a->family, a->octets, a->prefix);
		count++;
	}
	return rc < 0 ? rc : count;
}
