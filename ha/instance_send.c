/* SPDX-License-Identifier: ISC */
#include "ha/instance_impl.h"

#include <time.h>

#include "common/base/clock.h"

/*
 * What a virtual router says: adverts, words to its peers, announcements to
 * the LAN.
 */

enum {
	READY_POLL_US = 1000,
	READY_MAX_US = 50 * 1000,
	REFRESH_US = 30 * 1000 * 1000,
	/* Others than ours leave silently after a split brain, and clients go
	 * on sending to them until they hear of us. */
	REFRESH_FOREIGN_US = 2 * 1000 * 1000,
};

static bool is_signed(const struct instance *in)
{
	return in->conf.hmac.mode >= HMAC_PERMISSIVE;
}

/* One number for all copies of an advert. */
static uint64_t next_number(struct instance *in)
{
	struct timespec t;

	if (!is_signed(in))
		return 0;
	clock_gettime(CLOCK_REALTIME, &t);
	return hmac_next(&in->hmac, &in->conf.hmac,
		t.tv_sec * 1000000LL + t.tv_nsec / 1000);
}

static size_t sign(struct instance *in, uint64_t seq, const uint8_t *dst,
	uint8_t *pdu, size_t len)
{
	struct packet_meta meta = {.family = in->conf.family};

	if (!is_signed(in))
		return len;
	memcpy(meta.src, in->source, sizeof(meta.src));
	memcpy(meta.dst, dst, sizeof(meta.dst));
	hmac_sign(&in->conf.hmac, seq, &meta, pdu, len);
	return len + PACKET_TRAILER;
}

static void send_to(
	struct instance *in, uint8_t priority, uint64_t seq, const uint8_t *dst)
{
	struct packet_advert adv = {
		.version = in->conf.version,
		.family = in->conf.family,
		.vrid = in->conf.vrid,
		.priority = priority,
		.interval_cs = in->rules.interval_cs,
		.auth_type = in->conf.auth_type,
		.count = in->conf.wire_count,
		.addrs = in->conf.wire,
	};
	uint8_t pdu[PACKET_MAX + PACKET_TRAILER];
	int n;

	memcpy(adv.auth, in->conf.auth, sizeof(adv.auth));
	n = packet_encode(&adv, in->sum_form, in->source, dst, pdu, PACKET_MAX);
	if (n >= 0)
		n = sock_send(&in->sock, in->source, dst, pdu,
			sign(in, seq, dst, pdu, (size_t)n));
	if (n < 0) {
		if (in->counters.send_failed++ == 0)
			in_trouble(in, "send advert", n);
		return;
	}
	in->counters.sent++;
	if (priority == 0)
		in->counters.prio0_sent++;
}

void in_send_advert(struct instance *in, uint8_t priority)
{
	uint8_t group[PACKET_ADDR_MAX];
	uint64_t seq = next_number(in);

	if (in->conf.peer_count == 0) {
		packet_group(in->conf.family, group);
		send_to(in, priority, seq, group);
	}
	for (size_t i = 0; i < in->conf.peer_count; i++)
		send_to(in, priority, seq, in->conf.peers[i]);
	if (in->keep)
		in->keep->advert_us = mtime_now().us;
}

void in_tell_peers(struct instance *in, enum handover_kind kind)
{
	struct handover_msg msg = {
		.kind = kind,
		.vrid = in->conf.vrid,
		.family = in->conf.family,
		.role = (uint8_t)in->st.role,
		.priority = in->sc.priority,
		.base = in->conf.priority,
		.fit = in->health.fault == TRACK_FAULT_NONE &&
		       !in->health.last_man,
		.gateway = (uint8_t)neighbour_gateway(&in->neighbour),
	};

	for (size_t i = 0; i < in->conf.handover_count; i++) {
		if (handover_send(in->env->handover, &in->peers[i].addr, &msg) <
			0)
			continue;
		if (kind == HANDOVER_TAKE)
			in->counters.takes_sent++;
		else
			in->counters.hellos_sent++;
	}
}

void in_announce(struct instance *in, int64_t now)
{
	int i;

	in->announce.refresh_us =
		in_any_hello(in) ? REFRESH_US : REFRESH_FOREIGN_US;
	(void)announce_due(&in->announce, now);
	while ((i = announce_next(&in->announce, in->env->announced, in->index,
			in->conf.vip_count, now)) >= 0) {
		int rc = announce_send(in->env->packet_fd, in->index,
			in->conf.family, in->mac, in->conf.vips[i].octets);

		if (rc == 0)
			in->counters.announced++;
	}
}

static bool all_local(struct instance *in)
{
	for (size_t i = 0; i < in->conf.vip_count; i++)
		if (!iface_is_local(in->env->iface, in->conf.family,
			    in->conf.vips[i].octets))
			return false;
	return true;
}

/* Nobody is sent here before the kernel has the addresses and takes packets to
 * them in: the same for IPv4, some milliseconds later for IPv6. When they are
 * on we are woken; the look at an IPv6 one is bounded. */
static bool is_ready(struct instance *in, int64_t now)
{
	if (!vip_settled(&in->vip))
		in->settled_us = now;
	return vip_settled(&in->vip) &&
	       (in->conf.family == 4 || all_local(in) ||
		       now >= in->settled_us + READY_MAX_US);
}

void in_announce_when_ready(struct instance *in, int64_t now)
{
	if (!in->ready_us || (in->conf.family == 6 && now < in->ready_us))
		return;
	if (!is_ready(in, now)) {
		in->ready_us = now + READY_POLL_US;
		return;
	}
	in->ready_us = 0;
	announce_start(&in->announce, now);
	in_announce(in, now);
	histogram_add(&in->counters.takeover_us,
		(uint64_t)(mtime_now().us - in->decided_us));
}
