/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cluster-wide view: processes and statistics of any online node, from
 * this kernel or by one request to the node concerned.
 */
#ifndef KRG_PROCFS_H
#define KRG_PROCFS_H

#include <linux/bits.h>
#include <linux/types.h>
#include <krg/types.h>

struct net;

/* What krg_procfs_processes() is asked for. */
#define KRG_PROCFS_THREADS	BIT(0)	/* a record for each thread, not each process */
#define KRG_PROCFS_CMDLINE	BIT(1)	/* read command lines: dearer, for ps rather than top */
#define KRG_PROCFS_FLAGS	(KRG_PROCFS_THREADS | KRG_PROCFS_CMDLINE)

#define KRG_PROCFS_CMDLINE_MAX	1024	/* longer ones are cut */

#define KRG_PROCFS_KTHREAD	BIT(0)	/* krg_procfs_process.flags: a kernel thread */

/* One process or thread. Ids in the initial namespaces of its node. */
struct krg_procfs_process {
	u32 pid;		/* of the thread */
	u32 tgid;
	u32 ppid;
	u32 pgrp;
	u32 session;
	u32 uid;		/* effective */
	u32 gid;
	u32 tty;		/* as in /proc/PID/stat; 0 = none */
	u32 threads;		/* of its process */
	u32 psr;		/* CPU it last ran on, on its node */
	s32 nice;
	s32 priority;		/* as in /proc/PID/stat */
	u32 policy;
	u32 flags;
	char state;		/* R S D T t Z X I */
	char comm[16];
	u64 utime;		/* ns; of the whole process unless KRG_PROCFS_THREADS */
	u64 stime;		/* ns */
	u64 start;		/* ns after boot of its node */
	u64 vsize;		/* bytes */
	u64 rss;		/* bytes */
	u64 shared;		/* bytes of rss in files and shared memory */
	krg_node_t node;	/* where it runs */
	krg_node_t home;	/* where it was created */
	u32 cmdline_len;	/* 0: not asked for, or none */
	const char *cmdline;	/* arguments, each ended by NUL; valid during the call only */
};

/**
 * typedef krg_procfs_process_fn - receives one process
 * @process: valid during the call only
 * @arg: of krg_procfs_processes()
 *
 * Context: process context, no locks held; may sleep.
 * Return: 0 to go on; anything else ends the walk and is returned by it.
 */
typedef int (*krg_procfs_process_fn)(const struct krg_procfs_process *process, void *arg);

/**
 * krg_procfs_processes() - walk the processes of a node, ascending by pid
 * @net: the cluster's namespace
 * @node: this one or any online one
 * @after: only those with a greater pid; 0 = all. Lets a dump be resumed
 * @flags: KRG_PROCFS_*
 * @fn: called for each
 * @arg: for @fn
 *
 * The list is no atomic snapshot. A process that
 * ends meanwhile may be missing, none is given twice.
 *
 * Context: process context; may sleep; interruptible while waiting for the node.
 * Return: 0, @fn's value, -EHOSTDOWN, -ETIMEDOUT, -EINTR, -EPROTO (malformed answer), -ENOMEM
 */
int krg_procfs_processes(struct net *net, krg_node_t node, u32 after, u32 flags,
			 krg_procfs_process_fn fn, void *arg);

/* Times of one CPU since boot, ns, as the columns of /proc/stat. */
struct krg_procfs_cpu {
	u32 cpu;
	u32 reserved;
	u64 user;
	u64 nice;
	u64 system;
	u64 idle;
	u64 iowait;
	u64 irq;
	u64 softirq;
	u64 steal;
	u64 guest;
	u64 guest_nice;
};

/* A node at a glance. */
struct krg_procfs_stat {
	krg_node_t node;
	u32 nr_cpus;		/* online; entries of cpu[] */
	u32 nr_processes;
	u32 nr_threads;
	u32 nr_running;		/* threads on a run queue */
	u32 loadavg[3];		/* 1, 5, 15 minutes, in 1/2048 (FIXED_1) */
	u64 uptime;		/* ns, suspend included */
	u64 mem_total;		/* bytes, all of them */
	u64 mem_free;
	u64 mem_available;
	u64 mem_buffers;
	u64 mem_cached;
	u64 mem_shared;
	u64 swap_total;
	u64 swap_free;
	struct krg_procfs_cpu cpu[];
};

/**
 * krg_procfs_stat() - statistics of a node
 * @net: the cluster's namespace
 * @node: this one or any online one
 *
 * Context: process context; may sleep; interruptible while waiting for the node.
 * Return: statistics, to be freed with kvfree(); or ERR_PTR: as krg_procfs_processes()
 */
struct krg_procfs_stat *krg_procfs_stat(struct net *net, krg_node_t node);

#endif
