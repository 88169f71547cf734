// SPDX-License-Identifier: GPL-2.0-only
/* A freeze ends with the socket that made it: told here when a socket closes. */
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <krg/proc.h>
#include "nl.h"

static int owner_released(struct notifier_block *nb, unsigned long what, void *data)
{
	const struct netlink_notify *notify = data;
	struct krg_proc_owner owner = {
		.net = notify->net,
		.portid = notify->portid,
	};

	if (what == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		krg_proc_release_owner(&owner);
	return NOTIFY_DONE;
}

static struct notifier_block owner_notifier = {
	.notifier_call = owner_released,
};

int nl_owner_init(void)
{
	return netlink_register_notifier(&owner_notifier);
}

void nl_owner_exit(void)
{
	netlink_unregister_notifier(&owner_notifier);
}
