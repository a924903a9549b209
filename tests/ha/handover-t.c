/* SPDX-License-Identifier: ISC */

/* The talk between our nodes: codec, authentication, the UDP socket. */

#include "ha/handover.h"

#include <errno.h>
#include <poll.h>

#include "ha/track.h"
#include "tests/tap/tap.h"

static const struct handover_msg sample = {.kind = HANDOVER_TAKE,
	.vrid = 51,
	.family = 6,
	.role = 2,
	.priority = 1,
	.base = 254,
	.fit = true,
	.gateway = TRACK_GATEWAY_LOST,
	.boot = 0x01020304,
	.seq = 7};

static void test_codec(void)
{
	uint8_t wire[HANDOVER_LEN];
	struct handover_msg got = {0};

	handover_encode(&sample, "", 0, wire);
	is_int(handover_decode(wire, sizeof(wire), "", 0, &got), 0, "decode");
	is_int(memcmp(&got, &sample, sizeof(got)), 0, "the same again");
	is_int(handover_decode(wire, sizeof(wire), "k", 1, &got), -EACCES,
		"without key to one who wants it");
	handover_encode(&sample, "secret", 6, wire);
	is_int(handover_decode(wire, sizeof(wire), "secret", 6, &got), 0,
		"with key");
	is_int(handover_decode(wire, sizeof(wire), "Secret", 6, &got), -EACCES,
		"with another key");
	is_int(handover_decode(wire, sizeof(wire), "", 0, &got), -EACCES,
		"with key to one who has none");
}

static void test_bad(void)
{
	static const struct {
		int at, value, want;
		const char *name;
	} rows[] = {
		{0, 'x', -EBADMSG, "magic"},
		{4, 2, -EBADMSG, "version"},
		{5, 0, -EBADMSG, "kind 0"},
		{5, 9, -EBADMSG, "kind 9"},
		{7, 5, -EBADMSG, "family"},
		{39, 1, -EACCES, "authentication where none is"},
	};
	uint8_t wire[HANDOVER_LEN + 1] = {0};
	struct handover_msg got;

	for (size_t i = 0; i < countof(rows); i++) {
		handover_encode(&sample, "", 0, wire);
		wire[rows[i].at] = (uint8_t)rows[i].value;
		is_int(handover_decode(wire, HANDOVER_LEN, "", 0, &got),
			rows[i].want, "bad %s", rows[i].name);
	}
	handover_encode(&sample, "k", 1, wire);
	for (int i = 5; i < HANDOVER_LEN; i++) {
		wire[i] ^= 1;
		if (handover_decode(wire, HANDOVER_LEN, "k", 1, &got) == 0)
			tap_bail("octet %d is not covered", i);
		wire[i] ^= 1;
	}
	ok(true, "the key covers every octet");
	for (size_t len = 0; len <= HANDOVER_LEN + 1; len++)
		if (len != HANDOVER_LEN &&
			handover_decode(wire, len, "k", 1, &got) == 0)
			tap_bail("length %zu accepted", len);
	ok(true, "every other length is refused");
}

/* Versions beside each other during an upgrade. */
static void test_other_versions(void)
{
	static const uint8_t older[HANDOVER_LEN] = {'I', 'S', 'P', 'H', 1, 1,
		51, 4, 2, 254, 254, 1, 1, 2, 3, 4, 0, 0, 0, 7};
	uint8_t wire[HANDOVER_LEN];
	struct handover_msg got;

	is_int(handover_decode(older, sizeof(older), "", 0, &got), 0,
		"one that knows no gateway");
	is_int(got.gateway, TRACK_GATEWAY_UNKNOWN, "leaves it unknown");
	handover_encode(&sample, "", 0, wire);
	wire[20] = 3;
	is_int(handover_decode(wire, sizeof(wire), "", 0, &got), 0,
		"one that knows more");
	is_int(got.gateway, TRACK_GATEWAY_UNKNOWN, "is not misunderstood");
}

static void test_socket(void)
{
	struct handover a, b;
	struct handover_msg msg = sample, got;
	union addr to, from;
	socklen_t len = sizeof(to);
	struct pollfd p = {.events = POLLIN};
	struct err err;

	if (handover_open(&a, 0, "k", 1, &err) < 0 ||
		handover_open(&b, 0, "k", 1, &err) < 0)
		tap_bail("%s", err.text);
	getsockname(b.fd4, &to.sa, &len);
	to.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	is_int(handover_send(&a, &to, &msg), 0, "send");
	p.fd = b.fd4;
	is_int(poll(&p, 1, 2000), 1, "it comes");
	is_int(handover_receive(&b, b.fd4, &got, &from), 1, "receive");
	is_int(got.vrid, 51, "what was sent");
	is_int(got.boot, a.boot, "with the sender's boot number");
	is_int(handover_receive(&b, b.fd4, &got, &from), 0, "then nothing");
	is_int(handover_send(&a, &to, &msg), 0, "send again");
	poll(&p, 1, 2000);
	is_int(handover_receive(&b, b.fd4, &got, &from), 1, "receive again");
	is_int(got.seq, 2, "the number grows");
	handover_close(&a);
	handover_close(&b);
}

int main(void)
{
	test_codec();
	test_bad();
	test_other_versions();
	test_socket();
	return tap_done();
}
