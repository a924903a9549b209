/* SPDX-License-Identifier: ISC */
/* Serial numbers: RFC 1982, and the three ways of choosing the next. */

#include "common/zone/private.h"

#include "common/dns/code.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

bool zone_serial_gt(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < 0x80000000u;
}

/* YYYYMMDD00 */
static uint32_t date_serial(int64_t now_s)
{
	time_t t = (time_t)now_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return 0;
	return (uint32_t)(((tm.tm_year + 1900) * 100 + tm.tm_mon + 1) * 100 +
			  tm.tm_mday) *
	       100;
}

uint32_t zone_serial_next(enum zone_serial_policy policy, uint32_t current,
	uint32_t served, int64_t now_s)
{
	uint32_t base = zone_serial_gt(served, current) ? served : current;
	uint32_t wanted = base + 1;

	if (policy == ZONE_SERIAL_DATE)
		wanted = date_serial(now_s);
	else if (policy == ZONE_SERIAL_UNIXTIME)
		wanted = (uint32_t)now_s;
	if (wanted != 0 && zone_serial_gt(wanted, base))
		return wanted;
	/* 0 means "none" to much software. */
	return base + 1 ? base + 1 : 1;
}

char *zone_soa_serial(char *rdata, uint32_t *serial)
{
	char *p = strchr(rdata, ' ');
	unsigned long n;
	char *end;

	p = p ? strchr(p + 1, ' ') : NULL;
	if (!p)
		return NULL;
	p++;
	n = strtoul(p, &end, 10);
	if (end == p || *end != ' ')
		return NULL;
	*serial = (uint32_t)n;
	return p;
}

static struct zone_rr *soa(const struct zone *zone)
{
	if (zone->count == 0 || zone->rrs[0]->type != DNS_TYPE_SOA)
		return NULL;
	return zone->rrs[0];
}

bool zone_serial(const struct zone *zone, uint32_t *serial)
{
	struct zone_rr *rr = soa(zone);

	return rr && zone_soa_serial(rr->rdata, serial);
}

int zone_serial_set(struct zone *zone, uint32_t serial, struct err *err)
{
	struct zone_rr *rr = soa(zone);
	struct text rdata;
	const char *list[1];
	uint32_t old;
	char *at = rr ? zone_soa_serial(rr->rdata, &old) : NULL;
	int ret = -ENOMEM;

	if (!at)
		return err_fail(
			err, -ENOENT, "%s has no SOA", zone->origin_text);
	text_init(&rdata);
	text_add_bytes(&rdata, rr->rdata, (size_t)(at - rr->rdata));
	text_add(&rdata, "%" PRIu32 "%s", serial, strchr(at, ' '));
	list[0] = rdata.data;
	if (!rdata.failed)
		ret = zone_set(zone, zone->origin_text, ZONE_TTL_KEEP,
			DNS_TYPE_SOA, list, 1, err);
	else
		err_set(err, "out of memory");
	text_fini(&rdata);
	return ret;
}
