// SPDX-License-Identifier: GPL-2.0-only
/* One operation on many objects, some of them under way at once. */
#include <linux/slab.h>
#include "kddm.h"

#define BATCH_MAX	64	/* under way at once */

struct batch_item {
	struct kddm_waiter w;
	struct kddm_batch *batch;
};

static void batch_end(struct kddm_waiter *w)
{
	struct batch_item *item = container_of(w, struct batch_item, w);
	struct kddm_batch *batch = item->batch;
	struct kddm_net *kn = batch->kn;
	int status = w->status;

	kddm_set_put(w->set);
	kfree(item);
	if (status)
		cmpxchg(&batch->status, 0, status);
	/* With the last one @batch may go. */
	atomic_dec(&batch->under_way);
	wake_up_all(&kn->wait);
}

static struct batch_item *batch_item(struct kddm_batch *batch, struct krg_kddm_set *set,
				     u64 index)
{
	struct batch_item *item = kzalloc(sizeof(*item), GFP_KERNEL | __GFP_NOFAIL);

	INIT_LIST_HEAD(&item->w.link);
	item->batch = batch;
	item->w.kind = KDDM_ASYNC;
	item->w.op = batch->op;
	item->w.node = KRG_KDDM_NOBODY;
	item->w.set = set;
	item->w.index = index;
	item->w.end = batch_end;
	refcount_inc(&set->ref);
	return item;
}

/**
 * kddm_batch_one() - begin with one more object
 * @batch: zeroed but for what it is to do
 * @set: the object's set
 * @index: its number; nothing is done if nothing is known of it
 * @managed: only if this node manages it
 *
 * Context: process; waits while enough are under way. Locks: none.
 */
void kddm_batch_one(struct kddm_batch *batch, struct krg_kddm_set *set, u64 index, bool managed)
{
	struct kddm_net *kn = batch->kn;
	struct batch_item *item;
	struct kddm_at at;

	wait_event(kn->wait, atomic_read(&batch->under_way) < BATCH_MAX);
	down_read(&kn->sem);
	if (kn->in && !set->dead && kddm_lock(&at, set, index, false)) {
		if (!managed || at.obj->manager == kn->view.self) {
			item = batch_item(batch, set, index);
			atomic_inc(&batch->under_way);
			kddm_enqueue(&at, &item->w);
			kddm_attempt(&at, &item->w);
		}
		kddm_unlock(&at);
	}
	up_read(&kn->sem);
}

/**
 * kddm_batch_wait() - until all have ended
 * @batch: the batch
 *
 * Return: 0, or how one of them failed.
 */
int kddm_batch_wait(struct kddm_batch *batch)
{
	wait_event(batch->kn->wait, !atomic_read(&batch->under_way));
	return batch->status;
}
