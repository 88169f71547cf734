/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rpc_liar ADDR NAMESPACE KEY EPOCH FROM FROM-INC TO TO-INC lies
 * rpc_liar …                                               fuzz LANE SECONDS SEED | hello
 *
 * A peer that holds the session's key and breaks the protocol. It proves itself
 * to node TO at ADDR as node FROM, shows that it is served, and then lies:
 *
 *   lies   each thing a frame may not be, one after the other, on both lanes. What
 *          the node has to do is in the table: drop the connection, count it, say why
 *          in the log; or go on. Then it must serve a new connection, and what the
 *          liar had running there must have ended.
 *   fuzz   good and bad frames at random, until the time is over.
 *   hello  none: it takes the lanes over from the real FROM, and goes.
 *
 * Whatever the node sends must be good frames. NAMESPACE is the network namespace of
 * TO, where its counters are read through krg_rpc_test.
 */
#ifndef RPC_LIAR_H
#define RPC_LIAR_H

#include "wire.h"

#define LANES		2

/* Services of krg_rpc and krg_rpc_test, and the longest request to each. */
enum {
	ECHO = 1,
	BLOCK = 0xff00, BLOCK_MAX = 4096,
	PLAIN = 0xff01,
	SINK = 0xff02,
	LATER = 0xff03, LATER_MAX = 64,
	POSTS = 0xff04,
	NO_SERVICE = 0xfeee,
};

/**
 * struct lie - one way to break the protocol
 * @name: for people
 * @why: what the node's log must say; NULL: it is odd, but the node goes on
 * @tell: does it, once proved; NULL: an honest frame with one field changed
 * @type: of that frame
 * @at: where in its header
 * @size: bytes that change
 * @value: little endian, what they become
 */
struct lie {
	const char *name;
	const char *why;
	void (*tell)(struct wire *w);
	u8 type;
	u8 at, size;
	u32 value;
};

struct self {
	struct sockaddr_in addr;
	const char *key;
	u32 epoch;
	struct krg_hs_ident ident;
	int own_ns, node_ns, log;
	const char *doing;
};

extern struct self self;
extern u8 payload[WIRE_MAX + 1];
extern const u32 lane_max[LANES];

/* node.c: the node as its test module and its log show it */
struct before {
	long garbage;
	int handlers;
	long available;
};

int ctl(const char *command, char *out, size_t size);
long counter(u8 lane, const char *name);
bool log_says(const char *why);
struct before before(u8 lane);
void nothing_left(u8 lane, const struct before *b);
void nothing_wrong(u8 lane, const struct before *b);
double now(void);
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* honest.c: what a good peer does */
void hello(struct wire *w, u8 lane);
struct krg_frame request(const struct wire *w, u16 service, u32 len);
struct krg_frame honest(const struct wire *w, u8 type);
struct krg_frame reply_to(struct wire *w, u64 call);
void served(struct wire *w);
void dropped(struct wire *w);
struct krg_frame called(struct wire *w, pid_t *caller);
void caller_ends(pid_t caller, int want);

/* fields.c, lies.c, odd.c: the lies, ended by one without a name */
extern const struct lie fields[], lies[], oddities[], long_reply, ack_ahead;
void tell_field(struct wire *w, const struct lie *lie);
void tell_noise(struct wire *w);
void tell_swapped(struct wire *w);

/* fuzz.c */
int fuzz(u8 lane, int seconds, unsigned int seed);

#endif
