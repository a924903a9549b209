/* SPDX-License-Identifier: ISC */
#include "ha/engine.h"

#include "common/ctl/file.h"

#define TABLE     "/proc/net/unix"
#define TABLE_MAX (16 << 20)
#define LISTENS   0x10000 /* __SO_ACCEPTCON */

static const char *const usual[] = {
	"/run/bird/bird.ctl",
	"/run/frr/bgpd.vty",
};

/* "/var/run/x" as "/run/x". */
static const char *plain(const char *path)
{
	return strncmp(path, "/var/run/", 9) ? path : path + 4;
}

/* Num RefCount Protocol Flags Type St Inode Path */
static bool is_listener(const char *line, const char *path)
{
	unsigned flags = 0;
	char found[112] = "";

	return sscanf(line, "%*s %*x %*x %x %*x %*x %*u %111s", &flags,
		       found) == 2 &&
	       (flags & LISTENS) && !strcmp(plain(found), plain(path));
}

bool engine_in_table(const char *table, const char *path)
{
	for (const char *line = table; line && *line;) {
		if (is_listener(line, path))
			return true;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return false;
}

void engine_look(struct engine_state *s, const struct config *config)
{
	char *table = NULL;
	size_t len = 0;

	memset(s, 0, sizeof(*s));
	if (config->anycast_count == 0 ||
		file_read(TABLE, TABLE_MAX, &table, &len, NULL) < 0)
		return; /* not known is not absent */
	for (size_t i = 0; i < config->anycast_count; i++) {
		const struct config_anycast *a = &config->anycast[i];

		s->absent[i] = !engine_in_table(
			table, a->engine_socket[0] ? a->engine_socket
						   : usual[a->for_frr]);
	}
	free(table);
}
