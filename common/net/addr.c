/* SPDX-License-Identifier: ISC */
/*
 * Addresses are parsed by inet_pton after our own split into host, scope and
 * port: getaddrinfo would look names up, and accepts forms such as "1" that
 * an operator never means.
 */

#include "common/net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>

static int parse_port(const char *text, uint16_t *port)
{
	unsigned value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 5)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	if (value > 65535)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

static int parse_v4(const char *host, uint16_t port, union addr *out)
{
	memset(out, 0, sizeof(*out));
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = htons(port);
	return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

static int parse_v6(char *host, uint16_t port, union addr *out)
{
	char *scope = strchr(host, '%');

	memset(out, 0, sizeof(*out));
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(port);
	if (scope) {
		*scope++ = '\0';
		out->v6.sin6_scope_id = if_nametoindex(scope);
		if (out->v6.sin6_scope_id == 0)
			return -EINVAL;
	}
	return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1 ? 0 : -EINVAL;
}

/* "[host]" or "[host]:port"; `text` may be written to. */
static int parse_bracketed(char *text, uint16_t port, union addr *out)
{
	char *end = strchr(text, ']');

	if (!end)
		return -EINVAL;
	*end++ = '\0';
	if (*end == ':') {
		if (parse_port(end + 1, &port) < 0)
			return -EINVAL;
	} else if (*end != '\0') {
		return -EINVAL;
	}
	return parse_v6(text + 1, port, out);
}

int addr_parse(const char *text, uint16_t default_port, union addr *out)
{
	char copy[ADDR_TEXT + IF_NAMESIZE];
	size_t n = strlen(text);
	uint16_t port = default_port;
	char *colon;

	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, n + 1);
	if (copy[0] == '[')
		return parse_bracketed(copy, port, out);
	colon = strchr(copy, ':');
	if (colon && strchr(colon + 1, ':'))
		return parse_v6(copy, port, out);
	if (colon) {
		*colon = '\0';
		if (parse_port(colon + 1, &port) < 0)
			return -EINVAL;
	}
	return parse_v4(copy, port, out);
}

static void print_v6(const union addr *a, char *out, size_t size)
{
	char name[IF_NAMESIZE];
	size_t n;

	if (!inet_ntop(AF_INET6, &a->v6.sin6_addr, out, (socklen_t)size))
		out[0] = '\0';
	if (a->v6.sin6_scope_id == 0 ||
		!if_indextoname(a->v6.sin6_scope_id, name))
		return;
	n = strlen(out);
	snprintf(out + n, size - n, "%%%s", name);
}

char *addr_print_ip(const union addr *a, char out[ADDR_TEXT])
{
	if (a->sa.sa_family == AF_INET6)
		print_v6(a, out, ADDR_TEXT);
	else if (a->sa.sa_family != AF_INET ||
		 !inet_ntop(AF_INET, &a->v4.sin_addr, out, ADDR_TEXT))
		snprintf(out, ADDR_TEXT, "-");
	return out;
}

char *addr_print(const union addr *a, char out[ADDR_TEXT])
{
	char ip[ADDR_TEXT];
	unsigned port = addr_port(a);

	addr_print_ip(a, ip);
	if (a->sa.sa_family == AF_INET6)
		snprintf(out, ADDR_TEXT, "[%.*s]:%u", ADDR_TEXT - 9, ip, port);
	else
		snprintf(out, ADDR_TEXT, "%.*s:%u", ADDR_TEXT - 9, ip, port);
	return out;
}

socklen_t addr_len(const union addr *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

uint16_t addr_port(const union addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return ntohs(a->v6.sin6_port);
	return a->sa.sa_family == AF_INET ? ntohs(a->v4.sin_port) : 0;
}

void addr_set_port(union addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

bool addr_equal_ip(const union addr *a, const union addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6)
		return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) == 0 &&
		       a->v6.sin6_scope_id == b->v6.sin6_scope_id;
	return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

bool addr_equal(const union addr *a, const union addr *b)
{
	return addr_equal_ip(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_any(const union addr *a)
{
	if (a->sa.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
	return a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

size_t addr_octets(const union addr *a, const uint8_t **octets)
{
	if (a->sa.sa_family == AF_INET6) {
		*octets = a->v6.sin6_addr.s6_addr;
		return 16;
	}
	*octets = (const uint8_t *)&a->v4.sin_addr.s_addr;
	return 4;
}

uint64_t addr_hash_ip(const struct hash_key *key, const union addr *a)
{
	const uint8_t *octets;
	size_t n = addr_octets(a, &octets);

	return hash_bytes(key, octets, n);
}

void addr_unmap(union addr *a)
{
	uint16_t port;
	uint32_t ip;

	if (a->sa.sa_family != AF_INET6 ||
		!IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return;
	port = a->v6.sin6_port;
	memcpy(&ip, a->v6.sin6_addr.s6_addr + 12, sizeof(ip));
	memset(a, 0, sizeof(*a));
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = port;
	a->v4.sin_addr.s_addr = ip;
}
