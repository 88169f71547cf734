/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One order for the operations of all nodes: what happens to one node, and what it
 * is to do. Why it is right: Documentation/order-protocol.md.
 *
 *              CHANGE            VIEW entry of this epoch
 *      OUT -----------> SYNC ----------------------------> RUN
 *       ^                | ^  <------- CHANGE --------------+
 *       |  no quorum     v |  quorum                        |
 *       +--- LEAVE --- STOPPED <------ no quorum -----------+
 *
 *   SYNC		a REPORT of what it has goes to the leader, the lowest member. With
 *		all REPORTs in, the leader tells who has most to LEAD: that one is the
 *		sequencer. It sends to each member what that one misses; when they
 *		have it, a SNAPSHOT to those who have nothing; then the VIEW entry.
 *   RUN		members REQUEST; the sequencer numbers, everybody appends and
 *		ACKs. What all have is stable: done, and forgotten.
 *
 * State and event in, state and actions out. Entries, operations and snapshots are
 * bytes the caller keeps; here they are numbers. After one or more events comes a
 * krg_order_pump(): it says what is to be sent.
 */
#ifndef KRG_CLUSTER_CORE_ORDER_H
#define KRG_CLUSTER_CORE_ORDER_H

#include <krg/core.h>
#include "mask.h"

#define KRG_ORDER_OWN		16	/* own operations under way; a power of two */
#define KRG_ORDER_CHUNK_MAX	(30u << 10)	/* of a snapshot, in one message */
#ifndef KRG_ORDER_CHUNKS	/* tests have less */
#define KRG_ORDER_CHUNKS	(32 * KRG_ORDER_CHUNK_MAX)	/* bytes under way to a node */
#endif
#define KRG_ORDER_LAZY		64	/* stable entries a node isn't told of at once */

enum krg_order_phase {
	KRG_ORDER_OUT,		/* in no cluster */
	KRG_ORDER_STOPPED,	/* on a side without quorum */
	KRG_ORDER_SYNC,
	KRG_ORDER_RUN,
	KRG_ORDER_PHASES,
};

enum krg_order_msg_type {		/* on the wire: never changed */
	KRG_ORDER_REPORT = 1,		/* to the leader: what I have */
	KRG_ORDER_LEAD,			/* leader: be the sequencer; all reports */
	KRG_ORDER_SNAPSHOT,		/* sequencer: a chunk of the state as of @number */
	KRG_ORDER_GOT,			/* so much of it has come */
	KRG_ORDER_ENTRY,		/* sequencer: entry @number */
	KRG_ORDER_ACK,			/* I have all entries up to @number */
	KRG_ORDER_STABLE,		/* sequencer: all others have all up to @number */
	KRG_ORDER_REQUEST,		/* to the sequencer: put this in the order */
	KRG_ORDER_MSGS,
};

enum krg_order_kind {			/* of an entry; on the wire */
	KRG_ORDER_OP = 1,		/* an operation */
	KRG_ORDER_VIEW,			/* a view begins */
	KRG_ORDER_KINDS,
};

/**
 * struct krg_order_view - what the VIEW entry says, to all in its place in the order
 * @epoch: of the view
 * @machines: those whose state all members have
 * @members: who is in it
 * @dead: who was in the last one and is not, or is but died meanwhile
 */
struct krg_order_view {
	u32 epoch;
	u32 machines;
	struct krg_mask members;
	struct krg_mask dead;
};

/**
 * struct krg_order_report - what a node has
 * @last: number of its last entry
 * @machines: those whose state it has, or which it can be given
 * @fresh: nothing at all
 * @newborn: not told to all by a VIEW entry yet
 */
struct krg_order_report {
	u64 last;
	u32 machines;
	bool fresh;
	bool newborn;
};

/**
 * struct krg_order_msg - a message; see order_wire.h for what belongs to which type
 * @type: enum krg_order_msg_type
 * @kind: ENTRY: enum krg_order_kind
 * @machine: ENTRY of an operation, REQUEST: for which machine
 * @fresh: REPORT
 * @newborn: REPORT
 * @epoch: the sender's
 * @origin: ENTRY of an operation: who submitted it
 * @number: see the types
 * @hint: ENTRY: all others have all up to here
 * @serial: ENTRY of an operation, REQUEST: number among the origin's
 * @machines: REPORT
 * @offset: SNAPSHOT: of the chunk; GOT: up to where
 * @total: SNAPSHOT: bytes of the whole
 * @len: bytes at @data
 * @data: ENTRY of an operation, REQUEST: the operation; SNAPSHOT: the chunk
 * @view: ENTRY of a view
 * @members: LEAD: who is at @report
 * @report: LEAD: of all members, by node
 */
struct krg_order_msg {
	u8 type;
	u8 kind;
	u8 machine;
	bool fresh;
	bool newborn;
	u16 origin;
	u32 epoch;
	u64 number;
	u64 hint;
	u32 serial;
	u32 machines;
	u32 offset;
	u32 total;
	u32 len;
	const void *data;
	const struct krg_order_view *view;
	struct krg_mask members;
	const struct krg_order_report *report;
};

enum krg_order_event_type {
	KRG_ORDER_EV_CHANGE,	/* a new view: @epoch, @quorate, @members, @machines here */
	KRG_ORDER_EV_LEAVE,	/* we are in no cluster any more */
	KRG_ORDER_EV_MSG,	/* @msg from @from, asked krg_order_accept() */
	KRG_ORDER_EV_SUBMIT,	/* an operation of ours; krg_order_room() said yes */
	KRG_ORDER_EV_TAKEN,	/* answer to KRG_ORDER_TAKE: @total bytes */
	KRG_ORDER_EV_RESTORED,	/* answer to KRG_ORDER_RESTORE: @shared, @machines */
	KRG_ORDER_EV_BROKEN,	/* the other: what came can't be restored */
	KRG_ORDER_EVENTS,
};

/**
 * struct krg_order_shared - what the order itself keeps, alike on all nodes; in snapshots
 * @members: of the last VIEW entry
 * @machines: of it
 * @ordered: serial of each node's last operation, in whichever of its lives
 */
struct krg_order_shared {
	struct krg_mask members;
	u32 machines;
	u32 ordered[KRG_NODES];
};

struct krg_order_event {
	u8 type;
	bool quorate;
	u16 from;
	u32 epoch;
	u32 total;
	u32 machines;
	struct krg_mask members;
	const struct krg_order_msg *msg;
	const struct krg_order_shared *shared;
};

/* What the caller is to do, in this order. */
enum krg_order_act {
	KRG_ORDER_PHASE,	/* the phase was @from */
	KRG_ORDER_SEND,		/* @msg to @node: ENTRY, REQUEST, SNAPSHOT: from @first on */
	KRG_ORDER_APPEND,	/* what came is entry @last: keep, apply it; @own: ours, @first */
	KRG_ORDER_BEGIN,	/* entry @last is krg_order.begin: keep it, and apply it */
	KRG_ORDER_DONE,		/* our operation @first has been applied everywhere */
	KRG_ORDER_DROP,		/* ours from @first to @last are given up: @error */
	KRG_ORDER_FORGET,	/* entries up to @last are not needed any more */
	KRG_ORDER_TAKE,		/* take a snapshot; then EV_TAKEN */
	KRG_ORDER_UNTAKE,	/* it is not needed any more */
	KRG_ORDER_CHUNK,	/* what came is a part of a snapshot: keep it */
	KRG_ORDER_UNCHUNK,	/* the parts are not needed any more */
	KRG_ORDER_RESTORE,	/* it is complete; then EV_RESTORED or EV_BROKEN */
	KRG_ORDER_RESET,	/* forget everything */
};

struct krg_order_action {
	u8 type;
	u8 msg;
	u8 from;
	bool own;
	u16 node;
	s32 error;
	u32 serial;	/* APPEND of an operation of our own */
	u64 first;
	u64 last;
	u64 hint;
};

/* At most: to each member a part of the snapshot and entries; each operation ordered, done. */
#define KRG_ORDER_OUT_MAX	(2 * KRG_NODES + 2 * KRG_ORDER_OWN + 16)

struct krg_order_out {
	unsigned int count;
	struct krg_order_action act[KRG_ORDER_OUT_MAX];
};

/* What the sequencer knows of a member. */
struct krg_order_follower {
	u64 next;	/* entry to be sent next */
	u64 acked;	/* has all up to here */
	u64 told;	/* knows that the others have all up to here */
	u64 own;	/* its own last entry: it waits to hear of it */
	u32 sent;	/* bytes of the snapshot */
	u32 got;
	bool fresh;	/* needs it */
};

/**
 * struct krg_order - one node
 * @self: this node
 * @phase: enum krg_order_phase; written by krg_order_move() only
 * @fresh: has no state
 * @newborn: no VIEW entry has come since it was fresh: who has its state knows of its
 *	life before only, if of any
 * @taking: KRG_ORDER_TAKE has not been answered
 * @restoring: KRG_ORDER_RESTORE has not been answered
 * @bugs: what can't be
 * @sequencer: of this view, or KRG_NO_NODE
 * @epoch: of the view
 * @members: nodes in it
 * @machines: those whose state we have, or can be given
 * @last: number of the last entry; all up to it are applied
 * @stable: all members have all up to here; we keep those behind
 * @others: all others have
 * @acked: up to where the sequencer was told that we have
 * @shared: see there
 * @own_first: first of our operations that is not done
 * @own_applied: first that is not in the order, as far as we have it
 * @own_sent: first that was not sent
 * @own_next: first that was not submitted
 * @own_number: where in the order; of those before @own_applied
 * @rx_number: of the snapshot that comes
 * @rx_total: bytes
 * @rx_got: bytes
 * @reported: whose report has come, at the leader
 * @report: of each, at the leader and at the sequencer
 * @begin: the VIEW entry, at the sequencer
 * @tx_number: of the snapshot that we send
 * @tx_total: bytes; 0 = none
 * @follower: of each member but us, at the sequencer
 */
struct krg_order {
	u16 self;
	u8 phase;
	bool fresh;
	bool newborn;
	bool taking;
	bool restoring;
	unsigned int bugs;
	int sequencer;
	u32 epoch;
	struct krg_mask members;
	u32 machines;
	u64 last;
	u64 stable;
	u64 others;
	u64 acked;
	struct krg_order_shared shared;
	u64 own_first;
	u64 own_applied;
	u64 own_sent;
	u64 own_next;
	u64 own_number[KRG_ORDER_OWN];
	u64 rx_number;
	u32 rx_total;
	u32 rx_got;
	struct krg_mask reported;
	struct krg_order_report report[KRG_NODES];
	struct krg_order_view begin;
	u64 tx_number;
	u32 tx_total;
	struct krg_order_follower follower[KRG_NODES];
};

/* When a message is to be taken. */
enum krg_order_when {
	KRG_ORDER_NOW,
	KRG_ORDER_HOLD,		/* after the next view */
	KRG_ORDER_NEVER,	/* drop it */
};

void krg_order_init(struct krg_order *o, unsigned int self);
int krg_order_event(struct krg_order *o, const struct krg_order_event *ev,
		    struct krg_order_out *out);
void krg_order_pump(struct krg_order *o, struct krg_order_out *out);
enum krg_order_when krg_order_accept(const struct krg_order *o, unsigned int from, u32 epoch);
bool krg_order_room(const struct krg_order *o);
u32 krg_order_serial(const struct krg_order *o, u64 own);

/* Between the files of this folder. */
struct krg_order_action *krg_order_add(struct krg_order_out *out, u8 type);
void krg_order_move(struct krg_order *o, u8 to, struct krg_order_out *out);
void krg_order_append(struct krg_order *o, u8 kind, unsigned int origin, u32 serial,
		      const struct krg_order_view *view, struct krg_order_out *out);
void krg_order_change(struct krg_order *o, const struct krg_order_event *ev,
		      struct krg_order_out *out);
void krg_order_leave(struct krg_order *o, struct krg_order_out *out);
int krg_order_on_report(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
			struct krg_order_out *out);
int krg_order_on_lead(struct krg_order *o, unsigned int from, const struct krg_order_msg *msg,
		      struct krg_order_out *out);
int krg_order_on_taken(struct krg_order *o, u32 total, struct krg_order_out *out);
int krg_order_on_snapshot(struct krg_order *o, unsigned int from,
			  const struct krg_order_msg *msg, struct krg_order_out *out);
int krg_order_on_restored(struct krg_order *o, const struct krg_order_event *ev,
			  struct krg_order_out *out);
void krg_order_catch_up(struct krg_order *o, struct krg_order_out *out);
void krg_order_break(struct krg_order *o, struct krg_order_out *out);

#endif
