/* SPDX-License-Identifier: ISC */
/*
 * The importers: the first octet chooses which. Whatever the file holds, they
 * end, and what they say and call is text that can be printed.
 */

#include "tests/fuzz/fuzz.h"

#include "mgmt/cli/import.h"
#include "mgmt/cli/mend.h"

#include <unistd.h>

/* ldns 1.8.3 leaks a field when a later one of the record is malformed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:ldns_rr_new_frm_str\nleak:ldns_rdf_new_frm_data\n";
}

static void mend(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *out;

	fuzz_check(text != NULL);
	out = zone_mend(text);
	free(out);
	free(text);
}

/* Something was said about what became of each statement. */
static void check_account(const struct import *im)
{
	static const char unsaid[] = ": not understood";
	const char *level, *text;
	json_t *note;
	size_t i, len;

	json_array_foreach(im->notes, i, note) {
		fuzz_check(json_unpack(note, "{s:s,s:s}", "level", &level,
				   "text", &text) == 0);
		len = strlen(text);
		fuzz_check(
			strcmp(level, "not imported") != 0 ||
			len < sizeof(unsaid) ||
			strcmp(text + len + 1 - sizeof(unsaid), unsaid) != 0);
	}
}

static void run(int kind, const char *path)
{
	struct err err = {.text = ""};
	struct import im;
	struct text out;
	json_t *all;
	int rc;

	fuzz_check(import_init(&im, "n1") == 0);
	if (kind == 0)
		rc = import_dnsdist(&im, path, &err);
	else if (kind == 1)
		rc = import_bind(&im, path, &err);
	else
		rc = import_keepalived(&im, path, &err);
	fuzz_check(rc == 0 || err.text[0] != '\0');
	text_init(&out);
	import_print_notes(&im, &out);
	import_print_calls(&im, &out);
	fuzz_check(!out.failed);
	if (rc == 0)
		check_account(&im);
	all = import_json(&im);
	fuzz_check(all != NULL);
	json_decref(all);
	text_fini(&out);
	import_fini(&im);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	FILE *file;

	if (size < 1 || size > 8192)
		return 0;
	if (data[0] % 4 == 3) {
		mend(data + 1, size - 1);
		return 0;
	}
	snprintf(path, sizeof(path), "/tmp/ispdns-fuzz-import.%d",
		(int)getpid());
	file = fopen(path, "we");
	fuzz_check(file && fwrite(data + 1, 1, size - 1, file) == size - 1);
	fuzz_check(fclose(file) == 0);
	run(data[0] % 4, path);
	unlink(path);
	return 0;
}
