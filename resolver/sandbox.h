/* SPDX-License-Identifier: ISC */
#ifndef RESOLVER_SANDBOX_H
#define RESOLVER_SANDBOX_H

/* What a worker gives up once it listens: it reads packets of strangers
 * with a library that has had its holes. */

#include "common/base/err.h"

/* No capability, no new privileges, and EPERM for system calls that start
 * programs, look into other processes or change the system. For good. */
int sandbox_enter(struct err *err) MUST_CHECK;

#endif
