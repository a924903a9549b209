/* SPDX-License-Identifier: ISC */
/*
 * The file of blocks: what is taken prints to a file that is taken and says
 * the same; of what is not, nothing is left in the table.
 */

#include "tests/fuzz/fuzz.h"

#include "frontend/blockfile.h"

static const struct blockfile_now now = {.us = 1000000, .wall_s = 1764000000};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blocks *blocks = blocks_new(), *again = blocks_new();
	struct err err = {.text = ""};
	struct text first, second;
	size_t count, more;

	fuzz_check(blocks && again);
	text_init(&first);
	text_init(&second);
	if (blockfile_parse(
		    blocks, (const char *)data, size, &now, &count, &err) < 0) {
		fuzz_check(blocks_count(blocks, false) == 0);
		goto out;
	}
	fuzz_check(blocks_count(blocks, false) <= count);
	blockfile_print(blocks, &now, &first);
	fuzz_check(first.len <= BLOCKFILE_MAX);
	fuzz_check(blockfile_parse(again, first.data, first.len, &now, &more,
			   &err) == 0);
	fuzz_check(more == blocks_count(blocks, false));
	blockfile_print(again, &now, &second);
	fuzz_check(strcmp(first.data, second.data) == 0);
out:
	text_fini(&first);
	text_fini(&second);
	blocks_free(blocks);
	blocks_free(again);
	return 0;
}
