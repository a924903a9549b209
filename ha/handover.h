/* SPDX-License-Identifier: ISC */
#ifndef HA_HANDOVER_H
#define HA_HANDOVER_H

#include "common/base/err.h"
#include "common/net/addr.h"

/*
 * The talk between our own nodes, beside VRRP and never instead of it: a
 * hello tells the peer that we live and could serve, so that the last one
 * standing knows that it is; "take" asks it to take the role over now. UDP
 * unicast with TTL 255, so that it cannot come from behind a router; with a
 * key every datagram carries an HMAC-SHA-256. Codec pure; one thread.
 */

enum handover_kind {
	HANDOVER_HELLO = 1,
	HANDOVER_TAKE = 2, /* take over now */
	HANDOVER_WANT = 3, /* I would like to: give it to me */
};

enum {
	HANDOVER_LEN = 40,
	HANDOVER_MAC = 16,
	HANDOVER_PORT = 7112
};

struct handover_msg {
	enum handover_kind kind;
	uint8_t vrid;
	uint8_t family;   /* 4 or 6 */
	uint8_t role;     /* enum state_role */
	uint8_t priority; /* effective */
	uint8_t base;     /* configured */
	bool fit;         /* could serve */
	uint8_t gateway;  /* enum track_gateway */
	uint32_t boot;    /* random per start of the sender */
	uint32_t seq;     /* grows while boot stays */
};

struct handover {
	int fd4, fd6; /* -1 when not open */
	uint8_t key[64];
	size_t key_len;
	uint32_t boot;
	uint32_t seq;
};

void handover_encode(const struct handover_msg *msg, const void *key,
	size_t key_len, uint8_t out[HANDOVER_LEN]);
/* 0, -EBADMSG (malformed) or -EACCES (wrong or missing authentication). */
int handover_decode(const uint8_t *in, size_t len, const void *key,
	size_t key_len, struct handover_msg *out) MUST_CHECK;

/* Bind to `port` on all addresses, both families where the host has both.
 * -errno with a line in err. */
int handover_open(struct handover *h, uint16_t port, const void *key,
	size_t key_len, struct err *err) MUST_CHECK;
void handover_close(struct handover *h);
/* Fills in boot and seq. 0 or -errno. */
int handover_send(
	struct handover *h, const union addr *to, struct handover_msg *msg);
/* 1: a message; 0: nothing there; -EBADMSG, -EACCES: one was thrown away. */
int handover_receive(struct handover *h, int fd, struct handover_msg *msg,
	union addr *from) MUST_CHECK;

#endif
