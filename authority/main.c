/* SPDX-License-Identifier: ISC */
/* ispdns-authority: NSD under supervision. See authority.h. */

#include "authority/authority.h"
#include "authority/config.h"

int main(int argc, char **argv)
{
	static const struct daemon_ops ops = {
		.name = "ispdns-authority",
		.part = "authority",
		.summary = "authoritative DNS by NSD, each change proven",
		.schema = auth_schema,
		.check = auth_config_check,
		.start = authority_start,
		.prepare = authority_prepare,
		.commit = authority_commit,
		.discard = authority_discard,
		.drain = authority_drain,
		.status = authority_status,
		.stats = authority_stats,
		.stop = authority_stop,
		.free = authority_free,
		.commands = authority_commands,
	};

	return daemon_main(argc, argv, &ops);
}
