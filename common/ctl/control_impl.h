/* SPDX-License-Identifier: ISC */
#ifndef COMMON_CTL_CONTROL_IMPL_H
#define COMMON_CTL_CONTROL_IMPL_H

/* What the two halves of the control socket share. */

#include <sys/un.h>

struct conn;

/* -ENAMETOOLONG when `path` does not fit. */
int control_address(const char *path, struct sockaddr_un *sun);
/* Server: run what the connection has sent; may free it. */
void control_conn_run(struct conn *conn);

#endif
