/* SPDX-License-Identifier: ISC */
#ifndef MGMT_NODE_API_H
#define MGMT_NODE_API_H

/* The nodes' side of the protocol (API.md section 2) but for the stream:
 * what a request gets. Knows nothing of HTTP. Main thread. */

#include "mgmt/command.h"

struct node_reply {
	int status;
	char *data; /* malloc'ed */
	size_t len;
	bool json;
};

/* `node` is the name in its certificate, which is valid. `path` without the
 * query; `body` NUL-terminated. Always fills *out. */
void node_request(struct mgmt *m, const char *node, bool post, const char *path,
	const char *body, size_t len, struct node_reply *out);

#endif
