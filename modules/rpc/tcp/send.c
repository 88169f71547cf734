// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sending half of a link. Who has queued a frame tries to become the sender;
 * who is the sender sends for all. No thread of its own: the usual frame leaves
 * in the context of the thread that made it.
 */
#define pr_fmt(fmt) "krg_rpc_tcp: " fmt

#include <linux/mm.h>
#include <linux/uio.h>
#include <net/tcp.h>
#include "tcp.h"

static bool send_next(struct tcp_link *link)
{
	struct krg_rpc_out *out;

	lockdep_assert_held(&link->tx_lock);
	if (link->tx_closed)
		return false;
	if (link->tx_out)
		return true;
	out = krg_rpc_tx_next(link->lane);
	if (!out)
		return false;
	krg_frame_seal_page(out->header, out->data, krg_frame_data_length(&out->frame),
			    out->page ? page_address(out->page) : NULL, &link->key_tx,
			    link->tx_seq++);
	link->tx_out = out;
	link->tx_off = 0;
	return true;
}

/* As much of the frame in hand as the socket takes without waiting. */
static int send_some(struct tcp_link *link)
{
	struct krg_rpc_out *out = link->tx_out;
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | (out->more ? MSG_MORE : 0),
	};
	const struct kvec part[] = {
		{ out->header, KRG_FRAME_HEADER },
		{ out->data, krg_frame_data_length(&out->frame) },
		{ out->page ? page_address(out->page) : NULL, out->page ? PAGE_SIZE : 0 },
	};
	u32 total = KRG_FRAME_HEADER + out->frame.length, off = link->tx_off;
	struct kvec vec[ARRAY_SIZE(part)];
	int n = 0;

	for (int i = 0; i < ARRAY_SIZE(part); i++) {
		if (off < part[i].iov_len) {
			vec[n].iov_base = part[i].iov_base + off;
			vec[n++].iov_len = part[i].iov_len - off;
			off = 0;
		} else {
			off -= part[i].iov_len;
		}
	}
	return kernel_sendmsg(link->sock, &msg, vec, n, total - link->tx_off);
}

/* Under tx_lock: 0: all is sent; -EAGAIN: the socket is full and will call; else it broke. */
static int send_all(struct tcp_link *link)
{
	int sent;

	while (send_next(link)) {
		sent = send_some(link);
		if (sent < 0)
			return sent;
		link->tx_off += sent;
		if (link->tx_off < KRG_FRAME_HEADER + link->tx_out->frame.length)
			continue;
		krg_rpc_tx_done(link->lane, link->tx_out, true);
		link->tx_out = NULL;
	}
	return 0;
}

/* Sends what is queued, or leaves it to who is sending, or to tx_work when there is room. */
void rtcp_link_push(struct tcp_link *link)
{
	int err;

	while (krg_rpc_tx_pending(link->lane) && mutex_trylock(&link->tx_lock)) {
		err = send_all(link);
		if (link->tx_closed)
			err = err ?: -EAGAIN;
		mutex_unlock(&link->tx_lock);
		if (err && err != -EAGAIN)
			rtcp_link_fail(link);
		if (err)
			return;
	}
}

/*
 * There is room again. Waits for the lock: the sender who found the socket full
 * may be about to give it back without looking again.
 */
void rtcp_send_work(struct work_struct *work)
{
	struct tcp_link *link = container_of(work, struct tcp_link, tx_work);
	int err;

	mutex_lock(&link->tx_lock);
	err = send_all(link);
	mutex_unlock(&link->tx_lock);
	if (err && err != -EAGAIN)
		rtcp_link_fail(link);
	else if (!err)
		rtcp_link_push(link);
}
