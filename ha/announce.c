/* SPDX-License-Identifier: ISC */
#include "ha/announce.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"

/*
 * Frames as captured from keepalived 2.2.7: ARP as a request with sender and
 * target both the address (RFC 5227 section 3 "ARP announcement", but to the
 * broadcast MAC in the target field as well), NA with Override and the
 * target link-layer option, hop limit 255, sent from the address itself.
 */

enum {
	ETH_HDR = 14,
	IP6_HDR = 40,
	NA_LEN = 32,
	GAP_US = 100 * 1000
};

static const int64_t steps_us[ANNOUNCE_STEPS] = {
	0, 50 * 1000, 200 * 1000, 1000 * 1000, 5000 * 1000};

void announce_arp_frame(uint8_t *out, const uint8_t mac[6], const uint8_t ip[4])
{
	struct wbuf w;

	wbuf_init(&w, out, ANNOUNCE_ARP_LEN);
	wbuf_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	wbuf_bytes(&w, mac, 6);
	wbuf_u16(&w, ETHERTYPE_ARP);
	wbuf_u16(&w, 1); /* Ethernet */
	wbuf_u16(&w, ETHERTYPE_IP);
	wbuf_u8(&w, 6);
	wbuf_u8(&w, 4);
	wbuf_u16(&w, 1); /* request */
	wbuf_bytes(&w, mac, 6);
	wbuf_bytes(&w, ip, 4);
	wbuf_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	wbuf_bytes(&w, ip, 4);
}

static uint16_t na_checksum(const uint8_t *ip6)
{
	uint32_t sum = NA_LEN + 58;

	/* Source and destination lie at 8 of the header, then the message. */
	for (size_t i = 8; i < IP6_HDR + NA_LEN; i += 2)
		sum += get16(ip6 + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void announce_na_frame(
	uint8_t *out, const uint8_t mac[6], const uint8_t ip[16], bool router)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	struct wbuf w;

	wbuf_init(&w, out, ANNOUNCE_NA_LEN);
	wbuf_bytes(&w, "\x33\x33\0\0\0\1", 6);
	wbuf_bytes(&w, mac, 6);
	wbuf_u16(&w, ETHERTYPE_IPV6);
	wbuf_u32(&w, 6U << 28);
	wbuf_u16(&w, NA_LEN);
	wbuf_u8(&w, 58); /* ICMPv6 */
	wbuf_u8(&w, 255);
	wbuf_bytes(&w, ip, 16);
	wbuf_bytes(&w, all_nodes, 16);
	wbuf_u8(&w, 136); /* neighbour advertisement */
	wbuf_u8(&w, 0);
	wbuf_u16(&w, 0);
	wbuf_u32(&w, 0x20000000U | (router ? 0x80000000U : 0));
	wbuf_bytes(&w, ip, 16);
	wbuf_u8(&w, 2); /* target link-layer address */
	wbuf_u8(&w, 1);
	wbuf_bytes(&w, mac, 6);
	put16(out + ETH_HDR + IP6_HDR + 2, na_checksum(out + ETH_HDR));
}

int announce_open(struct err *err)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_fail(
			err, -errno, "packet socket: %s", strerror(errno));
	return fd;
}

int announce_send(int fd, int index, uint8_t family, const uint8_t mac[6],
	const uint8_t *ip)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	uint8_t frame[ANNOUNCE_NA_LEN];
	size_t len = ANNOUNCE_ARP_LEN;

	if (family == 6) {
		announce_na_frame(frame, mac, ip, false);
		len = ANNOUNCE_NA_LEN;
	} else {
		announce_arp_frame(frame, mac, ip);
	}
	to.sll_ifindex = index;
	to.sll_halen = 6;
	memcpy(to.sll_addr, frame, 6);
	if (sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

void announce_start(struct announce_plan *p, int64_t now_us)
{
	p->active = true;
	p->rounding = false;
	p->step = 0;
	p->start_us = now_us;
	p->next_us = now_us;
}

void announce_remind(struct announce_plan *p, int64_t now_us)
{
	int64_t soon = p->last_us + GAP_US;

	if (!p->active)
		return;
	if (soon < now_us)
		soon = now_us;
	if (soon < p->next_us)
		p->next_us = soon;
}

void announce_stop(struct announce_plan *p)
{
	p->active = p->rounding = false;
	p->next_us = INT64_MAX;
}

bool announce_due(struct announce_plan *p, int64_t now_us)
{
	if (!p->active || p->rounding || now_us < p->next_us)
		return false;
	p->rounding = true;
	p->next = 0;
	p->go_on_us = p->last_us = now_us;
	while (p->step < ANNOUNCE_STEPS &&
		p->start_us + steps_us[p->step] <= now_us)
		p->step++;
	if (p->step < ANNOUNCE_STEPS)
		p->next_us = p->start_us + steps_us[p->step];
	else
		p->next_us = p->refresh_us ? now_us + p->refresh_us : INT64_MAX;
	return true;
}

/* The bucket of a link; a new one gets that which was idle for longest. */
static struct announce_bucket *find_bucket(
	struct announce_links *links, int index)
{
	struct announce_bucket *oldest = &links->buckets[0];

	for (size_t i = 0; i < ANNOUNCE_LINKS; i++) {
		struct announce_bucket *b = &links->buckets[i];

		if (b->index == index)
			return b;
		if (b->due_us < oldest->due_us)
			oldest = b;
	}
	oldest->index = index;
	oldest->due_us = 0;
	return oldest;
}

int announce_next(struct announce_plan *p, struct announce_links *links,
	int index, unsigned count, int64_t now_us)
{
	const int64_t burst = (ANNOUNCE_BURST - 1) * ANNOUNCE_GAP_US;
	struct announce_bucket *b;

	if (!p->rounding || now_us < p->go_on_us)
		return -1;
	if (p->next >= count) {
		p->rounding = false;
		return -1;
	}
	b = find_bucket(links, index);
	if (b->due_us < now_us)
		b->due_us = now_us;
	if (p->next > 0 && b->due_us - now_us > burst) {
		p->go_on_us = b->due_us - burst;
		return -1;
	}
	b->due_us += ANNOUNCE_GAP_US;
	return (int)p->next++;
}

int64_t announce_deadline(const struct announce_plan *p)
{
	return p->rounding ? p->go_on_us : p->next_us;
}
