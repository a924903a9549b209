/* SPDX-License-Identifier: ISC */
/* Text form of the frontend's heartbeat to ha; strict on the way in. */

#include "common/ctl/heartbeat.h"

static const char prefix[] = "ispdns1 frontend ";

static const char *const names[] = {
	[HEARTBEAT_OK] = "ok",
	[HEARTBEAT_DRAINING] = "draining",
	[HEARTBEAT_DEGRADED] = "degraded",
	[HEARTBEAT_FAILED] = "failed",
};

const char *heartbeat_state_name(enum heartbeat_state state)
{
	return names[state];
}

size_t heartbeat_encode(const struct heartbeat *hb, char out[HEARTBEAT_MAX])
{
	int n = snprintf(out, HEARTBEAT_MAX, "%s%s %d\n", prefix,
		names[hb->state], hb->pid);

	return (size_t)n; /* at most 17 + 8 + 1 + 11 + 1 */
}

static bool decode_state(const char **p, enum heartbeat_state *state)
{
	for (size_t i = 0; i < countof(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(*p, names[i], n) == 0 && (*p)[n] == ' ') {
			*state = (enum heartbeat_state)i;
			*p += n + 1;
			return true;
		}
	}
	return false;
}

/* 1 to 9 digits, no sign, no leading zero, then the newline that ends it. */
static bool decode_pid(const char *p, int *pid)
{
	int value = 0, digits = 0;

	if (*p == '0')
		return false;
	for (; *p >= '0' && *p <= '9' && digits < 9; p++, digits++)
		value = value * 10 + (*p - '0');
	*pid = value;
	return digits > 0 && p[0] == '\n' && p[1] == '\0';
}

bool heartbeat_decode(const char *data, size_t len, struct heartbeat *out)
{
	char text[HEARTBEAT_MAX + 1];
	const char *p = text;

	if (len > HEARTBEAT_MAX || memchr(data, '\0', len))
		return false;
	memcpy(text, data, len);
	text[len] = '\0';
	if (strncmp(p, prefix, sizeof(prefix) - 1) != 0)
		return false;
	p += sizeof(prefix) - 1;
	return decode_state(&p, &out->state) && decode_pid(p, &out->pid);
}
