/* SPDX-License-Identifier: ISC */
#ifndef MGMT_COMMAND_H
#define MGMT_COMMAND_H

/*
 * The verbs of the API (API.md) as one table: name, who may, what it does.
 * command_run is the one place of authorisation, transaction, dry run and
 * audit. Knows nothing of HTTP. Main thread.
 */

#include "common/base/err.h"
#include "mgmt/pki.h"
#include "mgmt/push.h"
#include "mgmt/store.h"

/* What every verb may use. */
struct mgmt {
	struct loop *loop;
	struct store *store;
	struct push *push;
	struct pki *pki;
	const char *state;   /* folder of the database */
	char join_host[128]; /* "10.10.2.167:8444": for join commands */
	int64_t started;     /* wall clock */
	unsigned long long calls, denied, errors; /* counters */
};

enum {
	RIGHT_VIEW = 1,
	RIGHT_ZONE = 2,    /* zones and records */
	RIGHT_OPERATE = 4, /* everything else in the model; apply */
	RIGHT_DRILL = 8,   /* move, drain */
	RIGHT_ADMIN = 16,  /* nodes' credentials, tokens */
	RIGHT_JOIN = 32,   /* a node with a join token: node.join only */
	RIGHT_LOCAL = 31,  /* the unix socket */
};

struct call;
/* The answer; called once, then `call` is gone. `code` is NULL when ok, else
 * one of API.md's; `result` (borrowed) may be NULL. */
typedef void (*call_done)(struct call *call, const char *code,
	const json_t *result, const char *error);

struct call {
	struct mgmt *m;
	call_done done;
	void *arg; /* of the caller */
	unsigned rights;
	char actor[80], src[80];
	char bearer_hash[DIGEST_HEX]; /* of a join token */

	/* from the request */
	json_t *request; /* owned; the texts below are in it */
	const char *verb, *message;
	json_t *args;
	bool dry_run; /* set before: whatever the request says */

	/* while it runs */
	const struct command_def *def;
	long long changes; /* that are pending after it; -1: not counted */
	bool upsert;       /* "create" of what is there changes it */
	long long start;   /* after the commit: roll out this generation */
	bool allow_missing;
	bool sync; /* after the commit: fleet_sync */
};

enum {
	CALL_LATER = 1
}; /* returned by run: call_end comes later */
enum {
	CALL_WRITE = 1, /* runs in a transaction with an audit row */
};

struct command_def {
	const char *verb; /* NULL ends a table */
	unsigned rights;  /* any of them is enough */
	unsigned flags;
	/* 0 with *result (new reference or NULL), CALL_LATER, or a negative
	 * errno with a line in err: -EBADR usage, -EINVAL invalid, -ENOENT,
	 * -EEXIST and -EBUSY conflict, -EACCES denied, -EHOSTUNREACH and
	 * -EAGAIN unavailable, others internal. */
	int (*run)(struct call *call, const json_t *args, json_t **result,
		struct err *err);
	const char *table; /* of the model, for the verbs of api_model.c */
};

/* Run a request; `call` (from calloc, done/arg/rights/actor/src filled in) is
 * taken over. `body` is the JSON text. */
void command_run(struct call *call, const char *body, size_t len);
/* For CALL_LATER: rc as from run; `result` is stolen. */
void call_end(struct call *call, int rc, json_t *result, const struct err *err);
/* Run another verb inside of this call's transaction (import.plan). */
int command_nested(struct call *call, const char *verb, const json_t *args,
	json_t **result, struct err *err) MUST_CHECK;

/* An audit row of its own, for a verb without transaction. */
int command_note(
	struct call *call, const json_t *args, struct err *err) MUST_CHECK;
/* RIGHT_* of an operator's role; 0: no such role. */
unsigned role_rights(const char *role);

/* Arguments: text that must be (-EBADR) or may be there (*out stays NULL). */
int arg_text(const json_t *args, const char *name, const char **out,
	struct err *err) MUST_CHECK;
int arg_maybe(const json_t *args, const char *name, const char **out,
	struct err *err) MUST_CHECK;
/* A whole number in min..max; absent: *out is left. */
int arg_int(const json_t *args, const char *name, long long min, long long max,
	long long *out, struct err *err) MUST_CHECK;
/* Only these members, separated by spaces, may be in `args`. */
int arg_only(const json_t *args, const char *names, struct err *err) MUST_CHECK;

/* What a verb adds to a row that it shows; 0, or negative errno and err. */
typedef int (*row_view_fn)(struct call *call, json_t *row, struct err *err);
/* "x list": every row of the table; it takes no argument. */
int command_list(struct call *call, const json_t *args, const char *table,
	row_view_fn view, json_t **result, struct err *err) MUST_CHECK;
/* "x show": the one row that argument `key` names. */
int command_show(struct call *call, const json_t *args, const char *table,
	const char *key, row_view_fn view, json_t **result,
	struct err *err) MUST_CHECK;

/* A fleet_result_cb that ends the call, which is `arg`. */
void command_answer(
	void *arg, bool ok, const json_t *result, const char *error);

/* The tables, one per file of verbs. */
const struct command_def *api_zone_commands(void);
const struct command_def *api_model_commands(void);
const struct command_def *api_policy_commands(void);
const struct command_def *api_rule_commands(void);
const struct command_def *api_ha_commands(void);
const struct command_def *api_node_commands(void);
const struct command_def *api_front_commands(void);
const struct command_def *api_change_commands(void);

#endif
