/* SPDX-License-Identifier: ISC */
#ifndef HA_INSTANCE_IMPL_H
#define HA_INSTANCE_IMPL_H

/* Between instance.c and instance_*.c only. Real-time
 * thread. */

#include "ha/instance.h"

/* Between two hellos; a master whose adverts are nearer says it as often. */
enum {
	HELLO_US = 200 * 1000
};

/* Tell the main thread; name and time are filled in. */
void in_emit(struct instance *in, struct instance_event *ev);
void in_emit_kind(
	struct instance *in, enum instance_event_kind kind, int64_t value);
/* A system call failed: rc is a negative errno; nothing when it is not. */
void in_trouble(struct instance *in, const char *what, int rc);
/* Run the state machine and do what it says. */
void in_step(struct instance *in, const struct state_event *ev, int64_t now);

/* Those of the configuration; what is known of one that stays is kept. */
void in_set_peers(struct instance *in);
/* The best of them into `input`: fit, failed, lost, unknown. */
void in_judge_peers(
	struct instance *in, struct track_input *input, int64_t now);
int64_t in_hello_period(const struct instance *in);

/* What the others of the sync group suffer, and so we do. */
void in_group_look(const struct instance *in, struct in_group *out);
/* Is it other than at the last look? */
bool in_group_changed(const struct instance *in);
/* The highest priority among the masters of its members, which all follow. */
uint8_t in_group_top(const struct instance *in);
/* Does another one still hear its master, so that silence is no proof? */
bool in_group_waits(const struct instance *in, int64_t now);
/* Does a peer say that it is master and reaches its gateway, so that lost
 * adverts are no reason for a second master? */
bool in_path_waits(const struct instance *in, int64_t now);
/* We were led away: the others are to follow, when they do not anyway. */
void in_group_left(struct instance *in, int64_t now);
void in_group_pull(struct instance *in, int64_t now);
/* Is a master known to us by its hellos only? */
void in_judge_paths(struct instance *in);

/* Was a hello of any peer of ours heard? */
bool in_any_hello(const struct instance *in);
/* To the group or to each unicast peer. */
void in_send_advert(struct instance *in, uint8_t priority);
/* To our own peers. */
void in_tell_peers(struct instance *in, enum handover_kind kind);
/* The addresses whose turn it is. */
void in_announce(struct instance *in, int64_t now);
/* Begin the series of announcements as soon as that makes sense. */
void in_announce_when_ready(struct instance *in, int64_t now);

/* Look after the service of the master; true: whether we stand in for it is
 * other than before, and so our priority. */
bool in_rescue(struct instance *in, int64_t now);
/* The configuration was `old`: questions go on where they are the same. */
void in_rescue_reconf(struct instance *in, const struct config_instance *old);
/* After in->resume is decided: what was kept of a rescue goes on with the role,
 * and is over without it; but who has answered before is known anyway. */
void in_rescue_resume(struct instance *in);

/* Judge in->packet, and obey it when it is good. */
void in_take_packet(struct instance *in, int64_t now);
/* Read what waits in the socket. */
void in_drain(struct instance *in);
/* Other sockets are needed than those that were asked for last. */
void in_renew(struct instance *in);
/* Ask for sockets when the right ones are neither here nor under way; `again`:
 * also when that failed. */
void in_open(struct instance *in, bool again);
void in_close(struct instance *in);
/* Its sockets are still to come: silence proves nothing. */
bool in_is_deaf(const struct instance *in);
/* Those of `old`, which ends, serve until ours come. */
void in_inherit_sockets(struct instance *in, struct instance *old, int64_t now);
/* What a scan would find, as another one on the same link knows it. */
void in_adopt_link(
	struct instance *in, const struct instance *from, int64_t now);
/* Listen to ARP on the link as it is now, when there is a socket for it. */
void in_open_neighbour(struct instance *in, int64_t now);
/* What was heard there: gateway and rivals. */
void in_listen(struct instance *in, int64_t now);
int64_t in_listen_deadline(const struct instance *in);

#endif
