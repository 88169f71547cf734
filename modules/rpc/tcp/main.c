// SPDX-License-Identifier: GPL-2.0-only
/* krg_rpc_tcp: the listener, and the connections of those not yet known. */
#define pr_fmt(fmt) "krg_rpc_tcp: " fmt

#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/tcp.h>
#include "tcp.h"

/* Connections that may be proving themselves at once; beyond it the oldest goes. */
#define TCP_STRANGERS	64
#define TCP_BACKLOG	256

struct tcp_stranger {
	struct list_head link;
	struct tcp_node *tn;
	struct socket *sock;		/* tcp_node.lock: NULL when given on */
	struct work_struct work;
	bool evicted;			/* tcp_node.lock */
};

struct workqueue_struct *tcp_wq;
struct workqueue_struct *tcp_prove_wq;

/* @addr with its port, the default one, or none; returns its length. */
int rtcp_address(const struct sockaddr_storage *addr, bool any_port, struct sockaddr_storage *out)
{
	bool v6 = addr->ss_family == AF_INET6;
	__be16 *port;

	*out = *addr;
	port = v6 ? &((struct sockaddr_in6 *)out)->sin6_port :
		    &((struct sockaddr_in *)out)->sin_port;
	if (any_port)
		*port = 0;
	else if (!*port)
		*port = htons(KRG_RPC_PORT);
	return v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

struct socket *rtcp_socket(struct krg_rpc_node *node)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(krg_rpc_node_net(node), krg_rpc_node_config(node)->addr.ss_family,
			       SOCK_STREAM, IPPROTO_TCP, &sock);
	return err ? ERR_PTR(err) : sock;
}

void rtcp_socket_tune(struct socket *sock)
{
	tcp_sock_set_nodelay(sock->sk);
	/*
	 * Close without lingering: what is unsent then is for nobody, and a kernel
	 * socket must not outlive its namespace.
	 */
	sock_no_linger(sock->sk);
	/*
	 * Not __GFP_FS: the socket then uses its own page fragment. We may be called
	 * from a page fault inside a user's sendmsg(), which is using the task's.
	 */
	sock->sk->sk_allocation = GFP_NOIO;
}

/* Takes the connection away from whoever might shut it down. */
static struct socket *stranger_take_socket(struct tcp_stranger *s)
{
	struct socket *sock;

	mutex_lock(&s->tn->lock);
	sock = s->sock;
	s->sock = NULL;
	mutex_unlock(&s->tn->lock);
	return sock;
}

/* rtcp_node_stop() waits for the last one. */
static void node_put(struct tcp_node *tn)
{
	if (refcount_dec_and_test(&tn->users))
		complete(&tn->unused);
}

static void stranger_end(struct tcp_stranger *s)
{
	struct tcp_node *tn = s->tn;

	mutex_lock(&tn->lock);
	list_del(&s->link);
	tn->nr_strangers--;
	mutex_unlock(&tn->lock);
	kfree(s);
	node_put(tn);
}

static void stranger_refuse(struct tcp_stranger *s, int err)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 3);
	struct sockaddr_storage addr;

	/* A node we do not know yet tries again later, and a port scan is no news. */
	if (err != -EACCES && err != -EPROTO)
		return;
	if (kernel_getpeername(s->sock, (struct sockaddr *)&addr) < 0 || !__ratelimit(&limit))
		return;
	pr_warn("node %d: refused %pISpc: %s\n", krg_rpc_node_config(s->tn->node)->self, &addr,
		err == -EACCES ? "does not hold the session's key" : "does not speak the protocol");
}

static void stranger_prove(struct work_struct *work)
{
	struct tcp_stranger *s = container_of(work, struct tcp_stranger, work);
	struct tcp_proof proof = { };
	struct socket *sock;
	int err;

	err = rtcp_prove_responder(s->sock, s->tn->node, &proof);
	if (err)
		stranger_refuse(s, err);
	sock = stranger_take_socket(s);
	if (err || rtcp_lane_attach(krg_rpc_lane_priv(proof.lane), sock, &proof))
		sock_release(sock);
	if (proof.lane)
		krg_rpc_lane_put(proof.lane);
	memzero_explicit(&proof, sizeof(proof));
	stranger_end(s);
}

/* Who has been proving itself longest makes room: a crowd of mutes keeps nobody out. */
static void strangers_evict(struct tcp_node *tn)
{
	struct tcp_stranger *s;

	lockdep_assert_held(&tn->lock);
	list_for_each_entry(s, &tn->strangers, link) {
		if (!s->sock || s->evicted)
			continue;
		s->evicted = true;
		kernel_sock_shutdown(s->sock, SHUT_RDWR);
		return;
	}
}

static void rtcp_add_stranger(struct tcp_node *tn, struct socket *sock)
{
	struct tcp_stranger *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s) {
		sock_release(sock);
		return;
	}
	s->tn = tn;
	s->sock = sock;
	INIT_WORK(&s->work, stranger_prove);
	write_lock_bh(&sock->sk->sk_callback_lock);
	sock->sk->sk_user_data = NULL;
	sock->sk->sk_data_ready = tn->old_data_ready;
	write_unlock_bh(&sock->sk->sk_callback_lock);
	rtcp_socket_tune(sock);
	refcount_inc(&tn->users);
	mutex_lock(&tn->lock);
	if (tn->nr_strangers >= TCP_STRANGERS)
		strangers_evict(tn);
	list_add_tail(&s->link, &tn->strangers);
	tn->nr_strangers++;
	mutex_unlock(&tn->lock);
	queue_work(tcp_prove_wq, &s->work);
}

static void rtcp_accept_work(struct work_struct *work)
{
	struct tcp_node *tn = container_of(work, struct tcp_node, accept_work);
	struct socket *sock;

	while (!kernel_accept(tn->listener, &sock, O_NONBLOCK)) {
		rtcp_add_stranger(tn, sock);
		cond_resched();
	}
}

static void rtcp_listen_ready(struct sock *sk)
{
	void (*ready)(struct sock *sk);
	struct tcp_node *tn;

	read_lock_bh(&sk->sk_callback_lock);
	tn = sk->sk_user_data;
	ready = tn ? tn->old_data_ready : sk->sk_data_ready;
	/* A child inherits the callback; only the listener's is for us. */
	if (tn && sk->sk_state == TCP_LISTEN)
		queue_work(tcp_wq, &tn->accept_work);
	read_unlock_bh(&sk->sk_callback_lock);
	if (ready != rtcp_listen_ready)
		ready(sk);
}

static int rtcp_listen(struct tcp_node *tn)
{
	struct sockaddr_storage addr;
	struct socket *sock;
	int len, err;

	sock = rtcp_socket(tn->node);
	if (IS_ERR(sock))
		return PTR_ERR(sock);
	sock_set_reuseaddr(sock->sk);
	len = rtcp_address(&krg_rpc_node_config(tn->node)->addr, false, &addr);
	err = kernel_bind(sock, (struct sockaddr *)&addr, len);
	if (!err)
		err = kernel_listen(sock, TCP_BACKLOG);
	if (err) {
		sock_release(sock);
		return err;
	}
	tn->listener = sock;
	write_lock_bh(&sock->sk->sk_callback_lock);
	tn->old_data_ready = sock->sk->sk_data_ready;
	sock->sk->sk_user_data = tn;
	sock->sk->sk_data_ready = rtcp_listen_ready;
	write_unlock_bh(&sock->sk->sk_callback_lock);
	/* Who came before the callback was there. */
	queue_work(tcp_wq, &tn->accept_work);
	return 0;
}

static int rtcp_node_start(struct krg_rpc_node *node)
{
	struct tcp_node *tn = kzalloc(sizeof(*tn), GFP_KERNEL);
	int err;

	if (!tn)
		return -ENOMEM;
	tn->node = node;
	INIT_WORK(&tn->accept_work, rtcp_accept_work);
	mutex_init(&tn->lock);
	INIT_LIST_HEAD(&tn->strangers);
	refcount_set(&tn->users, 1);
	init_completion(&tn->unused);
	err = rtcp_listen(tn);
	if (err)
		kfree(tn);
	else
		krg_rpc_node_set_priv(node, tn);
	return err;
}

static void rtcp_node_stop(struct krg_rpc_node *node)
{
	struct tcp_node *tn = krg_rpc_node_priv(node);
	struct sock *sk = tn->listener->sk;
	struct tcp_stranger *s;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = tn->old_data_ready;
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	cancel_work_sync(&tn->accept_work);
	sock_release(tn->listener);
	mutex_lock(&tn->lock);
	list_for_each_entry(s, &tn->strangers, link)
		if (s->sock)
			kernel_sock_shutdown(s->sock, SHUT_RDWR);
	mutex_unlock(&tn->lock);
	node_put(tn);
	wait_for_completion(&tn->unused);
	kfree(tn);
}

static const struct krg_rpc_transport tcp_transport = {
	.name = "tcp",
	.owner = THIS_MODULE,
	.node_start = rtcp_node_start,
	.node_stop = rtcp_node_stop,
	.lane_open = rtcp_lane_open,
	.lane_close = rtcp_lane_close,
	.lane_release = rtcp_lane_release,
	.lane_kick = rtcp_lane_kick,
	.lane_drop = rtcp_lane_drop,
};

static int __init rtcp_init(void)
{
	int err = -ENOMEM;

	tcp_wq = alloc_workqueue("krg_rpc_tcp", WQ_UNBOUND | WQ_HIGHPRI, WQ_UNBOUND_MAX_ACTIVE);
	if (!tcp_wq)
		return err;
	/* Apart, so that strangers who say nothing hold up nobody else's work. */
	tcp_prove_wq = alloc_workqueue("krg_rpc_prove", WQ_UNBOUND, WQ_UNBOUND_MAX_ACTIVE);
	if (!tcp_prove_wq)
		goto destroy_wq;
	err = krg_rpc_transport_register(&tcp_transport);
	if (err)
		goto destroy_prove_wq;
	return 0;

destroy_prove_wq:
	destroy_workqueue(tcp_prove_wq);
destroy_wq:
	destroy_workqueue(tcp_wq);
	return err;
}

static void __exit rtcp_exit(void)
{
	krg_rpc_transport_unregister(&tcp_transport);
	destroy_workqueue(tcp_prove_wq);
	destroy_workqueue(tcp_wq);
}

module_init(rtcp_init);
module_exit(rtcp_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("krg: rpc over TCP");
