// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_proc: one space of pids; freeze, checkpoint and restart of processes.
 *
 *	pids.c		new pids are of this node's range
 *	claim.c		a pid that is restarted is in use nowhere else
 *	freeze.c	catching a task, making it execute requests
 *	check.c		what cannot be checkpointed
 *	checkpoint.c	the files of a checkpoint, written
 *	restart.c	the files read, a task made of them
 *	ghost/		one file a kind of state: how it is saved and loaded
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "proc.h"

static struct krg_ghost_handler *const handlers[] = {
	&proc_fileobj, &proc_content,
	&proc_ids, &proc_sched, &proc_cpus, &proc_fs, &proc_fd, &proc_mm, &proc_auxv, &proc_vma,
	&proc_pages,
	&proc_sigaction, &proc_thread, &proc_regs, &proc_xsave, &proc_restart, &proc_sigmask,
	&proc_pending, &proc_shpending, &proc_usage, &proc_itimers, &proc_rlimits, &proc_cred,
};

static void handlers_remove(size_t n)
{
	while (n--)
		krg_ghost_unregister(handlers[n]);
}

static int handlers_add(void)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(handlers); i++) {
		err = krg_ghost_register(handlers[i]);
		if (err) {
			pr_err("record type %u cannot be registered (%d)\n",
			       handlers[i]->type, err);
			handlers_remove(i);
			return err;
		}
	}
	return 0;
}

static int __init proc_init(void)
{
	int err;

	err = handlers_add();
	if (err)
		return err;
	err = proc_claim_init();
	if (err)
		goto remove_handlers;
	err = proc_pids_init();
	if (err)
		goto exit_claim;
	return 0;

exit_claim:
	proc_claim_exit();
remove_handlers:
	handlers_remove(ARRAY_SIZE(handlers));
	return err;
}

static void __exit proc_exit(void)
{
	proc_pids_exit();
	proc_claim_exit();
	app_thaw_all();
	app_drain();
	handlers_remove(ARRAY_SIZE(handlers));
}

module_init(proc_init);
module_exit(proc_exit);

MODULE_DESCRIPTION("krg: pids, checkpoint and restart of processes");
MODULE_LICENSE("GPL");
