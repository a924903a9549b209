/* SPDX-License-Identifier: ISC */
/*
 * Strict where a lenient reading could be used against us (two lengths, a
 * length beside chunking, control characters in a path), and deaf to all
 * header fields that we have no use for.
 */

#include "common/net/http_head.h"

#include <errno.h>
#include <strings.h>

/* Length of the head with its empty line, 0 when that has not come. */
static size_t head_len(const char *data, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++) {
		if (data[i] != '\n')
			continue;
		if (data[i + 1] == '\n')
			return i + 2;
		if (data[i + 1] == '\r' && i + 2 < len && data[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

/* One line at *pos without its end; moves *pos behind it. */
static size_t next_line(
	const char *data, size_t len, size_t *pos, const char **line)
{
	size_t start = *pos, end = start;

	while (end < len && data[end] != '\n')
		end++;
	*pos = end < len ? end + 1 : end;
	*line = data + start;
	if (end > start && data[end - 1] == '\r')
		end--;
	return end - start;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* --- requests --- */

static int decode_octet(const char *in, size_t left, size_t *used, char *out)
{
	int hi, lo;

	*used = 1;
	*out = in[0];
	if (in[0] == '%') {
		if (left < 3)
			return -EINVAL;
		hi = hex_digit(in[1]);
		lo = hex_digit(in[2]);
		if (hi < 0 || lo < 0)
			return -EINVAL;
		*out = (char)(hi << 4 | lo);
		*used = 3;
	}
	return (unsigned char)*out < 0x20 || *out == 0x7f ? -EINVAL : 0;
}

static int decode_path(const char *in, size_t len, char out[HTTP_PATH_MAX])
{
	size_t pos = 0, n = 0, used;

	if (len == 0 || in[0] != '/')
		return -EINVAL;
	while (pos < len && in[pos] != '?') {
		if (n + 1 >= HTTP_PATH_MAX)
			return -EINVAL;
		if (decode_octet(in + pos, len - pos, &used, &out[n]) < 0)
			return -EINVAL;
		pos += used;
		n++;
	}
	out[n] = '\0';
	return 0;
}

static int parse_request_line(
	const char *line, size_t len, struct http_request_head *out)
{
	const char *sp = memchr(line, ' ', len), *sp2;
	size_t n = sp ? (size_t)(sp - line) : 0;

	if (n == 0 || n >= sizeof(out->method))
		return -EINVAL;
	memcpy(out->method, line, n);
	out->method[n] = '\0';
	sp++;
	len -= n + 1;
	sp2 = memchr(sp, ' ', len);
	if (!sp2)
		return -EINVAL;
	n = (size_t)(sp2 - sp);
	if (len - n - 1 != 8 || memcmp(sp2 + 1, "HTTP/1.", 7) != 0)
		return -EINVAL;
	return decode_path(sp, n, out->path);
}

long http_parse_request(
	const char *data, size_t len, struct http_request_head *out)
{
	size_t head = head_len(data, len), pos = 0, n;
	const char *line;

	if (head == 0)
		return 0;
	n = next_line(data, head, &pos, &line);
	if (parse_request_line(line, n, out) < 0)
		return -EINVAL;
	return (long)head;
}

/* --- replies --- */

static int parse_status_line(
	const char *line, size_t len, struct http_reply_head *out)
{
	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return -EINVAL;
	out->status = 0;
	for (unsigned i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -EINVAL;
		out->status = out->status * 10 + (line[i] - '0');
	}
	return out->status < 100 ? -EINVAL : 0;
}

static int parse_length(
	const char *text, size_t len, struct http_reply_head *out)
{
	uint64_t value = 0;

	if (len == 0 || len > 15 || out->has_length)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	out->has_length = true;
	out->length = value;
	return 0;
}

static bool is_text(const char *text, size_t len, const char *want)
{
	return strlen(want) == len && strncasecmp(text, want, len) == 0;
}

static int parse_field(
	const char *line, size_t len, struct http_reply_head *out)
{
	const char *colon = memchr(line, ':', len), *value;
	size_t name_len, value_len;

	if (!colon || colon == line)
		return -EINVAL;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	value_len = len - name_len - 1;
	while (value_len > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		value_len--;
	}
	while (value_len > 0 &&
		(value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
		value_len--;
	if (is_text(line, name_len, "content-length"))
		return parse_length(value, value_len, out);
	if (!is_text(line, name_len, "transfer-encoding"))
		return 0;
	if (!is_text(value, value_len, "chunked") || out->chunked)
		return -EINVAL;
	out->chunked = true;
	return 0;
}

long http_parse_reply(const char *data, size_t len, struct http_reply_head *out)
{
	size_t head = head_len(data, len), pos = 0, n;
	const char *line;

	if (head == 0)
		return 0;
	memset(out, 0, sizeof(*out));
	n = next_line(data, head, &pos, &line);
	if (parse_status_line(line, n, out) < 0)
		return -EINVAL;
	while (pos < head) {
		n = next_line(data, head, &pos, &line);
		if (n > 0 && parse_field(line, n, out) < 0)
			return -EINVAL;
	}
	return out->chunked && out->has_length ? -EINVAL : (long)head;
}

/* --- chunks --- */

static int size_octet(struct http_chunks *c, char octet)
{
	int digit = hex_digit(octet);

	if (digit >= 0) {
		if (++c->digits > 8)
			return -EINVAL;
		c->left = c->left << 4 | (unsigned)digit;
		return 0;
	}
	if (c->digits == 0)
		return -EINVAL;
	if (octet == '\n')
		c->state = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
	else if (octet == ';' || octet == '\r' || octet == ' ')
		c->state = CHUNK_EXTENSION;
	else
		return -EINVAL;
	return 0;
}

static void trailer_octet(struct http_chunks *c, char octet)
{
	if (octet == '\n') {
		if (c->line == 0)
			c->state = CHUNK_DONE;
		c->line = 0;
	} else if (octet != '\r') {
		c->line++;
	}
}

static int frame_octet(struct http_chunks *c, char octet)
{
	switch (c->state) {
	case CHUNK_SIZE:
		return size_octet(c, octet);
	case CHUNK_EXTENSION:
		if (octet == '\n')
			c->state = c->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
		return 0;
	case CHUNK_DATA_END:
		if (octet == '\n') {
			c->state = CHUNK_SIZE;
			c->digits = 0;
			return 0;
		}
		return octet == '\r' ? 0 : -EINVAL;
	case CHUNK_TRAILER:
		trailer_octet(c, octet);
		return 0;
	case CHUNK_DATA:
	case CHUNK_DONE:
		break;
	}
	return 0;
}

int http_chunks_feed(
	struct http_chunks *c, const char *data, size_t len, struct text *out)
{
	size_t pos = 0;

	while (pos < len && c->state != CHUNK_DONE) {
		size_t n = len - pos;

		if (c->state != CHUNK_DATA) {
			if (frame_octet(c, data[pos++]) < 0)
				return -EINVAL;
			continue;
		}
		if (n > c->left)
			n = (size_t)c->left;
		text_add_bytes(out, data + pos, n);
		pos += n;
		c->left -= n;
		if (c->left == 0)
			c->state = CHUNK_DATA_END;
	}
	return 0;
}
