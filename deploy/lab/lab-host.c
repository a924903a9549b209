/* SPDX-License-Identifier: ISC */
/*
 * ispdns-lab-host: pid 1 of one lab host.
 *
 *   ispdns-lab-host run NETNS HOSTNAME DIR   make the host, return when it is
 * up ispdns-lab-host ctl DIR VERB [SERVICE [ARG]]
 *
 * `run` enters the named network namespace, makes pid, mount, uts and ipc
 * namespaces and becomes the init of them. It keeps the services of
 * DIR/services running, reaps, and obeys DIR/ctl.sock. The host ends with
 * its pid 1: SIGKILL from outside is a power cut, SIGTERM a shutdown.
 * DIR/pid holds "PID STARTTIME" as seen from the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/base.h"
#include "deploy/lab/lab-mount.h"
#include "deploy/lab/lab-svc.h"

#define NOTIFY_PATH "/run/lab/notify"
#define WAIT_MS     20000

static NORETURN void die(const char *what, const char *arg)
{
	fprintf(stderr, "ispdns-lab-host: %s %s: %s\n", what, arg,
		strerror(errno));
	exit(1);
}

static int unix_address(const char *path, struct sockaddr_un *sun)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "%s", path);
	return 0;
}

static int unix_bind(const char *path, int type)
{
	struct sockaddr_un sun;
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || unix_address(path, &sun) < 0)
		die("socket", path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		die("bind", path);
	return fd;
}

/* ---- pid 1 ---- */

static void do_verb(FILE *out, const char *verb, const char *name, char *rest)
{
	static const struct {
		const char *verb;
		int sig;
	} sigs[] = {{"kill", SIGKILL}, {"freeze", SIGSTOP}, {"thaw", SIGCONT},
		{"reload", SIGHUP}, {"term", SIGTERM}};
	struct svc *s = name ? svc_find(name) : NULL;

	if (!strcmp(verb, "status")) {
		svc_print(out, name);
		return;
	}
	if (!strcmp(verb, "add")) {
		int ret = svc_add(rest);

		fprintf(out, ret ? "error %s\n" : "ok\n", strerror(-ret));
		return;
	}
	if (!s) {
		fprintf(out, "error no service '%s'\n", name ? name : "");
		return;
	}
	for (size_t i = 0; i < countof(sigs); i++) {
		if (strcmp(verb, sigs[i].verb))
			continue;
		if (sigs[i].sig == SIGHUP && s->pid > 0)
			kill(s->pid, SIGHUP);
		else
			svc_signal(s, sigs[i].sig);
		fprintf(out, "ok\n");
		return;
	}
	if (!strcmp(verb, "start"))
		svc_start(s);
	else if (!strcmp(verb, "stop"))
		svc_stop(s);
	else if (!strcmp(verb, "restart"))
		svc_restart(s);
	else {
		fprintf(out, "error no verb '%s'\n", verb);
		return;
	}
	fprintf(out, "ok\n");
}

/* One request: `VERB [SERVICE]`, or `add` and a line of the service file. */
static void serve_ctl(int listener)
{
	struct timeval patience = {.tv_sec = 1};
	char line[1200], verb[16], name[32], *rest;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), n;
	ssize_t len;
	FILE *out;

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	len = recv(fd, line, sizeof(line) - 1, 0);
	out = len > 0 ? fdopen(fd, "w") : NULL;
	if (!out) {
		close(fd);
		return;
	}
	line[len] = '\0';
	n = sscanf(line, "%15s %31s", verb, name);
	rest = line + strcspn(line, " \n");
	if (n >= 1)
		do_verb(out, verb, n > 1 ? name : NULL, rest);
	fclose(out);
}

static void serve_notify(int fd)
{
	char text[512], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &msg, MSG_DONTWAIT);
	struct cmsghdr *c = len > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct ucred who;

	if (!c || c->cmsg_type != SCM_CREDENTIALS)
		return;
	text[len] = '\0';
	memcpy(&who, CMSG_DATA(c), sizeof(who));
	if (strstr(text, "READY=1"))
		svc_ready(who.pid);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		svc_reaped(pid, status);
}

static void supervise(int signals, int ctl, int notify)
{
	struct pollfd fds[] = {
		{signals, POLLIN, 0}, {ctl, POLLIN, 0}, {notify, POLLIN, 0}};
	struct signalfd_siginfo info;
	bool ending = false;

	while (!ending || !svc_all_stopped()) {
		int wait_ms = svc_tick();

		if (poll(fds, countof(fds), wait_ms) < 0)
			continue;
		if (fds[2].revents)
			serve_notify(notify);
		if (fds[0].revents && read(signals, &info, sizeof(info)) > 0 &&
			info.ssi_signo != SIGCHLD) {
			ending = true;
			svc_stop_all();
		}
		reap();
		if (fds[1].revents)
			serve_ctl(ctl);
	}
}

static int open_notify(void)
{
	int fd = unix_bind(NOTIFY_PATH, SOCK_DGRAM), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (chmod(NOTIFY_PATH, 0666) < 0)
		die("chmod", NOTIFY_PATH);
	setenv("NOTIFY_SOCKET", NOTIFY_PATH, 1);
	return fd;
}

static int block_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		die("signalfd", "");
	return fd;
}

static void redirect(const char *dir)
{
	char path[PATH_MAX];
	int log, null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof(path), "%s/log", dir);
	log = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log < 0 || null < 0)
		die("open", path);
	svc_set_log_dir(log);
	dup2(null, STDIN_FILENO);
	null = openat(log, "host.log",
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (null < 0)
		die("open", "host.log");
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

/* The tree's programs before the machine's. */
static void put_path(void)
{
	const char *old = getenv("PATH");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s:%s", LAB_PROGRAMS,
		old ? old : "/usr/sbin:/usr/bin:/sbin:/bin");
	setenv("PATH", path, 1);
}

/* args: DIR PROGRAMS [UNITS] NULL. */
static NORETURN void be_init(const char *hostname, char *const *args, int ready)
{
	struct rlimit files = {1048576, 1048576};
	const char *dir = args[0], *programs = args[1];
	char path[PATH_MAX];
	int ctl, ret, signals = block_signals();

	/* Here, not in the parent: it still needs the machine's /proc. */
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
		die("unshare", hostname);
	setsid();
	redirect(dir);
	prctl(PR_SET_NAME, "lab-init");
	setrlimit(RLIMIT_NOFILE, &files);
	if (sethostname(hostname, strlen(hostname)) < 0)
		die("sethostname", hostname);
	snprintf(path, sizeof(path), "%s/ctl.sock", dir);
	ctl = unix_bind(path, SOCK_STREAM);
	if (listen(ctl, 16) < 0)
		die("listen", path);
	svc_set_units(args[2]);
	snprintf(path, sizeof(path), "%s/services", dir);
	ret = svc_load(path);
	if (ret) {
		errno = -ret;
		die("read", path);
	}
	if (lab_mount(dir, programs) < 0)
		exit(1);
	put_path();
	if (chdir("/") < 0 || write(ready, "k", 1) != 1)
		die("start", hostname);
	close(ready);
	supervise(signals, ctl, open_notify());
	exit(0);
}

/* ---- the machine's side ---- */

static long long start_time(pid_t pid)
{
	char path[64], line[1024], *p;
	long long ticks = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	p = fgets(line, sizeof(line), f);
	fclose(f);
	p = p ? strrchr(line, ')') : NULL;
	/* Field 22; the parenthesis closes field 2. */
	for (int i = 0; p && i < 20; i++)
		p = strchr(p + 1, ' ');
	if (p)
		ticks = atoll(p);
	return ticks;
}

static void write_pid(const char *dir, pid_t pid)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pid", dir);
	f = fopen(path, "we");
	if (!f)
		die("write", path);
	fprintf(f, "%d %lld\n", (int)pid, start_time(pid));
	fclose(f);
}

/* args: DIR PROGRAMS [UNITS] NULL. */
static int cmd_run(const char *netns, const char *hostname, char *const *args)
{
	const char *dir = args[0];
	char path[PATH_MAX], byte;
	int ready[2], ns;
	pid_t pid;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die("enter", path);
	if (pipe2(ready, O_CLOEXEC) < 0)
		die("pipe", "");
	if (unshare(CLONE_NEWPID) < 0)
		die("unshare", hostname);
	pid = fork();
	if (pid < 0)
		die("fork", hostname);
	if (pid == 0) {
		/* The caller's lock must not live as long as the host. */
		if (ready[1] != 3)
			dup2(ready[1], 3);
		close_range(4, ~0U, 0);
		fcntl(3, F_SETFD, FD_CLOEXEC);
		be_init(hostname, args, 3);
	}
	write_pid(dir, pid);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		fprintf(stderr,
			"ispdns-lab-host: %s did not start; see "
			"%s/log/host.log\n",
			hostname, dir);
		return 1;
	}
	return 0;
}

/* Send one request, copy the reply into `reply`. 0 or -errno. */
static int ask(const char *dir, const char *request, char *reply, size_t size)
{
	struct sockaddr_un sun;
	char path[PATH_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t n;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/ctl.sock", dir);
	if (fd < 0 || unix_address(path, &sun) < 0 ||
		connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
		send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		ret = -errno;
	while (!ret && len < size - 1 &&
		(n = recv(fd, reply + len, size - 1 - len, 0)) > 0)
		len += (size_t)n;
	reply[len] = '\0';
	if (fd >= 0)
		close(fd);
	return ret;
}

/* `stop` and `start` return when the service has done so. */
static bool is_settled(const char *verb, const char *reply)
{
	if (!strcmp(verb, "stop"))
		return strstr(reply, "\"stopped\"") != NULL;
	if (!strcmp(verb, "start") || !strcmp(verb, "restart"))
		return strstr(reply, "\"running\"") != NULL;
	return true;
}

static int wait_settled(const char *dir, const char *verb, const char *name)
{
	struct timespec nap = {.tv_nsec = 10000000};
	int64_t end_ms = svc_now_ms() + WAIT_MS;
	char request[64], reply[1024];

	snprintf(request, sizeof(request), "status %s", name);
	while (svc_now_ms() < end_ms) {
		if (ask(dir, request, reply, sizeof(reply)) < 0)
			return 1;
		if (is_settled(verb, reply))
			return 0;
		nanosleep(&nap, NULL);
	}
	fprintf(stderr, "ispdns-lab-host: %s %s: not done in %d s: %s", verb,
		name, WAIT_MS / 1000, reply);
	return 1;
}

static int cmd_ctl(const char *dir, char **words, int count)
{
	static char request[1200], reply[65536];
	size_t len = 0;
	int ret;

	for (int i = 0; i < count; i++) {
		int n = snprintf(request + len, sizeof(request) - len, "%s%s",
			i ? " " : "", words[i]);

		if (n < 0 || len + (size_t)n >= sizeof(request)) {
			fprintf(stderr, "ispdns-lab-host: too long\n");
			return 2;
		}
		len += (size_t)n;
	}
	ret = ask(dir, request, reply, sizeof(reply));
	if (ret < 0) {
		fprintf(stderr, "ispdns-lab-host: %s: %s\n", dir,
			strerror(-ret));
		return 1;
	}
	if (!strncmp(reply, "error ", 6)) {
		fprintf(stderr, "ispdns-lab-host: %s", reply + 6);
		return 1;
	}
	if (!strncmp(reply, "ok", 2))
		return wait_settled(dir, words[0], count > 1 ? words[1] : "");
	fputs(reply, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if ((argc == 6 || argc == 7) && !strcmp(argv[1], "run"))
		return cmd_run(argv[2], argv[3], argv + 4);
	if (argc >= 4 && !strcmp(argv[1], "ctl"))
		return cmd_ctl(argv[2], argv + 3, argc - 3);
	fprintf(stderr, "usage: ispdns-lab-host run NETNS HOSTNAME DIR "
			"PROGRAMS [UNITS]\n"
			"       ispdns-lab-host ctl DIR VERB [SERVICE]\n");
	return 2;
}
