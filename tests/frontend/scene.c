/* SPDX-License-Identifier: ISC */
/*
 * Each process listens on an address of its own in 127/8, so that tests that
 * run at the same time do not meet. What is left over by a test that bails
 * out is removed at its exit.
 */

#include "tests/frontend/scene.h"

#include "common/base/buf.h"
#include "common/ctl/control.h"
#include "common/dns/msg.h"
#include "tests/tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENES_MAX 8

static struct scene *scenes[SCENES_MAX];

/* --- the process ------------------------------------------------------- */

static void path_of(const struct scene *s, const char *file, char out[64])
{
	(void)snprintf(out, 64, "%s/%s", s->dir, file);
}

static void remove_dir(const struct scene *s)
{
	static const char *const files[] = {
		"f.yaml", "log", "control.sock", "cache", "cache.tmp"};
	char path[64];

	for (unsigned i = 0; i < countof(files); i++) {
		path_of(s, files[i], path);
		(void)unlink(path);
	}
	(void)rmdir(s->dir);
}

static void show_log(const struct scene *s)
{
	char path[64], line[400];
	FILE *f;

	path_of(s, "log", path);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		tap_diag("%s", line);
	}
	if (f)
		(void)fclose(f);
}

static void clean_up(void)
{
	for (unsigned i = 0; i < SCENES_MAX; i++) {
		struct scene *s = scenes[i];

		if (!s)
			continue;
		if (s->pid > 0) {
			show_log(s);
			(void)kill(s->pid, SIGKILL);
			(void)waitpid(s->pid, NULL, 0);
		}
		remove_dir(s);
	}
}

static void remember(struct scene *s)
{
	static bool registered;
	unsigned i = 0;

	if (!registered && atexit(clean_up) != 0)
		tap_bail("atexit");
	registered = true;
	while (i < SCENES_MAX && scenes[i])
		i++;
	if (i == SCENES_MAX)
		tap_bail("too many scenes");
	scenes[i] = s;
}

static void forget(const struct scene *s)
{
	for (unsigned i = 0; i < SCENES_MAX; i++)
		if (scenes[i] == s)
			scenes[i] = NULL;
}

/* 127.x.y.1, x and y from the process id. */
static void choose_address(union addr *addr)
{
	uint32_t host = (uint32_t)getpid() % 65536;

	memset(addr, 0, sizeof(*addr));
	addr->v4.sin_family = AF_INET;
	addr->v4.sin_addr.s_addr = htonl(0x7f000001u | (host << 8));
}

static void print_backend(const struct scene *s, struct text *out, int i,
	const char *name, const char *check)
{
	char addr[ADDR_TEXT];
	union addr a;
	socklen_t len = sizeof(a);

	if (getsockname(s->stubs[i].udp, &a.sa, &len) < 0)
		tap_bail("getsockname");
	text_add(out,
		"    - {name: %s, address: \"%s\", order: %d, "
		"weight: %d, qps: %u, check: {%s}}\n",
		name, addr_print(&a, addr), i + 1, i + 1, s->qps[i],
		check ? check : "enabled: false");
}

static bool listen_any;

void scene_listen_any(bool any)
{
	listen_any = any;
}

static const char *print_listen(const struct scene *s, char out[ADDR_TEXT])
{
	union addr addr = s->server;

	if (listen_any)
		addr.v4.sin_addr.s_addr = htonl(INADDR_ANY);
	return addr_print(&addr, out);
}

static void write_config(struct scene *s, const char *extra, const char *rec)
{
	char addr[ADDR_TEXT], path[64];
	struct text yaml;
	FILE *f;

	text_init(&yaml);
	text_add(&yaml,
		"listen: [\"%s\"]\n"
		"ha: {socket: %s/ha}\n"
		"default_pool: rec\n"
		"%s%s%s%s",
		print_listen(s, addr), s->dir,
		strstr(extra, "routes:")
			? ""
			: "routes: [{suffix: zaibdns.lab., pool: auth}]\n",
		strstr(extra, "workers:") ? "" : "workers: 1\n",
		/* a slow test must not look like a slow backend */
		strstr(extra, "retry:") ? "" : "retry: {hedge: false}\n",
		extra);
	text_add(&yaml, "pools:\n  rec:\n    %s\n    backends:\n", rec);
	print_backend(s, &yaml, 0, "r1", s->check);
	print_backend(s, &yaml, 1, "r2", s->check);
	text_add(&yaml, "  auth:\n    cache: false\n    backends:\n");
	print_backend(s, &yaml, 2, "a1", s->check);
	path_of(s, "f.yaml", path);
	f = fopen(path, "w");
	if (!f || fputs(yaml.data, f) < 0 || fclose(f) != 0)
		tap_bail("%s: %s", path, strerror(errno));
	text_fini(&yaml);
}

static unsigned files_max;

void scene_limit_files(unsigned count)
{
	files_max = count;
}

static void exec_frontend(const struct scene *s)
{
	const char *build = getenv("ISPDNS_BUILDDIR");
	char program[512], config[64], log[64];
	int fd;
	struct rlimit limit = {files_max, files_max};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (files_max && setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(125);
	(void)snprintf(program, sizeof(program), "%s/ispdns-frontend",
		build ? build : ".");
	path_of(s, "f.yaml", config);
	path_of(s, "log", log);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	(void)execl(program, program, "--config", config, "--control",
		s->control, (char *)NULL);
	_exit(127);
}

static bool is_serving(void *arg)
{
	struct scene *s = arg;
	struct err err;
	json_t *result = NULL;
	int rc = control_call_path(
		s->control, "status", NULL, 1000, &result, &err);

	json_decref(result);
	return rc == 0 || waitpid(s->pid, NULL, WNOHANG) != 0;
}

static bool try_start(struct scene *s, const char *extra, const char *rec)
{
	int udp, tcp, status;

	choose_address(&s->server);
	stub_bind(&s->server, &udp, &tcp);
	close(udp);
	close(tcp);
	write_config(s, extra, rec);
	s->pid = fork();
	if (s->pid < 0)
		tap_bail("fork: %s", strerror(errno));
	if (s->pid == 0)
		exec_frontend(s);
	if (tap_wait(is_serving, s, 10000) &&
		waitpid(s->pid, &status, WNOHANG) == 0)
		return true;
	show_log(s);
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	s->pid = 0;
	return false;
}

/* --- the whole --------------------------------------------------------- */

void scene_start(
	struct scene *s, const char *extra, const char *rec, const char *check)
{
	union addr addr;
	int tries = 5;

	choose_address(&addr);
	memset(s, 0, sizeof(*s));
	s->check = check;
	(void)snprintf(s->dir, sizeof(s->dir), "/tmp/ispdns-scene.XXXXXX");
	if (!mkdtemp(s->dir))
		tap_bail("mkdtemp: %s", strerror(errno));
	path_of(s, "control.sock", s->control);
	remember(s);
	for (int i = 0; i < SCENE_STUBS; i++)
		stub_open(&s->stubs[i], &addr);
	while (!try_start(s, extra, rec))
		if (--tries == 0)
			tap_bail("the frontend does not start");
	s->client = scene_client(s, SOCK_DGRAM, NULL);
}

bool scene_logged(const struct scene *s, const char *text)
{
	char path[64], line[400];
	bool found = false;
	FILE *f;

	path_of(s, "log", path);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, text) != NULL;
	if (f)
		(void)fclose(f);
	return found;
}

static bool log_is_clean(const struct scene *s)
{
	return !scene_logged(s, "Sanitizer") &&
	       !scene_logged(s, "runtime error");
}

static bool has_ended(void *arg)
{
	siginfo_t info = {.si_pid = 0};
	const struct scene *s = arg;

	return waitid(P_PID, (id_t)s->pid, &info,
		       WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

void scene_stop(struct scene *s, const char *name)
{
	int status = -1;

	(void)kill(s->pid, SIGTERM);
	if (!tap_wait(has_ended, s, SCENE_SOON))
		(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, &status, 0);
	if (!ok(status == 0 && log_is_clean(s), "%s: it lived and ends well",
		    name))
		show_log(s);
	s->pid = 0;
	close(s->client);
	for (int i = 0; i < SCENE_STUBS; i++)
		stub_end(&s->stubs[i]);
	remove_dir(s);
	forget(s);
}

/* --- the control socket ------------------------------------------------ */

static json_t *make_args(const char *words)
{
	char copy[200], *word, *rest;
	json_t *list = json_array();

	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (word = strtok_r(copy, " ", &rest); word;
		word = strtok_r(NULL, " ", &rest))
		json_array_append_new(list, json_string(word));
	return json_pack("{s:o}", "words", list);
}

static json_t *call(struct scene *s, const char *words, struct err *err)
{
	const char *rest = strchr(words, ' ');
	json_t *args = make_args(rest ? rest : "");
	json_t *result = NULL;
	char verb[32];

	(void)snprintf(
		verb, sizeof(verb), "%.*s", (int)strcspn(words, " "), words);
	if (control_call_path(s->control, verb, args, 10000, &result, err) < 0)
		result = NULL;
	json_decref(args);
	return result;
}

char *scene_call(struct scene *s, const char *words)
{
	struct err err;
	json_t *result = call(s, words, &err);
	char *text = result ? json_dumps(result, JSON_COMPACT) : NULL;

	json_decref(result);
	return text;
}

bool scene_reload(
	struct scene *s, const char *extra, const char *rec, struct err *err)
{
	json_t *result;

	write_config(s, extra, rec);
	result = call(s, "reload", err);
	json_decref(result);
	return result != NULL;
}

long long scene_stat(struct scene *s, const char *name)
{
	struct err err;
	json_t *stats = call(s, "stats", &err);
	const char *dot = strncmp(name, "cache.", 6) == 0 ? name + 6 : NULL;
	const json_t *from = dot ? json_object_get(stats, "cache") : stats;
	long long value;

	if (!stats)
		tap_bail("stats: %s", err.text);
	value = json_integer_value(json_object_get(from, dot ? dot : name));
	json_decref(stats);
	return value;
}

struct wanted {
	struct scene *s;
	const char *name, *word;
	long long value;
};

static bool stat_is(void *arg)
{
	const struct wanted *w = arg;

	return scene_stat(w->s, w->name) == w->value;
}

bool scene_wait_stat(struct scene *s, const char *name, long long value)
{
	struct wanted w = {.s = s, .name = name, .value = value};

	if (tap_wait(stat_is, &w, SCENE_SOON))
		return true;
	tap_diag("%s is %lld", name, scene_stat(s, name));
	return false;
}

static bool state_is(void *arg)
{
	const struct wanted *w = arg;
	struct err err;
	json_t *show = call(w->s, "show servers", &err);
	json_t *row;
	size_t i;
	bool is = false;

	json_array_foreach(json_object_get(show, "servers"), i, row) {
		const char *name =
			json_string_value(json_object_get(row, "name"));
		const char *state =
			json_string_value(json_object_get(row, "state"));

		is |= name && state && strcmp(name, w->name) == 0 &&
		      strcmp(state, w->word) == 0;
	}
	json_decref(show);
	return is;
}

bool scene_wait_state(struct scene *s, const char *backend, const char *state)
{
	struct wanted w = {.s = s, .name = backend, .word = state};

	return tap_wait(state_is, &w, SCENE_SOON);
}

/* --- the client -------------------------------------------------------- */

int scene_client(struct scene *s, int type, const char *source)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	union addr from;

	if (fd < 0)
		tap_bail("socket: %s", strerror(errno));
	if (source && (addr_parse(source, 0, &from) < 0 ||
			      bind(fd, &from.sa, addr_len(&from)) < 0))
		tap_bail("bind to %s: %s", source, strerror(errno));
	if (connect(fd, &s->server.sa, addr_len(&s->server)) < 0)
		tap_bail("connect: %s", strerror(errno));
	return fd;
}

bool scene_ask(struct scene *s, const struct ask *ask)
{
	ask_udp(s->client, ask);
	return take_udp(s->client, &s->answer, SCENE_SOON);
}

bool scene_ask_tcp(struct scene *s, const struct ask *ask)
{
	int fd = scene_client(s, SOCK_STREAM, NULL);
	bool came;

	ask_tcp(fd, ask);
	came = take_tcp(fd, &s->answer, SCENE_SOON);
	close(fd);
	return came;
}

unsigned scene_rcode(const struct scene *s)
{
	return msg_rcode(s->answer.data);
}
