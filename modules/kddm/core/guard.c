// SPDX-License-Identifier: GPL-2.0-only
/* What the conditions in the tables mean. */
#include "table.h"

#define IF(name) static bool cond_##name(const struct krg_kddm_step *s)

/**
 * krg_kddm_put_off - has anything been put off
 * @o: the object
 */
bool krg_kddm_put_off(const struct krg_kddm_object *o)
{
	return o->first || o->waiting.count || o->last;
}

static bool held(const struct krg_kddm_object *o)
{
	return o->readers || o->writers || o->flags & (KRG_KDDM_GRANTED | KRG_KDDM_FILLING);
}

static bool unfilled(u8 content)
{
	return content == KRG_KDDM_RAW || content == KRG_KDDM_BLANK;
}

static bool is_manager(const struct krg_kddm_step *s)
{
	return s->env->place.manager == s->env->self;
}

static bool running(const struct krg_kddm_step *s)
{
	return s->env->phase == KRG_KDDM_RUN;
}

/* May the manager send: not between two views. */
static bool serving(const struct krg_kddm_step *s)
{
	return s->env->phase == KRG_KDDM_RUN || s->env->phase == KRG_KDDM_SERVE;
}

static bool touched(const struct krg_kddm_object *o)
{
	return o->flags & KRG_KDDM_EXISTS && o->owner != KRG_KDDM_NOBODY;
}

/* Is ev->node another node. */
static bool other(const struct krg_kddm_step *s)
{
	return s->ev->node < KRG_KDDM_NODES && s->ev->node != s->env->self;
}

/* Does ev->node take over serving the others with its copy. */
static bool to_manager(const struct krg_kddm_step *s)
{
	return s->ev->node == s->env->place.manager && !is_manager(s);
}

IF(ALWAYS) { return s->ev; }
IF(BEGIN) { return running(s); }

IF(READY)
{
	const struct krg_kddm_object *o = s->o;

	return o->content == KRG_KDDM_BYTES && !(o->flags & KRG_KDDM_FILLING) &&
	       o->readers < KRG_KDDM_READERS_MAX && o->writers < KRG_KDDM_WRITERS_MAX &&
	       (o->flags & KRG_KDDM_GRANTED || !krg_kddm_put_off(o));
}

IF(LOST) { return s->o->content == KRG_KDDM_LOST; }
IF(UNTOUCHED) { return running(s) && s->o->content == KRG_KDDM_VOID; }
IF(UNFILLED) { return unfilled(s->o->content) && !(s->o->flags & KRG_KDDM_FILLING); }
IF(CALM) { return running(s) && !(s->o->flags & KRG_KDDM_FILLING) && !krg_kddm_put_off(s->o); }
IF(TAKE) { return running(s) && !s->env->leaving; }
IF(TAKE_MORE) { return cond_CALM(s) && !s->env->leaving; }
IF(HELD_READ) { return s->o->readers; }
IF(HELD_WRITE) { return s->o->writers; }
IF(HELD) { return held(s->o); }
IF(FILLED) { return s->o->flags & KRG_KDDM_FILLING && !s->ev->status; }
IF(FILL_FAILED) { return s->o->flags & KRG_KDDM_FILLING && s->ev->status < 0; }
IF(NOTHING) { return s->o->content == KRG_KDDM_VOID || s->o->content == KRG_KDDM_LOST; }
IF(AWAY) { return !is_manager(s) && cond_CALM(s) && !(s->o->flags & KRG_KDDM_EVICTING); }
IF(HOME) { return is_manager(s) && cond_CALM(s) && !(s->o->flags & KRG_KDDM_EVICTING); }
IF(HOME_TO)
{
	return cond_HOME(s) && other(s) && krg_kddm_map_has(s->env->members, s->ev->node);
}

IF(MANAGER) { return is_manager(s) && serving(s) && s->ev->node < KRG_KDDM_NODES; }
IF(UNCLEAN) { return !s->env->clean; }
IF(ERASE_VOID) { return cond_MANAGER(s) && cond_NOTHING(s); }

static bool asked(const struct krg_kddm_step *s, unsigned int op)
{
	return s->o->flags & KRG_KDDM_ASKED << (op - KRG_KDDM_SYNC);
}

IF(ASK_SYNC) { return running(s) && !asked(s, KRG_KDDM_SYNC); }
IF(ASK_REMOVE) { return running(s) && !asked(s, KRG_KDDM_REMOVE); }

/* The only user is the one who erases. */
static bool erasable(const struct krg_kddm_step *s)
{
	return cond_MANAGER(s) && !(s->o->flags & KRG_KDDM_FILLING) && s->o->writers == 1 &&
	       !s->o->readers && touched(s->o);
}

IF(ERASE_CALM) { return erasable(s) && !krg_kddm_put_off(s->o) && !s->o->copies.count; }
IF(ERASE_BUSY) { return erasable(s); }

/* Does the manager wait for a copy: then we serve nobody after it. */
static bool manager_waits(const struct krg_kddm_step *s)
{
	return !is_manager(s) && krg_kddm_nodes_has(&s->o->waiting, s->env->place.manager);
}

/* Who asked for a copy as a sharer serves nobody; who will be owner gets no INV first. */
IF(DATA_SHARER)
{
	return !is_manager(s) && unfilled(s->ev->content) && !s->o->waiting.count && !s->o->last;
}

IF(DATA_OWNER)
{
	return is_manager(s) && unfilled(s->ev->content) && !s->o->first;
}

static int missing(const struct krg_kddm_step *s)
{
	return s->o->acks + s->ev->acks;
}

static bool keeps(const struct krg_kddm_step *s)
{
	return s->ev->content == KRG_KDDM_NONE && !s->o->first;
}

IF(OWN_BLANK)
{
	return s->ev->content == KRG_KDDM_BLANK && !missing(s) && !s->o->first;
}

IF(OWN_ALL) { return unfilled(s->ev->content) && !missing(s); }
IF(OWN_SOME) { return unfilled(s->ev->content) && missing(s) > 0; }
IF(KEEP_ALL) { return keeps(s) && !missing(s) && s->o->content == KRG_KDDM_BYTES; }
IF(KEEP_FILL) { return keeps(s) && !missing(s) && unfilled(s->o->content); }
IF(KEEP_SOME) { return keeps(s) && missing(s) > 0; }
IF(ACK_EARLY) { return s->o->acks > -KRG_KDDM_NODES; }
IF(ACK_SOME) { return s->o->acks > 1; }
IF(ACK_LAST) { return s->o->acks == 1 && s->o->content == KRG_KDDM_BYTES; }
IF(ACK_FILL) { return s->o->acks == 1 && unfilled(s->o->content); }

/* May copies be made now: nobody writes, nobody was promised to. */
static bool copyable(const struct krg_kddm_object *o)
{
	if (o->flags & KRG_KDDM_FILLING || o->content < KRG_KDDM_BLANK ||
	    o->content > KRG_KDDM_BYTES)
		return false;
	return o->state != KRG_KDDM_W || !(o->writers || o->flags & KRG_KDDM_GRANTED);
}

static bool share(const struct krg_kddm_step *s)
{
	return other(s) && copyable(s->o) && !krg_kddm_put_off(s->o);
}

IF(SHARE) { return share(s) && !to_manager(s); }
IF(SHARE_MANAGER) { return share(s) && to_manager(s); }

IF(DEFER_GET)
{
	return other(s) && !s->o->last && !manager_waits(s) &&
	       !krg_kddm_nodes_has(&s->o->waiting, s->ev->node);
}

static bool givable(const struct krg_kddm_object *o)
{
	return !held(o) && !o->waiting.count && o->content >= KRG_KDDM_BLANK &&
	       o->content <= KRG_KDDM_BYTES;
}

IF(GIVE) { return other(s) && givable(s->o) && !s->o->last; }
IF(DEFER_LAST) { return other(s) && !s->o->last && !manager_waits(s); }
IF(LET_GO) { return other(s) && !held(s->o) && !krg_kddm_put_off(s->o); }
IF(DEFER_FIRST) { return other(s) && !krg_kddm_put_off(s->o); }
IF(INV_LAST) { return other(s) && !s->o->last && manager_waits(s); }
IF(EVICTING) { return s->o->flags & KRG_KDDM_EVICTING; }

static bool known_op(const struct krg_kddm_step *s)
{
	return s->ev->op >= KRG_KDDM_SYNC && s->ev->op < KRG_KDDM_ASKS;
}

static bool from_self(const struct krg_kddm_step *s)
{
	return s->ev->from == s->env->self;
}

IF(FROM_SELF) { return from_self(s); }
IF(ANSWERED) { return known_op(s) && asked(s, s->ev->op); }
IF(WITNESS) { return s->env->place.witness == s->env->self && s->ev->node < KRG_KDDM_NODES; }
IF(WITNESS_NEW) { return cond_WITNESS(s) && !(s->o->flags & KRG_KDDM_WITNESS); }
IF(SILENT) { return s->env->place.witness == s->env->self && s->ev->node == KRG_KDDM_NOBODY; }

/* Our directories are made, another's are not: it may still have to tell us something. */
IF(LATE) { return s->env->phase == KRG_KDDM_SERVE; }
IF(LATE_SILENT) { return cond_LATE(s) && cond_SILENT(s); }

static bool from_owner(const struct krg_kddm_step *s)
{
	return touched(s->o) && s->ev->from == s->o->owner;
}

static bool from_sharer(const struct krg_kddm_step *s)
{
	return touched(s->o) && krg_kddm_nodes_has(&s->o->copies, s->ev->from);
}

IF(DIR_LOST) { return s->o->content == KRG_KDDM_LOST && !from_self(s); }
IF(DIR_FIRST) { return s->o->content == KRG_KDDM_VOID && !from_self(s); }
IF(DIR_FIRST_OWN) { return s->o->content == KRG_KDDM_VOID && from_self(s); }
IF(DIR_OWN) { return touched(s->o) && from_self(s) && !from_owner(s); }

IF(DIR_NEW)
{
	return touched(s->o) && !from_self(s) && !from_owner(s) && !from_sharer(s);
}

IF(DIR_OWNER) { return from_owner(s); }
IF(DIR_UPGRADE) { return from_sharer(s) && !from_owner(s); }
IF(DIR_GRAB) { return touched(s->o) && !from_owner(s) && !from_sharer(s); }
IF(DIR_DROP) { return from_sharer(s); }
IF(DIR_GONE) { return !from_owner(s) && !from_self(s); }
IF(EVICT_STALE) { return !from_self(s) && !from_owner(s); }
IF(EVICT_NOMEM) { return !from_self(s) && from_owner(s) && s->ev->status == -ENOMEM; }
IF(EVICT_ALONE) { return from_owner(s) && !s->o->copies.count && running(s); }
IF(EVICT_SHARED) { return from_owner(s) && s->o->copies.count && running(s); }
IF(EVICT_BUSY) { return !from_self(s) && from_owner(s); }
IF(DO) { return known_op(s); }

IF(SHARE_ALL) { return s->o->waiting.count && copyable(s->o) && !manager_waits(s); }
IF(SHARE_ALL_MANAGER) { return s->o->waiting.count && copyable(s->o) && manager_waits(s); }
IF(FIRST_INV) { return s->o->first == KRG_KDDM_INV && !held(s->o); }
IF(FIRST_GRAB) { return s->o->first == KRG_KDDM_FWD_GRAB && !held(s->o); }
IF(LAST_GRAB) { return s->o->last == KRG_KDDM_FWD_GRAB && givable(s->o); }
IF(LAST_INV) { return s->o->last == KRG_KDDM_INV && !held(s->o) && !s->o->waiting.count; }
IF(DROP_NOW) { return cond_CALM(s) && cond_EVICTING(s) && !held(s->o) && !is_manager(s); }

IF(UNREACHABLE)
{
	return s->env->place.manager == KRG_KDDM_NOBODY ||
	       !krg_kddm_map_has(s->env->members, s->env->self);
}

IF(VIRTUAL) { return cond_NOTHING(s); }

IF(SOMETHING)
{
	return s->o->content != KRG_KDDM_NONE ||
	       s->o->flags & (KRG_KDDM_WITNESS | KRG_KDDM_EXISTS | KRG_KDDM_WAS_LOST);
}

/* One WRITE copy and no other, or any number of READ copies. */
IF(REPORT_OK)
{
	const struct krg_kddm_object *o = s->o;

	if (s->ev->flags & KRG_KDDM_SOLE && (o->copies.count || !(s->ev->flags & KRG_KDDM_HAS)))
		return false;
	return !(s->ev->flags & KRG_KDDM_HAS) ||
	       !(o->flags & KRG_KDDM_ONE_SOLE || krg_kddm_nodes_has(&o->copies, s->ev->from));
}

IF(BUILD_SOLE) { return is_manager(s) && s->o->flags & KRG_KDDM_ONE_SOLE; }

IF(BUILD_SELF)
{
	return is_manager(s) && krg_kddm_nodes_has(&s->o->copies, s->env->self);
}

IF(BUILD_OTHER) { return is_manager(s) && s->o->copies.count; }

/* It existed, nobody has it, and it was not merely on its way to its first owner. */
static bool vanished(const struct krg_kddm_step *s)
{
	return s->env->died &&
	       (s->o->flags & (KRG_KDDM_EXISTS | KRG_KDDM_NEW)) == KRG_KDDM_EXISTS;
}

IF(BUILD_LOST)
{
	return is_manager(s) && (s->env->presumed || s->o->flags & KRG_KDDM_WAS_LOST ||
				 vanished(s));
}

IF(BUILD_KNOWN) { return is_manager(s) && s->o->flags & KRG_KDDM_EXISTS; }
IF(DRAIN_CONTENT) { return unfilled(s->ev->content); }

typedef bool guard_fn(const struct krg_kddm_step *s);

static guard_fn *const guards[] = {
#define GUARD(name) cond_##name,
#include "guards.h"
#undef GUARD
};

/**
 * krg_kddm_guard - does a rule's condition hold
 * @s: the event at hand
 * @guard: enum krg_kddm_guard
 */
bool krg_kddm_guard(const struct krg_kddm_step *s, unsigned int guard)
{
	return guards[guard](s);
}

/**
 * krg_kddm_guard_name - the word for a condition
 * @guard: enum krg_kddm_guard
 */
const char *krg_kddm_guard_name(unsigned int guard)
{
	static const char *const names[] = {
#define GUARD(name) NAME(name),
#include "guards.h"
#undef GUARD
	};

	return guard < ARRAY_SIZE(names) ? names[guard] : "?";
}
