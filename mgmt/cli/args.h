/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_ARGS_H
#define MGMT_CLI_ARGS_H

/* Between the files of the command line only: arguments of one command. */

#include "mgmt/cli/cli.h"

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
