// SPDX-License-Identifier: GPL-2.0-only
/* Names and relatives of a task, and the small things that hang on it. */
#include <linux/oom.h>
#include <linux/personality.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/pid_namespace.h>
#include <linux/unistd.h>
#include <uapi/krg/krg_netlink.h>

#include "../proc.h"

static pid_t ids_parent(void)
{
	pid_t pid;

	rcu_read_lock();
	pid = task_tgid_nr(rcu_dereference(current->real_parent));
	rcu_read_unlock();
	return pid;
}

static int ids_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct signal_struct *sig = current->signal;
	struct krg_ghost_ids rec = {
		.pid = cpu_to_le32(task_pid_nr(current)),
		.tgid = cpu_to_le32(task_tgid_nr(current)),
		.ppid = cpu_to_le32(ids_parent()),
		.pgid = cpu_to_le32(task_pgrp_vnr(current)),
		.sid = cpu_to_le32(task_session_vnr(current)),
		.exit_signal = cpu_to_le32(current->exit_signal),
		.personality = cpu_to_le32(current->personality),
		.oom_score_adj = cpu_to_le32(sig->oom_score_adj),
		.pdeath_signal = cpu_to_le32(current->pdeath_signal),
		.timer_slack = cpu_to_le64(current->timer_slack_ns),
		.start_time = cpu_to_le64(current->start_time),
	};
	u32 flags = 0;

	if (task_no_new_privs(current))
		flags |= KRG_GHOST_IDS_NO_NEW_PRIVS;
	if (sig->is_child_subreaper)
		flags |= KRG_GHOST_IDS_SUBREAPER;
	if (current->pdeath_signal)
		flags |= KRG_GHOST_IDS_PDEATHSIG;
	rec.flags = cpu_to_le32(flags);
	get_task_comm(rec.comm, current);
	return krg_ghost_write(stream, KRG_GHOST_R_IDS, &rec, sizeof(rec));
}

/*
 * Session and group. An application led by this process has its own again;
 * one that was part of a session from outside becomes part of the caller's.
 */
static int ids_load_session(struct proc_ghost *g)
{
	const struct krg_ghost_ids *rec = &g->ids;
	long err;

	if (g->flags & KRG_RESTART_PIDS)
		return 0;
	if (rec->sid == rec->pid) {
		err = proc_syscall(__NR_setsid, 0, 0, 0, 0);
		return err < 0 ? proc_why(g, err, "its session cannot be made") : 0;
	}
	if (le32_to_cpu(rec->sid) != task_session_vnr(current))
		return proc_why(g, -EOPNOTSUPP,
				"its session %u is not the caller's: restart it with --pids",
				le32_to_cpu(rec->sid));
	if (rec->pgid == rec->pid)
		err = proc_syscall(__NR_setpgid, 0, 0, 0, 0);
	else
		err = proc_syscall(__NR_setpgid, 0, le32_to_cpu(rec->pgid), 0, 0);
	if (err)
		return proc_why(g, err, "its group %u cannot be joined: restart it with --pids",
				le32_to_cpu(rec->pgid));
	return 0;
}

static int ids_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	struct signal_struct *sig = current->signal;
	struct proc_ghost *g = ctx;
	short adj;
	int err;

	memcpy(&g->ids, item->data, sizeof(g->ids));
	err = ids_load_session(g);
	if (err)
		return err;
	adj = clamp_t(int, (int)le32_to_cpu(g->ids.oom_score_adj), OOM_SCORE_ADJ_MIN,
		      OOM_SCORE_ADJ_MAX);
	/* The requester's rights count: the new task is his child and has his value. */
	if (adj < sig->oom_score_adj && !proc_requester_capable(g, CAP_SYS_RESOURCE))
		return proc_why(g, -EPERM, "its oom score %d is below what the caller may set",
				adj);
	sig->oom_score_adj = adj;
	current->personality = le32_to_cpu(g->ids.personality);
	current->timer_slack_ns = le64_to_cpu(g->ids.timer_slack);
	if (le32_to_cpu(g->ids.flags) & KRG_GHOST_IDS_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	if (le32_to_cpu(g->ids.flags) & KRG_GHOST_IDS_SUBREAPER)
		sig->is_child_subreaper = 1;
	current->pdeath_signal = le32_to_cpu(g->ids.pdeath_signal);
	krg_sym(__set_task_comm)(current, g->ids.comm, false);
	return 0;
}

struct krg_ghost_handler proc_ids = {
	.type = KRG_GHOST_R_IDS,
	.save = ids_save,
	.load = ids_load,
};
