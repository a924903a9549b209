/* SPDX-License-Identifier: ISC */
#ifndef MGMT_REVISION_H
#define MGMT_REVISION_H

/*
 * A model becomes the files of one node, and those a manifest. Pure: the
 * same model gives the same octets, on any host, at any time.
 *
 * The doc's zones here have "zone", "serial", "sha256", "size", and the doc
 * has "secret" (hex), from which the keys that nodes share are derived.
 */

#include "common/base/err.h"

#include <jansson.h>

/* {key: text} of a node: "frontend.yaml", "resolver.yaml", "authority.yaml",
 * "ha.yaml" as its roles need, and files that they name. `node` is its row. */
int revision_files(const json_t *doc, const json_t *node, json_t **files,
	struct err *err) MUST_CHECK;

struct revision_id {
	long long epoch, generation, parent;
};

/* The node's manifest as canonical JSON (malloc'ed). `changed`: an object
 * whose keys are the zones that this generation changes. */
int revision_manifest(const json_t *doc, const json_t *node,
	const json_t *files, const json_t *changed,
	const struct revision_id *id, char **manifest,
	struct err *err) MUST_CHECK;

#endif
