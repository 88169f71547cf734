// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calling side. A call is in its lane's table from the moment its request is
 * queued until it has an outcome; who takes it out of the table sets the
 * outcome, so a reply, a deadline, a signal and a lost peer never mix.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "rpc.h"

long rpc_opts_timeout(const struct krg_rpc_opts *opts)
{
	u32 ms = opts && opts->timeout_ms ? opts->timeout_ms : KRG_RPC_TIMEOUT_MS;

	return ms == KRG_RPC_FOREVER ? MAX_SCHEDULE_TIMEOUT : max_t(long, 1, msecs_to_jiffies(ms));
}

/* Gives @call its outcome. Under lane.lock; the call may be gone afterwards. */
void rpc_call_end(struct rpc_call *call, int err, struct krg_rpc_in *reply)
{
	lockdep_assert_held(&call->lane->lock);
	hash_del(&call->link);
	call->err = err;
	call->reply = reply;
	complete(&call->done);
}

static struct rpc_call *call_find(struct krg_rpc_lane_state *lane, u64 id)
{
	struct rpc_call *call;

	hash_for_each_possible(lane->calls, call, link, id)
		if (call->id == id)
			return call;
	return NULL;
}

/* A reply arrived: wakes its caller, or nobody waits any more. Takes @in. */
void rpc_call_reply(struct krg_rpc_lane_state *lane, struct krg_rpc_in *in)
{
	int refused = in->frame.flags & KRG_FRAME_REFUSED ? (int)in->frame.arg : 0;
	struct rpc_call *call;

	spin_lock_bh(&lane->lock);
	call = call_find(lane, in->frame.call);
	if (call && call->epoch == in->frame.epoch) {
		rpc_call_end(call, refused, refused ? NULL : in);
		if (!refused)
			in = NULL;
	} else {
		lane->count.late++;
	}
	spin_unlock_bh(&lane->lock);
	if (in)
		rpc_in_put(in);
}

/* How long the reply to call @id may be; @otherwise when nobody waits for it. */
u32 rpc_call_max_reply(struct krg_rpc_lane_state *lane, u64 id, u32 otherwise)
{
	struct rpc_call *call;

	spin_lock_bh(&lane->lock);
	call = call_find(lane, id);
	if (call)
		otherwise = min(call->max_reply, otherwise);
	spin_unlock_bh(&lane->lock);
	return otherwise;
}

static u32 call_wire_deadline(long left)
{
	if (left == MAX_SCHEDULE_TIMEOUT)
		return 0;
	return max(1u, jiffies_to_msecs(left));
}

/* A request or one-way as a frame, charged if its handler may block. */
static struct krg_rpc_out *call_frame(struct krg_rpc_node *node, u8 type, u16 service,
				      const void *data, u32 len,
				      const struct krg_rpc_opts *opts, long left, u32 *max_reply)
{
	struct krg_frame frame = {
		.type = type,
		.lane = opts->lane,
		.service = service,
		.epoch = READ_ONCE(node->epoch),
		.length = len,
		.arg = type == KRG_FRAME_REQUEST ? call_wire_deadline(left) : 0,
	};
	unsigned int flags = 0;
	struct krg_rpc_out *out;
	u32 max_request;

	/* Modules are the same on all nodes: what is not offered here is nowhere. */
	if (!rpc_service_limits(service, &max_request, max_reply, &flags))
		return ERR_PTR(-EOPNOTSUPP);
	if (len > min(max_request, krg_rpc_lane_max(opts->lane)))
		return ERR_PTR(-EMSGSIZE);
	*max_reply = min(*max_reply, krg_rpc_lane_max(opts->lane));
	if (type == KRG_FRAME_REQUEST)
		frame.call = atomic64_inc_return(&node->next_call);
	if (flags & KRG_RPC_MAY_BLOCK)
		frame.flags = KRG_FRAME_CHARGED;
	out = rpc_out_alloc(&frame, data, GFP_KERNEL);
	if (!out)
		return ERR_PTR(-ENOMEM);
	if (frame.flags & KRG_FRAME_CHARGED)
		out->charge = rpc_charge(len);
	return out;
}

/* Sends the request of @call. With !@wait -EAGAIN instead of waiting for room. */
int rpc_call_start(struct krg_rpc_node *node, struct krg_rpc_lane_state *lane,
		   struct rpc_call *call, u16 service, const void *data, u32 len,
		   const struct krg_rpc_opts *opts, long *left, bool wait)
{
	struct krg_rpc_out *out;
	int err;

	out = call_frame(node, KRG_FRAME_REQUEST, service, data, len, opts, *left,
			 &call->max_reply);
	if (IS_ERR(out))
		return PTR_ERR(out);
	INIT_HLIST_NODE(&call->link);
	init_completion(&call->done);
	call->lane = lane;
	call->id = out->frame.call;
	call->epoch = out->frame.epoch;
	call->err = 0;
	call->reply = NULL;
	if (wait)
		err = rpc_lane_queue_wait(lane, out, call, left, opts->interruptible);
	else
		err = rpc_lane_queue(lane, out, call);
	if (err)
		rpc_out_free(out);
	else
		rpc_lane_kick(lane);
	return err;
}

/* The request still waits in the queue: then nobody has to be told. */
static bool call_unsend(struct krg_rpc_lane_state *lane, u64 id)
{
	struct krg_rpc_out *out;

	list_for_each_entry(out, &lane->txq, link) {
		if (out->frame.type != KRG_FRAME_REQUEST || out->frame.call != id)
			continue;
		list_del(&out->link);
		lane->tx_queued -= KRG_FRAME_HEADER + out->frame.length;
		lane->tx_charged -= out->charge;
		rpc_out_free(out);
		return true;
	}
	return false;
}

static void call_tell_cancel(struct krg_rpc_lane_state *lane, u64 id, u32 epoch)
{
	struct krg_frame frame = {
		.type = KRG_FRAME_CANCEL, .lane = lane->id, .call = id, .epoch = epoch,
	};
	struct krg_rpc_out *out = rpc_out_alloc(&frame, NULL, GFP_KERNEL | __GFP_NOFAIL);

	rpc_lane_queue_reply(lane, out, READ_ONCE(lane->gen));
}

/* The caller leaves with @err, unless the outcome came in this very moment. */
static void call_leave(struct rpc_call *call, int err)
{
	struct krg_rpc_lane_state *lane = call->lane;
	bool left = false, tell = false;

	spin_lock_bh(&lane->lock);
	if (!hlist_unhashed(&call->link)) {
		hash_del(&call->link);
		call->err = err;
		left = true;
		tell = !call_unsend(lane, call->id);
		if (err == -ETIMEDOUT)
			lane->count.timeouts++;
		else
			lane->count.cancelled++;
	}
	spin_unlock_bh(&lane->lock);
	if (!left)
		wait_for_completion(&call->done);
	if (tell)
		call_tell_cancel(lane, call->id, call->epoch);
	else if (left)
		wake_up_all(&lane->room);
}

/* The outcome of a started call; uses up @left jiffies. */
int rpc_call_wait(struct rpc_call *call, struct krg_rpc_reply *rep, long *left,
		  bool interruptible)
{
	long ret;

	if (interruptible)
		ret = wait_for_completion_interruptible_timeout(&call->done, *left);
	else
		ret = wait_for_completion_timeout(&call->done, *left);
	*left = max(ret, 0L);
	if (ret <= 0)
		call_leave(call, ret ? -EINTR : -ETIMEDOUT);
	if (call->reply) {
		rep->status = (int)call->reply->frame.arg;
		rep->len = call->reply->frame.length;
		rep->data = call->reply->data;
		rep->priv = call->reply;
	}
	return call->err;
}

/*
 * What a caller's options come to: @opts replaced by the defaults if NULL, its
 * deadline in jiffies, and the lane to @to, held.
 */
static struct krg_rpc_lane_state *call_begin(struct net *net, krg_node_t to,
					     const struct krg_rpc_opts **opts, long *left)
{
	static const struct krg_rpc_opts defaults;
	struct krg_rpc_lane_state *lane;

	*opts = *opts ?: &defaults;
	*left = rpc_opts_timeout(*opts);
	if ((u32)(*opts)->lane >= KRG_LANES)
		return ERR_PTR(-EINVAL);
	lane = rpc_lane_lookup(net, to, (*opts)->lane);
	return lane ?: ERR_PTR(-EHOSTDOWN);
}

/**
 * krg_rpc_call() - ask another node (or this one) and wait for the answer
 * @net: namespace
 * @to: node id
 * @service: service number
 * @data: request
 * @len: its length
 * @rep: the answer, if 0 is returned: then krg_rpc_reply_free()
 * @opts: lane, deadline, interruptible; may be NULL
 *
 * What the handler said is @rep->status; the return value tells whether a
 * handler said anything.
 *
 * Context: process. Locks: none a handler takes.
 * Return: 0: answered; -EHOSTDOWN: no such peer, or it was removed; -ECONNRESET:
 * the connection broke, the request may have been handled; -ETIMEDOUT: likewise;
 * -EINTR: a signal, likewise; -ESTALE: the other node is in another epoch;
 * -EOPNOTSUPP: no such service; -EMSGSIZE: longer than the service or lane
 * takes; -EBUSY, -ENOMEM: refused by the other node for want of room; -ENOMEM.
 */
int krg_rpc_call(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		 struct krg_rpc_reply *rep, const struct krg_rpc_opts *opts)
{
	struct krg_rpc_lane_state *lane;
	struct rpc_call call;
	long left;
	int err;

	memset(rep, 0, sizeof(*rep));
	lane = call_begin(net, to, &opts, &left);
	if (IS_ERR(lane))
		return PTR_ERR(lane);
	err = rpc_call_start(lane->peer->node, lane, &call, service, data, len, opts, &left,
			     true);
	if (!err)
		err = rpc_call_wait(&call, rep, &left, opts->interruptible);
	krg_rpc_lane_put(lane);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_call);

/**
 * krg_rpc_reply_free() - done with an answer
 * @rep: from krg_rpc_call(); may be empty
 *
 * Context: any but hard interrupt.
 */
void krg_rpc_reply_free(struct krg_rpc_reply *rep)
{
	if (rep->priv)
		rpc_in_put(rep->priv);
	memset(rep, 0, sizeof(*rep));
}
EXPORT_SYMBOL_GPL(krg_rpc_reply_free);

/**
 * krg_rpc_send() - tell another node (or this one), without an answer
 * @net: namespace
 * @to: node id
 * @service: service number
 * @data: message
 * @len: its length
 * @opts: lane; the deadline is for waiting for room; may be NULL
 *
 * Context: process. Locks: none a handler takes.
 * Return: 0: queued, it arrives unless the connection breaks; else as krg_rpc_call().
 */
int krg_rpc_send(struct net *net, krg_node_t to, u16 service, const void *data, u32 len,
		 const struct krg_rpc_opts *opts)
{
	struct krg_rpc_lane_state *lane;
	struct krg_rpc_out *out;
	u32 max_reply;
	long left;
	int err;

	lane = call_begin(net, to, &opts, &left);
	if (IS_ERR(lane))
		return PTR_ERR(lane);
	out = call_frame(lane->peer->node, KRG_FRAME_ONEWAY, service, data, len, opts, left,
			 &max_reply);
	err = PTR_ERR_OR_ZERO(out);
	if (!err) {
		err = rpc_lane_queue_wait(lane, out, NULL, &left, opts->interruptible);
		if (err)
			rpc_out_free(out);
		else
			rpc_lane_kick(lane);
	}
	krg_rpc_lane_put(lane);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_send);
