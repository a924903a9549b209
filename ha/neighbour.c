/* SPDX-License-Identifier: ISC */
#include "ha/neighbour.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

/*
 * One packet socket per instance. Its filter is "sender is the gateway or
 * one of our addresses", so that the ARP noise of a big LAN wakes nobody.
 */

enum {
	ASK_US = 500 * 1000,
	ASK_OF = 3,
	SENDER_IP = 28,
	ROUND = 64
};

bool neighbour_parse(
	const uint8_t *frame, size_t len, struct neighbour_arp *out)
{
	if (len < NEIGHBOUR_FRAME || get16(frame + 12) != ETHERTYPE_ARP ||
		get16(frame + 14) != ARPHRD_ETHER ||
		get16(frame + 16) != ETHERTYPE_IP || frame[18] != 6 ||
		frame[19] != 4)
		return false;
	memcpy(out->mac, frame + 22, 6);
	memcpy(out->ip, frame + SENDER_IP, 4);
	return true;
}

void neighbour_question(uint8_t out[NEIGHBOUR_FRAME], const uint8_t mac[6],
	const uint8_t source[4], const uint8_t target[4])
{
	struct wbuf w;

	wbuf_init(&w, out, NEIGHBOUR_FRAME);
	wbuf_bytes(&w, "\xff\xff\xff\xff\xff\xff", 6);
	wbuf_bytes(&w, mac, 6);
	wbuf_u16(&w, ETHERTYPE_ARP);
	wbuf_u16(&w, ARPHRD_ETHER);
	wbuf_u16(&w, ETHERTYPE_IP);
	wbuf_u8(&w, 6);
	wbuf_u8(&w, 4);
	wbuf_u16(&w, ARPOP_REQUEST);
	wbuf_bytes(&w, mac, 6);
	wbuf_bytes(&w, source, 4);
	wbuf_bytes(&w, "\0\0\0\0\0\0", 6);
	wbuf_bytes(&w, target, 4);
}

void neighbour_init(struct neighbour *n, struct poll *poll)
{
	memset(n, 0, sizeof(*n));
	n->poll = poll;
	n->item.fd = -1;
	n->next_us = INT64_MAX;
	ask_init(&n->ask);
}

/* Load the sender, compare it with each that matters: one that is equal is
 * taken at once. */
static int attach_filter(int fd, const struct config_instance *conf)
{
	struct sock_filter code[2 * (CONFIG_VIPS + 1) + 2];
	struct sock_fprog prog = {0, code};
	unsigned count = conf->vip_count + conf->has_gateway, i;

	code[0] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, SENDER_IP);
	for (i = 0; i < count; i++) {
		const uint8_t *ip = i < conf->vip_count ? conf->vips[i].octets
							: conf->gateway;

		code[1 + 2 * i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, get32(ip), 0, 1);
		code[2 + 2 * i] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
	}
	code[1 + 2 * count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	prog.len = (unsigned short)(2 + 2 * count);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) <
		0)
		return -errno;
	return 0;
}

static void take(struct neighbour *n, const struct neighbour_arp *arp)
{
	if (memcmp(arp->mac, n->mac, sizeof(n->mac)) == 0)
		return; /* ourselves */
	if (n->has_gateway && memcmp(arp->ip, n->gateway, 4) == 0) {
		n->answered = n->proven = true;
		return;
	}
	n->rival_us = mtime_now().us;
	n->conflicts++;
	memcpy(n->thief, arp->mac, sizeof(n->thief));
	if (!n->conflict_us)
		n->conflict_us = n->rival_us;
}

static void on_arp(void *arg)
{
	struct neighbour *n = arg;
	struct neighbour_arp arp;
	uint8_t frame[128];

	for (int i = 0; i < ROUND; i++) {
		ssize_t len =
			recv(n->item.fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (len < 0)
			return;
		if (neighbour_parse(frame, (size_t)len, &arp))
			take(n, &arp);
	}
}

static void forget(struct neighbour *n)
{
	n->next_us = INT64_MAX;
	n->conflict_us = 0;
	n->asked = n->answered = n->proven = false;
	memset(&n->judge, 0, sizeof(n->judge));
}

/* Bound after a filter is there: nothing else ever comes in. */
int neighbour_socket(int index)
{
	static struct sock_filter drop_all[] = {
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	static const struct sock_fprog nothing = {1, drop_all};
	struct sockaddr_ll on = {.sll_family = AF_PACKET};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	on.sll_ifindex = index;
	on.sll_protocol = htons(ETHERTYPE_ARP);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &nothing,
		    sizeof(nothing)) < 0 ||
		bind(fd, (struct sockaddr *)&on, sizeof(on)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int watch(struct neighbour *n, int fd)
{
	if (n->item.fd == fd)
		return 0;
	neighbour_close(n);
	n->item.fd = fd;
	n->item.ready = on_arp;
	n->item.arg = n;
	return poll_add(n->poll, &n->item);
}

int neighbour_open(struct neighbour *n, const struct config_instance *conf,
	int fd, int index, const uint8_t mac[6], int64_t now_us)
{
	int rc = attach_filter(fd, conf);

	forget(n);
	if (rc == 0)
		rc = watch(n, fd);
	if (rc < 0) {
		neighbour_close(n);
		return rc;
	}
	n->index = index;
	memcpy(n->mac, mac, sizeof(n->mac));
	n->has_gateway = conf->has_gateway;
	memcpy(n->gateway, conf->gateway, sizeof(n->gateway));
	if (n->has_gateway)
		n->next_us = now_us;
	return 0;
}

void neighbour_close(struct neighbour *n)
{
	poll_del(n->poll, &n->item);
	n->item.fd = -1;
	forget(n);
}

static void send_question(
	struct neighbour *n, const uint8_t source[4], const uint8_t target[4])
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	uint8_t frame[NEIGHBOUR_FRAME];

	neighbour_question(frame, n->mac, source, target);
	to.sll_ifindex = n->index;
	to.sll_halen = 6;
	memset(to.sll_addr, 0xff, 6);
	/* A question that does not get out is one without answer. */
	(void)!sendto(n->item.fd, frame, sizeof(frame), MSG_DONTWAIT,
		(struct sockaddr *)&to, sizeof(to));
}

void neighbour_tick(
	struct neighbour *n, const uint8_t source[4], int64_t now_us)
{
	if (n->item.fd < 0 || now_us < n->next_us)
		return;
	if (n->asked)
		track_probe_result(&n->judge, n->answered, ASK_OF, ASK_OF);
	n->answered = false;
	n->asked = true;
	n->next_us = now_us + ASK_US;
	send_question(n, source, n->gateway);
}

bool neighbour_master_gone(struct neighbour *n, int64_t heard_us,
	uint32_t interval_us, const uint8_t source[4], const uint8_t vip[4],
	int64_t now_us)
{
	if (n->item.fd < 0)
		heard_us = 0;
	switch (ask_step(&n->ask, heard_us, interval_us, n->rival_us, now_us)) {
	case ASK_NOW:
		send_question(n, source, vip);
		return false;
	case ASK_GONE:
		return true;
	case ASK_NOTHING:
		break;
	}
	return false;
}

int64_t neighbour_deadline(const struct neighbour *n)
{
	int64_t ask = ask_deadline(&n->ask);

	return ask < n->next_us ? ask : n->next_us;
}

enum track_gateway neighbour_gateway(const struct neighbour *n)
{
	if (n->has_gateway && n->judge.failed)
		return TRACK_GATEWAY_LOST;
	return n->has_gateway && n->proven ? TRACK_GATEWAY_GOOD
					   : TRACK_GATEWAY_UNKNOWN;
}
