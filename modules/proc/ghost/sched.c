// SPDX-License-Identifier: GPL-2.0-only
/* Scheduling policy and priority. */
#include <linux/sched.h>
#include <uapi/linux/sched/types.h>

#include "../proc.h"

static int sched_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_sched rec = {
		.policy = cpu_to_le32(current->policy),
		.nice = cpu_to_le32(task_nice(current)),
		.rt_priority = cpu_to_le32(current->rt_priority),
		.flags = cpu_to_le32(current->sched_reset_on_fork),
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
	return 0;
}

struct krg_ghost_handler proc_sched = {
	.type = KRG_GHOST_R_SCHED,
	.save = sched_save,
	.load = sched_load,
};
