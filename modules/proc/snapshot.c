// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot of a process's memory, so that it need not stay frozen while the
 * memory is written: the frozen task forks, and all that is kept of the child
 * is its address space. The two share every page until one of them writes.
 *
 *	frozen task			child				requester
 *	proc_snapshot_take():
 *	  kernel_clone()	->	keeps its address space
 *	  reaps it		<-	ends
 *	goes on								writes the pages
 *
 * The process sees nothing of it: the child has no exit signal, is gone before
 * the process goes on, and what it used is taken off the account of children.
 * A fork that fails is no error: the memory is then written by the frozen task.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <uapi/linux/wait.h>

#include "proc.h"
#include "ghost/mm.h"

struct snapshot {
	struct mm_struct *mm;
	struct completion done;
};

/* What wait4() adds to the parent of a child it reaps. */
struct child_account {
	u64 utime, stime, gtime;
	unsigned long nvcsw, nivcsw, min_flt, maj_flt, inblock, oublock, maxrss;
	struct task_io_accounting ioac;
};

static void account_read(struct child_account *a)
{
	struct signal_struct *sig = current->signal;

	*a = (struct child_account){
		.utime = sig->cutime, .stime = sig->cstime, .gtime = sig->cgtime,
		.nvcsw = sig->cnvcsw, .nivcsw = sig->cnivcsw,
		.min_flt = sig->cmin_flt, .maj_flt = sig->cmaj_flt,
		.inblock = sig->cinblock, .oublock = sig->coublock,
		.maxrss = sig->cmaxrss, .ioac = sig->ioac,
	};
}

/* Nobody else writes them: a frozen process has one thread, which is here. */
static void account_write(const struct child_account *a)
{
	struct signal_struct *sig = current->signal;

	write_seqlock_irq(&sig->stats_lock);
	sig->cutime = a->utime;
	sig->cstime = a->stime;
	sig->cgtime = a->gtime;
	sig->cnvcsw = a->nvcsw;
	sig->cnivcsw = a->nivcsw;
	sig->cmin_flt = a->min_flt;
	sig->cmaj_flt = a->maj_flt;
	sig->cinblock = a->inblock;
	sig->coublock = a->oublock;
	sig->cmaxrss = a->maxrss;
	sig->ioac = a->ioac;
	write_sequnlock_irq(&sig->stats_lock);
}

/* A fork leaves out what the process has told it to (madvise(2)). */
static bool snapshot_is_whole(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	bool whole = true;

	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		if (vma->vm_flags & (VM_DONTCOPY | VM_WIPEONFORK) && proc_vma_has_pages(vma))
			whole = false;
	mmap_read_unlock(mm);
	return whole;
}

static int snapshot_child(void *arg)
{
	struct snapshot *s = arg;

	mmget(current->mm);
	s->mm = current->mm;
	send_sig(SIGKILL, current, 1);
	complete(&s->done);
	return 0;
}

static void snapshot_fork(struct snapshot *s)
{
	struct kernel_clone_args args = {
		.flags = CLONE_FS | CLONE_FILES | CLONE_IO | CLONE_UNTRACED,
		.fn = snapshot_child,
		.fn_arg = s,
	};
	struct child_account account;
	pid_t pid;

	account_read(&account);
	pid = krg_sym(kernel_clone)(&args);
	if (pid < 0)
		return;
	wait_for_completion(&s->done);
	while (krg_sym(kernel_wait4)(pid, NULL, __WALL, NULL) == -ERESTARTSYS &&
	       !fatal_signal_pending(current))
		cond_resched();
	account_write(&account);
}

/**
 * proc_snapshot_take() - keep the current process's memory as it is now
 * @g: gets the snapshot, proc_snapshot_drop() it; NULL if there can be none
 *
 * Context: the frozen process's.
 */
void proc_snapshot_take(struct proc_ghost *g)
{
	sigset_t blocked = current->blocked, all;
	struct snapshot s = {};

	if (!snapshot_is_whole(current->mm))
		return;
	init_completion(&s.done);
	/* A pending signal is no reason not to fork. */
	sigfillset(&all);
	sigdelsetmask(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	krg_sym(__set_current_blocked)(&all);
	snapshot_fork(&s);
	krg_sym(__set_current_blocked)(&blocked);
	g->snapshot = s.mm;
}

/**
 * proc_snapshot_drop() - let go of a snapshot
 * @g: that may have one
 *
 * Context: any that may sleep.
 */
void proc_snapshot_drop(struct proc_ghost *g)
{
	if (g->snapshot)
		mmput(g->snapshot);
	g->snapshot = NULL;
}
