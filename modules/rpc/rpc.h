/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside krg_rpc. What lives where, and who holds whom:
 *
 *   rpc_net (per namespace) -> krg_rpc_node -> rpc_peer (one a node id, self
 *   included) -> lanes[2] -> calls waiting, frames to send, requests arrived
 *
 * A peer is found under RCU and held by its kref; it holds its node. Every call,
 * every request being served and every connection holds the peer.
 *
 * Lock order:
 *
 *   rpc_net.lock			mutex: set up, shut down, add and remove peers
 *     transport's own locks
 *       krg_rpc_node.park_lock		_bh: parked requests, writing the epoch
 *         lane.lock			_bh: everything in the lane
 *           pool.lock			_bh
 *
 * Lanes are touched from soft interrupts (a reply completes its call there).
 */
#ifndef KRG_RPC_PRIVATE_H
#define KRG_RPC_PRIVATE_H

#include <linux/completion.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <krg/rpc.h>
#include <krg/rpc_transport.h>

/* Bytes a sender may have waiting in a lane before it waits itself. */
#define RPC_QUEUE_CONTROL	(1024u << 10)
#define RPC_QUEUE_BULK		(4u << 20)
/* Charged bytes a peer may have unserved, and what a message costs beyond its length. */
#define RPC_WINDOW_CONTROL	(512u << 10)
#define RPC_WINDOW_BULK		(8u << 20)
#define RPC_CHARGE_BASE		1024u
/*
 * Replies are never held back, and what is not charged is always taken: a peer that
 * asks and asks and never reads, or never waits, is dropped here.
 */
#define RPC_QUEUE_HARD		(64u << 20)
/* Requests of a later epoch kept until ours comes. */
#define RPC_PARKED_MAX		4096u

struct rpc_pool {
	spinlock_t lock;		/* the queues */
	struct list_head pending;	/* lock: requests */
	struct list_head idle;		/* lock: rpc_worker.link */
	u32 nr_pending;			/* lock */
	u32 nr_coming;			/* lock: threads started or woken, not yet at work */
	bool stopping;			/* lock */
	struct work_struct spawn;
	u32 nr_threads;			/* spawn; those exited and not counted included */
	struct completion exited;
};

struct krg_rpc_node {
	struct kref ref;
	struct rcu_head rcu;
	struct net *net;
	struct krg_rpc_node_config cfg;
	const struct krg_rpc_transport *transport;
	void *transport_priv;
	u64 incarnation;
	u32 epoch;			/* written under park_lock */
	atomic64_t next_call;
	struct xarray peers;		/* written under rpc_net.lock */
	spinlock_t park_lock;
	struct list_head parked;	/* park_lock */
	u32 nr_parked;			/* park_lock */
	struct rpc_pool pool;
};

struct krg_rpc_lane_state {
	struct rpc_peer *peer;
	u8 id;
	const struct krg_rpc_transport *transport;
	void *priv;			/* the transport's */
	struct work_struct inbox_work;
	struct delayed_work ack_work;
	struct wait_queue_head room;	/* senders waiting for room in queue or window */

	spinlock_t lock;		/* all below */
	bool dead;			/* the peer was removed */
	bool up;
	u32 gen;			/* connections so far */
	struct list_head txq;
	u32 tx_queued;			/* bytes in txq and in the transport's hand */
	bool flooded;			/* too many: the connection is being dropped */
	u32 tx_charged;			/* charged so far on this connection, modulo 2^32 */
	u32 tx_credited;		/* of these dealt with, says the peer */
	u32 rx_charged;			/* the same for the other direction */
	u32 rx_done;
	u32 rx_told;			/* rx_done as last sent */
	u32 rx_unserved;		/* not charged, not finished; of any connection */
	DECLARE_HASHTABLE(calls, 6);
	u32 post_stream;		/* ours; one for each life of the lane */
	u32 post_next;			/* number of our next post */
	u32 post_acked;			/* the peer has all before this one */
	struct list_head posted;	/* sent at least once, not acknowledged, in order */
	u32 post_from;			/* the peer's stream */
	u32 post_want;			/* number of its next post */
	u32 post_told;			/* post_want as last told */
	struct list_head inbox;		/* requests to run in inbox_work */
	struct list_head serving;	/* requests arrived and not finished */
	struct krg_rpc_counters count;
};

struct rpc_peer {
	struct kref ref;
	struct rcu_head rcu;
	struct krg_rpc_node *node;
	krg_node_t id;
	u64 incarnation;
	struct sockaddr_storage addr;
	struct work_struct event_work;
	bool told_up;			/* event_work only */
	struct krg_rpc_lane_state lanes[KRG_LANES];
};

struct rpc_net {
	struct net *net;
	struct mutex lock;		/* node, its peers, key */
	struct krg_rpc_node __rcu *node;	/* lock */
	struct rpc_key __rcu *key;		/* lock */
};

struct rpc_service {
	const struct krg_rpc_service *svc;
	refcount_t ref;
	struct completion idle;
	struct rcu_head rcu;
};

/* A frame that arrived. The runner and the finisher of a request each hold it. */
struct krg_rpc_in {
	struct list_head link;		/* in inbox, parked or pool.pending */
	struct list_head serving;	/* lane.serving */
	refcount_t ref;
	struct krg_rpc_request req;
	struct krg_frame frame;
	struct krg_rpc_lane_state *lane;
	struct rpc_service *svc;
	struct task_struct *task;	/* lane.lock: pool thread in the handler */
	u32 gen;			/* connection it came by */
	int refused;			/* no handler shall run: why */
	bool cancelled;			/* lane.lock */
	bool replied;
	struct page *page;
	u8 data[] __aligned(8);
};

struct rpc_call {
	struct hlist_node link;		/* lane.calls; unhashed = has its outcome */
	struct krg_rpc_lane_state *lane;
	u64 id;
	u32 epoch;
	u32 max_reply;
	int err;
	struct krg_rpc_in *reply;
	struct completion done;
};

extern struct workqueue_struct *rpc_rx_wq;	/* inboxes: high priority */
extern struct workqueue_struct *rpc_event_wq;	/* peer events: ordered */
extern const struct krg_rpc_transport rpc_loop;

/* main.c */
struct rpc_net *rpc_net(const struct net *net);

/* node.c */
void rpc_node_put(struct krg_rpc_node *node);
void rpc_node_shutdown(struct rpc_net *rn);
const struct krg_rpc_transport *rpc_transport_get(const char *name);

/* peer.c */
struct rpc_peer *rpc_peer_create(struct krg_rpc_node *node, krg_node_t id,
				 const struct sockaddr_storage *addr, u64 incarnation,
				 const struct krg_rpc_transport *transport);
void rpc_peer_remove(struct rpc_peer *peer);
struct rpc_peer *rpc_peer_find(struct krg_rpc_node *node, krg_node_t id);
struct krg_rpc_lane_state *rpc_lane_lookup(struct net *net, krg_node_t id, u8 lane);
void rpc_peer_events(struct rpc_peer *peer);

/* service.c */
int rpc_service_init(void);
void rpc_service_exit(void);
struct rpc_service *rpc_service_get(u16 id);
void rpc_service_put(struct rpc_service *service);
bool rpc_service_limits(u16 id, u32 *max_request, u32 *max_reply, unsigned int *flags);

/* lane.c */
void rpc_lane_init(struct krg_rpc_lane_state *lane, struct rpc_peer *peer, u8 id,
		   const struct krg_rpc_transport *transport);
struct krg_rpc_out *rpc_out_alloc(const struct krg_frame *frame, const void *data, gfp_t gfp);
u32 rpc_out_bytes(const struct krg_rpc_out *out);
void rpc_lane_append(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out);
void rpc_out_free(struct krg_rpc_out *out);
int rpc_lane_queue(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out,
		   struct rpc_call *call);
int rpc_lane_queue_wait(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out,
			struct rpc_call *call, long *left, bool interruptible);
void rpc_lane_queue_reply(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out, u32 gen);
void rpc_lane_kick(struct krg_rpc_lane_state *lane);
void rpc_lane_end(struct krg_rpc_lane_state *lane, int err, bool dead);
u32 rpc_lane_window(const struct krg_rpc_lane_state *lane);
u32 rpc_charge(u32 len);

/* call.c */
void rpc_call_end(struct rpc_call *call, int err, struct krg_rpc_in *reply);
void rpc_call_reply(struct krg_rpc_lane_state *lane, struct krg_rpc_in *in);
u32 rpc_call_max_reply(struct krg_rpc_lane_state *lane, u64 id, u32 otherwise);
int rpc_call_start(struct krg_rpc_node *node, struct krg_rpc_lane_state *lane,
		   struct rpc_call *call, u16 service, const void *data, u32 len,
		   const struct krg_rpc_opts *opts, long *left, bool wait);
int rpc_call_wait(struct rpc_call *call, struct krg_rpc_reply *rep, long *left,
		  bool interruptible);
long rpc_opts_timeout(const struct krg_rpc_opts *opts);

/* serve.c */
int rpc_serve_arrived(struct krg_rpc_in *in, const char **why);
void rpc_serve_cancel(struct krg_rpc_lane_state *lane, u64 call);
void rpc_serve_cancel_all(struct krg_rpc_lane_state *lane);
void rpc_serve_inbox(struct work_struct *work);
void rpc_serve_run(struct krg_rpc_in *in);
void rpc_serve_drop_parked(struct krg_rpc_lane_state *lane);
void rpc_in_put(struct krg_rpc_in *in);
extern const struct krg_rpc_service rpc_echo;

/* pool.c */
void rpc_pool_init(struct rpc_pool *pool);
void rpc_pool_stop(struct rpc_pool *pool);
void rpc_pool_submit(struct rpc_pool *pool, struct krg_rpc_in *in);

/* post.c */
void rpc_post_init(struct krg_rpc_lane_state *lane);
void rpc_post_end(struct krg_rpc_lane_state *lane);
int rpc_post_arrived(struct krg_rpc_in *in, const char **why);
int rpc_post_acked(struct krg_rpc_lane_state *lane, u64 call, const char **why);
bool rpc_post_keep(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out);
void rpc_post_down(struct krg_rpc_lane_state *lane, struct list_head *txq);
void rpc_post_up(struct krg_rpc_lane_state *lane);

/* key.c */
void rpc_key_drop(struct rpc_net *rn);

#endif
