/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System V shared memory. What each part is for: README.md.
 *
 * Lock order:
 *
 *   ipc.tell_lock		held while an operation is sent
 *   mm->mmap_lock
 *     shm_ids.rwsem		of the first IPC namespace: the table, and which mirrors there are
 *       shm_perm.lock		a mirror, as ipc/shm.c has it
 *
 * Nobody waits for another node (an operation) with any but the first.
 */
#ifndef KRG_IPC_IPC_H
#define KRG_IPC_IPC_H

#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <krg/cluster.h>
#include <krg/hook.h>
#include <krg/kddm.h>
#include <krg/order.h>
#include "../compat/ipc/util.h"
#include "op.h"

#define IPC_RIGHTS	0777	/* in mode */

/*
 * Ids: index below, sequence above, as the kernel has them. Its own indices begin at 0, so
 * those of the cluster are the upper half.
 */
#define IPC_ID_SHIFT	15
#define IPC_ID_FIRST	0x4000u
#define IPC_ID_COUNT	0x4000u
#define IPC_SEQ_COUNT	0xffffu

#define IPC_UNTOLD	XA_MARK_0	/* other nodes are to be told of this node's count */
#define IPC_MISSING	XA_MARK_1	/* it has no mirror here yet */

/* What others were told of a segment's users here. */
struct ipc_told {
	u32 count;
	s32 pid;
	s64 atime;
	s64 dtime;
};

/**
 * struct ipc_seg - a segment; the same on all nodes
 * @id: its id
 * @key: IPC_PRIVATE: none, or not any more
 * @size: bytes
 * @ino: file of krg_mm
 * @mode: permissions, SHM_DEST
 * @uid: owner
 * @gid: group
 * @cuid: creator
 * @cgid: creator's group
 * @cpid: creator's process
 * @lpid: process that was attached or detached last
 * @atime: s, as dtime and ctime
 * @users: node -> times it is attached, a value entry
 * @total: their sum
 *
 * Of this node alone:
 * @shp: the kernel's segment that is it here: the mirror. NULL: not yet
 * @others: users on other nodes, that are in @shp's count
 * @told: under tell_lock
 *
 * Written under shm_ids.rwsem.
 */
struct ipc_seg {
	int id;
	key_t key;
	u64 size;
	u64 ino;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	kuid_t cuid;
	kgid_t cgid;
	pid_t cpid;
	pid_t lpid;
	s64 atime;
	s64 dtime;
	s64 ctime;
	struct xarray users;
	u64 total;

	struct shmid_kernel *shp;
	u64 others;
	struct ipc_told told;
};

/* A node. Those in other network namespances than the first have no mirrors. */
struct ipc {
	struct net *net;
	/* shm_ids.rwsem */
	struct xarray segs;	/* id -> struct ipc_seg */
	struct xarray keys;	/* key -> struct ipc_seg */
	u32 count;
	u32 next;		/* ids given so far */
	struct vfsmount *mnt;	/* no mirrors without */

	struct mutex tell_lock;	/* one count after another */
	struct delayed_work tell_work;
	struct delayed_work mirror_work;
	struct work_struct mount_work;
	wait_queue_head_t wait;	/* mount_work has done what it can */
	bool late;		/* loaded after the cluster was started: in it from the next on */
	bool wanted;		/* this node is in the cluster; mount_work */
	int mount_err;
};

extern const struct krg_order_machine ipc_machine;
extern struct workqueue_struct *ipc_wq;

/* main.c */
struct ipc *ipc_of(const struct net *net);
struct ipc *ipc_first(void);

static inline struct ipc_namespace *ipc_ns(void)
{
	return krg_data(init_ipc_ns);
}

static inline struct ipc_ids *ipc_ids(void)
{
	return &ipc_ns()->ids[IPC_SHM_IDS];
}

/* layout.c */
int ipc_layout_check(void);

/* pid.c */
struct pid *ipc_pid_of(pid_t nr, bool here);
void ipc_pid_set(struct pid **at, struct pid *pid);

/* table.c */
void ipc_table_init(struct ipc *ipc);
void ipc_table_reset(struct ipc *ipc);
struct ipc_seg *ipc_seg(struct ipc *ipc, int id);
struct ipc_seg *ipc_seg_of_key(struct ipc *ipc, key_t key);
struct ipc_seg *ipc_seg_make(struct ipc *ipc, int id, key_t key);
void ipc_seg_remove(struct ipc *ipc, struct ipc_seg *seg, bool destroy);
void ipc_seg_unkey(struct ipc *ipc, struct ipc_seg *seg);
void ipc_seg_count(struct ipc *ipc, struct ipc_seg *seg, krg_node_t node, u32 count);

/* op.c */
int ipc_submit(struct ipc *ipc, const struct ipc_op *op, int *id);
int ipc_op_decode(const void *data, u32 len, struct ipc_op *op);

/* apply.c, snapshot.c */
int ipc_apply(struct net *net, krg_node_t origin, const void *data, u32 len, void *result);
void ipc_apply_dead(struct net *net, krg_node_t node);
void ipc_snapshot(struct net *net, struct krg_order_sink *sink);
int ipc_restore(struct net *net, const void *data, size_t len);

/* mirror.c */
int ipc_mirror_make(struct ipc *ipc, struct ipc_seg *seg);
void ipc_mirrors_make(struct ipc *ipc);
void ipc_mirror_work(struct work_struct *work);
void ipc_mirror_count(struct ipc_seg *seg, u64 others);
void ipc_mirror_users(struct ipc_seg *seg);
void ipc_mirror_attr(struct ipc_seg *seg);
void ipc_mirror_rmid(struct ipc_seg *seg);
void ipc_mirror_end(struct ipc_seg *seg);
void ipc_mirror_ref(struct shmid_kernel *shp);
void ipc_mirror_unref(struct ipc *ipc, struct shmid_kernel *shp);
void ipc_mirror_detach(struct ipc *ipc, int id, const struct file *file);
struct shmid_kernel *ipc_mirror_attach(struct ipc *ipc, int id);

/* tell.c */
int ipc_tell(struct ipc *ipc, int id, bool attach);
void ipc_tell_later(struct ipc *ipc, int id);
void ipc_tell_work(struct work_struct *work);

/* vma.c */
int ipc_vma_init(void);
void ipc_vma_exit(void);
bool ipc_vma_is(const struct vm_area_struct *vma);
int ipc_vma_id(const struct vm_area_struct *vma);

/* get.c */
int ipc_get_init(void);
void ipc_get_exit(void);
int ipc_use(struct ipc *ipc);

/* call.c */
int ipc_call_init(void);
void ipc_call_exit(void);

#endif
