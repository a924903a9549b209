/* SPDX-License-Identifier: ISC */
#ifndef AUTHORITY_SERVER_H
#define AUTHORITY_SERVER_H

/*
 * The NSD that we run: started from STATE/current/nsd.conf, restarted when it
 * dies, "up" when its control socket answers. Before each start zone.list is
 * written from the tree, so nothing that NSD has added to it survives.
 */

#include "authority/config.h"
#include "authority/nsd.h"
#include "authority/tree.h"
#include "common/ctl/child.h"

struct server;

struct server_events {
	/* It answers (again), or no longer. */
	void (*changed)(void *arg, bool up);
	/* It died again and again; it will be tried slowly from now on. */
	void (*failed)(void *arg);
	/* It has ended, as server_stop wanted. */
	void (*stopped)(void *arg);
};

struct server *server_new(struct loop *loop, const struct auth_config *config,
	const struct server_events *events, void *arg) MUST_CHECK;
void server_free(struct server *server); /* NULL allowed; ends NSD */

/* What is served from now on; borrowed until the next. `hidden` (may be NULL)
 * is left out: the health zone while draining. */
void server_set_tree(struct server *server, const struct tree *tree,
	const struct name *hidden);
/* Start, or end and start anew. Becomes up later, however often it takes. */
void server_restart(struct server *server);
void server_stop(struct server *server);
bool server_is_up(const struct server *server);

/* A control command; see nsd.h. One at a time per purpose is the caller's. */
struct nsd_call *server_call(struct server *server, const char *command,
	const char *lines, int timeout_ms, nsd_done done, void *arg,
	struct err *err) MUST_CHECK;

const char *server_version(const struct server *server); /* "" not known */
pid_t server_pid(const struct server *server);
unsigned server_restarts(const struct server *server);
const char *server_state_name(const struct server *server);

#endif
