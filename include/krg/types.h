/* SPDX-License-Identifier: GPL-2.0-only */
/* Words every krg module shares. */
#ifndef KRG_TYPES_H
#define KRG_TYPES_H

#include <linux/bitmap.h>
#include <linux/types.h>

#define KRG_MAX_NODES		256	/* node ids are 0..255 */
#define KRG_MAX_NODES_DEFAULT	64
#define KRG_NODE_NONE		(-1)
#define KRG_SESSION_MIN		1
#define KRG_SESSION_MAX		255

typedef int krg_node_t;

/* A set of nodes. */
struct krg_nodemask {
	DECLARE_BITMAP(bits, KRG_MAX_NODES);
};

#define krg_for_each_node(node, mask) \
	for_each_set_bit(node, (mask)->bits, KRG_MAX_NODES)

#endif
