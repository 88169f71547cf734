// SPDX-License-Identifier: GPL-2.0-only
/* A proved connection: its socket's callbacks, its beginning and its end. */
#define pr_fmt(fmt) "krg_rpc_tcp: " fmt

#include <linux/slab.h>
#include <net/tcp.h>
#include "tcp.h"

static void link_data_ready(struct sock *sk)
{
	struct tcp_link *link;

	read_lock_bh(&sk->sk_callback_lock);
	link = sk->sk_user_data;
	if (link)
		rtcp_receive_ready(link);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void link_write_space(struct sock *sk)
{
	struct tcp_link *link;

	read_lock_bh(&sk->sk_callback_lock);
	link = sk->sk_user_data;
	if (link && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &link->sock->flags);
		queue_work(tcp_wq, &link->tx_work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

static void link_state_change(struct sock *sk)
{
	struct tcp_link *link;

	read_lock_bh(&sk->sk_callback_lock);
	link = sk->sk_user_data;
	if (link && sk->sk_state != TCP_ESTABLISHED)
		rtcp_link_fail(link);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void link_drop_work(struct work_struct *work)
{
	struct tcp_link *link = container_of(work, struct tcp_link, drop_work);

	rtcp_lane_detach(link->tl, link);
	rtcp_link_put(link);
}

/* The connection is of no use any more. Context: any but hard interrupt. */
void rtcp_link_fail(struct tcp_link *link)
{
	kref_get(&link->ref);
	if (!queue_work(tcp_wq, &link->drop_work))
		rtcp_link_put(link);
}

/* Takes @sock over only with rtcp_link_start(). */
struct tcp_link *rtcp_link_create(struct tcp_lane *tl, struct socket *sock,
				  const struct tcp_proof *proof)
{
	struct tcp_link *link = kzalloc(sizeof(*link), GFP_KERNEL);

	if (!link)
		return NULL;
	kref_init(&link->ref);
	link->tl = tl;
	link->lane = tl->lane;
	krg_rpc_lane_get(link->lane);
	link->sock = sock;
	link->state = KRG_CONN_PROVING;
	krg_frame_key_init(&link->key_tx, proof->key_tx);
	krg_frame_key_init(&link->key_rx, proof->key_rx);
	INIT_WORK(&link->rx_work, rtcp_receive_work);
	INIT_WORK(&link->tx_work, rtcp_send_work);
	INIT_WORK(&link->drop_work, link_drop_work);
	mutex_init(&link->tx_lock);
	return link;
}

static void link_release(struct kref *ref)
{
	struct tcp_link *link = container_of(ref, struct tcp_link, ref);

	krg_rpc_lane_put(link->lane);
	memzero_explicit(&link->key_tx, sizeof(link->key_tx));
	memzero_explicit(&link->key_rx, sizeof(link->key_rx));
	kfree_rcu(link, rcu);
}

void rtcp_link_put(struct tcp_link *link)
{
	kref_put(&link->ref, link_release);
}

void rtcp_link_start(struct tcp_link *link)
{
	struct sock *sk = link->sock->sk;

	/* What the handshake waited with must not end a link's sends. */
	sk->sk_sndtimeo = MAX_SCHEDULE_TIMEOUT;
	sk->sk_rcvtimeo = MAX_SCHEDULE_TIMEOUT;
	write_lock_bh(&sk->sk_callback_lock);
	link->old_data_ready = sk->sk_data_ready;
	link->old_state_change = sk->sk_state_change;
	link->old_write_space = sk->sk_write_space;
	sk->sk_user_data = link;
	sk->sk_data_ready = link_data_ready;
	sk->sk_state_change = link_state_change;
	sk->sk_write_space = link_write_space;
	write_unlock_bh(&sk->sk_callback_lock);
	/* What came, or broke, before the callbacks were there. */
	queue_work(tcp_wq, &link->rx_work);
	if (sk->sk_state != TCP_ESTABLISHED)
		rtcp_link_fail(link);
}

/*
 * The end, under tcp_lane.lock, once. Who may still be inside: soft interrupts
 * (they hold the callback lock for reading), rx_work and tx_work (cancelled),
 * senders (they hold tx_lock, and find it closed afterwards).
 */
void rtcp_link_stop(struct tcp_link *link)
{
	struct sock *sk = link->sock->sk;

	lockdep_assert_held(&link->tl->lock);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = link->old_data_ready;
	sk->sk_state_change = link->old_state_change;
	sk->sk_write_space = link->old_write_space;
	write_unlock_bh(&sk->sk_callback_lock);
	krg_conn_move(&link->state, KRG_CONN_CLOSED);
	kernel_sock_shutdown(link->sock, SHUT_RDWR);
	mutex_lock(&link->tx_lock);
	link->tx_closed = true;
	if (link->tx_out)
		krg_rpc_tx_done(link->lane, link->tx_out, false);
	link->tx_out = NULL;
	mutex_unlock(&link->tx_lock);
	cancel_work_sync(&link->tx_work);
	cancel_work_sync(&link->rx_work);
	krg_rpc_rx_free(link->rx.in);
	link->rx.in = NULL;
	krg_rpc_lane_down(link->lane);
	sock_release(link->sock);
	link->sock = NULL;
	rtcp_link_put(link);
}
