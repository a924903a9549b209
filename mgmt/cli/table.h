/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_TABLE_H
#define MGMT_CLI_TABLE_H

/* Between the files of the table of commands only. */

#include "mgmt/cli/cli.h"

/* The frontends' part of the table. */
const struct command *table_frontend(size_t *count);
/* Virtual addresses and anycast. */
const struct command *table_ha(size_t *count);

/* Rows of `struct param`: a word that must or may be there, an option that
 * may or must be. */
#define ARG(key, word, type)                                                   \
	{                                                                      \
		key, word, type, PARAM_REQUIRED, NULL                          \
	}
#define MAY(key, word, type)                                                   \
	{                                                                      \
		key, word, type, 0, NULL                                       \
	}
#define OPT(key, word, type, help)                                             \
	{                                                                      \
		key, word, type, PARAM_OPTION, help                            \
	}
#define NEED(key, word, type, help)                                            \
	{                                                                      \
		key, word, type, PARAM_OPTION | PARAM_REQUIRED, help           \
	}

/* The arguments of a `struct command`. */
#define WITH(p) p, countof(p)
#define NONE    NULL, 0

#endif
