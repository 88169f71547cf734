/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One node's way through a change of the view.
 *
 *             CHANGE           all MARKs            all ENDs
 *      RUN -----------> DRAIN ------------> REBUILD ---------> (build) --+
 *       ^                 ^                    |                         |
 *       |                 +--------------------+--------- CHANGE ----+   |
 *       |   all SUREs                                                |   v
 *       +----------------------------------------------------------- SERVE
 *
 *   DRAIN	nothing is begun. A MARK is sent to every member; what comes from
 *		a member before its MARK belongs to the old view. Nodes that died or
 *		left are not listened to.
 *   REBUILD	each object steps over (VIEW) and is told to its new manager
 *		(TELL); an END to every member ends this.
 *   (build)	with all ENDs in, the manager makes its directories (BUILD).
 *   SERVE	a GO to every member: our directories are ready. With all GOs in, a
 *		SURE to every member: all directories are ready and we have heard
 *		what their managers had to tell us. Requests are answered, none is
 *		made.
 *   RUN	everybody has heard everything: what the old view knew is
 *		forgotten, and a DONE sent to every member. With all DONEs in, the
 *		view is clean: objects may be erased (before, a node could still
 *		tell of them if the view changed).
 *
 * A CHANGE at any moment begins again from DRAIN.
 */
#ifndef KRG_KDDM_CORE_VIEW_H
#define KRG_KDDM_CORE_VIEW_H

#include "kddm.h"

enum krg_kddm_view_type {
	KRG_KDDM_VIEW_MARK = 1,	/* messages, on the wire: never changed */
	KRG_KDDM_VIEW_END,
	KRG_KDDM_VIEW_GO,
	KRG_KDDM_VIEW_SURE,
	KRG_KDDM_VIEW_DONE,
	KRG_KDDM_VIEW_MESSAGES,
	KRG_KDDM_VIEW_CHANGE = 16,	/* there is a new view */
	KRG_KDDM_VIEW_TOLD,		/* KRG_KDDM_VIEW_TELL is done */
	KRG_KDDM_VIEW_BUILT,		/* KRG_KDDM_VIEW_BUILD is done */
};

#define KRG_KDDM_PAST_VIEWS	4

/**
 * struct krg_kddm_view_past - what a node knows of the views before; goes with END
 * @settled: epoch of the last view that came to RUN, anywhere we know of
 * @views: how many at @epoch and @guards: that one, and later ones that may have
 * @epoch: of each
 * @guards: who guarded objects then
 * @dead: who died since
 */
struct krg_kddm_view_past {
	u32 settled;
	u8 views;
	u32 epoch[KRG_KDDM_PAST_VIEWS];
	struct krg_kddm_map guards[KRG_KDDM_PAST_VIEWS];
	struct krg_kddm_map dead;
};

/**
 * struct krg_kddm_view_step - what happens to a node's view
 * @type: enum krg_kddm_view_type
 * @from: messages: who sent it
 * @epoch: messages and CHANGE: of the new view
 * @members: CHANGE: who is in it
 * @past: END: the sender's
 * @left: CHANGE: who left in order: had nothing any more and nothing on its way,
 *	see Documentation/kddm-protocol.md; NULL = nobody
 * @guards: CHANGE: who may be manager or witness (a member that leaves may not)
 * @again: CHANGE: members that died since the view before and came again, with
 *	nothing; NULL = nobody
 */
struct krg_kddm_view_step {
	u8 type;
	u16 from;
	u32 epoch;
	const struct krg_kddm_map *members;
	const struct krg_kddm_map *guards;
	const struct krg_kddm_map *left;
	const struct krg_kddm_map *again;
	const struct krg_kddm_view_past *past;
};

/* What the caller is to do, in this order. */
#define KRG_KDDM_VIEW_SEND_MARK	0x01	/* to all members but us, with the new epoch */
#define KRG_KDDM_VIEW_TELL	0x02	/* each object: KRG_KDDM_VIEW, _TELL; then TOLD */
#define KRG_KDDM_VIEW_SEND_END	0x04	/* with our @past */
#define KRG_KDDM_VIEW_GAPS	0x08	/* hashed sets: take note of @gap */
#define KRG_KDDM_VIEW_BUILD	0x10	/* each object: KRG_KDDM_BUILD; then BUILT */
#define KRG_KDDM_VIEW_SEND_GO	0x20
#define KRG_KDDM_VIEW_SEND_SURE	0x40
#define KRG_KDDM_VIEW_BEGIN	0x80	/* each object: KRG_KDDM_GO; send DONE; wake all */
#define KRG_KDDM_VIEW_CLEAN	0x100	/* OP_ERASE that was told to wait may try again */

/**
 * struct krg_kddm_gap - guardians that died between two views
 * @guards: the guardians before
 * @alive: members after
 *
 * What was guarded by nodes all of which died may have existed without anybody
 * left knowing.
 */
struct krg_kddm_gap {
	struct krg_kddm_map guards;
	struct krg_kddm_map alive;
};

/**
 * struct krg_kddm_view - one node's view
 * @self: this node
 * @phase: enum krg_kddm_phase
 * @epoch: of the view, in DRAIN of the view to come
 * @members: nodes in it
 * @guards: who guards objects: in DRAIN still the old view's
 * @next: who will
 * @marked: whose MARK has come
 * @ended: whose END
 * @gone: whose GO
 * @sure: whose SURE
 * @done: whose DONE
 * @past: what was before
 * @was: members since the last view that came to RUN
 * @survivors: members, but for who died and came again
 * @told: our own objects have been told
 * @gaps: how many at @gap
 * @gap: since the last view
 */
struct krg_kddm_view {
	u16 self;
	u8 phase;
	u32 epoch;
	struct krg_kddm_map members;
	struct krg_kddm_map guards;
	struct krg_kddm_map next;
	struct krg_kddm_map marked;
	struct krg_kddm_map ended;
	struct krg_kddm_map gone;
	struct krg_kddm_map sure;
	struct krg_kddm_map done;
	struct krg_kddm_map was;
	struct krg_kddm_map survivors;
	struct krg_kddm_view_past past;
	bool told;
	u8 gaps;
	struct krg_kddm_gap gap[KRG_KDDM_PAST_VIEWS];
};

/* When a message is to be taken. */
enum krg_kddm_accept {
	KRG_KDDM_NOW,
	KRG_KDDM_HOLD,		/* it and all behind it from that node: when the phase changes */
	KRG_KDDM_NEVER,		/* drop it */
};

void krg_kddm_view_init(struct krg_kddm_view *v, unsigned int self);
unsigned int krg_kddm_view_event(struct krg_kddm_view *v, const struct krg_kddm_view_step *ev);
enum krg_kddm_accept krg_kddm_view_accept(const struct krg_kddm_view *v, unsigned int from,
					  u32 epoch, u8 view_type);
bool krg_kddm_view_clean(const struct krg_kddm_view *v);
bool krg_kddm_view_died(const struct krg_kddm_view *v);
bool krg_kddm_presumed_lost(const struct krg_kddm_gap *gap, unsigned int gaps, u64 set,
			    u64 object);
bool krg_kddm_home_lost(const struct krg_kddm_gap *gap, unsigned int gaps, unsigned int home);

#endif
