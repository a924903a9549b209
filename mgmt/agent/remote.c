/* SPDX-License-Identifier: ISC */
/*
 * Requests to management: each on a connection of its own, over TLS 1.3 with
 * our certificate. The server is believed when its certificate is a server's
 * certificate of our own authority, which gives those to management only; the
 * host name is not compared, since an address may be all that is known of it.
 */
#include "mgmt/agent/agent.h"

#include "common/base/log.h"
#include "common/ctl/file.h"
#include "common/net/csr.h"
#include "common/net/tls.h"

#include <errno.h>
#include <unistd.h>

#define CALL_MS      8000
#define MANIFEST_MAX (64U << 20)
#define BLOB_MAX     (1U << 30)
#define REPLY_MAX    (1U << 20)

int remote_target(struct agent *agent, const union addr *server, int timeout_ms,
	struct http_target *target, struct err *err)
{
	memset(target, 0, sizeof(*target));
	target->addr = *server;
	target->timeout_ms = timeout_ms;
	target->tls = tls_client(
		agent->set.ca, agent->set.cert, agent->set.key, NULL, err);
	return target->tls ? 0 : -EINVAL;
}

static int check_status(
	const char *path, struct http_reply *reply, struct err *err)
{
	int status = reply->status;

	if (status == 200)
		return 0;
	http_reply_fini(reply);
	return err_fail(err, status == 404 ? -ENOENT : -EREMOTEIO,
		"%s: management says HTTP %d", path, status);
}

static int post(struct agent *agent, const union addr *server, const char *path,
	const char *body, struct http_reply *reply, struct err *err)
{
	struct http_target target;
	int rc = remote_target(agent, server, CALL_MS, &target, err);

	if (rc == 0)
		rc = http_call(&target, "POST", path, body, strlen(body),
			REPLY_MAX, reply, err);
	tls_free(target.tls);
	return rc == 0 ? check_status(path, reply, err) : rc;
}

int remote_post(struct agent *agent, const union addr *server, const char *path,
	json_t *body, json_t **answer, struct err *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct http_reply reply = {0};
	int rc = text ? post(agent, server, path, text, &reply, err)
		      : err_fail(err, -ENOMEM, "out of memory");

	if (rc == 0 && answer) {
		*answer = json_loadb(reply.body, reply.body_len,
			JSON_REJECT_DUPLICATES, NULL);
		if (!*answer)
			rc = err_fail(err, -EPROTO,
				"%s: the answer is not understood", path);
	}
	if (rc == 0)
		http_reply_fini(&reply);
	free(text);
	json_decref(body);
	return rc;
}

/* The connection on which manifest and blobs come. */
static int open_fetch(struct agent *agent, struct err *err)
{
	struct http_target target;
	int rc = remote_target(agent, &agent->server, CALL_MS, &target, err);

	if (rc < 0)
		return rc;
	agent->fetch_tls = target.tls;
	agent->fetch = http_link_open(&target, err);
	if (!agent->fetch)
		remote_fetched(agent);
	return agent->fetch ? 0 : -ECONNREFUSED;
}

void remote_fetched(void *arg)
{
	struct agent *agent = arg;

	http_link_close(agent->fetch);
	tls_free(agent->fetch_tls);
	agent->fetch = NULL;
	agent->fetch_tls = NULL;
}

/* A connection that was there may have been closed since: once more then. */
static int get(struct agent *agent, const char *path, size_t max, char **data,
	size_t *len, struct err *err)
{
	struct http_reply reply = {0};
	int ms = CALL_MS + (int)(max / 1000); /* at least 1 MB/s is asked */
	bool again = agent->fetch != NULL;
	int rc;

	do {
		rc = agent->fetch ? 0 : open_fetch(agent, err);
		if (rc == 0)
			rc = http_link_call(agent->fetch, "GET", path, NULL, 0,
				max, ms, &reply, err);
		if (rc < 0)
			remote_fetched(agent);
	} while (rc < 0 && again && !(again = false));
	if (rc == 0)
		rc = check_status(path, &reply, err);
	if (rc < 0)
		return rc;
	*data = reply.body;
	*len = reply.body_len;
	return 0;
}

int remote_manifest(void *arg, long long generation, char **text, size_t *len,
	struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/node/v1/manifest/%lld", generation);
	return get(arg, path, MANIFEST_MAX, text, len, err);
}

int remote_blob(void *arg, const struct manifest_item *item, char **data,
	size_t *len, struct err *err)
{
	char path[128];

	if (item->size > BLOB_MAX)
		return err_fail(err, -EFBIG, "%s: too large", item->key);
	snprintf(path, sizeof(path), "/node/v1/blob/%s", item->sha256);
	return get(arg, path, (size_t)item->size + 1, data, len, err);
}

/* ---- renewal ---- */

/* Beside the present pair until both are here; the certificate goes first:
 * remote_heal finds the key when we die between the two. */
static int put_pair(struct agent *agent, const char *fresh_key,
	const char *cert, struct err *err)
{
	int rc = file_write(agent->set.cert, cert, strlen(cert), 0644, err);

	if (rc == 0 && rename(fresh_key, agent->set.key) < 0)
		rc = err_fail(
			err, -errno, "%s: %s", fresh_key, strerror(errno));
	return rc;
}

int remote_renew(struct agent *agent, struct err *err)
{
	char fresh[AGENT_PATH + 8], *csr = NULL;
	json_t *answer = NULL;
	const char *cert;
	int rc = path_join(fresh, sizeof(fresh), "%s.new", agent->set.key);

	if (rc == 0)
		rc = csr_make(fresh, agent->set.name, &csr, err);
	if (rc == 0)
		rc = remote_post(agent, &agent->server, "/node/v1/renew",
			json_pack("{s:s}", "csr_pem", csr), &answer, err);
	cert = json_string_value(json_object_get(answer, "cert_pem"));
	if (rc == 0 && !cert)
		rc = err_fail(err, -EPROTO, "no certificate in the answer");
	if (rc == 0)
		rc = put_pair(agent, fresh, cert, err);
	json_decref(answer);
	free(csr);
	return rc;
}

void remote_renew_when_due(struct agent *agent)
{
	struct err err = {""};
	long left_s, life_s;

	if (csr_cert_life(agent->set.cert, &left_s, &life_s) < 0 ||
		left_s > life_s / 3)
		return;
	if (remote_renew(agent, &err) == 0)
		log_info("agent: the certificate was renewed");
	else
		log_warn("agent: the certificate could not be renewed, %ld "
			 "days are left: %s",
			left_s / 86400, err.text);
}

void remote_heal(const struct agent_settings *set)
{
	struct err err = {""};
	char fresh[AGENT_PATH + 8];
	struct tls *tls = tls_client(set->ca, set->cert, set->key, NULL, &err);

	if (!tls && path_join(fresh, sizeof(fresh), "%s.new", set->key) == 0) {
		tls = tls_client(set->ca, set->cert, fresh, NULL, &err);
		if (tls && rename(fresh, set->key) == 0)
			log_warn("agent: a renewal that was cut short is "
				 "finished");
	}
	tls_free(tls);
}
