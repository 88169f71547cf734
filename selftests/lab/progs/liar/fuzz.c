// SPDX-License-Identifier: GPL-2.0-only
/* Good and bad frames at random. */
#include "liar.h"

static u64 below(u64 n)
{
	return ((u64)random() << 31 ^ (u64)random()) % n;
}

static struct krg_frame any_frame(const struct wire *w)
{
	static const u16 services[] = { ECHO, BLOCK, PLAIN, SINK, LATER, NO_SERVICE };
	struct krg_frame f = honest(w, 1 + below(KRG_FRAME_TYPE_END - 1));

	if (f.service && f.type != KRG_FRAME_POST)
		f.service = services[below(ARRAY_SIZE(services))];
	if (f.length)
		f.length = below(3) ? below(LATER_MAX + 1) : below(WIRE_MAX / 16);
	if (f.service == BLOCK)
		f.flags = KRG_FRAME_CHARGED;
	if (f.service && f.type == KRG_FRAME_REQUEST)
		f.arg = below(3) ? 0 : below(100);
	if (f.type == KRG_FRAME_CANCEL)
		f.call -= below(8);
	if (!below(8))
		f.epoch += below(3) - 1;
	return f;
}

/* A few bytes of the header at random, most with checksum and tag put right. */
static bool say_bent(struct wire *w)
{
	struct krg_frame f = any_frame(w);
	u8 header[KRG_FRAME_HEADER];

	krg_frame_encode(&f, header);
	for (u64 n = 1 + below(3); n--;)
		header[below(sizeof(header))] ^= 1u << below(8);
	if (below(8))
		wire_fix_crc(header);
	if (below(8))
		wire_seal(w, header, payload, f.length);
	return wire_write(w, header, sizeof(header)) && wire_write(w, payload, f.length);
}

static bool say_any(struct wire *w)
{
	struct krg_frame f = any_frame(w);

	switch (below(24)) {
	case 0:
		return say_bent(w);
	case 1:
		tell_noise(w);
		return true;
	case 2:
		wire_send(w, &f, payload);
		w->seq_tx -= below(3);
		return true;
	case 3:
		tell_swapped(w);
		return true;
	case 4:
		return wire_write(w, payload, 1 + below(100));
	default:
		return wire_send(w, &f, payload);
	}
}

/*
 * As a node dials: again. Where connections come faster than they go, those that
 * have not proved themselves make room for each other.
 */
static void dial(struct wire *w, u8 lane)
{
	struct krg_hs_ident ident = self.ident;
	double end = now() + WIRE_PATIENCE / 1000;

	ident.lane = lane;
	while (!wire_open(w, &self.addr, self.key, &ident)) {
		if (now() > end)
			die("lane %d: the node refuses the key, in state %d: %m", lane, w->proof);
		wire_close(w);
		usleep(10000);
	}
}

static void part(struct wire *w)
{
	struct linger now_or_never = { .l_onoff = 1 };

	if (below(2))
		setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &now_or_never, sizeof(now_or_never));
	wire_close(w);
}

int fuzz(u8 lane, int seconds, unsigned int seed)
{
	double end = now() + seconds;
	int connections = 0, frames = 0;
	struct krg_frame got;
	struct wire w;

	self.doing = "fuzz";
	srandom(seed);
	for (; now() < end; connections++) {
		dial(&w, lane);
		for (u64 n = 1 + below(40); n-- && say_any(&w); frames++)
			while (wire_receive(&w, &got, payload, 0) == WIRE_FRAME)
				;
		part(&w);
	}
	dial(&w, lane);
	served(&w);
	wire_close(&w);
	printf("%d connections, %d frames\n", connections, frames);
	return 0;
}
