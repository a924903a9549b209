/* SPDX-License-Identifier: ISC */
/*
 * Rights of a service as its systemd unit gives them (systemd.exec(5)). The
 * order in unit_become is the one that works: bounding set, groups and user
 * while still root, the kept capabilities made inheritable and then ambient.
 */
#include "deploy/lab/lab-unit.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	int number;
} capabilities[] = {
	{"CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE},
	{"CAP_NET_ADMIN", CAP_NET_ADMIN},
	{"CAP_NET_RAW", CAP_NET_RAW},
	{"CAP_SYS_NICE", CAP_SYS_NICE},
	{"CAP_BPF", CAP_BPF},
};

static int failed(const char *what, const char *arg)
{
	int err = errno;

	fprintf(stderr, "lab-unit: %s %s: %s\n", what, arg, strerror(err));
	return err ? -err : -EIO;
}

static int parse_caps(char *text, uint64_t *out)
{
	char *word;

	while ((word = strsep(&text, " ")) != NULL) {
		size_t i = 0;

		if (*word == '\0')
			continue;
		while (i < countof(capabilities) &&
			strcmp(capabilities[i].name, word))
			i++;
		if (i == countof(capabilities))
			return -EINVAL;
		*out |= (uint64_t)1 << capabilities[i].number;
	}
	return 0;
}

static int parse_dirs(char *text, char out[UNIT_DIRS][64])
{
	char *word;
	int n = 0;

	while ((word = strsep(&text, " ")) != NULL) {
		if (*word == '\0')
			continue;
		if (n == UNIT_DIRS || strlen(word) >= sizeof(out[0]))
			return -EINVAL;
		snprintf(out[n++], sizeof(out[0]), "%s", word);
	}
	return 0;
}

static int parse_line(struct unit *u, const char *key, char *value)
{
	if (!strcmp(key, "User"))
		snprintf(u->user, sizeof(u->user), "%.31s", value);
	else if (!strcmp(key, "Group"))
		snprintf(u->group, sizeof(u->group), "%.31s", value);
	else if (!strcmp(key, "UMask"))
		u->umask = (mode_t)strtoul(value, NULL, 8);
	else if (!strcmp(key, "RuntimeDirectoryMode"))
		u->runtime_mode = (mode_t)strtoul(value, NULL, 8);
	else if (!strcmp(key, "StateDirectoryMode"))
		u->state_mode = (mode_t)strtoul(value, NULL, 8);
	else if (!strcmp(key, "LimitRTPRIO"))
		u->rtprio = (unsigned)strtoul(value, NULL, 10);
	else if (!strcmp(key, "RuntimeDirectory"))
		return parse_dirs(value, u->runtime);
	else if (!strcmp(key, "StateDirectory"))
		return parse_dirs(value, u->state);
	else if (!strcmp(key, "AmbientCapabilities"))
		return parse_caps(value, &u->ambient);
	else if (!strcmp(key, "CapabilityBoundingSet"))
		return parse_caps(value, &u->bounding);
	return 0;
}

int unit_load(const char *path, struct unit *out)
{
	char line[512], *value;
	FILE *f = fopen(path, "re");
	int ret = 0;

	memset(out, 0, sizeof(*out));
	out->umask = 0022;
	out->runtime_mode = out->state_mode = 0755;
	if (!f)
		return -errno;
	while (ret == 0 && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		ret = parse_line(out, line, value);
		if (ret < 0)
			fprintf(stderr, "lab-unit: %s: %s: not understood\n",
				path, line);
	}
	fclose(f);
	return ret;
}

static int lookup(const struct unit *u, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw = getpwnam(u->user);
	const struct group *gr;

	if (!pw)
		return failed("no user", u->user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	gr = u->group[0] ? getgrnam(u->group) : NULL;
	if (u->group[0] && !gr)
		return failed("no group", u->group);
	if (gr)
		*gid = gr->gr_gid;
	return 0;
}

/* BASE/a/b: all of it made, the last one owned. */
static int make_dir(
	const char *base, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
	char path[160];

	if (!name[0])
		return 0;
	snprintf(path, sizeof(path), "%s/%.63s", base, name);
	for (char *p = path + strlen(base) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return failed("mkdir", path);
		*p = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return failed("mkdir", path);
	if (chown(path, uid, gid) < 0 || chmod(path, mode) < 0)
		return failed("chown", path);
	return 0;
}

int unit_make_dirs(const struct unit *u)
{
	uid_t uid;
	gid_t gid;
	int ret;

	if (!u->user[0])
		return 0;
	ret = lookup(u, &uid, &gid);
	for (int i = 0; ret == 0 && i < UNIT_DIRS; i++) {
		ret = make_dir(
			"/run", u->runtime[i], u->runtime_mode, uid, gid);
		if (ret == 0)
			ret = make_dir("/var/lib", u->state[i], u->state_mode,
				uid, gid);
	}
	return ret;
}

static int keep_caps(uint64_t mask)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		uint32_t half = (uint32_t)(mask >> (32 * i));

		data[i].effective = half;
		data[i].permitted = half;
		data[i].inheritable = half;
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return failed("capset", "");
	for (int c = 0; c < 64; c++)
		if (mask & (uint64_t)1 << c &&
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) <
				0)
			return failed("ambient", "");
	return 0;
}

int unit_become(const struct unit *u)
{
	uid_t uid;
	gid_t gid;
	struct rlimit rt = {u->rtprio, u->rtprio};
	int ret = lookup(u, &uid, &gid);

	if (ret < 0)
		return ret;
	umask(u->umask);
	/* Containers may not raise it; the daemon says what it lacks. */
	(void)setrlimit(RLIMIT_RTPRIO, &rt);
	for (int c = 0; c <= CAP_LAST_CAP; c++)
		if (!(u->bounding & (uint64_t)1 << c) &&
			prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 &&
			errno != EINVAL)
			return failed("bounding", "");
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
		initgroups(u->user, gid) < 0 || setgid(gid) < 0 ||
		setuid(uid) < 0)
		return failed("become", u->user);
	ret = keep_caps(u->ambient);
	if (ret == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		ret = failed("no_new_privs", "");
	return ret;
}
