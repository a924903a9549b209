/* SPDX-License-Identifier: ISC */
/* The blueprint's site as rows: two frontends with a VIP, an authority, two
 * resolvers of which one is a node of ours. */

#include "tests/mgmt/site.h"

#include "common/base/base.h"

static const struct {
	const char *table, *json;
} rows[] = {
	{"acl", "{\"list\":\"clients\",\"action\":\"refuse\"}"},
	{"acl_entry", "{\"list\":\"clients\",\"prefix\":\"10.10.2.0/24\"}"},
	{"acl_entry", "{\"list\":\"clients\",\"prefix\":\"10.10.2.66/32\","
		      "\"action\":\"deny\"}"},
	{"limits", "{\"qps\":200,\"burst\":200}"},
	{"limit_override", "{\"prefix\":\"10.10.2.128/25\",\"qps\":2000,"
			   "\"burst\":2000,\"action\":\"cache-only\","
			   "\"miss_qps\":900}"},
	{"limit_exempt", "{\"prefix\":\"10.10.2.166\"}"},
	{"limit_exempt", "{\"prefix\":\"2001:db8::/48\"}"},
	{"limit_misses", "{\"client_qps\":100,\"client_burst\":500,"
			 "\"suffix_qps\":500,\"labels\":3,"
			 "\"registries\":[\"co.uk\",\"com.au\"],"
			 "\"action\":\"refuse\"}"},
	{"block_policy", "{\"qps\":2000,\"nxdomain_percent\":90,"
			 "\"window_ms\":2500,\"action\":\"log\","
			 "\"exempt\":\"10.10.2.128/25\"}"},
	{"policy", "{\"any\":\"drop\",\"chaos\":\"drop\","
		   "\"empty\":\"notimp\"}"},
	{"cache", "{\"max_ttl_s\":300,\"truncated_ttl_s\":5,"
		  "\"prefetch\":false,\"cap_served_ttl\":true,"
		  "\"keep\":true}"},
	{"frontend", "{\"udp_size\":1400,\"cookie_secret\":1,"
		     "\"metrics_listen\":\"0.0.0.0\"}"},
	{"frontend_transfers", "{\"max\":32,\"idle_ms\":1500}"},
	{"frontend_retry", "{\"timeout_ms\":300,\"hedge\":false}"},
	{"frontend_tcp", "{\"per_client\":50,\"idle_ms\":1500,"
			 "\"reads\":0,\"ban_s\":60}"},
	{"resolver", "{\"root_hints_text\":\". 1 IN NS a.\\n\"}"},
	{"forward", "{\"zone\":\"corp.example\",\"to\":[\"192.0.2.1\"]}"},
	{"pool", "{\"pool\":\"auth\",\"cache\":false}"},
	{"pool", "{\"pool\":\"rec\",\"policy\":\"firstAvailable\","
		 "\"kind\":\"rec\",\"tiers\":true,\"no_server\":\"drop\","
		 "\"ecs\":\"add\"}"},
	{"backend", "{\"pool\":\"auth\",\"name\":\"auth1\","
		    "\"address\":\"10.10.2.163\"}"},
	{"backend", "{\"pool\":\"rec\",\"name\":\"rec1\",\"address\":"
		    "\"10.10.2.164\",\"check_name\":\"google.com\","
		    "\"check_type\":\"A\",\"qps\":5000,\"order\":2,"
		    "\"check_random_label\":true,"
		    "\"check_rcode\":\"NXDOMAIN\"}"},
	{"backend", "{\"pool\":\"rec\",\"name\":\"rec2\",\"address\":"
		    "\"10.10.2.165\",\"check_name\":\"google.com\","
		    "\"check_type\":\"SOA\",\"check_timeout_ms\":500,"
		    "\"check_min_serial\":4294967295,"
		    "\"check_rcode\":\"ANY\",\"check_lazy\":true,"
		    "\"check_enabled\":false}"},
	{"route", "{\"suffix\":\".\",\"pool\":\"rec\"}"},
	{"route", "{\"suffix\":\"zaibdns.lab\",\"pool\":\"auth\","
		  "\"allow_transfer\":[\"10.10.2.170\",\"2001:db8::/32\"],"
		  "\"allow_notify\":[\"10.10.2.167\"],"
		  "\"allow_update\":[\"10.10.2.167\"]}"},
	{"rule",
		"{\"name\":\"monitoring\",\"position\":10,\"action\":\"allow\","
		"\"source\":[\"10.10.2.166\",\"2001:db8::/48\"]}"},
	{"rule", "{\"name\":\"https\",\"action\":\"tag\",\"tag\":\"svcb\","
		 "\"qtype\":[\"HTTPS\",\"TYPE65280\"]}"},
	{"rule", "{\"name\":\"intern\",\"position\":20,\"action\":\"pool\","
		 "\"pool\":\"auth\",\"suffix\":[\"in.zaibdns.lab\"],"
		 "\"source\":\"10.10.2.0/24\"}"},
	{"rule", "{\"name\":\"portal\",\"position\":30,\"action\":\"spoof\","
		 "\"exact\":[\"router.lan\",\"portal.lan\"],"
		 "\"addresses\":[\"10.10.2.1\",\"2001:db8::1\"],\"ttl_s\":0}"},
	{"rule", "{\"name\":\"texts\",\"position\":30,\"action\":"
		 "\"rate-limit\",\"qtype\":\"TXT\",\"transport\":\"udp\","
		 "\"qps\":20,\"burst\":40,\"per\":\"rule\",\"over\":\"tc\"}"},
	{"rule", "{\"name\":\"all\",\"position\":2000,\"action\":"
		 "\"rate-limit\",\"qps\":1000}"},
	{"rule", "{\"name\":\"updates\",\"position\":0,\"action\":\"drop\","
		 "\"opcode\":\"UPDATE\"}"},
	{"rule", "{\"name\":\"lookat\",\"position\":15,\"action\":"
		 "\"set-pool\",\"pool\":\"auth\",\"suffix\":\"on.lab\"}"},
	{"rule", "{\"name\":\"apart\",\"position\":15,\"action\":"
		 "\"no-recurse\",\"source\":\"10.10.3.0/24\"}"},
	{"rule", "{\"name\":\"chaos\",\"action\":\"refuse\","
		 "\"qclass\":\"CH\"}"},
	{"rule", "{\"name\":\"walled\",\"action\":\"nxdomain\","
		 "\"suffix\":\"malware.example\"}"},
	{"rule", "{\"name\":\"norec\",\"action\":\"servfail\","
		 "\"suffix\":\"norec.example\",\"rd\":\"clear\","
		 "\"dnssec\":\"set\"}"},
	{"rule", "{\"name\":\"tcp-only\",\"action\":\"truncate\","
		 "\"suffix\":\"big.example\"}"},
	{"node", "{\"node\":\"auth1\",\"address\":\"10.10.2.163\","
		 "\"roles\":[\"authority\"]}"},
	{"node", "{\"node\":\"dd1\",\"address\":\"10.10.2.161\","
		 "\"roles\":[\"frontend\",\"ha\"],\"workers\":2}"},
	{"node", "{\"node\":\"dd2\",\"address\":\"10.10.2.162\","
		 "\"roles\":[\"frontend\",\"ha\"]}"},
	{"node", "{\"node\":\"rec1\",\"address\":\"10.10.2.164\","
		 "\"roles\":[\"resolver\"]}"},
	{"vip", "{\"vip\":\"VI_DNS\",\"vrid\":51,\"version\":2,"
		"\"interval_ms\":1000,\"auth\":\"pass\",\"password\":"
		"\"lab\\\"123\",\"addresses\":[\"10.10.2.160/24\"],"
		"\"sync_group\":\"dns\"}"},
	{"vip", "{\"vip\":\"VI_DNS6\",\"vrid\":51,\"addresses\":["
		"\"fe80::160/64\",\"2001:db8::160/64\"],\"preempt\":false,"
		"\"preempt_delay_ms\":1500,\"startup_delay_ms\":5000,"
		"\"rescue\":false,"
		"\"sync_group\":\"dns\",\"hmac\":\"permissive\","
		"\"hmac_key\":2,\"hmac_also\":1,\"advertise\":\"all\"}"},
	{"vip_node", "{\"vip\":\"VI_DNS\",\"node\":\"dd1\",\"priority\":150,"
		     "\"interface\":\"ens160\"}"},
	{"vip_node", "{\"vip\":\"VI_DNS\",\"node\":\"dd2\",\"priority\":100,"
		     "\"interface\":\"ens160\"}"},
	{"vip_node", "{\"vip\":\"VI_DNS6\",\"node\":\"dd1\",\"priority\":254,"
		     "\"interface\":\"ens160\"}"},
	{"vip_node", "{\"vip\":\"VI_DNS6\",\"node\":\"dd2\",\"priority\":253,"
		     "\"interface\":\"ens160\"}"},
	{"ha", "{\"linger_ms\":3000,\"probe_port\":5353,\"probe_fall\":3,"
	       "\"handover_port\":7113,\"fencing\":["
	       "\"/usr/local/sbin/fence\",\"-v\",\"-v\"]}"},
	{"anycast", "{\"anycast\":\"any4\",\"addresses\":[\"198.51.100.53\","
		    "\"198.51.100.54\"],\"last_man\":true}"},
	{"anycast", "{\"anycast\":\"by-vip\",\"vip\":\"VI_DNS6\","
		    "\"metric\":50,\"engine_socket\":\"/run/b.ctl\"}"},
	{"anycast_node", "{\"anycast\":\"any4\",\"node\":\"dd1\"}"},
	{"anycast_node", "{\"anycast\":\"any4\",\"node\":\"dd2\","
			 "\"metric\":200,\"engine\":\"frr\"}"},
	{"anycast_node", "{\"anycast\":\"by-vip\",\"node\":\"dd1\"}"},
	{"anycast_node", "{\"anycast\":\"by-vip\",\"node\":\"dd2\","
			 "\"engine\":\"frr\"}"},
};

bool site_add(json_t *doc, const char *table, const char *json)
{
	json_t *args = json_loads(json, 0, NULL), *row = NULL;
	bool added = args &&
		     !model_row_new(model_table(table), args, &row, NULL) &&
		     !json_array_append_new(json_object_get(doc, table), row);

	json_decref(args);
	return added;
}

json_t *site_row(json_t *doc, const char *table, const char *key)
{
	const char *column = model_table(table)->columns[0].name;
	size_t i;
	json_t *row;

	if (model_table(table)->flags & MODEL_SINGLE)
		return json_array_get(json_object_get(doc, table), 0);
	json_array_foreach(json_object_get(doc, table), i, row)
		if (!strcmp(row_str(row, column), key))
			return row;
	return NULL;
}

json_t *site_doc(void)
{
	size_t count;
	const struct model_table *t = model_tables(&count);
	json_t *doc = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(doc, t[i].name, json_array());
	for (size_t i = 0; i < countof(rows); i++)
		if (!site_add(doc, rows[i].table, rows[i].json))
			abort();
	json_object_set_new(doc, "secret", json_string("0123456789abcdef"));
	json_object_set_new(doc, "zones",
		json_pack("[{s:s,s:i,s:s,s:i},{s:s,s:i,s:s,s:i}]", "zone",
			"other.test.", "serial", 7, "sha256",
			"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
			"b"
			"bbbbbbbbb",
			"size", 10, "zone", "zaibdns.lab.", "serial",
			2026021401, "sha256",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"a"
			"aaaaaaaaa",
			"size", 20));
	return doc;
}
