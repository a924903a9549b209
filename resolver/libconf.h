/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_LIBCONF_H
#define RESOLVER_LIBCONF_H

/* Configuration text for libunbound. Pure, but for memory. */

#include "common/base/arena.h"
#include "common/ctl/conf.h"

/* In `arena`; NULL with a line in err. `root` is a whole resolver.yaml. */
const char *libconf_text(struct arena *arena, const struct conf_node *root,
	struct err *err) MUST_CHECK;

#endif
