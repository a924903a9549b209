/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_RESOLVE_H
#define COMMON_NET_RESOLVE_H

/* HOST:PORT of a management host -> address, through the system's resolver.
 * Blocking; for the CLI and the agent only, never in a DNS daemon. */

#include "common/base/err.h"
#include "common/net/addr.h"

/* "10.0.0.1:8443", "[::1]:8443", "mgmt.example:8443", port optional. The
 * first address is taken. -EINVAL, -EHOSTUNREACH with a line in err. */
int resolve_host(const char *text, uint16_t default_port, union addr *out,
	struct err *err) MUST_CHECK;

#endif
