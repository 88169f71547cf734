// SPDX-License-Identifier: GPL-2.0-only
/* The handshake over a socket, in process context, against the clock. */
#define pr_fmt(fmt) "krg_rpc_tcp: " fmt

#include <linux/random.h>
#include <linux/uio.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "tcp.h"

#define PROVE_TIMEOUT	(3 * HZ)	/* for each message */
#define PROVE_DOMAIN	"krg rpc handshake"

struct prove_ctx {
	struct krg_rpc_node *node;
	struct krg_rpc_lane_state *lane;	/* responder: held, once admitted */
};

static int prove_mac(void *ctx, const void *data, u32 len, u8 out[KRG_HS_MAC])
{
	struct prove_ctx *pc = ctx;

	return krg_rpc_mac(krg_rpc_node_net(pc->node), PROVE_DOMAIN, data, len, out);
}

static int prove_admit(void *ctx, const struct krg_hs_ident *ident)
{
	struct prove_ctx *pc = ctx;

	if (ident->to != krg_rpc_node_config(pc->node)->self ||
	    ident->to_incarnation != krg_rpc_node_incarnation(pc->node))
		return -ESTALE;
	pc->lane = krg_rpc_lane_find(pc->node, ident->from, ident->from_incarnation, ident->lane);
	return pc->lane ? 0 : -ENOENT;
}

static const struct krg_hs_ops prove_ops = {
	.mac = prove_mac,
	.admit = prove_admit,
};

static int prove_send(struct socket *sock, const struct krg_hs *hs)
{
	struct kvec vec = { .iov_base = (void *)hs->out, .iov_len = hs->out_len };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	int sent;

	if (!hs->out_len)
		return 0;
	sent = kernel_sendmsg(sock, &msg, &vec, 1, hs->out_len);
	if (sent < 0)
		return sent;
	return sent == hs->out_len ? 0 : -EPIPE;
}

/* Not a byte more than the message: what follows belongs to the link. */
static int prove_receive(struct socket *sock, void *buf, u32 len)
{
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { };
	int got;

	got = kernel_recvmsg(sock, &msg, &vec, 1, len, MSG_WAITALL);
	if (got < 0)
		return got;
	return got == len ? 0 : -ECONNRESET;
}

static int prove_run(struct socket *sock, struct krg_hs *hs)
{
	u8 buf[KRG_HS_MAX_MESSAGE];
	int err;

	sock->sk->sk_rcvtimeo = PROVE_TIMEOUT;
	sock->sk->sk_sndtimeo = PROVE_TIMEOUT;
	err = prove_send(sock, hs);
	while (!err && krg_hs_want(hs)) {
		err = prove_receive(sock, buf, krg_hs_want(hs));
		if (!err)
			err = krg_hs_input(hs, buf, krg_hs_want(hs));
		if (!err)
			err = prove_send(sock, hs);
	}
	return err;
}

int rtcp_prove_initiator(struct socket *sock, struct krg_rpc_lane_state *lane,
			 struct tcp_proof *proof)
{
	struct krg_rpc_node *node = krg_rpc_lane_node(lane);
	struct prove_ctx ctx = { .node = node };
	struct krg_hs_ident ident = {
		.session = krg_rpc_node_config(node)->session,
		.lane = krg_rpc_lane_id(lane),
		.from = krg_rpc_node_config(node)->self,
		.to = krg_rpc_lane_peer(lane),
		.from_incarnation = krg_rpc_node_incarnation(node),
		.to_incarnation = krg_rpc_lane_incarnation(lane),
	};
	u8 nonce[KRG_HS_NONCE];
	struct krg_hs hs;
	int err;

	get_random_bytes(nonce, sizeof(nonce));
	krg_hs_initiate(&hs, &prove_ops, &ctx, &ident, nonce);
	err = prove_run(sock, &hs);
	memcpy(proof->key_tx, hs.key_up, KRG_MAC_KEY);
	memcpy(proof->key_rx, hs.key_down, KRG_MAC_KEY);
	memzero_explicit(&hs, sizeof(hs));
	return err;
}

/* On return @proof->lane, if set, is held. */
int rtcp_prove_responder(struct socket *sock, struct krg_rpc_node *node,
			 struct tcp_proof *proof)
{
	struct prove_ctx ctx = { .node = node };
	u8 nonce[KRG_HS_NONCE];
	struct krg_hs hs;
	int err;

	get_random_bytes(nonce, sizeof(nonce));
	krg_hs_respond(&hs, &prove_ops, &ctx, krg_rpc_node_config(node)->session, nonce);
	err = prove_run(sock, &hs);
	proof->lane = ctx.lane;
	memcpy(proof->key_tx, hs.key_down, KRG_MAC_KEY);
	memcpy(proof->key_rx, hs.key_up, KRG_MAC_KEY);
	memzero_explicit(&hs, sizeof(hs));
	return err;
}
