/* SPDX-License-Identifier: ISC */

/*
 * ha.yaml as a whole: what is taken keeps what the real-time thread relies
 * on, and prints to text that builds the same; what is not says why.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "ha/config.h"

static void check_instance(const struct config_instance *in)
{
	fuzz_check(in->vrid >= 1 && in->priority >= 1 && in->priority < 255);
	fuzz_check(in->vip_count >= 1 && in->vip_count <= CONFIG_VIPS);
	fuzz_check(in->wire_count >= 1 && in->wire_count <= in->vip_count);
	fuzz_check(in->peer_count <= CONFIG_PEERS);
	fuzz_check(in->handover_count <= CONFIG_PEERS);
	fuzz_check(in->family == 4 || (in->family == 6 && in->version == 3));
	fuzz_check(in->interval_us >= 10000 && in->interval_us % 10000 == 0);
	fuzz_check(in->interval_us <= (in->version == 2 ? 255 : 41) * 1000000U);
	fuzz_check(in->hmac.mode == HMAC_OFF ||
		   in->hmac.active < in->hmac.key_count);
	fuzz_check(in->hmac.window_s >= 1 && in->hmac.window_s <= 300);
}

static void check_config(const struct config *c)
{
	fuzz_check(c->instance_count <= CONFIG_INSTANCES);
	for (size_t i = 0; i < c->instance_count; i++) {
		check_instance(&c->instances[i]);
		for (size_t k = 0; k < i; k++)
			fuzz_check(!config_same_router(
				&c->instances[i], &c->instances[k]));
	}
}

static struct config *build(
	const char *text, size_t len, struct conf **conf, struct err *err)
{
	struct config *c = NULL;

	*conf = conf_parse(text, len, "/x/ha.yaml", config_schema, err);
	if (*conf)
		c = config_build(*conf, err);
	fuzz_check(c || strncmp(err->text, "/x/ha.yaml", 10) == 0);
	fuzz_check(c || !strchr(err->text, '\n'));
	return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf, *printed = NULL;
	struct err err = {""};
	struct config *c, *again;
	struct text out;

	if (size > 4096)
		return 0;
	c = build((const char *)data, size, &conf, &err);
	if (c) {
		check_config(c);
		text_init(&out);
		conf_print(conf, &out);
		again = build(out.data, out.len, &printed, &err);
		fuzz_check(again && memcmp(c, again, sizeof(*c)) == 0);
		config_free(again);
		text_fini(&out);
	}
	config_free(c);
	conf_free(conf);
	conf_free(printed);
	return 0;
}
