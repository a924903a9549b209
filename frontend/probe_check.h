/* SPDX-License-Identifier: ISC */
#ifndef FRONTEND_PROBE_CHECK_H
#define FRONTEND_PROBE_CHECK_H

/* What a probe asks and which answers are good. Pure. */

#include "common/base/hash.h"
#include "common/dns/msg.h"
#include "frontend/pool.h"

/* The name of the check, with a label of random letters when it wants one. */
void check_name(
	const struct pool_check *check, struct rng *rng, struct name *out);
/* The question of a well-formed answer (or none): the one that was asked? */
bool check_is_ours(const struct pool_check *check, const struct name *asked,
	const struct question *q);
/* Is this well-formed answer what the check wants: rcode, AA, serial? */
bool check_is_good(const struct pool_check *check, const uint8_t *msg,
	size_t len, const struct question *q);

#endif
