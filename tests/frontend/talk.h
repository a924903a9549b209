/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FRONTEND_TALK_H
#define TESTS_FRONTEND_TALK_H

/*
 * What clients and backends of the tests say: messages made from a few words,
 * sent and taken over sockets, and looked at. Everything bails out when the
 * machinery fails; what is under test is returned.
 */

#include "common/net/addr.h"

struct packet {
	size_t len;
	union addr from;
	uint8_t data[65536];
};

struct ask {
	const char *name;
	uint16_t id, type; /* type 0: A */
	uint16_t class;    /* 0: IN */
	uint16_t flags;
	uint16_t payload; /* 0: no EDNS */
	bool dnssec_ok;
	const char *options; /* hex of EDNS options */
};

size_t ask_make(const struct ask *ask, uint8_t *out, size_t size);
void ask_udp(int fd, const struct ask *ask);
void ask_tcp(int fd, const struct ask *ask);
void send_udp(int fd, const void *data, size_t len);
/* A datagram (or framed message) within `ms`? */
bool take_udp(int fd, struct packet *p, int ms);
bool take_tcp(int fd, struct packet *p, int ms);
bool is_readable(int fd, int ms);
/* Has the peer closed within `ms`? */
bool is_closed(int fd, int ms);

struct reply {
	uint16_t flags; /* QR is added */
	unsigned rcode;
	int answers;    /* A records */
	uint32_t ttl_s; /* of them */
	bool soa;       /* in the authority section: TTL 3600 */
	uint32_t minimum_s;
	uint32_t soa_serial; /* not 0: an SOA in the answer section */
	size_t padding;      /* octets of TXT in the answer section */
	bool no_opt;
	const char *options;
	const char *name; /* another question's; NULL: as asked */
	uint16_t type;    /* 0: as asked */
	int id_off;       /* added to the id */
};

size_t reply_make(const struct packet *question, const struct reply *reply,
	uint8_t *out, size_t size);
void reply_udp(
	int fd, const struct packet *question, const struct reply *reply);
void reply_tcp(
	int fd, const struct packet *question, const struct reply *reply);

/* TTL of the first record of the answer section. */
uint32_t first_ttl(const struct packet *p);
/* The extended error in the OPT; -1: none. */
int ede_of(const struct packet *p);
bool has_opt(const struct packet *p);
/* The octets of its options, and where they begin; -1: no OPT. */
int opt_of(const struct packet *p, const uint8_t **rdata);
/* Has it just these options (hex)? */
bool has_options(const struct packet *p, const char *want);
/* The client's whole cookie option, as text for struct ask; "" when something
 * else is there. Returns `out`. */
const char *cookie_text(const struct packet *p, char out[64]);

#endif
