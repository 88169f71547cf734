/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What user space may say to krg, and what krg answers.
 *
 * One generic netlink family, "krg", version 1, in every network namespace: a
 * namespace is a node (the machine itself is the first one). Every command is
 * a "do" unless marked dump. An error carries its reason as extended ack text.
 * [admin] needs CAP_SYS_ADMIN; [kill] needs what kill(2) of that process
 * needs. krg.yaml is the same in machine-readable form; a test compares them.
 *
 * KRG_CMD_HOOK_FEATURES
 *	reply: FEATURES, FEATURE* {BIT, NAME}: what krg found in this kernel.
 * KRG_CMD_KEY_SET [admin]
 *	KEY: the session's key of this node, another only outside a cluster; 16 to 64 bytes.
 * KRG_CMD_KEY_INFO
 *	reply: FINGERPRINT, absent while no key is loaded.
 * KRG_CMD_NODE_CONFIG [admin]
 *	SESSION, NODE, [MAX_NODES], [NB_NODES_MIN], NET_DEV: make this
 *	namespace a node (the first one has its module parameters).
 * KRG_CMD_CLUSTER_STATUS
 *	reply: CLUSTER_STATE, NODE, SESSION, EPOCH, MAX_NODES, ONLINE,
 *	PRESENT, [FAILED].
 * KRG_CMD_CLUSTER_START [admin]
 *	[NODES], [FLAGS: KRG_START_*], [TIMEOUT_MS]: form the cluster of these
 *	present nodes, or of all; returns when every one is online.
 * KRG_CMD_CLUSTER_STOP [admin]
 *	every node leaves.
 * KRG_CMD_NODES_ADD, KRG_CMD_NODES_DEL [admin]
 *	NODES, [TIMEOUT_MS].
 * KRG_CMD_NODES_GET, dump
 *	a message a node that isn't absent, ascending: NODE, NODE_STATE,
 *	[ADDRESS], INCARNATION, [SELF].
 * KRG_CMD_PS_GET, dump
 *	[NODE, else every online node], [FLAGS: KRG_PS_*]: messages of NODE and
 *	PROCESS* (struct krg_process), a node's contiguous. A node that could not
 *	be asked: NODE, ERROR (positive error number).
 * KRG_CMD_STAT_GET, dump
 *	[NODE]: a message a node: NODE, STAT (struct krg_node_stat) or ERROR.
 * KRG_CMD_FREEZE [kill]
 *	PID or APPID, [FLAGS: KRG_FREEZE_*]; reply: APPID, PID. The freeze ends
 *	with the socket that made it unless KRG_FREEZE_KEEP.
 * KRG_CMD_UNFREEZE [kill]
 *	PID or APPID, [SIGNAL to deliver as it wakes]; reply: APPID, PID.
 * KRG_CMD_CHECKPOINT [kill]
 *	PID or APPID of a frozen application, DIRFD (a directory the caller opened;
 *	the files are made in it with the caller's rights), [FLAGS:
 *	KRG_CHECKPOINT_*]; reply: APPID, PID. It stays frozen, unless it was
 *	KRG_CHECKPOINT_UNFREEZE and nothing failed before its state was taken.
 * KRG_CMD_RESTART
 *	DIRFD (one version), [FLAGS: KRG_RESTART_*], SUBSTITUTE* {ID, FD};
 *	reply: APPID, PID. The application's root is a child of the caller. With
 *	KRG_RESTART_FROZEN it stays frozen, also when the caller's socket is closed.
 * KRG_CMD_COUNTERS_GET, dump
 *	a message a peer: NODE, COUNTER* {NAME, VALUE}.
 * KRG_CMD_EVENT, sent to the multicast group "events"
 *	EVENT, TIME_NS (CLOCK_REALTIME), [NODE], [EPOCH], [PID], [APPID],
 *	[SIGNAL], [MESSAGE].
 *
 * Numbers are never reused; structs grow at their end only: a reader takes
 * what it knows and treats what is missing as zero.
 *
 * Change log: version 1, first.
 */
#ifndef _UAPI_KRG_NETLINK_H
#define _UAPI_KRG_NETLINK_H

#include <linux/types.h>

#define KRG_GENL_NAME		"krg"
#define KRG_GENL_VERSION	1
#define KRG_GENL_GROUP_EVENTS	"events"

#define KRG_NODES_BYTES		32	/* a set of nodes: bit n % 8 of byte n / 8 */
#define KRG_KEY_MIN		16
#define KRG_KEY_MAX		64
#define KRG_NAME_MAX		64	/* names of features, counters, with the 0 */
#define KRG_COMM_LEN		16

enum krg_cmd {
	KRG_CMD_UNSPEC,
	KRG_CMD_HOOK_FEATURES,
	KRG_CMD_KEY_SET,
	KRG_CMD_KEY_INFO,
	KRG_CMD_NODE_CONFIG,
	KRG_CMD_CLUSTER_STATUS,
	KRG_CMD_CLUSTER_START,
	KRG_CMD_CLUSTER_STOP,
	KRG_CMD_NODES_ADD,
	KRG_CMD_NODES_DEL,
	KRG_CMD_NODES_GET,
	KRG_CMD_PS_GET,
	KRG_CMD_STAT_GET,
	KRG_CMD_FREEZE,
	KRG_CMD_UNFREEZE,
	KRG_CMD_CHECKPOINT,
	KRG_CMD_RESTART,
	KRG_CMD_COUNTERS_GET,
	KRG_CMD_EVENT,

	__KRG_CMD_MAX
};

#define KRG_CMD_MAX (__KRG_CMD_MAX - 1)

enum krg_attr {
	KRG_A_UNSPEC,
	KRG_A_PAD,
	KRG_A_FEATURES,		/* u64, bitmap */
	KRG_A_FEATURE,		/* nest of krg_feature_attr, repeated */
	KRG_A_KEY,		/* binary, KRG_KEY_MIN..KRG_KEY_MAX */
	KRG_A_FINGERPRINT,	/* string, hexadecimal */
	KRG_A_SESSION,		/* u32, 1..255 */
	KRG_A_NODE,		/* u32, 0..255 */
	KRG_A_MAX_NODES,	/* u32, power of two, 2..256 */
	KRG_A_NB_NODES_MIN,	/* u32 */
	KRG_A_NET_DEV,		/* string, interface name */
	KRG_A_CLUSTER_STATE,	/* u32, enum krg_nl_cluster_state */
	KRG_A_EPOCH,		/* u32 */
	KRG_A_ONLINE,		/* u32, number of nodes online */
	KRG_A_PRESENT,		/* u32, number of nodes present, not online */
	KRG_A_FAILED,		/* u32, number of nodes failed */
	KRG_A_NODES,		/* binary, KRG_NODES_BYTES */
	KRG_A_NODE_STATE,	/* u32, enum krg_nl_node_state */
	KRG_A_ADDRESS,		/* string */
	KRG_A_INCARNATION,	/* u64 */
	KRG_A_SELF,		/* flag: the node that answers */
	KRG_A_FLAGS,		/* u32, the command's own */
	KRG_A_TIMEOUT_MS,	/* u32, 0 and absent: the command's default */
	KRG_A_PROCESS,		/* binary, struct krg_process, repeated */
	KRG_A_STAT,		/* binary, struct krg_node_stat */
	KRG_A_PID,		/* s32, as the caller sees it */
	KRG_A_APPID,		/* s32 */
	KRG_A_SIGNAL,		/* u32, 0..64 */
	KRG_A_DIRFD,		/* s32, an open directory of the caller */
	KRG_A_SUBSTITUTE,	/* nest of krg_substitute_attr, repeated */
	KRG_A_COUNTER,		/* nest of krg_counter_attr, repeated */
	KRG_A_EVENT,		/* u32, enum krg_nl_event */
	KRG_A_TIME_NS,		/* u64 */
	KRG_A_MESSAGE,		/* string */
	KRG_A_ERROR,		/* u32, positive error number */

	__KRG_A_MAX
};

#define KRG_A_MAX (__KRG_A_MAX - 1)

enum krg_feature_attr {
	KRG_A_FEATURE_UNSPEC,
	KRG_A_FEATURE_BIT,	/* u32 */
	KRG_A_FEATURE_NAME,	/* string */

	__KRG_A_FEATURE_MAX
};

#define KRG_A_FEATURE_MAX (__KRG_A_FEATURE_MAX - 1)

enum krg_substitute_attr {
	KRG_A_SUBSTITUTE_UNSPEC,
	KRG_A_SUBSTITUTE_ID,	/* string, the 20 hexadecimal digits of user_info */
	KRG_A_SUBSTITUTE_FD,	/* s32, an open file of the caller */

	__KRG_A_SUBSTITUTE_MAX
};

#define KRG_A_SUBSTITUTE_MAX (__KRG_A_SUBSTITUTE_MAX - 1)
#define KRG_FILE_ID_LEN 20

enum krg_counter_attr {
	KRG_A_COUNTER_UNSPEC,
	KRG_A_COUNTER_PAD,
	KRG_A_COUNTER_NAME,	/* string */
	KRG_A_COUNTER_VALUE,	/* u64 */

	__KRG_A_COUNTER_MAX
};

#define KRG_A_COUNTER_MAX (__KRG_A_COUNTER_MAX - 1)

enum krg_nl_cluster_state {
	KRG_CLUSTER_STATE_DOWN,
	KRG_CLUSTER_STATE_UP,
	KRG_CLUSTER_STATE_CHANGING,	/* a start, add, del or stop is under way */
	KRG_CLUSTER_STATE_ERROR,	/* this node is no part of the cluster any more */
};

enum krg_nl_node_state {
	KRG_NODE_STATE_ABSENT,
	KRG_NODE_STATE_PRESENT,
	KRG_NODE_STATE_ONLINE,
	KRG_NODE_STATE_LEAVING,
	KRG_NODE_STATE_FAILED,
};

enum krg_nl_event {
	KRG_EVENT_UNSPEC,
	KRG_EVENT_NODE_PRESENT,
	KRG_EVENT_NODE_ONLINE,
	KRG_EVENT_NODE_LEAVING,
	KRG_EVENT_NODE_FAILED,
	KRG_EVENT_NODE_ABSENT,
	KRG_EVENT_CLUSTER_UP,
	KRG_EVENT_CLUSTER_DOWN,
	KRG_EVENT_FREEZE,
	KRG_EVENT_UNFREEZE,
	KRG_EVENT_CHECKPOINT,
	KRG_EVENT_RESTART,
};

/* KRG_A_FLAGS of KRG_CMD_CLUSTER_START */
#define KRG_START_STRICT_CAPS	(1U << 0)	/* Kerrighed's default capabilities */
/* KRG_A_FLAGS of KRG_CMD_CLUSTER_STOP: one of them at most */
#define KRG_STOP_POWEROFF	(1U << 0)	/* then every machine powers off */
#define KRG_STOP_REBOOT		(1U << 1)	/* or restarts */
/* KRG_A_FLAGS of KRG_CMD_PS_GET */
#define KRG_PS_THREADS		(1U << 0)	/* a record a thread */
/* KRG_A_FLAGS of KRG_CMD_FREEZE */
#define KRG_FREEZE_KEEP		(1U << 0)	/* outlives the caller's socket */
/* KRG_A_FLAGS of KRG_CMD_CHECKPOINT */
#define KRG_CHECKPOINT_IGNORE_FILES	(1U << 0)	/* leave out what cannot be saved */
#define KRG_CHECKPOINT_NO_CALLBACKS	(1U << 1)
#define KRG_CHECKPOINT_UNFREEZE		(1U << 2)	/* let it go on as soon as may be */
/* KRG_A_FLAGS of KRG_CMD_RESTART */
#define KRG_RESTART_FROZEN	(1U << 0)	/* do not unfreeze */
#define KRG_RESTART_TTY		(1U << 1)	/* its terminals become the caller's */
#define KRG_RESTART_PIDS	(1U << 2)	/* group and session become the caller's */

/* A process, or with KRG_PS_THREADS a thread. Times are since the node's boot. */
struct krg_process {
	__s32 pid;		/* as the cluster knows it */
	__s32 tgid;
	__s32 ppid;
	__s32 pgrp;
	__s32 session;
	__u32 uid;		/* effective */
	__u32 node;		/* where it runs */
	__u32 home;		/* where it was created */
	__s32 nice;
	__s32 rt_priority;	/* 0: not real-time */
	__u32 threads;
	__u32 tty;		/* device number as in /proc/PID/stat, 0: none */
	__u64 start_ns;
	__u64 utime_ns;
	__u64 stime_ns;
	__u64 vsize;		/* bytes */
	__u64 rss;		/* bytes */
	__u64 shared;		/* bytes */
	__u8 state;		/* a letter as in /proc/PID/stat */
	__u8 kthread;
	__u8 reserved[6];	/* 0 */
	char comm[KRG_COMM_LEN];	/* ends with a 0 */
};

/* One node's figures at one moment. */
struct krg_node_stat {
	__u64 user_ns;		/* of all its CPUs together, since boot */
	__u64 nice_ns;
	__u64 system_ns;
	__u64 idle_ns;
	__u64 iowait_ns;
	__u64 irq_ns;
	__u64 softirq_ns;
	__u64 steal_ns;
	__u64 uptime_ns;
	__u64 mem_total;	/* bytes, as the rows of /proc/meminfo */
	__u64 mem_free;
	__u64 mem_available;
	__u64 mem_buffers;
	__u64 mem_cached;
	__u64 swap_total;
	__u64 swap_free;
	__u32 load[3];		/* 1, 5, 15 minutes, in hundredths */
	__u32 cpus;		/* online */
	__u32 running;		/* runnable threads */
	__u32 tasks;		/* threads */
};

#endif
