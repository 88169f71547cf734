// SPDX-License-Identifier: GPL-2.0-only
/* A lane over TCP: dialing, and the one connection it holds. */
#define pr_fmt(fmt) "krg_rpc_tcp: " fmt

#include <linux/slab.h>
#include <net/tcp.h>
#include "tcp.h"

#define DIAL_SECONDS	5
#define DIAL_FIRST_MS	10
#define DIAL_LAST_MS	1000

static bool lane_dials(const struct tcp_lane *tl)
{
	const struct krg_rpc_node *node = krg_rpc_lane_node(tl->lane);

	return krg_rpc_node_config(node)->self < krg_rpc_lane_peer(tl->lane);
}

/* Makes the socket known, so that closing the lane can end a connect that hangs. */
static int dial_publish(struct tcp_lane *tl, struct socket *sock)
{
	int err = 0;

	mutex_lock(&tl->lock);
	if (tl->closing)
		err = -ESHUTDOWN;
	else
		tl->dialing = sock;
	mutex_unlock(&tl->lock);
	return err;
}

static int dial_connect(struct tcp_lane *tl, struct socket *sock)
{
	struct krg_rpc_node *node = krg_rpc_lane_node(tl->lane);
	struct sockaddr_storage addr;
	int err, len;

	/* From our own address: the peer knows us by it. */
	len = rtcp_address(&krg_rpc_node_config(node)->addr, true, &addr);
	err = kernel_bind(sock, (struct sockaddr *)&addr, len);
	if (err)
		return err;
	rtcp_socket_tune(sock);
	sock_set_sndtimeo(sock->sk, DIAL_SECONDS);
	len = rtcp_address(krg_rpc_lane_addr(tl->lane), false, &addr);
	return kernel_connect(sock, (struct sockaddr *)&addr, len, 0);
}

static int dial_once(struct tcp_lane *tl)
{
	struct tcp_proof proof = { };
	struct socket *sock;
	int err;

	sock = rtcp_socket(krg_rpc_lane_node(tl->lane));
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	err = dial_publish(tl, sock);
	if (!err)
		err = dial_connect(tl, sock);
	if (!err)
		err = rtcp_prove_initiator(sock, tl->lane, &proof);
	mutex_lock(&tl->lock);
	tl->dialing = NULL;
	mutex_unlock(&tl->lock);
	if (!err)
		err = rtcp_lane_attach(tl, sock, &proof);
	if (err)
		sock_release(sock);
	memzero_explicit(&proof, sizeof(proof));
	return err;
}

static void lane_dial(struct work_struct *work)
{
	struct tcp_lane *tl = container_of(to_delayed_work(work), struct tcp_lane, dial);
	int err = dial_once(tl);

	if (err == -EACCES)
		pr_warn_ratelimited("node %d: peer %d at %pISpc does not hold the session's key\n",
				    krg_rpc_node_config(krg_rpc_lane_node(tl->lane))->self,
				    krg_rpc_lane_peer(tl->lane), krg_rpc_lane_addr(tl->lane));
	mutex_lock(&tl->lock);
	if (err && !tl->closing) {
		queue_delayed_work(tcp_wq, &tl->dial, msecs_to_jiffies(tl->backoff_ms));
		tl->backoff_ms = min(2 * tl->backoff_ms, (unsigned int)DIAL_LAST_MS);
	}
	mutex_unlock(&tl->lock);
}

int rtcp_lane_open(struct krg_rpc_lane_state *lane)
{
	struct tcp_lane *tl = kzalloc(sizeof(*tl), GFP_KERNEL);

	if (!tl)
		return -ENOMEM;
	tl->lane = lane;
	mutex_init(&tl->lock);
	INIT_DELAYED_WORK(&tl->dial, lane_dial);
	tl->backoff_ms = DIAL_FIRST_MS;
	krg_rpc_lane_set_priv(lane, tl);
	if (lane_dials(tl))
		queue_delayed_work(tcp_wq, &tl->dial, 0);
	return 0;
}

static struct tcp_link *lane_take_link(struct tcp_lane *tl)
{
	return rcu_replace_pointer(tl->link, NULL, lockdep_is_held(&tl->lock));
}

void rtcp_lane_close(struct krg_rpc_lane_state *lane)
{
	struct tcp_lane *tl = krg_rpc_lane_priv(lane);
	struct tcp_link *link;

	mutex_lock(&tl->lock);
	tl->closing = true;
	if (tl->dialing)
		kernel_sock_shutdown(tl->dialing, SHUT_RDWR);
	link = lane_take_link(tl);
	if (link)
		rtcp_link_stop(link);
	mutex_unlock(&tl->lock);
	cancel_delayed_work_sync(&tl->dial);
}

void rtcp_lane_release(struct krg_rpc_lane_state *lane)
{
	kfree(krg_rpc_lane_priv(lane));
}

/*
 * A proved connection takes the lane over. Only the lower id dials, and a proof
 * is never old: if there is a connection already, its other end has given it up.
 * On success the socket is the lane's.
 */
int rtcp_lane_attach(struct tcp_lane *tl, struct socket *sock, const struct tcp_proof *proof)
{
	struct tcp_link *link = rtcp_link_create(tl, sock, proof), *old;

	if (!link)
		return -ENOMEM;
	mutex_lock(&tl->lock);
	if (tl->closing) {
		mutex_unlock(&tl->lock);
		link->sock = NULL;
		rtcp_link_put(link);
		return -ESHUTDOWN;
	}
	old = lane_take_link(tl);
	if (old)
		rtcp_link_stop(old);
	tl->backoff_ms = DIAL_FIRST_MS;
	krg_conn_move(&link->state, KRG_CONN_UP);
	krg_rpc_lane_up(tl->lane);
	rcu_assign_pointer(tl->link, link);
	rtcp_link_start(link);
	mutex_unlock(&tl->lock);
	rtcp_lane_kick(tl->lane);
	return 0;
}

/* @link broke: if it still is the lane's, the lane does without, and dials again. */
void rtcp_lane_detach(struct tcp_lane *tl, struct tcp_link *link)
{
	mutex_lock(&tl->lock);
	if (rcu_access_pointer(tl->link) == link) {
		rtcp_link_stop(lane_take_link(tl));
		if (!tl->closing && lane_dials(tl))
			queue_delayed_work(tcp_wq, &tl->dial, msecs_to_jiffies(tl->backoff_ms));
	}
	mutex_unlock(&tl->lock);
}

/* The lane's connection now, held; NULL: it has none. */
static struct tcp_link *lane_get_link(struct krg_rpc_lane_state *lane)
{
	struct tcp_lane *tl = krg_rpc_lane_priv(lane);
	struct tcp_link *link;

	rcu_read_lock();
	link = rcu_dereference(tl->link);
	if (link && !kref_get_unless_zero(&link->ref))
		link = NULL;
	rcu_read_unlock();
	return link;
}

void rtcp_lane_kick(struct krg_rpc_lane_state *lane)
{
	struct tcp_link *link = lane_get_link(lane);

	if (!link)
		return;
	rtcp_link_push(link);
	rtcp_link_put(link);
}

void rtcp_lane_drop(struct krg_rpc_lane_state *lane)
{
	struct tcp_link *link = lane_get_link(lane);

	if (!link)
		return;
	rtcp_link_fail(link);
	rtcp_link_put(link);
}
