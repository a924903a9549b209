/* SPDX-License-Identifier: ISC */
/*
 * All lines are parsed before the first is added: half a file is not a policy
 * that anybody wanted.
 */

#include "frontend/blockfile.h"

#include "common/base/clock.h"
#include "common/ctl/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FIELDS     7
#define BLOCK_LINE (NAME_MAX_TEXT + 160)

static const char magic[] = "ispdns-blocks 1";

/* --- printing ---------------------------------------------------------- */

static void print_one(const struct block *b, const struct blockfile_now *now,
	struct text *out)
{
	/* the second in which it ends counts in full */
	int64_t left_s = (b->until_us - now->us + 999999) / 1000000;
	char text[NAME_MAX_TEXT];

	text_add(out, "%s %s %s %s %s %lld %llu\n",
		b->suffix ? "suffix" : "source",
		b->suffix ? name_print(&b->name, text)
			  : prefix_print(&b->prefix, text),
		block_action_name(b->action), b->reason[0] ? b->reason : "-",
		b->forgeable   ? "auto,forgeable"
		: b->automatic ? "auto"
			       : "-",
		(long long)(now->wall_s + left_s), (unsigned long long)b->hits);
}

void blockfile_print(const struct blocks *blocks,
	const struct blockfile_now *now, struct text *out)
{
	unsigned count = 0;
	struct block b;

	text_add(out, "%s\n", magic);
	for (size_t i = 0; i < BLOCKS_MAX; i++) {
		if (!blocks_get(blocks, i, &b) || b.until_us <= now->us)
			continue;
		print_one(&b, now, out);
		count++;
	}
	text_add(out, "end %u\n", count);
}

/* --- parsing ----------------------------------------------------------- */

struct reader {
	const char *at, *end;
	char line[BLOCK_LINE];
	char *fields[FIELDS];
	unsigned count; /* of fields; 0: no whole line is left */
};

/* The next line in fields, which are separated by one space each. */
static void next_line(struct reader *r)
{
	size_t left = (size_t)(r->end - r->at);
	const char *newline = memchr(r->at, '\n', left);
	size_t len = newline ? (size_t)(newline - r->at) : 0;
	char *save = r->line;

	r->count = 0;
	if (!newline || len >= sizeof(r->line) || memchr(r->at, 0, len))
		return;
	memcpy(r->line, r->at, len);
	r->line[len] = '\0';
	r->at = newline + 1;
	while (save && r->count < FIELDS)
		r->fields[r->count++] = strsep(&save, " ");
	if (save) /* more than there are */
		r->count = 0;
}

static bool parse_number(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9' || strlen(text) > 18)
		return false;
	*out = strtoull(text, &end, 10);
	return *end == '\0';
}

static bool parse_target(char *const fields[], struct block *b)
{
	b->suffix = strcmp(fields[0], "suffix") == 0;
	if (b->suffix)
		return name_parse(fields[1], &b->name) == 0;
	return strcmp(fields[0], "source") == 0 &&
	       prefix_parse(fields[1], &b->prefix) == 0;
}

static bool parse_reason(const char *text, struct block *b)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof(b->reason) ||
		strspn(text, "abcdefghijklmnopqrstuvwxyz-") != len)
		return false;
	memcpy(b->reason, text, len + 1);
	return true;
}

static bool parse_flags(const char *text, struct block *b)
{
	b->forgeable = strcmp(text, "auto,forgeable") == 0;
	b->automatic = b->forgeable || strcmp(text, "auto") == 0;
	return b->automatic || strcmp(text, "-") == 0;
}

static bool parse_block(const struct reader *r, const struct blockfile_now *now,
	struct block *b)
{
	uint64_t until_s;
	int64_t left_s;

	memset(b, 0, sizeof(*b));
	if (r->count != FIELDS || !parse_target(r->fields, b) ||
		!block_action_parse(r->fields[2], &b->action) ||
		!parse_reason(r->fields[3], b) ||
		!parse_flags(r->fields[4], b) || (b->suffix && b->automatic) ||
		!parse_number(r->fields[5], &until_s) ||
		!parse_number(r->fields[6], &b->hits))
		return false;
	left_s = (int64_t)until_s - now->wall_s;
	if (left_s > BLOCK_LONGEST_S)
		left_s = BLOCK_LONGEST_S;
	b->until_us = now->us + (left_s > 0 ? left_s * 1000000 : 0);
	return true;
}

/* How many, or -EBADMSG. */
static int parse_all(struct reader *r, const struct blockfile_now *now,
	struct block all[BLOCKS_MAX])
{
	uint64_t said;
	int n = 0;

	next_line(r);
	if (r->count != 2 || strcmp(r->fields[0], "ispdns-blocks") != 0 ||
		strcmp(r->fields[1], "1") != 0)
		return -EBADMSG;
	for (;;) {
		next_line(r);
		if (r->count == 2 && strcmp(r->fields[0], "end") == 0)
			break;
		if (n == BLOCKS_MAX || !parse_block(r, now, &all[n++]))
			return -EBADMSG;
	}
	if (!parse_number(r->fields[1], &said) || said != (uint64_t)n ||
		r->at != r->end)
		return -EBADMSG;
	return n;
}

int blockfile_parse(struct blocks *blocks, const char *text, size_t len,
	const struct blockfile_now *now, size_t *count, struct err *err)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct block *all = calloc(BLOCKS_MAX, sizeof(*all));
	int n = -ENOMEM;

	*count = 0;
	if (r && all) {
		r->at = text;
		r->end = text + len;
		n = parse_all(r, now, all);
	}
	for (int i = 0; i < n; i++)
		if (all[i].until_us > now->us &&
			blocks_restore(blocks, &all[i]) == 0)
			++*count;
	free(all);
	free(r);
	if (n < 0)
		return err_fail(err, n, "%s",
			n == -EBADMSG ? "not a whole list of blocks"
				      : "out of memory");
	return 0;
}

/* --- the file ---------------------------------------------------------- */

static struct blockfile_now now_by_both(void)
{
	return (struct blockfile_now){mtime_now().us, wall_now_s()};
}

static int write_file(const char *path, const struct text *t)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t done = 0;
	int rc = 0;

	if (fd < 0)
		return -errno;
	while (rc == 0 && done < t->len) {
		ssize_t n = write(fd, t->data + done, t->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			rc = n < 0 ? -errno : -EIO;
	}
	return close(fd) < 0 && rc == 0 ? -errno : rc;
}

int blockfile_save(
	const struct blocks *blocks, const char *path, struct err *err)
{
	struct blockfile_now now = now_by_both();
	char next[4096];
	struct text t;
	int rc;

	if (path_join(next, sizeof(next), "%s.next", path) < 0)
		return err_fail(err, -ENAMETOOLONG, "%s: too long", path);
	text_init(&t);
	blockfile_print(blocks, &now, &t);
	rc = t.failed ? -ENOMEM : write_file(next, &t);
	if (rc == 0 && rename(next, path) < 0)
		rc = -errno;
	if (rc < 0)
		(void)unlink(next);
	text_fini(&t);
	return rc < 0 ? err_fail(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

int blockfile_load(
	struct blocks *blocks, const char *path, size_t *count, struct err *err)
{
	struct blockfile_now now = now_by_both();
	char *text = NULL;
	size_t len = 0;
	int rc = file_read(path, BLOCKFILE_MAX, &text, &len, err);

	*count = 0;
	if (rc < 0)
		return rc;
	rc = blockfile_parse(blocks, text, len, &now, count, err);
	free(text);
	if (rc < 0)
		err_prefix(err, "%s", path);
	return rc;
}
