/* SPDX-License-Identifier: ISC */
/*
 * stage:  manifest -> missing blobs -> gen/N -> prepare of changed parts
 * apply:  current -> gen/N, commit, prove; on failure all of it backwards
 *
 * All parts of a generation switch together or not at all. A daemon that does
 * not run is no obstacle when its --check accepts its file: it will start
 * from `current`. It must then be there in time for the proof.
 */
#include "mgmt/agent/rollout.h"

#include "common/base/log.h"

#include <errno.h>

#define PROVE_MS       5000
#define PROVE_START_MS 12000 /* when a daemon has to start first */

static const char *const names[] = {
	[PART_AUTHORITY] = "authority",
	[PART_RESOLVER] = "resolver",
	[PART_FRONTEND] = "frontend",
	[PART_HA] = "ha",
};

const char *part_name(enum part part)
{
	return names[part];
}

int part_find(const char *name)
{
	for (int i = 0; i < ROLLOUT_PARTS; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

static bool has_part(const struct manifest *m, enum part part)
{
	char key[32];

	snprintf(key, sizeof(key), "%s.yaml", names[part]);
	return manifest_find(m, key) != NULL;
}

/* ---- which parts differ ---- */

static bool same_item(const struct manifest *a, const struct manifest *b,
	const struct manifest_item *item)
{
	const struct manifest_item *x = manifest_find(a, item->key);
	const struct manifest_item *y = manifest_find(b, item->key);

	return x && y && strcmp(x->sha256, y->sha256) == 0;
}

/* Whose file is it? Zones are the authority's; other files the resolver's. */
static int owner_of(const struct manifest_item *item)
{
	char name[32];
	size_t len = strcspn(item->key, ".");

	if (strcmp(item->kind, "zone") == 0)
		return PART_AUTHORITY;
	if (strcmp(item->kind, "config") == 0 && len < sizeof(name)) {
		snprintf(name, sizeof(name), "%.*s", (int)len, item->key);
		return part_find(name);
	}
	return PART_RESOLVER;
}

static void mark_differences(const struct manifest *from,
	const struct manifest *to, bool changed[ROLLOUT_PARTS])
{
	int part;

	for (size_t i = 0; i < from->count; i++) {
		part = owner_of(&from->items[i]);
		if (part >= 0 && !same_item(to, from, &from->items[i]))
			changed[part] = true;
	}
}

/* `old` may be empty (a first generation): then all parts of `new`. */
static void changed_parts(const struct manifest *new,
	const struct manifest *old, bool changed[ROLLOUT_PARTS])
{
	memset(changed, 0, ROLLOUT_PARTS * sizeof(*changed));
	mark_differences(new, old, changed);
	mark_differences(old, new, changed);
	for (int i = 0; i < ROLLOUT_PARTS; i++)
		changed[i] = changed[i] && has_part(new, (enum part)i);
}

/* ---- talking to daemons ---- */

static bool not_running(int rc)
{
	return rc == -ENOENT || rc == -ECONNREFUSED;
}

static int call_part(struct rollout *r, enum part part, const char *verb,
	json_t *args, struct err *err)
{
	json_t *result = NULL;
	int rc = r->ops->control(r->arg, part, verb, args, &result, err);

	json_decref(args);
	json_decref(result);
	if (rc < 0)
		err_prefix(err, "%s: %s", names[part], verb);
	return rc;
}

static int prepare_part(struct rollout *r, enum part part, long long n,
	bool *absent, struct err *err)
{
	char path[TREE_PATH], key[32];
	int rc;

	*absent = false;
	snprintf(key, sizeof(key), "%s.yaml", names[part]);
	if (tree_path(&r->tree, n, key, path) < 0)
		return -ENAMETOOLONG;
	rc = call_part(r, part, "prepare",
		json_pack("{s:s,s:I}", "config", path, "generation",
			(json_int_t)n),
		err);
	if (!not_running(rc))
		return rc;
	err->text[0] = '\0';
	*absent = true;
	return r->ops->check(r->arg, part, path, err);
}

static int commit_part(
	struct rollout *r, enum part part, long long n, struct err *err)
{
	return call_part(r, part, "commit",
		json_pack("{s:I}", "generation", (json_int_t)n), err);
}

static void discard_parts(struct rollout *r)
{
	struct err ignored = {""};

	for (int i = 0; i < ROLLOUT_PARTS; i++)
		if (r->touched[i])
			(void)call_part(r, (enum part)i, "discard",
				json_object(), &ignored);
	memset(r->touched, 0, sizeof(r->touched));
	memset(r->absent, 0, sizeof(r->absent));
}

/* ---- stage ---- */

static int fetch_item(struct rollout *r, long long n,
	const struct manifest_item *item, const struct manifest *old,
	struct err *err)
{
	const struct manifest_item *have = manifest_find(old, item->key);
	char *data = NULL;
	size_t len = 0;
	int rc;

	if (!have || strcmp(have->sha256, item->sha256) != 0)
		have = manifest_find_sha(old, item->sha256);
	if (have && tree_share(&r->tree, n, item, r->have, have) == 0)
		return 0;
	rc = r->ops->blob(r->arg, item, &data, &len, err);
	if (rc == 0)
		rc = tree_put(&r->tree, n, item, data, len, err);
	free(data);
	return rc;
}

static int check_manifest(struct rollout *r, const struct manifest *m,
	long long generation, const char *sha256, struct err *err)
{
	if (strcmp(m->sha256, sha256) != 0)
		return err_fail(err, -EBADMSG,
			"generation %lld: its manifest is not the announced "
			"one",
			generation);
	if (m->generation != generation || strcmp(m->node, r->node) != 0)
		return err_fail(err, -EBADMSG,
			"the manifest is for generation %lld of node %s",
			m->generation, m->node);
	return rollout_epoch(r, m->epoch, err);
}

/* All files of generation `n` into gen/N. *m is filled on success. */
static int fetch(struct rollout *r, long long n, const char *sha256,
	const struct manifest *old, struct manifest *m, struct err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = r->ops->manifest(r->arg, n, &text, &len, err);

	if (rc < 0)
		return rc;
	rc = manifest_parse(text, len, m, err);
	if (rc == 0)
		rc = check_manifest(r, m, n, sha256, err);
	if (rc == 0)
		rc = tree_begin(&r->tree, n, err);
	for (size_t i = 0; rc == 0 && i < m->count; i++)
		rc = fetch_item(r, n, &m->items[i], old, err);
	if (rc == 0)
		rc = tree_finish(&r->tree, n, text, len, err);
	free(text);
	return rc;
}

static int prepare_all(struct rollout *r, long long n, const struct manifest *m,
	const struct manifest *old, struct err *err)
{
	bool changed[ROLLOUT_PARTS];
	int rc;

	changed_parts(m, old, changed);
	for (int i = 0; i < ROLLOUT_PARTS; i++) {
		if (!changed[i])
			continue;
		rc = prepare_part(r, (enum part)i, n, &r->absent[i], err);
		if (rc < 0)
			return rc;
		r->touched[i] = !r->absent[i];
	}
	return 0;
}

static void old_manifest(struct rollout *r, struct manifest *old)
{
	struct err err = {""};

	memset(old, 0, sizeof(*old));
	if (r->have > 0 && tree_manifest(&r->tree, r->have, old, &err) < 0)
		log_warn("agent: generation %lld on disk: %s", r->have,
			err.text);
}

enum rollout_result rollout_stage(struct rollout *r, long long generation,
	const char *sha256, struct err *err)
{
	struct manifest m = {0}, old;
	int rc;

	if (r->staged == generation && strcmp(r->staged_sha, sha256) == 0)
		return ROLLOUT_OK;
	if (generation <= r->have) {
		err_set(err, "generation %lld is not above %lld, which runs",
			generation, r->have);
		return ROLLOUT_FAILED;
	}
	if (r->staged > 0)
		rollout_abort(r, r->staged);
	old_manifest(r, &old);
	rc = fetch(r, generation, sha256, &old, &m, err);
	if (rc == 0)
		rc = prepare_all(r, generation, &m, &old, err);
	if (rc == 0) {
		r->staged = generation;
		snprintf(r->staged_sha, sizeof(r->staged_sha), "%s", sha256);
	} else {
		discard_parts(r);
		tree_drop(&r->tree, generation);
	}
	manifest_fini(&m);
	manifest_fini(&old);
	return rc == 0 ? ROLLOUT_OK : ROLLOUT_FAILED;
}

void rollout_abort(struct rollout *r, long long generation)
{
	if (r->staged != generation || generation == 0)
		return;
	discard_parts(r);
	tree_drop(&r->tree, generation);
	r->staged = 0;
}

/* ---- apply ---- */

/* The generation a running daemon uses must not be pruned under it. */
static void prune(struct rollout *r)
{
	long long used[ROLLOUT_PARTS] = {0};
	struct err err = {""};
	json_t *status;

	for (int i = 0; i < ROLLOUT_PARTS; i++) {
		status = NULL;
		if (r->ops->control(r->arg, (enum part)i, "status", NULL,
			    &status, &err) == 0)
			used[i] = json_integer_value(
				json_object_get(status, "generation"));
		json_decref(status);
	}
	tree_prune(&r->tree, ROLLOUT_KEEP, used, ROLLOUT_PARTS);
}

static int commit_all(struct rollout *r, long long n, struct err *err)
{
	for (int i = 0; i < ROLLOUT_PARTS; i++) {
		int rc = r->touched[i] ? commit_part(r, (enum part)i, n, err)
				       : 0;

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Parts that were touched back to generation `old`. */
static void return_parts(struct rollout *r, long long old)
{
	struct err err = {""};
	struct manifest m;
	bool absent;

	old_manifest(r, &m); /* empty when there is no older generation */
	for (int i = 0; i < ROLLOUT_PARTS; i++) {
		if ((!r->touched[i] && !r->absent[i]) ||
			!has_part(&m, (enum part)i))
			continue;
		if (prepare_part(r, (enum part)i, old, &absent, &err) < 0 ||
			(!absent &&
				commit_part(r, (enum part)i, old, &err) < 0))
			log_error("agent: %s could not be taken back to "
				  "generation %lld: %s",
				names[i], old, err.text);
	}
	manifest_fini(&m);
}

static void roll_back(struct rollout *r, long long n)
{
	struct err err = {""};

	/* daemons with an uncommitted change drop it */
	for (int i = 0; i < ROLLOUT_PARTS; i++)
		if (r->touched[i])
			(void)call_part(r, (enum part)i, "discard",
				json_object(), &err);
	err.text[0] = '\0';
	if (tree_back(&r->tree, r->have, &err) < 0)
		log_error("agent: links could not be switched back: %s",
			err.text);
	return_parts(r, r->have);
	if (tree_settled(&r->tree, &err) < 0)
		log_error("agent: %s", err.text);
	memset(r->touched, 0, sizeof(r->touched));
	memset(r->absent, 0, sizeof(r->absent));
	tree_drop(&r->tree, n);
	r->staged = 0;
}

static int prove(struct rollout *r, long long n, struct err *err)
{
	struct manifest m;
	bool starting = false;
	int rc = tree_manifest(&r->tree, n, &m, err);

	if (rc < 0)
		return rc;
	for (int i = 0; i < ROLLOUT_PARTS; i++)
		starting |= r->absent[i];
	rc = r->ops->prove(
		r->arg, &m, starting ? PROVE_START_MS : PROVE_MS, err);
	manifest_fini(&m);
	return rc;
}

enum rollout_result rollout_apply(struct rollout *r, long long generation,
	const char *sha256, struct err *err)
{
	enum rollout_result result;
	int rc;

	if (generation == r->have)
		return ROLLOUT_OK;
	result = rollout_stage(r, generation, sha256, err);
	if (result != ROLLOUT_OK)
		return result;
	rc = tree_switch(&r->tree, generation, r->have, err);
	if (rc == 0)
		rc = commit_all(r, generation, err);
	if (rc == 0)
		rc = prove(r, generation, err);
	if (rc == 0)
		rc = tree_settled(&r->tree, err);
	if (rc < 0) {
		roll_back(r, generation);
		return ROLLOUT_ROLLED_BACK;
	}
	r->have = generation;
	r->staged = 0;
	memset(r->touched, 0, sizeof(r->touched));
	memset(r->absent, 0, sizeof(r->absent));
	prune(r);
	return ROLLOUT_OK;
}

int rollout_epoch(struct rollout *r, long long epoch, struct err *err)
{
	long long seen = tree_epoch(&r->tree);

	if (epoch < seen)
		return err_fail(err, -ESTALE,
			"management's epoch %lld is below %lld: it was "
			"replaced",
			epoch, seen);
	return epoch > seen ? tree_set_epoch(&r->tree, epoch, err) : 0;
}

int rollout_open(struct rollout *r, const char *root, const char *node,
	const struct rollout_ops *ops, void *arg, long long *undone,
	struct err *err)
{
	long long n = 0, old = 0;
	int rc;

	memset(r, 0, sizeof(*r));
	*undone = 0;
	r->ops = ops;
	r->arg = arg;
	snprintf(r->node, sizeof(r->node), "%s", node);
	rc = tree_open(&r->tree, root, err);
	if (rc < 0)
		return rc;
	if (tree_unsettled(&r->tree, &n, &old) &&
		tree_link(&r->tree, "current") == n) {
		log_warn("agent: the switch to generation %lld was cut short: "
			 "back to %lld",
			n, old);
		r->have = old;
		for (int i = 0; i < ROLLOUT_PARTS; i++)
			r->touched[i] = true;
		roll_back(r, n);
		*undone = n;
	} else if (tree_settled(&r->tree, err) < 0) {
		return -EIO;
	}
	r->have = tree_link(&r->tree, "current");
	return 0;
}

void rollout_close(struct rollout *r)
{
	rollout_abort(r, r->staged);
}
