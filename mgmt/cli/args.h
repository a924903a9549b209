/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_ARGS_H
#define MGMT_CLI_ARGS_H

/* Between the files of the command line only: words of a command, and its
 * arguments. */

#include "mgmt/cli/cli.h"

/* The command that argv begins with, plurals of nouns and synonyms of verbs
 * allowed, and how many words it has; NULL: none. */
const struct command *command_find(int argc, char **argv, int *used);
/* What follows in the command's words when the first `depth` are argv's;
 * NULL: they are not, or nothing follows. */
const char *command_behind(const struct command *c, char **argv, int depth);
/* The number of words of argv behind which commands have another one. */
int command_depth(int argc, char **argv);
/* Each word that may stand behind the first `depth` of argv, once. */
void command_next(char **argv, int depth,
	void (*each)(const char *word, size_t len, void *arg), void *arg);
/* Put `text` for parameter `p` into `args`; CLI_OK or an exit code. */
int args_set(const struct command *c, const struct param *p, const char *text,
	json_t *args, struct err *err) MUST_CHECK;
/* CLI_USAGE, with "<command>: <what><word>; usage: ..." in err. */
int args_error(const struct command *c, struct err *err, const char *what,
	const char *word);
/* 1: a word for yes; 0: for no; -1: neither. */
int args_truth(const char *text);
/* Usage, one line of help, options. */
void args_help(const struct command *c, struct text *out);

#endif
