// SPDX-License-Identifier: GPL-2.0-only
/* One namespace as a node: set up, shut down; and the transports it may use. */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/random.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "rpc.h"

static DEFINE_MUTEX(transports_lock);
static DEFINE_XARRAY_ALLOC(transports);	/* transports_lock */

/**
 * krg_rpc_transport_register() - offer a transport to nodes
 * @transport: its ops; stays valid until unregistered
 *
 * Context: process. Return: 0, -EEXIST: the name is taken, -ENOMEM.
 */
int krg_rpc_transport_register(const struct krg_rpc_transport *transport)
{
	const struct krg_rpc_transport *other;
	unsigned long i;
	int err = 0;
	u32 id;

	mutex_lock(&transports_lock);
	xa_for_each(&transports, i, other)
		if (!strcmp(other->name, transport->name))
			err = -EEXIST;
	if (!err)
		err = xa_alloc(&transports, &id, (void *)transport, xa_limit_32b, GFP_KERNEL);
	mutex_unlock(&transports_lock);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_transport_register);

/**
 * krg_rpc_transport_unregister() - withdraw a transport
 * @transport: its ops. No node uses it: nodes hold its module.
 *
 * Context: process.
 */
void krg_rpc_transport_unregister(const struct krg_rpc_transport *transport)
{
	const struct krg_rpc_transport *other;
	unsigned long i;

	mutex_lock(&transports_lock);
	xa_for_each(&transports, i, other)
		if (other == transport)
			xa_erase(&transports, i);
	mutex_unlock(&transports_lock);
}
EXPORT_SYMBOL_GPL(krg_rpc_transport_unregister);

/* By name, its module held. */
const struct krg_rpc_transport *rpc_transport_get(const char *name)
{
	const struct krg_rpc_transport *t, *found = NULL;
	unsigned long i;

	mutex_lock(&transports_lock);
	xa_for_each(&transports, i, t)
		if (!strcmp(t->name, name) && try_module_get(t->owner))
			found = t;
	mutex_unlock(&transports_lock);
	return found;
}

static void node_release(struct kref *ref)
{
	struct krg_rpc_node *node = container_of(ref, struct krg_rpc_node, ref);

	kfree_rcu(node, rcu);
}

void rpc_node_put(struct krg_rpc_node *node)
{
	kref_put(&node->ref, node_release);
}

static struct krg_rpc_node *node_create(struct net *net, const struct krg_rpc_node_config *cfg)
{
	struct krg_rpc_node *node = kzalloc(sizeof(*node), GFP_KERNEL);

	if (!node)
		return NULL;
	kref_init(&node->ref);
	node->net = net;
	node->cfg = *cfg;
	xa_init(&node->peers);
	spin_lock_init(&node->park_lock);
	INIT_LIST_HEAD(&node->parked);
	rpc_pool_init(&node->pool);
	/* 0 is nobody's incarnation, so that a forgotten field is noticed. */
	do {
		node->incarnation = get_random_u64();
	} while (!node->incarnation);
	return node;
}

static int node_check(const struct krg_rpc_node_config *cfg)
{
	if (cfg->self < 0 || cfg->self >= KRG_MAX_NODES || cfg->session < KRG_SESSION_MIN)
		return -EINVAL;
	if (cfg->addr.ss_family != AF_INET && cfg->addr.ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	return 0;
}

/* Nothing comes in or goes out any more. Under rpc_net.lock. */
static void node_stop(struct krg_rpc_node *node)
{
	struct rpc_peer *peer;
	unsigned long id;

	xa_for_each(&node->peers, id, peer) {
		xa_erase(&node->peers, id);
		rpc_peer_remove(peer);
	}
	if (node->transport_priv)
		node->transport->node_stop(node);
	node->transport_priv = NULL;
}

/*
 * Every request is cancelled by now: wait for what still runs. Not under
 * rpc_net.lock, which handlers and listeners may want.
 */
static void node_drain(struct krg_rpc_node *node)
{
	flush_workqueue(rpc_rx_wq);
	rpc_pool_stop(&node->pool);
	flush_workqueue(rpc_event_wq);
	xa_destroy(&node->peers);
	module_put(node->transport->owner);
	rpc_node_put(node);
}

static int node_start(struct krg_rpc_node *node)
{
	struct rpc_peer *self;
	int err;

	self = rpc_peer_create(node, node->cfg.self, &node->cfg.addr, node->incarnation, &rpc_loop);
	if (IS_ERR(self))
		return PTR_ERR(self);
	err = xa_insert(&node->peers, self->id, self, GFP_KERNEL);
	if (err) {
		rpc_peer_remove(self);
		return err;
	}
	return node->transport->node_start(node);
}

/**
 * krg_rpc_node_setup() - make a namespace a node and begin to listen
 * @net: namespace; its key is set
 * @cfg: who it is; copied, but for @transport
 *
 * Context: process. Locks: none.
 * Return: 0; -EINVAL: ids out of range; -EAFNOSUPPORT: address; -ENOKEY: no
 * key; -EBUSY: is a node already; -EPROTONOSUPPORT: no such transport; what the
 * transport returned (-EADDRNOTAVAIL, -EADDRINUSE, …); -ENOMEM.
 */
int krg_rpc_node_setup(struct net *net, const struct krg_rpc_node_config *cfg)
{
	struct rpc_net *rn = rpc_net(net);
	struct krg_rpc_node *node;
	int err;

	err = node_check(cfg);
	if (err)
		return err;
	if (!krg_rpc_has_key(net))
		return -ENOKEY;
	mutex_lock(&rn->lock);
	err = -EBUSY;
	if (rcu_access_pointer(rn->node))
		goto unlock;
	err = -ENOMEM;
	node = node_create(net, cfg);
	if (!node)
		goto unlock;
	err = -EPROTONOSUPPORT;
	node->transport = rpc_transport_get(cfg->transport ?: "tcp");
	if (!node->transport) {
		rpc_node_put(node);
		goto unlock;
	}
	err = node_start(node);
	if (err) {
		node_stop(node);
		mutex_unlock(&rn->lock);
		node_drain(node);
		return err;
	}
	rcu_assign_pointer(rn->node, node);
unlock:
	mutex_unlock(&rn->lock);
	return err;
}
EXPORT_SYMBOL_GPL(krg_rpc_node_setup);

void rpc_node_shutdown(struct rpc_net *rn)
{
	struct krg_rpc_node *node;

	mutex_lock(&rn->lock);
	node = rcu_replace_pointer(rn->node, NULL, lockdep_is_held(&rn->lock));
	if (node)
		node_stop(node);
	mutex_unlock(&rn->lock);
	if (node)
		node_drain(node);
}

/**
 * krg_rpc_node_shutdown() - no node any more; no-op if it was none
 * @net: namespace
 *
 * Calls end with -EHOSTDOWN; handlers that run are cancelled and waited for.
 *
 * Context: process, not from a handler or a notifier. Locks: none a handler takes.
 */
void krg_rpc_node_shutdown(struct net *net)
{
	rpc_node_shutdown(rpc_net(net));
}
EXPORT_SYMBOL_GPL(krg_rpc_node_shutdown);

/**
 * krg_rpc_incarnation() - which life of this node it is; peers are told
 * @net: namespace
 *
 * Context: any. Return: a random number, 0 if the namespace is no node.
 */
u64 krg_rpc_incarnation(struct net *net)
{
	struct krg_rpc_node *node;
	u64 incarnation;

	rcu_read_lock();
	node = rcu_dereference(rpc_net(net)->node);
	incarnation = node ? node->incarnation : 0;
	rcu_read_unlock();
	return incarnation;
}
EXPORT_SYMBOL_GPL(krg_rpc_incarnation);

/* For transports: what they may know of a node. */

struct net *krg_rpc_node_net(const struct krg_rpc_node *node)
{
	return node->net;
}
EXPORT_SYMBOL_GPL(krg_rpc_node_net);

const struct krg_rpc_node_config *krg_rpc_node_config(const struct krg_rpc_node *node)
{
	return &node->cfg;
}
EXPORT_SYMBOL_GPL(krg_rpc_node_config);

u64 krg_rpc_node_incarnation(const struct krg_rpc_node *node)
{
	return node->incarnation;
}
EXPORT_SYMBOL_GPL(krg_rpc_node_incarnation);

void krg_rpc_node_set_priv(struct krg_rpc_node *node, void *priv)
{
	node->transport_priv = priv;
}
EXPORT_SYMBOL_GPL(krg_rpc_node_set_priv);

void *krg_rpc_node_priv(const struct krg_rpc_node *node)
{
	return node->transport_priv;
}
EXPORT_SYMBOL_GPL(krg_rpc_node_priv);
