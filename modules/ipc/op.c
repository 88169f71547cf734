// SPDX-License-Identifier: GPL-2.0-only
/* Operations go out and come in. */
#include "ipc.h"

static void op_encode(const struct ipc_op *op, struct ipc_wire_op *w)
{
	*w = (struct ipc_wire_op) {
		.type = cpu_to_le32(op->type), .id = cpu_to_le32(op->id),
		.key = cpu_to_le32(op->key), .mode = cpu_to_le32(op->mode),
		.uid = cpu_to_le32(op->uid), .gid = cpu_to_le32(op->gid),
		.pid = cpu_to_le32(op->pid), .limit = cpu_to_le32(op->limit),
		.born = cpu_to_le32(op->born), .count = cpu_to_le32(op->count),
		.size = cpu_to_le64(op->size), .number = cpu_to_le64(op->number),
		.now = cpu_to_le64(op->now), .atime = cpu_to_le64(op->atime),
		.dtime = cpu_to_le64(op->dtime),
	};
}

/**
 * ipc_op_decode() - an operation as it came
 * @data: aligned to 8
 * @len: bytes
 * @op: filled
 *
 * Return: 0; -EBADMSG.
 */
int ipc_op_decode(const void *data, u32 len, struct ipc_op *op)
{
	const struct ipc_wire_op *w = data;

	if (len != sizeof(*w))
		return -EBADMSG;
	*op = (struct ipc_op) {
		.type = le32_to_cpu(w->type), .id = le32_to_cpu(w->id),
		.key = le32_to_cpu(w->key), .mode = le32_to_cpu(w->mode),
		.uid = le32_to_cpu(w->uid), .gid = le32_to_cpu(w->gid),
		.pid = le32_to_cpu(w->pid), .limit = le32_to_cpu(w->limit),
		.born = le32_to_cpu(w->born), .count = le32_to_cpu(w->count),
		.size = le64_to_cpu(w->size), .number = le64_to_cpu(w->number),
		.now = le64_to_cpu(w->now), .atime = le64_to_cpu(w->atime),
		.dtime = le64_to_cpu(w->dtime),
	};
	if (op->mode & ~IPC_RIGHTS || op->pid < 0)
		return -EBADMSG;
	return 0;
}

/**
 * ipc_submit() - have an operation applied everywhere
 * @ipc: node
 * @op: it
 * @id: set by CREATE; may be NULL
 *
 * Context: process, may sleep. Locks: none but tell_lock.
 * Return: what apply() said; what krg_order_submit() says.
 */
int ipc_submit(struct ipc *ipc, const struct ipc_op *op, int *id)
{
	struct ipc_wire_op w;

	op_encode(op, &w);
	return krg_order_submit(ipc->net, KRG_ORDER_IPC, &w, sizeof(w), id, false);
}
