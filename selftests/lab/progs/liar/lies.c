// SPDX-License-Identifier: GPL-2.0-only
/* Lies that take more than a field. Each ends with the connection dropped. */
#include "liar.h"

static const u32 window[LANES] = { 512u << 10, 8u << 20 };

void tell_noise(struct wire *w)
{
	u8 noise[4096];

	if (getrandom(noise, sizeof(noise), 0) != sizeof(noise))
		die("getrandom: %m");
	wire_write(w, noise, sizeof(noise));
}

static void tell_handshake(struct wire *w)
{
	u8 hello_again[40] = { 0x4b, 0x72, 0x47, 0x48, 1, 1 };

	wire_write(w, hello_again, sizeof(hello_again));
	wire_write(w, hello_again, sizeof(hello_again));
}

static void tell_flipped(struct wire *w, u32 at)
{
	u8 buf[KRG_FRAME_HEADER + 5];
	struct krg_frame f = honest(w, KRG_FRAME_REQUEST);

	krg_frame_encode(&f, buf);
	wire_seal(w, buf, "truth", 5);
	memcpy(buf + KRG_FRAME_HEADER, "truth", 5);
	buf[at] ^= 1;
	wire_write(w, buf, sizeof(buf));
}

static void tell_wrong_tag(struct wire *w)
{
	tell_flipped(w, 47);
}

static void tell_bent_payload(struct wire *w)
{
	tell_flipped(w, KRG_FRAME_HEADER + 4);
}

static void tell_wrong_key(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_REQUEST);

	w->key_tx = w->key_rx;
	wire_send(w, &f, "truth");
}

static void tell_replay(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_REQUEST);

	wire_send(w, &f, "truth");
	w->seq_tx--;
	wire_send(w, &f, "truth");
}

static void tell_gap(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_REQUEST);

	w->seq_tx++;
	wire_send(w, &f, "truth");
}

void tell_swapped(struct wire *w)
{
	struct krg_frame a = honest(w, KRG_FRAME_REQUEST), b = honest(w, KRG_FRAME_REQUEST);

	w->seq_tx++;
	wire_send(w, &b, "truth");
	w->seq_tx -= 2;
	wire_send(w, &a, "truth");
}

/* The same place in the order, on a connection before this one. */
static void tell_old(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_REQUEST);
	struct wire old = *w;

	hello(w, w->lane);
	wire_close(&old);
	w->key_tx = old.key_tx;
	wire_send(w, &f, "truth");
}

/* All of the payload is there, and its last byte is another one. */
static void tell_long_wrong_tag(struct wire *w)
{
	struct krg_frame f = request(w, ECHO, lane_max[w->lane]);
	u8 header[KRG_FRAME_HEADER];

	krg_frame_encode(&f, header);
	wire_seal(w, header, payload, f.length);
	payload[f.length - 1] ^= 1;
	wire_write(w, header, sizeof(header));
	wire_write(w, payload, f.length);
}

static void tell_long_for_service(struct wire *w, u16 service, u32 len, u8 type)
{
	struct krg_frame f = request(w, service, len);

	f.type = type;
	if (type == KRG_FRAME_ONEWAY)
		f.call = 0;
	wire_send(w, &f, payload);
}

static void tell_long_later(struct wire *w)
{
	tell_long_for_service(w, LATER, LATER_MAX + 1, KRG_FRAME_REQUEST);
}

static void tell_long_block(struct wire *w)
{
	tell_long_for_service(w, BLOCK, BLOCK_MAX + 1, KRG_FRAME_REQUEST);
}

static void tell_long_oneway(struct wire *w)
{
	tell_long_for_service(w, LATER, LATER_MAX + 1, KRG_FRAME_ONEWAY);
}

/* Only where the node calls us: its test module does, by the control lane. */
static void tell_long_reply(struct wire *w)
{
	struct krg_frame got, f = { .type = KRG_FRAME_REPLY, .lane = w->lane };
	pid_t caller;

	got = called(w, &caller);
	f.call = got.call;
	f.epoch = got.epoch;
	f.length = BLOCK_MAX + 1;
	wire_send(w, &f, payload);
	caller_ends(caller, ECONNRESET);
}

/* The first of a stream and the third: one is missing. */
static void tell_post_gap(struct wire *w)
{
	struct krg_frame f = honest(w, KRG_FRAME_POST);

	wire_send(w, &f, "truth");
	f.call += 2;
	wire_send(w, &f, "truth");
}

/* Only where the node posts to us: its test module does, by the control lane. */
static void tell_ack_ahead(struct wire *w)
{
	struct krg_frame got, f = { .type = KRG_FRAME_ACK, .lane = w->lane };
	char command[64];

	snprintf(command, sizeof(command), "post %d 1 3 0", self.ident.from);
	if (ctl(command, NULL, 0))
		die("the node does not post");
	do {
		if (wire_receive(w, &got, payload, WIRE_PATIENCE) != WIRE_FRAME)
			die("the node does not post");
	} while (got.type != KRG_FRAME_POST);
	f.call = got.call + 4;
	wire_send(w, &f, payload);
}

/* Charged requests that the node cannot be done with, more than its window holds. */
static void tell_overrun(struct wire *w)
{
	struct krg_frame f;
	u32 sent = 0;

	while (sent <= window[w->lane] + WIRE_MAX) {
		/* On the bulk lane they wait for an epoch: thousands of threads tell no more. */
		f = w->lane ? request(w, SINK, WIRE_MAX - 1024) : request(w, BLOCK, BLOCK_MAX);
		f.flags = KRG_FRAME_CHARGED;
		f.epoch = self.epoch + w->lane;
		if (!wire_send(w, &f, payload))
			return;
		sent += 1024 + f.length;
	}
}

/* The node owes us more than it should keep: each answer is ready before the next question. */
static void tell_deaf(struct wire *w)
{
	long served = counter(w->lane, "served"), garbage = counter(w->lane, "garbage");
	struct krg_frame f;

	for (long n = 1; n << 16 < 256l << 20; n++) {
		f = request(w, ECHO, WIRE_MAX / 16);
		if (!wire_send(w, &f, payload))
			return;
		while (n % 16 == 0 && counter(w->lane, "served") < served + n)
			if (counter(w->lane, "garbage") != garbage)
				return;
	}
}

/* Requests for an epoch that will not come: the node may keep some, but not all. */
static void tell_future(struct wire *w)
{
	struct krg_frame f = { .type = KRG_FRAME_ONEWAY, .lane = w->lane, .service = SINK };

	f.epoch = self.epoch + 1;
	f.length = lane_max[w->lane];
	for (u32 sent = 0; sent < 256u << 20; sent += f.length)
		if (!wire_send(w, &f, payload))
			return;
}

const struct lie lies[] = {
	{ .name = "noise", .why = "not a krg frame", .tell = tell_noise },
	{ .name = "a handshake again", .why = "not a krg frame", .tell = tell_handshake },
	{ .name = "wrong tag", .why = "wrong authentication tag", .tell = tell_wrong_tag },
	{ .name = "payload changed", .why = "wrong authentication tag", .tell = tell_bent_payload },
	{ .name = "the other direction's key", .why = "wrong authentication tag", .tell = tell_wrong_key },
	{ .name = "replayed frame", .why = "wrong authentication tag", .tell = tell_replay },
	{ .name = "frame left out", .why = "wrong authentication tag", .tell = tell_gap },
	{ .name = "frames swapped", .why = "wrong authentication tag", .tell = tell_swapped },
	{ .name = "frame of an old connection", .why = "wrong authentication tag", .tell = tell_old },
	{ .name = "longest frame, wrong tag", .why = "wrong authentication tag", .tell = tell_long_wrong_tag },
	{ .name = "65 bytes for a service of 64", .why = "longer than its service takes", .tell = tell_long_later },
	{ .name = "4097 bytes for a service of 4096", .why = "longer than its service takes", .tell = tell_long_block },
	{ .name = "one-way of 65 bytes for 64", .why = "longer than its service takes", .tell = tell_long_oneway },
	{ .name = "more than the window holds", .why = "more requests than the window holds", .tell = tell_overrun },
	{ .name = "a post left out", .why = "posts before this one are missing", .tell = tell_post_gap },
	{ .name = "asking without reading", .why = "asks without reading the answers", .tell = tell_deaf },
	{ .name = "asking for the future", .why = "asks without waiting to be served", .tell = tell_future },
	{ .name = NULL },
};

const struct lie ack_ahead = {
	.name = "an ack of what was not posted",
	.why = "acknowledges what was not posted",
	.tell = tell_ack_ahead,
};

const struct lie long_reply = {
	.name = "reply longer than the call takes",
	.why = "longer than its service takes",
	.tell = tell_long_reply,
};
