/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel keeps to ipc/util.h and ipc/shm.c: its objects and calls of System V
 * shared memory. The same in 6.1 and 6.12; that they are so in the running kernel is
 * looked at when krg_ipc is loaded (modules/ipc/layout.c).
 */
#ifndef KRG_COMPAT_IPC_UTIL_H
#define KRG_COMPAT_IPC_UTIL_H

#include <linux/ipc.h>
#include <linux/ipc_namespace.h>
#include <linux/list.h>
#include <linux/shm.h>
#include <linux/types.h>

struct file;
struct pid;
struct task_struct;
struct ucounts;

#define IPC_SHM_IDS	2

#define SHM_DEST	01000	/* in mode: goes with the last who is attached */
#define SHM_LOCKED	02000

struct ipc_params {
	key_t key;
	int flg;
	union {
		size_t size;
		int nsems;
	} u;
};

struct ipc_ops;

struct shmid_kernel {
	struct kern_ipc_perm shm_perm;
	struct file *shm_file;
	unsigned long shm_nattch;
	unsigned long shm_segsz;
	time64_t shm_atim;
	time64_t shm_dtim;
	time64_t shm_ctim;
	struct pid *shm_cprid;
	struct pid *shm_lprid;
	struct ucounts *mlock_ucounts;
	struct task_struct *shm_creator;
	struct list_head shm_clist;
	struct ipc_namespace *ns;
};

#endif
