// SPDX-License-Identifier: GPL-2.0-only
/* Building answers, and who may ask. */
#include <linux/capability.h>
#include "nl.h"

/**
 * nl_reply_begin() - Start the answer to a command
 * @reply: filled in
 * @info: the command
 * @payload: upper bound of the attributes' size in bytes
 *
 * Return: 0; -ENOMEM
 */
int nl_reply_begin(struct nl_reply *reply, struct genl_info *info, size_t payload)
{
	reply->skb = genlmsg_new(payload, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->hdr = genlmsg_put_reply(reply->skb, info, &krg_nl_family, 0,
				       info->genlhdr->cmd);
	if (reply->hdr)
		return 0;
	nlmsg_free(reply->skb);
	return -EMSGSIZE;
}

/**
 * nl_reply_send() - Send the answer
 * @reply: of nl_reply_begin(); consumed
 * @info: the command
 *
 * Return: 0 or -errno
 */
int nl_reply_send(struct nl_reply *reply, struct genl_info *info)
{
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

/**
 * nl_reply_drop() - Throw an answer away
 * @reply: of nl_reply_begin()
 */
void nl_reply_drop(struct nl_reply *reply)
{
	nlmsg_free(reply->skb);
}

/**
 * nl_may_administer() - May the sender change the cluster?
 * @skb: the command's message
 * @info: the command
 *
 * Both the sender and the opener of the socket need CAP_SYS_ADMIN, so that a
 * privileged program cannot be made to send by handing it a socket. The
 * capability counts in the initial user namespace: membership is trusted by
 * every node, and a namespace's own root is not.
 *
 * Return: 0; -EPERM
 */
int nl_may_administer(struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	return krg_extack_err(info->extack, -EPERM,
			      "changing the cluster needs CAP_SYS_ADMIN");
}

/**
 * nl_dump_begin() - Start one message of a dump
 * @skb: where
 * @cb: the dump
 * @cmd: command of the message
 * @hdr: for genlmsg_end() or genlmsg_cancel()
 *
 * Return: whether there was room.
 */
bool nl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd, void **hdr)
{
	*hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &krg_nl_family, NLM_F_MULTI, cmd);
	return *hdr;
}
