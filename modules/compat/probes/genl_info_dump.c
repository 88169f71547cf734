// SPDX-License-Identifier: GPL-2.0-only
/* The attributes of a dump are in a genl_info, as a do's are. */
#include <net/genetlink.h>

struct nlattr **probe(struct netlink_callback *cb);
struct nlattr **probe(struct netlink_callback *cb)
{
	return genl_info_dump(cb)->attrs;
}
