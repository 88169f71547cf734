// SPDX-License-Identifier: GPL-2.0-only
/*
 * One object at a time: locked, given events, what comes of them done, unlocked.
 *
 *	kddm_lock()	the object as it is here, or one of which nothing is known
 *	kddm_run()	an event, and its actions in order
 *	kddm_settle()	gives content to the linker, lets those try again who were
 *			woken, releases what was granted; until nothing is left
 *	kddm_unlock()	settles; what nobody need know is forgotten
 *
 * A node without a copy that does not manage an object keeps nothing of it; one that
 * does, sizeof(struct kddm_object), 80 bytes, and its place in the set's xarray.
 */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include "kddm.h"
#include "trace.h"

static struct kmem_cache *object_cache;

int kddm_object_init(void)
{
	object_cache = KMEM_CACHE(kddm_object, SLAB_RECLAIM_ACCOUNT);
	return object_cache ? 0 : -ENOMEM;
}

void kddm_object_exit(void)
{
	kmem_cache_destroy(object_cache);
}

static bool paged(const struct krg_kddm_set *set)
{
	return set->linker && set->linker->size == PAGE_SIZE;
}

static void object_place(struct kddm_at *at)
{
	struct kddm_net *kn = at->kn;
	struct kddm_object *o = at->obj;
	unsigned int home = krg_kddm_home_of(at->set->id);
	struct krg_kddm_place place;

	place = home == KRG_KDDM_HASHED ?
		krg_kddm_place_hashed(at->set->id.number, at->index, &kn->view.guards) :
		krg_kddm_place_home(home, &kn->view.guards);
	o->manager = place.manager;
	o->witness = place.witness;
	o->places = kn->places;
}

static void object_env(struct kddm_at *at, struct krg_kddm_env *env)
{
	struct kddm_net *kn = at->kn;
	const struct krg_kddm_view *v = &kn->view;

	if (at->obj->places != kn->places)
		object_place(at);
	env->self = v->self;
	env->phase = kn->paused ? KRG_KDDM_DRAIN : v->phase;
	env->place.manager = at->obj->manager;
	env->place.witness = at->obj->witness;
	env->presumed = env->place.manager == v->self &&
			kddm_presumed_lost(kn, at->set, at->index);
	env->died = krg_kddm_view_died(v);
	env->clean = krg_kddm_view_clean(v);
	env->leaving = !krg_kddm_map_has(&v->guards, v->self);
	env->members = &v->members;
	env->survivors = &v->survivors;
	env->spare = &at->bucket->spare;
}

/* Two spare bitmaps for each event, and no more than two between events. */
static void bucket_stock(struct kddm_bucket *b)
{
	struct krg_kddm_map **m = &b->spare, *extra;
	unsigned int have = 0;

	while (*m && have < 2) {
		m = &(*m)->next;
		have++;
	}
	while (*m) {
		extra = *m;
		*m = extra->next;
		kfree(extra);
	}
	for (; have < 2; have++) {
		extra = kmalloc(sizeof(*extra), GFP_KERNEL | __GFP_NOFAIL);
		extra->next = b->spare;
		b->spare = extra;
	}
}

static void object_make(struct kddm_at *at)
{
	struct krg_kddm_env env;

	at->obj = kmem_cache_zalloc(object_cache, GFP_KERNEL | __GFP_NOFAIL);
	at->obj->places = at->kn->places - 1;
	object_env(at, &env);
	krg_kddm_init(&at->obj->core, &env);
	xa_store(&at->set->objects, at->index, at->obj, GFP_KERNEL | __GFP_NOFAIL);
	atomic_long_inc(&at->set->nr_objects);
	atomic_long_inc(&at->kn->nr_objects);
	refcount_inc(&at->set->ref);
}

/**
 * kddm_lock() - lock an object
 * @at: filled
 * @set: its set, held by the caller until after kddm_unlock()
 * @index: its number
 * @make: if nothing is known of it, begin; else return false, nothing locked
 *
 * Context: process. Locks: kddm_net.sem held.
 */
bool kddm_lock(struct kddm_at *at, struct krg_kddm_set *set, u64 index, bool make)
{
	struct kddm_net *kn = set->kn;

	lockdep_assert_held(&kn->sem);
	memset(at, 0, sizeof(*at));
	at->kn = kn;
	at->set = set;
	at->index = index;
	at->bucket = kddm_bucket_of(kn, set->id.number, index);
	mutex_lock(&at->bucket->lock);
	at->obj = xa_load(&set->objects, index);
	if (!at->obj && !make) {
		mutex_unlock(&at->bucket->lock);
		return false;
	}
	if (!at->obj)
		object_make(at);
	return true;
}

static void data_free(struct kddm_at *at, void *data, bool raw)
{
	if (!data)
		return;
	if (!paged(at->set))
		kfree(data);
	else if (raw)
		put_page(data);
	else
		at->set->linker->free(at->set, at->index, data);
}

/* Bytes that somebody still uses go with the last hold. */
static void object_free_data(struct kddm_at *at)
{
	struct kddm_object *o = at->obj;

	if ((o->core.readers || o->core.writers) && !o->raw && !o->doomed)
		o->doomed = o->data;
	else
		data_free(at, o->data, o->raw);
	o->data = NULL;
	o->raw = false;
}

static void object_undoom(struct kddm_at *at)
{
	struct kddm_object *o = at->obj;

	if (!o->doomed || o->core.readers || o->core.writers)
		return;
	data_free(at, o->doomed, false);
	o->doomed = NULL;
}

/* Content that came with the event, until it is known what becomes of it. */
static void object_attach(struct kddm_at *at, const struct krg_kddm_msg *msg)
{
	struct kddm_object *o = at->obj;

	if (msg->content != KRG_KDDM_RAW || o->data || !at->set->linker)
		return;
	if (paged(at->set)) {
		o->data = at->page;
		at->page = NULL;
	} else if (at->bytes) {
		o->data = kmemdup(at->bytes, at->set->linker->size, GFP_KERNEL | __GFP_NOFAIL);
	}
	o->raw = o->data;
}

static void object_detach(struct kddm_at *at)
{
	if (at->obj->raw && at->obj->core.content != KRG_KDDM_RAW) {
		data_free(at, at->obj->data, true);
		at->obj->data = NULL;
		at->obj->raw = false;
	}
}

static void act_send(struct kddm_at *at, const struct krg_kddm_action *a)
{
	unsigned int cursor = 0, to;

	if (a->to != KRG_KDDM_NOBODY)
		kddm_send(at, a->to, &a->msg);
	while ((to = krg_kddm_nodes_next(&a->set, &cursor)) != KRG_KDDM_NOBODY)
		kddm_send(at, to, &a->msg);
}

static void object_act(struct kddm_at *at, const struct krg_kddm_action *a)
{
	const struct krg_kddm_linker *linker = at->set->linker;

	switch (a->type) {
	case KRG_KDDM_SEND:
		act_send(at, a);
		break;
	case KRG_KDDM_PROTECT:
		if (linker->protect)
			linker->protect(at->set, at->index, at->obj->data);
		break;
	case KRG_KDDM_UNMAP:
		kddm_count(&at->set->count->invalidated);
		if (linker->unmap)
			linker->unmap(at->set, at->index, at->obj->data);
		break;
	case KRG_KDDM_FREE:
		object_free_data(at);
		break;
	case KRG_KDDM_FILL:
		at->fill = true;
		break;
	case KRG_KDDM_WAKE:
		kddm_wake(at, a->msg.op, a->msg.status);
		break;
	case KRG_KDDM_DO:
		kddm_job(at, &a->msg);
		break;
	}
}

/**
 * kddm_run() - something happens to a locked object
 * @at: it; a message's content in @at->page or @at->bytes
 * @msg: what happens
 *
 * Return: as krg_kddm_event().
 */
int kddm_run(struct kddm_at *at, const struct krg_kddm_msg *msg)
{
	struct kddm_object *o = at->obj;
	bool granted = o->core.flags & KRG_KDDM_GRANTED;
	struct krg_kddm_env env;
	struct krg_kddm_out out;
	unsigned int i;
	int result;

	lockdep_assert_held(&at->bucket->lock);
	bucket_stock(at->bucket);
	object_env(at, &env);
	object_attach(at, msg);
	result = krg_kddm_event(&o->core, &env, msg, &out);
	trace_krg_kddm_event(at, msg, &out, result);
	if (!granted && o->core.flags & KRG_KDDM_GRANTED)
		kddm_residency_granted(at);
	for (i = 0; i < out.actions; i++) {
		object_act(at, &out.action[i]);
		krg_kddm_nodes_clear(&out.action[i].set, &at->bucket->spare);
	}
	object_detach(at);
	return result;
}

/**
 * kddm_op() - an operation without more to it
 * @at: the object
 * @type: KRG_KDDM_OP_*, or a step of the view
 * @node: on whose behalf, or KRG_KDDM_NOBODY
 * @status: FILLED, REPLY
 *
 * Return: as krg_kddm_event().
 */
int kddm_op(struct kddm_at *at, u8 type, u16 node, int status)
{
	struct krg_kddm_msg msg = {
		.type = type, .node = node, .from = KRG_KDDM_NOBODY, .status = status,
	};

	return kddm_run(at, &msg);
}

static int fill_small(struct kddm_at *at)
{
	struct kddm_object *o = at->obj;

	if (!o->raw)
		o->data = kzalloc(at->set->linker->size, GFP_KERNEL);
	o->raw = false;
	return o->data ? 0 : -ENOMEM;
}

static int fill_page(struct kddm_at *at)
{
	struct kddm_object *o = at->obj;
	void *slot = NULL;
	int err;

	err = at->set->linker->fill(at->set, at->index, o->raw ? o->data : NULL, &slot);
	if (err)
		return err;
	o->data = slot;
	o->raw = false;
	return 0;
}

static void object_fill(struct kddm_at *at)
{
	int err = -EOPNOTSUPP;

	if (at->set->linker && at->set->opened)
		err = paged(at->set) ? fill_page(at) : fill_small(at);
	kddm_op(at, KRG_KDDM_OP_FILLED, KRG_KDDM_NOBODY, err);
}

/**
 * kddm_settle() - do all that an event has left to be done
 * @at: the object
 */
void kddm_settle(struct kddm_at *at)
{
	for (;;) {
		if (at->fill) {
			at->fill = false;
			object_fill(at);
		} else if (at->woken) {
			kddm_retry(at);
		} else if (at->obj->core.flags & KRG_KDDM_GRANTED && kddm_residency_over(at)) {
			kddm_op(at, KRG_KDDM_OP_RELEASE, KRG_KDDM_NOBODY, 0);
		} else {
			break;
		}
	}
	object_undoom(at);
}

/* Return: true if it was forgotten. */
static bool object_forget(struct kddm_at *at)
{
	struct krg_kddm_env env;

	object_env(at, &env);
	if (at->obj->doomed || !krg_kddm_idle(&at->obj->core, &env))
		return false;
	WARN_ON_ONCE(at->obj->data);
	xa_erase(&at->set->objects, at->index);
	kmem_cache_free(object_cache, at->obj);
	atomic_long_dec(&at->set->nr_objects);
	return true;
}

/**
 * kddm_unlock() - settle an object and unlock it
 * @at: from kddm_lock()
 */
void kddm_unlock(struct kddm_at *at)
{
	struct kddm_net *kn = at->kn;
	bool forgotten;

	kddm_settle(at);
	forgotten = object_forget(at);
	mutex_unlock(&at->bucket->lock);
	if (at->page)
		put_page(at->page);
	if (!forgotten)
		return;
	kddm_set_put(at->set);
	if (atomic_long_dec_and_test(&kn->nr_objects))
		wake_up_all(&kn->wait);
}

/* What the set's end leaves of an object: who holds it. */
static void object_kill(struct kddm_at *at)
{
	struct kddm_object *o = at->obj;
	u16 readers = o->core.readers;
	u8 writers = o->core.writers;
	struct krg_kddm_env env;

	if (o->data && !o->raw && at->set->linker->unmap)
		at->set->linker->unmap(at->set, at->index, o->data);
	object_free_data(at);
	krg_kddm_nodes_clear(&o->core.copies, &at->bucket->spare);
	krg_kddm_nodes_clear(&o->core.waiting, &at->bucket->spare);
	object_env(at, &env);
	krg_kddm_init(&o->core, &env);
	o->core.readers = readers;
	o->core.writers = writers;
}

/**
 * kddm_kill_objects() - free what a destroyed set has here
 * @set: it; nothing of it comes any more
 *
 * Context: process. Locks: none.
 */
void kddm_kill_objects(struct krg_kddm_set *set)
{
	struct kddm_object *o;
	unsigned long index;
	struct kddm_at at;

	xa_for_each(&set->objects, index, o) {
		down_read(&set->kn->sem);
		if (kddm_lock(&at, set, index, false)) {
			object_kill(&at);
			kddm_unlock(&at);
		}
		up_read(&set->kn->sem);
		cond_resched();
	}
}

/**
 * kddm_each_object() - lock one object after the other
 * @kn: node
 * @fn: called for each; it is settled and unlocked afterwards
 *
 * Objects that come meanwhile may be left out.
 *
 * Locks: kn->sem held.
 */
void kddm_each_object(struct kddm_net *kn, void (*fn)(struct kddm_at *at))
{
	struct krg_kddm_set *set = NULL;
	struct kddm_object *o;
	unsigned long index;
	struct kddm_at at;

	while ((set = kddm_set_next(kn, set))) {
		xa_for_each(&set->objects, index, o) {
			if (set->dead || !kddm_lock(&at, set, index, false))
				continue;
			fn(&at);
			kddm_unlock(&at);
			cond_resched();
		}
	}
}
