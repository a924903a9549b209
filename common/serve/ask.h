/* SPDX-License-Identifier: ISC */
#ifndef COMMON_SERVE_ASK_H
#define COMMON_SERVE_ASK_H

/*
 * One question to one server and its checked answer; blocking. For the CLI
 * and the agent's proofs, never on the packet path.
 */

#include "common/base/err.h"
#include "common/dns/msg.h"
#include "common/net/addr.h"

struct ask {
	union addr server;
	struct name name;
	uint16_t type, class; /* class 0: IN */
	bool dnssec, tcp;     /* tcp: at once; else only after TC=1 */
	int timeout_ms;       /* of the whole exchange */
};

struct ask_reply {
	uint8_t msg[MSG_MAX];
	size_t len;
	struct question q; /* into msg; q.name NULL: an error without one */
	struct edns edns;
	bool tcp;
	int64_t took_us;
};

/* 0: a whole, well-formed answer to this question, whatever its rcode.
 * -ETIMEDOUT, -ECONNREFUSED ... with a line in err. Answers with a wrong id,
 * question or form do not end the wait. */
int ask(const struct ask *ask, struct ask_reply *reply,
	struct err *err) MUST_CHECK;
/* The first answer record of type SOA: its serial. False: there is none. */
bool ask_soa_serial(const struct ask_reply *reply, uint32_t *serial);
/* Number of records of `type` in the answer section (0: of any). */
unsigned ask_count(const struct ask_reply *reply, uint16_t type);

#endif
