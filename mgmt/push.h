/* SPDX-License-Identifier: ISC */
#ifndef MGMT_PUSH_H
#define MGMT_PUSH_H

/*
 * Roll-out of a generation: staged on every node first; then authority
 * nodes switch together, one resolver and one frontend as canaries, the
 * rest, and nodes whose VRRP settings change one by one, BACKUP first. A node
 * that cannot stage ends it with nothing switched; one that cannot apply ends
 * it with a new generation of the content before. A node that was away gets
 * the newest approved generation only. Main loop's thread.
 */

#include "mgmt/fleet.h"
#include "mgmt/vrrp.h"

struct push;

struct push *push_new(
	struct loop *loop, struct store *store, struct err *err) MUST_CHECK;
void push_free(struct push *push); /* NULL allowed */
struct fleet *push_fleet(struct push *push);
struct vrrp *push_vrrp(struct push *push);

/* May a roll-out begin? -EBUSY: one is running; -EHOSTUNREACH: a joined node
 * is not reachable and `allow_missing` is false. */
int push_ready(
	struct push *push, bool allow_missing, struct err *err) MUST_CHECK;
/* Begin with a generation that is in the store. */
int push_start(struct push *push, long long generation, bool allow_missing,
	struct err *err) MUST_CHECK;

/* For struct change: has the node the newest approved generation? */
bool push_node_is_ready(void *push, const char *node);
/* Of a step (step.h) the report of the last one there is by now, "running"
 * until the goal is reached.
 * {"generation","state","nodes":[{"name","phase","err","took_ms"}],"error"} */
int push_report(struct push *push, long long generation, json_t **out,
	struct err *err) MUST_CHECK;
/* `cb` once when the generation is no longer running or timeout_ms passed;
 * push_unwait: the caller is gone. */
typedef void (*push_wait_cb)(void *arg);
int push_wait(struct push *push, long long generation, int timeout_ms,
	push_wait_cb cb, void *arg, struct err *err) MUST_CHECK;
void push_unwait(struct push *push, void *arg);

/* The highest generation that any node says it has. */
long long push_highest(struct push *push);

/* One node as the operator sees it; all of them; what is wrong now. New. */
json_t *push_node(struct push *push, const struct link *link) MUST_CHECK;
json_t *push_nodes(struct push *push) MUST_CHECK;
json_t *push_alarms(struct push *push) MUST_CHECK;
/* Counters since the start. */
struct push_stats {
	uint64_t rollouts, failed, rolled_back;
};
void push_stats(const struct push *push, struct push_stats *out);

#endif
