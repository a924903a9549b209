/* SPDX-License-Identifier: ISC */
#ifndef HA_ENGINE_H
#define HA_ENGINE_H

#include "ha/config.h"

/*
 * Is the BGP daemon beside us there? Without it our routes reach nobody, which
 * no route tells. It is known by its control socket, whose listener the
 * kernel names to everyone; nothing is sent to it. Main thread.
 */

struct engine_state {
	bool absent[CONFIG_ANYCAST]; /* by place in the configuration */
};

/* Look anew. */
void engine_look(struct engine_state *s, const struct config *config);
/* Is there a listener on `path` in a table as /proc/net/unix has it? /var/run
 * and /run are the same. For tests. */
bool engine_in_table(const char *table, const char *path);

#endif
