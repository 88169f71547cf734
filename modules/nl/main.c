// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_nl: the generic netlink family "krg", krg's one door to user space.
 * What the commands mean: include/uapi/krg/krg_netlink.h.
 *
 * Commands run in parallel, each in its caller's context: a checkpoint that
 * takes long holds up nobody, and files are opened with the caller's rights.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "nl.h"

static int (* const nl_doers[])(struct sk_buff *skb, struct genl_info *info) = {
	[KRG_CMD_HOOK_FEATURES] = nl_hook_features,
	[KRG_CMD_KEY_SET] = nl_key_set,
	[KRG_CMD_KEY_INFO] = nl_key_info,
	[KRG_CMD_NODE_CONFIG] = nl_node_config,
	[KRG_CMD_CLUSTER_STATUS] = nl_cluster_status,
	[KRG_CMD_CLUSTER_START] = nl_cluster_start,
	[KRG_CMD_CLUSTER_STOP] = nl_cluster_stop,
	[KRG_CMD_NODES_ADD] = nl_nodes_add,
	[KRG_CMD_NODES_DEL] = nl_nodes_del,
	[KRG_CMD_FREEZE] = nl_freeze,
	[KRG_CMD_UNFREEZE] = nl_unfreeze,
	[KRG_CMD_CHECKPOINT] = nl_checkpoint,
	[KRG_CMD_RESTART] = nl_restart,
};

/*
 * Netlink takes -EINTR for "a dump was begun" and sends no answer (netlink_rcv_skb()):
 * whoever asked, and was interrupted, would wait for one.
 */
static int nl_do(struct sk_buff *skb, struct genl_info *info)
{
	int err = nl_doers[info->genlhdr->cmd](skb, info);

	if (err == -EINTR)
		netlink_ack(skb, nlmsg_hdr(skb), err, info->extack);
	return err;
}

static const struct genl_ops nl_ops[] = {
	{
		.cmd = KRG_CMD_HOOK_FEATURES,
		.doit = nl_do,
	}, {
		.cmd = KRG_CMD_KEY_SET,
		.doit = nl_do,
		.policy = nl_key_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_KEY_INFO,
		.doit = nl_do,
	}, {
		.cmd = KRG_CMD_NODE_CONFIG,
		.doit = nl_do,
		.policy = nl_config_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_CLUSTER_STATUS,
		.doit = nl_do,
	}, {
		.cmd = KRG_CMD_CLUSTER_START,
		.doit = nl_do,
		.policy = nl_start_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_CLUSTER_STOP,
		.doit = nl_do,
		.policy = nl_stop_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_NODES_ADD,
		.doit = nl_do,
		.policy = nl_nodes_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_NODES_DEL,
		.doit = nl_do,
		.policy = nl_nodes_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_NODES_GET,
		.start = nl_nodes_start,
		.dumpit = nl_nodes_get,
		.done = nl_nodes_done,
	}, {
		.cmd = KRG_CMD_PS_GET,
		.start = nl_view_start,
		.dumpit = nl_ps_get,
		.done = nl_view_done,
		.policy = nl_ps_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_STAT_GET,
		.start = nl_view_start,
		.dumpit = nl_stat_get,
		.done = nl_view_done,
		.policy = nl_stat_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_FREEZE,
		.doit = nl_do,
		.policy = nl_freeze_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_UNFREEZE,
		.doit = nl_do,
		.policy = nl_unfreeze_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_CHECKPOINT,
		.doit = nl_do,
		.policy = nl_checkpoint_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_RESTART,
		.doit = nl_do,
		.policy = nl_restart_policy,
		.maxattr = KRG_A_MAX,
	}, {
		.cmd = KRG_CMD_COUNTERS_GET,
		.dumpit = nl_counters_get,
	},
};

static const struct genl_multicast_group nl_groups[] = {
	{ .name = KRG_GENL_GROUP_EVENTS },
};

struct genl_family krg_nl_family __ro_after_init = {
	.name = KRG_GENL_NAME,
	.version = KRG_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = nl_ops,
	.n_ops = ARRAY_SIZE(nl_ops),
	.resv_start_op = KRG_CMD_UNSPEC + 1,
	.mcgrps = nl_groups,
	.n_mcgrps = ARRAY_SIZE(nl_groups),
};

static int __init nl_init(void)
{
	int err;

	err = nl_owner_init();
	if (err)
		return err;
	err = genl_register_family(&krg_nl_family);
	if (err)
		goto err_owner;
	err = nl_event_init();
	if (err)
		goto err_family;
	return 0;

err_family:
	genl_unregister_family(&krg_nl_family);
err_owner:
	nl_owner_exit();
	return err;
}

static void __exit nl_exit(void)
{
	nl_event_exit();
	genl_unregister_family(&krg_nl_family);
	nl_owner_exit();
}

module_init(nl_init);
module_exit(nl_exit);

MODULE_DESCRIPTION("krg: generic netlink family");
MODULE_SOFTDEP("pre: krg_mm krg_ipc");
MODULE_LICENSE("GPL");
MODULE_ALIAS_NET_PF_PROTO_NAME(PF_NETLINK, NETLINK_GENERIC, "-family-" KRG_GENL_NAME);
