/* SPDX-License-Identifier: ISC */
#ifndef MGMT_AGENT_MANIFEST_H
#define MGMT_AGENT_MANIFEST_H

/*
 * What a generation is for one node: the list of files with their digests,
 * and the questions that prove it. Text from the network is refused whole
 * when anything in it is not as it must be. Pure.
 */

#include "common/base/digest.h"
#include "common/base/err.h"
#include "common/dns/name.h"
#include "common/net/addr.h"

#include <stdbool.h>

#define MANIFEST_KEY   320
#define MANIFEST_PROTO 1 /* the newest node protocol that we speak */

struct manifest_item {
	char key[MANIFEST_KEY]; /* "frontend.yaml", "zones/a.zone" */
	char kind[16];          /* config, zone, file */
	char sha256[DIGEST_HEX];
	int64_t size;
};

struct manifest_proof {
	bool soa; /* neither: an answer with data */
	bool any; /* a reply that is not a refusal: it serves */
	struct name name;
	uint16_t type;
	uint32_t serial;
	union addr at;
};

struct manifest {
	long long epoch, generation, parent;
	char node[64];
	char sha256[DIGEST_HEX]; /* of its text */
	struct manifest_item *items;
	size_t count;
	struct manifest_proof *proofs;
	size_t proof_count;
};

/* -EINVAL with what is wrong; nothing to free then. */
int manifest_parse(const char *text, size_t len, struct manifest *out,
	struct err *err) MUST_CHECK;
void manifest_fini(struct manifest *m);
/* NULL: not in it. */
const struct manifest_item *manifest_find(
	const struct manifest *m, const char *key);
const struct manifest_item *manifest_find_sha(
	const struct manifest *m, const char *sha256);
/* May `key` be a path below a generation's folder? One or two parts of
 * [A-Za-z0-9_.-], none of them beginning with a dot. */
bool manifest_key_ok(const char *key);

#endif
