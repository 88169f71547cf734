/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of krg_procfs share. */
#ifndef KRG_PROCFS_INTERNAL_H
#define KRG_PROCFS_INTERNAL_H

#include <linux/types.h>
#include <krg/procfs.h>
#include <krg/rpc.h>

struct net;

/* Files of a node's /proc that others may read: the answer to SERVICE_TEXT. */
enum procfs_text {
	PROCFS_CPUINFO,
	PROCFS_MEMINFO,
	PROCFS_LOADAVG,
	PROCFS_UPTIME,
	PROCFS_STAT,
	PROCFS_TEXTS,
};

#define PROCFS_TEXT_MAX	(768u << 10)	/* longest file handed over */

/* tasks.c: this kernel's processes. */
int procfs_walk_local(krg_node_t self, u32 after, u32 flags, krg_procfs_process_fn fn, void *arg);

/* stat.c: this kernel's statistics; kvfree() it. */
struct krg_procfs_stat *procfs_stat_local(krg_node_t self);

/* text.c: a file of this kernel's /proc, or of another node's; kvfree() it. Length in *len. */
char *procfs_text_local(enum procfs_text which, size_t *len);
char *procfs_text(struct net *net, krg_node_t node, enum procfs_text which, size_t *len);

/* sum.c: a file of all online nodes made one; kvfree() it. Length in *len. */
char *procfs_sum(struct net *net, enum procfs_text which, size_t *len);

/* service.c: what other nodes ask us. */
int procfs_service_init(void);
void procfs_service_exit(void);

/* nodes.c: /proc/nodes. */
int procfs_nodes_init(void);
void procfs_nodes_exit(void);

#endif
