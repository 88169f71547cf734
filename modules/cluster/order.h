/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel part of replicated state machines: it keeps operations, entries and
 * snapshots, and does what the pure code in core/order.c says.
 *
 *	order.c			machines, namespaces, what comes in
 *	order_submit.c		who waits for an operation
 *	order_work.c		the work: one event after the other
 *	order_snapshot.c	snapshots
 *
 * Lock order:
 *
 *   order_list_lock
 *   order_machines_lock	for reading while machines are called
 *     order.lock		the work; a waiter who gives up
 *       order.in_lock		what comes in
 */
#ifndef KRG_CLUSTER_ORDER_PRIV_H
#define KRG_CLUSTER_ORDER_PRIV_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <krg/cluster.h>
#include <krg/order.h>
#include "core/order_wire.h"

static_assert(KRG_ORDER_WINDOW == KRG_ORDER_OWN && KRG_ORDER_OP_MAX == KRG_ORDER_DATA_MAX,
	      "core/order.h and krg/order.h disagree");

enum order_in_type {
	ORDER_IN_MSG,
	ORDER_IN_VIEW,
	ORDER_IN_DOWN,
};

/* Something for the work. */
struct order_in {
	struct list_head link;
	enum order_in_type type;
	u16 from;			/* ORDER_IN_MSG */
	u32 len;
	struct krg_cluster_view view;	/* ORDER_IN_VIEW */
	u64 data[];			/* ORDER_IN_MSG: @len bytes */
};

/* An operation of ours, until nobody waits for it and it is nowhere under way. */
struct order_op {
	struct list_head link;		/* order.queued; in_lock */
	struct completion done;
	int status;
	bool queued;			/* in_lock */
	bool abandoned;			/* order.lock: the work frees it */
	void *result;			/* order.lock: NULL when abandoned */
	u8 machine;
	u32 len;
	u64 data[];
};

struct order_entry {
	u8 kind;
	u8 machine;
	u16 origin;
	u32 serial;
	u32 len;
	u64 data[];			/* the operation, or a struct krg_order_view */
};

/* A piece of a snapshot: all but the last are full. */
struct order_chunk {
	struct list_head link;
	u32 len;
	u64 data[KRG_ORDER_CHUNK_MAX / sizeof(u64)];
};

struct krg_order_sink {
	struct list_head chunks;
	u64 total;
};

/* One node. */
struct order {
	struct net *net;
	struct list_head link;		/* order_list_lock */
	struct work_struct work;
	struct work_struct leave_work;

	spinlock_t in_lock;		/* up to @queued */
	bool stopping;			/* nothing comes in any more */
	struct list_head in;		/* struct order_in */
	struct list_head queued;	/* struct order_op there was no room for yet */

	struct mutex lock;		/* the rest */
	struct krg_order *o;		/* these four: NULL before the first view */
	struct krg_order_out *out;
	struct krg_order_scratch *scratch;
	u64 *wire;			/* KRG_ORDER_BYTES_MAX */
	u8 phase;			/* o->phase, for readers without the lock */
	bool broken;			/* can't be restored: is to leave, and has not yet */
	u8 todo;			/* KRG_ORDER_TAKE or _RESTORE, when the actions are done */
	struct order_op *own[KRG_ORDER_OWN];
	struct xarray log;		/* struct order_entry by number */
	u64 log_first;			/* the oldest in it */
	struct list_head held;		/* struct order_in of a view to come */
	unsigned int nr_held;
	struct krg_order_sink tx;
	struct krg_order_sink rx;
};

extern struct rw_semaphore order_machines_lock;
extern const struct krg_order_machine *order_machines[KRG_ORDER_MACHINES];

/* order.c */
struct order *order_of(struct net *net);
void order_kick(struct order *r);
void order_leave(struct order *r);
unsigned long order_registered(void);
int order_init(void);
void order_exit(void);

/* order_submit.c */
void order_op_end(struct order_op *op, int status);
struct order_op *order_op_next(struct order *r);

/* order_work.c */
void order_work(struct work_struct *work);
void order_drop_all(struct order *r);

/* order_snapshot.c */
void order_sink_init(struct krg_order_sink *sink);
void order_sink_free(struct krg_order_sink *sink);
u32 order_take(struct order *r);
const struct order_chunk *order_chunk_at(const struct krg_order_sink *sink, u64 offset);
int order_restore(struct order *r, struct krg_order_shared *shared, u32 *machines);

#endif
