/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_IMPORT_H
#define MGMT_CLI_IMPORT_H

/*
 * Foreign configuration files -> a list of API calls, and what had to be
 * said about them line by line. An importer reads files and nothing else;
 * the caller sends the calls in one transaction (import.plan), or prints them.
 * One thread.
 */

#include "common/base/buf.h"
#include "common/base/err.h"

#include <jansson.h>
#include <stdbool.h>

enum import_level {
	IMPORT_DONE,       /* a statement became settings of ours */
	IMPORT_NOT_NEEDED, /* a statement has nothing to do here: why */
	IMPORT_NOTE,       /* a part of one that has nothing to do here */
	IMPORT_WARNING, /* not as written: the text says what is done instead */
	IMPORT_MISSING, /* not imported: the text says what to do by hand */
	IMPORT_ERROR,   /* not understood: nothing must be sent */
};

struct import {
	json_t *calls; /* [{"verb":..., "args":{...}}] in order */
	json_t *notes; /* [{"level","file","line","text"}] in order */
	unsigned warnings, errors;
	/* Of importers that account for each statement of the file. */
	unsigned imported, not_needed, not_imported;
	const char *node; /* --node: whose file this is; NULL: not said */
	bool failed;      /* out of memory */
};

/* -ENOMEM. */
int import_init(struct import *im, const char *node) MUST_CHECK;
void import_fini(struct import *im);

/* Append a call. `args` is stolen (NULL is out of memory). */
void import_call(struct import *im, const char *verb, json_t *args);
/* Say something about FILE:LINE (line 0: about the whole file). */
void import_say(struct import *im, enum import_level level, const char *file,
	unsigned line, const char *fmt, ...) PRINTF_LIKE(5, 6);

#define import_note(im, file, line, ...)                                       \
	import_say((im), IMPORT_NOTE, (file), (line), __VA_ARGS__)
#define import_warn(im, file, line, ...)                                       \
	import_say((im), IMPORT_WARNING, (file), (line), __VA_ARGS__)
#define import_error(im, file, line, ...)                                      \
	import_say((im), IMPORT_ERROR, (file), (line), __VA_ARGS__)

/*
 * The importers. 0 also when the file was full of mistakes (im->errors > 0);
 * -ENOENT and the like with a line in err when it could not be read at all.
 */
/* dnsdist.conf: pools, backends, routes, rules, cache, limits, ACL, policy,
 * automatic blocks. Each statement gets exactly one line of the levels
 * imported, not needed and not imported, or errors; the rest are remarks. */
int import_dnsdist(
	struct import *im, const char *path, struct err *err) MUST_CHECK;
/* named.conf with its includes: primary zones, ACLs of a resolver. */
int import_bind(
	struct import *im, const char *path, struct err *err) MUST_CHECK;
/* keepalived.conf: VRRP instances with this node's priority. */
int import_keepalived(
	struct import *im, const char *path, struct err *err) MUST_CHECK;

/* Read a text file for an importer: octets that are no UTF-8 become '?', with
 * a warning. *text is malloc'ed. */
int import_text(struct import *im, const char *path, size_t max, char **text,
	struct err *err) MUST_CHECK;
/* Notes in the order of lines (all of one file). */
void import_sort_notes(struct import *im);

/* {"calls":[...],"notes":[...],"warnings":N,"errors":N}, and, when statements
 * were counted, "statements":{"imported","not_needed","not_imported"}; new
 * reference. */
json_t *import_json(const struct import *im) MUST_CHECK;
/* The notes as lines "FILE:LINE: warning: text". */
void import_print_notes(const struct import *im, struct text *out);
/* The calls as lines "verb key=value ...". */
void import_print_calls(const struct import *im, struct text *out);

#endif
