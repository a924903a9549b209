/* SPDX-License-Identifier: ISC */
/* Short texts from outside: addresses, prefixes, heartbeats, codes. */

#include "tests/fuzz/fuzz.h"

#include "common/ctl/heartbeat.h"
#include "common/dns/code.h"
#include "common/net/addr.h"
#include "common/net/prefix.h"

static void try_addr(const char *text)
{
	char out[ADDR_TEXT];
	union addr addr, again;

	if (addr_parse(text, 53, &addr) != 0)
		return;
	fuzz_check(addr_parse(addr_print(&addr, out), 1, &again) == 0);
	fuzz_check(addr_equal(&addr, &again));
}

static void try_prefix(const char *text)
{
	char out[PREFIX_TEXT], out2[PREFIX_TEXT];
	struct prefix prefix, again;

	if (prefix_parse(text, &prefix) != 0)
		return;
	fuzz_check(prefix_parse(prefix_print(&prefix, out), &again) == 0);
	fuzz_check(strcmp(prefix_print(&again, out2), out) == 0);
}

static void try_codes(const char *text)
{
	char out[DNS_CODE_TEXT];
	uint16_t value, again;

	if (dns_type_parse(text, &value))
		fuzz_check(dns_type_parse(dns_type_print(value, out), &again) &&
			   again == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char out[HEARTBEAT_MAX];
	struct heartbeat hb;

	if (heartbeat_decode((const char *)data, size, &hb))
		fuzz_check(heartbeat_encode(&hb, out) == size &&
			   memcmp(out, data, size) == 0);
	if (!text)
		return 0;
	try_addr(text);
	try_prefix(text);
	try_codes(text);
	free(text);
	return 0;
}
