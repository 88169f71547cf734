// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arrives on a lane. krg_rpc_rx_header() is where everything a peer says
 * is checked against what it may say here; all below trusts it.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "rpc.h"

/**
 * krg_rpc_rx_header() - check a frame's header
 * @lane: the lane it came by
 * @header: as received
 * @frame: the header in host order
 * @why: set on error, for krg_rpc_lane_garbage()
 *
 * Context: any but hard interrupt.
 * Return: 0; -EPROTO: drop the connection.
 */
int krg_rpc_rx_header(struct krg_rpc_lane_state *lane, const u8 header[KRG_FRAME_HEADER],
		      struct krg_frame *frame, const char **why)
{
	u32 max = krg_rpc_lane_max(lane->id), max_request, max_reply;
	enum krg_frame_error error;
	unsigned int flags = 0;
	bool known = false;

	error = krg_frame_decode(header, lane->id, max, frame);
	if (error) {
		*why = krg_frame_strerror(error);
		return -EPROTO;
	}
	if (frame->type == KRG_FRAME_REPLY)
		max = rpc_call_max_reply(lane, frame->call, max);
	else if (frame->service)
		known = rpc_service_limits(frame->service, &max_request, &max_reply, &flags);
	if (known)
		max = min(max, max_request);
	/* A service this node has not loaded lets other posts pass: serve.c says so. */
	if (frame->type == KRG_FRAME_POST && known && !(flags & KRG_RPC_POSTS)) {
		*why = "a post to a service that takes none";
		return -EPROTO;
	}
	if (krg_frame_data_length(frame) > max) {
		*why = "longer than its service takes";
		return -EPROTO;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(krg_rpc_rx_header);

/**
 * krg_rpc_rx_alloc() - room for a frame
 * @lane: the lane it came by
 * @frame: from krg_rpc_rx_header()
 * @gfp: GFP_ATOMIC in a soft interrupt: then it fails where memory is fragmented
 *
 * Return: what to give to krg_rpc_rx_deliver() or krg_rpc_rx_free(); NULL.
 */
struct krg_rpc_in *krg_rpc_rx_alloc(struct krg_rpc_lane_state *lane,
				    const struct krg_frame *frame, gfp_t gfp)
{
	size_t size = sizeof(struct krg_rpc_in) + krg_frame_data_length(frame);
	struct page *page = NULL;
	struct krg_rpc_in *in;

	if (frame->flags & KRG_FRAME_PAGE) {
		page = alloc_page(gfp | __GFP_NOWARN);
		if (!page)
			return NULL;
	}
	in = gfpflags_allow_blocking(gfp) ? kvmalloc(size, gfp) :
					    kmalloc(size, gfp | __GFP_NOWARN);
	if (!in) {
		if (page)
			__free_page(page);
		return NULL;
	}
	memset(in, 0, sizeof(*in));
	in->page = page;
	INIT_LIST_HEAD(&in->link);
	INIT_LIST_HEAD(&in->serving);
	refcount_set(&in->ref, 1);
	in->frame = *frame;
	in->lane = lane;
	krg_rpc_lane_get(lane);
	return in;
}
EXPORT_SYMBOL_GPL(krg_rpc_rx_alloc);

/**
 * krg_rpc_rx_data() - where the payload goes
 * @in: from krg_rpc_rx_alloc()
 *
 * Return: room for krg_frame_data_length() bytes.
 */
void *krg_rpc_rx_data(struct krg_rpc_in *in)
{
	return in->data;
}
EXPORT_SYMBOL_GPL(krg_rpc_rx_data);

/**
 * krg_rpc_rx_page() - where the page at the payload's end goes
 * @in: from krg_rpc_rx_alloc()
 *
 * Return: room for KRG_FRAME_PAGE_BYTES; NULL: the frame has no page.
 */
void *krg_rpc_rx_page(struct krg_rpc_in *in)
{
	return in->page ? page_address(in->page) : NULL;
}
EXPORT_SYMBOL_GPL(krg_rpc_rx_page);

void rpc_in_put(struct krg_rpc_in *in)
{
	if (!refcount_dec_and_test(&in->ref))
		return;
	rpc_service_put(in->svc);
	krg_rpc_lane_put(in->lane);
	if (in->page)
		__free_page(in->page);
	kvfree(in);
}

/**
 * krg_rpc_rx_free() - a frame that did not come to its end
 * @in: from krg_rpc_rx_alloc(); may be NULL
 *
 * Context: any but hard interrupt.
 */
void krg_rpc_rx_free(struct krg_rpc_in *in)
{
	if (in)
		rpc_in_put(in);
}
EXPORT_SYMBOL_GPL(krg_rpc_rx_free);

/* Every frame says how much the peer has dealt with; never more than was sent. */
static int receive_credit(struct krg_rpc_lane_state *lane, u32 credit)
{
	bool room, sane;

	spin_lock_bh(&lane->lock);
	sane = !lane->up || credit - lane->tx_credited <= lane->tx_charged - lane->tx_credited;
	room = sane && lane->up && credit != lane->tx_credited;
	if (room)
		lane->tx_credited = credit;
	spin_unlock_bh(&lane->lock);
	/* A waiter enters itself before it looks under lane->lock. */
	if (room && waitqueue_active(&lane->room))
		wake_up_all(&lane->room);
	return sane ? 0 : -EPROTO;
}

/**
 * krg_rpc_rx_deliver() - a frame is complete and authentic
 * @in: it; taken
 * @why: set on error, for krg_rpc_lane_garbage()
 *
 * Replies wake their callers right here, requests go to who serves them.
 *
 * Context: any but hard interrupt; in the order of arrival.
 * Return: 0; -EPROTO: drop the connection.
 */
int krg_rpc_rx_deliver(struct krg_rpc_in *in, const char **why)
{
	struct krg_rpc_lane_state *lane = in->lane;
	u64 call = in->frame.call;

	spin_lock_bh(&lane->lock);
	lane->count.rx_frames++;
	lane->count.rx_bytes += KRG_FRAME_HEADER + in->frame.length;
	in->gen = lane->gen;
	spin_unlock_bh(&lane->lock);
	if (receive_credit(lane, in->frame.credit)) {
		*why = "credit for more than was sent";
		rpc_in_put(in);
		return -EPROTO;
	}
	switch (in->frame.type) {
	case KRG_FRAME_REQUEST:
	case KRG_FRAME_ONEWAY:
		return rpc_serve_arrived(in, why);
	case KRG_FRAME_POST:
		return rpc_post_arrived(in, why);
	case KRG_FRAME_ACK:
		rpc_in_put(in);
		return rpc_post_acked(lane, call, why);
	case KRG_FRAME_REPLY:
		rpc_call_reply(lane, in);
		return 0;
	case KRG_FRAME_CANCEL:
		rpc_in_put(in);
		rpc_serve_cancel(lane, call);
		return 0;
	default:
		rpc_in_put(in);
		return 0;
	}
}
EXPORT_SYMBOL_GPL(krg_rpc_rx_deliver);
