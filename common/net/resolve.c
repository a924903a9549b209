/* SPDX-License-Identifier: ISC */
/* getaddrinfo(3) for the few places that take a host's name. */
#include "common/net/resolve.h"

#include <errno.h>
#include <netdb.h>

/* Split "host:port"; false when it cannot be one. */
static bool split(
	const char *text, uint16_t default_port, char host[256], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	char *end;
	long n;

	if (len == 0 || len >= 256)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*port = default_port;
	if (!colon)
		return true;
	n = strtol(colon + 1, &end, 10);
	if (!colon[1] || *end || n < 1 || n > 65535)
		return false;
	*port = (uint16_t)n;
	return true;
}

int resolve_host(const char *text, uint16_t default_port, union addr *out,
	struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	char host[256];
	uint16_t port;
	int rc;

	if (addr_parse(text, default_port, out) == 0)
		return 0;
	if (!split(text, default_port, host, &port))
		return err_fail(
			err, -EINVAL, "'%s': HOST or HOST:PORT expected", text);
	rc = getaddrinfo(host, NULL, &hints, &list);
	if (rc != 0 || !list)
		return err_fail(
			err, -EHOSTUNREACH, "%s: %s", host, gai_strerror(rc));
	memset(out, 0, sizeof(*out));
	memcpy(out, list->ai_addr,
		list->ai_addrlen < sizeof(*out) ? list->ai_addrlen
						: sizeof(*out));
	addr_set_port(out, port);
	freeaddrinfo(list);
	return 0;
}
