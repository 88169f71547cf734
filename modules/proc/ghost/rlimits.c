// SPDX-License-Identifier: GPL-2.0-only
/* Resource limits. */
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "../proc.h"

static_assert(RLIM_NLIMITS == KRG_GHOST_NR_RLIMITS);

static int rlimits_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_rlimits rec;
	int i;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		rec.limit[i].cur = cpu_to_le64(current->signal->rlim[i].rlim_cur);
		rec.limit[i].max = cpu_to_le64(current->signal->rlim[i].rlim_max);
	}
	task_unlock(current->group_leader);
	rec.limit[RLIMIT_FSIZE].cur = cpu_to_le64(((struct proc_ghost *)ctx)->fsize);
	return krg_ghost_write(stream, KRG_GHOST_R_RLIMITS, &rec, sizeof(rec));
}

static int rlimits_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	const struct krg_ghost_rlimits *rec = item->data;
	struct rlimit *rlim = current->signal->rlim;
	struct proc_ghost *g = ctx;
	bool may_raise = proc_requester_capable(g, CAP_SYS_RESOURCE);
	int i, bad = -1;

	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS && bad < 0; i++) {
		u64 cur = le64_to_cpu(rec->limit[i].cur), max = le64_to_cpu(rec->limit[i].max);

		if (cur > max || (max > rlim[i].rlim_max && !may_raise)) {
			bad = i;
			break;
		}
		rlim[i].rlim_cur = cur;
		rlim[i].rlim_max = max;
	}
	task_unlock(current->group_leader);
	if (bad >= 0)
		return proc_why(g, -EPERM, "its resource limit %d is above the caller's", bad);
	/* The kernel looks at the CPU time used only when a timer tells it to. */
	if (rlim[RLIMIT_CPU].rlim_cur != RLIM_INFINITY)
		krg_sym(update_rlimit_cpu)(current, rlim[RLIMIT_CPU].rlim_cur);
	return 0;
}

struct krg_ghost_handler proc_rlimits = {
	.type = KRG_GHOST_R_RLIMITS,
	.save = rlimits_save,
	.load = rlimits_load,
};
