/* SPDX-License-Identifier: ISC */
/*
 * A frame is 'J' and a JSON object, or 'T' and a piece of text, which gathers
 * until the next object.
 */

#include "resolver/channel.h"

#include <errno.h>

#include "common/base/buf.h"
#include "common/net/stream.h"

#define PIECE       60000
#define QUEUE_BYTES (256u << 20)

struct channel {
	struct stream *stream;
	const struct channel_events *ev;
	void *arg;
	struct text text;
};

static void take_object(struct channel *c, const uint8_t *msg, size_t len)
{
	json_t *json = json_loadb((const char *)msg, len, 0, NULL);
	const char *type = json_string_value(json_object_get(json, "t"));
	struct text text = c->text;

	if (!type) {
		json_decref(json);
		return;
	}
	text_init(&c->text);
	c->ev->message(c->arg, type, json, text.data); /* may free c */
	text_fini(&text);
	json_decref(json);
}

static void on_message(void *arg, struct stream *s, uint8_t *msg, size_t len)
{
	struct channel *c = arg;

	(void)s;
	if (msg[0] == 'T')
		text_add_bytes(&c->text, msg + 1, len - 1);
	else if (msg[0] == 'J')
		take_object(c, msg + 1, len - 1);
}

static void on_closed(void *arg, struct stream *s, enum stream_end why)
{
	struct channel *c = arg;

	(void)s;
	(void)why;
	c->ev->closed(c->arg);
}

static const struct stream_events stream_events = {
	.message = on_message, .closed = on_closed};

struct channel *channel_new(
	struct loop *loop, int fd, const struct channel_events *ev, void *arg)
{
	const struct stream_limits limits = {.queue_bytes = QUEUE_BYTES};
	struct channel *c = calloc(1, sizeof(*c));
	struct stream *s =
		stream_accepted(loop, fd, &limits, &stream_events, c);

	if (!c || !s) {
		stream_free(s);
		free(c);
		return NULL;
	}
	c->stream = s;
	c->ev = ev;
	c->arg = arg;
	text_init(&c->text);
	return c;
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	stream_free(c->stream);
	text_fini(&c->text);
	free(c);
}

static int send_frame(
	struct channel *c, char kind, const char *data, size_t len)
{
	uint8_t frame[PIECE + 1];

	if (len > PIECE)
		return -EMSGSIZE;
	frame[0] = (uint8_t)kind;
	memcpy(frame + 1, data, len);
	return stream_send(c->stream, frame, len + 1);
}

int channel_send(struct channel *c, const char *type, json_t *msg)
{
	char *text = NULL;
	int rc = -ENOMEM;

	if (msg && json_object_set_new(msg, "t", json_string(type)) == 0)
		text = json_dumps(msg, JSON_COMPACT);
	if (text)
		rc = send_frame(c, 'J', text, strlen(text));
	free(text);
	json_decref(msg);
	return rc;
}

int channel_send_text(struct channel *c, const char *text, size_t len)
{
	int rc = 0;

	for (size_t at = 0; at < len && rc == 0; at += PIECE)
		rc = send_frame(
			c, 'T', text + at, len - at < PIECE ? len - at : PIECE);
	return rc;
}
