// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks krg_procfs what krgadm would, and writes the answers to the log.
 *
 *	key=1		load a session key (the cluster then starts by nb_nodes_min)
 *	ask=N		list node N's processes and statistics
 *	flags=F		KRG_PROCFS_*
 *	quiet=N		list N times without logging, and log the time it took
 */
#define pr_fmt(fmt) "krg_procfs_test: " fmt

#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <net/net_namespace.h>
#include <krg/procfs.h>
#include <krg/rpc.h>

static bool key;
module_param(key, bool, 0444);
static int ask = -1;
module_param(ask, int, 0444);
static uint flags;
module_param(flags, uint, 0444);
static uint quiet;
module_param(quiet, uint, 0444);

static u32 last, count;

static int show(const struct krg_procfs_process *process, void *arg)
{
	if (process->pid <= last)
		return -EILSEQ;
	last = process->pid;
	count++;
	if (!quiet)
		pr_info("ps %d %u %u %u %s %*pE\n", process->node, process->pid, process->ppid,
			process->threads, process->comm, (int)process->cmdline_len,
			process->cmdline);
	return 0;
}

static int list(void)
{
	last = 0;
	count = 0;
	return krg_procfs_processes(&init_net, ask, 0, flags, show, NULL);
}

static int time_it(void)
{
	u64 start = ktime_get_ns();
	int err = 0;
	uint i;

	for (i = 0; i < quiet && !err; i++)
		err = list();
	pr_info("time %llu us for each of %u lists of %u\n",
		div_u64(ktime_get_ns() - start, quiet * 1000), quiet, count);
	return err;
}

static int show_stat(void)
{
	struct krg_procfs_stat *stat = krg_procfs_stat(&init_net, ask);

	if (IS_ERR(stat))
		return PTR_ERR(stat);
	pr_info("stat %d cpus %u processes %u memory %llu idle %llu\n", stat->node, stat->nr_cpus,
		stat->nr_processes, stat->mem_total >> 10, stat->cpu[0].idle);
	kvfree(stat);
	return 0;
}

static int __init procfs_test_init(void)
{
	int err = 0;

	if (key)
		err = krg_rpc_set_key(&init_net, "0123456789abcdef0123456789abcdef", 32);
	if (err || ask < 0)
		return err;
	err = quiet ? time_it() : list();
	return err ?: show_stat();
}

static void __exit procfs_test_exit(void)
{
}

module_init(procfs_test_init);
module_exit(procfs_test_exit);
MODULE_DESCRIPTION("krg: questions to krg_procfs");
MODULE_LICENSE("GPL");
