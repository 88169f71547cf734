// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes an event through the tables: checks it, finds its rule, follows it; then
 * does the same with what the node sent to itself, and with what was put off and
 * may be done now.
 */
#include "table.h"

/* Errors of a peer that are found before any table is looked at. */
#define RULE_MALFORMED		1
#define RULE_NOT_FROM_MANAGER	2
#define RULE_NOT_MANAGER	3
#define RULE_NONE		4

#define BIT_OF(type)	((u32)1 << (type))
#define TO_MANAGER	(BIT_OF(KRG_KDDM_GET) | BIT_OF(KRG_KDDM_GRAB) | BIT_OF(KRG_KDDM_DROP) | \
			 BIT_OF(KRG_KDDM_EVICT) | BIT_OF(KRG_KDDM_ASK))
#define FROM_MANAGER	(BIT_OF(KRG_KDDM_FWD_GET) | BIT_OF(KRG_KDDM_FWD_GRAB) | \
			 BIT_OF(KRG_KDDM_INV) | BIT_OF(KRG_KDDM_LOST_MSG) | \
			 BIT_OF(KRG_KDDM_DROPPED) | BIT_OF(KRG_KDDM_TAKE) | \
			 BIT_OF(KRG_KDDM_EXIST) | BIT_OF(KRG_KDDM_FORGET) | \
			 BIT_OF(KRG_KDDM_PROMOTE))

static bool is_message(const struct krg_kddm_msg *ev)
{
	return ev->type > 0 && ev->type < KRG_KDDM_MESSAGES;
}

static u16 malformed(const struct krg_kddm_step *s)
{
	const struct krg_kddm_msg *ev = s->ev;
	u32 bit = BIT_OF(ev->type);

	if (ev->from >= KRG_KDDM_NODES || ev->acks >= KRG_KDDM_NODES ||
	    (ev->node >= KRG_KDDM_NODES && ev->node != KRG_KDDM_NOBODY) ||
	    ev->content >= KRG_KDDM_CONTENTS)
		return RULE_MALFORMED;
	if (s->env->phase == KRG_KDDM_DRAIN)
		return 0;
	if (bit & FROM_MANAGER && ev->from != s->env->place.manager)
		return RULE_NOT_FROM_MANAGER;
	if (bit & (TO_MANAGER | BIT_OF(KRG_KDDM_REPORT)) &&
	    s->env->self != s->env->place.manager)
		return RULE_NOT_MANAGER;
	return 0;
}

static const struct krg_kddm_table *table_of(const struct krg_kddm_step *s)
{
	u8 type = s->ev->type;

	if (type >= KRG_KDDM_VIEW && type < KRG_KDDM_EVENTS)
		return &krg_kddm_table_view;
	if (type >= KRG_KDDM_OP_GET && type < KRG_KDDM_OPS_END)
		return &krg_kddm_table_ops;
	if (is_message(s->ev) && s->env->phase == KRG_KDDM_DRAIN)
		return &krg_kddm_table_drain;
	if (is_message(s->ev) && s->env->phase == KRG_KDDM_REBUILD)
		return &krg_kddm_table_rebuild;
	if (is_message(s->ev) && BIT_OF(type) & TO_MANAGER)
		return &krg_kddm_table_dir;
	return &krg_kddm_table_copy;
}

/**
 * krg_kddm_rule_of - the rule for an event
 * @s: the event at hand
 *
 * Return: the first rule that matches, or NULL.
 */
const struct krg_kddm_rule *krg_kddm_rule_of(const struct krg_kddm_step *s)
{
	const struct krg_kddm_table *t = table_of(s);
	unsigned int i;

	for (i = 0; i < t->count; i++) {
		const struct krg_kddm_rule *r = &t->rule[i];

		if (r->event == s->ev->type && r->states >> s->o->state & 1 &&
		    krg_kddm_guard(s, r->guard))
			return r;
	}
	return NULL;
}

static int note_rule(struct krg_kddm_step *s, u16 nr)
{
	if (s->out->rules == KRG_KDDM_RULES_MAX)
		return -EPROTO;
	s->out->rule[s->out->rules++] = nr;
	return 0;
}

static int follow(struct krg_kddm_step *s, const struct krg_kddm_rule *r)
{
	int i, err = note_rule(s, r->nr);

	for (i = 0; !err && i < KRG_KDDM_RULE_ACTS && r->act[i]; i++)
		err = krg_kddm_act(s, r->act[i]);
	if (err)
		return err;
	if (r->next != KRG_KDDM_SAME)
		s->o->state = r->next;
	return r->result;
}

static int handle(struct krg_kddm_step *s)
{
	const struct krg_kddm_rule *r;
	u16 bad = is_message(s->ev) ? malformed(s) : 0;

	r = bad ? NULL : krg_kddm_rule_of(s);
	if (r)
		return follow(s, r);
	note_rule(s, bad ? bad : RULE_NONE);
	return -EPROTO;
}

/* What the node sent to itself, in order. */
static int handle_own(struct krg_kddm_step *s)
{
	struct krg_kddm_msg own;
	int err = 0;

	while (s->queued && !err) {
		own = s->to_self[0];
		memmove(s->to_self, s->to_self + 1, --s->queued * sizeof(own));
		s->ev = &own;
		err = handle(s);
	}
	return err;
}

static int settle(struct krg_kddm_step *s)
{
	static const struct krg_kddm_msg ev = {
		.type = KRG_KDDM_SETTLE, .node = KRG_KDDM_NOBODY,
	};
	const struct krg_kddm_rule *r;
	int err = 0;

	if (s->env->phase != KRG_KDDM_RUN && s->env->phase != KRG_KDDM_SERVE)
		return 0;
	/* No rule for SETTLE is about anything else. */
	while (!err && (krg_kddm_put_off(s->o) || s->o->flags & KRG_KDDM_EVICTING)) {
		s->ev = &ev;
		r = krg_kddm_rule_of(s);
		if (!r)
			break;
		err = follow(s, r) ?: handle_own(s);
	}
	return err;
}

static bool full(const struct krg_kddm_nodes *s)
{
	return !s->big && s->count == KRG_KDDM_INLINE;
}

static bool enough_spare(const struct krg_kddm_object *o, const struct krg_kddm_env *env)
{
	unsigned int need = full(&o->copies) + full(&o->waiting);
	const struct krg_kddm_map *map;

	for (map = *env->spare; map && need; map = map->next)
		need--;
	return !need;
}

/**
 * krg_kddm_event - something happens to an object
 * @o: the object; made with krg_kddm_init() if the node had none
 * @env: its surroundings
 * @ev: what happens
 * @out: filled with what is to be done
 *
 * Context: any; the caller keeps other events of @o away.
 *
 * Return: for operations KRG_KDDM_DONE, KRG_KDDM_WAIT, KRG_KDDM_LATER or -errno
 * (-EIO lost, -EBUSY in use, -ENOSPC, -EAGAIN, -ENOENT, -EINVAL); for messages 0
 * or -EPROTO, their sender broke the protocol; -ENOMEM: nothing was done, give
 * spare bitmaps and try again.
 */
int krg_kddm_event(struct krg_kddm_object *o, const struct krg_kddm_env *env,
		   const struct krg_kddm_msg *ev, struct krg_kddm_out *out)
{
	struct krg_kddm_step s = { .o = o, .env = env, .ev = ev, .out = out };
	int result, err;

	out->actions = 0;
	out->rules = 0;
	if (!enough_spare(o, env))
		return -ENOMEM;
	result = handle(&s);
	err = handle_own(&s);
	if (!err)
		err = settle(&s);
	return err ? err : result;
}

/**
 * krg_kddm_init - an object of which this node knew nothing
 * @o: made so
 * @env: its surroundings
 */
void krg_kddm_init(struct krg_kddm_object *o, const struct krg_kddm_env *env)
{
	memset(o, 0, sizeof(*o));
	o->owner = KRG_KDDM_NOBODY;
	if (env->self != env->place.manager || env->phase == KRG_KDDM_DRAIN ||
	    env->phase == KRG_KDDM_REBUILD)
		return;
	o->state = KRG_KDDM_W;
	o->content = KRG_KDDM_VOID;
	if (env->presumed) {
		o->content = KRG_KDDM_LOST;
		o->owner = env->self;
		o->flags = KRG_KDDM_EXISTS;
	}
}

/**
 * krg_kddm_idle - may the node forget the object
 * @o: the object
 * @env: its surroundings
 *
 * Return: true if krg_kddm_init() would make the same of it.
 */
bool krg_kddm_idle(const struct krg_kddm_object *o, const struct krg_kddm_env *env)
{
	struct krg_kddm_object blank;

	krg_kddm_init(&blank, env);
	return o->state == blank.state && o->content == blank.content && o->flags == blank.flags &&
	       !o->readers && !o->writers && !o->copies.count;
}

/**
 * krg_kddm_state_name - a state in letters
 * @state: enum krg_kddm_state
 */
const char *krg_kddm_state_name(unsigned int state)
{
	static const char *const names[] = {
		"I", "S", "O", "W", "IS", "IW", "SW", "OW", "AW", "D",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

/**
 * krg_kddm_content_name - what is in a copy, in words
 * @content: enum krg_kddm_content
 */
const char *krg_kddm_content_name(unsigned int content)
{
	static const char *const names[] = { "none", "void", "blank", "raw", "bytes", "lost" };

	return content < ARRAY_SIZE(names) ? names[content] : "?";
}

/**
 * krg_kddm_event_name - an event in words
 * @type: enum krg_kddm_event_type
 */
const char *krg_kddm_event_name(unsigned int type)
{
	static const char *const messages[] = {
		"?", "GET", "GRAB", "DROP", "EVICT", "ASK", "FWD_GET", "FWD_GRAB", "INV", "LOST",
		"DROPPED", "TAKE", "DENY", "DATA", "OWN", "ACK", "ANSWER", "EXIST", "FORGET",
		"REPORT", "PROMOTE",
	};
	static const char *const ops[] = {
		"op GET", "op GRAB", "op PUT_READ", "op PUT_WRITE", "op RELEASE", "op FILLED",
		"op PREFETCH", "op FIND", "op FLUSH", "op SYNC", "op REMOVE", "op REPLY",
		"op ERASE",
	};
	static const char *const steps[] = { "SETTLE", "VIEW", "TELL", "BUILD", "GO" };

	if (type < ARRAY_SIZE(messages))
		return messages[type];
	if (type >= KRG_KDDM_OP_GET && type - KRG_KDDM_OP_GET < ARRAY_SIZE(ops))
		return ops[type - KRG_KDDM_OP_GET];
	if (type >= KRG_KDDM_SETTLE && type - KRG_KDDM_SETTLE < ARRAY_SIZE(steps))
		return steps[type - KRG_KDDM_SETTLE];
	return "?";
}

static_assert(sizeof(struct krg_kddm_object) == 48, "the size kddm.h says");
