// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process and the children it has waited for have used: a program that
 * takes differences of its CPU time must not see it step back, and a limit on
 * it must not start anew. Of the thread's own clock (CLOCK_THREAD_CPUTIME_ID)
 * this is not true: it starts again.
 */
#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>
#include <linux/task_io_accounting_ops.h>

#include "../proc.h"

struct used {
	u64 utime, stime;	/* ns */
	unsigned long nvcsw, nivcsw, min_flt, maj_flt, inblock, oublock, maxrss;
};

static void used_self(struct used *used)
{
	struct signal_struct *sig = current->signal;
	struct task_struct *thread;

	*used = (struct used) {
		.nvcsw = sig->nvcsw, .nivcsw = sig->nivcsw,
		.min_flt = sig->min_flt, .maj_flt = sig->maj_flt,
		.inblock = sig->inblock, .oublock = sig->oublock,
		.maxrss = max(sig->maxrss, get_mm_hiwater_rss(current->mm)),
	};
	krg_sym(thread_group_cputime_adjusted)(current, &used->utime, &used->stime);
	rcu_read_lock();
	for_each_thread(current, thread) {
		used->nvcsw += thread->nvcsw;
		used->nivcsw += thread->nivcsw;
		used->min_flt += thread->min_flt;
		used->maj_flt += thread->maj_flt;
		used->inblock += task_io_get_inblock(thread);
		used->oublock += task_io_get_oublock(thread);
	}
	rcu_read_unlock();
}

static void used_children(struct used *used)
{
	struct signal_struct *sig = current->signal;

	*used = (struct used) {
		.utime = sig->cutime, .stime = sig->cstime,
		.nvcsw = sig->cnvcsw, .nivcsw = sig->cnivcsw,
		.min_flt = sig->cmin_flt, .maj_flt = sig->cmaj_flt,
		.inblock = sig->cinblock, .oublock = sig->coublock,
		.maxrss = sig->cmaxrss,
	};
}

static struct krg_ghost_used used_pack(const struct used *used)
{
	return (struct krg_ghost_used) {
		.utime = cpu_to_le64(used->utime),
		.stime = cpu_to_le64(used->stime),
		.nvcsw = cpu_to_le64(used->nvcsw),
		.nivcsw = cpu_to_le64(used->nivcsw),
		.min_flt = cpu_to_le64(used->min_flt),
		.maj_flt = cpu_to_le64(used->maj_flt),
		.inblock = cpu_to_le64(used->inblock),
		.oublock = cpu_to_le64(used->oublock),
		.maxrss = cpu_to_le64(used->maxrss),
	};
}

static struct used used_unpack(const struct krg_ghost_used *rec)
{
	return (struct used) {
		.utime = le64_to_cpu(rec->utime),
		.stime = le64_to_cpu(rec->stime),
		.nvcsw = le64_to_cpu(rec->nvcsw),
		.nivcsw = le64_to_cpu(rec->nivcsw),
		.min_flt = le64_to_cpu(rec->min_flt),
		.maj_flt = le64_to_cpu(rec->maj_flt),
		.inblock = le64_to_cpu(rec->inblock),
		.oublock = le64_to_cpu(rec->oublock),
		.maxrss = le64_to_cpu(rec->maxrss),
	};
}

static int usage_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_usage rec;
	struct used used;

	used_self(&used);
	rec.self = used_pack(&used);
	used_children(&used);
	rec.children = used_pack(&used);
	return krg_ghost_write(stream, KRG_GHOST_R_USAGE, &rec, sizeof(rec));
}

/* Once a limit on CPU time is in force, the requester's perhaps, only this is looked at. */
static void usage_count(struct task_cputime_atomic *running, const struct used *used)
{
	atomic64_add(used->utime, &running->utime);
	atomic64_add(used->stime, &running->stime);
	atomic64_add(used->utime + used->stime, &running->sum_exec_runtime);
}

/*
 * As if threads that have ended had used it. What restarting costs is on the same
 * account. Nobody else writes it: the task is the only one of its process.
 */
static int usage_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
		      void *ctx)
{
	const struct krg_ghost_usage *rec = item->data;
	struct used self = used_unpack(&rec->self), children = used_unpack(&rec->children);
	struct signal_struct *sig = current->signal;

	write_seqlock_irq(&sig->stats_lock);
	sig->utime += self.utime;
	sig->stime += self.stime;
	sig->sum_sched_runtime += self.utime + self.stime;
	sig->nvcsw += self.nvcsw;
	sig->nivcsw += self.nivcsw;
	sig->min_flt += self.min_flt;
	sig->maj_flt += self.maj_flt;
	sig->inblock += self.inblock;
	sig->oublock += self.oublock;
	sig->maxrss = max(sig->maxrss, self.maxrss);
	sig->cutime = children.utime;
	sig->cstime = children.stime;
	sig->cnvcsw = children.nvcsw;
	sig->cnivcsw = children.nivcsw;
	sig->cmin_flt = children.min_flt;
	sig->cmaj_flt = children.maj_flt;
	sig->cinblock = children.inblock;
	sig->coublock = children.oublock;
	sig->cmaxrss = children.maxrss;
	write_sequnlock_irq(&sig->stats_lock);
	usage_count(&sig->cputimer.cputime_atomic, &self);
	return 0;
}

struct krg_ghost_handler proc_usage = {
	.type = KRG_GHOST_R_USAGE,
	.save = usage_save,
	.load = usage_load,
};
