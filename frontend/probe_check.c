/* SPDX-License-Identifier: ISC */
/* A rcode that is not asked for, an old serial: what health is made of. */

#include "frontend/probe_check.h"

#include "common/base/buf.h"
#include "common/dns/code.h"

void check_name(
	const struct pool_check *check, struct rng *rng, struct name *out)
{
	const struct name *from = &check->name;
	uint64_t random = rng_next(rng);

	*out = *from;
	if (!check->random_label)
		return;
	out->wire[0] = POOL_CHECK_LABEL - 1;
	for (unsigned i = 1; i < POOL_CHECK_LABEL; i++, random /= 26)
		out->wire[i] = (uint8_t)('a' + random % 26);
	memcpy(out->wire + POOL_CHECK_LABEL, from->wire, from->len);
	out->len = (uint8_t)(from->len + POOL_CHECK_LABEL);
}

/* Has the zone reached the serial that is asked for (RFC 1982)? */
static bool has_serial(const uint8_t *msg, size_t len, const struct question *q,
	uint32_t least)
{
	struct record_iter it;
	struct record rr;

	record_iter_init(&it, msg, len, q->end);
	while (q->name && record_iter_next(&it, &rr)) {
		size_t pos = rr.rdata_offset;

		if (rr.section != MSG_AN || rr.type != DNS_TYPE_SOA)
			continue;
		/* checked before: two names and five numbers */
		pos += (size_t)name_read(msg, len, pos, NULL);
		pos += (size_t)name_read(msg, len, pos, NULL);
		return (int32_t)(get32(msg + pos) - least) >= 0;
	}
	return false;
}

bool check_is_good(const struct pool_check *check, const uint8_t *msg,
	size_t len, const struct question *q)
{
	unsigned rcode = msg_rcode(msg);

	if (check->has_serial && !has_serial(msg, len, q, check->serial))
		return false;
	if (check->require_aa && !(msg_flags(msg) & MSG_AA))
		return false;
	if (check->rcode == POOL_RCODE_ANY)
		return rcode != DNS_RCODE_SERVFAIL;
	if (check->rcode == POOL_RCODE_RESOLVED)
		return rcode == DNS_RCODE_NOERROR ||
		       rcode == DNS_RCODE_NXDOMAIN;
	return rcode == (unsigned)check->rcode;
}

bool check_is_ours(const struct pool_check *check, const struct name *asked,
	const struct question *q)
{
	return !q->name ||
	       (q->type == check->type && q->class == DNS_CLASS_IN &&
		       name_equal(q->name, asked->wire));
}
