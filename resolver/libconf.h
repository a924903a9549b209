/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_LIBCONF_H
#define RESOLVER_LIBCONF_H

/* Configuration text for libunbound. Pure, but for memory. */

#include "common/base/arena.h"
#include "common/ctl/conf.h"

/* The files that it names; NULL: what is built in. */
struct libconf_files {
	const char *hints, *anchor;
};

/* In `arena`; NULL with a line in err. `root` is a whole resolver.yaml. */
const char *libconf_text(struct arena *arena, const struct conf_node *root,
	const struct libconf_files *files, struct err *err) MUST_CHECK;

#endif
