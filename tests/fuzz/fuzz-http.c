/* SPDX-License-Identifier: ISC */
/*
 * Heads and chunked bodies of HTTP. A body fed in two pieces is the body fed
 * at once, wherever it is cut.
 */

#include "tests/fuzz/fuzz.h"

#include "common/net/http_head.h"

static int feed(const char *data, size_t len, size_t cut, struct text *out)
{
	struct http_chunks chunks = {.state = CHUNK_SIZE};
	int ret = http_chunks_feed(&chunks, data, cut, out);

	if (ret == 0)
		ret = http_chunks_feed(&chunks, data + cut, len - cut, out);
	return ret;
}

static void try_chunks(const char *data, size_t len, size_t cut)
{
	struct text whole, parts;
	int a, b;

	text_init(&whole);
	text_init(&parts);
	a = feed(data, len, len, &whole);
	b = feed(data, len, cut, &parts);
	fuzz_check((a == 0) == (b == 0));
	if (a == 0)
		fuzz_check(strcmp(whole.data, parts.data) == 0);
	fuzz_check(whole.len <= len);
	text_fini(&whole);
	text_fini(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct http_request_head request;
	struct http_reply_head reply;
	long n;

	n = http_parse_request(text, size, &request);
	fuzz_check(n <= (long)size);
	if (n > 0) {
		fuzz_check(memchr(request.path, '\0', sizeof(request.path)));
		fuzz_check(request.path[0] == '/');
	}
	n = http_parse_reply(text, size, &reply);
	fuzz_check(n <= (long)size);
	if (n > 0)
		fuzz_check(reply.status >= 100 && reply.status <= 999);
	if (size > 0)
		try_chunks(text + 1, size - 1, data[0] % size);
	return 0;
}
