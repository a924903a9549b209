/* SPDX-License-Identifier: ISC */
/*
 * Configuration text against a schema with one of each: what is taken prints
 * to text that is taken, differs in nothing and prints alike; what is not
 * says why, with a line.
 */

#include "tests/fuzz/fuzz.h"

#include "common/ctl/conf.h"
#include "tests/common/conf-schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf, *again;
	struct text out, second;
	struct err err = {""};

	if (size > 4096)
		return 0;
	conf = conf_parse(
		(const char *)data, size, "/x/t.yaml", test_schema, &err);
	if (!conf) {
		fuzz_check(strncmp(err.text, "/x/t.yaml", 9) == 0);
		return 0;
	}
	text_init(&out);
	text_init(&second);
	conf_print(conf, &out);
	again = conf_parse(out.data, out.len, "/x/t.yaml", test_schema, &err);
	fuzz_check(again != NULL);
	fuzz_check(conf_restart_key(conf, again) == NULL);
	conf_print(again, &second);
	fuzz_check(strcmp(out.data, second.data) == 0);
	conf_free(conf);
	conf_free(again);
	text_fini(&out);
	text_fini(&second);
	return 0;
}
