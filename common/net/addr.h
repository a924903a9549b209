/* SPDX-License-Identifier: ISC */
#ifndef COMMON_NET_ADDR_H
#define COMMON_NET_ADDR_H

/* An IPv4 or IPv6 socket address, and nothing else. */

#include "common/base/hash.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

#define ADDR_TEXT 64 /* "[...%ifname]:65535" and NUL */

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". Without a
 * port `default_port` is taken. -EINVAL. No names are looked up. */
int addr_parse(
	const char *text, uint16_t default_port, union addr *out) MUST_CHECK;
/* With port: "192.0.2.1:53", "[2001:db8::1]:53". Returns `out`. */
char *addr_print(const union addr *a, char out[ADDR_TEXT]);
/* Without port. */
char *addr_print_ip(const union addr *a, char out[ADDR_TEXT]);
socklen_t addr_len(const union addr *a);
uint16_t addr_port(const union addr *a);
void addr_set_port(union addr *a, uint16_t port);
bool addr_equal(const union addr *a, const union addr *b); /* with port */
bool addr_equal_ip(const union addr *a, const union addr *b);
bool addr_is_any(const union addr *a); /* 0.0.0.0 or :: */
/* Address octets: 4 or 16 at *octets. */
size_t addr_octets(const union addr *a, const uint8_t **octets);
uint64_t addr_hash_ip(const struct hash_key *key, const union addr *a);
/* ::ffff:a.b.c.d to plain IPv4, in place. */
void addr_unmap(union addr *a);

#endif
