/* SPDX-License-Identifier: ISC */
#ifndef MGMT_STEP_H
#define MGMT_STEP_H

/*
 * Changes of a virtual router that nodes cannot make one after the other
 * without one being deaf to another meanwhile: the interval of version 2, the
 * version itself, signed adverts and their keys. They are made in steps, each
 * of which understands the one before and the one behind it:
 *
 *   interval   accept both; send the new one; accept the new one only
 *   version    the same, with accept_other_version
 *   hmac       off, receive-only, permissive, enforce: one level a step, up
 *              or down; a password and signatures one after the other
 *   hmac_key   know both; sign with the new one; know the new one only
 *
 * A step is taken when every node of the router has the one before it. Pure.
 */

#include "common/base/err.h"

#include <jansson.h>
#include <stdbool.h>

/* Has the node what the doc `now` says? */
typedef bool (*step_ready_fn)(void *arg, const char *node);

/* The doc to roll out after `now` (NULL: the first) on the way to `goal`; equal
 * to the goal when nothing is left to do. New reference in *out. For each
 * router that cannot go on a line is put into `waits` (may be NULL). */
int step_doc(const json_t *now, const json_t *goal, step_ready_fn ready,
	void *arg, json_t **out, json_t *waits, struct err *err) MUST_CHECK;

#endif
