/* SPDX-License-Identifier: ISC */
/*
 * ispdns join: make this host a node. The key is made here; management gets
 * a signing request with the join token over TLS pinned to its authority, and
 * gives the certificate. Then node.yaml tells the agent where to dial.
 */
#include "mgmt/cli/cli.h"

#include "common/ctl/file.h"
#include "common/net/csr.h"

#include <errno.h>
#include <pwd.h>
#include <unistd.h>

struct join {
	const char *node, *mgmt, *config, *state, *owner;
	int node_port;
	char pki[2048], key[2304], cert[2304], ca[2304];
};

static int check_args(struct cli *cli, const struct join *j)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";

	if (!cli->server)
		return cli_fail(cli, CLI_USAGE,
			"join: where is management? HOST:PORT or --mgmt");
	if (!j->node)
		return cli_fail(cli, CLI_USAGE, "join: --node is missing");
	if (!*j->node || strlen(j->node) > 63 ||
		j->node[strspn(j->node, allowed)])
		return cli_fail(cli, CLI_USAGE,
			"join: '%s' is no node name: letters, digits, '_', '.' "
			"and '-', at most 63",
			j->node);
	if (!cli->token)
		return cli_fail(cli, CLI_USAGE, "join: --token is missing");
	if (!cli->ca_pin)
		return cli_fail(cli, CLI_USAGE, "join: --ca-pin is missing");
	return CLI_OK;
}

static void read_args(struct cli *cli, json_t *args, struct join *j)
{
	const char *mgmt = NULL;

	j->config = ISPDNS_ETC_DIR "/node.yaml";
	j->state = ISPDNS_STATE_DIR;
	j->owner = "_ispdns";
	j->node_port = 8443;
	(void)json_unpack(args, "{s?s,s?s,s?s,s?s,s?s,s?i}", "node", &j->node,
		"mgmt", &mgmt, "config", &j->config, "state", &j->state,
		"owner", &j->owner, "node_port", &j->node_port);
	if (mgmt)
		cli->server = mgmt;
	cli->socket = NULL;
	j->mgmt = cli->server;
	if (cli->ca_pin && strncmp(cli->ca_pin, "sha256:", 7) == 0)
		cli->ca_pin += 7;
}

static int make_paths(struct join *j, struct err *err)
{
	if (path_join(j->pki, sizeof(j->pki), "%s/pki", j->state) < 0 ||
		path_join(j->key, sizeof(j->key), "%s/node.key", j->pki) < 0 ||
		path_join(j->cert, sizeof(j->cert), "%s/node.pem", j->pki) <
			0 ||
		path_join(j->ca, sizeof(j->ca), "%s/ca.pem", j->pki) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", j->state);
	/* the daemons' group reads what is below state, but not the key */
	if (dir_make(j->state, 0750, err) < 0)
		return -EIO;
	return dir_make(j->pki, 0700, err);
}

/* The key waits beside the old one until the certificate for it is here. */
static int request(struct cli *cli, struct join *j, json_t **result)
{
	struct err err = {""};
	char fresh[2400], *csr = NULL;
	json_t *args;
	int rc;

	if (make_paths(j, &err) < 0 ||
		path_join(fresh, sizeof(fresh), "%s.new", j->key) < 0 ||
		csr_make(fresh, j->node, &csr, &err) < 0)
		return cli_fail(cli, CLI_FAIL, "join: %s", err.text);
	args = json_pack("{s:s,s:s}", "node", j->node, "csr_pem", csr);
	rc = call_or_say(cli, "node.join", args, result, NULL);
	if (rc == CLI_OK && rename(fresh, j->key) < 0)
		rc = cli_fail(cli, CLI_FAIL, "%s: %s", j->key, strerror(errno));
	if (rc != CLI_OK)
		(void)unlink(fresh);
	json_decref(args);
	free(csr);
	return rc;
}

/* "host:8444" -> "host:8443". */
static void node_address(const struct join *j, char *out, size_t size)
{
	const char *colon = strrchr(j->mgmt, ':');
	int len = (int)strlen(j->mgmt);

	if (colon && (strchr(j->mgmt, ':') == colon || j->mgmt[0] == '['))
		len = (int)(colon - j->mgmt);
	if (j->mgmt[0] == '[' && colon && strchr(colon, ']'))
		len = (int)strlen(j->mgmt);
	snprintf(out, size, "%.*s:%d", len, j->mgmt, j->node_port);
}

static int write_config(const struct join *j, struct err *err)
{
	char address[512], folder[2048];
	const char *slash = strrchr(j->config, '/');
	struct text yaml;
	int rc = 0;

	node_address(j, address, sizeof(address));
	text_init(&yaml);
	text_add(&yaml,
		"# ispdns-agent: bootstrap of this node, written by `ispdns "
		"join`.\nname: %s\nmgmt: [\"%s\"]\nca: %s\ncert: %s\nkey: %s\n"
		"state: %s\n",
		j->node, address, j->ca, j->cert, j->key, j->state);
	snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash - j->config) : 1, slash ? j->config : ".");
	if (folder[0])
		rc = dir_make(folder, 0755, err);
	if (rc == 0)
		rc = file_write(j->config, yaml.data, yaml.len, 0644, err);
	text_fini(&yaml);
	return rc;
}

/* Give the agent's user what it must read. Only root can, and must. */
static int give(const struct join *j, struct err *err)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam(j->owner) : NULL;
	const char *const paths[] = {j->state, j->pki, j->key, j->cert, j->ca};

	for (size_t i = 0; pw && i < countof(paths); i++)
		if (lchown(paths[i], pw->pw_uid, pw->pw_gid) < 0)
			return err_fail(err, -errno, "%s: %s", paths[i],
				strerror(errno));
	return 0;
}

static int write_all(
	const struct join *j, const json_t *result, struct err *err)
{
	const char *cert, *ca;
	int rc;

	if (json_unpack((json_t *)(uintptr_t)result, "{s:s,s:s}", "cert_pem",
		    &cert, "ca_pem", &ca) < 0)
		return err_fail(
			err, -EPROTO, "management's answer has no certificate");
	rc = file_write(j->cert, cert, strlen(cert), 0644, err);
	if (rc == 0)
		rc = file_write(j->ca, ca, strlen(ca), 0644, err);
	if (rc == 0)
		rc = write_config(j, err);
	return rc == 0 ? give(j, err) : rc;
}

int run_join(struct cli *cli, json_t *args)
{
	struct err err = {""};
	struct join j = {0};
	json_t *result = NULL, *report;
	int rc;

	read_args(cli, args, &j);
	rc = check_args(cli, &j);
	if (rc != CLI_OK)
		return rc;
	if (cli->dry_run) {
		printf("would make %s/pki/node.key, ask %s for a certificate "
		       "of '%s' and write %s\n",
			j.state, j.mgmt, j.node, j.config);
		return CLI_OK;
	}
	rc = request(cli, &j, &result);
	if (rc != CLI_OK)
		return rc;
	if (write_all(&j, result, &err) < 0) {
		json_decref(result);
		return cli_fail(cli, CLI_FAIL, "join: %s", err.text);
	}
	report = json_pack("{s:s,s:s,s:s}", "node", j.node, "config", j.config,
		"cert", j.cert);
	if (cli->json)
		show_json(report);
	else
		printf("%s has joined; start ispdns-agent\n", j.node);
	json_decref(report);
	json_decref(result);
	return CLI_OK;
}
