/* SPDX-License-Identifier: ISC */
#ifndef MGMT_EMBED_H
#define MGMT_EMBED_H

/* Files that are part of the program: migrations and the web page. */

#include <stddef.h>

struct embed {
	const char *name; /* "001.sql", "index.html" */
	const char *data; /* NUL-terminated */
	size_t len;
};

/* The migration that leads to `version`; NULL: there is none. */
const struct embed *embed_migration(int version);
/* A file of the web page by its path ("/" is index.html); NULL: none. */
const struct embed *embed_web(const char *path);

#endif
