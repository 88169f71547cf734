/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Typed requests between the nodes of a session.
 *
 * All state hangs off a network namespace: one namespace is one node, so many
 * nodes can run in one kernel. The life of a node:
 *
 *   krg_rpc_set_key()		the session's key; without it nothing starts
 *   krg_rpc_node_setup()	who we are; listens
 *   krg_rpc_peer_add()		for each other node as it becomes known; connects
 *   krg_rpc_call(), _send(), _multicast_call()
 *   krg_rpc_peer_del()		its calls end with -EHOSTDOWN
 *   krg_rpc_node_shutdown()
 *
 * Two lanes lead to each peer, each its own connection: control for what is
 * short and urgent, bulk for what is long; they never wait for each other.
 *
 * Order: requests to services that may not block are handled one after the
 * other in the order they were sent on a lane. Those to services that may block
 * run side by side, in any order.
 *
 * A message is delivered at most once. If a connection breaks, calls waiting on
 * it end with -ECONNRESET (their fate is unknown), and unsent one-ways are lost.
 *
 * Posts are for protocols between nodes: krg_rpc_post() never waits, so a handler
 * may use it; posts from one node to another arrive once and in their order as
 * long as both know each other, however many connections break meanwhile; and a
 * post may carry a page that is copied once on either side.
 */
#ifndef KRG_RPC_H
#define KRG_RPC_H

#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <krg/types.h>

struct net;
struct page;

enum krg_rpc_lane {
	KRG_LANE_CONTROL,
	KRG_LANE_BULK,
	KRG_LANES,
};

#define KRG_RPC_PORT		2640
#define KRG_RPC_MAX_CONTROL	(64u << 10)	/* longest payload of a lane, bytes */
#define KRG_RPC_MAX_BULK	(1024u << 10)
#define KRG_RPC_KEY_MIN		16
#define KRG_RPC_KEY_MAX		64
#define KRG_RPC_MAC		32
#define KRG_RPC_FINGERPRINT	8

/* Service numbers, never reused. 0 is none. */
enum krg_rpc_service_id {
	KRG_SERVICE_ECHO	= 1,	/* krg_rpc itself: sends back what it gets */
	KRG_SERVICE_CLUSTER	= 0x10,	/* 0x10..0x1f krg_cluster */
	KRG_SERVICE_ORDER	= 0x11,	/* krg_cluster: replicated state machines */
	KRG_SERVICE_PROCFS	= 0x20,	/* 0x20..0x2f krg_procfs */
	KRG_SERVICE_PROC	= 0x30,	/* 0x30..0x3f krg_proc */
	KRG_SERVICE_KDDM	= 0x40,	/* 0x40..0x4f krg_kddm */
	KRG_SERVICE_SHM		= 0x50,	/* 0x50..0x5f krg_mm */
	KRG_SERVICE_NL		= 0x60,	/* 0x60..0x6f krg_nl */
	KRG_SERVICE_TEST	= 0xff00,	/* 0xff00.. test modules */
};

/* Flags of a service. */
#define KRG_RPC_MAY_BLOCK	0x1	/* may wait for the network, disk, users: own thread */
#define KRG_RPC_ANY_EPOCH	0x2	/* membership itself: served whatever the epoch */
#define KRG_RPC_POSTS		0x4	/* takes posts; with ANY_EPOCH and without MAY_BLOCK */

/* What a handler returns when it will answer later with krg_rpc_finish(). */
#define KRG_RPC_LATER		1

/**
 * struct krg_rpc_request - what a handler is given
 * @net: the node that was asked
 * @from: the node that asks
 * @epoch: membership epoch the request was sent in
 * @service: service number
 * @lane: lane it came by
 * @oneway: nobody waits for a reply
 * @data: @len bytes, aligned to 8; gone when the request is finished
 * @len: at most the service's max_request
 * @page: the page a post brought, or NULL; krg_rpc_take_page() to keep it
 * @deadline: jiffies after which nobody waits any more; 0 = no deadline
 */
struct krg_rpc_request {
	struct net *net;
	krg_node_t from;
	u32 epoch;
	u16 service;
	u8 lane;
	bool oneway;
	const void *data;
	u32 len;
	struct page *page;
	unsigned long deadline;
};

/**
 * struct krg_rpc_service - one kind of request
 * @id: number, the same on all nodes
 * @name: for logs
 * @max_request: longest request in bytes, a post's page not counted; longer ones end
 *	the connection
 * @max_reply: longest reply in bytes
 * @flags: KRG_RPC_MAY_BLOCK, KRG_RPC_ANY_EPOCH, KRG_RPC_POSTS
 * @handle: answers a request. Context: process; without KRG_RPC_MAY_BLOCK it
 *	holds up every message behind it: it may take a mutex or allocate, but
 *	not wait for another node, and not call krg_rpc_call(), _peer_del() or
 *	_node_shutdown(). With KRG_RPC_MAY_BLOCK it runs in a thread of its own; when
 *	the caller has left or is lost, its interruptible waits end with a signal.
 *	Return: 0 (an empty reply unless krg_rpc_reply() was called), -errno (the
 *	call's status), or KRG_RPC_LATER. A post: -EPROTO drops the connection it came by.
 * @owner: THIS_MODULE
 */
struct krg_rpc_service {
	u16 id;
	const char *name;
	u32 max_request;
	u32 max_reply;
	unsigned int flags;
	int (*handle)(struct krg_rpc_request *req);
	struct module *owner;
};

int krg_rpc_register(const struct krg_rpc_service *svc);
void krg_rpc_unregister(const struct krg_rpc_service *svc);
int krg_rpc_reply(struct krg_rpc_request *req, const void *data, u32 len);
void krg_rpc_finish(struct krg_rpc_request *req, int status);
bool krg_rpc_cancelled(const struct krg_rpc_request *req);
struct page *krg_rpc_take_page(struct krg_rpc_request *req);

/**
 * struct krg_rpc_reply - the outcome of a call that was answered
 * @status: what the handler returned: 0 or -errno
 * @len: bytes at @data
 * @data: the reply, aligned to 8; until krg_rpc_reply_free()
 * @priv: for krg_rpc
 */
struct krg_rpc_reply {
	int status;
	u32 len;
	const void *data;
	void *priv;
};

#define KRG_RPC_TIMEOUT_MS	10000		/* when opts say nothing */
#define KRG_RPC_FOREVER		U32_MAX		/* until answered or the peer is removed */

/**
 * struct krg_rpc_opts - how to call; NULL or zeroes = control lane, 10 s, uninterruptible
 * @lane: enum krg_rpc_lane
 * @interruptible: signals end the waiting with -EINTR (the far side is told)
 * @timeout_ms: deadline; 0 = KRG_RPC_TIMEOUT_MS, or KRG_RPC_FOREVER
 */
struct krg_rpc_opts {
	enum krg_rpc_lane lane;
	bool interruptible;
	u32 timeout_ms;
};

int krg_rpc_call(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		 struct krg_rpc_reply *rep, const struct krg_rpc_opts *opts);
void krg_rpc_reply_free(struct krg_rpc_reply *rep);
int krg_rpc_send(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		 const struct krg_rpc_opts *opts);
int krg_rpc_post(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		 struct page *page);
int krg_rpc_post_more(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		      struct page *page);
void krg_rpc_push(struct net *net, krg_node_t to);

/**
 * krg_rpc_result_fn - told the outcome of a multicast call on one node
 * @node: which
 * @err: transport error, see krg_rpc_call(); then @rep is NULL
 * @rep: the node's reply, freed after return
 * @data: from the caller
 */
typedef void krg_rpc_result_fn(krg_node_t node, int err, const struct krg_rpc_reply *rep,
			       void *data);

int krg_rpc_multicast_call(struct net *net, const struct krg_nodemask *to, u16 service,
			   const void *data, u32 len, krg_rpc_result_fn *result,
			   void *result_data, const struct krg_rpc_opts *opts);
int krg_rpc_multicast_send(struct net *net, const struct krg_nodemask *to, u16 service,
			   const void *data, u32 len, const struct krg_rpc_opts *opts);

/**
 * struct krg_rpc_node_config - who this namespace is
 * @self: node id
 * @session: session id
 * @transport: "tcp"
 * @addr: IPv4 or IPv6 address to bind; port 0 = KRG_RPC_PORT
 */
struct krg_rpc_node_config {
	krg_node_t self;
	u8 session;
	const char *transport;
	struct sockaddr_storage addr;
};

int krg_rpc_node_setup(struct net *net, const struct krg_rpc_node_config *cfg);
void krg_rpc_node_shutdown(struct net *net);
u64 krg_rpc_incarnation(struct net *net);
int krg_rpc_peer_add(struct net *net, krg_node_t node, const struct sockaddr_storage *addr,
		     u64 incarnation);
int krg_rpc_peer_del(struct net *net, krg_node_t node);
bool krg_rpc_peer_is_up(struct net *net, krg_node_t node);
void krg_rpc_set_epoch(struct net *net, u32 epoch);

/* Peer events. Both lanes stand; one of them broke (it is redialled). */
enum krg_rpc_event {
	KRG_RPC_PEER_UP = 1,
	KRG_RPC_PEER_DOWN,
};

struct krg_rpc_peer_event {
	struct net *net;
	krg_node_t node;
};

int krg_rpc_notifier_register(struct notifier_block *nb);
void krg_rpc_notifier_unregister(struct notifier_block *nb);

int krg_rpc_set_key(struct net *net, const void *key, u32 len);
bool krg_rpc_has_key(struct net *net);
int krg_rpc_veil(struct net *net, const u8 mac[KRG_RPC_MAC], void *data, u32 len);
int krg_rpc_key_is(struct net *net, const void *key, u32 len);
int krg_rpc_fingerprint(struct net *net, u8 out[KRG_RPC_FINGERPRINT]);
int krg_rpc_mac(struct net *net, const char *domain, const void *data, u32 len,
		u8 mac[KRG_RPC_MAC]);

/**
 * struct krg_rpc_counters - what happened on one lane of one peer since it was added
 * @tx_frames: frames sent
 * @rx_frames: frames received
 * @tx_bytes: bytes sent, headers included
 * @rx_bytes: bytes received, headers included
 * @calls: calls made
 * @served: requests and one-ways handled
 * @timeouts: calls that ended by their deadline
 * @cancelled: calls left by their caller
 * @late: replies nobody waited for any more
 * @stale: messages of another epoch refused
 * @lost: messages dropped because the connection broke
 * @garbage: connections dropped for what the peer sent
 * @connects: connections made
 * @stalls: times a sender had to wait for room
 * @queued: bytes waiting to be sent now
 * @in_flight: charged bytes the peer has not dealt with yet, now
 */
struct krg_rpc_counters {
	u64 tx_frames;
	u64 rx_frames;
	u64 tx_bytes;
	u64 rx_bytes;
	u64 calls;
	u64 served;
	u64 timeouts;
	u64 cancelled;
	u64 late;
	u64 stale;
	u64 lost;
	u64 garbage;
	u64 connects;
	u64 stalls;
	u64 queued;
	u64 in_flight;
};

int krg_rpc_counters(struct net *net, krg_node_t node, enum krg_rpc_lane lane,
		     struct krg_rpc_counters *out);

#endif
