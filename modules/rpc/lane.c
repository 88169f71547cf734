// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sending side of a lane: the queue, room in it, and what happens when a
 * connection comes and goes.
 *
 * Back-pressure. Two bounds hold a sender back: bytes waiting in the queue
 * (beyond them the stream itself is full, so the receiver's not reading reaches
 * the senders), and the window: bytes of requests to services that may block
 * which the peer has accepted and not finished. The window bounds a receiver's
 * threads and memory, and because only such requests are charged, those that
 * may not block pass by however many handlers are stuck. Replies are never held
 * back: two nodes waiting for each other's replies could wait for ever.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include "rpc.h"

u32 krg_rpc_lane_max(u8 lane)
{
	return lane == KRG_LANE_BULK ? KRG_RPC_MAX_BULK : KRG_RPC_MAX_CONTROL;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_max);

u32 rpc_lane_window(const struct krg_rpc_lane_state *lane)
{
	return lane->id == KRG_LANE_BULK ? RPC_WINDOW_BULK : RPC_WINDOW_CONTROL;
}

u32 rpc_charge(u32 len)
{
	return RPC_CHARGE_BASE + len;
}

void rpc_lane_init(struct krg_rpc_lane_state *lane, struct rpc_peer *peer, u8 id,
		   const struct krg_rpc_transport *transport)
{
	lane->peer = peer;
	lane->id = id;
	lane->transport = transport;
	INIT_WORK(&lane->inbox_work, rpc_serve_inbox);
	init_waitqueue_head(&lane->room);
	spin_lock_init(&lane->lock);
	INIT_LIST_HEAD(&lane->txq);
	hash_init(lane->calls);
	INIT_LIST_HEAD(&lane->inbox);
	INIT_LIST_HEAD(&lane->serving);
	rpc_post_init(lane);
}

struct krg_rpc_out *rpc_out_alloc(const struct krg_frame *frame, const void *data, gfp_t gfp)
{
	u32 len = krg_frame_data_length(frame);
	struct krg_rpc_out *out;

	out = kvmalloc(sizeof(*out) + len, gfp);
	if (!out)
		return NULL;
	out->frame = *frame;
	out->charge = 0;
	out->page = NULL;
	if (len)
		memcpy(out->data, data, len);
	return out;
}

void rpc_out_free(struct krg_rpc_out *out)
{
	if (out->page)
		put_page(out->page);
	kvfree(out);
}

u32 rpc_out_bytes(const struct krg_rpc_out *out)
{
	return KRG_FRAME_HEADER + out->frame.length;
}

static u32 lane_in_flight(const struct krg_rpc_lane_state *lane)
{
	return lane->tx_charged - lane->tx_credited;
}

static bool lane_has_room(const struct krg_rpc_lane_state *lane, const struct krg_rpc_out *out)
{
	u32 limit = lane->id == KRG_LANE_BULK ? RPC_QUEUE_BULK : RPC_QUEUE_CONTROL;
	u32 in_flight = lane_in_flight(lane);

	/* One message always fits, however long. */
	if (lane->tx_queued && lane->tx_queued + rpc_out_bytes(out) > limit)
		return false;
	return !out->charge || !in_flight || in_flight + out->charge <= rpc_lane_window(lane);
}

void rpc_lane_append(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out)
{
	lockdep_assert_held(&lane->lock);
	list_add_tail(&out->link, &lane->txq);
	lane->tx_queued += rpc_out_bytes(out);
	lane->tx_charged += out->charge;
}

/* Queues @out and enters @call, if any, in one step; or -EAGAIN, -EHOSTDOWN. */
int rpc_lane_queue(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out, struct rpc_call *call)
{
	int err = 0;

	spin_lock_bh(&lane->lock);
	if (lane->dead) {
		err = -EHOSTDOWN;
	} else if (!lane_has_room(lane, out)) {
		err = -EAGAIN;
	} else {
		rpc_lane_append(lane, out);
		if (call) {
			hash_add(lane->calls, &call->link, call->id);
			lane->count.calls++;
		}
	}
	spin_unlock_bh(&lane->lock);
	return err;
}

/* The same, waiting for room at most @left jiffies, which it uses up. */
int rpc_lane_queue_wait(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out,
			struct rpc_call *call, long *left, bool interruptible)
{
	int mode = interruptible ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE;
	DEFINE_WAIT(wait);
	int err;

	err = rpc_lane_queue(lane, out, call);
	if (err != -EAGAIN)
		return err;
	spin_lock_bh(&lane->lock);
	lane->count.stalls++;
	spin_unlock_bh(&lane->lock);
	for (;;) {
		prepare_to_wait(&lane->room, &wait, mode);
		err = rpc_lane_queue(lane, out, call);
		if (err != -EAGAIN)
			break;
		if (interruptible && signal_pending(current)) {
			err = -EINTR;
			break;
		}
		if (!*left) {
			err = -ETIMEDOUT;
			break;
		}
		*left = schedule_timeout(*left);
	}
	finish_wait(&lane->room, &wait);
	return err;
}

/* Queues a reply to what came by connection @gen, or frees it if that is gone. */
void rpc_lane_queue_reply(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out, u32 gen)
{
	bool lost, flood;

	spin_lock_bh(&lane->lock);
	lost = !lane->up || lane->gen != gen || lane->flooded;
	flood = !lost && lane->tx_queued > RPC_QUEUE_HARD;
	lane->flooded |= flood;
	lost |= flood;
	if (lost)
		lane->count.lost++;
	else
		rpc_lane_append(lane, out);
	spin_unlock_bh(&lane->lock);
	if (flood) {
		krg_rpc_lane_garbage(lane, "asks without reading the answers");
		lane->transport->lane_drop(lane);
	}
	if (lost)
		rpc_out_free(out);
	else
		rpc_lane_kick(lane);
}

void rpc_lane_kick(struct krg_rpc_lane_state *lane)
{
	lane->transport->lane_kick(lane);
}

/**
 * krg_rpc_tx_next() - the next frame to send on a lane
 * @lane: the lane; its transport sends one frame at a time
 *
 * The header is complete but for the tag.
 *
 * Context: process. Return: a frame to give to krg_rpc_tx_done(), or NULL.
 */
struct krg_rpc_out *krg_rpc_tx_next(struct krg_rpc_lane_state *lane)
{
	struct krg_rpc_out *out;

	spin_lock_bh(&lane->lock);
	out = lane->up ? list_first_entry_or_null(&lane->txq, struct krg_rpc_out, link) : NULL;
	if (out) {
		list_del(&out->link);
		out->more = !list_empty(&lane->txq);
		out->frame.credit = lane->rx_done;
		lane->rx_told = lane->rx_done;
	}
	spin_unlock_bh(&lane->lock);
	if (out)
		krg_frame_encode(&out->frame, out->header);
	return out;
}
EXPORT_SYMBOL_GPL(krg_rpc_tx_next);

/**
 * krg_rpc_tx_pending() - are there frames to send
 * @lane: the lane
 *
 * Context: any but hard interrupt. Return: true if so.
 */
bool krg_rpc_tx_pending(struct krg_rpc_lane_state *lane)
{
	bool pending;

	spin_lock_bh(&lane->lock);
	pending = lane->up && !list_empty(&lane->txq);
	spin_unlock_bh(&lane->lock);
	return pending;
}
EXPORT_SYMBOL_GPL(krg_rpc_tx_pending);

/**
 * krg_rpc_tx_done() - a frame is sent, or never will be
 * @lane: the lane
 * @out: from krg_rpc_tx_next(); taken
 * @sent: whether all of it is in the stream
 *
 * Before krg_rpc_lane_down() for the connection it was taken for.
 *
 * Context: process.
 */
void krg_rpc_tx_done(struct krg_rpc_lane_state *lane, struct krg_rpc_out *out, bool sent)
{
	u32 bytes = rpc_out_bytes(out);
	bool kept;

	spin_lock_bh(&lane->lock);
	/* When the lane ended meanwhile the count began anew. */
	lane->tx_queued -= min(bytes, lane->tx_queued);
	if (sent) {
		lane->count.tx_frames++;
		lane->count.tx_bytes += bytes;
	}
	kept = rpc_post_keep(lane, out);
	if (!sent && !kept)
		lane->count.lost++;
	spin_unlock_bh(&lane->lock);
	if (!kept)
		rpc_out_free(out);
	/* A waiter enters itself before it looks under lane->lock. */
	if (waitqueue_active(&lane->room))
		wake_up_all(&lane->room);
}
EXPORT_SYMBOL_GPL(krg_rpc_tx_done);

/**
 * krg_rpc_lane_up() - a proved connection carries the lane from now on
 * @lane: the lane; the connection before it was reported down
 *
 * Context: process.
 */
void krg_rpc_lane_up(struct krg_rpc_lane_state *lane)
{
	spin_lock_bh(&lane->lock);
	if (!lane->dead) {
		lane->up = true;
		lane->gen++;
		lane->count.connects++;
		rpc_post_up(lane);
	}
	spin_unlock_bh(&lane->lock);
	rpc_peer_events(lane->peer);
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_up);

/*
 * The connection, or the peer, is gone: everything that waited on it ends.
 * Calls made while there was no connection yet end here only with the peer.
 */
void rpc_lane_end(struct krg_rpc_lane_state *lane, int err, bool dead)
{
	struct krg_rpc_out *out, *next;
	struct hlist_node *tmp;
	struct rpc_call *call;
	LIST_HEAD(txq);
	int bucket;

	spin_lock_bh(&lane->lock);
	if (lane->dead || (!lane->up && !dead)) {
		spin_unlock_bh(&lane->lock);
		return;
	}
	lane->dead = dead;
	lane->up = false;
	list_splice_init(&lane->txq, &txq);
	lane->tx_queued = 0;
	lane->flooded = false;
	lane->tx_charged = 0;
	lane->tx_credited = 0;
	lane->rx_charged = 0;
	lane->rx_done = 0;
	lane->rx_told = 0;
	hash_for_each_safe(lane->calls, bucket, tmp, call, link)
		rpc_call_end(call, err, NULL);
	rpc_serve_cancel_all(lane);
	rpc_post_down(lane, &txq);
	list_for_each_entry(out, &txq, link)
		lane->count.lost++;
	spin_unlock_bh(&lane->lock);
	list_for_each_entry_safe(out, next, &txq, link)
		rpc_out_free(out);
	wake_up_all(&lane->room);
}

/**
 * krg_rpc_lane_down() - the connection that carried the lane is gone
 * @lane: the lane
 *
 * Its calls end with -ECONNRESET. Nothing of that connection is handed in or
 * taken any more.
 *
 * Context: process.
 */
void krg_rpc_lane_down(struct krg_rpc_lane_state *lane)
{
	rpc_lane_end(lane, -ECONNRESET, false);
	rpc_serve_drop_parked(lane);
	rpc_peer_events(lane->peer);
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_down);

/**
 * krg_rpc_lane_garbage() - count and log that a peer broke the protocol
 * @lane: the lane; the transport closes the connection
 * @why: what is wrong, for people
 *
 * Context: any but hard interrupt.
 */
void krg_rpc_lane_garbage(struct krg_rpc_lane_state *lane, const char *why)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 3);

	spin_lock_bh(&lane->lock);
	lane->count.garbage++;
	spin_unlock_bh(&lane->lock);
	if (__ratelimit(&limit))
		pr_warn("node %d: connection dropped: peer %d at %pISpc sent garbage: %s\n",
			lane->peer->node->cfg.self, lane->peer->id, &lane->peer->addr, why);
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_garbage);

/**
 * krg_rpc_counters() - what happened on a lane
 * @net: namespace
 * @node: peer's id, or ours
 * @lane: which lane
 * @out: the counters
 *
 * Context: process. Return: 0, -EINVAL, -ENOENT: not known.
 */
int krg_rpc_counters(struct net *net, krg_node_t node, enum krg_rpc_lane lane,
		     struct krg_rpc_counters *out)
{
	struct krg_rpc_lane_state *state;

	if ((u32)lane >= KRG_LANES)
		return -EINVAL;
	state = rpc_lane_lookup(net, node, lane);
	if (!state)
		return -ENOENT;
	spin_lock_bh(&state->lock);
	*out = state->count;
	out->queued = state->tx_queued;
	out->in_flight = lane_in_flight(state);
	spin_unlock_bh(&state->lock);
	krg_rpc_lane_put(state);
	return 0;
}
EXPORT_SYMBOL_GPL(krg_rpc_counters);
