// SPDX-License-Identifier: GPL-2.0-only
/*
 * While this node is in a cluster, every task made here gets a pid of the
 * node's own range, so that no two nodes make the same one:
 *
 *	node n owns [n << shift, (n + 1) << shift), shift = log2(2^22 / max_nodes)
 *
 * The kernel gives numbers out in a circle: the next free one after the last.
 * alloc_pid() is redirected to pids_alloc(), which lets the kernel choose and
 * looks at the number. Inside the range, that is all. Outside (the first one
 * after the cluster came up, the end of the range reached) the new pid, which
 * has no task yet, is moved to the next free number of the range, and the
 * kernel's circle goes on from there. No number of the range free: the fork
 * ends with EAGAIN.
 *
 * Why not free the pid and try again: a pid in nested namespaces has a number
 * in each. The first of a namespace must be 1 there, and it kills the namespace
 * to free it.
 *
 * Who asks for a number (restart, clone3 with set_tid) gets that or an error.
 *
 * Locks: pids_lock
 *	    the kernel's pidmap_lock	the numbers of init_pid_ns and its cursor
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/idr.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/spinlock.h>
#include <linux/threads.h>
#include <net/net_namespace.h>
#include <krg/cluster.h>

#include "proc.h"

#define PIDS_RESERVED	300	/* the kernel's own circle leaves these to daemons */

/* Set under pids_lock while the redirect is off, constant while it is on. */
static struct {
	int first;
	int end;		/* the first that is not of the range */
} range;

static DEFINE_MUTEX(pids_lock);
static bool pids_on;		/* pids_lock */
static int pids_old_max;	/* kernel.pid_max before; pids_lock */
static unsigned int pids_old_cursor;

static_assert(PID_MAX_LIMIT == 1 << 22, "the ranges are parts of 2^22");

static bool pids_own(int nr)
{
	return nr >= range.first && nr < range.end;
}

/* A free number of the range, allocated to nobody; the one the circle comes to next. */
static int pids_take(struct idr *idr)
{
	unsigned int cursor = idr_get_cursor(idr);
	int nr = -ENOSPC;

	if (pids_own(cursor))
		nr = idr_alloc(idr, NULL, cursor, range.end, GFP_ATOMIC);
	if (nr == -ENOSPC)
		nr = idr_alloc(idr, NULL, range.first, range.end, GFP_ATOMIC);
	return nr == -ENOSPC ? -EAGAIN : nr;
}

static int pids_move(struct pid *pid)
{
	struct upid *upid = &pid->numbers[0];
	struct idr *idr = &init_pid_ns.idr;
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(krg_data(pidmap_lock));
	nr = pids_take(idr);
	if (nr >= 0) {
		idr_remove(idr, upid->nr);
		WRITE_ONCE(upid->nr, nr);
		idr_replace(idr, pid, nr);
		idr_set_cursor(idr, nr + 1);
	}
	spin_unlock_irq(krg_data(pidmap_lock));
	idr_preload_end();
	return min(nr, 0);
}

static struct pid *pids_alloc(struct pid_namespace *ns, pid_t *set_tid, size_t set_tid_size);
static KRG_REDIRECT(pids_redirect, alloc_pid, pids_alloc);

/* @set_tid: most nested namespace first, so it is about ours if it has one for each level. */
static struct pid *pids_alloc(struct pid_namespace *ns, pid_t *set_tid, size_t set_tid_size)
{
	struct pid *pid = krg_sym(alloc_pid)(ns, set_tid, set_tid_size);
	int err;

	if (!IS_ERR(pid) && !pids_own(pid->numbers[0].nr) && set_tid_size <= ns->level) {
		err = pids_move(pid);
		if (err) {
			krg_sym(free_pid)(pid);
			pid = ERR_PTR(err);
		}
	}
	krg_redirect_exit(&pids_redirect);
	return pid;
}

static int pids_set_range(void)
{
	struct krg_cluster_snapshot *s = krg_cluster_snapshot(&init_net);
	unsigned int shift;

	if (IS_ERR(s))
		return PTR_ERR(s);
	shift = ilog2(PID_MAX_LIMIT / s->max_nodes);
	range.first = max(s->self << shift, PIDS_RESERVED);
	range.end = (s->self + 1) << shift;
	kvfree(s);
	return 0;
}

static int pids_start(void)
{
	int err = pids_set_range();

	if (err)
		return err;
	pids_old_max = READ_ONCE(*krg_data(pid_max));
	pids_old_cursor = idr_get_cursor(&init_pid_ns.idr);
	WRITE_ONCE(*krg_data(pid_max), PID_MAX_LIMIT);
	err = krg_redirect_add(&pids_redirect);
	if (err)
		WRITE_ONCE(*krg_data(pid_max), pids_old_max);
	return err;
}

static void pids_stop(void)
{
	krg_redirect_del(&pids_redirect);
	/* Whoever has set it meanwhile meant it. */
	cmpxchg(krg_data(pid_max), PID_MAX_LIMIT, pids_old_max);
	spin_lock_irq(krg_data(pidmap_lock));
	if (pids_own(idr_get_cursor(&init_pid_ns.idr)))
		idr_set_cursor(&init_pid_ns.idr, pids_old_cursor);
	spin_unlock_irq(krg_data(pidmap_lock));
}

/* Ranges are on exactly while this node is in a cluster and @wanted. */
static void pids_follow(bool wanted)
{
	bool on;
	int err;

	mutex_lock(&pids_lock);
	on = wanted && krg_cluster_is_up(&init_net);
	if (on && !pids_on) {
		err = pids_start();
		if (err)
			pr_err("new pids are not of this node's range: error %d\n", err);
		pids_on = !err;
	} else if (!on && pids_on) {
		pids_stop();
		pids_on = false;
	}
	mutex_unlock(&pids_lock);
}

static int pids_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct krg_cluster_event *ev = data;

	if (net_eq(ev->net, &init_net) && (event == KRG_CLUSTER_UP || event == KRG_CLUSTER_DOWN))
		pids_follow(true);
	return NOTIFY_DONE;
}

static struct notifier_block pids_notifier = {
	.notifier_call = pids_event,
};

int proc_pids_init(void)
{
	int err = krg_cluster_notifier_register(&pids_notifier);

	if (!err)
		pids_follow(true);
	return err;
}

void proc_pids_exit(void)
{
	krg_cluster_notifier_unregister(&pids_notifier);
	pids_follow(false);
}
