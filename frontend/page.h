/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_PAGE_H
#define FRONTEND_PAGE_H

/* The parts of the metrics page, shared by its files only. Main thread. */

#include "frontend/frontend.h"

/* One value with the head of its family. */
void page_one(struct text *out, const char *name, const char *type,
	const char *help, double value);
/* Backends. */
void page_servers(const struct frontend *fe, struct text *out);
/* Listeners. */
void page_fronts(const struct frontend *fe, struct text *out);
/* The process and its host. */
void page_process(const struct frontend *fe, struct text *out);

#endif
