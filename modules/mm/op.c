// SPDX-License-Identifier: GPL-2.0-only
/* Operations go out and come in; which part of the table they concern. */
#include <linux/build_bug.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include "shmfs.h"

/* Time as the table has it. */
s64 shmfs_now(void)
{
	return ktime_get_real_ns();
}

static u32 op_encode(const struct shmfs_op *op, struct shmfs_wire_op *w)
{
	w->type = cpu_to_le32(op->type);
	w->flags = cpu_to_le32(op->flags);
	w->mode = cpu_to_le32(op->mode);
	w->uid = cpu_to_le32(op->uid);
	w->gid = cpu_to_le32(op->gid);
	w->valid = cpu_to_le32(op->valid);
	w->born = cpu_to_le32(op->born);
	w->len = cpu_to_le16(op->len);
	w->len2 = cpu_to_le16(op->len2);
	w->dir = cpu_to_le64(op->dir);
	w->ino = cpu_to_le64(op->ino);
	w->dir2 = cpu_to_le64(op->dir2);
	w->a = cpu_to_le64(op->a);
	w->b = cpu_to_le64(op->b);
	w->number = cpu_to_le64(op->number);
	w->now = cpu_to_le64(op->now);
	w->atime = cpu_to_le64(op->atime);
	w->mtime = cpu_to_le64(op->mtime);
	if (op->len)
		memcpy(w->names, op->name, op->len);
	if (op->len2)
		memcpy(w->names + op->len, op->name2, op->len2);
	return sizeof(*w) + op->len + op->len2;
}

/**
 * shmfs_op_decode() - an operation as it came
 * @data: aligned to 8
 * @len: bytes
 * @op: filled; names point into @data
 *
 * Return: 0; -EBADMSG.
 */
int shmfs_op_decode(const void *data, u32 len, struct shmfs_op *op)
{
	const struct shmfs_wire_op *w = data;

	if (len < sizeof(*w))
		return -EBADMSG;
	*op = (struct shmfs_op) {
		.type = le32_to_cpu(w->type), .flags = le32_to_cpu(w->flags),
		.mode = le32_to_cpu(w->mode), .uid = le32_to_cpu(w->uid),
		.gid = le32_to_cpu(w->gid), .valid = le32_to_cpu(w->valid),
		.born = le32_to_cpu(w->born), .len = le16_to_cpu(w->len),
		.len2 = le16_to_cpu(w->len2), .dir = le64_to_cpu(w->dir),
		.ino = le64_to_cpu(w->ino), .dir2 = le64_to_cpu(w->dir2),
		.a = le64_to_cpu(w->a), .b = le64_to_cpu(w->b),
		.number = le64_to_cpu(w->number), .now = le64_to_cpu(w->now),
		.atime = le64_to_cpu(w->atime), .mtime = le64_to_cpu(w->mtime),
		.name = w->names,
	};
	op->name2 = w->names + op->len;
	if (len != sizeof(*w) + op->len + op->len2 || op->len > SHMFS_NAME_MAX ||
	    op->len2 > SHMFS_TARGET_MAX || memchr(w->names, 0, op->len + op->len2))
		return -EBADMSG;
	return 0;
}

/**
 * shmfs_submit() - have an operation applied everywhere
 * @s: node
 * @op: it
 * @result: filled if not NULL
 * @interruptible: a signal ends the waiting; it may be applied later
 *
 * Context: process, may sleep. Locks: none but mmap_lock and i_rwsem.
 * Return: what apply() said; what krg_order_submit() says.
 */
int shmfs_submit(struct shmfs *s, const struct shmfs_op *op, struct shmfs_result *result,
		 bool interruptible)
{
	struct shmfs_wire_op *w;
	int err;

	w = kmalloc(sizeof(*w) + op->len + op->len2, GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	err = krg_order_submit(s->net, KRG_ORDER_SHM, w, op_encode(op, w), result, interruptible);
	kfree(w);
	return err;
}

static int shmfs_apply(struct net *net, krg_node_t origin, const void *data, u32 len,
		       void *result)
{
	struct shmfs *s = shmfs_of(net);
	struct shmfs_op op;
	unsigned int nofs;
	int err;

	err = shmfs_op_decode(data, len, &op);
	if (err)
		return err;
	/* Reclaim must not come back here for inodes. */
	nofs = memalloc_nofs_save();
	down_write(&s->table_lock);
	if (s->exiting)
		err = -ENOTCONN;
	else if (op.type < SHMFS_OP_ALLOC)
		err = shmfs_apply_name(s, origin, &op, result);
	else
		err = shmfs_apply_data(s, origin, &op, result);
	up_write(&s->table_lock);
	memalloc_nofs_restore(nofs);
	return err;
}

static void shmfs_dead(struct net *net, krg_node_t node)
{
	struct shmfs *s = shmfs_of(net);
	unsigned int nofs = memalloc_nofs_save();

	down_write(&s->table_lock);
	if (!s->exiting)
		shmfs_apply_dead(s, node);
	up_write(&s->table_lock);
	memalloc_nofs_restore(nofs);
}

static void shmfs_reset(struct net *net)
{
	struct shmfs *s = shmfs_of(net);
	unsigned int nofs = memalloc_nofs_save();

	down_write(&s->table_lock);
	if (!s->exiting)
		shmfs_table_reset(s);
	up_write(&s->table_lock);
	memalloc_nofs_restore(nofs);
}

const struct krg_order_machine shmfs_machine = {
	.id = KRG_ORDER_SHM,
	.name = "shm",
	.max_op = SHMFS_OP_MAX,
	.apply = shmfs_apply,
	.snapshot = shmfs_snapshot,
	.restore = shmfs_restore,
	.dead = shmfs_dead,
	.reset = shmfs_reset,
	.owner = THIS_MODULE,
};
