/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A rule of the protocol as data. Of the rules for an event the first whose
 * states and guard hold is followed: its actions in order, then its next state.
 *
 * Numbers are for people and traces; they are not reused. 1..4 and those whose
 * result is -EPROTO are errors of a peer: nothing is changed.
 */
#ifndef KRG_KDDM_CORE_TABLE_H
#define KRG_KDDM_CORE_TABLE_H

#include "kddm.h"

#define KRG_KDDM_RULE_ACTS 5
#define KRG_KDDM_SAME 0xff

/**
 * struct krg_kddm_rule - one row
 * @nr: its number
 * @event: enum krg_kddm_event_type
 * @guard: enum krg_kddm_guard
 * @states: bits of enum krg_kddm_state
 * @next: enum krg_kddm_state, or KRG_KDDM_SAME
 * @result: what krg_kddm_event() returns
 * @act: enum krg_kddm_act, 0 ends
 * @note: in words
 */
struct krg_kddm_rule {
	u16 nr;
	u8 event;
	u8 guard;
	u16 states;
	u8 next;
	s16 result;
	u8 act[KRG_KDDM_RULE_ACTS];
	const char *note;
};

struct krg_kddm_table {
	const struct krg_kddm_rule *rule;
	unsigned int count;
	const char *name;
};

extern const struct krg_kddm_table krg_kddm_table_ops;	/* operations */
extern const struct krg_kddm_table krg_kddm_table_copy;	/* messages about a copy */
extern const struct krg_kddm_table krg_kddm_table_dir;	/* messages to the manager */
extern const struct krg_kddm_table krg_kddm_table_drain;	/* messages in DRAIN */
extern const struct krg_kddm_table krg_kddm_table_rebuild;	/* messages in REBUILD */
extern const struct krg_kddm_table krg_kddm_table_view;	/* steps of a view change */

/* Conditions. What each means is in guard.c. */
enum krg_kddm_guard {
#define GUARD(name) KRG_KDDM_IF_##name,
#include "guards.h"
#undef GUARD
	KRG_KDDM_GUARDS_END,
};

/* Actions. What each does is in act.c. */
enum krg_kddm_act {
#define ACT(name) KRG_KDDM_DO_##name,
#include "acts.h"
#undef ACT
	KRG_KDDM_ACTS_END,
};

/* How the tables are written. */
#define IN(s)		(1u << KRG_KDDM_##s)
#define ANY		((1u << KRG_KDDM_STATES) - 1)
#define RULE(n, e, st, g, to, res, text, ...) { \
	.nr = (n), .event = KRG_KDDM_##e, .guard = KRG_KDDM_IF_##g, .states = (st), \
	.next = KRG_KDDM_##to, .result = (res), .act = { __VA_ARGS__ }, .note = (text), \
}

#define A(name)		KRG_KDDM_DO_##name
#define NAME(name)	#name

/**
 * struct krg_kddm_step - an event on its way through the tables
 * @o: the object
 * @env: its surroundings
 * @ev: what is looked at now: the event, or what we sent to ourselves
 * @out: what comes of it
 * @to_self: messages to ourselves, in order
 * @queued: how many
 */
struct krg_kddm_step {
	struct krg_kddm_object *o;
	const struct krg_kddm_env *env;
	const struct krg_kddm_msg *ev;
	struct krg_kddm_out *out;
	struct krg_kddm_msg to_self[4];
	unsigned int queued;
};

bool krg_kddm_put_off(const struct krg_kddm_object *o);
bool krg_kddm_guard(const struct krg_kddm_step *s, unsigned int guard);
int krg_kddm_act(struct krg_kddm_step *s, unsigned int act);
const struct krg_kddm_rule *krg_kddm_rule_of(const struct krg_kddm_step *s);
const char *krg_kddm_guard_name(unsigned int guard);
const char *krg_kddm_act_name(unsigned int act);

#endif
