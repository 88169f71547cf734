/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replicated state machines: small state that every node of the cluster holds
 * whole, and that changes by operations which all nodes apply in one order.
 *
 *   krg_order_register()	on load, before the cluster is started
 *   krg_order_submit()		one operation; returns what apply() made of it here, once
 *				every node has applied it
 *   reads			are local: look at your own state
 *   krg_order_barrier()	before a read that must see all that was complete anywhere
 *
 * Machines share one order: what is submitted to one after another to a second is
 * applied so everywhere. A node that joins is given the state by snapshot() on
 * another node and restore() here. A node that died or left is told to all by
 * dead(), in its place in the order.
 *
 * All state hangs off a network namespace: one namespace is one node.
 * How it works: Documentation/order-protocol.md.
 */
#ifndef KRG_ORDER_H
#define KRG_ORDER_H

#include <linux/module.h>
#include <linux/types.h>
#include <krg/types.h>

struct net;
struct krg_order_sink;

#define KRG_ORDER_MACHINES	32	/* ids are 1..31 */
#define KRG_ORDER_OP_MAX	8192u	/* longest operation of any machine, bytes */
#define KRG_ORDER_SNAPSHOT_MAX	0x40000000u	/* longest snapshot of all machines together */
#define KRG_ORDER_WINDOW	16	/* operations of one node under way; more wait */

/* Machine ids, the same on all nodes, never reused. 0 is none. */
enum krg_order_machine_id {
	KRG_ORDER_SHM	= 1,	/* krg_mm: names and inodes of shared memory */
	KRG_ORDER_IPC	= 2,	/* krg_ipc: System V shared memory */
	KRG_ORDER_SCHED	= 3,	/* krg_sched: the graph in configfs */
	KRG_ORDER_TEST	= 31,	/* test modules */
};

/**
 * struct krg_order_machine - one kind of replicated state
 * @id: number, 1..31
 * @name: for logs
 * @max_op: longest operation in bytes, at most KRG_ORDER_OP_MAX
 * @apply: changes the state of @net by an operation of node @origin. Called on every
 *	node in the same order, so it must come to the same result from the same
 *	state: no clocks, no random numbers, no local failures (allocate with
 *	__GFP_NOFAIL); on a bad @op change nothing and return an error. @op is
 *	aligned to 8 and comes from another node: check it. @result is the
 *	submitter's pointer on the node that submitted it if the submitter still
 *	waits, NULL otherwise; it must not matter for the state. Return: what
 *	krg_order_submit() returns; anything.
 * @snapshot: writes the whole state of @net to @sink by krg_order_write().
 * @restore: makes the state of @net what snapshot() of another node wrote; @data is
 *	aligned to 8 and to be checked. The state is as after reset(), and what
 *	comes in between is not seen. Return: 0; an error, always of the data
 *	(allocate with __GFP_NOFAIL), makes this node leave the cluster.
 * @dead: node @node died or left: drop what it had. If the node is back already, its
 *	operations come afterwards. May be called for a node that never did anything.
 * @reset: forget everything: this node is in no cluster any more. The state is
 *	that of a machine just registered.
 * @owner: THIS_MODULE
 *
 * All are called one at a time for a namespace, in a work item: only your own
 * readers need a lock. They may sleep for memory and short mutexes, but hold up every
 * operation of the cluster. They must not submit, nor wait for another node. None is
 * called for a namespace any more when its pernet exit functions run.
 */
struct krg_order_machine {
	u8 id;
	const char *name;
	u32 max_op;
	int (*apply)(struct net *net, krg_node_t origin, const void *op, u32 len, void *result);
	void (*snapshot)(struct net *net, struct krg_order_sink *sink);
	int (*restore)(struct net *net, const void *data, size_t len);
	void (*dead)(struct net *net, krg_node_t node);
	void (*reset)(struct net *net);
	struct module *owner;
};

/**
 * struct krg_order_source - what is left to be read of a snapshot
 * @at: where it is
 * @left: bytes
 */
struct krg_order_source {
	const void *at;
	size_t left;
};

/**
 * krg_order_read() - what krg_order_write() wrote, for restore()
 * @src: the rest; moved on
 * @len: bytes
 *
 * Return: the next @len bytes; NULL: there are not so many.
 */
static inline const void *krg_order_read(struct krg_order_source *src, size_t len)
{
	const void *at = src->at;

	if (len > src->left)
		return NULL;
	src->at += len;
	src->left -= len;
	return at;
}

int krg_order_register(const struct krg_order_machine *machine);
void krg_order_unregister(const struct krg_order_machine *machine);
void krg_order_write(struct krg_order_sink *sink, const void *data, u32 len);

int krg_order_submit(struct net *net, u8 machine, const void *op, u32 len, void *result,
		     bool interruptible);
int krg_order_barrier(struct net *net, bool interruptible);

#endif
