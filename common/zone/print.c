/* SPDX-License-Identifier: ISC */
/* Flat text out, and the names of zone files. */

#include "common/zone/private.h"

#include "common/base/digest.h"
#include "common/dns/code.h"

#include <inttypes.h>

void zone_print(const struct zone *zone, struct text *out)
{
	char type[DNS_CODE_TEXT];

	for (size_t i = 0; i < zone->count; i++) {
		const struct zone_rr *rr = zone->rrs[i];

		text_add(out, "%s %" PRIu32 " IN %s %s\n", rr->owner, rr->ttl_s,
			dns_type_print(rr->type, type), rr->rdata);
	}
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		char c = *text;

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '.' || c == '-'))
			return false;
	}
	return true;
}

bool zone_file_name(const struct name *zone, char out[ZONE_FILE_NAME])
{
	struct name lower = {.len = zone->len};
	char text[NAME_MAX_TEXT], hex[DIGEST_HEX];
	size_t len;

	name_to_lower(lower.wire, zone->wire, zone->len);
	len = strlen(name_print(&lower, text));
	if (is_plain(text) && len > 1 && len + 5 <= ZONE_FILE_NAME) {
		/* The final dot becomes the dot of ".zone". */
		memcpy(out, text, len);
		memcpy(out + len, "zone", 5);
		return true;
	}
	snprintf(out, ZONE_FILE_NAME, "%s.zone",
		digest_hex(lower.wire, lower.len, hex));
	return false;
}
