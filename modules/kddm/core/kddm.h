/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coherence protocol of containers: one object on one node.
 *
 * A struct krg_kddm_object is what one node knows of one object: its copy, and on
 * the object's manager also the directory (who owns it, who has copies). All that
 * happens to it is a struct krg_kddm_msg given to krg_kddm_event(): an operation
 * of a user, a message of a node, a step of a change of the view. What is to be
 * done comes back in struct krg_kddm_out, in order.
 *
 *     op GET, GRAB, PUT ...      +---------+   SEND message
 *     --------------------------->         +------------------->
 *     message GET, DATA ...      | object  |   UNMAP, FILL, WAKE ...
 *     --------------------------->         +------------------->
 *     VIEW, BUILD, GO            +---------+
 *
 *   kddm.h		states, messages, operations: the words
 *   table.h		a rule as data; table_op.c, table_copy.c, table_dir.c,
 *			table_view.c: the rules. They are the protocol.
 *   guard.c act.c	what the words for conditions and actions in a rule mean
 *   engine.c		finds the rule and follows it
 *   view.c		one node's way through a change of the view
 *   place.c		which node manages an object
 *   nodes.c		sets of nodes
 *
 * What it asks of its caller:
 * - messages between two nodes arrive in the order sent, in the epoch they were
 *   sent in (krg_kddm_view_accept());
 * - events of one object come one at a time, and the actions are done in order
 *   before the next event;
 * - what DO asked for and isn't done when the view changes is dropped: who asked
 *   asks again;
 * - a user who was told to WAIT tries again at the next WAKE, or stops waiting:
 *   nothing depends on it.
 *
 * Documentation/kddm-protocol.md has the ladders and the reasons.
 */
#ifndef KRG_KDDM_CORE_KDDM_H
#define KRG_KDDM_CORE_KDDM_H

#include "nodes.h"
#include "place.h"

/* What a node may do with its copy. Lower line: waits for something. */
enum krg_kddm_state {
	KRG_KDDM_I,	/* INVALID: no copy */
	KRG_KDDM_S,	/* READ, one of several copies */
	KRG_KDDM_O,	/* READ, and it is us who serve the others */
	KRG_KDDM_W,	/* WRITE: the only copy */
	KRG_KDDM_IS,	/* no copy; asked for one */
	KRG_KDDM_IW,	/* no copy; asked for ownership */
	KRG_KDDM_SW,	/* S, and asked for ownership */
	KRG_KDDM_OW,	/* O, and asked for the other copies to go */
	KRG_KDDM_AW,	/* ownership and content are here, some copies are not yet gone */
	KRG_KDDM_D,	/* dropped our copy, the manager doesn't know yet */
	KRG_KDDM_STATES,
};

/* What is in our copy. */
enum krg_kddm_content {
	KRG_KDDM_NONE,	/* nothing */
	KRG_KDDM_VOID,	/* manager: the object was never touched, or removed */
	KRG_KDDM_BLANK,	/* what the linker makes of an object never touched */
	KRG_KDDM_RAW,	/* bytes, in the buffer they came in: the linker hasn't taken them */
	KRG_KDDM_BYTES,	/* bytes, in the linker's hands */
	KRG_KDDM_LOST,	/* manager: the only copy died */
	KRG_KDDM_CONTENTS,
};

/*
 * Events. The numbers of messages are on the wire: never changed or reused.
 * M is the manager, O the owner, S a sharer, R who asks, W the witness.
 */
enum krg_kddm_event_type {
	KRG_KDDM_GET = 1,	/* R -> M  a copy, please */
	KRG_KDDM_GRAB,		/* R -> M  ownership, please */
	KRG_KDDM_DROP,		/* S -> M  I have dropped my copy */
	KRG_KDDM_EVICT,		/* O -> M  take this from me */
	KRG_KDDM_ASK,		/* R -> M  do @op */
	KRG_KDDM_FWD_GET,	/* M -> O  send @node a copy */
	KRG_KDDM_FWD_GRAB,	/* M -> O  make @node owner; it will get @acks ACKs */
	KRG_KDDM_INV,		/* M -> S  drop your copy, ACK to @node */
	KRG_KDDM_LOST_MSG,	/* M -> R  the object is lost */
	KRG_KDDM_DROPPED,	/* M -> S  I know */
	KRG_KDDM_TAKE,		/* M -> R  please GRAB it */
	KRG_KDDM_DENY,		/* EVICT or TAKE can't be done: @status */
	KRG_KDDM_DATA,		/* O -> R  a copy */
	KRG_KDDM_OWN,		/* O -> R  ownership; NONE: keep the bytes you have */
	KRG_KDDM_ACK,		/* S -> R  my copy is gone */
	KRG_KDDM_ANSWER,	/* M -> R  @op was done: @status */
	KRG_KDDM_EXIST,		/* M -> W  it exists now; tell @node that it owns it */
	KRG_KDDM_FORGET,	/* M -> W  it was removed; tell @node */
	KRG_KDDM_REPORT,	/* all -> M  while the view changes: what I have */
	KRG_KDDM_PROMOTE,	/* M -> S  while the view changes: you are O */
	KRG_KDDM_MESSAGES,

	KRG_KDDM_OP_GET = 32,	/* hold it for reading */
	KRG_KDDM_OP_GRAB,	/* hold it for writing */
	KRG_KDDM_OP_PUT_READ,
	KRG_KDDM_OP_PUT_WRITE,
	KRG_KDDM_OP_RELEASE,	/* what was granted may go again */
	KRG_KDDM_OP_FILLED,	/* FILL was done: @status */
	KRG_KDDM_OP_PREFETCH,	/* get a copy, nobody waits */
	KRG_KDDM_OP_FIND,	/* hold it for reading if it is here */
	KRG_KDDM_OP_FLUSH,	/* get rid of our copy; the manager's goes to @node */
	KRG_KDDM_OP_SYNC,	/* have the manager write it to its backing */
	KRG_KDDM_OP_REMOVE,	/* have the manager erase it */
	KRG_KDDM_OP_REPLY,	/* manager: DO is done; tell @node @status */
	KRG_KDDM_OP_ERASE,	/* manager: make it untouched again; tell @node */
	KRG_KDDM_OPS_END,

	KRG_KDDM_SETTLE = 48,	/* after each event: may what was put off be done now */
	KRG_KDDM_VIEW,		/* the old view is over, place is the new one's */
	KRG_KDDM_TELL,		/* report to the new manager */
	KRG_KDDM_BUILD,		/* manager: all have reported */
	KRG_KDDM_GO,		/* the new view begins */
	KRG_KDDM_EVENTS,
};

/* What ASK asks for. */
enum krg_kddm_ask {
	KRG_KDDM_SYNC = 1,
	KRG_KDDM_REMOVE,
	KRG_KDDM_ASKS,
};

#define KRG_KDDM_KEEP		0x01	/* FWD_GRAB: @node has the bytes already */

/* REPORT */
#define KRG_KDDM_HAS		0x01	/* I have a copy */
#define KRG_KDDM_SOLE		0x02	/* and it is the only one (WRITE) */
#define KRG_KDDM_KNOWN		0x04	/* I know that the object exists */
#define KRG_KDDM_IS_LOST	0x08	/* it was lost before */
#define KRG_KDDM_FRESH		0x10	/* I gave it away blank, all who could have got it live */
#define KRG_KDDM_WITNESSED	0x20	/* I am its witness already */

/**
 * struct krg_kddm_msg - a message, an operation, or a step of a view change
 * @type: enum krg_kddm_event_type
 * @content: DATA, OWN: enum krg_kddm_content, with RAW bytes follow
 * @op: ASK, ANSWER, REPLY: enum krg_kddm_ask
 * @flags: FWD_GRAB: KRG_KDDM_KEEP; REPORT: KRG_KDDM_HAS ...
 * @node: on whose behalf, or KRG_KDDM_NOBODY
 * @from: who sent it (given by the receiving side)
 * @acks: FWD_GRAB, OWN: how many ACKs the new owner gets
 * @status: DENY, ANSWER, FILLED, REPLY: 0 or -errno; EVICT: set by the receiving
 *	side, -ENOMEM if it has no room
 */
struct krg_kddm_msg {
	u8 type;
	u8 content;
	u8 op;
	u8 flags;
	u16 node;
	u16 from;
	u16 acks;
	s16 status;
};

#define KRG_KDDM_READERS_MAX	0xffffu
#define KRG_KDDM_WRITERS_MAX	0xffu

/* Flags of an object. */
#define KRG_KDDM_GRANTED	0x0001	/* just gained: stays until RELEASE */
#define KRG_KDDM_FILLING	0x0002	/* the linker works on it */
#define KRG_KDDM_EVICTING	0x0004	/* we want to be rid of it */
#define KRG_KDDM_EXISTS		0x0008	/* directory: touched; else untouched */
#define KRG_KDDM_NEW		0x0010	/* directory: see KRG_KDDM_FRESH */
#define KRG_KDDM_WITNESS	0x0020	/* we are witness and it exists */
#define KRG_KDDM_ASKED		0x0040	/* << op - 1: ASK sent, no ANSWER yet (0x40, 0x80) */
#define KRG_KDDM_WAS_LOST	0x0100	/* view change: reported lost */
#define KRG_KDDM_ONE_SOLE	0x0200	/* view change: @owner has reported SOLE */
#define KRG_KDDM_TOLD		0x0400	/* view change: the new witness knows it */
#define KRG_KDDM_FIRST_KEEP	0x0800	/* @first is a FWD_GRAB with KRG_KDDM_KEEP */
#define KRG_KDDM_LAST_KEEP	0x1000	/* @last is */

/**
 * struct krg_kddm_object - one object on one node, 48 bytes
 * @state: enum krg_kddm_state
 * @content: enum krg_kddm_content
 * @flags: KRG_KDDM_GRANTED ...
 * @readers: users that hold it for reading
 * @acks: ACKs not come yet; below 0, came before we knew how many
 * @owner: directory: who serves it, or KRG_KDDM_NOBODY
 * @writers: users that hold it for writing
 * @first: put off before @waiting: 0; INV for the copy we have, or asked for as a
 *	sharer; in OW a FWD_GRAB, of before our own GRAB
 * @first_node: of that message
 * @first_acks: of that message
 * @last: put off last, after @waiting: 0, FWD_GRAB or INV (only once the manager
 *	waits for a copy and with it takes over). No request follows it
 * @last_node: of that message
 * @last_acks: of that message
 * @copies: directory: who has copies, the owner excepted
 * @waiting: FWD_GETs put off
 *
 * Who has an idle object (krg_kddm_idle()) may forget it.
 */
struct krg_kddm_object {
	u8 state;
	u8 content;
	u16 flags;
	u16 readers;
	s16 acks;
	u16 owner;
	u8 writers;
	u8 first : 4;
	u8 last : 4;
	u8 first_node;
	u8 first_acks;
	u8 last_node;
	u8 last_acks;
	struct krg_kddm_nodes copies;
	struct krg_kddm_nodes waiting;
};

/* Where this node is in a change of the view, see view.h. */
enum krg_kddm_phase {
	KRG_KDDM_RUN,	/* none */
	KRG_KDDM_DRAIN,	/* the old view's last messages come in */
	KRG_KDDM_REBUILD,	/* directories are made from reports */
	KRG_KDDM_SERVE,	/* ours are ready: we answer, and begin nothing */
	KRG_KDDM_PHASES,
};

/**
 * struct krg_kddm_env - what an object doesn't know itself
 * @self: this node
 * @phase: enum krg_kddm_phase
 * @presumed: an object nobody knows of is presumed lost, krg_kddm_presumed_lost()
 * @died: a node died since the last view that came to RUN
 * @clean: nobody knows any more what was in the view before
 * @leaving: this node is on its way out of the cluster: it takes nothing
 * @place: its guardians; with KRG_KDDM_VIEW already those of the new view
 * @members: nodes of the view; with KRG_KDDM_VIEW of the new view
 * @survivors: those of them that were there before and never died since
 * @spare: list of spare bitmaps; with two in it no event fails for want of them
 */
struct krg_kddm_env {
	u16 self;
	u8 phase;
	bool presumed;
	bool died;
	bool clean;
	bool leaving;
	struct krg_kddm_place place;
	const struct krg_kddm_map *members;
	const struct krg_kddm_map *survivors;
	struct krg_kddm_map **spare;
};

/* What the caller is to do. */
enum krg_kddm_todo {
	KRG_KDDM_SEND,		/* @msg to @to and all of @set; RAW: with the bytes */
	KRG_KDDM_PROTECT,	/* local users may only read from now on */
	KRG_KDDM_UNMAP,		/* local users have no access from now on */
	KRG_KDDM_FREE,		/* the bytes are needed no more */
	KRG_KDDM_FILL,		/* give the linker its bytes (RAW, BLANK), then OP_FILLED */
	KRG_KDDM_WAKE,		/* users @msg.op; @msg.status: 0 = try again, else end: 1, -errno */
	KRG_KDDM_DO,		/* manager: do @msg.op for @msg.node, then REPLY or ERASE */
};

/* Whom WAKE wakes: bits. */
#define KRG_KDDM_WAKE_ACCESS	0x01	/* GET, GRAB */
#define KRG_KDDM_WAKE_FLUSH	0x02
#define KRG_KDDM_WAKE_SYNC	0x04	/* << op - 1 */
#define KRG_KDDM_WAKE_REMOVE	0x08
#define KRG_KDDM_WAKE_LOCAL	(KRG_KDDM_WAKE_ACCESS | KRG_KDDM_WAKE_FLUSH)
#define KRG_KDDM_WAKE_ALL	0x0f

struct krg_kddm_action {
	u8 type;
	u16 to;				/* or KRG_KDDM_NOBODY: only @set */
	struct krg_kddm_msg msg;
	struct krg_kddm_nodes set;	/* the caller's: krg_kddm_nodes_clear() it */
};

/*
 * No event follows more rules or causes more actions, whatever the number of
 * nodes: an operation or message (1 rule), what it sends to ourselves (at most 3
 * in a row: GRAB, FWD_GRAB or EXIST, OWN), and what was put off (at most readers,
 * one last message, one drop: 4 with its own). Rules have at most 5 actions.
 */
#define KRG_KDDM_RULES_MAX	12
#define KRG_KDDM_ACTIONS_MAX	24

/**
 * struct krg_kddm_out - what came of an event
 * @actions: how many at @action
 * @rules: how many at @rule
 * @rule: numbers of the rules followed, for traces and tests
 * @action: to be done in this order
 */
struct krg_kddm_out {
	u8 actions;
	u8 rules;
	u16 rule[KRG_KDDM_RULES_MAX];
	struct krg_kddm_action action[KRG_KDDM_ACTIONS_MAX];
};

/* What an operation returns beside -errno. */
#define KRG_KDDM_DONE	0
#define KRG_KDDM_WAIT	1	/* try again when woken; SYNC, REMOVE: or be answered */
#define KRG_KDDM_LATER	2	/* SYNC, REMOVE: another's is under way: only try again */

void krg_kddm_init(struct krg_kddm_object *o, const struct krg_kddm_env *env);
bool krg_kddm_idle(const struct krg_kddm_object *o, const struct krg_kddm_env *env);
int krg_kddm_event(struct krg_kddm_object *o, const struct krg_kddm_env *env,
		   const struct krg_kddm_msg *ev, struct krg_kddm_out *out);

const char *krg_kddm_state_name(unsigned int state);
const char *krg_kddm_event_name(unsigned int type);
const char *krg_kddm_content_name(unsigned int content);

#endif
