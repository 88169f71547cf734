// SPDX-License-Identifier: GPL-2.0-only
/* Who wants an operation done, and waits for it. */
#include <linux/export.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "order.h"

/* Frees @op if nobody waits. Locks: order.lock. */
void order_op_end(struct order_op *op, int status)
{
	if (op->abandoned) {
		kvfree(op);
		return;
	}
	op->status = status;
	complete(&op->done);
}

/* The next that waits for room, taken; or NULL. */
struct order_op *order_op_next(struct order *r)
{
	struct order_op *op;

	spin_lock(&r->in_lock);
	op = list_first_entry_or_null(&r->queued, struct order_op, link);
	if (op) {
		list_del(&op->link);
		op->queued = false;
	}
	spin_unlock(&r->in_lock);
	return op;
}

static bool op_queue(struct order *r, struct order_op *op)
{
	bool stopping;

	spin_lock(&r->in_lock);
	stopping = r->stopping;
	op->queued = !stopping;
	if (!stopping) {
		list_add_tail(&op->link, &r->queued);
		order_kick(r);
	}
	spin_unlock(&r->in_lock);
	return !stopping;
}

/* The waiter was interrupted. Return: the operation is his to free. */
static bool op_abandon(struct order *r, struct order_op *op)
{
	bool mine = true;

	mutex_lock(&r->lock);
	spin_lock(&r->in_lock);
	if (op->queued)
		list_del(&op->link);
	else
		mine = completion_done(&op->done);
	spin_unlock(&r->in_lock);
	op->abandoned = !mine;
	op->result = NULL;
	mutex_unlock(&r->lock);
	return mine;
}

static int op_wait(struct order *r, struct order_op *op, bool interruptible)
{
	int err = 0;

	if (interruptible)
		err = wait_for_completion_interruptible(&op->done);
	else
		wait_for_completion(&op->done);
	if (err && !op_abandon(r, op))
		return -EINTR;
	if (!err || completion_done(&op->done))
		err = op->status;
	else
		err = -EINTR;
	kvfree(op);
	return err;
}

static struct order_op *op_alloc(u8 machine, const void *data, u32 len, void *result)
{
	struct order_op *op = kvzalloc(struct_size(op, data, DIV_ROUND_UP(len, sizeof(u64))),
				       GFP_KERNEL);

	if (!op)
		return NULL;
	init_completion(&op->done);
	op->machine = machine;
	op->result = result;
	op->len = len;
	if (len)
		memcpy(op->data, data, len);
	return op;
}

static int op_submit(struct net *net, u8 machine, const void *data, u32 len, void *result,
		     bool interruptible)
{
	struct order *r = order_of(net);
	struct order_op *op;

	op = op_alloc(machine, data, len, result);
	if (!op)
		return -ENOMEM;
	if (!op_queue(r, op)) {
		kvfree(op);
		return -ENOTCONN;
	}
	return op_wait(r, op, interruptible);
}

static int op_check(u8 machine, u32 len)
{
	int err = -EOPNOTSUPP;

	down_read(&order_machines_lock);
	if (machine < KRG_ORDER_MACHINES && order_machines[machine])
		err = len > order_machines[machine]->max_op ? -EMSGSIZE : 0;
	up_read(&order_machines_lock);
	return err;
}

/**
 * krg_order_submit() - change replicated state
 * @net: namespace
 * @machine: which machine's
 * @op: the operation
 * @len: its bytes
 * @result: given to this node's apply(); may be NULL
 * @interruptible: give up waiting on a signal
 *
 * Returns when every member of the view has applied the operation: who hears of that
 * by whatever way finds it done. It is applied exactly once, whichever other nodes
 * die meanwhile. Operations of one thread are applied in their order. While the
 * view changes it waits.
 *
 * With -EINTR, -ENOLINK and -ENOTCONN the operation may have been, or still be,
 * applied, once: if another node's lot depends on it, ask with another operation.
 *
 * Context: process; not from a machine's functions, a cluster notifier, or an rpc
 * handler that may not block. Locks: none that the machine's functions take.
 * Return: what apply() returned; -EINTR; -ENOTCONN this node is in no cluster, or has
 * left it; -ENOLINK this side of the cluster has no quorum; -EOPNOTSUPP a member has no
 * such machine; -EMSGSIZE; -ENOMEM nothing was done.
 */
int krg_order_submit(struct net *net, u8 machine, const void *op, u32 len, void *result,
		     bool interruptible)
{
	int err = op_check(machine, len);

	return err ?: op_submit(net, machine, op, len, result, interruptible);
}
EXPORT_SYMBOL_GPL(krg_order_submit);

/**
 * krg_order_barrier() - wait until this node has all that was done before, anywhere
 * @net: namespace
 * @interruptible: give up on a signal
 *
 * For who must see the state of now, not of a moment ago: whatever was returned from
 * krg_order_submit() on any node before this was called is here when it returns. As
 * submit() returns when all members have it, that only makes a difference to a node
 * that has just joined.
 *
 * Context: as krg_order_submit(). Return: 0; -EINTR; -ENOTCONN; -ENOLINK; -ENOMEM.
 */
int krg_order_barrier(struct net *net, bool interruptible)
{
	return op_submit(net, 0, NULL, 0, NULL, interruptible);
}
EXPORT_SYMBOL_GPL(krg_order_barrier);
