/* SPDX-License-Identifier: ISC */
/* TTLs of answers: found, aged, and the answer still whole after. */

#include "tests/fuzz/fuzz.h"

#include "common/dns/ttl.h"

enum {
	OFFSETS = 64
};

static void age(uint8_t *msg, size_t size, size_t pos)
{
	uint16_t offsets[OFFSETS];
	struct answer_info before, after;
	unsigned n = ttl_offsets(msg, size, pos, offsets, OFFSETS);

	fuzz_check(ttl_inspect(msg, size, pos, &before));
	fuzz_check(before.ttl_count == n && before.ttl_s <= TTL_MAX);
	if (n > OFFSETS)
		n = OFFSETS;
	ttl_age(msg, offsets, n, 1, 3600);
	fuzz_check(ttl_inspect(msg, size, pos, &after));
	fuzz_check(after.kind == before.kind);
	fuzz_check(after.ttl_s <= before.ttl_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct question q;
	struct edns edns;
	struct answer_info info;
	uint8_t *copy;

	/* Unchecked input may be refused, not read over its end. */
	if (size >= MSG_HEADER)
		(void)ttl_inspect(data, size, MSG_HEADER, &info);
	if (!msg_check_answer(data, size, &q, &edns) || !q.name)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	age(copy, size, q.end);
	fuzz_check(msg_check_answer(copy, size, &q, &edns));
	free(copy);
	return 0;
}
