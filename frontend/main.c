/* SPDX-License-Identifier: ISC */
/* ispdns-frontend: see frontend.c. */

#include "frontend/frontend.h"

int main(int argc, char **argv)
{
	return daemon_main(argc, argv, frontend_ops());
}
