// SPDX-License-Identifier: GPL-2.0-only
/* Membership: configuration, status, start, stop, add, del, and the list of nodes. */
#include <linux/inet.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <krg/cluster.h>
#include "nl.h"

static_assert((int)KRG_NODE_STATE_PRESENT == (int)KRG_NODE_PRESENT);
static_assert((int)KRG_NODE_STATE_ONLINE == (int)KRG_NODE_ONLINE);
static_assert((int)KRG_NODE_STATE_LEAVING == (int)KRG_NODE_LEAVING);
static_assert((int)KRG_NODE_STATE_FAILED == (int)KRG_NODE_FAILED);
static_assert(KRG_START_STRICT_CAPS == KRG_CLUSTER_STRICT_CAPS);

static struct krg_cluster_snapshot *cluster_look(struct net *net, struct netlink_ext_ack *extack)
{
	struct krg_cluster_snapshot *snap = krg_cluster_snapshot(net);

	if (!snap)
		return ERR_PTR(-ENOMEM);
	if (PTR_ERR(snap) == -ENODEV)
		krg_extack_msg(extack, "this is no node: it has no session and node id");
	return snap;
}

/*
 * Of this node: a node that was told it failed, or that finds itself without
 * the majority, is in no cluster it may act for.
 */
static u32 cluster_state(const struct krg_cluster_snapshot *snap)
{
	if (snap->up && !snap->quorate)
		return KRG_CLUSTER_STATE_ERROR;
	if (snap->changing)
		return KRG_CLUSTER_STATE_CHANGING;
	return snap->up ? KRG_CLUSTER_STATE_UP : KRG_CLUSTER_STATE_DOWN;
}

static int cluster_put_status(struct sk_buff *skb, const struct krg_cluster_snapshot *snap)
{
	return nla_put_u32(skb, KRG_A_CLUSTER_STATE, cluster_state(snap)) ?:
	       nla_put_u32(skb, KRG_A_NODE, snap->self) ?:
	       nla_put_u32(skb, KRG_A_SESSION, snap->session) ?:
	       nla_put_u32(skb, KRG_A_EPOCH, snap->epoch) ?:
	       nla_put_u32(skb, KRG_A_MAX_NODES, snap->max_nodes) ?:
	       nla_put_u32(skb, KRG_A_ONLINE, snap->online) ?:
	       nla_put_u32(skb, KRG_A_PRESENT, snap->present) ?:
	       nla_put_u32(skb, KRG_A_FAILED, snap->failed);
}

int nl_cluster_status(struct sk_buff *skb, struct genl_info *info)
{
	struct krg_cluster_snapshot *snap;
	struct nl_reply reply;
	int err;

	snap = cluster_look(genl_info_net(info), info->extack);
	if (IS_ERR(snap))
		return PTR_ERR(snap);
	err = nl_reply_begin(&reply, info, 8 * nla_total_size(sizeof(u32)));
	if (err)
		goto out_snap;
	err = cluster_put_status(reply.skb, snap);
	if (err)
		nl_reply_drop(&reply);
	else
		err = nl_reply_send(&reply, info);
out_snap:
	kvfree(snap);
	return err;
}

/* The set a command names; false: it names none. */
static bool cluster_nodes(struct genl_info *info, struct krg_nodemask *mask)
{
	const struct nlattr *attr = info->attrs[KRG_A_NODES];
	const u8 *bytes;
	unsigned int node;

	bitmap_zero(mask->bits, KRG_MAX_NODES);
	if (!attr)
		return false;
	bytes = nla_data(attr);
	for (node = 0; node < KRG_MAX_NODES; node++)
		if (bytes[node / BITS_PER_BYTE] & BIT(node % BITS_PER_BYTE))
			__set_bit(node, mask->bits);
	return true;
}

static u32 cluster_u32(struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : 0;
}

int nl_cluster_start(struct sk_buff *skb, struct genl_info *info)
{
	struct krg_nodemask mask;
	bool chosen = cluster_nodes(info, &mask);
	int err = nl_may_administer(skb, info);

	return err ?: krg_cluster_start(genl_info_net(info), chosen ? &mask : NULL,
					cluster_u32(info, KRG_A_FLAGS),
					cluster_u32(info, KRG_A_TIMEOUT_MS), info->extack);
}

int nl_cluster_stop(struct sk_buff *skb, struct genl_info *info)
{
	u32 asked = cluster_u32(info, KRG_A_FLAGS);
	u32 flags = (asked & KRG_STOP_POWEROFF ? KRG_CLUSTER_POWEROFF : 0) |
		    (asked & KRG_STOP_REBOOT ? KRG_CLUSTER_REBOOT : 0);
	int err = nl_may_administer(skb, info);

	if (!err && flags && !netlink_capable(skb, CAP_SYS_BOOT))
		err = krg_extack_err(info->extack, -EPERM,
				     "switching machines off takes CAP_SYS_BOOT");
	return err ?: krg_cluster_stop(genl_info_net(info), flags,
				       cluster_u32(info, KRG_A_TIMEOUT_MS), info->extack);
}

static int cluster_change(struct sk_buff *skb, struct genl_info *info,
			  int (*change)(struct net *net, const struct krg_nodemask *nodes,
					unsigned int timeout_ms, struct netlink_ext_ack *extack))
{
	struct krg_nodemask mask;
	int err = nl_may_administer(skb, info);

	if (err)
		return err;
	if (!cluster_nodes(info, &mask))
		return krg_extack_err(info->extack, -EINVAL, "no nodes given");
	return change(genl_info_net(info), &mask, cluster_u32(info, KRG_A_TIMEOUT_MS),
		      info->extack);
}

int nl_nodes_add(struct sk_buff *skb, struct genl_info *info)
{
	return cluster_change(skb, info, krg_cluster_add);
}

int nl_nodes_del(struct sk_buff *skb, struct genl_info *info)
{
	return cluster_change(skb, info, krg_cluster_del);
}

/* A dump works on one look at the membership, taken when it starts. */
struct nodes_dump {
	struct krg_cluster_snapshot *snap;
	unsigned int next;
};

static struct nodes_dump *nodes_dump(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nodes_dump) > sizeof(cb->ctx));
	return (struct nodes_dump *)cb->ctx;
}

int nl_nodes_start(struct netlink_callback *cb)
{
	struct krg_cluster_snapshot *snap = cluster_look(sock_net(cb->skb->sk), cb->extack);

	if (IS_ERR(snap))
		return PTR_ERR(snap);
	nodes_dump(cb)->snap = snap;
	return 0;
}

int nl_nodes_done(struct netlink_callback *cb)
{
	kvfree(nodes_dump(cb)->snap);
	return 0;
}

static int nodes_put(struct sk_buff *skb, const struct krg_cluster_node *node, bool self)
{
	char addr[INET6_ADDRSTRLEN];

	snprintf(addr, sizeof(addr), "%pIS", &node->addr);
	return nla_put_u32(skb, KRG_A_NODE, node->node) ?:
	       nla_put_u32(skb, KRG_A_NODE_STATE, node->state) ?:
	       (node->addr.ss_family ? nla_put_string(skb, KRG_A_ADDRESS, addr) : 0) ?:
	       nla_put_u64_64bit(skb, KRG_A_INCARNATION, node->incarnation, KRG_A_PAD) ?:
	       (self ? nla_put_flag(skb, KRG_A_SELF) : 0);
}

int nl_nodes_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nodes_dump *dump = nodes_dump(cb);
	const struct krg_cluster_snapshot *snap = dump->snap;
	void *hdr;

	for (; dump->next < snap->nr; dump->next++) {
		const struct krg_cluster_node *node = &snap->nodes[dump->next];

		if (!nl_dump_begin(skb, cb, KRG_CMD_NODES_GET, &hdr))
			break;
		if (nodes_put(skb, node, node->node == snap->self)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}

int nl_node_config(struct sk_buff *skb, struct genl_info *info)
{
	struct krg_cluster_config cfg = { };
	struct nlattr **attrs = info->attrs;
	int err = nl_may_administer(skb, info);

	if (err)
		return err;
	if (!attrs[KRG_A_SESSION] || !attrs[KRG_A_NODE] || !attrs[KRG_A_NET_DEV])
		return krg_extack_err(info->extack, -EINVAL,
				      "session, node and interface must be given");
	cfg.session = nla_get_u32(attrs[KRG_A_SESSION]);
	cfg.node = nla_get_u32(attrs[KRG_A_NODE]);
	nla_strscpy(cfg.net_dev, attrs[KRG_A_NET_DEV], sizeof(cfg.net_dev));
	if (attrs[KRG_A_MAX_NODES])
		cfg.max_nodes = nla_get_u32(attrs[KRG_A_MAX_NODES]);
	if (attrs[KRG_A_NB_NODES_MIN])
		cfg.nb_nodes_min = nla_get_u32(attrs[KRG_A_NB_NODES_MIN]);
	return krg_cluster_configure(genl_info_net(info), &cfg, info->extack);
}
