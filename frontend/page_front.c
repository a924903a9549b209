/* SPDX-License-Identifier: ISC */
/*
 * The addresses that are listened on, under dnsdist's names. Its label
 * "thread" is that of one bind; ours are summed over the workers.
 */

#include "frontend/page.h"

#define DD "dnsdist_frontend_"

struct front_metric {
	const char *name, *type, *help;
	enum front_cell cell;
	enum front_cell of; /* FRONT_CELLS, or: `cell` divided by this one */
};

/* Of UDP; the cell behind it is TCP's. */
static const struct front_metric both[] = {
	{DD "queries", "untyped", "Queries received.", FRONT_QUERIES, 0},
	{DD "responses", "untyped", "Answers sent.", FRONT_RESPONSES, 0},
	{DD "noncompliantqueries", "untyped",
		"Queries dropped as non-compliant.", FRONT_NONCOMPLIANT, 0},
};

static const struct front_metric tcp_only[] = {
	{DD "tcpdiedreadingquery", "untyped",
		"Connections reset while nothing was due.",
		FRONT_TCP_DIED_READING, FRONT_CELLS},
	{DD "tcpdiedsendingresponse", "untyped",
		"Connections that ended while answers were due.",
		FRONT_TCP_DIED_SENDING, FRONT_CELLS},
	{DD "tcpclienttimeouts", "untyped",
		"Connections closed as idle or for a slow message.",
		FRONT_TCP_TIMEOUTS, FRONT_CELLS},
	{DD "tcpdownstreamtimeouts", "untyped",
		"Queries over TCP that no backend answered in time.",
		FRONT_TCP_BACKEND_TIMEOUTS, FRONT_CELLS},
	{DD "tcpcurrentconnections", "gauge", "Connections now open.",
		FRONT_TCP_OPEN, FRONT_CELLS},
	{DD "tcpmaxconcurrentconnections", "gauge",
		"Most of them at one time (sum of the workers' own).",
		FRONT_TCP_MOST, FRONT_CELLS},
	{DD "tcpavgqueriesperconnection", "gauge",
		"Queries of one connection, on average.", FRONT_TCP_QUERIES,
		FRONT_TCP_ACCEPTED},
	{DD "tcpavgconnectionduration", "gauge",
		"Life of a connection, on average, milliseconds.",
		FRONT_TCP_LIFE_MS, FRONT_TCP_ENDED},
	{DD "tcpavgreadios", "gauge", "Reads of one query, on average.",
		FRONT_TCP_READS, FRONT_TCP_ENDED_QUERIES},
	{DD "tcpgaveup", "untyped", "None: tries are not counted.", FRONT_CELLS,
		FRONT_CELLS},
};

static uint64_t sum(
	const struct frontend *fe, size_t listener, enum front_cell cell)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < fe->worker_count; i++)
		total += front_read(&fe->workers[i]->fronts, listener, cell);
	return total;
}

static double value_of(
	const struct frontend *fe, size_t i, const struct front_metric *m)
{
	double value = m->cell == FRONT_CELLS ? 0 : (double)sum(fe, i, m->cell);
	double of = m->of == FRONT_CELLS ? 1 : (double)sum(fe, i, m->of);

	return of > 0 ? value / of : 0;
}

static void print_row(struct text *out, const char *name,
	const union addr *addr, const char *proto, double value)
{
	char text[ADDR_TEXT];

	text_add(out, "%s{frontend=\"%s\",proto=\"%s\",thread=\"0\"} %.15g\n",
		name, addr_print(addr, text), proto, value);
}

void page_fronts(const struct frontend *fe, struct text *out)
{
	union addr addrs[CONFIG_LISTEN_MAX];
	struct serve_config serve;

	config_serve(daemon_conf(fe->daemon), addrs, &serve);
	for (size_t n = 0; n < countof(both); n++) {
		const struct front_metric *m = &both[n];

		metrics_family(out, m->name, m->type, m->help);
		for (size_t i = 0; i < serve.addr_count; i++) {
			print_row(out, m->name, &addrs[i], "UDP",
				(double)sum(fe, i, m->cell));
			print_row(out, m->name, &addrs[i], "TCP",
				(double)sum(
					fe, i, (enum front_cell)(m->cell + 1)));
		}
	}
	for (size_t n = 0; n < countof(tcp_only); n++) {
		const struct front_metric *m = &tcp_only[n];

		metrics_family(out, m->name, m->type, m->help);
		for (size_t i = 0; i < serve.addr_count; i++)
			print_row(out, m->name, &addrs[i], "TCP",
				value_of(fe, i, m));
	}
}
