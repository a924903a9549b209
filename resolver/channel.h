/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_CHANNEL_H
#define RESOLVER_CHANNEL_H

/*
 * Messages between master and worker over a socket pair: JSON objects with a
 * member "t" (what it is), and long texts in pieces. One loop's thread.
 *
 * worker -> master  ready {}, failed {why}, stats {cells ...},
 *                   done {id, count} | done {id, error}
 * master -> worker  apply {id} (behind the text of a configuration),
 *                   flush {id, what, name}, steer {count}, drain {}
 */

#include <jansson.h>

#include "common/net/loop.h"

struct channel;

struct channel_events {
	/* `text`: what came by channel_send_text before it, "" if nothing;
	 * borrowed like `msg`. */
	void (*message)(void *arg, const char *type, const json_t *msg,
		const char *text);
	void (*closed)(void *arg);
};

/* Takes `fd`. NULL: no memory. */
struct channel *channel_new(struct loop *loop, int fd,
	const struct channel_events *ev, void *arg) MUST_CHECK;
void channel_free(struct channel *channel); /* NULL allowed, any callback */
/* `msg` is stolen. -EPIPE, -ENOBUFS, -ENOMEM. */
int channel_send(struct channel *channel, const char *type, json_t *msg);
int channel_send_text(struct channel *channel, const char *text, size_t len);

#endif
