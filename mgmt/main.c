/* SPDX-License-Identifier: ISC */
/* ispdns-mgmt: everything is in server.c. */

#include "mgmt/server.h"

int main(int argc, char **argv)
{
	return daemon_main(argc, argv, &server_ops);
}
