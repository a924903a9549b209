/* SPDX-License-Identifier: ISC */
#ifndef TESTS_HA_FRAME_H
#define TESTS_HA_FRAME_H

#include "ha/packet.h"

/*
 * Make the checksum of a spoilt message right again, so that a test meets
 * the check it means: version 3 with pseudo-header. `pdu` has an even
 * length of at least 8.
 */
static inline void frame_fix_sum(
	const struct packet_meta *meta, uint8_t *pdu, size_t len)
{
	size_t n = packet_addr_len(meta->family);
	uint32_t sum = 0;

	pdu[6] = pdu[7] = 0;
	for (size_t i = 0; pdu[0] >> 4 == 3 && i < n; i += 2)
		sum += (uint32_t)(meta->src[i] << 8 | meta->src[i + 1]) +
		       (uint32_t)(meta->dst[i] << 8 | meta->dst[i + 1]);
	if (pdu[0] >> 4 == 3)
		sum += PACKET_PROTO + (uint32_t)len;
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(pdu[i] << 8 | pdu[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	pdu[6] = (uint8_t)(~sum >> 8);
	pdu[7] = (uint8_t)~sum;
}

#endif
