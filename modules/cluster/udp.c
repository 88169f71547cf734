// SPDX-License-Identifier: GPL-2.0-only
/*
 * Beacons: broadcast on the node's interface, UDP port 2641, with a MAC. Who lacks the
 * session's key sees that there is a session, its number and how long its beacons are.
 */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/in.h>
#include <linux/net.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <crypto/algapi.h>
#include "cluster.h"
#include "core/wire.h"

#define BEACON_DOMAIN	"krg beacon"
#define RX_BATCH	64	/* datagrams before others get a turn */

static_assert(KRG_BEACON_MAC == KRG_RPC_MAC, "one MAC");

static void data_ready(struct sock *sk)
{
	struct cluster *c;

	read_lock_bh(&sk->sk_callback_lock);
	c = sk->sk_user_data;
	if (c)
		queue_work(cluster_wq, &c->rx_work);
	read_unlock_bh(&sk->sk_callback_lock);
}

/**
 * cluster_udp_open() - begin to listen for beacons
 * @c: node; its configuration is complete
 * @ifindex: the interface
 *
 * Return: 0 or what the network says: -EADDRINUSE another node uses the port.
 */
int cluster_udp_open(struct cluster *c, int ifindex)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(KRG_BEACON_PORT) };
	struct socket *sock;
	int err;

	err = sock_create_kern(c->net, PF_INET, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	err = sock_bindtoindex(sock->sk, ifindex, true);
	if (!err)
		err = kernel_bind(sock, (struct sockaddr *)&any, sizeof(any));
	if (err) {
		sock_release(sock);
		return err;
	}
	lock_sock(sock->sk);
	sock_set_flag(sock->sk, SOCK_BROADCAST);
	release_sock(sock->sk);
	c->sock = sock;
	write_lock_bh(&sock->sk->sk_callback_lock);
	sock->sk->sk_user_data = c;
	sock->sk->sk_data_ready = data_ready;
	write_unlock_bh(&sock->sk->sk_callback_lock);
	return 0;
}

void cluster_udp_close(struct cluster *c)
{
	struct sock *sk = c->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	cancel_work_sync(&c->rx_work);
	mutex_lock(&c->lock);
	sock_release(c->sock);
	c->sock = NULL;
	mutex_unlock(&c->lock);
}

/* What comes before the MAC at @len, but for its beginning. */
static int veil(const struct cluster *c, void *wire, u32 len)
{
	return krg_rpc_veil(c->net, wire + len, wire + KRG_BEACON_CLEAR, len - KRG_BEACON_CLEAR);
}

/**
 * cluster_udp_beacon() - broadcast how things stand
 * @c: node
 *
 * A beacon that cannot be sent now is one that got lost.
 *
 * Locks: @c->lock.
 */
void cluster_udp_beacon(struct cluster *c)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(KRG_BEACON_PORT),
		.sin_addr.s_addr = c->broadcast,
	};
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_flags = MSG_DONTWAIT,
	};
	struct kvec vec = { .iov_base = c->wire };
	int len;

	lockdep_assert_held(&c->lock);
	if (!c->sock)
		return;
	krg_membership_beacon(c->m, cluster_now(), c->beacon);
	len = krg_beacon_encode(c->beacon, c->wire, KRG_MSG_BYTES_MAX);
	if (WARN_ON_ONCE(len < 0) ||
	    krg_rpc_mac(c->net, BEACON_DOMAIN, c->wire, len, (u8 *)c->wire + len) ||
	    veil(c, c->wire, len))
		return;
	vec.iov_len = len + KRG_BEACON_MAC;
	kernel_sendmsg(c->sock, &msg, &vec, 1, vec.iov_len);
}

/* Other sessions are none of our business; who has no key is not believed. */
static void received(struct cluster *c, u32 len, const struct sockaddr_in *from)
{
	struct krg_event ev = { .type = KRG_EV_BEACON };
	u8 mac[KRG_RPC_MAC];

	if (krg_beacon_session(c->rx_wire, len) != (int)c->cfg.session)
		return;
	if (veil(c, c->rx_wire, len - sizeof(mac)) ||
	    krg_rpc_mac(c->net, BEACON_DOMAIN, c->rx_wire, len - sizeof(mac), mac))
		return;
	if (crypto_memneq(mac, (u8 *)c->rx_wire + len - sizeof(mac), sizeof(mac))) {
		pr_warn_ratelimited("%pI4 uses session %u with another key: ignored\n",
				    &from->sin_addr, c->cfg.session);
		return;
	}
	mutex_lock(&c->lock);
	/* The address is part of what the MAC covers, and must be the true one. */
	if (c->running && !krg_beacon_decode(c->rx_wire, len, c->beacon) &&
	    c->beacon->addr.ip == (__force u32)from->sin_addr.s_addr) {
		ev.beacon = c->beacon;
		cluster_event(c, &ev);
	}
	mutex_unlock(&c->lock);
}

void cluster_rx_work(struct work_struct *work)
{
	struct cluster *c = container_of(work, struct cluster, rx_work);
	unsigned int i;

	for (i = 0; i < RX_BATCH; i++) {
		struct sockaddr_in from = {};
		struct msghdr msg = { .msg_name = &from, .msg_flags = MSG_DONTWAIT };
		struct kvec vec = { .iov_base = c->rx_wire, .iov_len = KRG_BEACON_BYTES_MAX };
		int len = kernel_recvmsg(c->sock, &msg, &vec, 1, vec.iov_len, MSG_DONTWAIT);

		if (len == -EAGAIN)
			return;
		/* Else an error some earlier beacon left behind; it is gone now. */
		if (len >= 0 && !(msg.msg_flags & MSG_TRUNC))
			received(c, len, &from);
	}
	queue_work(cluster_wq, &c->rx_work);
}
