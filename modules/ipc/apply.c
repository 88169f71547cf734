// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations as every node applies them. Who may do what was decided where they come
 * from; that they fit the table is decided here.
 */
#include <linux/sched/mm.h>
#include <linux/sched.h>
#include <net/net_namespace.h>
#include <krg/shm.h>
#include "ipc.h"

/* The next id that nobody has. */
static int next_id(struct ipc *ipc)
{
	u32 n;
	int id;

	do {
		n = ipc->next++;
		id = n / IPC_ID_COUNT % IPC_SEQ_COUNT << IPC_ID_SHIFT |
		     (IPC_ID_FIRST + n % IPC_ID_COUNT);
	} while (ipc_seg(ipc, id));
	return id;
}

static int create_check(struct ipc *ipc, const struct ipc_op *op)
{
	if (!op->size || op->size > MAX_LFS_FILESIZE)
		return -EINVAL;
	if (ipc_seg_of_key(ipc, op->key))
		return -EEXIST;
	return ipc->count >= min(op->limit, IPC_ID_COUNT) ? -ENOSPC : 0;
}

static int apply_create(struct ipc *ipc, const struct ipc_op *op, int *result)
{
	struct krg_shm_new new = {
		.size = op->size, .id = { .number = op->number, .born = op->born },
		.mode = op->mode, .uid = KUIDT_INIT(op->uid), .gid = KGIDT_INIT(op->gid),
		.now = op->now * NSEC_PER_SEC,
	};
	int err = create_check(ipc, op);
	struct ipc_seg *seg;
	u64 ino;

	err = err ?: krg_shm_make(ipc->net, &new, &ino);
	if (err)
		return err;
	seg = ipc_seg_make(ipc, next_id(ipc), op->key);
	seg->size = op->size;
	seg->ino = ino;
	seg->mode = op->mode;
	seg->uid = new.uid;
	seg->gid = new.gid;
	seg->cuid = new.uid;
	seg->cgid = new.gid;
	seg->cpid = op->pid;
	seg->ctime = op->now;
	ipc_mirror_make(ipc, seg);
	if (result)
		*result = seg->id;
	return 0;
}

static int apply_set(struct ipc_seg *seg, const struct ipc_op *op)
{
	seg->uid = KUIDT_INIT(op->uid);
	seg->gid = KGIDT_INIT(op->gid);
	seg->mode = (seg->mode & ~IPC_RIGHTS) | op->mode;
	seg->ctime = op->now;
	ipc_mirror_attr(seg);
	return 0;
}

/* Nobody is attached, and nobody else is to be. */
static void seg_unused(struct ipc *ipc, struct ipc_seg *seg, bool destroy)
{
	if (!seg->total && seg->mode & SHM_DEST)
		ipc_seg_remove(ipc, seg, destroy);
}

static int apply_rmid(struct ipc *ipc, struct ipc_seg *seg, bool destroy)
{
	ipc_seg_unkey(ipc, seg);
	seg->mode |= SHM_DEST;
	ipc_mirror_rmid(seg);
	seg_unused(ipc, seg, destroy);
	return 0;
}

static int apply_count(struct ipc *ipc, struct ipc_seg *seg, krg_node_t origin,
		       const struct ipc_op *op)
{
	bool here = origin == krg_self(ipc->net);

	seg->atime = max(seg->atime, op->atime);
	seg->dtime = max(seg->dtime, op->dtime);
	seg->lpid = op->pid;
	ipc_seg_count(ipc, seg, origin, op->count);
	if (!here)
		ipc_mirror_users(seg);
	seg_unused(ipc, seg, here);
	return 0;
}

static int apply(struct ipc *ipc, krg_node_t origin, const struct ipc_op *op, int *result)
{
	struct ipc_seg *seg;

	if (op->type == IPC_OP_CREATE)
		return apply_create(ipc, op, result);
	seg = ipc_seg(ipc, op->id);
	if (!seg)
		return -EIDRM;
	switch (op->type) {
	case IPC_OP_SET:
		return apply_set(seg, op);
	case IPC_OP_RMID:
		return apply_rmid(ipc, seg, origin == krg_self(ipc->net));
	case IPC_OP_COUNT:
		return apply_count(ipc, seg, origin, op);
	default:
		return -EBADMSG;
	}
}

int ipc_apply(struct net *net, krg_node_t origin, const void *data, u32 len, void *result)
{
	unsigned int nofs = memalloc_nofs_save();
	struct ipc_op op;
	int err;

	err = ipc_op_decode(data, len, &op);
	if (!err) {
		down_write(&ipc_ids()->rwsem);
		err = apply(ipc_of(net), origin, &op, result);
		up_write(&ipc_ids()->rwsem);
	}
	memalloc_nofs_restore(nofs);
	return err;
}

/* What it would have destroyed is destroyed by all. */
void ipc_apply_dead(struct net *net, krg_node_t node)
{
	unsigned int nofs = memalloc_nofs_save();
	struct ipc *ipc = ipc_of(net);
	struct ipc_seg *seg;
	unsigned long id;

	down_write(&ipc_ids()->rwsem);
	xa_for_each(&ipc->segs, id, seg) {
		ipc_seg_count(ipc, seg, node, 0);
		seg_unused(ipc, seg, true);
	}
	up_write(&ipc_ids()->rwsem);
	memalloc_nofs_restore(nofs);
}
