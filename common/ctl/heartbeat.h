/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_HEARTBEAT_H
#define COMMON_CTL_HEARTBEAT_H

/*
 * What the frontend tells ha, every HEARTBEAT_MS on a SOCK_SEQPACKET unix
 * socket (the frontend connects): "ispdns1 frontend <state> <pid>\n". EOF or
 * three missed beats mean death. Pure encode/decode.
 */

#include "common/base/base.h"

#include <stdbool.h>
#include <stdint.h>

#define HEARTBEAT_MS   50
#define HEARTBEAT_MISS 3
#define HEARTBEAT_MAX  64
#define HEARTBEAT_PATH "/run/ispdns/ha/health.sock"

enum heartbeat_state {
	HEARTBEAT_OK,
	HEARTBEAT_DRAINING,
	HEARTBEAT_DEGRADED, /* no backend of some pool is up */
	HEARTBEAT_FAILED,
};

struct heartbeat {
	enum heartbeat_state state;
	int pid;
};

/* Length without NUL. */
size_t heartbeat_encode(const struct heartbeat *hb, char out[HEARTBEAT_MAX]);
bool heartbeat_decode(const char *data, size_t len, struct heartbeat *out);
const char *heartbeat_state_name(enum heartbeat_state state);

#endif
