/* SPDX-License-Identifier: ISC */
/* Error texts: set, prefix, cut, and arguments inside the error itself. */

#include "common/base/err.h"

#include "tests/tap/tap.h"

#include <errno.h>

int main(void)
{
	struct err err = {""};
	char long_text[2 * ERR_MAX];

	err_set(&err, "bad %s at %d", "key", 7);
	is_string(err.text, "bad key at 7", "set");
	err_prefix(&err, "%s:%d", "a.yaml", 3);
	is_string(err.text, "a.yaml:3: bad key at 7", "prefix");
	err_set(&err, "%s, twice", err.text);
	is_string(err.text, "a.yaml:3: bad key at 7, twice",
		"the old text may be an argument");
	is_int(err_fail(&err, -EINVAL, "no"), -EINVAL, "fail returns the code");
	is_string(err.text, "no", "fail sets the text");
	err_set(&err, "key %s", "a\nb\r\x1b[2J\x7f");
	is_string(err.text, "key a?b??[2J?", "one line, whatever is quoted");
	err_set(NULL, "x");
	err_prefix(NULL, "x");
	is_int(err_fail(NULL, -EIO, "x"), -EIO, "without an err");

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&err, "%s", long_text);
	is_int((long long)strlen(err.text), ERR_MAX - 1, "cut, not overrun");
	err_prefix(&err, "p");
	ok(strncmp(err.text, "p: xxx", 6) == 0, "prefix before a full text");
	is_int((long long)strlen(err.text), ERR_MAX - 1, "still cut");
	return tap_done();
}
