// SPDX-License-Identifier: GPL-2.0-only
/*
 * The serving side: a request on its way from arrival to its end.
 *
 *   arrived --epoch is ahead--> parked --our epoch caught up--+
 *      |                                                      v
 *      +----------------------------> inbox (may not block) or pool (may block)
 *                                                   |
 *                       refused, cancelled, or run: finished
 *
 * From arrival to finish it is on lane.serving, where a cancel finds it.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "rpc.h"

/* Refused ones take the queue too: they are answered in process context. */
static void serve_route(struct krg_rpc_in *in)
{
	struct krg_rpc_lane_state *lane = in->lane;

	if (in->svc && !in->refused && in->svc->svc->flags & KRG_RPC_MAY_BLOCK) {
		rpc_pool_submit(&lane->peer->node->pool, in);
		return;
	}
	spin_lock_bh(&lane->lock);
	list_add_tail(&in->link, &lane->inbox);
	spin_unlock_bh(&lane->lock);
	/* A queued inbox holds its peer. */
	krg_rpc_lane_get(lane);
	if (!queue_work(rpc_rx_wq, &lane->inbox_work))
		krg_rpc_lane_put(lane);
}

static int serve_check_epoch(struct krg_rpc_in *in, u32 epoch)
{
	s32 ahead = in->frame.epoch - epoch;

	if (!ahead || (in->svc && in->svc->svc->flags & KRG_RPC_ANY_EPOCH))
		return 0;
	return ahead < 0 ? -ESTALE : -EAGAIN;
}

/* True if the request waits for our epoch, false if it is to be routed now. */
static bool serve_park(struct krg_rpc_in *in)
{
	struct krg_rpc_node *node = in->lane->peer->node;
	bool parked = false;
	int err;

	spin_lock_bh(&node->park_lock);
	err = serve_check_epoch(in, node->epoch);
	if (err == -EAGAIN && node->nr_parked < RPC_PARKED_MAX) {
		list_add_tail(&in->link, &node->parked);
		node->nr_parked++;
		parked = true;
	} else if (err) {
		in->refused = err == -EAGAIN ? -EBUSY : err;
	}
	spin_unlock_bh(&node->park_lock);
	return parked;
}

static void serve_fill(struct krg_rpc_in *in)
{
	struct krg_rpc_lane_state *lane = in->lane;

	in->req = (struct krg_rpc_request){
		.net = lane->peer->node->net,
		.from = lane->peer->id,
		.epoch = in->frame.epoch,
		.service = in->frame.service,
		.lane = lane->id,
		.oneway = in->frame.type != KRG_FRAME_REQUEST,
		.data = in->data,
		.len = krg_frame_data_length(&in->frame),
		.page = in->page,
	};
	if (in->frame.arg)
		in->req.deadline = (jiffies + msecs_to_jiffies(in->frame.arg)) ?: 1;
}

/* Enters the request where a cancel finds it; false: the peer asks for too much at once. */
static bool serve_enter(struct krg_rpc_in *in, const char **why)
{
	struct krg_rpc_lane_state *lane = in->lane;
	u32 charge = rpc_charge(in->frame.length);
	bool ok;

	spin_lock_bh(&lane->lock);
	if (in->frame.flags & KRG_FRAME_CHARGED) {
		/* The sender may exceed an empty window by one message. */
		ok = lane->rx_charged - lane->rx_done <= rpc_lane_window(lane);
		lane->rx_charged += charge;
		*why = "more requests than the window holds";
	} else {
		ok = lane->rx_unserved <= RPC_QUEUE_HARD;
		lane->rx_unserved += ok ? charge : 0;
		*why = "asks without waiting to be served";
	}
	/* A post that has arrived is handled; it would not come again. */
	if (!lane->up && in->frame.type != KRG_FRAME_POST)
		in->cancelled = true;
	if (ok)
		list_add_tail(&in->serving, &lane->serving);
	spin_unlock_bh(&lane->lock);
	return ok;
}

int rpc_serve_arrived(struct krg_rpc_in *in, const char **why)
{
	struct krg_rpc_lane_state *lane = in->lane;

	in->svc = rpc_service_get(in->frame.service);
	serve_fill(in);
	if (!serve_enter(in, why)) {
		rpc_in_put(in);
		return -EPROTO;
	}
	if (!in->svc && in->frame.type == KRG_FRAME_POST)
		pr_warn_ratelimited("node %d speaks to service 0x%x, which is not loaded here\n",
				    lane->peer->id, in->frame.service);
	if (!in->svc)
		in->refused = -EOPNOTSUPP;
	else if (in->svc->svc->flags & KRG_RPC_MAY_BLOCK &&
		 !(in->frame.flags & KRG_FRAME_CHARGED))
		in->refused = -EPROTO;
	if (serve_check_epoch(in, READ_ONCE(lane->peer->node->epoch)) && serve_park(in))
		return 0;
	serve_route(in);
	return 0;
}

static void serve_signal(struct krg_rpc_in *in)
{
	lockdep_assert_held(&in->lane->lock);
	in->cancelled = true;
	if (in->task)
		send_sig(SIGKILL, in->task, 1);
}

/* The caller of @call has left: its handler's waits end, its answer is not sent. */
void rpc_serve_cancel(struct krg_rpc_lane_state *lane, u64 call)
{
	struct krg_rpc_in *in;

	spin_lock_bh(&lane->lock);
	list_for_each_entry(in, &lane->serving, serving) {
		if (in->frame.type != KRG_FRAME_REQUEST || in->frame.call != call)
			continue;
		serve_signal(in);
		break;
	}
	spin_unlock_bh(&lane->lock);
}

void rpc_serve_cancel_all(struct krg_rpc_lane_state *lane)
{
	struct krg_rpc_in *in;

	lockdep_assert_held(&lane->lock);
	list_for_each_entry(in, &lane->serving, serving)
		if (in->frame.type != KRG_FRAME_POST || lane->dead)
			serve_signal(in);
}

/* The connection, or the peer, is gone: what it asked for in a future epoch is forgotten. */
void rpc_serve_drop_parked(struct krg_rpc_lane_state *lane)
{
	struct krg_rpc_node *node = lane->peer->node;
	struct krg_rpc_in *in, *next;
	LIST_HEAD(gone);

	spin_lock_bh(&node->park_lock);
	list_for_each_entry_safe(in, next, &node->parked, link) {
		if (in->lane != lane)
			continue;
		list_move_tail(&in->link, &gone);
		node->nr_parked--;
	}
	spin_unlock_bh(&node->park_lock);
	list_for_each_entry_safe(in, next, &gone, link) {
		list_del_init(&in->link);
		krg_rpc_finish(&in->req, -ECANCELED);
	}
}

/**
 * krg_rpc_set_epoch() - this node is in a new membership epoch
 * @net: namespace
 * @epoch: its number; later ones are greater, modulo 2^32
 *
 * Messages sent from now on carry it. Requests of an older epoch are refused
 * with -ESTALE; those of a later one wait until this node gets there.
 *
 * Context: process. Locks: none.
 */
void krg_rpc_set_epoch(struct net *net, u32 epoch)
{
	struct krg_rpc_in *in, *next;
	struct krg_rpc_node *node;
	int err;

	rcu_read_lock();
	node = rcu_dereference(rpc_net(net)->node);
	if (!node)
		goto unlock;
	spin_lock_bh(&node->park_lock);
	/* Those who waited go first: the epoch is written when they are routed. */
	list_for_each_entry_safe(in, next, &node->parked, link) {
		err = serve_check_epoch(in, epoch);
		if (err == -EAGAIN)
			continue;
		in->refused = err;
		list_del_init(&in->link);
		node->nr_parked--;
		serve_route(in);
	}
	WRITE_ONCE(node->epoch, epoch);
	spin_unlock_bh(&node->park_lock);
unlock:
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(krg_rpc_set_epoch);

/**
 * krg_rpc_cancelled() - does anybody still wait for this request
 * @req: the request
 *
 * Context: any. Return: true if the caller has left, is lost, or its deadline passed.
 */
bool krg_rpc_cancelled(const struct krg_rpc_request *req)
{
	const struct krg_rpc_in *in = container_of(req, struct krg_rpc_in, req);

	return READ_ONCE(in->cancelled) ||
	       (req->deadline && time_after(jiffies, req->deadline));
}
EXPORT_SYMBOL_GPL(krg_rpc_cancelled);

/**
 * krg_rpc_take_page() - keep the page a post brought
 * @req: the request, in its handler
 *
 * Context: any. Return: the page, the caller's to free; NULL: there is none (any more).
 */
struct page *krg_rpc_take_page(struct krg_rpc_request *req)
{
	struct krg_rpc_in *in = container_of(req, struct krg_rpc_in, req);
	struct page *page = in->page;

	in->page = NULL;
	req->page = NULL;
	return page;
}
EXPORT_SYMBOL_GPL(krg_rpc_take_page);

static struct krg_rpc_out *serve_reply(const struct krg_rpc_in *in, int status, u8 flags,
				       const void *data, u32 len, gfp_t gfp)
{
	struct krg_frame frame = {
		.type = KRG_FRAME_REPLY,
		.lane = in->lane->id,
		.flags = flags,
		.epoch = in->frame.epoch,
		.call = in->frame.call,
		.length = len,
		.arg = (u32)status,
	};

	return rpc_out_alloc(&frame, data, gfp);
}

/**
 * krg_rpc_reply() - answer a request with data
 * @req: the request, in its handler or after KRG_RPC_LATER before krg_rpc_finish()
 * @data: the answer
 * @len: at most the service's max_reply
 *
 * Once. The request's data stay until it is finished.
 *
 * Context: process.
 * Return: 0, also if the caller has left; -EINVAL: a one-way, or answered
 * already; -EMSGSIZE; -ENOMEM. A handler may return the error as its status.
 */
int krg_rpc_reply(struct krg_rpc_request *req, const void *data, u32 len)
{
	struct krg_rpc_in *in = container_of(req, struct krg_rpc_in, req);
	struct krg_rpc_out *out;

	if (req->oneway || in->replied)
		return -EINVAL;
	if (len > min(in->svc->svc->max_reply, krg_rpc_lane_max(in->lane->id)))
		return -EMSGSIZE;
	out = serve_reply(in, 0, 0, data, len, GFP_KERNEL);
	if (!out)
		return -ENOMEM;
	in->replied = true;
	rpc_lane_queue_reply(in->lane, out, in->gen);
	return 0;
}
EXPORT_SYMBOL_GPL(krg_rpc_reply);

/* Takes the request out of the lane; true if the peer should hear of its credit. */
static bool serve_leave(struct krg_rpc_in *in)
{
	struct krg_rpc_lane_state *lane = in->lane;
	bool tell = false;

	spin_lock_bh(&lane->lock);
	list_del_init(&in->serving);
	lane->count.served++;
	if (in->refused == -ESTALE)
		lane->count.stale++;
	if (!(in->frame.flags & KRG_FRAME_CHARGED))
		lane->rx_unserved -= rpc_charge(in->frame.length);
	if (lane->up && lane->gen == in->gen && in->frame.flags & KRG_FRAME_CHARGED) {
		lane->rx_done += rpc_charge(in->frame.length);
		tell = lane->rx_done - lane->rx_told > rpc_lane_window(lane) / 4;
	}
	spin_unlock_bh(&lane->lock);
	return tell;
}

/**
 * krg_rpc_finish() - the end of a request whose handler returned KRG_RPC_LATER
 * @req: the request; gone afterwards
 * @status: 0 or -errno; not used if krg_rpc_reply() was called
 *
 * Context: process.
 */
void krg_rpc_finish(struct krg_rpc_request *req, int status)
{
	struct krg_rpc_in *in = container_of(req, struct krg_rpc_in, req);
	struct krg_rpc_lane_state *lane = in->lane;
	struct krg_frame credit = { .type = KRG_FRAME_CREDIT, .lane = lane->id };
	bool tell = serve_leave(in);
	struct krg_rpc_out *out = NULL;

	if (WARN_ON_ONCE(status > 0 || status < -KRG_FRAME_MAX_STATUS))
		status = -EIO;
	if (in->frame.type == KRG_FRAME_REQUEST && !in->replied && !in->cancelled)
		out = serve_reply(in, in->refused ?: status,
				  in->refused ? KRG_FRAME_REFUSED : 0, NULL, 0,
				  GFP_KERNEL | __GFP_NOFAIL);
	else if (tell)
		out = rpc_out_alloc(&credit, NULL, GFP_KERNEL | __GFP_NOFAIL);
	if (out)
		rpc_lane_queue_reply(lane, out, in->gen);
	rpc_in_put(in);
}
EXPORT_SYMBOL_GPL(krg_rpc_finish);

/* In a pool thread the handler can be signalled from here to the end of its work. */
static int serve_handle(struct krg_rpc_in *in)
{
	struct krg_rpc_lane_state *lane = in->lane;
	bool pooled = in->svc->svc->flags & KRG_RPC_MAY_BLOCK;
	int status;

	if (!pooled)
		return in->svc->svc->handle(&in->req);
	spin_lock_bh(&lane->lock);
	in->task = in->cancelled ? NULL : current;
	spin_unlock_bh(&lane->lock);
	status = in->task ? in->svc->svc->handle(&in->req) : -ECANCELED;
	spin_lock_bh(&lane->lock);
	in->task = NULL;
	spin_unlock_bh(&lane->lock);
	flush_signals(current);
	return status;
}

void rpc_serve_run(struct krg_rpc_in *in)
{
	int status = -ECANCELED;

	/* Held over the handler: it may give the request to who finishes it at once. */
	refcount_inc(&in->ref);
	if (!in->refused && !krg_rpc_cancelled(&in->req))
		status = serve_handle(in);
	if (in->frame.type == KRG_FRAME_POST && status == -EPROTO) {
		krg_rpc_lane_garbage(in->lane, "a post its service does not understand");
		in->lane->transport->lane_drop(in->lane);
	}
	if (status != KRG_RPC_LATER)
		krg_rpc_finish(&in->req, status);
	rpc_in_put(in);
}

static struct krg_rpc_in *serve_next(struct krg_rpc_lane_state *lane)
{
	struct krg_rpc_in *in;

	spin_lock_bh(&lane->lock);
	in = list_first_entry_or_null(&lane->inbox, struct krg_rpc_in, link);
	if (in)
		list_del_init(&in->link);
	spin_unlock_bh(&lane->lock);
	return in;
}

void rpc_serve_inbox(struct work_struct *work)
{
	struct krg_rpc_lane_state *lane =
		container_of(work, struct krg_rpc_lane_state, inbox_work);
	struct krg_rpc_in *in;

	while ((in = serve_next(lane))) {
		rpc_serve_run(in);
		cond_resched();
	}
	krg_rpc_lane_put(lane);
}

static int serve_echo(struct krg_rpc_request *req)
{
	return krg_rpc_reply(req, req->data, req->len);
}

const struct krg_rpc_service rpc_echo = {
	.id = KRG_SERVICE_ECHO,
	.name = "echo",
	.max_request = KRG_RPC_MAX_BULK,
	.max_reply = KRG_RPC_MAX_BULK,
	.flags = KRG_RPC_ANY_EPOCH,
	.handle = serve_echo,
	.owner = THIS_MODULE,
};
