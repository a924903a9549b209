/* SPDX-License-Identifier: ISC */
/* Options of an OPT record: the input is its rdata. */

#include "tests/fuzz/fuzz.h"

#include "common/dns/cookie.h"
#include "common/dns/ecs.h"
#include "common/dns/edns.h"

static void answer_cookie(const uint8_t *in, size_t len)
{
	static const struct cookie_secrets secrets = {
		.now = {1, 2}, .other = {3, 4}, .has_other = true};
	static const uint8_t ip[16];
	uint8_t out[COOKIE_SIZE], again[COOKIE_SIZE];

	(void)cookie_answer(&secrets, in, len, ip, 4, 1559731985, out);
	fuzz_check(memcmp(in, out, COOKIE_CLIENT) == 0);
	fuzz_check(cookie_answer(
		&secrets, out, sizeof(out), ip, 4, 1559731985, again));
	fuzz_check(memcmp(out, again, sizeof(out)) == 0);
}

/* What is read is written as it was. */
static void rewrite_ecs(const uint8_t *in, size_t len)
{
	uint8_t out[ECS_OPTION_MAX];
	struct ecs ecs;
	uint8_t scope;

	if (!ecs_read(in, len, &ecs, &scope))
		return;
	fuzz_check(ecs_write(&ecs, scope, out) == len + 4);
	fuzz_check(memcmp(in, out + 4, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edns edns;

	if (size > UINT16_MAX)
		return 0;
	if (!edns_read(data, 0, 1232, 0x8000, 0, (uint16_t)size, &edns))
		return 0;
	fuzz_check(edns.present && edns.length == size);
	if (edns.cookie_offset) {
		fuzz_check(
			edns.cookie_offset >= 4 &&
			(size_t)edns.cookie_offset + edns.cookie_len <= size);
		answer_cookie(data + edns.cookie_offset, edns.cookie_len);
	}
	if (edns.ecs_offset) {
		fuzz_check(edns.ecs_offset >= 4 &&
			   (size_t)edns.ecs_offset + edns.ecs_len <= size);
		rewrite_ecs(data + edns.ecs_offset, edns.ecs_len);
	}
	return 0;
}
