// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiving half of a link: from the socket's bytes to frames. Everything
 * here runs under the socket's lock.
 */
#define pr_fmt(fmt) "krg_rpc_tcp: " fmt

#include <linux/skbuff.h>
#include <net/tcp.h>
#include "tcp.h"

/* Bytes taken in one go in process context, before the lock is given back. */
#define RECEIVE_BUDGET	(256u << 10)

/* More than this unread, about two pages with their frames, is no single message. */
#define RECEIVE_AT_ONCE	(9u << 10)

struct receive_pass {
	struct tcp_link *link;
	gfp_t gfp;
	int err;		/* -ENOMEM: again in process context; else the link is done */
};

static int receive_garbage(struct tcp_link *link, const char *why)
{
	link->rx.failed = true;
	krg_rpc_lane_garbage(link->lane, why);
	return -EPROTO;
}

/* The frame is complete. */
static int receive_frame(struct tcp_link *link)
{
	struct tcp_rx *rx = &link->rx;
	struct krg_rpc_in *in = rx->in;
	enum krg_frame_error error;
	const char *why = "";

	error = krg_frame_verify_page(rx->header, krg_rpc_rx_data(in),
				      krg_frame_data_length(&rx->frame), krg_rpc_rx_page(in),
				      &link->key_rx, rx->seq);
	if (error)
		return receive_garbage(link, krg_frame_strerror(error));
	rx->seq++;
	rx->in = NULL;
	rx->header_got = 0;
	rx->body_got = 0;
	rx->page_got = 0;
	if (krg_rpc_rx_deliver(in, &why))
		return receive_garbage(link, why);
	return 0;
}

static int receive_header(struct receive_pass *pass)
{
	struct tcp_rx *rx = &pass->link->rx;
	const char *why = "";

	if (krg_rpc_rx_header(pass->link->lane, rx->header, &rx->frame, &why))
		return receive_garbage(pass->link, why);
	rx->in = krg_rpc_rx_alloc(pass->link->lane, &rx->frame, pass->gfp);
	return rx->in ? 0 : -ENOMEM;
}

/* Copies what is missing of @want bytes at @to, as far as @skb has it. */
static size_t receive_copy(struct sk_buff *skb, unsigned int offset, size_t len, void *to,
			   u32 *got, u32 want)
{
	size_t n = min_t(size_t, len, want - *got);

	if (!n || skb_copy_bits(skb, offset, to + *got, n))
		return 0;
	*got += n;
	return n;
}

/* What comes before the page, then the page. */
static size_t receive_body(struct tcp_rx *rx, struct sk_buff *skb, unsigned int offset, size_t len)
{
	u32 data = krg_frame_data_length(&rx->frame);
	size_t used;

	used = receive_copy(skb, offset, len, krg_rpc_rx_data(rx->in), &rx->body_got, data);
	if (rx->body_got < data)
		return used;
	return used + receive_copy(skb, offset + used, len - used, krg_rpc_rx_page(rx->in),
				   &rx->page_got, rx->frame.length - data);
}

/* Takes frames out of @len bytes; with none it finishes one that only lacked memory. */
static size_t receive_bytes(struct receive_pass *pass, struct sk_buff *skb,
			    unsigned int offset, size_t len)
{
	struct tcp_rx *rx = &pass->link->rx;
	size_t used = 0;

	while (!pass->err) {
		used += receive_copy(skb, offset + used, len - used, rx->header, &rx->header_got,
				     KRG_FRAME_HEADER);
		if (rx->header_got < KRG_FRAME_HEADER)
			break;
		if (!rx->in)
			pass->err = receive_header(pass);
		if (pass->err)
			break;
		used += receive_body(rx, skb, offset + used, len - used);
		if (rx->body_got + rx->page_got < rx->frame.length)
			break;
		pass->err = receive_frame(pass->link);
	}
	return used;
}

static int receive_actor(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset,
			 size_t len)
{
	struct receive_pass *pass = desc->arg.data;
	size_t used = receive_bytes(pass, skb, offset, min(len, desc->count));

	desc->count = pass->err ? 0 : desc->count - used;
	return used;
}

/* Reads at most @budget bytes; true if there may be more. */
static bool receive_pass(struct tcp_link *link, gfp_t gfp, size_t budget, int *err)
{
	struct receive_pass pass = { .link = link, .gfp = gfp };
	read_descriptor_t desc = { .arg.data = &pass, .count = budget };

	*err = 0;
	if (link->rx.failed)
		return false;
	receive_bytes(&pass, NULL, 0, 0);
	if (!pass.err)
		tcp_read_sock(link->sock->sk, &desc, receive_actor);
	*err = pass.err;
	return !pass.err && !desc.count;
}

/* Under the socket's lock. */
static bool receive_later(const struct tcp_link *link)
{
	const struct tcp_sock *tp = tcp_sk(link->sock->sk);

	return krg_rpc_lane_id(link->lane) == KRG_LANE_BULK ||
	       tp->rcv_nxt - READ_ONCE(tp->copied_seq) > RECEIVE_AT_ONCE;
}

/*
 * The socket has data. Soft interrupt, or the end of a section under the
 * socket's lock. Control frames are short: they are dealt with here and now, but a
 * stream of them is left to a thread: each time the socket is read TCP acknowledges,
 * and a thread reads what many packets have brought.
 */
void rtcp_receive_ready(struct tcp_link *link)
{
	int err;

	if (receive_later(link)) {
		queue_work(tcp_wq, &link->rx_work);
		return;
	}
	receive_pass(link, GFP_ATOMIC, SIZE_MAX, &err);
	if (err == -ENOMEM)
		queue_work(tcp_wq, &link->rx_work);
	else if (err)
		rtcp_link_fail(link);
}

void rtcp_receive_work(struct work_struct *work)
{
	struct tcp_link *link = container_of(work, struct tcp_link, rx_work);
	struct sock *sk = link->sock->sk;
	bool more;
	int err;

	do {
		lock_sock(sk);
		more = receive_pass(link, GFP_KERNEL, RECEIVE_BUDGET, &err);
		release_sock(sk);
		cond_resched();
	} while (more);
	if (err == -ENOMEM)
		queue_work(tcp_wq, &link->rx_work);
	else if (err)
		rtcp_link_fail(link);
}
