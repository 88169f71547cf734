// SPDX-License-Identifier: GPL-2.0-only
/* Scheduling policy and priority, also of I/O, and the CPUs a task is bound to. */
#include <linux/cpumask.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/unistd.h>
#include <uapi/linux/sched/types.h>

#include "../proc.h"

/* 0: it goes by nice. */
static u32 sched_ioprio(void)
{
	u32 prio = current->io_context ? current->io_context->ioprio : 0;

	return IOPRIO_PRIO_CLASS(prio) == IOPRIO_CLASS_NONE ? 0 : prio;
}

static int sched_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_sched rec = {
		.policy = cpu_to_le32(current->policy),
		.nice = cpu_to_le32(task_nice(current)),
		.rt_priority = cpu_to_le32(current->rt_priority),
		.flags = cpu_to_le32(current->sched_reset_on_fork),
		.ioprio = cpu_to_le32(sched_ioprio()),
	};

	return krg_ghost_write(stream, KRG_GHOST_R_SCHED, &rec, sizeof(rec));
}

static int sched_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_sched *rec = item->data;
	struct proc_ghost *g = ctx;
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = le32_to_cpu(rec->policy),
		.sched_nice = (s32)le32_to_cpu(rec->nice),
		.sched_priority = le32_to_cpu(rec->rt_priority),
	};
	int err;

	if (le32_to_cpu(rec->flags) & 1)
		attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	if ((attr.sched_policy == SCHED_FIFO || attr.sched_policy == SCHED_RR ||
	     attr.sched_nice < task_nice(current)) && !proc_requester_capable(g, CAP_SYS_NICE))
		return proc_why(g, -EPERM, "its priority is above the caller's");
	err = krg_sym(sched_setattr_nocheck)(current, &attr);
	if (err)
		return proc_why(g, err, "its policy %u cannot be set", attr.sched_policy);
	/* The call checks the requester's rights: the task still has its credentials. */
	if (rec->ioprio)
		err = proc_syscall(__NR_ioprio_set, IOPRIO_WHO_PROCESS, 0,
				   le32_to_cpu(rec->ioprio), 0);
	if (err)
		return proc_why(g, err, "its I/O priority %#x cannot be set",
				le32_to_cpu(rec->ioprio));
	return 0;
}

static int cpus_write(struct krg_ghost_stream *stream, const struct cpumask *mask)
{
	u32 nr = DIV_ROUND_UP(nr_cpu_ids, 64), i;
	struct krg_ghost_cpus *rec;
	int err;

	if (nr_cpu_ids > KRG_GHOST_MAX_CPUS)
		return -E2BIG;
	rec = kcalloc(nr, sizeof(rec->word[0]), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		rec->word[i] = cpu_to_le64(cpumask_bits(mask)[i]);
	err = krg_ghost_write(stream, KRG_GHOST_R_CPUS, rec, nr * sizeof(rec->word[0]));
	kfree(rec);
	return err;
}

/* Only of a task that has been bound to fewer CPUs than its cpuset has. */
static int cpus_save(struct krg_ghost_stream *stream, void *ctx)
{
	cpumask_var_t all;
	int err = 0;

	if (!alloc_cpumask_var(&all, GFP_KERNEL))
		return -ENOMEM;
	krg_sym(cpuset_cpus_allowed)(current, all);
	if (!cpumask_subset(all, current->cpus_ptr))
		err = cpus_write(stream, current->cpus_ptr);
	free_cpumask_var(all);
	return err;
}

/* Where none of its CPUs is to be had it may run on all. */
static int cpus_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_cpus *rec = item->data;
	u32 nr = item->len / sizeof(rec->word[0]), cpu;
	cpumask_var_t mask;
	int err;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	for (cpu = 0; cpu < nr_cpu_ids && cpu / 64 < nr; cpu++)
		if (le64_to_cpu(rec->word[cpu / 64]) >> cpu % 64 & 1)
			cpumask_set_cpu(cpu, mask);
	err = krg_sym(sched_setaffinity)(0, mask);
	free_cpumask_var(mask);
	return err && err != -EINVAL ?
		proc_why(ctx, err, "it cannot be bound to its CPUs (error %d)", -err) : 0;
}

struct krg_ghost_handler proc_cpus = {
	.type = KRG_GHOST_R_CPUS,
	.save = cpus_save,
	.load = cpus_load,
};

struct krg_ghost_handler proc_sched = {
	.type = KRG_GHOST_R_SCHED,
	.save = sched_save,
	.load = sched_load,
};
