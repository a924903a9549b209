/* SPDX-License-Identifier: ISC */
#include "ha/vip.h"

#include <errno.h>
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

static uint8_t host_prefix(uint8_t family)
{
	return family == 6 ? 128 : 32;
}

static int first_error(int rc, int next)
{
	return rc < 0 ? rc : next;
}

static int put_on(struct vip *v, uint8_t family, const struct config_vip *vip)
{
	return iface_add(v->iface, v->index, family, vip->octets, vip->prefix);
}

static int take_off(struct vip *v, uint8_t family, const struct config_vip *vip)
{
	if (v->index == 0)
		return 0;
	return iface_del(v->iface, v->index, family, vip->octets, vip->prefix);
}

static int to_loopback(
	struct vip *v, uint8_t family, const struct config_vip *vip)
{
	if (is_link_local(vip, family))
		return 0;
	return iface_add(v->iface, v->loopback, family, vip->octets,
		host_prefix(family));
}

static int from_loopback(
	struct vip *v, uint8_t family, const struct config_vip *vip)
{
	if (is_link_local(vip, family))
		return 0;
	return iface_del(v->iface, v->loopback, family, vip->octets,
		host_prefix(family));
}

int vip_on(struct vip *v, const struct config_instance *conf)
{
	int rc = 0;

	for (size_t i = 0; i < conf->vip_count; i++)
		rc = first_error(rc, put_on(v, conf->family, &conf->vips[i]));
	for (size_t i = 0; v->place == VIP_LINGER && i < conf->vip_count; i++)
		rc = first_error(
			rc, from_loopback(v, conf->family, &conf->vips[i]));
	v->place = VIP_ON;
	v->leave_us = 0;
	return rc;
}

int vip_off(struct vip *v, const struct config_instance *conf)
{
	int rc = 0;

	for (size_t i = 0; i < conf->vip_count; i++) {
		const struct config_vip *vip = &conf->vips[i];

		rc = first_error(rc, take_off(v, conf->family, vip));
		if (v->place == VIP_LINGER)
			rc = first_error(
				rc, from_loopback(v, conf->family, vip));
	}
	v->place = VIP_OFF;
	v->leave_us = 0;
	return rc;
}

static int leave_link(struct vip *v, const struct config_instance *conf)
{
	int rc = 0;

	for (size_t i = 0; i < conf->vip_count; i++)
		rc = first_error(rc, take_off(v, conf->family, &conf->vips[i]));
	v->leave_us = 0;
	return rc;
}

/* IPv6: the kernel takes packets to an address in a moment after it was put
 * on, by a work queue, so the old place is kept for that long. */
int vip_linger(struct vip *v, const struct config_instance *conf,
	int64_t now_us, int64_t linger_us)
{
	int rc = 0;

	if (v->place != VIP_ON)
		return 0;
	for (size_t i = 0; i < conf->vip_count; i++)
		rc = first_error(
			rc, to_loopback(v, conf->family, &conf->vips[i]));
	v->place = VIP_LINGER;
	v->until_us = now_us + linger_us;
	v->leave_us = now_us + SETTLE_US;
	if (conf->family == 4)
		rc = first_error(rc, leave_link(v, conf));
	return rc;
}

int vip_tick(struct vip *v, const struct config_instance *conf, int64_t now_us)
{
	if (v->place != VIP_LINGER)
		return 0;
	if (now_us >= v->until_us)
		return vip_off(v, conf);
	if (v->leave_us && now_us >= v->leave_us)
		return leave_link(v, conf);
	return 0;
}

int64_t vip_deadline(const struct vip *v)
{
	if (v->place != VIP_LINGER)
		return INT64_MAX;
	return v->leave_us && v->leave_us < v->until_us ? v->leave_us
							: v->until_us;
}

static bool in_list(
	const struct config_vip *vip, const struct config_instance *conf)
{
	for (size_t i = 0; i < conf->vip_count; i++)
		if (memcmp(&conf->vips[i], vip, sizeof(*vip)) == 0)
			return true;
	return false;
}

int vip_change(struct vip *v, const struct config_instance *old,
	const struct config_instance *next)
{
	int rc = 0;

	for (size_t i = 0; i < old->vip_count; i++) {
		const struct config_vip *vip = &old->vips[i];

		if (in_list(vip, next))
			continue;
		if (v->place == VIP_ON)
			rc = first_error(rc, take_off(v, old->family, vip));
		if (v->place == VIP_LINGER)
			rc = first_error(
				rc, from_loopback(v, old->family, vip));
	}
	for (size_t i = 0; v->place == VIP_ON && i < next->vip_count; i++)
		if (!in_list(&next->vips[i], old))
			rc = first_error(
				rc, put_on(v, next->family, &next->vips[i]));
	return rc;
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
