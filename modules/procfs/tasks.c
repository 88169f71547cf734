// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes of this kernel, ascending by pid: one look-up in the pid tree
 * a process, no directory, no text. It must stay cheap: `krgadm top` asks every
 * node every few seconds.
 */
#include <linux/cred.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <krg/hook.h>
#include "procfs.h"

/* The task with the lowest pid from *nr on, with a reference; *nr becomes its pid. */
static struct task_struct *task_from(int *nr, enum pid_type type)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	for (; (pid = idr_get_next(&init_pid_ns.idr, nr)); (*nr)++) {
		task = pid_task(pid, type);
		if (task) {
			get_task_struct(task);
			break;
		}
	}
	rcu_read_unlock();
	return task;
}

static u32 tty_of(struct task_struct *task)
{
	struct sighand_struct *sighand;
	unsigned long flags;
	u32 nr = 0;

	/* Most have none: look before taking the lock. */
	if (!READ_ONCE(task->signal->tty))
		return 0;
	sighand = krg_sym(__lock_task_sighand)(task, &flags);
	if (!sighand)
		return 0;
	__acquire(&sighand->siglock);
	if (task->signal->tty)
		nr = new_encode_dev(tty_devnum(task->signal->tty));
	spin_unlock_irqrestore(&sighand->siglock, flags);
	return nr;
}

static u32 read_cmdline(struct task_struct *task, struct mm_struct *mm, char *buf)
{
	unsigned long start, end;
	int got;

	spin_lock(&mm->arg_lock);
	start = mm->arg_start;
	end = mm->arg_end;
	spin_unlock(&mm->arg_lock);
	if (start >= end)
		return 0;
	got = access_process_vm(task, start, buf,
				min_t(unsigned long, end - start, KRG_PROCFS_CMDLINE_MAX),
				FOLL_FORCE);
	return max(got, 0);
}

static void fill_ids(struct krg_procfs_process *process, struct task_struct *task)
{
	const struct cred *cred;

	process->tgid = task_tgid_nr(task);
	process->ppid = task_ppid_nr_ns(task, &init_pid_ns);
	process->pgrp = task_pgrp_nr_ns(task, &init_pid_ns);
	process->session = task_session_nr_ns(task, &init_pid_ns);
	rcu_read_lock();
	cred = __task_cred(task);
	process->uid = from_kuid_munged(&init_user_ns, cred->euid);
	process->gid = from_kgid_munged(&init_user_ns, cred->egid);
	rcu_read_unlock();
	process->tty = tty_of(task);
	process->threads = get_nr_threads(task);
	process->flags = task->flags & PF_KTHREAD ? KRG_PROCFS_KTHREAD : 0;
	get_task_comm(process->comm, task);
}

static void fill_sched(struct krg_procfs_process *process, struct task_struct *task, bool thread)
{
	if (thread)
		task_cputime_adjusted(task, &process->utime, &process->stime);
	else
		krg_sym(thread_group_cputime_adjusted)(task, &process->utime, &process->stime);
	process->start = task->start_boottime;
	process->psr = task_cpu(task);
	process->nice = task_nice(task);
	process->priority = task->prio - MAX_RT_PRIO;
	process->policy = task->policy;
	process->state = task_state_to_char(task);
}

static void fill_memory(struct krg_procfs_process *process, struct task_struct *task,
			char *cmdline)
{
	struct mm_struct *mm = get_task_mm(task);

	if (!mm)
		return;
	process->vsize = (u64)mm->total_vm << PAGE_SHIFT;
	process->rss = (u64)get_mm_rss(mm) << PAGE_SHIFT;
	process->shared = (u64)(get_mm_counter(mm, MM_FILEPAGES) +
				get_mm_counter(mm, MM_SHMEMPAGES)) << PAGE_SHIFT;
	if (cmdline)
		process->cmdline_len = read_cmdline(task, mm, cmdline);
	mmput(mm);
}

int procfs_walk_local(krg_node_t self, u32 after, u32 flags, krg_procfs_process_fn fn, void *arg)
{
	bool threads = flags & KRG_PROCFS_THREADS;
	enum pid_type type = threads ? PIDTYPE_PID : PIDTYPE_TGID;
	struct krg_procfs_process process;
	struct task_struct *task;
	char *cmdline = NULL;
	int nr, ret = 0;

	if (after >= PID_MAX_LIMIT)
		return 0;
	if (flags & KRG_PROCFS_CMDLINE) {
		cmdline = kmalloc(KRG_PROCFS_CMDLINE_MAX, GFP_KERNEL);
		if (!cmdline)
			return -ENOMEM;
	}
	for (nr = after + 1; !ret && (task = task_from(&nr, type)); nr++) {
		process = (struct krg_procfs_process){
			.pid = nr,
			.node = self,
			.home = self,
			.cmdline = cmdline,
		};
		fill_ids(&process, task);
		fill_sched(&process, task, threads);
		fill_memory(&process, task, cmdline);
		put_task_struct(task);
		ret = fn(&process, arg);
		cond_resched();
	}
	kfree(cmdline);
	return ret;
}
