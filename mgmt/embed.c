/* SPDX-License-Identifier: ISC */
/*
 * Files put into the program by the assembler (searched in the -I folders),
 * so that no generator runs at build time.
 */

#include "mgmt/embed.h"

#include "common/base/base.h"

#define EMBED(symbol, file)                                                    \
	__asm__(".section .rodata\n"                                           \
		".global embed_" #symbol "\n"                                  \
		".global embed_" #symbol "_end\n"                              \
		"embed_" #symbol ": .incbin \"" file "\"\n"                    \
		"embed_" #symbol "_end: .byte 0\n"                             \
		".previous\n");                                                \
	extern const char embed_##symbol[], embed_##symbol##_end[];

EMBED(sql_001, "mgmt/migrations/001.sql")
EMBED(sql_002, "mgmt/migrations/002.sql")
EMBED(sql_003, "mgmt/migrations/003.sql")
EMBED(sql_004, "mgmt/migrations/004.sql")
EMBED(sql_005, "mgmt/migrations/005.sql")
EMBED(sql_006, "mgmt/migrations/006.sql")
EMBED(sql_007, "mgmt/migrations/007.sql")
EMBED(sql_008, "mgmt/migrations/008.sql")
EMBED(sql_009, "mgmt/migrations/009.sql")
EMBED(sql_010, "mgmt/migrations/010.sql")
EMBED(sql_011, "mgmt/migrations/011.sql")
EMBED(sql_012, "mgmt/migrations/012.sql")
EMBED(web_index, "mgmt/web/index.html")
EMBED(web_app, "mgmt/web/app.js")
EMBED(web_style, "mgmt/web/style.css")

#define FILE_OF(name, symbol)                                                  \
	{                                                                      \
		name, embed_##symbol, 0                                        \
	}

static struct embed migrations[] = {
	FILE_OF("001.sql", sql_001),
	FILE_OF("002.sql", sql_002),
	FILE_OF("003.sql", sql_003),
	FILE_OF("004.sql", sql_004),
	FILE_OF("005.sql", sql_005),
	FILE_OF("006.sql", sql_006),
	FILE_OF("007.sql", sql_007),
	FILE_OF("008.sql", sql_008),
	FILE_OF("009.sql", sql_009),
	FILE_OF("010.sql", sql_010),
	FILE_OF("011.sql", sql_011),
	FILE_OF("012.sql", sql_012),
};

const struct embed *embed_migration(int version)
{
	struct embed *e;

	if (version < 1 || (size_t)version > countof(migrations))
		return NULL;
	e = &migrations[version - 1];
	e->len = strlen(e->data);
	return e;
}

static struct embed pages[] = {
	FILE_OF("index.html", web_index),
	FILE_OF("app.js", web_app),
	FILE_OF("style.css", web_style),
};

const struct embed *embed_web(const char *path)
{
	const char *name = strcmp(path, "/") ? path + 1 : "index.html";

	for (size_t i = 0; i < countof(pages); i++) {
		if (strcmp(pages[i].name, name))
			continue;
		pages[i].len = strlen(pages[i].data);
		return &pages[i];
	}
	return NULL;
}
