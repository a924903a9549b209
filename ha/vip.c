/* SPDX-License-Identifier: ISC */
#include "ha/vip.h"

#include <fcntl.h>
#include <unistd.h>

/*
 * Make before break, also on one host: an address that lingers is put on lo
 * before it leaves the service link, so that no packet finds it missing.
 * arp_announce=2 keeps a lingering address out of our own ARP requests,
 * which would teach the LAN the wrong MAC again.
 */

enum {
	SETTLE_US = 30 * 1000
};

static bool is_link_local(const struct config_vip *vip, uint8_t family)
{
	return family == 6 && vip->octets[0] == 0xfe &&
	       (vip->octets[1] & 0xc0) == 0x80;
}

const struct config_vip *vip_public(const struct config_instance *conf)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		if (!is_link_local(&conf->vips[i], conf->family))
			return &conf->vips[i];
	return &conf->vips[0];
}

static void ask(struct vip *v, enum kernel_op_kind kind, int index,
	uint8_t family, const struct config_vip *vip)
{
	struct kernel_op op = {.kind = kind,
		.index = index,
		.prefix = vip->prefix,
		.owner = v->owner,
		.route = {.family = family}};

	if (index == v->loopback)
		op.prefix = family == 6 ? 128 : 32;
	memcpy(op.route.octets, vip->octets, sizeof(op.route.octets));
	v->ticket = kernel_ask(v->kernel, &op);
}

static void put_on(struct vip *v, uint8_t family, const struct config_vip *vip)
{
	ask(v, KERNEL_ADDR_ADD, v->index, family, vip);
}

static void take_off(
	struct vip *v, uint8_t family, const struct config_vip *vip)
{
	if (v->index != 0)
		ask(v, KERNEL_ADDR_DEL, v->index, family, vip);
}

static void on_loopback(struct vip *v, enum kernel_op_kind kind,
	const struct config_instance *conf)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		if (!is_link_local(&conf->vips[i], conf->family))
			ask(v, kind, v->loopback, conf->family, &conf->vips[i]);
}

static void leave_link(struct vip *v, const struct config_instance *conf)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		take_off(v, conf->family, &conf->vips[i]);
	v->leave_us = 0;
}

void vip_on(struct vip *v, const struct config_instance *conf)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		put_on(v, conf->family, &conf->vips[i]);
	if (v->place == VIP_LINGER)
		on_loopback(v, KERNEL_ADDR_DEL, conf);
	v->place = VIP_ON;
	v->leave_us = 0;
}

void vip_off(struct vip *v, const struct config_instance *conf)
{
	leave_link(v, conf);
	if (v->place == VIP_LINGER)
		on_loopback(v, KERNEL_ADDR_DEL, conf);
	v->place = VIP_OFF;
}

void vip_leave(struct vip *v, const struct config_instance *conf, int index)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		ask(v, KERNEL_ADDR_DEL, index, conf->family, &conf->vips[i]);
}

/* IPv6: the kernel takes packets to an address in a moment after it was put
 * on, by a work queue, so the old place is kept for that long. */
void vip_linger(struct vip *v, const struct config_instance *conf,
	int64_t now_us, int64_t linger_us)
{
	if (v->place != VIP_ON)
		return;
	on_loopback(v, KERNEL_ADDR_ADD, conf);
	v->place = VIP_LINGER;
	v->until_us = now_us + linger_us;
	v->leave_us = now_us + SETTLE_US;
	if (conf->family == 4)
		leave_link(v, conf);
}

void vip_tick(struct vip *v, const struct config_instance *conf, int64_t now_us)
{
	if (v->place != VIP_LINGER)
		return;
	if (now_us >= v->until_us)
		vip_off(v, conf);
	else if (v->leave_us && now_us >= v->leave_us)
		leave_link(v, conf);
}

int64_t vip_deadline(const struct vip *v)
{
	if (v->place != VIP_LINGER)
		return INT64_MAX;
	return v->leave_us && v->leave_us < v->until_us ? v->leave_us
							: v->until_us;
}

bool vip_settled(const struct vip *v)
{
	return kernel_done(v->kernel) >= v->ticket;
}

static bool in_list(
	const struct config_vip *vip, const struct config_instance *conf)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		if (memcmp(&conf->vips[i], vip, sizeof(*vip)) == 0)
			return true;
	return false;
}

void vip_change(struct vip *v, const struct config_instance *old,
	const struct config_instance *next)
{
	for (size_t i = 0; i < old->vip_count; i++) {
		const struct config_vip *vip = &old->vips[i];

		if (in_list(vip, next))
			continue;
		if (v->place == VIP_ON)
			take_off(v, old->family, vip);
		if (v->place == VIP_LINGER && !is_link_local(vip, old->family))
			ask(v, KERNEL_ADDR_DEL, v->loopback, old->family, vip);
	}
	for (size_t i = 0; v->place == VIP_ON && i < next->vip_count; i++)
		if (!in_list(&next->vips[i], old))
			put_on(v, next->family, &next->vips[i]);
}

static int read_sysctl(const char *path)
{
	char text[16] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) : -1;
}

/* Raise /proc/sys/net/ipv4/conf/IF/KEY to `want`; never lowers it. The
 * kernel takes the larger of the link's and that of "all". */
static bool raise_sysctl(const char *ifname, const char *key, int want)
{
	char path[128], text[16];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/all/%s", key);
	if (read_sysctl(path) >= want)
		return true;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", ifname,
		key);
	if (read_sysctl(path) >= want)
		return true;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	snprintf(text, sizeof(text), "%d", want);
	done = write(fd, text, strlen(text)) > 0;
	close(fd);
	return done;
}

bool vip_prepare_linger(const char *ifname)
{
	return raise_sysctl(ifname, "arp_ignore", 1) &&
	       raise_sysctl(ifname, "arp_announce", 2);
}
