// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other nodes are told of this node's users: how many there are, not what became
 * of each. Who attaches or detaches waits until all know; what else changes their number
 * (fork, exit) is told soon after, several changes at once.
 */
#define pr_fmt(fmt) "krg_ipc: " fmt

#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include "ipc.h"

#define AGAIN	msecs_to_jiffies(200)	/* without quorum */

static void users_now(const struct ipc_seg *seg, struct ipc_told *now)
{
	struct shmid_kernel *shp = seg->shp;

	spin_lock(&shp->shm_perm.lock);
	now->count = shp->shm_nattch - seg->others;
	now->pid = pid_nr(shp->shm_lprid);
	now->atime = shp->shm_atim;
	now->dtime = shp->shm_dtim;
	spin_unlock(&shp->shm_perm.lock);
}

static bool same(const struct ipc_told *a, const struct ipc_told *b)
{
	return a->count == b->count && a->pid == b->pid && a->atime == b->atime &&
	       a->dtime == b->dtime;
}

/* Return: 1: there is something to tell; 0; -EIDRM. */
static int told_begin(struct ipc *ipc, int id, bool attach, struct ipc_told *now)
{
	struct ipc_seg *seg;
	int ret = -EIDRM;

	down_read(&ipc_ids()->rwsem);
	seg = ipc_seg(ipc, id);
	if (seg && seg->shp) {
		xa_clear_mark(&ipc->segs, id, IPC_UNTOLD);
		users_now(seg, now);
		if (attach) {
			now->pid = task_tgid_nr(current);
			now->atime = ktime_get_real_seconds();
		}
		ret = !same(now, &seg->told);
		seg->told = *now;
	}
	up_read(&ipc_ids()->rwsem);
	return ret;
}

/* Nobody knows whether others have heard it. */
static void told_again(struct ipc *ipc, int id)
{
	struct ipc_seg *seg;

	down_read(&ipc_ids()->rwsem);
	seg = ipc_seg(ipc, id);
	if (seg) {
		seg->told.pid = -1;
		xa_set_mark(&ipc->segs, id, IPC_UNTOLD);
	}
	up_read(&ipc_ids()->rwsem);
	queue_delayed_work(ipc_wq, &ipc->tell_work, AGAIN);
}

/**
 * ipc_tell() - tell others how often this node is attached to a segment
 * @ipc: node
 * @id: segment
 * @attach: the current process is about to: what they will be told of it now
 *
 * Context: process, may sleep. Locks: none.
 * Return: 0: all know; -EIDRM: it is no more; as krg_order_submit().
 */
int ipc_tell(struct ipc *ipc, int id, bool attach)
{
	struct ipc_op op = { .type = IPC_OP_COUNT, .id = id };
	struct ipc_told now;
	int err;

	mutex_lock(&ipc->tell_lock);
	err = told_begin(ipc, id, attach, &now);
	if (err > 0) {
		op.count = now.count;
		op.pid = now.pid;
		op.atime = now.atime;
		op.dtime = now.dtime;
		err = ipc_submit(ipc, &op, NULL);
		if (err && err != -EIDRM && err != -ENOTCONN)
			told_again(ipc, id);
	}
	mutex_unlock(&ipc->tell_lock);
	return err;
}

/* Context: any that may spin. */
void ipc_tell_later(struct ipc *ipc, int id)
{
	/* Nothing is marked of a segment that is no more. */
	xa_set_mark(&ipc->segs, id, IPC_UNTOLD);
	queue_delayed_work(ipc_wq, &ipc->tell_work, 0);
}

void ipc_tell_work(struct work_struct *work)
{
	struct ipc *ipc = container_of(to_delayed_work(work), struct ipc, tell_work);
	unsigned long id = 0;

	while (xa_find(&ipc->segs, &id, ULONG_MAX, IPC_UNTOLD)) {
		if (ipc_tell(ipc, id, false))
			id++;
	}
}
