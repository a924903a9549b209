/* SPDX-License-Identifier: ISC */
/*
 * Landlock rules of the checking process. Reading is not restricted: zone
 * files may lie anywhere. Hard links between trees need "refer", which came
 * with the second version; with an older one there is no confinement.
 */

#include "authority/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "authority/tree.h"

#define WRITES                                                                 \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |         \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
		LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER)
#define NEVER                                                                  \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |        \
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |  \
		LANDLOCK_ACCESS_FS_MAKE_SYM)

/* In headers since version 4. */
struct rules {
	uint64_t fs;
	uint64_t net; /* TCP: bind 1, connect 2 */
};

static int allow(
	int ruleset, const char *path, uint64_t access, struct err *err)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	int rc = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0)
		rc = err_fail(
			err, -errno, "confine: %s: %s", path, strerror(errno));
	close(rule.parent_fd);
	return rc;
}

/* The checkers, and the loader that their headers name. */
static int allow_programs(
	int ruleset, const struct auth_config *config, struct err *err)
{
	static const char *const tools[] = {"nsd-checkzone", "nsd-checkconf"};
	static const char *const loaders[] = {
		"/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"};
	char path[TREE_PATH];
	int rc = 0;

	for (size_t i = 0; i < countof(tools) && rc == 0; i++) {
		rc = auth_config_tool(config, tools[i], path, sizeof(path));
		if (rc == 0)
			rc = allow(
				ruleset, path, LANDLOCK_ACCESS_FS_EXECUTE, err);
	}
	for (size_t i = 0; i < countof(loaders) && rc == 0; i++) {
		if (access(loaders[i], F_OK) == 0)
			rc = allow(ruleset, loaders[i],
				LANDLOCK_ACCESS_FS_EXECUTE, err);
	}
	return rc;
}

static int make_rules(
	int ruleset, const struct auth_config *config, struct err *err)
{
	int rc = allow(ruleset, auth_config_state(config), WRITES, err);

	if (rc == 0)
		rc = allow_programs(ruleset, config, err);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		rc = err_fail(err, -errno, "confine: %s", strerror(errno));
	return rc;
}

int confine(const struct auth_config *config, struct err *err)
{
	struct rules rules = {
		.fs = LANDLOCK_ACCESS_FS_EXECUTE | WRITES | NEVER, .net = 3};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset, rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_fail(err, -errno, "confine: %s", strerror(errno));
	if (version < 2)
		return 0;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules,
		version >= 4 ? sizeof(rules) : sizeof(rules.fs), 0);
	if (ruleset < 0)
		return err_fail(err, -errno, "confine: %s", strerror(errno));
	rc = make_rules(ruleset, config, err);
	close(ruleset);
	return rc < 0 ? rc : 1;
}
