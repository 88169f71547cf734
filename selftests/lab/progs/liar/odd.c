// SPDX-License-Identifier: GPL-2.0-only
/* What is odd but may happen between honest nodes: the node goes on. */
#include "liar.h"

static void odd_reply(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_REPLY);
	long late = counter(w->lane, "late");

	wire_send(w, &f, "truth");
	served(w);
	if (counter(w->lane, "late") != late + 1)
		die("a reply to nothing is not counted as late");
}

static void odd_cancel(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_CANCEL);

	wire_send(w, &f, payload);
}

static void odd_request(struct wire *w, struct krg_frame f, int refused)
{
	struct krg_frame got;

	wire_send(w, &f, payload);
	got = reply_to(w, f.call);
	if ((int)got.arg != refused || got.flags != KRG_FRAME_REFUSED || got.length)
		die("status %d, flags %d, %u bytes, not a refusal with %d", (int)got.arg,
		    got.flags, got.length, refused);
}

static void odd_service(struct wire *w)
{
	odd_request(w, request(w, NO_SERVICE, 100), -EOPNOTSUPP);
}

static void odd_uncharged(struct wire *w)
{
	struct krg_frame f = request(w, BLOCK, 100);

	f.flags = 0;
	odd_request(w, f, -EPROTO);
}

static void odd_epoch(struct wire *w)
{
	struct krg_frame f = request(w, PLAIN, 100);

	f.epoch--;
	odd_request(w, f, -ESTALE);
}

/* The same number twice: both are answered. */
static void odd_twins(struct wire *w)
{
	struct krg_frame f = request(w, ECHO, 5);

	wire_send(w, &f, "truth");
	wire_send(w, &f, "truth");
	reply_to(w, f.call);
	reply_to(w, f.call);
}

/* An answer from another epoch is not the answer; the right one is taken after it. */
static void odd_answer(struct wire *w)
{
	struct krg_frame got, f = { .type = KRG_FRAME_REPLY, .lane = w->lane };
	pid_t caller;

	if (w->lane)
		return;
	got = called(w, &caller);
	f.call = got.call;
	f.epoch = got.epoch + 1;
	wire_send(w, &f, payload);
	f.epoch = got.epoch;
	wire_send(w, &f, payload);
	caller_ends(caller, 0);
}

const struct lie oddities[] = {
	{ .name = "a reply to nothing", .tell = odd_reply },
	{ .name = "a cancel of nothing", .tell = odd_cancel },
	{ .name = "a service that is not there", .tell = odd_service },
	{ .name = "uncharged, though it may block", .tell = odd_uncharged },
	{ .name = "an epoch gone by", .tell = odd_epoch },
	{ .name = "two calls of one number", .tell = odd_twins },
	{ .name = "an answer from another epoch", .tell = odd_answer },
	{ .name = NULL },
};
