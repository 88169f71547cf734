/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of krg_nl share: one handler a command, named for it. */
#ifndef KRG_NL_H
#define KRG_NL_H

#include <net/genetlink.h>
#include <net/sock.h>
#include <krg/extack.h>
#include <krg/krg_netlink.h>
#include <krg/types.h>

extern struct genl_family krg_nl_family;

/* policy.c: what each command may carry */
extern const struct nla_policy nl_key_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_config_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_start_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_nodes_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_stop_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_ps_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_stat_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_freeze_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_unfreeze_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_checkpoint_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_restart_policy[KRG_A_MAX + 1];
extern const struct nla_policy nl_substitute_policy[KRG_A_SUBSTITUTE_MAX + 1];

/* reply.c */
struct nl_reply {
	struct sk_buff *skb;
	void *hdr;
};

int nl_reply_begin(struct nl_reply *reply, struct genl_info *info, size_t payload);
int nl_reply_send(struct nl_reply *reply, struct genl_info *info);
void nl_reply_drop(struct nl_reply *reply);
int nl_may_administer(struct sk_buff *skb, struct genl_info *info);
bool nl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, void **hdr);

/* node.c: this node's features, key, counters */
int nl_hook_features(struct sk_buff *skb, struct genl_info *info);
int nl_key_set(struct sk_buff *skb, struct genl_info *info);
int nl_key_info(struct sk_buff *skb, struct genl_info *info);
int nl_counters_get(struct sk_buff *skb, struct netlink_callback *cb);

/* cluster.c: membership */
int nl_node_config(struct sk_buff *skb, struct genl_info *info);
int nl_cluster_status(struct sk_buff *skb, struct genl_info *info);
int nl_cluster_start(struct sk_buff *skb, struct genl_info *info);
int nl_cluster_stop(struct sk_buff *skb, struct genl_info *info);
int nl_nodes_add(struct sk_buff *skb, struct genl_info *info);
int nl_nodes_del(struct sk_buff *skb, struct genl_info *info);
int nl_nodes_start(struct netlink_callback *cb);
int nl_nodes_get(struct sk_buff *skb, struct netlink_callback *cb);
int nl_nodes_done(struct netlink_callback *cb);

/* view.c: processes and figures of all nodes */
int nl_view_start(struct netlink_callback *cb);
int nl_ps_get(struct sk_buff *skb, struct netlink_callback *cb);
int nl_stat_get(struct sk_buff *skb, struct netlink_callback *cb);
int nl_view_done(struct netlink_callback *cb);

/* app.c: freeze, checkpoint, restart */
int nl_freeze(struct sk_buff *skb, struct genl_info *info);
int nl_unfreeze(struct sk_buff *skb, struct genl_info *info);
int nl_checkpoint(struct sk_buff *skb, struct genl_info *info);
int nl_restart(struct sk_buff *skb, struct genl_info *info);

/* owner.c */
int nl_owner_init(void);
void nl_owner_exit(void);

/* event.c */
void nl_event_app(struct net *net, u32 event, pid_t pid, pid_t appid, u32 sig);
int nl_event_init(void);
void nl_event_exit(void);

#endif
