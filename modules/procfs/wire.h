/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What krg_procfs says to itself on other nodes. Little endian, no holes,
 * reserved fields zero. Answers are checked in wire.c before anything is used.
 *
 * Change log
 *	1	first version
 */
#ifndef KRG_PROCFS_WIRE_H
#define KRG_PROCFS_WIRE_H

#include <linux/build_bug.h>
#include <linux/types.h>
#include <krg/procfs.h>
#include <krg/rpc.h>

/* Service numbers */
#define PROCFS_SERVICE_PS	(KRG_SERVICE_PROCFS + 0)
#define PROCFS_SERVICE_STAT	(KRG_SERVICE_PROCFS + 1)
#define PROCFS_SERVICE_TEXT	(KRG_SERVICE_PROCFS + 2)

/* Longest answer: a page of the process list. Some 1500 processes. */
#define PROCFS_PAGE		(256u << 10)
#define PROCFS_MAX_CPUS		8192u

/* PROCFS_SERVICE_PS asks */
struct procfs_ps_request {
	__le32 after;		/* pids greater than this */
	__le32 flags;		/* KRG_PROCFS_* of krg/procfs.h */
};

static_assert(sizeof(struct procfs_ps_request) == 8);

/* and is answered by this, then `count` records */
struct procfs_ps_page {
	__le32 count;
	__le32 more;		/* 1: ask again, after the last one's pid */
};

static_assert(sizeof(struct procfs_ps_page) == 8);

/* followed by cmdline_len bytes, and zeroes up to a multiple of 8 */
struct procfs_ps_record {
	__le32 pid;
	__le32 tgid;
	__le32 ppid;
	__le32 pgrp;
	__le32 session;
	__le32 uid;
	__le32 gid;
	__le32 tty;
	__le32 threads;
	__le32 psr;
	__le32 nice;		/* signed */
	__le32 priority;	/* signed */
	__le32 policy;
	__le32 flags;
	__le32 home;
	__le32 cmdline_len;
	__le64 utime;
	__le64 stime;
	__le64 start;
	__le64 vsize;
	__le64 rss;
	__le64 shared;
	char comm[16];		/* NUL terminated */
	__u8 state;
	__u8 reserved[7];
};

static_assert(sizeof(struct procfs_ps_record) == 64 + 48 + 16 + 8);

/* The answer of PROCFS_SERVICE_STAT, whose request is empty; then nr_cpus of the next */
struct procfs_wire_stat {
	__le32 nr_cpus;
	__le32 nr_processes;
	__le32 nr_threads;
	__le32 nr_running;
	__le32 loadavg[3];
	__le32 reserved;
	__le64 uptime;
	__le64 mem_total;
	__le64 mem_free;
	__le64 mem_available;
	__le64 mem_buffers;
	__le64 mem_cached;
	__le64 mem_shared;
	__le64 swap_total;
	__le64 swap_free;
};

static_assert(sizeof(struct procfs_wire_stat) == 32 + 72);

struct procfs_wire_cpu {
	__le32 cpu;
	__le32 reserved;
	__le64 time[10];	/* in the order of struct krg_procfs_cpu */
};

static_assert(sizeof(struct procfs_wire_cpu) == 88);

/* PROCFS_SERVICE_TEXT asks; the answer is the file */
struct procfs_text_request {
	__le32 which;		/* enum procfs_text */
	__le32 reserved;
};

static_assert(sizeof(struct procfs_text_request) == 8);

/* A page being filled: room for at most size bytes at data. */
struct procfs_page {
	u8 *data;
	u32 size;
	u32 len;
	u32 count;
};

/* Return: false if there is no room for it. */
bool procfs_pack(struct procfs_page *page, const struct krg_procfs_process *process);

/*
 * Hands the records of a page from @node to fn. Each pid must be greater than
 * *after, which follows. Return: fn's value, -EPROTO if the page is malformed.
 */
int procfs_unpack(const void *data, u32 len, krg_node_t node, u32 *after, bool *more,
		  krg_procfs_process_fn fn, void *arg);

u32 procfs_stat_size(const struct krg_procfs_stat *stat);
void procfs_pack_stat(void *to, const struct krg_procfs_stat *stat);

/* Return: statistics to be freed by kvfree(), or ERR_PTR(-EPROTO, -ENOMEM). */
struct krg_procfs_stat *procfs_unpack_stat(const void *data, u32 len, krg_node_t node);

#endif
