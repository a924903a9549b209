/* SPDX-License-Identifier: ISC */
/* The list of what is wrong with a zone. */

#include "common/zone/private.h"

#include <errno.h>

#define KEPT_MAX 200

void zone_report_init(struct zone_report *report)
{
	memset(report, 0, sizeof(*report));
}

void zone_report_fini(struct zone_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		free(report->items[i].text);
	free(report->items);
	zone_report_init(report);
}

int zone_report_err(const struct zone_report *report, struct err *err)
{
	if (report->errors == 0)
		return 0;
	err_set(err, "out of memory");
	for (size_t i = 0; i < report->count; i++) {
		if (report->items[i].severity != ZONE_ERROR)
			continue;
		if (report->errors > 1)
			err_set(err, "%s (and %zu more)", report->items[i].text,
				report->errors - 1);
		else
			err_set(err, "%s", report->items[i].text);
		break;
	}
	return -EINVAL;
}

/* An error may push out a warning when the list is full. */
static struct zone_problem *place_for(
	struct zone_report *report, enum zone_severity severity)
{
	struct zone_problem *items;

	if (report->count < report->size)
		return &report->items[report->count++];
	if (report->count < KEPT_MAX) {
		size_t size = report->size ? 2 * report->size : 8;

		items = realloc(report->items, size * sizeof(*items));
		if (!items)
			return NULL;
		report->items = items;
		report->size = size < KEPT_MAX ? size : KEPT_MAX;
		return &report->items[report->count++];
	}
	for (size_t i = report->count; severity == ZONE_ERROR && i-- > 0;) {
		if (report->items[i].severity == ZONE_WARNING) {
			free(report->items[i].text);
			return &report->items[i];
		}
	}
	return NULL;
}

void zone_problem(struct zone_report *report, enum zone_severity severity,
	const struct zone *zone, const char *file, int line, const char *fmt,
	...)
{
	struct zone_problem *problem;
	struct text text;
	char message[ERR_MAX];
	va_list args;

	if (severity == ZONE_ERROR)
		report->errors++;
	else
		report->warnings++;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	text_init(&text);
	if (file && line > 0)
		text_add(&text, "%s:%d: %s", file, line, message);
	else
		text_add(&text, "%s: %s",
			file   ? file
			: zone ? zone->origin_text
			       : "zone",
			message);
	problem = text.failed ? NULL : place_for(report, severity);
	if (!problem) {
		text_fini(&text);
		return;
	}
	problem->severity = severity;
	problem->text = text_take(&text);
}
