/* SPDX-License-Identifier: ISC */
/*
 * What operators and nodes send to ispdns-mgmt: the first octet says which
 * (a call of the API, an ack, a status, a result), the rest is its body. Each
 * call is answered once, a refusal in one line. Calls are dry runs, so that
 * an input means the same whatever came before it.
 */

#include "tests/fuzz/fuzz.h"

#include "mgmt/command.h"

static struct mgmt m;
static unsigned answers;

static void on_done(struct call *call, const char *code, const json_t *result,
	const char *error)
{
	(void)call;
	(void)result;
	answers++;
	fuzz_check(!code || (error && *error && !strchr(error, '\n')));
}

static void call_api(const uint8_t *data, size_t size)
{
	struct call *call = calloc(1, sizeof(*call));

	fuzz_check(call != NULL);
	call->m = &m;
	call->done = on_done;
	call->dry_run = true;
	call->rights = RIGHT_LOCAL & ~RIGHT_ADMIN; /* no files, no keys */
	snprintf(call->actor, sizeof(call->actor), "fuzz");
	snprintf(call->src, sizeof(call->src), "fuzz");
	answers = 0;
	command_run(call, (const char *)data, size);
	fuzz_check(answers == 1);
}

static void node_says(char what, const uint8_t *data, size_t size)
{
	struct fleet *fleet = push_fleet(m.push);
	struct err err = {""};
	json_t *body = json_loadb(
		(const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	int rc = 0;

	if (json_is_object(body)) {
		if (what == 'a')
			rc = fleet_ack(fleet, "n1", body, &err);
		else if (what == 's')
			rc = fleet_status(fleet, "n1", body, &err);
		else
			rc = fleet_result(fleet, "n1", body, &err);
		fuzz_check(rc == 0 || *err.text);
		json_decref(push_nodes(m.push));
		json_decref(push_alarms(m.push));
	}
	json_decref(body);
}

/* One node, so that there is something to render and to hear of. */
static void set_up(void)
{
	static const char node[] = "{\"node\":\"n1\",\"address\":\"10.0.0.1\","
				   "\"roles\":[\"resolver\"]}";
	json_t *args = json_loads(node, 0, NULL), *row = NULL;
	const struct model_table *table = model_table("node");
	struct err err = {""};

	m.loop = loop_new();
	m.store = store_open(":memory:", &err);
	fuzz_check(m.loop && m.store);
	fuzz_check(!store_begin(m.store, &err) &&
		   !model_row_new(table, args, &row, &err) &&
		   !store_insert(m.store, table, row, &err) &&
		   !store_commit(m.store, &err));
	m.push = push_new(m.loop, m.store, &err);
	fuzz_check(m.push != NULL);
	json_decref(row);
	json_decref(args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 65536)
		return 0;
	if (!m.push)
		set_up();
	if (data[0] == 'c')
		call_api(data + 1, size - 1);
	else
		node_says((char)data[0], data + 1, size - 1);
	return 0;
}
