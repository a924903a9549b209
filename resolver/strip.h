/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_STRIP_H
#define RESOLVER_STRIP_H

/* Leave records out of an answer. Pure. */

#include "common/dns/msg.h"

#define STRIP_RECORDS 6000 /* more do not fit into a message */

struct strip_result {
	const uint8_t *msg;
	size_t start, len; /* records: msg[start..len) */
	uint16_t counts[3];
	uint16_t ttl_count;
	uint16_t ttls[STRIP_RECORDS];
	bool stripped; /* something was left out */
	bool failed;   /* malformed */
	uint8_t room[MSG_MAX];
};

/* Only the OPT is left out. `q`: the question of `msg`, a checked answer;
 * out->msg points into `msg`. */
void strip_none(const uint8_t *msg, size_t len, const struct question *q,
	struct strip_result *out);
/* RRSIG, NSEC and NSEC3 are left out too, unless that type was asked; names
 * are compressed anew, as they may point into what is left out. */
void strip_dnssec(const uint8_t *msg, size_t len, const struct question *q,
	struct strip_result *out);

#endif
