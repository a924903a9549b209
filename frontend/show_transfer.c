/* SPDX-License-Identifier: ISC */
/* Transfers, NOTIFY and UPDATE: how many there are, were, and how they ended
 * (sums of all workers). What was refused is in `show rules`. */

#include "frontend/frontend.h"

static json_t *read_stat(const struct frontend *fe, enum stat_id id)
{
	return json_integer((json_int_t)metrics_read(&fe->metrics, id));
}

static void put_ends(const struct frontend *fe, json_t *out)
{
	json_t *rows = json_array();

	for (unsigned id = STAT_XFR_DONE; id <= STAT_XFR_CLIENT; id++) {
		char reason[32];

		stats_reason(id, reason, sizeof(reason));
		json_array_append_new(
			rows, json_pack("{s:s, s:o}", "ended", reason, "times",
				      read_stat(fe, id)));
	}
	json_object_set_new(out, "ends", rows);
}

json_t *show_transfers(const struct frontend *fe)
{
	const struct policy_transfers *limits = &fe->policy->transfers;
	static const struct {
		const char *key;
		enum stat_id id;
	} cells[] = {
		{"open", STAT_TRANSFERS},
		{"axfr", STAT_XFR_AXFR},
		{"ixfr", STAT_XFR_IXFR},
		{"ixfr_udp", STAT_RELAY_IXFR},
		{"notify", STAT_RELAY_NOTIFY},
		{"update", STAT_RELAY_UPDATE},
		{"messages", STAT_XFR_MESSAGES},
		{"octets", STAT_XFR_OCTETS},
	};
	json_t *out = json_pack("{s:b, s:i, s:i}", "allowed",
		fe->policy->permits != NULL, "max_per_worker", (int)limits->max,
		"max_per_client", (int)limits->per_client);

	for (size_t i = 0; i < countof(cells); i++)
		json_object_set_new(
			out, cells[i].key, read_stat(fe, cells[i].id));
	put_ends(fe, out);
	return out;
}
