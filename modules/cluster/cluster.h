/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel part of membership: it gives time, beacons and messages to the
 * pure code in core/ and does what that says.
 *
 * Lock order:
 *
 *   cluster_list_lock
 *     rtnl			configure only
 *     cluster.op_lock		one operation of users at a time
 *       cluster.lock		everything below that is not said otherwise
 *
 * Under cluster.lock nothing waits for the network or for other modules: what
 * might (krg_rpc, the notifier chain) is queued, to `outbox` and `notes`, and
 * done by a work item each, in order. So beacons go out whatever these do.
 */
#ifndef KRG_CLUSTER_PRIV_H
#define KRG_CLUSTER_PRIV_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <krg/cluster.h>
#include <krg/rpc.h>
#include "core/membership.h"

struct socket;

/* Something to ask of krg_rpc. */
enum cluster_out_type {
	CLUSTER_OUT_SEND,
	CLUSTER_OUT_PEER_ADD,
	CLUSTER_OUT_PEER_DEL,
	CLUSTER_OUT_RESET,
};

struct cluster_out_item {
	struct list_head link;
	enum cluster_out_type type;
	krg_node_t node;
	u64 incarnation;
	struct krg_node_addr addr;
	u32 len;
	u64 data[];
};

/* Something to tell the notifier chain. */
struct cluster_note {
	struct list_head link;
	unsigned long event;
	krg_node_t node;
	u32 epoch;
	u32 after;			/* told when the outbox has done as many items */
	unsigned int then;		/* what the machine does after it, KRG_FLAGS_END */
	struct krg_cluster_view *view;
};

/* One node: a namespace that was configured. */
struct cluster {
	struct net *net;
	struct list_head link;		/* cluster_list_lock */
	struct krg_cluster_config cfg;	/* constant once @configured */
	__be32 ip;
	__be32 broadcast;
	struct socket *sock;
	bool configured;		/* read by cluster_configured() */

	struct mutex lock;		/* see above */
	bool running;			/* has the key, krg_rpc is set up */
	bool begun;			/* @m was initialised once */
	bool stopping;			/* no new work */
	int begin_error;		/* said already */
	struct krg_membership *m;
	struct krg_out *out;
	struct krg_beacon *beacon;	/* scratch */
	struct krg_view *view;		/* scratch */
	u64 *wire;			/* scratch, KRG_MSG_BYTES_MAX */
	struct list_head outbox;
	u32 out_queued;			/* items so far, modulo 2^32 */
	u32 out_done;			/* of them done; read by note_work without lock */
	struct list_head notes;
	unsigned int leave_holds;	/* who still gives back what it holds of others */
	unsigned int then;		/* what the machine does once it has left, KRG_FLAGS_END */

	/* Copies for readers that take no lock; written under lock. */
	u32 epoch;
	bool up;
	bool quorate;
	unsigned int flags;
	int op_status;
	u8 state[KRG_MAX_NODES];
	u64 lease_until[KRG_MAX_NODES];
	wait_queue_head_t wait;		/* woken when they change */

	struct mutex op_lock;		/* held while a user waits for his operation */
	struct delayed_work tick;
	struct work_struct rx_work;
	struct work_struct out_work;
	struct work_struct note_work;
	u64 *rx_wire;			/* rx_work's own, KRG_BEACON_BYTES_MAX */
};

extern struct workqueue_struct *cluster_wq;
extern struct workqueue_struct *cluster_slow_wq;
extern struct mutex cluster_list_lock;
extern struct list_head cluster_list;

/* main.c */
struct cluster *cluster_of(struct net *net);

static inline bool cluster_configured(const struct cluster *c)
{
	/* Pairs with configure(). */
	return smp_load_acquire(&c->configured);
}

/* node.c: the life of a node, and what happens to it */
u64 cluster_now(void);
int cluster_begin(struct cluster *c);
void cluster_start(struct cluster *c);
void cluster_end(struct cluster *c);
void cluster_event(struct cluster *c, struct krg_event *ev);
int cluster_rpc_handle(struct krg_rpc_request *req);
void cluster_tick_work(struct work_struct *work);

/* act.c: doing what the pure code says */
void cluster_perform(struct cluster *c);
void cluster_out_work(struct work_struct *work);
void cluster_note_work(struct work_struct *work);
void cluster_drop_queues(struct cluster *c);
void cluster_sockaddr(struct krg_node_addr addr, struct sockaddr_storage *out);
int cluster_call_chain(unsigned long event, struct krg_cluster_event *data);

/* udp.c: beacons */
int cluster_udp_open(struct cluster *c, int ifindex);
void cluster_udp_close(struct cluster *c);
void cluster_udp_beacon(struct cluster *c);
void cluster_rx_work(struct work_struct *work);

/* configure.c */
int cluster_config_from_words(struct krg_cluster_config *cfg);
void cluster_free(struct cluster *c);

/* operate.c */
void cluster_leave_all(void);

/* sysfs.c */
int cluster_sysfs_add(void);
void cluster_sysfs_del(void);

#endif
