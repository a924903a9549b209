/* SPDX-License-Identifier: ISC */

/* ARP as seen by a node: who speaks, and what we ask. */

#include "ha/neighbour.h"

#include "tests/tap/tap.h"

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 0x0a};
static const uint8_t source[4] = {10, 98, 0, 11};
static const uint8_t target[4] = {10, 98, 0, 1};

static void test_gateway(void)
{
	struct neighbour n = {.has_gateway = false};

	is_int(neighbour_gateway(&n), TRACK_GATEWAY_UNKNOWN, "no gateway");
	n.has_gateway = true;
	is_int(neighbour_gateway(&n), TRACK_GATEWAY_UNKNOWN,
		"not one answer yet");
	n.proven = true;
	is_int(neighbour_gateway(&n), TRACK_GATEWAY_GOOD, "it answered");
	n.judge.failed = true;
	is_int(neighbour_gateway(&n), TRACK_GATEWAY_LOST, "lost");
}

int main(void)
{
	static const int fixed[] = {12, 13, 14, 15, 16, 17, 18, 19};
	uint8_t frame[NEIGHBOUR_FRAME + 18] = {0};
	struct neighbour_arp arp;

	neighbour_question(frame, mac, source, target);
	ok(neighbour_parse(frame, NEIGHBOUR_FRAME, &arp), "a question");
	is_bytes(arp.mac, 6, mac, 6, "its MAC");
	is_bytes(arp.ip, 4, source, 4, "its sender");
	is_bytes(frame + 38, 4, target, 4, "its target");
	is_int(frame[21], 1, "is a request");
	ok(neighbour_parse(frame, sizeof(frame), &arp), "padded");
	for (size_t len = 0; len < NEIGHBOUR_FRAME; len++)
		if (neighbour_parse(frame, len, &arp))
			tap_bail("%zu octets accepted", len);
	ok(true, "nothing shorter is taken");
	for (size_t i = 0; i < countof(fixed); i++) {
		frame[fixed[i]] ^= 0x40;
		ok(!neighbour_parse(frame, NEIGHBOUR_FRAME, &arp),
			"octet %d decides", fixed[i]);
		frame[fixed[i]] ^= 0x40;
	}
	test_gateway();
	return tap_done();
}
