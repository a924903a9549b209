/* SPDX-License-Identifier: ISC */
#ifndef MGMT_SERVER_H
#define MGMT_SERVER_H

/* ispdns-mgmt as the frame of common/ctl/daemon.h sees it: its configuration
 * schema, start and stop. */

#include "common/ctl/daemon.h"

extern const struct daemon_ops server_ops;

#endif
