/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Membership: who is there, who is in the cluster, since which epoch.
 *
 * All state hangs off a network namespace: one namespace is one node. The
 * first one gets its configuration from the module's parameters or the boot
 * command line, others from krg_cluster_configure(). A configured node makes
 * itself heard once krg_rpc_set_key() has given it the session's key.
 */
#ifndef KRG_CLUSTER_H
#define KRG_CLUSTER_H

#include <linux/if.h>
#include <linux/notifier.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <krg/node_state.h>
#include <krg/types.h>

struct net;
struct netlink_ext_ack;

#define KRG_CLUSTER_ABI		1	/* up when what users rely on changes */
#define KRG_BEACON_PORT		2641	/* UDP */

/*
 * The clocks of membership, in ms; why they are safe: modules/cluster/core/lease.c.
 * A node lost at one moment is failed on all others at most KRG_DETECT_MS later.
 */
#define KRG_HEARTBEAT_MS	500
#define KRG_LEASE_MS		3000
#define KRG_DEAD_MS		4000
#define KRG_DETECT_MS		5000

#define KRG_CLUSTER_TIMEOUT_MS	60000	/* of start, add, del, stop when the caller says 0 */

/**
 * struct krg_cluster_config - what a node is told about itself
 * @session: 1..255
 * @node: node id, below @max_nodes; ignored with @autonodeid
 * @autonodeid: node id = last byte of @net_dev's address
 * @max_nodes: power of two, 2..256; 0 = 64
 * @nb_nodes_min: start the cluster when that many nodes are present; 0 = never
 * @net_dev: interface whose IPv4 address and broadcast domain are used
 * @transport: "tcp" or empty
 */
struct krg_cluster_config {
	unsigned int session;
	unsigned int node;
	bool autonodeid;
	unsigned int max_nodes;
	unsigned int nb_nodes_min;
	char net_dev[IFNAMSIZ];
	char transport[8];
};

int krg_cluster_configure(struct net *net, const struct krg_cluster_config *cfg,
			  struct netlink_ext_ack *extack);

krg_node_t krg_self(struct net *net);
u32 krg_epoch(struct net *net);
enum krg_member_state krg_cluster_state(struct net *net, krg_node_t node);
bool krg_cluster_is_up(struct net *net);
bool krg_cluster_quorate(struct net *net);
unsigned int krg_online_nodes(struct net *net, struct krg_nodemask *mask);
bool krg_lease_valid(struct net *net, krg_node_t node);

/**
 * struct krg_cluster_node - one node as seen from here
 * @node: node id
 * @state: what it is; self is PRESENT while the cluster is down
 * @incarnation: random number of its last boot (or last readmission)
 * @addr: its address
 */
struct krg_cluster_node {
	krg_node_t node;
	enum krg_member_state state;
	u64 incarnation;
	struct sockaddr_storage addr;
};

/**
 * struct krg_cluster_snapshot - the whole membership at one moment
 * @self: this node
 * @session: session id
 * @max_nodes: node ids of the session are below it
 * @epoch: membership epoch; 0 = never in a cluster
 * @up: this node is in a cluster
 * @changing: a membership change is under way
 * @quorate: this side of the cluster may take over from failed nodes (core/quorum.c)
 * @has_key: the session's key was loaded
 * @online: nodes in the cluster
 * @present: nodes present and not in it
 * @failed: nodes failed
 * @nr: nodes at @nodes
 * @nodes: every node that isn't absent, ascending
 */
struct krg_cluster_snapshot {
	krg_node_t self;
	unsigned int session;
	unsigned int max_nodes;
	u32 epoch;
	bool up;
	bool changing;
	bool quorate;
	bool has_key;
	unsigned int online;
	unsigned int present;
	unsigned int failed;
	unsigned int nr;
	struct krg_cluster_node nodes[];
};

struct krg_cluster_snapshot *krg_cluster_snapshot(struct net *net);

/* @flags of krg_cluster_start(): every node is told them, see krg_cluster_flags() */
#define KRG_CLUSTER_STRICT_CAPS	0x1	/* Kerrighed's default capabilities */

/* @flags of krg_cluster_stop(): what the machines do then */
#define KRG_CLUSTER_POWEROFF	0x10
#define KRG_CLUSTER_REBOOT	0x20

/* @timeout_ms 0 = KRG_CLUSTER_TIMEOUT_MS; all four wait interruptibly */
int krg_cluster_start(struct net *net, const struct krg_nodemask *nodes, unsigned int flags,
		      unsigned int timeout_ms, struct netlink_ext_ack *extack);
int krg_cluster_add(struct net *net, const struct krg_nodemask *nodes, unsigned int timeout_ms,
		    struct netlink_ext_ack *extack);
int krg_cluster_del(struct net *net, const struct krg_nodemask *nodes, unsigned int timeout_ms,
		    struct netlink_ext_ack *extack);
void krg_cluster_leave_all(void);
bool krg_cluster_any_up(void);
int krg_cluster_stop(struct net *net, unsigned int flags, unsigned int timeout_ms,
		     struct netlink_ext_ack *extack);
unsigned int krg_cluster_flags(struct net *net);

/*
 * Events of the notifier chain: a node's new state is its enum krg_member_state
 * (KRG_NODE_ONLINE, ...), and these of the whole. On start every node's ONLINE
 * comes before KRG_CLUSTER_UP; when this node leaves, its own LEAVING comes
 * first, and KRG_CLUSTER_DOWN last. KRG_CLUSTER_VIEW comes after the states of
 * its nodes, and before UP and DOWN.
 */
#define KRG_CLUSTER_UP		0x10
#define KRG_CLUSTER_DOWN	0x11
#define KRG_CLUSTER_VIEW	0x12	/* the members agreed on a new view: @view */

/**
 * struct krg_cluster_view - what the members agreed on
 * @epoch: greater than that of every view before
 * @quorate: krg_cluster_quorate()
 * @members: nodes in it, the leaving ones too; without this node: it has left
 * @leaving: those of them that are about to leave
 *
 * A node may miss views. One that was in the last view it saw and is in this one
 * may have died and come again between: its FAILED and ONLINE come before.
 */
struct krg_cluster_view {
	u32 epoch;
	bool quorate;
	struct krg_nodemask members;
	struct krg_nodemask leaving;
};

/**
 * struct krg_cluster_event - the data pointer of the chain
 * @net: where it happened
 * @node: whose state it is; self for KRG_CLUSTER_*
 * @epoch: in which it happened
 * @view: KRG_CLUSTER_VIEW, else NULL
 *
 * When a state is told krg_rpc has what belongs to it: who failed is no peer any
 * more and none of its messages is being handled, who is a member is a peer.
 */
struct krg_cluster_event {
	struct net *net;
	krg_node_t node;
	u32 epoch;
	const struct krg_cluster_view *view;
};

int krg_cluster_notifier_register(struct notifier_block *nb);
void krg_cluster_notifier_unregister(struct notifier_block *nb);
void krg_cluster_leave_hold(struct net *net);
void krg_cluster_leave_release(struct net *net);

#endif
