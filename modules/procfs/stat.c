// SPDX-License-Identifier: GPL-2.0-only
/* What this kernel's /proc/stat, meminfo, loadavg and uptime say, as numbers. */
#include <linux/err.h>
#include <linux/kernel_stat.h>
#include <linux/mm.h>
#include <linux/sched/loadavg.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>
#include <linux/vmstat.h>
#include <krg/hook.h>
#include "procfs.h"

/* Without periodic ticks the tick code knows idle times better than the counters. */
static u64 tick_time(u64 us, u64 counted)
{
	return us == -1ULL ? counted : us * NSEC_PER_USEC;
}

static void fill_cpu(struct krg_procfs_cpu *out, unsigned int cpu)
{
	struct kernel_cpustat kcs;
	const u64 *time = kcs.cpustat;

	kcpustat_cpu_fetch(&kcs, cpu);
	*out = (struct krg_procfs_cpu){
		.cpu = cpu,
		.user = time[CPUTIME_USER],
		.nice = time[CPUTIME_NICE],
		.system = time[CPUTIME_SYSTEM],
		.idle = tick_time(get_cpu_idle_time_us(cpu, NULL), time[CPUTIME_IDLE]),
		.iowait = tick_time(get_cpu_iowait_time_us(cpu, NULL), time[CPUTIME_IOWAIT]),
		.irq = time[CPUTIME_IRQ],
		.softirq = time[CPUTIME_SOFTIRQ],
		.steal = time[CPUTIME_STEAL],
		.guest = time[CPUTIME_GUEST],
		.guest_nice = time[CPUTIME_GUEST_NICE],
	};
}

static void fill_tasks(struct krg_procfs_stat *stat)
{
	struct task_struct *process, *thread;

	rcu_read_lock();
	for_each_process(process) {
		stat->nr_processes++;
		for_each_thread(process, thread) {
			stat->nr_threads++;
			stat->nr_running += task_is_running(thread);
		}
	}
	rcu_read_unlock();
}

static void fill_memory(struct krg_procfs_stat *stat)
{
	struct sysinfo info = { 0 };
	long cached;

	si_meminfo(&info);
	krg_sym(si_swapinfo)(&info);
	cached = global_node_page_state(NR_FILE_PAGES) - global_node_page_state(NR_SWAPCACHE) -
		 info.bufferram;
	stat->mem_total = (u64)info.totalram << PAGE_SHIFT;
	stat->mem_free = (u64)info.freeram << PAGE_SHIFT;
	stat->mem_available = (u64)max(si_mem_available(), 0L) << PAGE_SHIFT;
	stat->mem_buffers = (u64)info.bufferram << PAGE_SHIFT;
	stat->mem_cached = (u64)max(cached, 0L) << PAGE_SHIFT;
	stat->mem_shared = (u64)info.sharedram << PAGE_SHIFT;
	stat->swap_total = (u64)info.totalswap << PAGE_SHIFT;
	stat->swap_free = (u64)info.freeswap << PAGE_SHIFT;
}

struct krg_procfs_stat *procfs_stat_local(krg_node_t self)
{
	struct krg_procfs_stat *stat;
	unsigned int cpu, i;

	stat = kvzalloc(struct_size(stat, cpu, nr_cpu_ids), GFP_KERNEL);
	if (!stat)
		return ERR_PTR(-ENOMEM);
	stat->node = self;
	for_each_online_cpu(cpu)
		fill_cpu(&stat->cpu[stat->nr_cpus++], cpu);
	for (i = 0; i < ARRAY_SIZE(stat->loadavg); i++)
		stat->loadavg[i] = avenrun[i];
	stat->uptime = ktime_get_boottime_ns();
	fill_tasks(stat);
	fill_memory(stat);
	return stat;
}
