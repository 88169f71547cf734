/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decisions of membership: state and event in, new state and actions out.
 *
 * One struct krg_membership is what one node knows. Everything that happens to
 * it is a struct krg_event given to krg_membership_event(); everything it wants
 * done comes back in struct krg_out. It keeps no time, sends nothing itself and
 * may lose, repeat or reorder any message.
 *
 *   member.c	a node's states and the table of legal moves
 *   lease.c	clocks: stamps, leases, when a node is dead
 *   quorum.c	what happens when the cluster splits
 *   beacon.c	what a beacon tells
 *   change.c	the two-phase change of the view
 *   request.c	start, add, del, stop
 *   wire.c	bytes of beacons and messages
 *   config.c	parameters and boot words
 */
#ifndef KRG_CLUSTER_MEMBERSHIP_H
#define KRG_CLUSTER_MEMBERSHIP_H

#include <krg/core.h>
#include <krg/node_state.h>
#include "mask.h"

struct krg_node_addr {
	u32 ip;		/* IPv4, network order */
	u16 port;	/* of krg_rpc, host order; 0 = the usual one */
};

/* What the members agreed on. Entries that are not ONLINE, LEAVING or FAILED are empty. */
struct krg_view_entry {
	u64 incarnation;
	struct krg_node_addr addr;
	u8 state;
};

#define KRG_FLAGS_END	0x30		/* flags of stop: what the machines do after it */

struct krg_view {
	u32 epoch;
	bool quorate;
	u8 flags;			/* of start and stop, for all */
	struct krg_mask voters;		/* see quorum.c */
	struct krg_view_entry node[KRG_NODES];
};

/* A beacon: "I am here, I hear these, I grant these a lease". */
struct krg_beacon {
	u8 session;
	u8 node;
	u8 state;			/* own state in own view */
	bool quorate;
	u16 max_nodes;
	u32 lease_ms;
	u64 incarnation;
	struct krg_node_addr addr;
	u32 stamp;			/* sender's clock, see lease.c */
	u32 epoch;
	struct krg_mask members;	/* of the sender's view */
	struct krg_mask suspects;	/* members it no longer hears */
	struct krg_mask leased;		/* nodes whose echoed stamp carries a lease */
	u32 echo[KRG_NODES];		/* last stamp heard of each, 0 = none */
};

enum krg_msg_type {
	KRG_MSG_NONE,
	KRG_MSG_PREPARE,	/* coordinator: will you be in this view? (base, view) */
	KRG_MSG_PROMISE,	/* yes (epoch) */
	KRG_MSG_REFUSE,		/* no, I have promised (epoch) */
	KRG_MSG_COMMIT,		/* this is the view (view) */
	KRG_MSG_PULL,		/* tell me the view */
	KRG_MSG_REQUEST,	/* to the coordinator: do this (op, flags, mask) */
	KRG_MSG_REJECT,		/* it can't be done (error, node) */
	KRG_MSG_READY,		/* I am leaving and have given everything back */
	KRG_MSG_TYPES,
};

enum krg_op {
	KRG_OP_NONE,
	KRG_OP_START,
	KRG_OP_ADD,
	KRG_OP_DEL,
	KRG_OP_STOP,
	KRG_OPS,
};

struct krg_msg {
	u8 type;
	u8 op;
	u8 flags;
	s16 node;			/* what REJECT is about */
	s32 error;
	u32 epoch;
	u32 base;
	u64 from_incarnation;		/* a message of another life is dropped */
	u64 to_incarnation;
	struct krg_mask mask;
	const struct krg_view *view;
};

enum krg_event_type {
	KRG_EV_TICK,			/* time has passed */
	KRG_EV_BEACON,			/* @beacon, its MAC and session checked */
	KRG_EV_MSG,			/* @msg from @node */
	KRG_EV_OP,			/* a user wants @op with @mask and @flags */
	KRG_EV_CANCEL,			/* and no longer waits for it */
	KRG_EV_READY,			/* this node has given back everything: it may leave */
	KRG_EV_REINCARNATE,		/* answer to KRG_ACT_RESET: @incarnation */
};

struct krg_event {
	u8 type;
	u8 op;
	u8 flags;
	u16 node;
	u64 now;			/* ms, monotonic, never 0 */
	u64 incarnation;
	struct krg_mask mask;
	const struct krg_beacon *beacon;
	const struct krg_msg *msg;
};

enum krg_act {
	KRG_ACT_STATE,			/* @node moved @from -> @to */
	KRG_ACT_SEND,			/* @msg to @node; contents: krg_membership_msg() */
	KRG_ACT_BEACON,			/* broadcast krg_membership_beacon() */
	KRG_ACT_EPOCH,			/* the view changed */
	KRG_ACT_UP,			/* this node entered a cluster */
	KRG_ACT_DOWN,			/* this node is in no cluster any more */
	KRG_ACT_RESET,			/* forget all peers, then KRG_EV_REINCARNATE */
	KRG_ACT_NOTICE,			/* one line for people: @notice, @node, @a, @b */
};

enum krg_notice {
	KRG_NOTICE_DUPLICATE,		/* two machines use id @node: @a and @b */
	KRG_NOTICE_MISMATCH,		/* @node at @a has another max_nodes or lease */
	KRG_NOTICE_LOST,		/* @node is failed */
	KRG_NOTICE_REBORN,		/* @node rebooted while it was a member */
	KRG_NOTICE_EVICTED,		/* the others, @node says, go on without us */
	KRG_NOTICE_WEAKER,		/* two sides met, ours (other: @node) dissolves */
	KRG_NOTICE_QUORUM_LOST,
	KRG_NOTICE_QUORUM_REGAINED,
};

struct krg_action {
	u8 type;
	u8 msg;
	u8 from;
	u8 to;
	u8 notice;
	u16 node;
	s32 error;
	u32 epoch;
	struct krg_node_addr a;
	struct krg_node_addr b;
};

/* No event causes more: at most four moves and a message a node, a few others. */
#define KRG_OUT_MAX	(6 * KRG_NODES)

struct krg_out {
	unsigned int count;
	struct krg_action act[KRG_OUT_MAX];
};

/* What this node knows of one node. */
struct krg_member {
	u8 state;			/* written by krg_member_move() only */
	u8 beacon_state;		/* what it said of itself last */
	bool reborn;			/* heard with another incarnation while a member */
	bool ready;			/* leaving, and has given back everything */
	bool granted_now;		/* last stamp heard carries a lease */
	struct krg_node_addr addr;
	u64 incarnation;		/* 0 = never proven */
	u32 stamp;			/* last heard, echoed */
	u32 epoch;			/* what its last beacon said */
	u64 seen;			/* when a beacon came last */
	u64 heard;			/* when one came that proved it hears us */
	u64 granted;			/* when we last gave it a lease */
	u64 lease_until;		/* until when it has given us one */
	/* Somebody who says to be this node and hasn't proven to be alive yet. */
	u64 cand_incarnation;
	struct krg_node_addr cand_addr;
	u32 cand_stamp;
	u64 cand_seen;
};

/* One change of the view under way, at its coordinator. */
struct krg_proposal {
	bool active;
	u64 since;
	struct krg_mask wanted;		/* who must promise */
	struct krg_mask promised;
	struct krg_view view;
};

struct krg_want {
	u8 op;
	u8 flags;
	s16 origin;			/* who asked */
	s16 error_node;
	s32 error;
	u64 since;
	struct krg_mask mask;
};

struct krg_membership {
	u16 self;
	u8 session;
	u16 max_nodes;
	u16 nb_nodes_min;
	u64 incarnation;
	struct krg_node_addr addr;
	u32 stamp_base;
	bool muted;			/* between RESET and REINCARNATE */
	bool was_up;			/* nb_nodes_min has done its work */
	bool self_ready;
	bool stopped;			/* the last view had no members: everybody has left */
	bool unsettled;			/* a proposal was given up: promises are to be replaced */
	unsigned int bugs;		/* moves that are not in the table: never */
	u64 now;
	u64 beacon_last;
	bool beacon_soon;
	u64 duplicate_seen;		/* when somebody was proven to use our id */
	struct krg_node_addr duplicate;
	u32 epoch;
	u32 epoch_seen;			/* highest anybody spoke of */
	u32 promised_epoch;
	s16 promised_to;
	u64 promised_at;
	struct krg_mask condemned;	/* members to be failed; get no lease any more */
	struct krg_mask proven;		/* lost voters known to be dead */
	struct krg_want op;		/* what our user waits for */
	struct krg_want req;		/* what the coordinator works on */
	struct krg_view view;		/* the members, if we are one */
	struct krg_view pledge;		/* the newest view promised, not committed */
	struct krg_proposal prop;
	struct krg_member member[KRG_NODES];
};

struct krg_membership_config {
	u8 session;
	u16 self;
	u16 max_nodes;
	u16 nb_nodes_min;
	u64 incarnation;
	u32 stamp_base;
	struct krg_node_addr addr;
};

/* The entry points. */
void krg_membership_init(struct krg_membership *m, const struct krg_membership_config *cfg);
void krg_membership_event(struct krg_membership *m, const struct krg_event *ev,
			  struct krg_out *out);
void krg_membership_beacon(struct krg_membership *m, u64 now, struct krg_beacon *b);
void krg_membership_msg(const struct krg_membership *m, const struct krg_action *act,
			struct krg_msg *msg);
unsigned int krg_membership_wait(const struct krg_membership *m, u64 now);
int krg_membership_op_status(const struct krg_membership *m);
bool krg_membership_lease_valid(const struct krg_membership *m, unsigned int node, u64 now);

/* Between the files of this folder. */
bool krg_state_may_move(u8 from, u8 to);
const char *krg_state_name(u8 state);
void krg_member_move(struct krg_membership *m, unsigned int node, u8 to, struct krg_out *out);
struct krg_action *krg_out_add(struct krg_out *out, u8 type, unsigned int node);
void krg_out_send(struct krg_out *out, u8 msg, unsigned int node, u32 epoch);
void krg_out_notice(struct krg_out *out, u8 notice, unsigned int node, struct krg_node_addr a,
		    struct krg_node_addr b);

u32 krg_stamp(const struct krg_membership *m, u64 now);
u32 krg_stamp_age(const struct krg_membership *m, u64 now, u32 stamp);
bool krg_member_silent(const struct krg_membership *m, unsigned int node);
bool krg_member_gone(const struct krg_membership *m, unsigned int node);
bool krg_lease_given_expired(const struct krg_membership *m, unsigned int node);

bool krg_view_member(const struct krg_view *v, unsigned int node);
struct krg_mask krg_view_members(const struct krg_view *v);
bool krg_in_cluster(const struct krg_membership *m);
int krg_coordinator(const struct krg_membership *m);
bool krg_duplicated(const struct krg_membership *m);

void krg_beacon_event(struct krg_membership *m, const struct krg_beacon *b, struct krg_out *out);
void krg_change_msg(struct krg_membership *m, unsigned int from, const struct krg_msg *msg,
		    struct krg_out *out);
void krg_change_tick(struct krg_membership *m, struct krg_out *out);
void krg_change_advance(struct krg_membership *m, struct krg_out *out);
void krg_dissolve(struct krg_membership *m, u8 notice, unsigned int node, struct krg_out *out);
void krg_request_msg(struct krg_membership *m, unsigned int from, const struct krg_msg *msg);
void krg_request_op(struct krg_membership *m, const struct krg_event *ev, struct krg_out *out);
void krg_request_tick(struct krg_membership *m, struct krg_out *out);
bool krg_request_apply(struct krg_membership *m, struct krg_view *v, struct krg_out *out);
void krg_request_end(struct krg_membership *m, int error, int node, struct krg_out *out);

#endif
