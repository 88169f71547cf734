// SPDX-License-Identifier: GPL-2.0-only
/* What users do with objects. */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "kddm.h"

static void waiter_init(struct kddm_waiter *w, struct krg_kddm_set *set, u64 index, u8 op,
			krg_node_t node)
{
	memset(w, 0, sizeof(*w));
	INIT_LIST_HEAD(&w->link);
	w->kind = KDDM_USER;
	w->set = set;
	w->index = index;
	w->op = op;
	w->node = node < 0 ? KRG_KDDM_NOBODY : node;
	w->task = current;
}

static bool wait_done(const struct kddm_waiter *w)
{
	/* Pairs with kddm_end(). */
	return smp_load_acquire(&w->done);
}

/* The user stops waiting. Return: 0 if it was over already. */
static int wait_leave(struct kddm_net *kn, struct kddm_waiter *w)
{
	struct kddm_bucket *b = kddm_bucket_of(kn, w->set->id.number, w->index);

	down_read(&kn->sem);
	mutex_lock(&b->lock);
	list_del_init(&w->link);
	mutex_unlock(&b->lock);
	up_read(&kn->sem);
	return w->done ? 0 : -EINTR;
}

static int wait_for(struct kddm_net *kn, struct kddm_waiter *w, unsigned int flags)
{
	unsigned int mode = flags & KRG_KDDM_KILLABLE ? TASK_KILLABLE : TASK_INTERRUPTIBLE;
	int err = 0;

	for (;;) {
		set_current_state(mode);
		if (wait_done(w))
			break;
		if (signal_pending_state(mode, current)) {
			err = -EINTR;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	if (err)
		err = wait_leave(kn, w);
	return err ?: w->status;
}

static void waited(struct krg_kddm_set *set, const struct kddm_waiter *w, u64 since)
{
	u64 ns = ktime_get_ns() - since;

	kddm_count(&set->count->misses);
	this_cpu_add(set->count->miss_ns, ns);
	if (!w->late && !w->status && (w->op == KRG_KDDM_OP_GET || w->op == KRG_KDDM_OP_GRAB))
		kddm_residency_missed(set->kn, ns);
}

static int set_gone(const struct krg_kddm_set *set)
{
	if (set->dead)
		return -ENOENT;
	return set->kn->in && !set->kn->leaving ? 0 : -ENOTCONN;
}

static void *slot_of(const struct kddm_object *o)
{
	return o->raw ? NULL : o->data;
}

/* It is held: its slot stays. */
static void slot_late(struct krg_kddm_set *set, u64 index, void **slot)
{
	struct kddm_net *kn = set->kn;
	struct kddm_at at;

	down_read(&kn->sem);
	if (kddm_lock(&at, set, index, false)) {
		*slot = at.obj->doomed ?: slot_of(at.obj);
		kddm_unlock(&at);
	}
	up_read(&kn->sem);
}

static int operate_wait(struct kddm_waiter *w, unsigned int flags, u64 since, void **slot)
{
	struct krg_kddm_set *set = w->set;
	int err = wait_for(set->kn, w, flags);

	waited(set, w, since);
	if (err == -EIO)
		kddm_count(&set->count->lost);
	if (!err && slot)
		slot_late(set, w->index, slot);
	return err;
}

/* Return: whether it is over, with w->status and *@slot. */
static bool operate_now(struct kddm_waiter *w, unsigned int flags, void **slot)
{
	struct kddm_at at;
	bool over;

	kddm_lock(&at, w->set, w->index, true);
	kddm_enqueue(&at, w);
	kddm_attempt(&at, w);
	/* A grant of ours may come while we settle. */
	kddm_settle(&at);
	over = w->done;
	if (over && !w->status) {
		kddm_count(&w->set->count->hits);
		if (slot)
			*slot = slot_of(at.obj);
	} else if (!over && flags & KRG_KDDM_NOWAIT) {
		list_del_init(&w->link);
		w->status = -EAGAIN;
		over = true;
	}
	kddm_unlock(&at);
	return over;
}

/* An operation that may have to wait. On success of GET, GRAB: *@slot. */
static int operate(struct krg_kddm_set *set, u64 index, u8 op, krg_node_t node,
		   unsigned int flags, void **slot)
{
	struct kddm_net *kn = set->kn;
	u64 since = ktime_get_ns();
	struct kddm_waiter w;
	bool over;

	waiter_init(&w, set, index, op, node);
	down_read(&kn->sem);
	w.status = set_gone(set);
	over = w.status || operate_now(&w, flags, slot);
	up_read(&kn->sem);
	return over ? w.status : operate_wait(&w, flags, since, slot);
}

/**
 * krg_kddm_get() - hold an object for reading
 * @set: its set
 * @index: its number
 * @flags: KRG_KDDM_*
 * @slot: what the linker stored, or the object's bytes
 *
 * Several users may hold it for reading at once, here and elsewhere. Ends with
 * krg_kddm_put().
 *
 * Context: process, may sleep. Locks: none that a linker's call takes.
 * Return: 0; -EINTR; -EAGAIN with KRG_KDDM_NOWAIT; -EIO: its only copy died, or its
 * home; -ENOMEM, or what the linker said; -ENOLINK: it is not here and this side of
 * the cluster has no quorum; -ENOTCONN: no cluster; -ENOENT: the set was destroyed.
 */
int krg_kddm_get(struct krg_kddm_set *set, u64 index, unsigned int flags, void **slot)
{
	return operate(set, index, KRG_KDDM_OP_GET, KRG_NODE_NONE, flags, slot);
}
EXPORT_SYMBOL_GPL(krg_kddm_get);

/**
 * krg_kddm_grab() - hold an object for writing
 * @set: its set
 * @index: its number
 * @flags: KRG_KDDM_*
 * @slot: what the linker stored, or the object's bytes
 *
 * No other node has a copy then. Users of this node are not kept apart: that is up
 * to them.
 *
 * Context: process, may sleep. Locks: none that a linker's call takes.
 * Return: as krg_kddm_get().
 */
int krg_kddm_grab(struct krg_kddm_set *set, u64 index, unsigned int flags, void **slot)
{
	return operate(set, index, KRG_KDDM_OP_GRAB, KRG_NODE_NONE, flags, slot);
}
EXPORT_SYMBOL_GPL(krg_kddm_grab);

/**
 * krg_kddm_find() - hold an object for reading if a copy is here
 * @set: its set
 * @index: its number
 * @slot: as krg_kddm_get()
 *
 * Context: process. Return: 0; -ENOENT: none is, or it can't be used now.
 */
int krg_kddm_find(struct krg_kddm_set *set, u64 index, void **slot)
{
	struct kddm_net *kn = set->kn;
	struct kddm_at at;
	int err = -ENOENT;

	down_read(&kn->sem);
	if (!set_gone(set) && kddm_lock(&at, set, index, false)) {
		err = kddm_op(&at, KRG_KDDM_OP_FIND, KRG_KDDM_NOBODY, 0);
		if (!err && slot)
			*slot = slot_of(at.obj);
		kddm_unlock(&at);
	}
	up_read(&kn->sem);
	return err;
}
EXPORT_SYMBOL_GPL(krg_kddm_find);

/**
 * krg_kddm_put() - let go of an object
 * @set: its set
 * @index: its number
 * @write: it was held for writing
 *
 * Context: process.
 */
void krg_kddm_put(struct krg_kddm_set *set, u64 index, bool write)
{
	struct kddm_net *kn = set->kn;
	struct kddm_at at;

	down_read(&kn->sem);
	if (!WARN_ON_ONCE(!kddm_lock(&at, set, index, false))) {
		WARN_ON_ONCE(kddm_op(&at, write ? KRG_KDDM_OP_PUT_WRITE : KRG_KDDM_OP_PUT_READ,
				     KRG_KDDM_NOBODY, 0));
		at.woken |= KRG_KDDM_WAKE_LOCAL;
		kddm_unlock(&at);
	}
	up_read(&kn->sem);
	if (unlikely(READ_ONCE(kn->leaving)))
		wake_up_all(&kn->wait);
}
EXPORT_SYMBOL_GPL(krg_kddm_put);

/**
 * krg_kddm_prefetch() - ask for copies nobody waits for yet
 * @set: their set
 * @index: the first
 * @count: how many; bounds what is under way
 *
 * Context: process.
 */
void krg_kddm_prefetch(struct krg_kddm_set *set, u64 index, unsigned int count)
{
	struct kddm_net *kn = set->kn;
	struct kddm_at at;
	u8 state;

	down_read(&kn->sem);
	if (set_gone(set) || kn->paused) {
		up_read(&kn->sem);
		return;
	}
	kddm_plug(kn);
	for (; count; count--, index++) {
		kddm_lock(&at, set, index, true);
		state = at.obj->core.state;
		kddm_access(&at, KRG_KDDM_OP_PREFETCH);
		if (state != at.obj->core.state)
			kddm_count(&set->count->prefetched);
		kddm_unlock(&at);
	}
	kddm_unplug(kn);
	up_read(&kn->sem);
}
EXPORT_SYMBOL_GPL(krg_kddm_prefetch);

/**
 * krg_kddm_flush() - be rid of this node's copy
 * @set: its set
 * @index: its number
 * @to: if this node manages the object and has the only copy, who takes it
 * @flags: KRG_KDDM_*
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY: it is held; -EAGAIN: the other side can't take it now; -ENOMEM:
 * nor has room; -ENOSPC: nobody to take it was named; -EINTR; as krg_kddm_get().
 */
int krg_kddm_flush(struct krg_kddm_set *set, u64 index, krg_node_t to, unsigned int flags)
{
	return operate(set, index, KRG_KDDM_OP_FLUSH, to, flags, NULL);
}
EXPORT_SYMBOL_GPL(krg_kddm_flush);

/**
 * krg_kddm_sync() - have an object written back by its manager
 * @set: its set
 * @index: its number
 * @flags: KRG_KDDM_*
 *
 * Context: process, may sleep.
 * Return: 0; what the linker said; as krg_kddm_get().
 */
int krg_kddm_sync(struct krg_kddm_set *set, u64 index, unsigned int flags)
{
	return operate(set, index, KRG_KDDM_OP_SYNC, KRG_NODE_NONE, flags, NULL);
}
EXPORT_SYMBOL_GPL(krg_kddm_sync);

/**
 * krg_kddm_remove() - make an object untouched again, everywhere
 * @set: its set
 * @index: its number
 * @flags: KRG_KDDM_*
 *
 * Who uses it afterwards gets it as the linker makes it. A lost one is no more lost.
 *
 * Context: process, may sleep.
 * Return: 0; as krg_kddm_get().
 */
int krg_kddm_remove(struct krg_kddm_set *set, u64 index, unsigned int flags)
{
	return operate(set, index, KRG_KDDM_OP_REMOVE, KRG_NODE_NONE, flags, NULL);
}
EXPORT_SYMBOL_GPL(krg_kddm_remove);
