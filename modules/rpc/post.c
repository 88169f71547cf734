// SPDX-License-Identifier: GPL-2.0-only
/*
 * Posts: one-ways that outlive a connection. What was posted on a lane is its
 * stream, numbered from 0; the sender keeps every post until the receiver has
 * acknowledged it, and sends what it has kept again on each new connection. The
 * receiver hands in number after number and drops what it has had.
 *
 *	post	queued -> sent, kept in lane.posted -> acknowledged, freed
 *	                  connection lost: lane.posted -> queued, in front
 *
 * A lane that is made anew (the peer was removed and added) is another stream. Its
 * peer, if it has kept its own lane, goes on in the middle of the old one; that is
 * for somebody who has gone, and dropped.
 *
 * Only the control lane has posts, so that there is one order.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "rpc.h"

static_assert(PAGE_SIZE == KRG_FRAME_PAGE_BYTES);

/* Posts after which the peer is told at once, and how long it waits for fewer. */
#define POST_ACK_EVERY	32
#define POST_ACK_DELAY	msecs_to_jiffies(20)

/* Bytes after which posts that wait for more are sent nevertheless. */
#define POST_MORE_MAX	(64u << 10)

static u64 post_name(u32 stream, u32 number)
{
	return (u64)stream << 32 | number;
}

/* Is number @a of a stream before number @b. */
static bool post_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static bool is_post(const struct krg_rpc_out *out)
{
	return out->frame.type == KRG_FRAME_POST;
}

static void post_ack_work(struct work_struct *work)
{
	struct krg_rpc_lane_state *lane =
		container_of(to_delayed_work(work), struct krg_rpc_lane_state, ack_work);
	struct krg_frame frame = { .type = KRG_FRAME_ACK, .lane = lane->id };
	struct krg_rpc_out *out = NULL;
	u32 gen;

	spin_lock_bh(&lane->lock);
	frame.call = post_name(lane->post_from, lane->post_want);
	gen = lane->gen;
	spin_unlock_bh(&lane->lock);
	if (frame.call)
		out = rpc_out_alloc(&frame, NULL, GFP_KERNEL | __GFP_NOFAIL);
	if (!out)
		return;
	spin_lock_bh(&lane->lock);
	lane->post_told = (u32)frame.call;
	spin_unlock_bh(&lane->lock);
	rpc_lane_queue_reply(lane, out, gen);
}

/* Under lane.lock. A lane that has ended is told nothing, so its end can wait for the work. */
static void post_ack_soon(struct krg_rpc_lane_state *lane, unsigned long delay)
{
	lockdep_assert_held(&lane->lock);
	if (lane->dead)
		return;
	if (delay)
		queue_delayed_work(rpc_rx_wq, &lane->ack_work, delay);
	else
		mod_delayed_work(rpc_rx_wq, &lane->ack_work, 0);
}

void rpc_post_init(struct krg_rpc_lane_state *lane)
{
	INIT_LIST_HEAD(&lane->posted);
	INIT_DELAYED_WORK(&lane->ack_work, post_ack_work);
	do {
		lane->post_stream = get_random_u32();
	} while (!lane->post_stream);
}

/* After the lane has ended: nothing is kept, and no work comes any more. */
void rpc_post_end(struct krg_rpc_lane_state *lane)
{
	struct krg_rpc_out *out, *next;
	LIST_HEAD(gone);

	cancel_delayed_work_sync(&lane->ack_work);
	spin_lock_bh(&lane->lock);
	list_splice_init(&lane->posted, &gone);
	spin_unlock_bh(&lane->lock);
	list_for_each_entry_safe(out, next, &gone, link)
		rpc_out_free(out);
}

/* What the transport gives back: kept if it is a post that is not acknowledged. */
bool rpc_post_keep(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out)
{
	lockdep_assert_held(&lane->lock);
	if (!is_post(out) || lane->dead || post_before((u32)out->frame.call, lane->post_acked))
		return false;
	list_add_tail(&out->link, &lane->posted);
	return true;
}

/* The connection is gone. Posts of @txq, what waited to be sent, go back. */
void rpc_post_down(struct krg_rpc_lane_state *lane, struct list_head *txq)
{
	struct krg_rpc_out *out, *next;

	lockdep_assert_held(&lane->lock);
	if (lane->dead)
		return;
	list_for_each_entry_safe(out, next, txq, link)
		if (is_post(out))
			list_move_tail(&out->link, &lane->posted);
}

/* There is a connection: what is kept goes before what waits; and the peer hears what came. */
void rpc_post_up(struct krg_rpc_lane_state *lane)
{
	struct krg_rpc_out *out;

	lockdep_assert_held(&lane->lock);
	list_for_each_entry(out, &lane->posted, link)
		lane->tx_queued += rpc_out_bytes(out);
	list_splice_init(&lane->posted, &lane->txq);
	if (lane->post_from)
		post_ack_soon(lane, 0);
}

/* Where a post belongs: 0 here and now, -EALREADY it was here, -EPROTO others are missing. */
static int post_place(struct krg_rpc_lane_state *lane, u64 call)
{
	u32 stream = call >> 32, number = call;

	lockdep_assert_held(&lane->lock);
	if (stream != lane->post_from && !number) {
		lane->post_from = stream;
		lane->post_want = 0;
		lane->post_told = 0;
	}
	if (stream != lane->post_from || post_before(number, lane->post_want))
		return -EALREADY;
	return number == lane->post_want ? 0 : -EPROTO;
}

/* A post is complete and authentic. Takes @in. One at a time on a lane. */
int rpc_post_arrived(struct krg_rpc_in *in, const char **why)
{
	struct krg_rpc_lane_state *lane = in->lane;
	bool mine;
	int err;

	krg_rpc_lane_get(lane);
	spin_lock_bh(&lane->lock);
	err = post_place(lane, in->frame.call);
	mine = in->frame.call >> 32 == lane->post_from;
	spin_unlock_bh(&lane->lock);
	if (err) {
		*why = "posts before this one are missing";
		rpc_in_put(in);
	} else {
		err = rpc_serve_arrived(in, why);
	}
	spin_lock_bh(&lane->lock);
	if (!err)
		lane->post_want++;
	else if (err == -EALREADY)
		lane->count.late++;
	if (mine && err != -EPROTO)
		post_ack_soon(lane, lane->post_want - lane->post_told < POST_ACK_EVERY ?
			      POST_ACK_DELAY : 0);
	spin_unlock_bh(&lane->lock);
	krg_rpc_lane_put(lane);
	return err == -EALREADY ? 0 : err;
}

/* Moves posts before number @until to @gone. */
static void post_take(struct krg_rpc_lane_state *lane, struct list_head *from, u32 until,
		      struct list_head *gone, bool queued)
{
	struct krg_rpc_out *out, *next;

	list_for_each_entry_safe(out, next, from, link) {
		if (!is_post(out))
			continue;
		if (!post_before((u32)out->frame.call, until))
			return;
		list_move_tail(&out->link, gone);
		if (queued)
			lane->tx_queued -= rpc_out_bytes(out);
	}
}

/* The peer has all posts before the one @call names. */
int rpc_post_acked(struct krg_rpc_lane_state *lane, u64 call, const char **why)
{
	struct krg_rpc_out *out, *next;
	u32 until = call;
	bool sane = true;
	LIST_HEAD(gone);

	spin_lock_bh(&lane->lock);
	if (call >> 32 == lane->post_stream && post_before(lane->post_acked, until)) {
		sane = !post_before(lane->post_next, until);
		if (sane) {
			lane->post_acked = until;
			post_take(lane, &lane->posted, until, &gone, false);
			post_take(lane, &lane->txq, until, &gone, true);
		}
	}
	spin_unlock_bh(&lane->lock);
	list_for_each_entry_safe(out, next, &gone, link)
		rpc_out_free(out);
	*why = "acknowledges what was not posted";
	return sane ? 0 : -EPROTO;
}

static int post(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		struct page *page, bool more)
{
	struct krg_frame frame = {
		.type = KRG_FRAME_POST,
		.lane = KRG_LANE_CONTROL,
		.flags = page ? KRG_FRAME_PAGE : 0,
		.service = service,
		.length = len + (page ? PAGE_SIZE : 0),
	};
	u32 max_request, max_reply;
	struct krg_rpc_lane_state *lane;
	unsigned int flags = 0;
	struct krg_rpc_out *out;
	int err = 0;

	if (!rpc_service_limits(service, &max_request, &max_reply, &flags) ||
	    !(flags & KRG_RPC_POSTS))
		return -EOPNOTSUPP;
	if (len > max_request)
		return -EMSGSIZE;
	lane = rpc_lane_lookup(net, to, KRG_LANE_CONTROL);
	if (!lane)
		return -EHOSTDOWN;
	frame.epoch = READ_ONCE(lane->peer->node->epoch);
	/* A stream with a post missing is worth nothing. */
	out = rpc_out_alloc(&frame, data, GFP_KERNEL | __GFP_NOFAIL);
	if (page) {
		get_page(page);
		out->page = page;
	}
	spin_lock_bh(&lane->lock);
	if (lane->dead) {
		err = -EHOSTDOWN;
	} else {
		out->frame.call = post_name(lane->post_stream, lane->post_next++);
		rpc_lane_append(lane, out);
		more = more && lane->tx_queued < POST_MORE_MAX;
	}
	spin_unlock_bh(&lane->lock);
	if (err)
		rpc_out_free(out);
	else if (!more)
		rpc_lane_kick(lane);
	krg_rpc_lane_put(lane);
	return err;
}

/**
 * krg_rpc_post() - tell another node (or this one), whatever happens to connections
 * @net: namespace
 * @to: node id
 * @service: service number; it has KRG_RPC_POSTS
 * @data: message
 * @len: its length
 * @page: a page behind it, or NULL; held until @to has it. Its content must not
 *	change until then, or until @to has been removed
 *
 * Never waits for room: a protocol that uses posts bounds how much it has under way
 * to a node, well below RPC_QUEUE_HARD, beyond which that one drops the connection
 * and is sent everything again. Posts to one node arrive once, in the order in which
 * they were posted, as long as neither of the two removes the other.
 *
 * Context: process; handlers too. Locks: none a handler takes.
 * Return: 0; -EHOSTDOWN: no such peer; -EOPNOTSUPP: no such service, or it takes no
 * posts; -EMSGSIZE.
 */
int krg_rpc_post(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		 struct page *page)
{
	return post(net, to, service, data, len, page, false);
}
EXPORT_SYMBOL_GPL(krg_rpc_post);

/**
 * krg_rpc_post_more() - the same, with more to come at once
 * @net: namespace
 * @to: node id
 * @service: service number
 * @data: message
 * @len: its length
 * @page: a page behind it, or NULL
 *
 * May be sent with what follows: with the next krg_rpc_post() or, at the latest,
 * krg_rpc_push() to that node, which must not be left out. Many small packets, each with
 * a wakeup and an acknowledgment, are what that saves.
 *
 * Context, locks, return: as krg_rpc_post().
 */
int krg_rpc_post_more(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		      struct page *page)
{
	return post(net, to, service, data, len, page, true);
}
EXPORT_SYMBOL_GPL(krg_rpc_post_more);

/**
 * krg_rpc_push() - send what krg_rpc_post_more() has left
 * @net: namespace
 * @to: node id
 *
 * Context: process; handlers too. Locks: none a handler takes.
 */
void krg_rpc_push(struct net *net, krg_node_t to)
{
	struct krg_rpc_lane_state *lane = rpc_lane_lookup(net, to, KRG_LANE_CONTROL);

	if (!lane)
		return;
	rpc_lane_kick(lane);
	krg_rpc_lane_put(lane);
}
EXPORT_SYMBOL_GPL(krg_rpc_push);
