/* SPDX-License-Identifier: ISC */

/*
 * Send one VRRP message, right or wrong, for tests of ispdns-ha:
 *
 *	send-vrrp IFACE TTL HEX [DESTINATION]
 */

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/base.h"
#include "common/base/digest.h"

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct ip_mreqn out = {0};
	uint8_t data[1500];
	size_t len;
	int fd, ttl;

	if (argc < 4)
		return 2;
	len = strlen(argv[3]) / 2;
	out.imr_ifindex = (int)if_nametoindex(argv[1]);
	ttl = atoi(argv[2]);
	fd = socket(AF_INET, SOCK_RAW, 112);
	if (len > sizeof(data) || !hex_parse(argv[3], data, len) ||
		inet_pton(AF_INET, argc > 4 ? argv[4] : "224.0.0.18",
			&to.sin_addr) != 1)
		return 2;
	if (fd < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof(out)) <
			0 ||
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl,
			sizeof(ttl)) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) < 0 ||
		sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)) <
			0) {
		perror("send-vrrp");
		return 1;
	}
	return 0;
}
