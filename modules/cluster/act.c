// SPDX-License-Identifier: GPL-2.0-only
/* What the pure code wants done, done: at once, or queued where it may wait. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/in.h>
#include <linux/ratelimit.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "cluster.h"
#include "core/wire.h"
#include "trace.h"

static_assert(KRG_FLAGS_END == (KRG_CLUSTER_POWEROFF | KRG_CLUSTER_REBOOT));

#define SEND_TIMEOUT_MS	500	/* repeated at the next tick anyhow */

void cluster_sockaddr(struct krg_node_addr addr, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = (__force __be32)addr.ip;
	in->sin_port = htons(addr.port ?: KRG_RPC_PORT);
}

/* State changes must be told: these small allocations may not fail. */
static struct cluster_note *queue_note(struct cluster *c, unsigned long event, krg_node_t node)
{
	struct cluster_note *note = kzalloc(sizeof(*note), GFP_KERNEL | __GFP_NOFAIL);

	note->event = event;
	note->node = node;
	note->epoch = c->m->epoch;
	note->after = c->out_queued;
	list_add_tail(&note->link, &c->notes);
	queue_work(cluster_slow_wq, &c->note_work);
	return note;
}

/* Who leaves for good and has lost the others won't be told that it has left. */
static void queue_view(struct cluster *c)
{
	struct cluster_note *note = queue_note(c, KRG_CLUSTER_VIEW, c->m->self);
	unsigned int n;

	if (krg_in_cluster(c->m) && !c->m->view.quorate)
		note->then = c->then;
	note->view = kzalloc(sizeof(*note->view), GFP_KERNEL | __GFP_NOFAIL);
	note->view->epoch = c->m->epoch;
	note->view->quorate = c->m->view.quorate;
	for (n = 0; n < KRG_NODES; n++) {
		if (krg_view_member(&c->m->view, n))
			__set_bit(n, note->view->members.bits);
		if (c->m->view.node[n].state == KRG_NODE_LEAVING)
			__set_bit(n, note->view->leaving.bits);
	}
}

static void queue_out(struct cluster *c, struct cluster_out_item *item)
{
	c->out_queued++;
	list_add_tail(&item->link, &c->outbox);
	queue_work(cluster_slow_wq, &c->out_work);
}

static void queue_peer(struct cluster *c, enum cluster_out_type type, krg_node_t node)
{
	struct cluster_out_item *item = kzalloc(sizeof(*item), GFP_KERNEL | __GFP_NOFAIL);

	item->type = type;
	item->node = node;
	item->incarnation = c->m->member[node].incarnation;
	item->addr = c->m->member[node].addr;
	queue_out(c, item);
}

/* A message that is not sent for want of memory is one that got lost. */
static void queue_send(struct cluster *c, const struct krg_action *act)
{
	struct cluster_out_item *item;
	struct krg_msg msg;
	int len;

	krg_membership_msg(c->m, act, &msg);
	if (msg.type == KRG_MSG_NONE)
		return;
	len = krg_msg_encode(&msg, c->wire, KRG_MSG_BYTES_MAX);
	if (WARN_ON_ONCE(len < 0))
		return;
	item = kmalloc(struct_size(item, data, DIV_ROUND_UP(len, sizeof(u64))), GFP_KERNEL);
	if (!item)
		return;
	item->type = CLUSTER_OUT_SEND;
	item->node = act->node;
	item->len = len;
	memcpy(item->data, c->wire, len);
	queue_out(c, item);
}

static void act_state(struct cluster *c, const struct krg_action *act)
{
	trace_krg_cluster_state(c->m->self, act->node, act->from, act->to, act->epoch);
	if (act->node != c->m->self) {
		if (act->to == KRG_NODE_FAILED || act->to == KRG_NODE_ABSENT)
			queue_peer(c, CLUSTER_OUT_PEER_DEL, act->node);
		else if (act->from == KRG_NODE_FAILED || act->from == KRG_NODE_ABSENT)
			queue_peer(c, CLUSTER_OUT_PEER_ADD, act->node);
	}
	queue_note(c, act->to, act->node);
}

static void act_epoch(struct cluster *c)
{
	struct krg_mask members = krg_view_members(&c->m->view);

	krg_rpc_set_epoch(c->net, c->m->epoch);
	c->then = c->m->view.flags & KRG_FLAGS_END;
	trace_krg_cluster_epoch(c->m->self, c->m->epoch, c->m->view.quorate,
				krg_mask_count(&members));
	queue_view(c);
}

static void act_notice(const struct cluster *c, const struct krg_action *act)
{
	static DEFINE_RATELIMIT_STATE(limit, 5 * HZ, 20);

	if (!__ratelimit(&limit))
		return;
	switch (act->notice) {
	case KRG_NOTICE_DUPLICATE:
		pr_err("node id %u is used by two machines, %pI4 and %pI4: the second is refused\n",
		       act->node, &act->a.ip, &act->b.ip);
		break;
	case KRG_NOTICE_MISMATCH:
		pr_err("node %u at %pI4 has another max_nodes or lease time than ours: ignored\n",
		       act->node, &act->a.ip);
		break;
	case KRG_NOTICE_LOST:
		pr_warn("node %u at %pI4 is lost\n", act->node, &act->a.ip);
		break;
	case KRG_NOTICE_REBORN:
		pr_warn("node %u at %pI4 has rebooted\n", act->node, &act->a.ip);
		break;
	case KRG_NOTICE_EVICTED:
		pr_err("the cluster goes on without this node, says node %u: leaving it\n",
		       act->node);
		break;
	case KRG_NOTICE_WEAKER:
		pr_err("met another part of the cluster, at node %u, that prevails: leaving ours\n",
		       act->node);
		break;
	case KRG_NOTICE_QUORUM_LOST:
		pr_warn("node %u: this side of the cluster has no quorum\n", c->m->self);
		break;
	case KRG_NOTICE_QUORUM_REGAINED:
		pr_info("node %u: this side of the cluster has quorum again\n", c->m->self);
		break;
	}
}

/**
 * cluster_perform() - do what the last event asked for
 * @c: node
 *
 * Context: process. Locks: @c->lock.
 */
void cluster_perform(struct cluster *c)
{
	bool beacon = false;
	unsigned int i;

	lockdep_assert_held(&c->lock);
	for (i = 0; i < c->out->count; i++) {
		const struct krg_action *act = &c->out->act[i];

		switch (act->type) {
		case KRG_ACT_STATE:
			act_state(c, act);
			break;
		case KRG_ACT_SEND:
			queue_send(c, act);
			break;
		case KRG_ACT_BEACON:
			beacon = true;
			break;
		case KRG_ACT_EPOCH:
			act_epoch(c);
			break;
		case KRG_ACT_UP:
			queue_note(c, KRG_CLUSTER_UP, c->m->self);
			break;
		case KRG_ACT_DOWN:
			queue_note(c, KRG_CLUSTER_DOWN, c->m->self)->then = c->then;
			break;
		case KRG_ACT_RESET:
			queue_peer(c, CLUSTER_OUT_RESET, c->m->self);
			break;
		case KRG_ACT_NOTICE:
			act_notice(c, act);
			break;
		}
	}
	if (beacon)
		cluster_udp_beacon(c);
	else if (c->m->beacon_soon && !READ_ONCE(c->stopping))
		mod_delayed_work(cluster_wq, &c->tick, msecs_to_jiffies(40));
}

static void out_one(struct cluster *c, const struct cluster_out_item *item)
{
	static const struct krg_rpc_opts opts = { .timeout_ms = SEND_TIMEOUT_MS };
	struct sockaddr_storage addr;
	int err;

	switch (item->type) {
	case CLUSTER_OUT_SEND:
		krg_rpc_send(c->net, item->node, KRG_SERVICE_CLUSTER, item->data, item->len, &opts);
		break;
	case CLUSTER_OUT_PEER_ADD:
		cluster_sockaddr(item->addr, &addr);
		err = krg_rpc_peer_add(c->net, item->node, &addr, item->incarnation);
		if (err)
			pr_err_ratelimited("cannot talk to node %d at %pI4: error %d\n", item->node,
					   &item->addr.ip, err);
		break;
	case CLUSTER_OUT_PEER_DEL:
		krg_rpc_peer_del(c->net, item->node);
		break;
	case CLUSTER_OUT_RESET:
		/* The next tick begins the new life. */
		krg_rpc_node_shutdown(c->net);
		WRITE_ONCE(c->running, false);
		break;
	}
}

void cluster_out_work(struct work_struct *work)
{
	struct cluster *c = container_of(work, struct cluster, out_work);
	struct cluster_out_item *item;

	for (;;) {
		mutex_lock(&c->lock);
		item = list_first_entry_or_null(&c->outbox, struct cluster_out_item, link);
		if (item)
			list_del(&item->link);
		mutex_unlock(&c->lock);
		if (!item)
			return;
		out_one(c, item);
		kfree(item);
		mutex_lock(&c->lock);
		WRITE_ONCE(c->out_done, c->out_done + 1);
		mutex_unlock(&c->lock);
		wake_up_all(&c->wait);
	}
}

static void switch_off(const struct cluster *c, unsigned int how)
{
	bool reboot = how & KRG_CLUSTER_REBOOT;

	if (c->net != &init_net) {
		pr_notice("node %u is in a network namespace: its machine stays on\n", c->cfg.node);
		return;
	}
	pr_notice("the cluster is switched off: this machine %s\n",
		  reboot ? "restarts" : "powers off");
	if (reboot)
		orderly_reboot();
	else
		orderly_poweroff(true);
}

static void note_one(struct cluster *c, const struct cluster_note *note)
{
	struct krg_cluster_event data = {
		.net = c->net,
		.node = note->node,
		.epoch = note->epoch,
		.view = note->view,
	};
	bool leave = note->event == KRG_NODE_LEAVING && note->node == (int)c->cfg.node;

	/* What krg_rpc was to do before this, it has done. */
	wait_event(c->wait, (s32)(READ_ONCE(c->out_done) - note->after) >= 0 ||
		   READ_ONCE(c->stopping));
	if (leave)
		krg_cluster_leave_hold(c->net);
	cluster_call_chain(note->event, &data);
	if (leave)
		krg_cluster_leave_release(c->net);
	if (note->then)
		switch_off(c, note->then);
}

/**
 * krg_cluster_leave_hold() - this node may not leave yet
 * @net: namespace
 *
 * Called by a notifier told that this node is LEAVING, if what has to be given back
 * takes longer than the call. Followed by one krg_cluster_leave_release(); if the
 * node leaves in disorder before (KRG_CLUSTER_DOWN), then too.
 *
 * Context: process.
 */
void krg_cluster_leave_hold(struct net *net)
{
	struct cluster *c = cluster_of(net);

	mutex_lock(&c->lock);
	c->leave_holds++;
	mutex_unlock(&c->lock);
}
EXPORT_SYMBOL_GPL(krg_cluster_leave_hold);

/**
 * krg_cluster_leave_release() - what kept this node from leaving is done
 * @net: namespace
 *
 * Context: process. Locks: none that a notifier waits for.
 */
void krg_cluster_leave_release(struct net *net)
{
	struct krg_event ready = { .type = KRG_EV_READY };
	struct cluster *c = cluster_of(net);

	mutex_lock(&c->lock);
	if (!WARN_ON_ONCE(!c->leave_holds) && !--c->leave_holds && c->running)
		cluster_event(c, &ready);
	mutex_unlock(&c->lock);
}
EXPORT_SYMBOL_GPL(krg_cluster_leave_release);

void cluster_note_work(struct work_struct *work)
{
	struct cluster *c = container_of(work, struct cluster, note_work);
	struct cluster_note *note;

	for (;;) {
		mutex_lock(&c->lock);
		note = list_first_entry_or_null(&c->notes, struct cluster_note, link);
		if (note)
			list_del(&note->link);
		mutex_unlock(&c->lock);
		if (!note)
			return;
		note_one(c, note);
		kfree(note->view);
		kfree(note);
	}
}

void cluster_drop_queues(struct cluster *c)
{
	struct cluster_out_item *item, *next_item;
	struct cluster_note *note, *next_note;

	list_for_each_entry_safe(item, next_item, &c->outbox, link)
		kfree(item);
	list_for_each_entry_safe(note, next_note, &c->notes, link) {
		kfree(note->view);
		kfree(note);
	}
	INIT_LIST_HEAD(&c->outbox);
	INIT_LIST_HEAD(&c->notes);
}
