/* SPDX-License-Identifier: ISC */
/* Manifests: what is accepted has keys that stay below their folder. */

#include "tests/fuzz/fuzz.h"

#include "mgmt/agent/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {.text = ""};
	struct manifest m;

	if (size > 65536)
		return 0;
	if (manifest_parse((const char *)data, size, &m, &err) < 0) {
		fuzz_check(err.text[0] != '\0' && m.items == NULL);
		return 0;
	}
	for (size_t i = 0; i < m.count; i++) {
		const struct manifest_item *item = &m.items[i];

		fuzz_check(manifest_key_ok(item->key));
		fuzz_check(item->key[0] != '/' && !strstr(item->key, ".."));
		fuzz_check(item->size >= 0);
		fuzz_check(manifest_find(&m, item->key) == item);
	}
	manifest_fini(&m);
	return 0;
}
