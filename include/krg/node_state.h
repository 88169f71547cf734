/* SPDX-License-Identifier: GPL-2.0-only */
/* The states of a node, as every module names them. Also for core/ folders. */
#ifndef KRG_NODE_STATE_H
#define KRG_NODE_STATE_H

/*
 * Numbers are user-visible (KRG_NODE_STATE_*) and on the wire: never changed.
 * The legal moves are in modules/cluster/core/member.c.
 */
enum krg_member_state {
	KRG_NODE_ABSENT,	/* never heard, or silent for the dead time */
	KRG_NODE_PRESENT,	/* heard, holds the key; not in the cluster */
	KRG_NODE_ONLINE,	/* in the cluster */
	KRG_NODE_LEAVING,	/* in the cluster, giving back what it holds of others */
	KRG_NODE_FAILED,	/* was in the cluster, was lost; present again after a reboot */
	KRG_NODE_STATES,
};

#endif
