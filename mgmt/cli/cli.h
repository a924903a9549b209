/* SPDX-License-Identifier: ISC */
#ifndef MGMT_CLI_CLI_H
#define MGMT_CLI_CLI_H

/*
 * The command line `ispdns`: one table of commands (table.c), a parser that
 * turns words into the arguments of an API call (command.c), the call
 * (call.c) and its printing (show.c). The result goes to stdout, everything
 * else to stderr. One thread.
 */

#include "common/base/buf.h"
#include "common/base/err.h"

#include <jansson.h>
#include <stdbool.h>

/* Exit codes. */
enum {
	CLI_OK = 0,
	CLI_FAIL = 1,
	CLI_PENDING = 2,
	CLI_USAGE = 3,
	CLI_NOT_FOUND = 4,
	CLI_DENIED = 5,
	CLI_CONFLICT = 6,
	CLI_INVALID = 7,
	CLI_ROLLED_BACK = 8,
	CLI_PARTIAL = 9,
	CLI_UNREACHABLE = 10,
	CLI_DRILL = 11,
	CLI_NOT_IMPORTED = 12,
};

#define CLI_SOCKET   "/run/ispdns-mgmt/api.sock"
#define CLI_BODY_MAX (64U << 20)

enum param_type {
	PARAM_TEXT,
	PARAM_INT,
	PARAM_BOOL, /* an option without value; or =yes, =no */
	PARAM_LIST, /* "a,b", may be repeated */
	PARAM_REST, /* all remaining words, a list */
	PARAM_FILE, /* path ("-": stdin) whose content is the value */
	PARAM_PATH, /* path, as it is */
};

enum {
	PARAM_REQUIRED = 1,
	PARAM_OPTION = 2, /* --word VALUE, or word=VALUE */
};

struct param {
	const char *key;  /* in the API's args; "a.b": inside of object a */
	const char *word; /* "ZONE", or an option's name without dashes */
	enum param_type type;
	unsigned flags;
	const char *help; /* NULL: said by its name */
};

struct cli {
	bool json, dry_run, quiet, help;
	const char *message;
	const char *socket, *server, *token, *ca_pin, *context;
	int wait_s;     /* of apply; 0: do not wait */
	int timeout_ms; /* of one call */
	char **raw;     /* the words behind the command, for drill */
	int raw_count;
	const struct command *command;
	char *owned[3]; /* of the context file */
};

struct command {
	const char *words; /* "zone create" */
	const char *verb;  /* of the API; NULL: `run` knows */
	const struct param *params;
	size_t count;
	/* NULL: call `verb` and show the result. Returns the exit code. */
	int (*run)(struct cli *cli, json_t *args);
	/* "NAME:key TTL:ttl ..." columns of a table; NULL: key: value lines;
	 * "=key": print that text as it is. */
	const char *show;
	const char *help;
};

/* The commands in the order of the help; NULL behind the last. */
const struct command *command_at(size_t i);

/* ---- command.c ---- */

/*
 * Split argv (without the program's name) into global options, command and
 * its arguments. New reference in *args. 0 or an exit code with a line in err.
 */
int command_parse(struct cli *cli, int argc, char **argv, json_t **args,
	struct err *err) MUST_CHECK;
/* Help for what `topic` (may be "") is the beginning of; false: nothing. */
bool command_help(const char *topic, struct text *out);

/* ---- call.c ---- */

/* One API call. 0 and *result (new reference, may be JSON null), or an exit
 * code and a line in err. `changes` may be NULL. */
int call_api(const struct cli *cli, const char *verb, json_t *args,
	bool dry_run, json_t **result, long long *changes,
	struct err *err) MUST_CHECK;
/* As call_api; prints the error. */
int call_or_say(const struct cli *cli, const char *verb, json_t *args,
	json_t **result, long long *changes) MUST_CHECK;
/* Say why on stderr (and as JSON on stdout); returns `code`. */
int cli_fail(const struct cli *cli, int code, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* Fill server, token and ca_pin from the context file. 0 or exit code. */
int context_load(struct cli *cli, struct err *err) MUST_CHECK;
/* Answer of the API (HTTP body) -> 0 and result, or exit code. */
int call_decode(int status, const char *body, size_t len, json_t **result,
	long long *changes, struct err *err) MUST_CHECK;

/* ---- show.c ---- */

/* Print a result: JSON, or as `show` of the command says. */
void show_result(const struct cli *cli, const json_t *result);
void show_json(const json_t *value);
/* The table alone, for tests and nested lists. */
void show_table(const json_t *rows, const char *columns, struct text *out);
void show_status(const json_t *status, struct text *out);

/* ---- what is more than one call ---- */

int run_status(struct cli *cli, json_t *args);
int run_diff(struct cli *cli, json_t *args);
int run_apply(struct cli *cli, json_t *args);
int run_rollback(struct cli *cli, json_t *args);
int run_history(struct cli *cli, json_t *args);
int run_zone_import(struct cli *cli, json_t *args);
int run_zone_check(struct cli *cli, json_t *args);
int run_record(struct cli *cli, json_t *args);
int run_acl(struct cli *cli, json_t *args);
int run_node_drain(struct cli *cli, json_t *args);
int run_node_cmd(struct cli *cli, json_t *args);
int run_vip_move(struct cli *cli, json_t *args);
int run_backend_list(struct cli *cli, json_t *args);
int run_backend_mode(struct cli *cli, json_t *args);
int run_frontends(struct cli *cli, json_t *args);
int run_block_list(struct cli *cli, json_t *args);
int run_block(struct cli *cli, json_t *args);
int run_cache_flush(struct cli *cli, json_t *args);
int run_import(struct cli *cli, json_t *args);
int run_join(struct cli *cli, json_t *args);
int run_query(struct cli *cli, json_t *args);
int run_drill(struct cli *cli, json_t *args);
int run_version(struct cli *cli, json_t *args);
int run_complete(struct cli *cli, json_t *args);
int run_completion(struct cli *cli, json_t *args);

#endif
