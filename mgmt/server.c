/* SPDX-License-Identifier: ISC */
/*
 * Start and stop. The first start with an empty state folder makes the
 * database, the authority and the server's certificate; a lock on the folder
 * keeps a second instance out.
 */

#include "mgmt/server.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/ctl/file.h"
#include "mgmt/api.h"

#define MIB (1 << 20)

static const struct schema_item item_name[] = {
	{.name = "", .type = SCHEMA_STRING, .max = 255, .help = "Name."},
	{.type = SCHEMA_END},
};

static const struct schema_item nodes_items[] = {
	{.name = "listen",
		.type = SCHEMA_ADDR,
		.min = 8443,
		.dflt = "\"0.0.0.0:8443\"",
		.reload = SCHEMA_RESTART,
		.help = "Address for nodes."},
	{.type = SCHEMA_END},
};

static const struct schema_item operators_items[] = {
	{.name = "listen",
		.type = SCHEMA_ADDR,
		.min = 8444,
		.dflt = "\"0.0.0.0:8444\"",
		.reload = SCHEMA_RESTART,
		.help = "Address for people and programs."},
	{.type = SCHEMA_END},
};

static const struct schema_item limit_items[] = {
	{.name = "body",
		.type = SCHEMA_SIZE,
		.min = 4096,
		.max = 64 * MIB,
		.dflt = "16M",
		.reload = SCHEMA_RESTART,
		.help = "Largest body of a request."},
	{.name = "blob",
		.type = SCHEMA_SIZE,
		.min = 65536,
		.max = 1024 * MIB,
		.dflt = "64M",
		.reload = SCHEMA_RESTART,
		.help = "Largest blob that nodes fetch."},
	{.name = "request",
		.type = SCHEMA_DURATION,
		.min = 1000,
		.max = 600000,
		.dflt = "30s",
		.reload = SCHEMA_RESTART,
		.help = "A connection that has not delivered a whole "
			"request in this time is ended."},
	{.type = SCHEMA_END},
};

static const struct schema_item schema[] = {
	{.name = "state",
		.type = SCHEMA_PATH,
		.dflt = "/var/lib/ispdns-mgmt",
		.reload = SCHEMA_RESTART,
		.help = "Folder of the database and the keys."},
	{.name = "api_socket",
		.type = SCHEMA_PATH,
		.dflt = "/run/ispdns-mgmt/api.sock",
		.reload = SCHEMA_RESTART,
		.help = "Unix socket for the local root."},
	{.name = "nodes",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = nodes_items,
		.help = "The nodes' listener (client certificate needed)."},
	{.name = "operators",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = operators_items,
		.help = "The operators' listener (bearer token needed)."},
	{.name = "names",
		.type = SCHEMA_LIST,
		.children = item_name,
		.max = 64,
		.dflt = "[]",
		.reload = SCHEMA_RESTART,
		.help = "Names and addresses in the server's certificate; "
			"the last address is the one in join commands."},
	{.name = "limits",
		.type = SCHEMA_MAP,
		.dflt = "{}",
		.children = limit_items,
		.help = "Limits of requests."},
	{.type = SCHEMA_END},
};

struct server {
	struct mgmt m;
	struct api *api;
	json_t *names;
	int lock;
};

static void server_free(void *state)
{
	struct server *s = state;

	if (!s)
		return;
	push_free(s->m.push); /* answers who waits */
	api_free(s->api);
	pki_free(s->m.pki);
	store_close(s->m.store);
	json_decref(s->names);
	if (s->lock >= 0)
		close(s->lock);
	free(s);
}

static int take_lock(struct server *s, const char *dir, struct err *err)
{
	char path[4096];
	int rc = path_join(path, sizeof(path), "%s/lock", dir);

	if (rc)
		return err_fail(err, rc, "state: path is too long");
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return err_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (flock(s->lock, LOCK_EX | LOCK_NB))
		return err_fail(err, -EBUSY,
			"%s: another ispdns-mgmt uses this folder", dir);
	return 0;
}

static int read_names(
	struct server *s, const struct conf *conf, struct err *err)
{
	const struct conf_node *list = conf_get(conf_root(conf), "names"), *n;
	const char *host = "127.0.0.1";
	union addr addr =
		*conf_addr(conf_path(conf_root(conf), "operators.listen"));

	s->names = json_array();
	for (n = list ? conf_first(list) : NULL; n; n = conf_next(n)) {
		host = conf_str(n);
		json_array_append_new(s->names, json_string(host));
	}
	if (strlen(host) > 100)
		return err_fail(err, -EINVAL, "names: too long");
	snprintf(s->m.join_host, sizeof(s->m.join_host),
		strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		addr_port(&addr));
	return 0;
}

static int start_parts(struct server *s, const struct conf *conf,
	const char *dir, struct err *err)
{
	const struct conf_node *root = conf_root(conf);
	struct api_config config = {
		.socket = conf_get_str(root, "api_socket"),
		.nodes = *conf_addr(conf_path(root, "nodes.listen")),
		.operators = *conf_addr(conf_path(root, "operators.listen")),
		.request_ms = conf_int(conf_path(root, "limits.request")),
		.max_body = (size_t)conf_int(conf_path(root, "limits.body")),
	};
	char path[4096];
	int rc = path_join(path, sizeof(path), "%s/mgmt.db", dir);

	if (rc)
		return err_fail(err, rc, "state: path is too long");
	s->m.state = dir;
	s->m.store = store_open(path, err);
	if (!s->m.store)
		return -EINVAL;
	store_blob_limit(
		s->m.store, (size_t)conf_int(conf_path(root, "limits.blob")));
	s->m.pki = pki_open(dir, s->names, err);
	if (!s->m.pki)
		return -EINVAL;
	s->m.push = push_new(s->m.loop, s->m.store, err);
	if (!s->m.push)
		return -EINVAL;
	s->api = api_new(&s->m, &config, err);
	return s->api ? 0 : -EINVAL;
}

static int server_start(struct daemon *d, const struct conf *conf, void **state,
	struct err *err)
{
	const char *dir = conf_get_str(conf_root(conf), "state");
	struct server *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : -ENOMEM;

	if (rc)
		return err_fail(err, rc, "no memory");
	s->lock = -1;
	s->m.loop = daemon_loop(d);
	s->m.started = wall_now_s();
	umask(077);
	rc = dir_make(dir, 0700, err);
	if (!rc)
		rc = take_lock(s, dir, err);
	if (!rc)
		rc = read_names(s, conf, err);
	if (!rc)
		rc = start_parts(s, conf, dir, err);
	if (rc)
		server_free(s);
	else
		*state = s;
	return rc;
}

/* Everything in mgmt.yaml needs a restart; a reload only checks it. */
static void server_prepare(
	struct daemon *d, void *state, const struct conf *conf)
{
	(void)state;
	(void)conf;
	daemon_prepared(d, NULL, NULL);
}

static bool server_commit(struct daemon *d, void *state, void *next)
{
	(void)d;
	(void)state;
	(void)next;
	return true;
}

static void server_discard(struct daemon *d, void *state, void *next)
{
	(void)d;
	(void)state;
	(void)next;
}

static void server_status(void *state, json_t *out)
{
	struct server *s = state;
	char text[ADDR_TEXT];
	union addr nodes = api_nodes_addr(s->api);
	union addr operators = api_operators_addr(s->api);

	json_object_set_new(
		out, "nodes", json_string(addr_print(&nodes, text)));
	json_object_set_new(
		out, "operators", json_string(addr_print(&operators, text)));
	json_object_set_new(out, "ca_pin", json_string(pki_pin(s->m.pki)));
}

static void server_stats(void *state, json_t *out)
{
	struct server *s = state;

	json_object_set_new(out, "calls", json_integer((json_int_t)s->m.calls));
	json_object_set_new(
		out, "denied", json_integer((json_int_t)s->m.denied));
	json_object_set_new(
		out, "errors", json_integer((json_int_t)s->m.errors));
}

const struct daemon_ops server_ops = {
	.name = "ispdns-mgmt",
	.part = "mgmt",
	.config_optional = true,
	.summary = "management of ispdns: database, generations, API",
	.schema = schema,
	.start = server_start,
	.prepare = server_prepare,
	.commit = server_commit,
	.discard = server_discard,
	.status = server_status,
	.stats = server_stats,
	.free = server_free,
};
