/* SPDX-License-Identifier: ISC */
/* Zone text: what is read prints to text that reads to the same zone. */

#include "tests/fuzz/fuzz.h"

#include "common/zone/zone.h"

/* ldns 1.8.3 leaks a field when a later one of the record is malformed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:ldns_rr_new_frm_str\nleak:ldns_rdf_new_frm_data\n";
}

static const struct zone_read_options options = {
	.origin = "example.net", .max_records = 200, .max_generate = 50};

static struct zone *read_zone(const char *text, size_t len)
{
	struct zone_report report;
	struct zone *zone;

	zone_report_init(&report);
	zone = zone_read_text(text, len, "db", &options, &report);
	fuzz_check(zone || report.errors > 0);
	if (zone)
		(void)zone_check(zone, NULL, &report);
	zone_report_fini(&report);
	return zone;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *zone, *again;
	struct text out, second;

	if (size > 4096)
		return 0;
	zone = read_zone((const char *)data, size);
	if (!zone)
		return 0;
	text_init(&out);
	text_init(&second);
	zone_print(zone, &out);
	again = read_zone(out.data, out.len);
	fuzz_check(again && zone_equal(zone, again, false));
	zone_print(again, &second);
	fuzz_check(out.len == second.len &&
		   memcmp(out.data, second.data, out.len) == 0);
	zone_free(zone);
	zone_free(again);
	text_fini(&out);
	text_fini(&second);
	return 0;
}
