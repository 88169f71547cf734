// SPDX-License-Identifier: GPL-2.0-only
/* What the actions in the tables do. Each returns 0, or -EPROTO if there is no end of them. */
#include "table.h"

#define DO(name) static int act_##name(struct krg_kddm_step *s)

static struct krg_kddm_action *todo(struct krg_kddm_step *s, u8 type)
{
	struct krg_kddm_action *a;

	if (s->out->actions == KRG_KDDM_ACTIONS_MAX)
		return NULL;
	a = &s->out->action[s->out->actions++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	a->to = KRG_KDDM_NOBODY;
	a->msg.node = KRG_KDDM_NOBODY;
	a->msg.from = s->env->self;
	return a;
}

static struct krg_kddm_msg message(struct krg_kddm_step *s, u8 type, unsigned int node)
{
	return (struct krg_kddm_msg){ .type = type, .node = node, .from = s->env->self };
}

/* What we send to ourselves is dealt with before anything else can happen. */
static int send(struct krg_kddm_step *s, unsigned int to, struct krg_kddm_msg msg)
{
	struct krg_kddm_action *a;

	if (to == s->env->self) {
		if (s->queued == ARRAY_SIZE(s->to_self))
			return -EPROTO;
		s->to_self[s->queued++] = msg;
		return 0;
	}
	a = todo(s, KRG_KDDM_SEND);
	if (!a)
		return -EPROTO;
	a->to = to;
	a->msg = msg;
	return 0;
}

static int send_set(struct krg_kddm_step *s, struct krg_kddm_nodes *set, struct krg_kddm_msg msg)
{
	struct krg_kddm_action *a;

	if (!set->count)
		return 0;
	a = todo(s, KRG_KDDM_SEND);
	if (!a)
		return -EPROTO;
	a->msg = msg;
	krg_kddm_nodes_move(&a->set, set);
	return 0;
}

static int wake(struct krg_kddm_step *s, u8 whom, int status)
{
	struct krg_kddm_action *a = todo(s, KRG_KDDM_WAKE);

	if (!a)
		return -EPROTO;
	a->msg.op = whom;
	a->msg.status = status;
	return 0;
}

static bool add(struct krg_kddm_step *s, struct krg_kddm_nodes *set, unsigned int node)
{
	return krg_kddm_nodes_add(set, node, s->env->spare);
}

/* How content travels: what the linker has goes as bytes. */
static u8 wire(const struct krg_kddm_object *o)
{
	return o->content == KRG_KDDM_BYTES ? KRG_KDDM_RAW : o->content;
}

DO(END) { return s->ev ? 0 : -EPROTO; }
DO(HOLD_READ) { s->o->readers++; return 0; }
DO(HOLD_WRITE) { s->o->writers++; return 0; }
DO(PUT_READ) { s->o->readers--; return 0; }
DO(PUT_WRITE) { s->o->writers--; return 0; }
DO(RELEASE) { s->o->flags &= ~KRG_KDDM_GRANTED; return 0; }

DO(ASK_GET)
{
	return send(s, s->env->place.manager, message(s, KRG_KDDM_GET, KRG_KDDM_NOBODY));
}

/* Who wants to write no longer wants to be rid of it. */
DO(ASK_GRAB)
{
	s->o->flags &= ~KRG_KDDM_EVICTING;
	return send(s, s->env->place.manager, message(s, KRG_KDDM_GRAB, KRG_KDDM_NOBODY));
}

DO(FILL)
{
	struct krg_kddm_action *a = todo(s, KRG_KDDM_FILL);

	if (!a)
		return -EPROTO;
	a->msg.content = s->o->content;
	s->o->flags |= KRG_KDDM_FILLING;
	return 0;
}

DO(FILLED)
{
	s->o->flags &= ~KRG_KDDM_FILLING;
	s->o->content = KRG_KDDM_BYTES;
	return 0;
}

DO(FILL_FAILED)
{
	s->o->flags &= ~KRG_KDDM_FILLING;
	return wake(s, KRG_KDDM_WAKE_ACCESS, s->ev->status) ?: wake(s, KRG_KDDM_WAKE_FLUSH, 0);
}

DO(GRANT)
{
	s->o->flags |= KRG_KDDM_GRANTED;
	return wake(s, KRG_KDDM_WAKE_LOCAL, 0);
}

DO(SEND_DROP)
{
	return send(s, s->env->place.manager, message(s, KRG_KDDM_DROP, KRG_KDDM_NOBODY));
}

DO(SEND_EVICT)
{
	s->o->flags |= KRG_KDDM_EVICTING;
	return send(s, s->env->place.manager, message(s, KRG_KDDM_EVICT, KRG_KDDM_NOBODY));
}

DO(SEND_TAKE)
{
	s->o->flags |= KRG_KDDM_EVICTING;
	return send(s, s->ev->node, message(s, KRG_KDDM_TAKE, KRG_KDDM_NOBODY));
}

static int ask(struct krg_kddm_step *s, u8 op)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_ASK, KRG_KDDM_NOBODY);

	msg.op = op;
	s->o->flags |= KRG_KDDM_ASKED << (op - KRG_KDDM_SYNC);
	return send(s, s->env->place.manager, msg);
}

DO(SEND_SYNC) { return ask(s, KRG_KDDM_SYNC); }
DO(SEND_REMOVE) { return ask(s, KRG_KDDM_REMOVE); }

static int answer(struct krg_kddm_step *s, u8 op, int status)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_ANSWER, KRG_KDDM_NOBODY);

	msg.op = op;
	msg.status = status;
	return send(s, s->ev->node, msg);
}

DO(SEND_ANSWER)
{
	return s->ev->type == KRG_KDDM_OP_ERASE ? answer(s, KRG_KDDM_REMOVE, 0) :
						  answer(s, s->ev->op, s->ev->status);
}

DO(TELL_REMOVED) { return answer(s, KRG_KDDM_REMOVE, 0); }

static void untouch(struct krg_kddm_object *o)
{
	o->content = KRG_KDDM_VOID;
	o->owner = KRG_KDDM_NOBODY;
	o->flags &= ~(KRG_KDDM_GRANTED | KRG_KDDM_EXISTS | KRG_KDDM_NEW | KRG_KDDM_WAS_LOST);
}

DO(UNTOUCH) { untouch(s->o); return 0; }

DO(MAKE_BLANK)
{
	s->o->content = KRG_KDDM_BLANK;
	s->o->flags &= ~KRG_KDDM_GRANTED;
	return 0;
}

/* Who asked is told when the witness has forgotten, or it could be called lost. */
DO(FORGET)
{
	if (s->env->place.witness == KRG_KDDM_NOBODY)
		return answer(s, KRG_KDDM_REMOVE, 0);
	return send(s, s->env->place.witness, message(s, KRG_KDDM_FORGET, s->ev->node));
}

DO(CONTENT) { s->o->content = s->ev->content; return 0; }
DO(COUNT) { s->o->acks += s->ev->acks; return 0; }
DO(EARLY) { s->o->acks--; return 0; }
DO(WAKE_LOST)
{
	return wake(s, KRG_KDDM_WAKE_ACCESS, -EIO) ?: wake(s, KRG_KDDM_WAKE_FLUSH, 0);
}

DO(WAKE_ALL) { return wake(s, KRG_KDDM_WAKE_ALL, 0); }

DO(WAKE_DENIED)
{
	s->o->flags &= ~KRG_KDDM_EVICTING;
	return wake(s, KRG_KDDM_WAKE_FLUSH, s->ev->status < 0 ? s->ev->status : -EAGAIN);
}

static int mapping(struct krg_kddm_step *s, u8 type)
{
	if (s->o->content != KRG_KDDM_BYTES)
		return 0;
	return todo(s, type) ? 0 : -EPROTO;
}

DO(PROTECT) { return mapping(s, KRG_KDDM_PROTECT); }
DO(UNMAP) { return mapping(s, KRG_KDDM_UNMAP); }

DO(FREE)
{
	u8 content = s->o->content;

	s->o->content = KRG_KDDM_NONE;
	s->o->flags &= ~KRG_KDDM_EVICTING;
	if ((content == KRG_KDDM_BYTES || content == KRG_KDDM_RAW) && !todo(s, KRG_KDDM_FREE))
		return -EPROTO;
	return wake(s, KRG_KDDM_WAKE_LOCAL, 0);
}

DO(SEND_DATA)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_DATA, KRG_KDDM_NOBODY);

	msg.content = wire(s->o);
	return send(s, s->ev->node, msg);
}

DO(SEND_DATA_ALL)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_DATA, KRG_KDDM_NOBODY);

	msg.content = wire(s->o);
	return send_set(s, &s->o->waiting, msg) ?: wake(s, KRG_KDDM_WAKE_LOCAL, 0);
}

static int own(struct krg_kddm_step *s, unsigned int to, bool keep, unsigned int acks)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_OWN, KRG_KDDM_NOBODY);

	msg.content = keep ? KRG_KDDM_NONE : wire(s->o);
	msg.acks = acks;
	return send(s, to, msg);
}

DO(SEND_OWN)
{
	return own(s, s->ev->node, s->ev->flags & KRG_KDDM_KEEP, s->ev->acks);
}

DO(OWN_FIRST)
{
	bool keep = s->o->flags & KRG_KDDM_FIRST_KEEP;

	s->o->first = 0;
	s->o->flags &= ~KRG_KDDM_FIRST_KEEP;
	return own(s, s->o->first_node, keep, s->o->first_acks);
}

DO(SEND_ACK) { return send(s, s->ev->node, message(s, KRG_KDDM_ACK, KRG_KDDM_NOBODY)); }
DO(DEFER_GET) { return add(s, &s->o->waiting, s->ev->node) ? 0 : -ENOMEM; }

DO(DEFER_LAST)
{
	s->o->last = s->ev->type;
	if (s->ev->flags & KRG_KDDM_KEEP)
		s->o->flags |= KRG_KDDM_LAST_KEEP;
	s->o->last_node = s->ev->node;
	s->o->last_acks = s->ev->acks;
	return 0;
}

DO(DEFER_FIRST)
{
	s->o->first = s->ev->type;
	if (s->ev->flags & KRG_KDDM_KEEP)
		s->o->flags |= KRG_KDDM_FIRST_KEEP;
	s->o->first_node = s->ev->node;
	s->o->first_acks = s->ev->acks;
	return 0;
}

DO(ACK_FIRST)
{
	s->o->first = 0;
	return send(s, s->o->first_node, message(s, KRG_KDDM_ACK, KRG_KDDM_NOBODY));
}

DO(ACK_LAST)
{
	s->o->last = 0;
	return send(s, s->o->last_node, message(s, KRG_KDDM_ACK, KRG_KDDM_NOBODY));
}

DO(REDO_LAST)
{
	struct krg_kddm_msg msg = message(s, s->o->last, s->o->last_node);

	msg.from = s->env->place.manager;
	msg.flags = s->o->flags & KRG_KDDM_LAST_KEEP ? KRG_KDDM_KEEP : 0;
	msg.acks = s->o->last_acks;
	s->o->last = 0;
	s->o->flags &= ~KRG_KDDM_LAST_KEEP;
	return send(s, s->env->self, msg);
}

static int deny(struct krg_kddm_step *s, int status)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_DENY, KRG_KDDM_NOBODY);

	msg.status = status;
	return send(s, s->ev->from, msg);
}

DO(SEND_DENY) { return deny(s, -EAGAIN); }
DO(DENY_NOMEM) { return deny(s, -ENOMEM); }

DO(ANSWERED)
{
	unsigned int shift = s->ev->op - KRG_KDDM_SYNC;

	s->o->flags &= ~(KRG_KDDM_ASKED << shift);
	return wake(s, KRG_KDDM_WAKE_SYNC << shift, s->ev->status < 0 ? s->ev->status : 1);
}

DO(WITNESS) { s->o->flags |= KRG_KDDM_WITNESS; return 0; }
DO(UNWITNESS) { s->o->flags &= ~KRG_KDDM_WITNESS; return 0; }

/* The first owner needs no bytes from anybody. */
static int own_blank(struct krg_kddm_step *s, unsigned int to)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_OWN, KRG_KDDM_NOBODY);

	msg.content = KRG_KDDM_BLANK;
	return send(s, to, msg);
}

DO(TELL_OWNER) { return own_blank(s, s->ev->node); }

DO(DIR_LOST)
{
	return send(s, s->ev->from, message(s, KRG_KDDM_LOST_MSG, KRG_KDDM_NOBODY));
}

DO(DIR_FIRST)
{
	s->o->content = KRG_KDDM_NONE;
	s->o->owner = s->ev->from;
	s->o->flags |= KRG_KDDM_EXISTS | KRG_KDDM_NEW;
	if (s->env->place.witness == KRG_KDDM_NOBODY)
		return own_blank(s, s->ev->from);
	return send(s, s->env->place.witness, message(s, KRG_KDDM_EXIST, s->ev->from));
}

DO(DIR_READ)
{
	if (!add(s, &s->o->copies, s->ev->from))
		return -ENOMEM;
	return send(s, s->o->owner, message(s, KRG_KDDM_FWD_GET, s->ev->from));
}

DO(DIR_READ_OWN)
{
	unsigned int owner = s->o->owner;

	if (!add(s, &s->o->copies, owner))
		return -ENOMEM;
	s->o->owner = s->env->self;
	return send(s, owner, message(s, KRG_KDDM_FWD_GET, s->env->self));
}

static int invalidate(struct krg_kddm_step *s)
{
	return send_set(s, &s->o->copies, message(s, KRG_KDDM_INV, s->ev->from));
}

DO(DIR_KEEP)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_OWN, KRG_KDDM_NOBODY);

	msg.acks = s->o->copies.count;
	return invalidate(s) ?: send(s, s->ev->from, msg);
}

static int new_owner(struct krg_kddm_step *s, u8 flags)
{
	struct krg_kddm_msg msg = message(s, KRG_KDDM_FWD_GRAB, s->ev->from);
	unsigned int owner = s->o->owner;

	msg.flags = flags;
	msg.acks = s->o->copies.count;
	s->o->owner = s->ev->from;
	s->o->flags &= ~KRG_KDDM_NEW;
	return invalidate(s) ?: send(s, owner, msg);
}

DO(DIR_UPGRADE)
{
	krg_kddm_nodes_del(&s->o->copies, s->ev->from, s->env->spare);
	return new_owner(s, KRG_KDDM_KEEP);
}

DO(DIR_GRAB) { return new_owner(s, 0); }

DO(DIR_DROP)
{
	krg_kddm_nodes_del(&s->o->copies, s->ev->from, s->env->spare);
	return 0;
}

DO(SEND_DROPPED)
{
	return send(s, s->ev->from, message(s, KRG_KDDM_DROPPED, KRG_KDDM_NOBODY));
}

DO(DO)
{
	struct krg_kddm_action *a = todo(s, KRG_KDDM_DO);

	if (!a)
		return -EPROTO;
	a->msg.op = s->ev->op;
	a->msg.node = s->ev->from;
	return 0;
}

/*
 * Did everybody live who may have got what was given away blank. Only who gave it
 * away can tell: not who had this from a report, in a change that was begun anew.
 */
static bool still_new(const struct krg_kddm_step *s)
{
	if ((s->o->flags & (KRG_KDDM_NEW | KRG_KDDM_ONE_SOLE)) != KRG_KDDM_NEW)
		return false;
	return krg_kddm_map_has(s->env->survivors, s->o->owner) &&
	       krg_kddm_nodes_within(&s->o->copies, s->env->survivors);
}

DO(RESET)
{
	struct krg_kddm_object *o = s->o;

	if (!still_new(s))
		o->flags &= ~KRG_KDDM_NEW;
	o->flags &= ~(KRG_KDDM_EVICTING | KRG_KDDM_ASKED | KRG_KDDM_ASKED << 1 |
		      KRG_KDDM_ONE_SOLE | KRG_KDDM_TOLD | KRG_KDDM_FIRST_KEEP |
		      KRG_KDDM_LAST_KEEP);
	if (o->content == KRG_KDDM_LOST)
		o->flags |= KRG_KDDM_WAS_LOST;
	if (o->content == KRG_KDDM_LOST || o->content == KRG_KDDM_VOID)
		o->content = KRG_KDDM_NONE;
	o->acks = 0;
	o->first = 0;
	o->last = 0;
	o->owner = KRG_KDDM_NOBODY;
	krg_kddm_nodes_clear(&o->waiting, s->env->spare);
	krg_kddm_nodes_clear(&o->copies, s->env->spare);
	return 0;
}

DO(VANISH)
{
	s->o->flags = 0;
	return wake(s, KRG_KDDM_WAKE_ALL, -EIO);
}

DO(REPORT)
{
	const struct krg_kddm_object *o = s->o;
	struct krg_kddm_msg msg = message(s, KRG_KDDM_REPORT, KRG_KDDM_NOBODY);

	if (o->content != KRG_KDDM_NONE)
		msg.flags |= KRG_KDDM_HAS;
	if (o->state == KRG_KDDM_W)
		msg.flags |= KRG_KDDM_SOLE;
	if (o->flags & (KRG_KDDM_WITNESS | KRG_KDDM_EXISTS))
		msg.flags |= KRG_KDDM_KNOWN;
	if (o->flags & KRG_KDDM_WITNESS)
		msg.flags |= KRG_KDDM_WITNESSED;
	if (o->flags & KRG_KDDM_WAS_LOST)
		msg.flags |= KRG_KDDM_IS_LOST;
	if (o->flags & KRG_KDDM_NEW)
		msg.flags |= KRG_KDDM_FRESH;
	return send(s, s->env->place.manager, msg);
}

DO(MERGE)
{
	struct krg_kddm_object *o = s->o;
	u8 flags = s->ev->flags;

	if (flags & KRG_KDDM_HAS && !add(s, &o->copies, s->ev->from))
		return -ENOMEM;
	if (flags & KRG_KDDM_SOLE) {
		o->owner = s->ev->from;
		o->flags |= KRG_KDDM_ONE_SOLE;
	}
	if (flags & (KRG_KDDM_KNOWN | KRG_KDDM_HAS))
		o->flags |= KRG_KDDM_EXISTS;
	if (flags & KRG_KDDM_IS_LOST)
		o->flags |= KRG_KDDM_WAS_LOST;
	if (flags & KRG_KDDM_FRESH)
		o->flags |= KRG_KDDM_NEW;
	if (flags & KRG_KDDM_WITNESSED && s->ev->from == s->env->place.witness)
		o->flags |= KRG_KDDM_TOLD;
	return 0;
}

static void built(struct krg_kddm_step *s, unsigned int owner)
{
	krg_kddm_nodes_del(&s->o->copies, owner, s->env->spare);
	s->o->owner = owner;
	s->o->flags |= KRG_KDDM_EXISTS;
	s->o->flags &= ~(KRG_KDDM_NEW | KRG_KDDM_WAS_LOST | KRG_KDDM_ONE_SOLE);
}

DO(BUILD_SOLE) { built(s, s->o->owner); return 0; }
DO(BUILD_SELF) { built(s, s->env->self); return 0; }

DO(BUILD_OTHER)
{
	built(s, krg_kddm_nodes_lowest(&s->o->copies));
	return send(s, s->o->owner, message(s, KRG_KDDM_PROMOTE, KRG_KDDM_NOBODY));
}

DO(BUILD_LOST)
{
	built(s, s->env->self);
	s->o->content = KRG_KDDM_LOST;
	return 0;
}

DO(BUILD_VOID) { untouch(s->o); return 0; }

DO(WITNESS_TELL)
{
	if (s->env->place.witness == KRG_KDDM_NOBODY || s->o->flags & KRG_KDDM_TOLD)
		return 0;
	return send(s, s->env->place.witness, message(s, KRG_KDDM_EXIST, KRG_KDDM_NOBODY));
}

DO(GO)
{
	if (s->env->place.witness != s->env->self)
		s->o->flags &= ~KRG_KDDM_WITNESS;
	if (s->env->place.manager != s->env->self)
		s->o->flags &= ~(KRG_KDDM_EXISTS | KRG_KDDM_NEW | KRG_KDDM_WAS_LOST);
	s->o->flags &= ~KRG_KDDM_TOLD;
	return wake(s, KRG_KDDM_WAKE_ALL, 0);
}

typedef int act_fn(struct krg_kddm_step *s);

static act_fn *const acts[] = {
#define ACT(name) act_##name,
#include "acts.h"
#undef ACT
};

/**
 * krg_kddm_act - do one action of a rule
 * @s: the event at hand
 * @act: enum krg_kddm_act
 *
 * Return: 0; -EPROTO if more would come of the event than ever can, -ENOMEM if
 * there was no spare bitmap.
 */
int krg_kddm_act(struct krg_kddm_step *s, unsigned int act)
{
	return acts[act](s);
}

/**
 * krg_kddm_act_name - the word for an action
 * @act: enum krg_kddm_act
 */
const char *krg_kddm_act_name(unsigned int act)
{
	static const char *const names[] = {
#define ACT(name) NAME(name),
#include "acts.h"
#undef ACT
	};

	return act < ARRAY_SIZE(names) ? names[act] : "?";
}
