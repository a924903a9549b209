/* SPDX-License-Identifier: ISC */
/*
 * dnsdist importer: the account of the file. Every statement is opened when
 * it is read and gets its one line at the end, since what becomes of a rule
 * is known only when all rules are.
 */
#include "mgmt/cli/import_dnsdist.h"

#include <stdarg.h>

void dd_begin(struct dd *d, unsigned line, const char *what)
{
	struct dd_statement *st = arena_alloc(&d->arena, sizeof(*st));

	if (!st) {
		d->im->failed = true;
		d->now = &d->lost;
		return;
	}
	st->line = line;
	st->what = arena_strdup(&d->arena, what);
	d->im->failed |= !st->what;
	*d->statements_end = st;
	d->statements_end = &st->next;
	d->now = st;
}

static void put(struct dd *d, struct dd_statement *st, enum dd_outcome outcome,
	const char *fmt, va_list ap)
{
	char text[512];

	if (st->outcome >= outcome)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	st->outcome = outcome;
	st->text = arena_strdup(&d->arena, text);
	d->im->failed |= !st->text;
}

void dd_done(struct dd *d, struct dd_statement *st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(d, st, DD_DONE, fmt, ap);
	va_end(ap);
}

void dd_not_needed(struct dd *d, struct dd_statement *st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(d, st, DD_NOT_NEEDED, fmt, ap);
	va_end(ap);
}

void dd_missing(struct dd *d, struct dd_statement *st, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(d, st, DD_MISSING, fmt, ap);
	va_end(ap);
}

void dd_error(struct dd *d, struct dd_statement *st, unsigned line,
	const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	import_error(d->im, d->file, line, "%s", text);
	st->outcome = DD_FAILED;
	st->text = NULL;
}

static bool same(const struct dd_statement *a, const struct dd_statement *b)
{
	return a && b && a->outcome == b->outcome && a->text && b->text &&
	       strcmp(a->what, b->what) == 0 && strcmp(a->text, b->text) == 0;
}

/* One line for `count` equal statements that follow each other. */
static void say(struct dd *d, const struct dd_statement *st, unsigned count)
{
	static const enum import_level levels[] = {
		[DD_OPEN] = IMPORT_MISSING,
		[DD_NOT_NEEDED] = IMPORT_NOT_NEEDED,
		[DD_DONE] = IMPORT_DONE,
		[DD_MISSING] = IMPORT_MISSING,
	};
	char times[32] = "";

	if (st->outcome == DD_FAILED)
		return;
	if (count > 1)
		snprintf(times, sizeof(times), " (and %u more)", count - 1);
	import_say(d->im, levels[st->outcome], d->file, st->line, "%s: %s%s",
		st->what, st->text ? st->text : "not understood", times);
}

static void count(struct import *im, enum dd_outcome outcome)
{
	if (outcome == DD_DONE)
		im->imported++;
	else if (outcome == DD_NOT_NEEDED)
		im->not_needed++;
	else
		im->not_imported++;
}

void dd_report(struct dd *d)
{
	const struct dd_statement *first = d->statements, *st;
	unsigned equal;

	while (first) {
		equal = 0;
		for (st = first; st == first || same(first, st);
			st = st->next, equal++)
			count(d->im, st->outcome);
		say(d, first, equal);
		first = st;
	}
}
