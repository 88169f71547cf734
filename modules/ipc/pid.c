// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pids of processes of other nodes, for cpid and lpid. The kernel keeps a struct pid for
 * each, mostly of processes long gone: no task, nobody who finds it, only a number. So
 * is what is made here.
 */
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "ipc.h"

static struct pid *pid_make(pid_t nr)
{
	struct pid *pid = kmem_cache_zalloc(init_pid_ns.pid_cachep, GFP_KERNEL | __GFP_NOFAIL);
	int type;

	refcount_set(&pid->count, 1);
	spin_lock_init(&pid->lock);
	for (type = 0; type < PIDTYPE_MAX; type++)
		INIT_HLIST_HEAD(&pid->tasks[type]);
	INIT_HLIST_HEAD(&pid->inodes);
	init_waitqueue_head(&pid->wait_pidfd);
	pid->numbers[0].nr = nr;
	pid->numbers[0].ns = &init_pid_ns;
	return pid;
}

/**
 * ipc_pid_of() - a pid with a number
 * @nr: number, 0 = none
 * @here: it is a process of this node, or was
 *
 * Return: it, held; NULL for 0.
 */
struct pid *ipc_pid_of(pid_t nr, bool here)
{
	struct pid *pid = here && nr > 0 ? find_get_pid(nr) : NULL;

	return pid || nr <= 0 ? pid : pid_make(nr);
}

/* The reference to @pid goes to @at. */
void ipc_pid_set(struct pid **at, struct pid *pid)
{
	put_pid(*at);
	*at = pid;
}
