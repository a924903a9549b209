/* SPDX-License-Identifier: ISC */
/*
 * Services of a lab host. A service is its main process and everything that
 * descends from it. There may be no cgroup to write to inside a container,
 * so membership is a variable in the environment, which children inherit:
 * the same idea as systemd's INVOCATION_ID. A scan of /proc (the host's own,
 * a few dozen processes) finds them.
 */
#include "deploy/lab/lab-svc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/base.h"
#include "deploy/lab/lab-unit.h"

#define RESTART_MS      1000
#define STOP_TIMEOUT_MS 10000
#define CONDITION_MS    100
#define TAG             "ISPDNS_LAB_SERVICE="

static struct svc svcs[SVC_MAX];
static size_t svc_count;
static int log_dir = -1;
static const char *units_dir;

int64_t svc_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void set_state(struct svc *s, enum svc_state state)
{
	s->state = state;
	s->since_ms = svc_now_ms();
}

static size_t split(char *line, char **words, size_t max)
{
	size_t n = 0;
	char *p = line;

	while (n < max) {
		while (isspace((unsigned char)*p))
			*p++ = '\0';
		if (*p == '\0')
			break;
		words[n++] = p;
		while (*p != '\0' && !isspace((unsigned char)*p))
			p++;
	}
	return n;
}

int svc_add(const char *line)
{
	char *words[SVC_ARGS_MAX + 3];
	struct svc *s = &svcs[svc_count];
	size_t n;

	if (svc_count == SVC_MAX || strlen(line) >= sizeof(s->line))
		return -ENOSPC;
	memset(s, 0, sizeof(*s));
	snprintf(s->line, sizeof(s->line), "%s", line);
	n = split(s->line, words, countof(words));
	if (n < 4 || n == countof(words) || strlen(words[0]) >= sizeof(s->name))
		return -EINVAL;
	if (svc_find(words[0]))
		return -EEXIST;
	snprintf(s->name, sizeof(s->name), "%s", words[0]);
	s->cond = strcmp(words[1], "-") ? words[1] : NULL;
	s->autostart = !strcmp(words[2], "auto");
	memcpy(s->argv, words + 3, (n - 3) * sizeof(words[0]));
	set_state(s, s->autostart ? SVC_WAITING : SVC_STOPPED);
	svc_count++;
	return 0;
}

int svc_load(const char *path)
{
	char line[1024];
	FILE *f = fopen(path, "re");
	int ret = 0;

	if (!f)
		return -errno;
	while (!ret && fgets(line, sizeof(line), f)) {
		size_t blank = strspn(line, " \t\n");

		if (line[blank] != '\0' && line[blank] != '#')
			ret = svc_add(line);
	}
	fclose(f);
	return ret;
}

struct svc *svc_find(const char *name)
{
	for (size_t i = 0; i < svc_count; i++)
		if (!strcmp(svcs[i].name, name))
			return &svcs[i];
	return NULL;
}

void svc_set_log_dir(int dirfd)
{
	log_dir = dirfd;
}

void svc_set_units(const char *units)
{
	units_dir = units;
}

/* In the child: take the rights of the service's unit, if it has one. */
static int take_rights(const struct svc *s)
{
	char path[256];
	struct unit unit;
	int ret;

	if (!units_dir)
		return 0;
	snprintf(path, sizeof(path), "%s/ispdns-%.31s.service", units_dir,
		s->name);
	ret = unit_load(path, &unit);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0)
		ret = unit_make_dirs(&unit);
	return ret == 0 && unit.user[0] ? unit_become(&unit) : ret;
}

/* In the child. Does not return. */
static void run(struct svc *s)
{
	char file[64], tag[64];
	sigset_t none;
	int fd;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	snprintf(file, sizeof(file), "%.31s.log", s->name);
	snprintf(tag, sizeof(tag), "%.31s", s->name);
	fd = open("/dev/null", O_RDONLY);
	if (fd >= 0)
		dup2(fd, STDIN_FILENO);
	fd = openat(log_dir, file, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	setenv("ISPDNS_LAB_SERVICE", tag, 1);
	if (take_rights(s) < 0)
		_exit(216);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execvp(s->argv[0], s->argv);
	fprintf(stderr, "%s: %s\n", s->argv[0], strerror(errno));
	_exit(203);
}

static void spawn(struct svc *s)
{
	pid_t pid = fork();

	if (pid == 0)
		run(s);
	s->frozen = false;
	s->ready = false;
	s->again = false;
	if (pid < 0) {
		s->due_ms = svc_now_ms() + RESTART_MS;
		set_state(s, SVC_BACKOFF);
		return;
	}
	s->pid = pid;
	s->starts++;
	set_state(s, SVC_RUNNING);
}

/* Does the environment of process `pid` carry the tag of this service? */
static bool is_member(pid_t pid, const char *name)
{
	char path[64], env[16384];
	size_t len, tag_len = strlen(TAG), off = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(env, 1, sizeof(env) - 1, f);
	fclose(f);
	env[len] = '\0';
	for (; off < len; off += strlen(env + off) + 1)
		if (!strncmp(env + off, TAG, tag_len) &&
			!strcmp(env + off + tag_len, name))
			return true;
	return false;
}

static void signal_members(const struct svc *s, int sig)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	if (!proc)
		return;
	while ((e = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (pid > 1 && pid != s->pid && is_member(pid, s->name))
			kill(pid, sig);
	}
	closedir(proc);
}

void svc_signal(struct svc *s, int sig)
{
	if (sig == SIGSTOP)
		s->frozen = true;
	if (sig == SIGCONT || sig == SIGKILL)
		s->frozen = false;
	if (s->pid > 0)
		kill(s->pid, sig);
	signal_members(s, sig);
	/* Once more for what was forked during the scan. */
	if (sig == SIGSTOP || sig == SIGKILL)
		signal_members(s, sig);
}

void svc_start(struct svc *s)
{
	if (s->state == SVC_STOPPING)
		s->again = true;
	else if (s->state != SVC_RUNNING)
		set_state(s, SVC_WAITING);
}

void svc_stop(struct svc *s)
{
	s->again = false;
	if (s->state == SVC_STOPPING)
		return;
	if (s->state != SVC_RUNNING) {
		set_state(s, SVC_STOPPED);
		return;
	}
	kill(s->pid, SIGTERM);
	if (s->frozen)
		svc_signal(s, SIGCONT);
	s->due_ms = svc_now_ms() + STOP_TIMEOUT_MS;
	set_state(s, SVC_STOPPING);
}

void svc_restart(struct svc *s)
{
	svc_stop(s);
	svc_start(s);
}

void svc_reaped(pid_t pid, int status)
{
	for (size_t i = 0; i < svc_count; i++) {
		struct svc *s = &svcs[i];

		if (s->pid != pid)
			continue;
		s->pid = 0;
		s->status = status;
		svc_signal(s, SIGKILL);
		if (s->state == SVC_STOPPING) {
			set_state(s, s->again ? SVC_WAITING : SVC_STOPPED);
		} else {
			s->due_ms = svc_now_ms() + RESTART_MS;
			set_state(s, SVC_BACKOFF);
		}
		s->again = false;
		return;
	}
}

void svc_ready(pid_t pid)
{
	for (size_t i = 0; i < svc_count; i++)
		if (svcs[i].pid == pid || is_member(pid, svcs[i].name))
			svcs[i].ready = true;
}

static int sooner(int a, int64_t b)
{
	if (b < 0)
		b = 0;
	return b < a ? (int)b : a;
}

int svc_tick(void)
{
	int wait_ms = 60000;

	for (size_t i = 0; i < svc_count; i++) {
		struct svc *s = &svcs[i];
		int64_t left = s->due_ms - svc_now_ms();

		if (s->state == SVC_STOPPING && left <= 0) {
			svc_signal(s, SIGKILL);
			s->due_ms = svc_now_ms() + RESTART_MS;
		}
		if (s->state == SVC_BACKOFF && left <= 0)
			set_state(s, SVC_WAITING);
		if (s->state == SVC_WAITING &&
			(!s->cond || access(s->cond, F_OK) == 0))
			spawn(s);
		if (s->state == SVC_WAITING)
			wait_ms = sooner(wait_ms, CONDITION_MS);
		if (s->state == SVC_STOPPING || s->state == SVC_BACKOFF)
			wait_ms = sooner(wait_ms, s->due_ms - svc_now_ms());
	}
	return wait_ms;
}

void svc_stop_all(void)
{
	for (size_t i = 0; i < svc_count; i++)
		svc_stop(&svcs[i]);
}

bool svc_all_stopped(void)
{
	for (size_t i = 0; i < svc_count; i++)
		if (svcs[i].state != SVC_STOPPED)
			return false;
	return true;
}

static const char *state_text(const struct svc *s)
{
	static const char *const text[] = {
		[SVC_STOPPED] = "stopped",
		[SVC_WAITING] = "waiting",
		[SVC_RUNNING] = "running",
		[SVC_STOPPING] = "stopping",
		[SVC_BACKOFF] = "backoff",
	};

	return s->frozen ? "frozen" : text[s->state];
}

void svc_print(FILE *out, const char *name)
{
	for (size_t i = 0; i < svc_count; i++) {
		const struct svc *s = &svcs[i];

		if (name && strcmp(name, s->name))
			continue;
		fprintf(out,
			"{\"service\":\"%s\",\"state\":\"%s\","
			"\"ready\":%s,\"pid\":%d,\"starts\":%u,"
			"\"last_exit\":%d,\"last_signal\":%d,"
			"\"since_ms\":%lld}\n",
			s->name, state_text(s),
			s->ready && s->pid ? "true" : "false", (int)s->pid,
			s->starts,
			WIFEXITED(s->status) ? WEXITSTATUS(s->status) : 0,
			WIFSIGNALED(s->status) ? WTERMSIG(s->status) : 0,
			(long long)(svc_now_ms() - s->since_ms));
	}
}
