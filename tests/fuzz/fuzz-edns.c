/* SPDX-License-Identifier: ISC */
/* Options of an OPT record: the input is its rdata. */

#include "tests/fuzz/fuzz.h"

#include "common/dns/edns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edns edns;

	if (size > UINT16_MAX)
		return 0;
	if (!edns_read(data, 0, 1232, 0x8000, 0, (uint16_t)size, &edns))
		return 0;
	fuzz_check(edns.present && edns.length == size);
	if (edns.cookie_offset)
		fuzz_check(
			edns.cookie_offset >= 4 &&
			(size_t)edns.cookie_offset + edns.cookie_len <= size);
	if (edns.ecs_offset)
		fuzz_check(edns.ecs_offset >= 4 &&
			   (size_t)edns.ecs_offset + edns.ecs_len <= size);
	return 0;
}
