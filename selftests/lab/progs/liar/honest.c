// SPDX-License-Identifier: GPL-2.0-only
/* What a good peer does. */
#include <sys/wait.h>

#include "liar.h"

u8 payload[WIRE_MAX + 1];
const u32 lane_max[LANES] = { WIRE_MAX / 16, WIRE_MAX };

static u64 next_call = 1000;

void hello(struct wire *w, u8 lane)
{
	struct krg_hs_ident ident = self.ident;

	ident.lane = lane;
	if (!wire_open(w, &self.addr, self.key, &ident))
		die("lane %d: the node refuses the key, in state %d: %m", lane, w->proof);
}

struct krg_frame request(const struct wire *w, u16 service, u32 len)
{
	return (struct krg_frame){
		.type = KRG_FRAME_REQUEST, .lane = w->lane, .service = service,
		.epoch = self.epoch, .call = ++next_call, .length = len,
		.flags = service == BLOCK ? KRG_FRAME_CHARGED : 0,
	};
}

/* The reply to @call, past whatever else the node has to say. */
struct krg_frame reply_to(struct wire *w, u64 call)
{
	struct krg_frame got;
	enum wire_got what;

	for (;;) {
		what = wire_receive(w, &got, payload, WIRE_PATIENCE);
		if (what != WIRE_FRAME)
			die("no reply: %s", what == WIRE_CLOSED ? "connection closed" : "timeout");
		if (got.type == KRG_FRAME_REPLY && got.call == call)
			return got;
	}
}

void served(struct wire *w)
{
	struct krg_frame f = request(w, ECHO, 5), got;

	if (!wire_send(w, &f, "truth"))
		die("connection closed");
	got = reply_to(w, f.call);
	if (got.arg || got.length != 5 || memcmp(payload, "truth", 5))
		die("wrong echo: status %d, %u bytes", (int)got.arg, got.length);
}

/* The node closes, and what it says before is well-formed. */
void dropped(struct wire *w)
{
	struct krg_frame got;
	enum wire_got what;

	do
		what = wire_receive(w, &got, payload, WIRE_PATIENCE);
	while (what == WIRE_FRAME);
	if (what != WIRE_CLOSED)
		die("the node keeps the connection");
}

struct krg_frame honest(const struct wire *w, u8 type)
{
	struct krg_frame f = { .type = type, .lane = w->lane, .epoch = self.epoch };

	if (type == KRG_FRAME_REQUEST || type == KRG_FRAME_REPLY || type == KRG_FRAME_CANCEL)
		f.call = ++next_call;
	/* The first of a new stream; what was posted on another than the node's. */
	if (type == KRG_FRAME_POST || type == KRG_FRAME_ACK)
		f.call = ++next_call << 32;
	if (type == KRG_FRAME_REQUEST || type == KRG_FRAME_ONEWAY)
		f.service = type == KRG_FRAME_REQUEST ? ECHO : SINK;
	if (type == KRG_FRAME_POST)
		f.service = POSTS;
	if (type != KRG_FRAME_CANCEL && type != KRG_FRAME_CREDIT && type != KRG_FRAME_ACK)
		f.length = 5;
	return f;
}

/* Somebody on the node calls us; returns the request, and who waits in @caller. */
struct krg_frame called(struct wire *w, pid_t *caller)
{
	struct krg_frame got;
	char command[64];

	snprintf(command, sizeof(command), "block %d %d", self.ident.from, 3 * WIRE_PATIENCE);
	*caller = fork();
	if (!*caller)
		_exit(ctl(command, NULL, 0));
	do {
		if (wire_receive(w, &got, payload, WIRE_PATIENCE) != WIRE_FRAME)
			die("the node does not call");
	} while (got.type != KRG_FRAME_REQUEST);
	return got;
}

void caller_ends(pid_t caller, int want)
{
	int status;

	if (waitpid(caller, &status, 0) != caller || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != want)
		die("the call to us ended with %s, not %s", strerror(WEXITSTATUS(status)),
		    strerror(want));
}
