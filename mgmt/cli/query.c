/* SPDX-License-Identifier: ISC */
/* ispdns query: one question to one server, the answer in words. */
#include "mgmt/cli/cli.h"

#include "common/dns/code.h"
#include "common/net/resolve.h"
#include "common/serve/ask.h"

#include <arpa/inet.h>

static void print_flags(uint16_t flags, struct text *out)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{MSG_QR, "qr"}, {MSG_AA, "aa"}, {MSG_TC, "tc"},
		{MSG_RD, "rd"}, {MSG_RA, "ra"}, {MSG_AD, "ad"}, {MSG_CD, "cd"}};

	for (size_t i = 0; i < countof(names); i++)
		if (flags & names[i].bit)
			text_add(out, "%s%s", out->len ? " " : "",
				names[i].name);
}

static void rdata_name(
	const struct ask_reply *r, size_t offset, struct text *out)
{
	char text[NAME_MAX_TEXT];
	struct name name;

	if (name_read(r->msg, r->len, offset, &name) > 0)
		text_add(out, "%s", name_print(&name, text));
}

static void rdata_txt(const uint8_t *data, size_t len, struct text *out)
{
	size_t i = 0, n;

	while (i < len) {
		n = data[i++];
		text_add(out, out->len ? " \"" : "\"");
		for (; n > 0 && i < len; n--, i++)
			if (data[i] < 32 || data[i] > 126)
				text_add(out, "\\%03u", data[i]);
			else
				text_add(out, "%s%c",
					data[i] == '"' || data[i] == '\\' ? "\\"
									  : "",
					data[i]);
		text_add(out, "\"");
	}
}

static void rdata_soa(
	const struct ask_reply *r, const struct record *rec, struct text *out)
{
	int first = name_read(r->msg, r->len, rec->rdata_offset, NULL);
	const uint8_t *tail = r->msg + rec->rdata_offset + rec->rdlen - 20;

	if (first < 0 || rec->rdlen < 20)
		return;
	rdata_name(r, rec->rdata_offset, out);
	text_add(out, " ");
	rdata_name(r, (size_t)rec->rdata_offset + (size_t)first, out);
	for (int i = 0; i < 5; i++)
		text_add(out, " %u", get32(tail + 4 * i));
}

/* As in a zone file; types not known here as RFC 3597 says. */
static void rdata(
	const struct ask_reply *r, const struct record *rec, struct text *out)
{
	const uint8_t *data = r->msg + rec->rdata_offset;
	char ip[INET6_ADDRSTRLEN];

	switch (rec->type) {
	case DNS_TYPE_A:
		text_add(out, "%s", inet_ntop(AF_INET, data, ip, sizeof(ip)));
		return;
	case DNS_TYPE_AAAA:
		text_add(out, "%s", inet_ntop(AF_INET6, data, ip, sizeof(ip)));
		return;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		rdata_name(r, rec->rdata_offset, out);
		return;
	case DNS_TYPE_MX:
		text_add(out, "%u ", get16(data));
		rdata_name(r, rec->rdata_offset + 2U, out);
		return;
	case DNS_TYPE_TXT:
		rdata_txt(data, rec->rdlen, out);
		return;
	case DNS_TYPE_SOA:
		rdata_soa(r, rec, out);
		return;
	default:
		text_add(out, "\\# %u", rec->rdlen);
		for (unsigned i = 0; i < rec->rdlen; i++)
			text_add(out, i ? "%02x" : " %02x", data[i]);
	}
}

static json_t *record_json(const struct ask_reply *r, const struct record *rec)
{
	static const char *const sections[] = {
		"question", "answer", "authority", "additional"};
	char owner[NAME_MAX_TEXT], type[DNS_CODE_TEXT];
	struct name name;
	struct text text;
	json_t *json;

	if (name_read(r->msg, r->len, rec->offset, &name) < 0)
		return NULL;
	text_init(&text);
	rdata(r, rec, &text);
	json = json_pack("{s:s,s:s,s:I,s:s,s:s}", "section",
		sections[rec->section], "name", name_print(&name, owner), "ttl",
		(json_int_t)rec->ttl, "type", dns_type_print(rec->type, type),
		"data", text.data);
	text_fini(&text);
	return json;
}

static json_t *reply_json(const struct ask *a, const struct ask_reply *r)
{
	char rcode[DNS_CODE_TEXT], server[ADDR_TEXT];
	json_t *records = json_array();
	struct record_iter it;
	struct record rec;
	struct text flags;
	json_t *json;

	text_init(&flags);
	print_flags(msg_flags(r->msg), &flags);
	if (r->q.name) {
		record_iter_init(&it, r->msg, r->len, r->q.end);
		while (record_iter_next(&it, &rec))
			if (rec.type != DNS_TYPE_OPT)
				json_array_append_new(
					records, record_json(r, &rec));
	}
	json = json_pack("{s:s,s:s,s:s,s:b,s:f,s:i,s:o}", "server",
		addr_print(&a->server, server), "rcode",
		dns_rcode_print((uint16_t)msg_rcode(r->msg), rcode), "flags",
		flags.data, "tcp", r->tcp, "took_ms",
		(double)r->took_us / 1000.0, "size", (int)r->len, "records",
		records);
	text_fini(&flags);
	return json;
}

static void print_reply(const json_t *json)
{
	const char *server, *rcode, *flags, *name, *type, *data, *section;
	json_t *records, *record;
	double took;
	json_int_t ttl;
	size_t i;

	if (json_unpack((json_t *)(uintptr_t)json, "{s:s,s:s,s:s,s:f,s:o}",
		    "server", &server, "rcode", &rcode, "flags", &flags,
		    "took_ms", &took, "records", &records) < 0)
		return;
	printf("%s, flags %s, from %s in %.1f ms\n", rcode, flags, server,
		took);
	json_array_foreach(records, i, record)
		if (json_unpack(record, "{s:s,s:s,s:I,s:s,s:s}", "section",
			    &section, "name", &name, "ttl", &ttl, "type", &type,
			    "data", &data) == 0)
			printf("%-10s %s %lld %s %s\n", section, name,
				(long long)ttl, type, data);
}

static int parse_ask(
	struct cli *cli, json_t *args, struct ask *a, struct err *err)
{
	const char *name = "", *type = "A", *class = "IN", *at = "127.0.0.1";
	int dnssec = 0, tcp = 0;

	(void)json_unpack(args, "{s:s,s?s,s?s,s?s,s?b,s?b}", "name", &name,
		"type", &type, "class", &class, "at", &at, "dnssec", &dnssec,
		"tcp", &tcp);
	a->timeout_ms = cli->timeout_ms < 5000 ? cli->timeout_ms : 5000;
	a->dnssec = dnssec != 0;
	a->tcp = tcp != 0;
	if (name_parse(name, &a->name) < 0)
		err_set(err, "'%s' is no domain name", name);
	else if (!dns_type_parse(type, &a->type))
		err_set(err, "'%s' is no type", type);
	else if (!dns_class_parse(class, &a->class))
		err_set(err, "'%s' is no class", class);
	else if (resolve_host(at, 53, &a->server, err) == 0)
		return CLI_OK;
	return CLI_USAGE;
}

int run_query(struct cli *cli, json_t *args)
{
	struct ask_reply *reply = malloc(sizeof(*reply));
	struct err err = {""};
	struct ask a = {0};
	json_t *json;
	int rc = reply ? parse_ask(cli, args, &a, &err) : CLI_FAIL;

	if (rc == CLI_OK && ask(&a, reply, &err) < 0)
		rc = CLI_UNREACHABLE;
	if (rc != CLI_OK) {
		free(reply);
		return cli_fail(cli, rc, "%s", err.text);
	}
	json = reply_json(&a, reply);
	if (cli->json)
		show_json(json);
	else
		print_reply(json);
	json_decref(json);
	rc = msg_rcode(reply->msg) == DNS_RCODE_NOERROR ? CLI_OK : CLI_FAIL;
	free(reply);
	return rc;
}
