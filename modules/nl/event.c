// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens, told to whoever listens to the "events" group of the network
 * namespace it happened in. Nobody waits for a listener: one that is too slow
 * gets ENOBUFS and knows that it missed something.
 */
#include <linux/ktime.h>
#include <krg/cluster.h>
#include "nl.h"

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

static struct sk_buff *event_begin(u32 event, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &krg_nl_family, 0, KRG_CMD_EVENT);
	if (*hdr && !nla_put_u32(skb, KRG_A_EVENT, event) &&
	    !nla_put_u64_64bit(skb, KRG_A_TIME_NS, ktime_get_real_ns(), KRG_A_PAD))
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
	skb = event_begin(event, &hdr);
	if (!skb)
		return NOTIFY_DONE;
	if (nla_put_u32(skb, KRG_A_NODE, from->node) || nla_put_u32(skb, KRG_A_EPOCH, from->epoch))
		nlmsg_free(skb);
	else
		event_send(from->net, skb, hdr);
	return NOTIFY_DONE;
}

/**
 * nl_event_app() - Tell what was done to an application
 * @net: the caller's namespace
 * @event: KRG_EVENT_FREEZE, _UNFREEZE, _CHECKPOINT or _RESTART
 * @pid: its root as the caller sees it
 * @appid: its name
 * @sig: signal it was sent, 0: none
 */
void nl_event_app(struct net *net, u32 event, pid_t pid, pid_t appid, u32 sig)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(event, &hdr);
	if (!skb)
		return;
	if ((krg_self(net) >= 0 && nla_put_u32(skb, KRG_A_NODE, krg_self(net))) ||
	    nla_put_s32(skb, KRG_A_PID, pid) || nla_put_s32(skb, KRG_A_APPID, appid) ||
	    (sig && nla_put_u32(skb, KRG_A_SIGNAL, sig)))
		nlmsg_free(skb);
	else
		event_send(net, skb, hdr);
}

static struct notifier_block event_notifier = {
	.notifier_call = event_member,
};

int nl_event_init(void)
{
	return krg_cluster_notifier_register(&event_notifier);
}

void nl_event_exit(void)
{
	krg_cluster_notifier_unregister(&event_notifier);
}
