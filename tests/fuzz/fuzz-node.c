/* SPDX-License-Identifier: ISC */

/*
 * What else ispdns-ha reads from outside: the first octet chooses between the
 * heartbeat of the frontend, a datagram of a peer (without and with key) and
 * an ARP packet. What is accepted must encode to the same again.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/ctl/heartbeat.h"
#include "ha/handover.h"
#include "ha/neighbour.h"

static void heartbeat(const uint8_t *data, size_t size)
{
	struct heartbeat hb, again;
	char out[HEARTBEAT_MAX], text[HEARTBEAT_MAX * 2];

	if (size > sizeof(text))
		return;
	memcpy(text, data, size);
	if (!heartbeat_decode(text, size, &hb))
		return;
	fuzz_check(heartbeat_decode(out, heartbeat_encode(&hb, out), &again));
	fuzz_check(again.state == hb.state && again.pid == hb.pid);
}

static void handover(const uint8_t *data, size_t size, size_t key_len)
{
	struct handover_msg msg, again;
	uint8_t out[HANDOVER_LEN];

	if (handover_decode(data, size, "secret", key_len, &msg) < 0)
		return;
	handover_encode(&msg, "secret", key_len, out);
	fuzz_check(handover_decode(
			   out, sizeof(out), "secret", key_len, &again) == 0);
	fuzz_check(again.kind == msg.kind && again.vrid == msg.vrid &&
		   again.seq == msg.seq && again.fit == msg.fit &&
		   again.gateway == msg.gateway);
}

static void arp(const uint8_t *data, size_t size)
{
	struct neighbour_arp seen;

	if (neighbour_parse(data, size, &seen))
		fuzz_check(memcmp(seen.mac, data + 22, 6) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] & 3) {
	case 0:
		heartbeat(data + 1, size - 1);
		break;
	case 1:
		handover(data + 1, size - 1, 0);
		break;
	case 2:
		handover(data + 1, size - 1, 6);
		break;
	default:
		arp(data + 1, size - 1);
	}
	return 0;
}
