/* SPDX-License-Identifier: ISC */
#ifndef MGMT_FLEET_H
#define MGMT_FLEET_H

/*
 * The nodes as mgmt sees them: one link each, with the held stream when the
 * node is there, what it last said, and commands that wait for its answer.
 * push.h decides what a link is told. Main loop's thread.
 */

#include "common/base/err.h"
#include "common/base/list.h"
#include "common/net/loop.h"
#include "mgmt/store.h"

#define FLEET_NAME     64
#define FLEET_LOST_MS  15000
#define FLEET_GRACE_MS 3000
#define FLEET_PING_MS  10000
#define FLEET_PROTO    1
#define FLEET_MAX_CMDS 256

/* Where lines to a node go; both calls may come at any time until the owner
 * has told fleet_disconnect. */
struct fleet_stream {
	void (*send)(void *arg, const char *line);
	void (*close)(void *arg);
	void *arg;
};

struct link {
	struct list list;
	char name[FLEET_NAME];
	json_t *roles;
	bool joined; /* has a certificate that is valid */
	bool connected;
	bool seen;
	struct fleet_stream stream;
	struct mtime last_seen, cut_at;
	struct mtime current_at; /* last time it had what it should have */
	long long have;
	char boot[64], version[64];
	json_t *parts;  /* of its last status; may be NULL */
	uint64_t words; /* how many of them there were */
	json_t *blobs;  /* {sha256: true} of the manifest it got last */

	/* what it was told, and how it goes */
	long long want;
	char phase[16]; /* "", "stage", "fetched", "staged", "apply",
			   "applied", "failed", "rolled_back" */
	char error[256];
	int took_ms;
	struct mtime since; /* when it was told */
};

struct fleet_events {
	void (*connected)(void *arg, struct link *link);
	/* `phase` is in link->phase already. */
	void (*acked)(void *arg, struct link *link, long long generation);
	void (*tick)(void *arg);
};

struct fleet;
typedef void (*fleet_result_cb)(
	void *arg, bool ok, const json_t *result, const char *error);

struct fleet *fleet_new(struct loop *loop, struct store *store,
	const struct fleet_events *events, void *arg,
	struct err *err) MUST_CHECK;
void fleet_free(struct fleet *fleet); /* NULL allowed */
/* The node table or the certificates changed: make and drop links; streams
 * of dropped or revoked nodes are closed. */
int fleet_sync(struct fleet *fleet, struct err *err) MUST_CHECK;
/* NULL: no such node. */
struct link *fleet_find(struct fleet *fleet, const char *node);
struct list *fleet_links(struct fleet *fleet);
/* Connected and heard of within FLEET_LOST_MS, or its stream broke less than
 * FLEET_GRACE_MS ago: it comes again at once, as after a renewal. */
bool link_alive(const struct link *link);
/* {"type":...} to the node; nothing when it is not connected. */
void link_send(struct link *link, json_t *message);

/* A node opened its stream (an older one of it is closed). */
int fleet_connect(struct fleet *fleet, const char *node, long long have,
	const char *boot, const struct fleet_stream *stream,
	struct err *err) MUST_CHECK;
void fleet_disconnect(struct fleet *fleet, const char *node, void *stream_arg);
/* Bodies of POST ack, status, result. */
int fleet_ack(struct fleet *fleet, const char *node, const json_t *body,
	struct err *err) MUST_CHECK;
int fleet_status(struct fleet *fleet, const char *node, const json_t *body,
	struct err *err) MUST_CHECK;
int fleet_result(struct fleet *fleet, const char *node, const json_t *body,
	struct err *err) MUST_CHECK;
/* Ask a part of a node; `cb` is called once: answer, lost or 10 s passed. */
int fleet_command(struct fleet *fleet, const char *node, const char *part,
	const char *verb, const json_t *args, fleet_result_cb cb, void *arg,
	struct err *err) MUST_CHECK;

#endif
