/* SPDX-License-Identifier: ISC */
/* The daemons of this host: control sockets, --check, proofs by query. */
#include "mgmt/agent/agent.h"

#include "common/base/clock.h"
#include "common/ctl/control.h"
#include "common/ctl/file.h"
#include "common/dns/code.h"
#include "common/serve/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_MS 12000
#define STATUS_MS  1000
/* It checks every zone, proves every zone, and may go back: longer. */
#define ZONES_MS 18000
#define CHECK_MS 12000
#define ASK_MS   1000
#define RETRY_MS 50

extern char **environ;

int local_control(void *arg, enum part part, const char *verb,
	const json_t *args, json_t **result, struct err *err)
{
	struct agent *agent = arg;
	char path[TREE_PATH];
	int ms = part == PART_AUTHORITY ? ZONES_MS : CONTROL_MS;

	*result = NULL;
	if (strcmp(verb, "status") == 0)
		ms = STATUS_MS;
	if (path_join(path, sizeof(path), "%s/%s/control.sock", agent->set.run,
		    part_name(part)) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: path is too long",
			agent->set.run);
	return control_call_path(path, verb, args, ms, result, err);
}

/* ---- --check ---- */

static int spawn(char *const *argv, int *output, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int pipes[2], rc;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], 2);
	rc = posix_spawn(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[1]);
	if (rc != 0) {
		close(pipes[0]);
		return -rc;
	}
	*output = pipes[0];
	return 0;
}

/* Read until the end or the deadline; the first `size` octets are kept. */
static bool read_output(int fd, char *out, size_t size)
{
	struct mtime end = mtime_add_ms(mtime_now(), CHECK_MS);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char waste[512];
	size_t len = 0;
	int64_t left;
	ssize_t n;

	for (;;) {
		out[len] = '\0';
		left = mtime_sub_us(end, mtime_now()) / 1000;
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		if (len + 1 < size)
			n = read(fd, out + len, size - 1 - len);
		else
			n = read(fd, waste, sizeof(waste));
		if (n <= 0)
			return true;
		if (len + 1 < size)
			len += (size_t)n;
	}
}

static int run_check(char *const *argv, char *output, size_t size)
{
	int fd = -1, status = -1, rc;
	pid_t pid;

	rc = spawn(argv, &fd, &pid);
	if (rc < 0)
		return rc;
	if (!read_output(fd, output, size)) {
		kill(pid, SIGKILL);
		rc = -ETIMEDOUT;
	}
	close(fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		rc = -EINVAL;
	output[strcspn(output, "\n")] = '\0';
	return rc;
}

int local_check(void *arg, enum part part, const char *file, struct err *err)
{
	struct agent *agent = arg;
	char program[TREE_PATH], check[] = "--check", path[TREE_PATH];
	char *argv[] = {program, check, path, NULL};
	char output[400];
	int rc;

	if (path_join(program, sizeof(program), "%s/ispdns-%s",
		    agent->set.programs, part_name(part)) < 0 ||
		path_join(path, sizeof(path), "%s", file) < 0)
		return err_fail(err, -ENAMETOOLONG, "path is too long");
	output[0] = '\0';
	rc = run_check(argv, output, sizeof(output));
	if (rc == -EINVAL)
		err_set(err, "%s: %s", part_name(part),
			output[0] ? output : "its check failed");
	else if (rc < 0)
		err_set(err, "%s does not run, and %s: %s", part_name(part),
			program, strerror(-rc));
	return rc;
}

/* ---- proofs ---- */

static bool good(const struct manifest_proof *proof,
	const struct ask_reply *reply, struct err *err)
{
	char rcode[DNS_CODE_TEXT];
	uint32_t serial;

	if (proof->any && msg_rcode(reply->msg) != DNS_RCODE_REFUSED)
		return true;
	if (msg_rcode(reply->msg) != DNS_RCODE_NOERROR) {
		err_set(err, "rcode %s",
			dns_rcode_print(
				(uint16_t)msg_rcode(reply->msg), rcode));
		return false;
	}
	if (!proof->soa) {
		if (ask_count(reply, 0) > 0)
			return true;
		err_set(err, "an empty answer");
		return false;
	}
	if (!(msg_flags(reply->msg) & MSG_AA)) {
		err_set(err, "the answer is not authoritative");
		return false;
	}
	if (!ask_soa_serial(reply, &serial))
		err_set(err, "no SOA in the answer");
	else if (serial != proof->serial)
		err_set(err, "serial %u, %u is expected", serial,
			proof->serial);
	else
		return true;
	return false;
}

static int prove_one(struct agent *agent, const struct manifest_proof *proof,
	struct mtime end, struct ask_reply *reply, struct err *err)
{
	struct ask question = {.server = proof->at,
		.name = proof->name,
		.type = proof->type,
		.timeout_ms = ASK_MS};
	char name[NAME_MAX_TEXT], at[ADDR_TEXT];
	struct err why = {""};
	unsigned in_a_row = 0;

	while (in_a_row < 2) {
		if (ask(&question, reply, &why) == 0 &&
			good(proof, reply, &why)) {
			in_a_row++;
			continue;
		}
		in_a_row = 0;
		if (!mtime_before(mtime_now(), end))
			return err_fail(err, -ETIMEDOUT,
				"not proven: %s at %s: %s",
				name_print(&proof->name, name),
				addr_print(&proof->at, at), why.text);
		if (!agent_pause(agent, RETRY_MS))
			return err_fail(err, -EINTR, "the agent is stopping");
	}
	return 0;
}

int local_prove(void *arg, const struct manifest *m, int ms, struct err *err)
{
	struct mtime end =
		mtime_add_ms(mtime_now(), ms + (int64_t)m->proof_count);
	struct ask_reply *reply = malloc(sizeof(*reply));
	int rc = reply ? 0 : err_fail(err, -ENOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < m->proof_count; i++)
		rc = prove_one(arg, &m->proofs[i], end, reply, err);
	free(reply);
	return rc;
}

/* ---- status ---- */

static bool configured(struct agent *agent, enum part part)
{
	char path[TREE_PATH];

	return path_join(path, sizeof(path), "%s/current/%s.yaml",
		       agent->set.state, part_name(part)) == 0 &&
	       access(path, F_OK) == 0;
}

json_t *local_parts(struct agent *agent)
{
	json_t *parts = json_object(), *status;
	struct err err;
	int rc;

	for (int i = 0; i < ROLLOUT_PARTS; i++) {
		err.text[0] = '\0';
		status = NULL;
		rc = local_control(
			agent, (enum part)i, "status", NULL, &status, &err);
		if (rc < 0 && configured(agent, (enum part)i))
			status = json_pack("{s:s,s:s}", "state", "down",
				"error", err.text);
		if (status)
			json_object_set_new(
				parts, part_name((enum part)i), status);
	}
	return parts;
}
