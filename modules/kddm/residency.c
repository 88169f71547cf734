// SPDX-License-Identifier: GPL-2.0-only
/*
 * Minimum residency: what was just granted may not be taken for a short time, or two
 * nodes that write to one page would do nothing but pass it on. By default a node
 * keeps a page for as long as its transfer takes: it works half of the time.
 *
 * What a miss takes is measured on misses that did not have to wait for another node's
 * residency (KDDM_MSG_LATE), or each would make the other longer. Of those some have
 * waited for other things, so it is a low quantile of them: down fast, up slowly.
 *
 * Nothing is timed while nobody else wants the object: it stays granted until an
 * event finds the time over. Only who has to wait makes a timer.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include "kddm.h"

#define RESIDENCY_AUTO		UINT_MAX
#define RESIDENCY_MAX_US	10000u

unsigned int kddm_residency_us = RESIDENCY_AUTO;
module_param_named(residency_us, kddm_residency_us, uint, 0644);
MODULE_PARM_DESC(residency_us,
		 "us for which an object just gained stays; 4294967295 = what a miss takes");

struct residency_timer {
	struct hrtimer timer;
	struct work_struct work;
	struct krg_kddm_set *set;
	u64 index;
};

static u32 now_us(void)
{
	return ktime_to_us(ktime_get());
}

static u32 residency_us(struct kddm_net *kn)
{
	u32 us = READ_ONCE(kddm_residency_us);

	if (us == RESIDENCY_AUTO)
		us = READ_ONCE(kn->miss_ns) / 1000;
	return min(us, RESIDENCY_MAX_US);
}

static void residency_work(struct work_struct *work)
{
	struct residency_timer *t = container_of(work, struct residency_timer, work);
	struct kddm_net *kn = t->set->kn;
	struct kddm_at at;

	down_read(&kn->sem);
	if (kddm_lock(&at, t->set, t->index, false)) {
		at.obj->armed = false;
		at.late = true;
		kddm_unlock(&at);
	}
	up_read(&kn->sem);
	kddm_set_put(t->set);
	kfree(t);
	if (atomic_dec_and_test(&kn->timers))
		wake_up_all(&kn->wait);
}

static enum hrtimer_restart residency_fire(struct hrtimer *timer)
{
	struct residency_timer *t = container_of(timer, struct residency_timer, timer);

	queue_work(kddm_wq, &t->work);
	return HRTIMER_NORESTART;
}

/* Return: false if there is no memory; then nobody waits. */
static bool residency_arm(struct kddm_at *at, u32 us)
{
	struct residency_timer *t;

	if (at->obj->armed)
		return true;
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return false;
	refcount_inc(&at->set->ref);
	atomic_inc(&at->kn->timers);
	t->set = at->set;
	t->index = at->index;
	INIT_WORK(&t->work, residency_work);
	hrtimer_init(&t->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	t->timer.function = residency_fire;
	at->obj->armed = true;
	kddm_count(&at->set->count->residency);
	hrtimer_start(&t->timer, ns_to_ktime((u64)us * NSEC_PER_USEC), HRTIMER_MODE_REL);
	return true;
}

/* Is the time of a granted object over; if not and somebody waits, it will be released. */
bool kddm_residency_over(struct kddm_at *at)
{
	const struct krg_kddm_object *o = &at->obj->core;
	u32 least = residency_us(at->kn);
	u32 age = now_us() - at->obj->granted_us;

	if (age >= least)
		return true;
	if (!o->first && !o->last && !o->waiting.count)
		return false;
	return !residency_arm(at, least - age);
}

void kddm_residency_granted(struct kddm_at *at)
{
	at->obj->granted_us = now_us();
}

/* A miss took @ns. */
void kddm_residency_missed(struct kddm_net *kn, u64 ns)
{
	u32 old = READ_ONCE(kn->miss_ns);
	u32 now = min_t(u64, ns, 1000000000u);

	if (!old)
		old = now;
	if (now < old)
		old -= (old - now) / 4;
	else
		old += min(now - old, old) / 32;
	WRITE_ONCE(kn->miss_ns, old);
}

/* Until no timer is left. Nobody makes new ones. */
void kddm_residency_wait(struct kddm_net *kn)
{
	wait_event(kn->wait, !atomic_read(&kn->timers));
}
