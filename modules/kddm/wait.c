// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for an object: users, and what the manager is to do for other nodes.
 *
 * An event that may have made something possible says so (WAKE); then each who waits
 * for that tries again, under the object's lock and on behalf of the task, which
 * finds the object held when it wakes up. So nobody who comes later is faster.
 */
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include "kddm.h"

static bool waits_here(const struct kddm_at *at, const struct kddm_waiter *w)
{
	return w->set == at->set && w->index == at->index;
}

static u8 wake_bit(const struct kddm_waiter *w)
{
	if (w->kind == KDDM_JOB)
		return KRG_KDDM_WAKE_ACCESS;
	switch (w->op) {
	case KRG_KDDM_OP_FLUSH:
		return KRG_KDDM_WAKE_FLUSH;
	case KRG_KDDM_OP_SYNC:
		return KRG_KDDM_WAKE_SYNC;
	case KRG_KDDM_OP_REMOVE:
		return KRG_KDDM_WAKE_REMOVE;
	default:
		return KRG_KDDM_WAKE_ACCESS;
	}
}

void kddm_enqueue(struct kddm_at *at, struct kddm_waiter *w)
{
	lockdep_assert_held(&at->bucket->lock);
	if (list_empty(&w->link))
		list_add_tail(&w->link, &at->bucket->waiters);
}

/* The end of a waiter; it may be gone when this returns. */
void kddm_end(struct kddm_waiter *w, int status)
{
	struct task_struct *task = w->task;

	list_del_init(&w->link);
	w->status = status;
	switch (w->kind) {
	case KDDM_USER:
		get_task_struct(task);
		/* Pairs with wait_done(). */
		smp_store_release(&w->done, true);
		wake_up_process(task);
		put_task_struct(task);
		break;
	case KDDM_ASYNC:
		w->end(w);
		break;
	case KDDM_JOB:
		kddm_set_put(w->set);
		kfree(w);
		break;
	}
}

/* Of SYNC and REMOVE only those end whose own it was; the others try now. */
static bool is_ended(const struct kddm_waiter *w, int status)
{
	return (w->op != KRG_KDDM_OP_SYNC && w->op != KRG_KDDM_OP_REMOVE) || w->asked || status < 0;
}

/**
 * kddm_wake() - the pure code wakes users
 * @at: the object
 * @whom: KRG_KDDM_WAKE_*
 * @status: 0: they may try again; 1 or -errno: they end
 */
void kddm_wake(struct kddm_at *at, u8 whom, int status)
{
	struct kddm_waiter *w, *next;

	if (!status) {
		at->woken |= whom;
		return;
	}
	list_for_each_entry_safe(w, next, &at->bucket->waiters, link) {
		if (!waits_here(at, w) || !(wake_bit(w) & whom))
			continue;
		if (w->kind == KDDM_JOB || !is_ended(w, status))
			at->woken |= wake_bit(w);
		else
			kddm_end(w, min(status, 0));
	}
}

static void job_reply(struct kddm_at *at, const struct kddm_waiter *w, int status)
{
	struct krg_kddm_msg msg = {
		.type = KRG_KDDM_OP_REPLY, .op = w->op, .node = w->node,
		.from = KRG_KDDM_NOBODY, .status = min(status, 0),
	};

	kddm_run(at, &msg);
}

static void job_sync_done(struct kddm_at *at, const struct kddm_waiter *w, int status)
{
	kddm_op(at, KRG_KDDM_OP_PUT_READ, KRG_KDDM_NOBODY, 0);
	at->woken |= KRG_KDDM_WAKE_LOCAL;
	if (w->epoch == at->kn->view.epoch)
		job_reply(at, w, status);
}

/* The linker writes it back, in its own time. The object is held for reading. */
static void job_sync_work(struct work_struct *work)
{
	struct kddm_waiter *w = container_of(work, struct kddm_waiter, work);
	struct krg_kddm_set *set = w->set;
	struct kddm_net *kn = set->kn;
	struct kddm_at at;
	void *slot = NULL;
	int err;

	down_read(&kn->sem);
	kddm_lock(&at, set, w->index, true);
	slot = at.obj->data;
	kddm_unlock(&at);
	up_read(&kn->sem);
	err = slot ? set->linker->sync(set, w->index, slot) : -EIO;
	down_read(&kn->sem);
	kddm_lock(&at, set, w->index, true);
	job_sync_done(&at, w, err);
	kddm_unlock(&at);
	up_read(&kn->sem);
	kddm_set_put(set);
	kfree(w);
}

/* Return: 0: it is over; KRG_KDDM_WAIT. */
static int job_sync(struct kddm_at *at, struct kddm_waiter *w)
{
	int err = 0;

	if (at->obj->core.content != KRG_KDDM_VOID)
		err = kddm_op(at, KRG_KDDM_OP_GET, KRG_KDDM_NOBODY, 0);
	else if (!err)
		goto reply;
	if (err == KRG_KDDM_WAIT)
		return err;
	if (err)
		goto reply;
	if (at->set->linker->sync) {
		list_del_init(&w->link);
		INIT_WORK(&w->work, job_sync_work);
		queue_work(system_unbound_wq, &w->work);
		return KRG_KDDM_LATER;
	}
	job_sync_done(at, w, 0);
	return 0;
reply:
	job_reply(at, w, err);
	return 0;
}

/* Whoever has it gives it to us, then it is untouched again. */
static int job_remove(struct kddm_at *at, struct kddm_waiter *w)
{
	u8 content = at->obj->core.content;
	int err = -EAGAIN;

	if (content == KRG_KDDM_VOID || content == KRG_KDDM_LOST)
		err = kddm_op(at, KRG_KDDM_OP_ERASE, w->node, 0);
	if (err == -EAGAIN) {
		err = kddm_op(at, KRG_KDDM_OP_GRAB, KRG_KDDM_NOBODY, 0);
		if (err == KRG_KDDM_WAIT)
			return err;
		if (!err) {
			err = kddm_op(at, KRG_KDDM_OP_ERASE, w->node, 0);
			if (err == -EAGAIN || err == KRG_KDDM_WAIT) {
				kddm_op(at, KRG_KDDM_OP_PUT_WRITE, KRG_KDDM_NOBODY, 0);
				return KRG_KDDM_WAIT;
			}
		}
	}
	if (err == KRG_KDDM_WAIT)
		return err;
	if (err)
		job_reply(at, w, err);
	return 0;
}

static int attempt_job(struct kddm_at *at, struct kddm_waiter *w)
{
	return w->op == KRG_KDDM_SYNC ? job_sync(at, w) : job_remove(at, w);
}

/* What was granted and not released yet would be in use. */
static int attempt_flush(struct kddm_at *at, struct kddm_waiter *w)
{
	if (at->obj->core.flags & KRG_KDDM_GRANTED)
		kddm_op(at, KRG_KDDM_OP_RELEASE, KRG_KDDM_NOBODY, 0);
	return kddm_op(at, KRG_KDDM_OP_FLUSH, w->node, 0);
}

/* Without quorum nothing is begun: whoever would wait is told so. */
static int attempt_user(struct kddm_at *at, struct kddm_waiter *w)
{
	int err;

	switch (w->op) {
	case KRG_KDDM_OP_FLUSH:
		err = attempt_flush(at, w);
		break;
	case KRG_KDDM_OP_GET:
	case KRG_KDDM_OP_GRAB:
		err = kddm_access(at, w->op);
		break;
	default:
		err = kddm_op(at, w->op, KRG_KDDM_NOBODY, 0);
	}
	if (err == KRG_KDDM_WAIT && !list_empty(&w->link) &&
	    (w->op == KRG_KDDM_OP_SYNC || w->op == KRG_KDDM_OP_REMOVE))
		w->asked = true;
	if (err > 0 && at->kn->paused)
		return -ENOLINK;
	return err;
}

/**
 * kddm_attempt() - somebody tries, at first or again
 * @at: the object
 * @w: who; already enqueued
 *
 * Return: KRG_KDDM_WAIT, _LATER: not yet. Otherwise it has ended, and may be gone.
 */
int kddm_attempt(struct kddm_at *at, struct kddm_waiter *w)
{
	int err = w->kind == KDDM_JOB ? attempt_job(at, w) : attempt_user(at, w);

	if (err > 0)
		return err;
	if (w->kind != KDDM_JOB)
		w->late = at->late;
	kddm_end(w, err);
	return err;
}

static struct kddm_waiter *next_woken(struct kddm_at *at, u8 whom, u32 round)
{
	struct kddm_waiter *w;

	list_for_each_entry(w, &at->bucket->waiters, link)
		if (w->round != round && waits_here(at, w) && wake_bit(w) & whom)
			return w;
	return NULL;
}

/**
 * kddm_retry() - who was woken tries again, each once
 * @at: the object
 */
void kddm_retry(struct kddm_at *at)
{
	u32 round = ++at->bucket->round;
	struct kddm_waiter *w;
	u8 whom = at->woken;

	at->woken = 0;
	while ((w = next_woken(at, whom, round))) {
		w->round = round;
		kddm_attempt(at, w);
	}
}

/**
 * kddm_job() - the manager is to do something for a node
 * @at: the object
 * @msg: what (op) and for whom (node)
 */
void kddm_job(struct kddm_at *at, const struct krg_kddm_msg *msg)
{
	struct kddm_waiter *w = kzalloc(sizeof(*w), GFP_KERNEL | __GFP_NOFAIL);

	w->kind = KDDM_JOB;
	w->op = msg->op;
	w->node = msg->node;
	w->set = at->set;
	w->index = at->index;
	w->epoch = at->kn->view.epoch;
	refcount_inc(&at->set->ref);
	INIT_LIST_HEAD(&w->link);
	kddm_enqueue(at, w);
	at->woken |= KRG_KDDM_WAKE_ACCESS;
}

/* The view changes: who asked asks again. */
void kddm_drop_jobs(struct kddm_net *kn)
{
	struct kddm_waiter *w, *next;
	struct kddm_bucket *b;

	lockdep_assert_held_write(&kn->sem);
	for (b = kn->bucket; b < kn->bucket + (1 << KDDM_BUCKET_BITS); b++)
		list_for_each_entry_safe(w, next, &b->waiters, link)
			if (w->kind == KDDM_JOB)
				kddm_end(w, -ESTALE);
}

/* The first of those left to try; none of its object is left then. */
static struct kddm_waiter *next_todo(struct kddm_bucket *b)
{
	struct kddm_waiter *w, *first = NULL;

	list_for_each_entry(w, &b->waiters, link) {
		if (!w->todo)
			continue;
		if (!first)
			first = w;
		if (w->set == first->set && w->index == first->index)
			w->todo = false;
	}
	return first;
}

static void retry_bucket(struct kddm_bucket *b)
{
	struct krg_kddm_set *set;
	struct kddm_waiter *w;
	struct kddm_at at;

	list_for_each_entry(w, &b->waiters, link)
		w->todo = true;
	while ((w = next_todo(b))) {
		set = w->set;
		refcount_inc(&set->ref);
		kddm_lock(&at, set, w->index, true);
		at.woken = KRG_KDDM_WAKE_ALL;
		kddm_unlock(&at);
		kddm_set_put(set);
		cond_resched();
	}
}

/* All who wait try again, also those whose object was forgotten meanwhile. */
void kddm_retry_all(struct kddm_net *kn)
{
	struct kddm_bucket *b;

	/* With it nobody else touches the lists. */
	lockdep_assert_held_write(&kn->sem);
	for (b = kn->bucket; b < kn->bucket + (1 << KDDM_BUCKET_BITS); b++)
		retry_bucket(b);
}

/* The waiting of all users of @set ends; NULL: of all sets. */
void kddm_end_waiting(struct kddm_net *kn, const struct krg_kddm_set *set, int status)
{
	struct kddm_waiter *w, *next;
	struct kddm_bucket *b;

	lockdep_assert_held_write(&kn->sem);
	for (b = kn->bucket; b < kn->bucket + (1 << KDDM_BUCKET_BITS); b++)
		list_for_each_entry_safe(w, next, &b->waiters, link)
			if (set ? w->set == set : w->kind != KDDM_JOB)
				kddm_end(w, status);
}
