/* SPDX-License-Identifier: ISC */

/*
 * Change the configuration of a running ispdns-ha many times, for tests:
 *
 *	reconf CONTROL COUNT FILE FILE
 *
 * The two files in turn, prepared and committed, the first one last.
 */

#include <jansson.h>

#include "common/base/base.h"
#include "common/ctl/control.h"

enum {
	TIMEOUT_MS = 10000
};

static void say(const char *control, const char *verb, json_t *args)
{
	struct err err = {""};
	json_t *result = NULL;

	if (control_call_path(control, verb, args, TIMEOUT_MS, &result, &err) <
		0) {
		fprintf(stderr, "reconf: %s: %s\n", verb, err.text);
		exit(1);
	}
	json_decref(result);
	json_decref(args);
}

int main(int argc, char **argv)
{
	int count;

	if (argc != 5)
		return 2;
	count = atoi(argv[2]);
	for (int i = 1; i <= count; i++) {
		const char *file = argv[(count - i) % 2 ? 4 : 3];

		say(argv[1], "prepare",
			json_pack(
				"{s:s, s:i}", "config", file, "generation", i));
		say(argv[1], "commit", json_pack("{s:i}", "generation", i));
	}
	return 0;
}
