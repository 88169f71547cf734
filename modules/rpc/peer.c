// SPDX-License-Identifier: GPL-2.0-only
/* Peers: the other nodes (and this one) as ends of lanes; and their events. */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/slab.h>
#include <net/net_namespace.h>
#include "rpc.h"

static BLOCKING_NOTIFIER_HEAD(peer_chain);

/**
 * krg_rpc_notifier_register() - hear of peers coming and going, in all namespaces
 * @nb: called with enum krg_rpc_event and struct krg_rpc_peer_event, in process
 *	context; it may add and remove peers
 *
 * Context: process. Return: 0 or -EEXIST.
 */
int krg_rpc_notifier_register(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&peer_chain, nb);
}
EXPORT_SYMBOL_GPL(krg_rpc_notifier_register);

/**
 * krg_rpc_notifier_unregister() - hear no more; waits for a call that is running
 * @nb: as registered
 *
 * Context: process, not from @nb.
 */
void krg_rpc_notifier_unregister(struct notifier_block *nb)
{
	blocking_notifier_chain_unregister(&peer_chain, nb);
}
EXPORT_SYMBOL_GPL(krg_rpc_notifier_unregister);

static void peer_release(struct kref *ref)
{
	struct rpc_peer *peer = container_of(ref, struct rpc_peer, ref);

	for (int i = 0; i < KRG_LANES; i++)
		if (peer->lanes[i].priv)
			peer->lanes[i].transport->lane_release(&peer->lanes[i]);
	module_put(peer->lanes[0].transport->owner);
	rpc_node_put(peer->node);
	kfree_rcu(peer, rcu);
}

static bool peer_lanes_up(struct rpc_peer *peer, bool *dead)
{
	bool up = true;

	for (int i = 0; i < KRG_LANES; i++) {
		spin_lock_bh(&peer->lanes[i].lock);
		up &= peer->lanes[i].up;
		*dead = peer->lanes[i].dead;
		spin_unlock_bh(&peer->lanes[i].lock);
	}
	return up;
}

/*
 * Reports the difference between what was told last and what is: in its own
 * context, so that listeners may do anything, and never twice the same.
 */
static void peer_event(struct work_struct *work)
{
	struct rpc_peer *peer = container_of(work, struct rpc_peer, event_work);
	struct krg_rpc_peer_event event = { .net = peer->node->net, .node = peer->id };
	bool dead, up = peer_lanes_up(peer, &dead);

	if (up != peer->told_up && !dead) {
		peer->told_up = up;
		blocking_notifier_call_chain(&peer_chain,
					     up ? KRG_RPC_PEER_UP : KRG_RPC_PEER_DOWN, &event);
	}
	kref_put(&peer->ref, peer_release);
}

void rpc_peer_events(struct rpc_peer *peer)
{
	if (peer->id == peer->node->cfg.self)
		return;
	kref_get(&peer->ref);
	if (!queue_work(rpc_event_wq, &peer->event_work))
		kref_put(&peer->ref, peer_release);
}

struct rpc_peer *rpc_peer_create(struct krg_rpc_node *node, krg_node_t id,
				 const struct sockaddr_storage *addr, u64 incarnation,
				 const struct krg_rpc_transport *transport)
{
	struct rpc_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	int err;

	if (!peer)
		return ERR_PTR(-ENOMEM);
	kref_init(&peer->ref);
	kref_get(&node->ref);
	peer->node = node;
	peer->id = id;
	peer->addr = *addr;
	peer->incarnation = incarnation;
	/* Held by the node already. Our peers may outlive it by a late reply. */
	__module_get(transport->owner);
	INIT_WORK(&peer->event_work, peer_event);
	for (int i = 0; i < KRG_LANES; i++)
		rpc_lane_init(&peer->lanes[i], peer, i, transport);
	for (int i = 0; i < KRG_LANES; i++) {
		err = transport->lane_open(&peer->lanes[i]);
		if (!err)
			continue;
		while (i--)
			transport->lane_close(&peer->lanes[i]);
		kref_put(&peer->ref, peer_release);
		return ERR_PTR(err);
	}
	return peer;
}

/* The peer is out of the table already: nobody finds it any more. */
void rpc_peer_remove(struct rpc_peer *peer)
{
	/* First the calls, so that who waits leaves; then the streams. */
	for (int i = 0; i < KRG_LANES; i++)
		rpc_lane_end(&peer->lanes[i], -EHOSTDOWN, true);
	for (int i = 0; i < KRG_LANES; i++)
		peer->lanes[i].transport->lane_close(&peer->lanes[i]);
	for (int i = 0; i < KRG_LANES; i++)
		rpc_serve_drop_parked(&peer->lanes[i]);
	for (int i = 0; i < KRG_LANES; i++)
		rpc_post_end(&peer->lanes[i]);
	kref_put(&peer->ref, peer_release);
}

struct rpc_peer *rpc_peer_find(struct krg_rpc_node *node, krg_node_t id)
{
	struct rpc_peer *peer;

	if (id < 0 || id >= KRG_MAX_NODES)
		return NULL;
	rcu_read_lock();
	peer = xa_load(&node->peers, id);
	if (peer && !kref_get_unless_zero(&peer->ref))
		peer = NULL;
	rcu_read_unlock();
	return peer;
}

/* A lane by namespace, held; NULL if the peer or the node is not there. */
struct krg_rpc_lane_state *rpc_lane_lookup(struct net *net, krg_node_t id, u8 lane)
{
	struct krg_rpc_node *node;
	struct rpc_peer *peer = NULL;

	rcu_read_lock();
	node = rcu_dereference(rpc_net(net)->node);
	if (node)
		peer = rpc_peer_find(node, id);
	rcu_read_unlock();
	return peer ? &peer->lanes[lane] : NULL;
}

static int peer_add(struct krg_rpc_node *node, krg_node_t id,
		    const struct sockaddr_storage *addr, u64 incarnation)
{
	struct rpc_peer *peer = xa_load(&node->peers, id);
	int err;

	if (peer)
		return peer->incarnation == incarnation ? -EEXIST : -EBUSY;
	/* Room in the table first: a failure later would have to undo a connection. */
	err = xa_reserve(&node->peers, id, GFP_KERNEL);
	if (err)
		return err;
	peer = rpc_peer_create(node, id, addr, incarnation, node->transport);
	if (IS_ERR(peer)) {
		xa_release(&node->peers, id);
		return PTR_ERR(peer);
	}
	xa_store(&node->peers, id, peer, GFP_KERNEL);
	return 0;
}

/**
 * krg_rpc_peer_add() - know another node, and connect to it
 * @net: namespace
 * @node: its id, not ours
 * @addr: where it listens; port 0 = KRG_RPC_PORT
 * @incarnation: its incarnation, as it announced it; not 0
 *
 * Returns at once; KRG_RPC_PEER_UP tells when both lanes stand. Calls may be
 * made at once too: they wait for the connection within their deadline.
 *
 * Context: process. Locks: none.
 * Return: 0; -EEXIST: known already; -EBUSY: known with another incarnation
 * (krg_rpc_peer_del() first); -EINVAL; -ENOTCONN: the namespace is no node; -ENOMEM.
 */
int krg_rpc_peer_add(struct net *net, krg_node_t node, const struct sockaddr_storage *addr,
		     u64 incarnation)
{
	struct rpc_net *rn = rpc_net(net);
	struct krg_rpc_node *self;
	int err = -ENOTCONN;

	if (node < 0 || node >= KRG_MAX_NODES || !incarnation)
		return -EINVAL;
	mutex_lock(&rn->lock);
	self = rcu_dereference_protected(rn->node, lockdep_is_held(&rn->lock));
	if (self)
		err = self->cfg.self == node || self->cfg.addr.ss_family != addr->ss_family ?
		      -EINVAL : peer_add(self, node, addr, incarnation);
	mutex_unlock(&rn->lock);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_peer_add);

/**
 * krg_rpc_peer_del() - forget a node: it failed, left, or came back as another life
 * @net: namespace
 * @node: its id, not ours
 *
 * Calls to it end with -EHOSTDOWN before this returns; its requests being served
 * are cancelled, and may still run after return, unheard.
 *
 * Context: process, not from a handler that may not block. Locks: none.
 * Return: 0, -EINVAL, -ENOENT: not known.
 */
int krg_rpc_peer_del(struct net *net, krg_node_t node)
{
	struct rpc_net *rn = rpc_net(net);
	struct krg_rpc_node *self;
	struct rpc_peer *peer = NULL;

	if (node < 0 || node >= KRG_MAX_NODES)
		return -EINVAL;
	mutex_lock(&rn->lock);
	self = rcu_dereference_protected(rn->node, lockdep_is_held(&rn->lock));
	if (self && self->cfg.self != node)
		peer = xa_erase(&self->peers, node);
	if (peer)
		rpc_peer_remove(peer);
	mutex_unlock(&rn->lock);
	return peer ? 0 : -ENOENT;
}
EXPORT_SYMBOL_GPL(krg_rpc_peer_del);

/**
 * krg_rpc_peer_is_up() - do both lanes to a node stand now
 * @net: namespace
 * @node: its id; ours is always up
 *
 * Context: any but hard interrupt. Return: true if so.
 */
bool krg_rpc_peer_is_up(struct net *net, krg_node_t node)
{
	struct krg_rpc_lane_state *lane = rpc_lane_lookup(net, node, KRG_LANE_CONTROL);
	bool up, dead;

	if (!lane)
		return false;
	up = peer_lanes_up(lane->peer, &dead);
	krg_rpc_lane_put(lane);
	return up;
}
EXPORT_SYMBOL_GPL(krg_rpc_peer_is_up);

/* For transports: lanes and what they may know of them. A lane lives with its peer. */

struct krg_rpc_lane_state *krg_rpc_lane_find(struct krg_rpc_node *node, krg_node_t id,
					     u64 incarnation, u8 lane)
{
	struct rpc_peer *peer = lane < KRG_LANES ? rpc_peer_find(node, id) : NULL;

	if (!peer)
		return NULL;
	if (peer->incarnation == incarnation)
		return &peer->lanes[lane];
	kref_put(&peer->ref, peer_release);
	return NULL;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_find);

void krg_rpc_lane_get(struct krg_rpc_lane_state *lane)
{
	kref_get(&lane->peer->ref);
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_get);

void krg_rpc_lane_put(struct krg_rpc_lane_state *lane)
{
	kref_put(&lane->peer->ref, peer_release);
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_put);

struct krg_rpc_node *krg_rpc_lane_node(const struct krg_rpc_lane_state *lane)
{
	return lane->peer->node;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_node);

u8 krg_rpc_lane_id(const struct krg_rpc_lane_state *lane)
{
	return lane->id;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_id);

krg_node_t krg_rpc_lane_peer(const struct krg_rpc_lane_state *lane)
{
	return lane->peer->id;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_peer);

const struct sockaddr_storage *krg_rpc_lane_addr(const struct krg_rpc_lane_state *lane)
{
	return &lane->peer->addr;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_addr);

u64 krg_rpc_lane_incarnation(const struct krg_rpc_lane_state *lane)
{
	return lane->peer->incarnation;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_incarnation);

void krg_rpc_lane_set_priv(struct krg_rpc_lane_state *lane, void *priv)
{
	lane->priv = priv;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_set_priv);

void *krg_rpc_lane_priv(const struct krg_rpc_lane_state *lane)
{
	return lane->priv;
}
EXPORT_SYMBOL_GPL(krg_rpc_lane_priv);
