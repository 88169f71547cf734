// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens, told to whoever listens to the "events" group of the network
 * namespace it happened in. Nobody waits for a listener: one that is too slow
 * gets ENOBUFS and knows that it missed something.
 *
 * Membership every node sees for itself. What is done to an application only the
 * node knows where it is done: that tells the others, once and without being sure
 * that it arrives.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <krg/cluster.h>
#include <krg/rpc.h>
#include "nl.h"

#define EVENT_TIMEOUT_MS	100

/* What one node tells another; the node is who sends it. */
struct event_wire {
	__le32 event;
	__le32 pid;
	__le32 appid;
	__le32 sig;
	__le64 time_ns;
};

/* Membership's own words, as the notifier chain gives them. */
static u32 event_of(unsigned long what)
{
	switch (what) {
	case KRG_NODE_PRESENT:
		return KRG_EVENT_NODE_PRESENT;
	case KRG_NODE_ONLINE:
		return KRG_EVENT_NODE_ONLINE;
	case KRG_NODE_LEAVING:
		return KRG_EVENT_NODE_LEAVING;
	case KRG_NODE_FAILED:
		return KRG_EVENT_NODE_FAILED;
	case KRG_NODE_ABSENT:
		return KRG_EVENT_NODE_ABSENT;
	case KRG_CLUSTER_UP:
		return KRG_EVENT_CLUSTER_UP;
	case KRG_CLUSTER_DOWN:
		return KRG_EVENT_CLUSTER_DOWN;
	default:
		return KRG_EVENT_UNSPEC;
	}
}

static struct sk_buff *event_begin(u32 event, u64 time_ns, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &krg_nl_family, 0, KRG_CMD_EVENT);
	if (*hdr && !nla_put_u32(skb, KRG_A_EVENT, event) &&
	    !nla_put_u64_64bit(skb, KRG_A_TIME_NS, time_ns, KRG_A_PAD))
		return skb;
	nlmsg_free(skb);
	return NULL;
}

static void event_send(struct net *net, struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
	/* -ESRCH: nobody listens */
	genlmsg_multicast_netns(&krg_nl_family, net, skb, 0, 0, GFP_KERNEL);
}

static int event_member(struct notifier_block *nb, unsigned long what, void *data)
{
	const struct krg_cluster_event *from = data;
	u32 event = event_of(what);
	struct sk_buff *skb;
	void *hdr;

	if (event == KRG_EVENT_UNSPEC)
		return NOTIFY_DONE;
	skb = event_begin(event, ktime_get_real_ns(), &hdr);
	if (!skb)
		return NOTIFY_DONE;
	if (nla_put_u32(skb, KRG_A_NODE, from->node) || nla_put_u32(skb, KRG_A_EPOCH, from->epoch))
		nlmsg_free(skb);
	else
		event_send(from->net, skb, hdr);
	return NOTIFY_DONE;
}

static void event_app(struct net *net, int node, const struct event_wire *wire)
{
	u32 sig = le32_to_cpu(wire->sig);
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(le32_to_cpu(wire->event), le64_to_cpu(wire->time_ns), &hdr);
	if (!skb)
		return;
	if ((node >= 0 && nla_put_u32(skb, KRG_A_NODE, node)) ||
	    nla_put_s32(skb, KRG_A_PID, le32_to_cpu(wire->pid)) ||
	    nla_put_s32(skb, KRG_A_APPID, le32_to_cpu(wire->appid)) ||
	    (sig && nla_put_u32(skb, KRG_A_SIGNAL, sig)))
		nlmsg_free(skb);
	else
		event_send(net, skb, hdr);
}

static int event_malformed(krg_node_t from)
{
	pr_warn_ratelimited("node %d sent a malformed event\n", from);
	return -EPROTO;
}

static int event_serve(struct krg_rpc_request *req)
{
	const struct event_wire *wire = req->data;

	if (req->len != sizeof(*wire))
		return event_malformed(req->from);
	switch (le32_to_cpu(wire->event)) {
	case KRG_EVENT_FREEZE:
	case KRG_EVENT_UNFREEZE:
	case KRG_EVENT_CHECKPOINT:
	case KRG_EVENT_RESTART:
		event_app(req->net, req->from, wire);
		return 0;
	default:
		return event_malformed(req->from);
	}
}

static const struct krg_rpc_service event_service = {
	.id = KRG_SERVICE_NL,
	.name = "event",
	.max_request = sizeof(struct event_wire),
	.handle = event_serve,
	.owner = THIS_MODULE,
};

/**
 * nl_event_app() - Tell, on every node, what was done to an application
 * @net: the caller's namespace
 * @event: KRG_EVENT_FREEZE, _UNFREEZE, _CHECKPOINT or _RESTART
 * @pid: its root as the caller sees it
 * @appid: its name
 * @sig: signal it was sent, 0: none
 *
 * Context: process, may wait for room to send.
 */
void nl_event_app(struct net *net, u32 event, pid_t pid, pid_t appid, u32 sig)
{
	const struct event_wire wire = {
		.event = cpu_to_le32(event),
		.pid = cpu_to_le32(pid),
		.appid = cpu_to_le32(appid),
		.sig = cpu_to_le32(sig),
		.time_ns = cpu_to_le64(ktime_get_real_ns()),
	};
	/* It may get lost: nobody waits long for a node that takes nothing. */
	struct krg_rpc_opts opts = { .interruptible = true, .timeout_ms = EVENT_TIMEOUT_MS };
	int self = krg_self(net);
	struct krg_nodemask others;

	event_app(net, self, &wire);
	if (self < 0 || !krg_online_nodes(net, &others))
		return;
	__clear_bit(self, others.bits);
	krg_rpc_multicast_send(net, &others, KRG_SERVICE_NL, &wire, sizeof(wire), &opts);
}

static struct notifier_block event_notifier = {
	.notifier_call = event_member,
};

int nl_event_init(void)
{
	int err;

	err = krg_rpc_register(&event_service);
	if (err)
		return err;
	err = krg_cluster_notifier_register(&event_notifier);
	if (err)
		krg_rpc_unregister(&event_service);
	return err;
}

void nl_event_exit(void)
{
	krg_cluster_notifier_unregister(&event_notifier);
	krg_rpc_unregister(&event_service);
}
