/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_KA_WORDS_H
#define MGMT_CLI_KA_WORDS_H

/* The words of a keepalived.conf, one after the other. */

#include "mgmt/cli/import.h"

#define WORD_MAX 512

struct ka_words {
	struct import *im; /* for what is wrong with the text itself */
	const char *file;
	const char *pos;
	unsigned line; /* of pos */
	/* the present word */
	char text[WORD_MAX]; /* "" and not quoted: the end of the file */
	unsigned word_line;
	bool quoted;
	bool quotes_said; /* typographic ones are reported once */
};

void ka_next(struct ka_words *k);
bool ka_end(const struct ka_words *k);
/* Is it this word, unquoted? */
bool ka_at(const struct ka_words *k, const char *text);

#endif
