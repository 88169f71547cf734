// SPDX-License-Identifier: GPL-2.0-only
/* What other modules ask: who am I, who is online, in which epoch. */
#include <linux/export.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "cluster.h"

/* NULL if the namespace is no node. */
static struct cluster *configured(struct net *net)
{
	struct cluster *c = cluster_of(net);

	return cluster_configured(c) ? c : NULL;
}

/**
 * krg_self() - this node's id
 * @net: namespace
 *
 * Context: any. Return: id, or KRG_NODE_NONE if it is no node.
 */
krg_node_t krg_self(struct net *net)
{
	struct cluster *c = configured(net);

	return c ? (krg_node_t)c->cfg.node : KRG_NODE_NONE;
}
EXPORT_SYMBOL_GPL(krg_self);

/**
 * krg_epoch() - the membership epoch
 * @net: namespace
 *
 * Context: any. Return: epoch; 0 = never was in a cluster.
 */
u32 krg_epoch(struct net *net)
{
	return READ_ONCE(cluster_of(net)->epoch);
}
EXPORT_SYMBOL_GPL(krg_epoch);

/**
 * krg_cluster_state() - a node's state as seen from here
 * @net: namespace
 * @node: any number
 *
 * Context: any. Return: state; KRG_NODE_ABSENT for what is no node id.
 */
enum krg_member_state krg_cluster_state(struct net *net, krg_node_t node)
{
	if (node < 0 || node >= KRG_MAX_NODES)
		return KRG_NODE_ABSENT;
	return READ_ONCE(cluster_of(net)->state[node]);
}
EXPORT_SYMBOL_GPL(krg_cluster_state);

/**
 * krg_cluster_is_up() - is this node in a cluster
 * @net: namespace
 *
 * Context: any.
 */
bool krg_cluster_is_up(struct net *net)
{
	return READ_ONCE(cluster_of(net)->up);
}
EXPORT_SYMBOL_GPL(krg_cluster_is_up);

/**
 * krg_cluster_quorate() - may this side take over from failed nodes
 * @net: namespace
 *
 * See core/quorum.c for the rule.
 *
 * Context: any.
 */
bool krg_cluster_quorate(struct net *net)
{
	return READ_ONCE(cluster_of(net)->quorate);
}
EXPORT_SYMBOL_GPL(krg_cluster_quorate);

/**
 * krg_cluster_flags() - flags the cluster was started with
 * @net: namespace
 *
 * Context: any. Return: KRG_CLUSTER_*; 0 while down.
 */
unsigned int krg_cluster_flags(struct net *net)
{
	return READ_ONCE(cluster_of(net)->flags);
}
EXPORT_SYMBOL_GPL(krg_cluster_flags);

/**
 * krg_online_nodes() - the nodes in the cluster
 * @net: namespace
 * @mask: filled; NULL to count only
 *
 * Leaving nodes are not among them.
 *
 * Context: any. Return: how many.
 */
unsigned int krg_online_nodes(struct net *net, struct krg_nodemask *mask)
{
	struct cluster *c = cluster_of(net);
	unsigned int n, count = 0;

	if (mask)
		bitmap_zero(mask->bits, KRG_MAX_NODES);
	for (n = 0; n < KRG_MAX_NODES; n++) {
		if (READ_ONCE(c->state[n]) != KRG_NODE_ONLINE)
			continue;
		count++;
		if (mask)
			__set_bit(n, mask->bits);
	}
	return count;
}
EXPORT_SYMBOL_GPL(krg_online_nodes);

/**
 * krg_lease_valid() - may this node rely on another not having given it up
 * @net: namespace
 * @node: the other
 *
 * While true, @node has not declared us failed (core/lease.c). Ask again after
 * anything that may have taken time.
 *
 * Context: any. Return: true for ourselves while the cluster is up.
 */
bool krg_lease_valid(struct net *net, krg_node_t node)
{
	struct cluster *c = configured(net);
	u8 state;

	if (!c || node < 0 || node >= KRG_MAX_NODES || !READ_ONCE(c->up))
		return false;
	if (node == (krg_node_t)c->cfg.node)
		return true;
	state = READ_ONCE(c->state[node]);
	return (state == KRG_NODE_ONLINE || state == KRG_NODE_LEAVING) &&
	       cluster_now() < READ_ONCE(c->lease_until[node]);
}
EXPORT_SYMBOL_GPL(krg_lease_valid);

static void snapshot_node(const struct cluster *c, struct krg_cluster_snapshot *s, unsigned int n)
{
	struct krg_cluster_node *out = &s->nodes[s->nr];
	const struct krg_member *p = &c->m->member[n];
	struct krg_node_addr own = { .ip = (__force u32)c->ip };

	if (p->state == KRG_NODE_ABSENT && (n != c->cfg.node || c->begun))
		return;
	if (n == c->cfg.node && !c->begun) {
		out->state = KRG_NODE_PRESENT;
		cluster_sockaddr(own, &out->addr);
	} else {
		out->state = p->state;
		out->incarnation = p->incarnation;
		cluster_sockaddr(p->addr, &out->addr);
	}
	out->node = n;
	s->nr++;
	s->online += out->state == KRG_NODE_ONLINE;
	s->present += out->state == KRG_NODE_PRESENT;
	s->failed += out->state == KRG_NODE_FAILED;
}

/**
 * krg_cluster_snapshot() - the whole membership at one moment
 * @net: namespace
 *
 * Context: process. Locks: none that a notifier waits for.
 * Return: to be freed with kvfree(); ERR_PTR: -ENOTCONN not a node, -ENOMEM.
 */
struct krg_cluster_snapshot *krg_cluster_snapshot(struct net *net)
{
	struct cluster *c = configured(net);
	struct krg_cluster_snapshot *s;
	unsigned int n;

	if (!c)
		return ERR_PTR(-ENOTCONN);
	s = kvzalloc(struct_size(s, nodes, c->cfg.max_nodes), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&c->lock);
	s->self = c->cfg.node;
	s->session = c->cfg.session;
	s->max_nodes = c->cfg.max_nodes;
	s->epoch = c->m->epoch;
	s->up = krg_in_cluster(c->m);
	s->changing = c->m->prop.active || c->m->req.op || READ_ONCE(c->op_status) == -EINPROGRESS;
	s->quorate = s->up && c->m->view.quorate;
	s->has_key = krg_rpc_has_key(net);
	for (n = 0; n < c->cfg.max_nodes; n++)
		snapshot_node(c, s, n);
	mutex_unlock(&c->lock);
	return s;
}
EXPORT_SYMBOL_GPL(krg_cluster_snapshot);
