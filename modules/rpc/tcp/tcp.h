/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside krg_rpc_tcp.
 *
 *   tcp_node   listener and the connections that have not proved themselves yet
 *   tcp_lane   one peer, one lane, as long as the peer is known; dials if it is
 *              the lower id; holds at most one
 *   tcp_link   a proved connection
 *
 * Who runs where. A link's receiving half runs under its socket's lock: on the
 * control lane right in the soft interrupt that brings the data, so that a reply
 * wakes its caller with no thread in between; on the bulk lane, and while a lot comes
 * at once, in rx_work. Its sending half runs under tx_lock in whichever thread has
 * something to send.
 *
 * Lock order: tcp_lane.lock > tcp_link.tx_lock > socket lock > lane locks of krg_rpc.
 */
#ifndef KRG_RPC_TCP_H
#define KRG_RPC_TCP_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/sock.h>
#include <krg/rpc_transport.h>

struct tcp_node {
	struct krg_rpc_node *node;
	struct socket *listener;
	void (*old_data_ready)(struct sock *sk);
	struct work_struct accept_work;
	struct mutex lock;		/* the strangers */
	struct list_head strangers;	/* lock: oldest first */
	u32 nr_strangers;		/* lock */
	refcount_t users;		/* strangers, and the node itself */
	struct completion unused;
};

struct tcp_lane {
	struct krg_rpc_lane_state *lane;
	struct mutex lock;		/* the connection */
	bool closing;			/* lock */
	struct socket *dialing;		/* lock: to be shut down by closing */
	struct tcp_link __rcu *link;	/* lock */
	struct delayed_work dial;
	unsigned int backoff_ms;	/* dial, and lock when it is not running */
};

struct tcp_rx {				/* socket lock */
	u8 header[KRG_FRAME_HEADER];
	u32 header_got;
	u32 body_got;
	u32 page_got;
	struct krg_frame frame;
	struct krg_rpc_in *in;
	u64 seq;
	bool failed;
};

struct tcp_link {
	struct kref ref;
	struct rcu_head rcu;
	struct tcp_lane *tl;
	struct krg_rpc_lane_state *lane;
	struct socket *sock;
	enum krg_conn_state state;	/* tcp_lane.lock */
	struct krg_frame_key key_tx;
	struct krg_frame_key key_rx;
	void (*old_data_ready)(struct sock *sk);
	void (*old_state_change)(struct sock *sk);
	void (*old_write_space)(struct sock *sk);
	struct work_struct rx_work;
	struct work_struct tx_work;
	struct work_struct drop_work;	/* holds the link */
	struct mutex tx_lock;
	struct krg_rpc_out *tx_out;	/* tx_lock: half sent */
	u32 tx_off;			/* tx_lock */
	u64 tx_seq;			/* tx_lock */
	bool tx_closed;			/* tx_lock */
	struct tcp_rx rx;
};

/* What a handshake leaves behind. */
struct tcp_proof {
	struct krg_rpc_lane_state *lane;
	u8 key_tx[KRG_MAC_KEY];
	u8 key_rx[KRG_MAC_KEY];
};

extern struct workqueue_struct *tcp_wq;		/* links, dialing */
extern struct workqueue_struct *tcp_prove_wq;	/* strangers */

/* lane.c */
int rtcp_lane_open(struct krg_rpc_lane_state *lane);
void rtcp_lane_close(struct krg_rpc_lane_state *lane);
void rtcp_lane_release(struct krg_rpc_lane_state *lane);
void rtcp_lane_kick(struct krg_rpc_lane_state *lane);
void rtcp_lane_drop(struct krg_rpc_lane_state *lane);
int rtcp_lane_attach(struct tcp_lane *tl, struct socket *sock, const struct tcp_proof *proof);
void rtcp_lane_detach(struct tcp_lane *tl, struct tcp_link *link);

/* link.c */
struct tcp_link *rtcp_link_create(struct tcp_lane *tl, struct socket *sock,
				  const struct tcp_proof *proof);
void rtcp_link_start(struct tcp_link *link);
void rtcp_link_stop(struct tcp_link *link);
void rtcp_link_fail(struct tcp_link *link);
void rtcp_link_put(struct tcp_link *link);

/* send.c */
void rtcp_link_push(struct tcp_link *link);
void rtcp_send_work(struct work_struct *work);

/* receive.c */
void rtcp_receive_ready(struct tcp_link *link);
void rtcp_receive_work(struct work_struct *work);

/* prove.c */
int rtcp_prove_initiator(struct socket *sock, struct krg_rpc_lane_state *lane,
			 struct tcp_proof *proof);
int rtcp_prove_responder(struct socket *sock, struct krg_rpc_node *node,
			 struct tcp_proof *proof);

/* main.c */
struct socket *rtcp_socket(struct krg_rpc_node *node);
void rtcp_socket_tune(struct socket *sock);
int rtcp_address(const struct sockaddr_storage *addr, bool any_port, struct sockaddr_storage *out);

#endif
