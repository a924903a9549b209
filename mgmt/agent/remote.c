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
#define MANIFEST_MAX (16U << 20)
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

static int call(struct agent *agent, const union addr *server,
	const char *method, const char *path, const char *body, size_t max,
	struct http_reply *reply, struct err *err)
{
	struct http_target target;
	/* a slow line gets its time: at least 1 MB/s is asked of it */
	int ms = CALL_MS + (int)(max / 1000);
	int rc = remote_target(
		agent, server, max > REPLY_MAX ? ms : CALL_MS, &target, err);

	if (rc == 0)
		rc = http_call(&target, method, path, body,
			body ? strlen(body) : 0, max, reply, err);
	tls_free(target.tls);
	if (rc == 0 && reply->status != 200) {
		err_set(err, "%s: management says HTTP %d", path,
			reply->status);
		http_reply_fini(reply);
		rc = reply->status == 404 ? -ENOENT : -EREMOTEIO;
	}
	return rc;
}

int remote_post(struct agent *agent, const union addr *server, const char *path,
	json_t *body, json_t **answer, struct err *err)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct http_reply reply = {0};
	int rc = text ? call(agent, server, "POST", path, text, REPLY_MAX,
				&reply, err)
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

static int get(struct agent *agent, const char *path, size_t max, char **data,
	size_t *len, struct err *err)
{
	struct http_reply reply = {0};
	int rc = call(
		agent, &agent->server, "GET", path, NULL, max, &reply, err);

	if (rc == 0) {
		*data = reply.body;
		*len = reply.body_len;
	}
	return rc;
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
