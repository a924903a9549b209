/* SPDX-License-Identifier: ISC */
/* node.yaml: who this node is and where management is. */
#include "mgmt/agent/agent.h"

#include <errno.h>
#include <unistd.h>

static const struct schema_item host_item[] = {
	{.type = SCHEMA_STRING, .name = "", .max = 255, .help = "HOST:PORT"},
	{.type = SCHEMA_END},
};

static const struct schema_item schema[] = {
	{.name = "name",
		.type = SCHEMA_STRING,
		.max = 63,
		.required = true,
		.reload = SCHEMA_RESTART,
		.help = "Name of this node, as in its certificate."},
	{.name = "mgmt",
		.type = SCHEMA_LIST,
		.min = 1,
		.max = AGENT_HOSTS,
		.children = host_item,
		.required = true,
		.reload = SCHEMA_RESTART,
		.help = "Management hosts, tried in turn."},
	{.name = "ca",
		.type = SCHEMA_PATH,
		.required = true,
		.reload = SCHEMA_RESTART,
		.help = "Certificate of management's authority."},
	{.name = "cert",
		.type = SCHEMA_PATH,
		.required = true,
		.reload = SCHEMA_RESTART,
		.help = "This node's certificate."},
	{.name = "key",
		.type = SCHEMA_PATH,
		.required = true,
		.reload = SCHEMA_RESTART,
		.help = "Its private key."},
	{.name = "state",
		.type = SCHEMA_PATH,
		.dflt = ISPDNS_STATE_DIR,
		.reload = SCHEMA_RESTART,
		.help = "Folder of the generations."},
	{.name = "run",
		.type = SCHEMA_PATH,
		.dflt = ISPDNS_RUN_DIR,
		.reload = SCHEMA_RESTART,
		.help = "Folder of the daemons' control sockets."},
	{.name = "programs",
		.type = SCHEMA_PATH,
		.reload = SCHEMA_RESTART,
		.help = "Folder of the daemons' programs; default: the "
			"agent's own."},
	{.type = SCHEMA_END},
};

const struct schema_item *agent_schema(void)
{
	return schema;
}

static int copy(char *out, size_t size, const struct conf *conf,
	const char *key, struct err *err)
{
	const struct conf_node *root = conf_root(conf);
	const char *text = conf_get_str(root, key);

	if (snprintf(out, size, "%s", text ? text : "") < (int)size)
		return 0;
	return conf_error(conf, conf_get(root, key), err, "%s: too long", key);
}

/* The folder that this program is in. */
static void own_folder(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	char *slash;

	out[n > 0 ? n : 0] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
	else
		snprintf(out, size, "/usr/sbin");
}

static int read_hosts(
	const struct conf *conf, struct agent_settings *out, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "mgmt"), *n;

	for (n = conf_first(list); n && out->host_count < AGENT_HOSTS;
		n = conf_next(n)) {
		if (!*conf_str(n))
			return conf_error(
				conf, n, err, "mgmt: HOST:PORT expected");
		snprintf(out->hosts[out->host_count++], sizeof(out->hosts[0]),
			"%s", conf_str(n));
	}
	return 0;
}

static int check_name(
	const struct conf *conf, const char *name, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";

	if (*name && !name[strspn(name, allowed)])
		return 0;
	return conf_error(conf, conf_get(conf_root(conf), "name"), err,
		"name: letters, digits, '_', '.' and '-' are allowed");
}

int agent_settings_read(
	const struct conf *conf, struct agent_settings *out, struct err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	rc = copy(out->name, sizeof(out->name), conf, "name", err);
	if (rc == 0)
		rc = check_name(conf, out->name, err);
	if (rc == 0)
		rc = read_hosts(conf, out, err);
	if (rc == 0)
		rc = copy(out->ca, sizeof(out->ca), conf, "ca", err);
	if (rc == 0)
		rc = copy(out->cert, sizeof(out->cert), conf, "cert", err);
	if (rc == 0)
		rc = copy(out->key, sizeof(out->key), conf, "key", err);
	if (rc == 0)
		rc = copy(out->state, sizeof(out->state), conf, "state", err);
	if (rc == 0)
		rc = copy(out->run, sizeof(out->run), conf, "run", err);
	if (rc == 0)
		rc = copy(out->programs, sizeof(out->programs), conf,
			"programs", err);
	if (rc == 0 && !out->programs[0])
		own_folder(out->programs, sizeof(out->programs));
	return rc;
}
