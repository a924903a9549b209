/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_SPOOF_H
#define FRONTEND_SPOOF_H

/* Answers with addresses from the configuration. Pure. */

#include "common/net/addr.h"
#include "frontend/answer.h"

#define SPOOF_MAX 16 /* addresses of each family */
/* Room for the longest name and all addresses. */
#define SPOOF_MSG (MSG_HEADER + NAME_MAX_WIRE + 4 + SPOOF_MAX * (16 + 28))

struct spoof {
	uint32_t ttl_s;
	unsigned v4_count, v6_count;
	uint8_t v4[SPOOF_MAX][4];
	uint8_t v6[SPOOF_MAX][16];
};

/* False: too many of this family. */
bool spoof_add(struct spoof *spoof, const union addr *addr);
/* The answer to this question, in `buf` (room SPOOF_MSG): the addresses of the
 * type in class IN (ANY: all of them), else empty (NODATA, whatever was asked
 * for). It carries EDE 4, forged answer (RFC 8914 4.5). */
void spoof_make(const struct spoof *spoof, struct answer *a, uint8_t *buf,
	const struct question *q);

#endif
