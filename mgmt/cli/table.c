/* SPDX-License-Identifier: ISC */
/* Every command of `ispdns`: words, arguments, API verb, output, help; those
 * of the frontends are in table_frontend.c, those of ispdns-ha in table_ha.c.
 */
#include "mgmt/cli/table.h"

static const struct param p_zone[] = {ARG("zone", "ZONE", PARAM_TEXT)};

static const struct param p_zone_create[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	OPT("primary_ns", "primary-ns", PARAM_TEXT, "name in the SOA"),
	OPT("contact", "contact", PARAM_TEXT, "mailbox in the SOA"),
	OPT("ns", "ns", PARAM_LIST, "name servers"),
	OPT("ttl", "ttl", PARAM_INT, "seconds"),
};

static const struct param p_zone_import[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	MAY("path", "FILE", PARAM_PATH),
	OPT("path", "file", PARAM_PATH, "zone file; -: standard input"),
};

static const struct param p_zone_check[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	ARG("path", "FILE", PARAM_PATH),
};

static const struct param p_zone_delete[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	OPT("force", "force", PARAM_BOOL, "though it has many records"),
};

static const struct param p_record_list[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	MAY("name", "NAME", PARAM_TEXT),
	MAY("type", "TYPE", PARAM_TEXT),
};

static const struct param p_record_add[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	ARG("name", "NAME", PARAM_TEXT),
	ARG("type", "TYPE", PARAM_TEXT),
	ARG("data", "DATA", PARAM_REST),
	OPT("ttl", "ttl", PARAM_INT, "seconds"),
};

static const struct param p_record_del[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	ARG("name", "NAME", PARAM_TEXT),
	ARG("type", "TYPE", PARAM_TEXT),
	MAY("data", "DATA", PARAM_REST),
};

static const struct param p_resolver[] = {
	OPT("dnssec", "dnssec", PARAM_BOOL, "validate"),
	OPT("qname_minimisation", "qname-minimisation", PARAM_BOOL, NULL),
	OPT("entries", "entries", PARAM_INT, "answers kept per worker"),
	OPT("max_ttl_s", "max-ttl", PARAM_INT, "seconds"),
	OPT("max_negative_ttl_s", "max-negative-ttl", PARAM_INT, "seconds"),
	OPT("failure_ttl_s", "failure-ttl", PARAM_INT, "seconds"),
	OPT("stale_s", "stale", PARAM_INT, "seconds after expiry; 0: never"),
	OPT("library_memory", "library-memory", PARAM_INT, "octets"),
	OPT("inflight", "inflight", PARAM_INT, "queries per worker"),
	OPT("per_client", "per-client", PARAM_INT, "queries"),
	OPT("deadline_ms", "deadline-ms", PARAM_INT, NULL),
	OPT("edns_payload", "edns-payload", PARAM_INT, "octets"),
	OPT("local_zones", "local-zones", PARAM_LIST,
		"names whose built-in zone is off"),
	OPT("root_hints_text", "root-hints", PARAM_FILE, "file"),
	OPT("trust_anchor_text", "trust-anchor", PARAM_FILE, "file"),
};

static const struct param p_node[] = {ARG("node", "NODE", PARAM_TEXT)};

#define NODE_OPTIONS                                                           \
	OPT("workers", "workers", PARAM_INT, "0: one per core"),               \
		OPT("frontend_listen", "frontend-listen", PARAM_LIST, NULL),   \
		OPT("resolver_listen", "resolver-listen", PARAM_LIST, NULL),   \
		OPT("authority_listen", "authority-listen", PARAM_LIST, NULL), \
		OPT("capacity_qps", "capacity-qps", PARAM_INT,                 \
			"what it can serve; 0: not told")

static const struct param p_node_add[] = {
	ARG("node", "NODE", PARAM_TEXT),
	NEED("address", "address", PARAM_TEXT, "its IP address"),
	NEED("roles", "roles", PARAM_LIST, "frontend,resolver,authority,ha"),
	NODE_OPTIONS,
};

static const struct param p_node_set[] = {
	ARG("node", "NODE", PARAM_TEXT),
	OPT("address", "address", PARAM_TEXT, "its IP address"),
	OPT("roles", "roles", PARAM_LIST, "frontend,resolver,authority,ha"),
	NODE_OPTIONS,
};

static const struct param p_node_cmd[] = {
	ARG("node", "NODE", PARAM_TEXT),
	ARG("part", "PART", PARAM_TEXT),
	ARG("verb", "VERB", PARAM_TEXT),
	MAY("words", "WORD", PARAM_REST),
};

static const struct param p_diff[] = {
	OPT("from", "from", PARAM_INT, "generation"),
	OPT("to", "to", PARAM_INT, "generation"),
};

static const struct param p_apply[] = {
	OPT("allow_missing", "allow-missing", PARAM_BOOL,
		"go on without nodes that are away"),
};

static const struct param p_history[] = {
	MAY("generation", "GENERATION", PARAM_INT),
	OPT("limit", "limit", PARAM_INT, NULL),
};

static const struct param p_rollback[] = {
	MAY("generation", "GENERATION", PARAM_INT),
	OPT("allow_missing", "allow-missing", PARAM_BOOL,
		"go on without nodes that are away"),
};

static const struct param p_forward[] = {
	ARG("zone", "ZONE", PARAM_TEXT),
	NEED("to", "to", PARAM_LIST, "addresses of servers"),
};

static const struct param p_limit_rows[] = {
	OPT("limit", "limit", PARAM_INT, "newest rows"),
};

static const struct param p_token_create[] = {
	ARG("name", "NAME", PARAM_TEXT),
	NEED("role", "role", PARAM_TEXT, "viewer, operator, admin ..."),
	OPT("expires_s", "expires", PARAM_INT, "seconds"),
};

static const struct param p_name[] = {ARG("name", "NAME", PARAM_TEXT)};

static const struct param p_import[] = {
	ARG("path", "FILE", PARAM_PATH),
	OPT("node", "node", PARAM_TEXT, "whose file it is (keepalived)"),
	OPT("partial", "partial", PARAM_BOOL,
		"import the rest when some statements cannot be (dnsdist)"),
};

static const struct param p_join[] = {
	MAY("mgmt", "HOST:PORT", PARAM_TEXT),
	OPT("node", "node", PARAM_TEXT, "name of this node"),
	OPT("mgmt", "mgmt", PARAM_TEXT, "operators' port of management"),
	OPT("node_port", "node-port", PARAM_INT, "nodes' port (8443)"),
	OPT("config", "config", PARAM_PATH, "/etc/ispdns/node.yaml"),
	OPT("state", "state", PARAM_PATH, "/var/lib/ispdns"),
	OPT("owner", "owner", PARAM_TEXT, "user of the agent (_ispdns)"),
};

static const struct param p_query[] = {
	ARG("name", "NAME", PARAM_TEXT),
	MAY("type", "TYPE", PARAM_TEXT),
	OPT("at", "at", PARAM_TEXT, "server (127.0.0.1)"),
	OPT("dnssec", "dnssec", PARAM_BOOL, "set DO"),
	OPT("tcp", "tcp", PARAM_BOOL, "over TCP"),
	OPT("class", "class", PARAM_TEXT, "IN or CH"),
};

static const struct param p_drill[] = {MAY("words", "WORD", PARAM_REST)};
static const struct param p_help[] = {MAY("words", "COMMAND", PARAM_REST)};

#define COLUMNS_RECORD "NAME:name TTL:ttl TYPE:type DATA:data"
static const struct command zones[] = {
	{"status", "status", NONE, run_status, NULL, "nodes, VIPs, alarms"},
	{"zone list", "zone.list", NONE, NULL,
		"ZONE:name SERIAL:serial RECORDS:records SERVED:served_serial",
		"all zones"},
	{"zone show", "zone.show", WITH(p_zone), NULL, "=text", "its records"},
	{"zone create", "zone.create", WITH(p_zone_create), NULL, NULL,
		"a new zone with SOA and NS"},
	{"zone import", "zone.import", WITH(p_zone_import), run_zone_import,
		NULL, "read a zone file; replaces the zone's content"},
	{"zone check", NULL, WITH(p_zone_check), run_zone_check, NULL,
		"read and check a zone file, change nothing"},
	{"zone export", "zone.export", WITH(p_zone), NULL, "=text",
		"the zone as zone file"},
	{"zone delete", "zone.delete", WITH(p_zone_delete), NULL, NULL,
		"remove a zone"},
	{"record list", "record.list", WITH(p_record_list), NULL,
		COLUMNS_RECORD, "records of a zone"},
	{"record add", "record.add", WITH(p_record_add), run_record, NULL,
		"add records to an RRset"},
	{"record set", "record.set", WITH(p_record_add), run_record, NULL,
		"replace an RRset"},
	{"record del", "record.del", WITH(p_record_del), run_record, NULL,
		"remove records, or the RRset when no DATA is given"},
};

static const struct command others[] = {
	{"resolver show", "resolver.show", NONE, NULL, NULL,
		"settings of all resolvers"},
	{"resolver set", "resolver.set", WITH(p_resolver), NULL, NULL,
		"change them"},
	{"forward list", "forward.list", NONE, NULL, "ZONE:zone TO:to",
		"zones that resolvers ask others for"},
	{"forward add", "forward.add", WITH(p_forward), NULL, NULL,
		"ask these servers for a zone"},
	{"forward del", "forward.del", WITH(p_zone), NULL, NULL,
		"resolve it as any other"},
	{"node list", "node.list", NONE, NULL,
		"NODE:name ADDRESS:address ROLES:roles STATE:state WANT:want "
		"HAVE:have SEEN:last_seen_s",
		"all nodes"},
	{"node show", "node.show", WITH(p_node), NULL, NULL, "one node"},
	{"node add", "node.add", WITH(p_node_add), NULL, "=join.command",
		"a new node; prints its join command"},
	{"node set", "node.set", WITH(p_node_set), NULL, NULL, "change it"},
	{"node delete", "node.delete", WITH(p_node), NULL, NULL,
		"remove it and its certificate"},
	{"node revoke", "node.revoke", WITH(p_node), NULL, NULL,
		"end its certificate now"},
	{"node token", "node.token", WITH(p_node), NULL, "=command",
		"a new join command"},
	{"node drain", "drain", WITH(p_node), run_node_drain, NULL,
		"take no new queries, give VIPs away"},
	{"node undrain", "undrain", WITH(p_node), run_node_drain, NULL,
		"back to work"},
	{"node cmd", "node.cmd", WITH(p_node_cmd), run_node_cmd, NULL,
		"a verb for a daemon of the node"},
	{"join", NULL, WITH(p_join), run_join, NULL,
		"make this host a node (with --token, --ca-pin)"},
	{"diff", "diff", WITH(p_diff), run_diff, NULL,
		"what differs from the newest generation"},
	{"apply", "apply", WITH(p_apply), run_apply, NULL,
		"bring all changes to all nodes, wait for their proof"},
	{"history", "history", WITH(p_history), run_history, NULL,
		"generations, or one of them"},
	{"rollback", "rollback", WITH(p_rollback), run_rollback, NULL,
		"a new generation with older content"},
	{"backup create", "backup.create", NONE, NULL, NULL,
		"a copy of management's database"},
	{"audit list", "audit.list", WITH(p_limit_rows), NULL,
		"TIME:ts ACTOR:actor VERB:verb OBJECT:object", "who did what"},
	{"audit verify", "audit.verify", NONE, NULL, NULL,
		"check the chain of the audit"},
	{"token create", "token.create", WITH(p_token_create), NULL, "=token",
		"a token for the API"},
	{"token list", "token.list", NONE, NULL,
		"NAME:name ROLE:role EXPIRES:expires", "tokens"},
	{"token revoke", "token.revoke", WITH(p_name), NULL, NULL,
		"end a token"},
	{"import dnsdist", "dnsdist", WITH(p_import), run_import, NULL,
		"pools, routes, rules, limits, cache from dnsdist.conf"},
	{"import bind", "bind", WITH(p_import), run_import, NULL,
		"zones from named.conf"},
	{"import keepalived", "keepalived", WITH(p_import), run_import, NULL,
		"virtual addresses from keepalived.conf"},
	{"query", NULL, WITH(p_query), run_query, NULL, "ask a DNS server"},
	{"drill", NULL, WITH(p_drill), run_drill, NULL,
		"list | run NAME | run all | report"},
	{"completion bash", NULL, NONE, run_completion, NULL,
		"shell lines for completion: . <(ispdns completion bash)"},
	{"version", NULL, NONE, run_version, NULL, "of this program"},
	{"help", NULL, WITH(p_help), NULL, NULL, "this text"},
	{"__complete", NULL, WITH(p_help), run_complete, NULL,
		"what may stand in place of the last word"},
};

const struct command *command_at(size_t i)
{
	size_t count, ha_count;
	const struct command *frontend = table_frontend(&count);
	const struct command *ha = table_ha(&ha_count);
	const struct {
		const struct command *at;
		size_t count;
	} parts[] = {{zones, countof(zones)}, {frontend, count}, {ha, ha_count},
		{others, countof(others)}};

	for (size_t p = 0; p < countof(parts); p++) {
		if (i < parts[p].count)
			return &parts[p].at[i];
		i -= parts[p].count;
	}
	return NULL;
}
