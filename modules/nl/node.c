// SPDX-License-Identifier: GPL-2.0-only
/* This node: what its kernel offers, its key, its links. */
#include <linux/kernel.h>
#include <krg/cluster.h>
#include <krg/hook.h>
#include <krg/rpc.h>
#include "nl.h"

static_assert(KRG_KEY_MIN == KRG_RPC_KEY_MIN && KRG_KEY_MAX == KRG_RPC_KEY_MAX);

static int node_put_feature(struct sk_buff *skb, u32 bit)
{
	struct nlattr *nest = nla_nest_start(skb, KRG_A_FEATURE);

	if (!nest || nla_put_u32(skb, KRG_A_FEATURE_BIT, bit) ||
	    nla_put_string(skb, KRG_A_FEATURE_NAME, krg_feature_name(bit)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int node_put_features(struct sk_buff *skb)
{
	struct krg_features features;
	u32 bit;
	int err;

	krg_hook_features(&features);
	err = nla_put_u64_64bit(skb, KRG_A_FEATURES, features.bits, KRG_A_PAD);
	for (bit = 0; !err && bit < KRG_FEATURE_COUNT; bit++)
		if (features.bits & BIT_ULL(bit))
			err = node_put_feature(skb, bit);
	return err;
}

int nl_hook_features(struct sk_buff *skb, struct genl_info *info)
{
	struct nl_reply reply;
	int err;

	err = nl_reply_begin(&reply, info, nla_total_size_64bit(sizeof(u64)) +
			     KRG_FEATURE_COUNT * (nla_total_size(0) + nla_total_size(sizeof(u32)) +
						  nla_total_size(KRG_NAME_MAX)));
	if (err)
		return err;
	err = node_put_features(reply.skb);
	if (!err)
		return nl_reply_send(&reply, info);
	nl_reply_drop(&reply);
	return err;
}

int nl_key_set(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *key = info->attrs[KRG_A_KEY];
	struct net *net = genl_info_net(info);
	int err = nl_may_administer(skb, info);

	if (err)
		return err;
	if (!key)
		return krg_extack_err(info->extack, -EINVAL, "no key given");
	/* The others would not hear it any more. */
	if (krg_cluster_is_up(net) && !krg_rpc_key_is(net, nla_data(key), nla_len(key)))
		return krg_extack_err(info->extack, -EBUSY,
				      "this node is in a cluster, with another key");
	return krg_rpc_set_key(net, nla_data(key), nla_len(key));
}

int nl_key_info(struct sk_buff *skb, struct genl_info *info)
{
	char text[2 * KRG_RPC_FINGERPRINT + 1];
	struct net *net = genl_info_net(info);
	u8 print[KRG_RPC_FINGERPRINT];
	struct nl_reply reply;
	int err;

	err = nl_reply_begin(&reply, info, nla_total_size(sizeof(text)));
	if (err)
		return err;
	if (krg_rpc_has_key(net)) {
		err = krg_rpc_fingerprint(net, print);
		if (err)
			goto drop;
		*bin2hex(text, print, sizeof(print)) = '\0';
		err = nla_put_string(reply.skb, KRG_A_FINGERPRINT, text);
		if (err)
			goto drop;
	}
	return nl_reply_send(&reply, info);
drop:
	nl_reply_drop(&reply);
	return err;
}

static const char *const node_lane_names[KRG_LANES] = {
	[KRG_LANE_CONTROL] = "control",
	[KRG_LANE_BULK] = "bulk",
};

/* One counter: its name, and where it is in struct krg_rpc_counters. */
static const struct {
	const char *name;
	size_t offset;
} node_counters[] = {
#define COUNTER(field) { #field, offsetof(struct krg_rpc_counters, field) }
	COUNTER(tx_frames), COUNTER(rx_frames), COUNTER(tx_bytes), COUNTER(rx_bytes),
	COUNTER(calls), COUNTER(served), COUNTER(timeouts), COUNTER(cancelled),
	COUNTER(late), COUNTER(stale), COUNTER(lost), COUNTER(garbage),
	COUNTER(connects), COUNTER(stalls), COUNTER(queued), COUNTER(in_flight),
#undef COUNTER
};

static int node_put_counter(struct sk_buff *skb, const char *lane, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, KRG_A_COUNTER);
	char full[KRG_NAME_MAX];

	if (!nest)
		return -EMSGSIZE;
	snprintf(full, sizeof(full), "%s.%s", lane, name);
	if (nla_put_string(skb, KRG_A_COUNTER_NAME, full) ||
	    nla_put_u64_64bit(skb, KRG_A_COUNTER_VALUE, value, KRG_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int node_put_lane(struct sk_buff *skb, const char *lane, const struct krg_rpc_counters *c)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(node_counters); i++) {
		err = node_put_counter(skb, lane, node_counters[i].name,
				       *(const u64 *)((const char *)c + node_counters[i].offset));
		if (err)
			return err;
	}
	return 0;
}

static int node_put_peer(struct sk_buff *skb, krg_node_t node,
			 const struct krg_rpc_counters lanes[KRG_LANES])
{
	int lane, err;

	err = nla_put_u32(skb, KRG_A_NODE, node);
	for (lane = 0; !err && lane < KRG_LANES; lane++)
		err = node_put_lane(skb, node_lane_names[lane], &lanes[lane]);
	return err;
}

int nl_counters_get(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct krg_rpc_counters lanes[KRG_LANES];
	struct net *net = sock_net(cb->skb->sk);
	void *hdr;

	for (; cb->args[0] < KRG_MAX_NODES; cb->args[0]++) {
		krg_node_t node = cb->args[0];

		/* A node that is no peer has no counters. */
		if (krg_rpc_counters(net, node, KRG_LANE_CONTROL, &lanes[KRG_LANE_CONTROL]) ||
		    krg_rpc_counters(net, node, KRG_LANE_BULK, &lanes[KRG_LANE_BULK]))
			continue;
		if (!nl_dump_begin(skb, cb, KRG_CMD_COUNTERS_GET, &hdr))
			break;
		if (node_put_peer(skb, node, lanes)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}
