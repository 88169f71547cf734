// SPDX-License-Identifier: GPL-2.0-only
#include "view.h"

static void join(struct krg_kddm_map *to, const struct krg_kddm_map *m)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m->w); i++)
		to->w[i] |= m->w[i];
}

static void part(struct krg_kddm_map *from, const struct krg_kddm_map *m)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m->w); i++)
		from->w[i] &= ~m->w[i];
}

static bool within(const struct krg_kddm_map *a, const struct krg_kddm_map *b)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a->w); i++)
		if (a->w[i] & ~b->w[i])
			return false;
	return true;
}

static bool all_in(const struct krg_kddm_view *v, const struct krg_kddm_map *got)
{
	return within(&v->members, got);
}

/* Views older than one that came to RUN tell nothing more. */
static void outdate(struct krg_kddm_view *v)
{
	struct krg_kddm_view_past *p = &v->past;
	unsigned int i, kept = 0;

	for (i = 0; i < p->views; i++)
		if (p->epoch[i] >= p->settled) {
			p->epoch[kept] = p->epoch[i];
			p->guards[kept++] = p->guards[i];
		}
	p->views = kept;
}

/* With no room for more, the oldest that never came to RUN here gives way. */
static void remember(struct krg_kddm_view *v, u32 epoch, const struct krg_kddm_map *guards)
{
	struct krg_kddm_view_past *p = &v->past;
	unsigned int i, at;

	for (i = 0; i < p->views; i++)
		if (p->epoch[i] == epoch)
			return;
	at = p->views;
	if (at < KRG_KDDM_PAST_VIEWS)
		p->views++;
	else
		for (at = 0, i = 1; i < p->views; i++)
			if (p->epoch[i] != p->settled &&
			    (p->epoch[at] == p->settled || p->epoch[i] < p->epoch[at]))
				at = i;
	p->epoch[at] = epoch;
	p->guards[at] = *guards;
}

static void only_self(const struct krg_kddm_view *v, struct krg_kddm_map *m)
{
	memset(m, 0, sizeof(*m));
	krg_kddm_map_add(m, v->self);
}

/**
 * krg_kddm_view_init - a node that is in no view
 * @v: made so
 * @self: its id
 */
void krg_kddm_view_init(struct krg_kddm_view *v, unsigned int self)
{
	memset(v, 0, sizeof(*v));
	v->self = self;
}

/* Who was there and is not, or is another by now. */
static void bury(struct krg_kddm_view *v, const struct krg_kddm_map *again)
{
	struct krg_kddm_map gone = v->was, same = v->members;

	if (again)
		part(&same, again);
	part(&gone, &same);
	join(&v->past.dead, &gone);
	v->survivors = v->members;
	part(&v->survivors, &v->past.dead);
}

static unsigned int change(struct krg_kddm_view *v, const struct krg_kddm_view_step *ev)
{
	v->phase = KRG_KDDM_DRAIN;
	v->epoch = ev->epoch;
	v->members = *ev->members;
	v->next = *ev->guards;
	if (ev->left)
		part(&v->was, ev->left);
	bury(v, ev->again);
	v->told = false;
	only_self(v, &v->marked);
	only_self(v, &v->ended);
	only_self(v, &v->gone);
	only_self(v, &v->sure);
	only_self(v, &v->done);
	return KRG_KDDM_VIEW_SEND_MARK;
}

static unsigned int drained(struct krg_kddm_view *v)
{
	if (v->phase != KRG_KDDM_DRAIN || !all_in(v, &v->marked))
		return 0;
	v->phase = KRG_KDDM_REBUILD;
	v->guards = v->next;
	return KRG_KDDM_VIEW_TELL;
}

static void add_gap(struct krg_kddm_view *v, const struct krg_kddm_map *guards)
{
	if (within(guards, &v->survivors))
		return;
	v->gap[v->gaps].guards = *guards;
	v->gap[v->gaps++].alive = v->survivors;
}

static unsigned int gaps(struct krg_kddm_view *v)
{
	unsigned int i;

	v->gaps = 0;
	for (i = 0; i < v->past.views; i++)
		add_gap(v, &v->past.guards[i]);
	return v->gaps ? KRG_KDDM_VIEW_GAPS : 0;
}

static unsigned int told(struct krg_kddm_view *v)
{
	if (v->phase != KRG_KDDM_REBUILD || !v->told || !all_in(v, &v->ended))
		return 0;
	return gaps(v) | KRG_KDDM_VIEW_BUILD;
}

static unsigned int begun(struct krg_kddm_view *v)
{
	if (v->phase != KRG_KDDM_SERVE || !all_in(v, &v->gone) || !all_in(v, &v->sure))
		return 0;
	v->phase = KRG_KDDM_RUN;
	memset(&v->past, 0, sizeof(v->past));
	v->past.settled = v->epoch;
	remember(v, v->epoch, &v->guards);
	v->was = v->members;
	return KRG_KDDM_VIEW_BEGIN | (krg_kddm_view_clean(v) ? KRG_KDDM_VIEW_CLEAN : 0);
}

/* All GOs are in. */
static unsigned int heard(struct krg_kddm_view *v)
{
	if (v->phase != KRG_KDDM_SERVE || !all_in(v, &v->gone))
		return 0;
	return KRG_KDDM_VIEW_SEND_SURE | begun(v);
}

/* The ENDs of all say what was before, to those also who have just come. */
static void learn(struct krg_kddm_view *v, const struct krg_kddm_view_past *past)
{
	unsigned int i;

	if (!past || past->views > KRG_KDDM_PAST_VIEWS)
		return;
	join(&v->past.dead, &past->dead);
	part(&v->survivors, &past->dead);
	if (past->settled > v->past.settled)
		v->past.settled = past->settled;
	for (i = 0; i < past->views; i++)
		remember(v, past->epoch[i], &past->guards[i]);
	outdate(v);
}

static unsigned int message(struct krg_kddm_view *v, const struct krg_kddm_view_step *ev)
{
	if (ev->from >= KRG_KDDM_NODES || ev->epoch != v->epoch)
		return 0;
	switch (ev->type) {
	case KRG_KDDM_VIEW_MARK:
		krg_kddm_map_add(&v->marked, ev->from);
		return drained(v);
	case KRG_KDDM_VIEW_END:
		learn(v, ev->past);
		krg_kddm_map_add(&v->ended, ev->from);
		return told(v);
	case KRG_KDDM_VIEW_GO:
		if (krg_kddm_map_has(&v->gone, ev->from))
			return 0;
		krg_kddm_map_add(&v->gone, ev->from);
		return heard(v);
	case KRG_KDDM_VIEW_SURE:
		krg_kddm_map_add(&v->sure, ev->from);
		return begun(v);
	case KRG_KDDM_VIEW_DONE:
		krg_kddm_map_add(&v->done, ev->from);
		return krg_kddm_view_clean(v) ? KRG_KDDM_VIEW_CLEAN : 0;
	default:
		return 0;
	}
}

/**
 * krg_kddm_view_event - something happens to a node's view
 * @v: the view
 * @ev: what happens
 *
 * Return: what is to be done, KRG_KDDM_VIEW_SEND_MARK ...; 0 for nothing.
 */
unsigned int krg_kddm_view_event(struct krg_kddm_view *v, const struct krg_kddm_view_step *ev)
{
	switch (ev->type) {
	case KRG_KDDM_VIEW_CHANGE:
		return ev->epoch > v->epoch ? change(v, ev) | drained(v) : 0;
	case KRG_KDDM_VIEW_TOLD:
		if (v->phase != KRG_KDDM_REBUILD || v->told)
			return 0;
		v->told = true;
		return KRG_KDDM_VIEW_SEND_END | told(v);
	case KRG_KDDM_VIEW_BUILT:
		if (v->phase != KRG_KDDM_REBUILD || !v->told || !all_in(v, &v->ended))
			return 0;
		v->phase = KRG_KDDM_SERVE;
		remember(v, v->epoch, &v->guards);
		join(&v->was, &v->members);
		return KRG_KDDM_VIEW_SEND_GO | heard(v);
	default:
		return message(v, ev);
	}
}

/**
 * krg_kddm_view_accept - is it time for a message
 * @v: the view
 * @from: who sent it
 * @epoch: the sender's when it did
 * @view_type: enum krg_kddm_view_type if it is one of the view, else 0
 *
 * Messages of one sender are asked about in the order sent.
 */
enum krg_kddm_accept krg_kddm_view_accept(const struct krg_kddm_view *v, unsigned int from,
					  u32 epoch, u8 view_type)
{
	bool marked = krg_kddm_map_has(&v->marked, from);

	if (epoch > v->epoch)
		return KRG_KDDM_HOLD;
	if (!krg_kddm_map_has(&v->members, from))
		return KRG_KDDM_NEVER;
	if (epoch < v->epoch)
		return v->phase == KRG_KDDM_DRAIN && !marked ? KRG_KDDM_NOW : KRG_KDDM_NEVER;
	if (v->phase == KRG_KDDM_DRAIN && view_type != KRG_KDDM_VIEW_MARK)
		return marked ? KRG_KDDM_HOLD : KRG_KDDM_NEVER;
	return KRG_KDDM_NOW;
}

/**
 * krg_kddm_view_clean - has everybody forgotten the old view
 * @v: the view
 */
bool krg_kddm_view_clean(const struct krg_kddm_view *v)
{
	return v->phase == KRG_KDDM_RUN && all_in(v, &v->done);
}

/**
 * krg_kddm_view_died - has a node died since the last view that came to RUN
 * @v: the view
 */
bool krg_kddm_view_died(const struct krg_kddm_view *v)
{
	static const struct krg_kddm_map nobody;

	return !within(&v->past.dead, &nobody);
}

/**
 * krg_kddm_presumed_lost - may an object nobody knows of have existed
 * @gap: all gaps since the set was made
 * @gaps: how many
 * @set: the hashed set's number
 * @object: the object's number
 *
 * Return: true if once all its guardians died together. It can't be told from
 * one never touched, and zeroes for lost bytes would be worse than an error.
 */
bool krg_kddm_presumed_lost(const struct krg_kddm_gap *gap, unsigned int gaps, u64 set,
			    u64 object)
{
	unsigned int i;

	for (i = 0; i < gaps; i++) {
		struct krg_kddm_place p = krg_kddm_place_hashed(set, object, &gap[i].guards);

		if (!krg_kddm_map_has(&gap[i].alive, p.manager) &&
		    !krg_kddm_map_has(&gap[i].alive, p.witness))
			return true;
	}
	return false;
}

/**
 * krg_kddm_home_lost - may objects of a set at home that nobody knows of have existed
 * @gap: all gaps since the set was made
 * @gaps: how many
 * @home: the set's
 *
 * Return: true if its home died, and came again with nothing.
 */
bool krg_kddm_home_lost(const struct krg_kddm_gap *gap, unsigned int gaps, unsigned int home)
{
	unsigned int i;

	for (i = 0; i < gaps; i++)
		if (krg_kddm_map_has(&gap[i].guards, home) &&
		    !krg_kddm_map_has(&gap[i].alive, home))
			return true;
	return false;
}
