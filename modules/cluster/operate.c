// SPDX-License-Identifier: GPL-2.0-only
/* Start, add, del, stop: put to the pure code, and waited for. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/export.h>
#include <linux/jiffies.h>
#include <net/net_namespace.h>
#include <krg/extack.h>
#include "cluster.h"

#define LEAVE_TIMEOUT_MS	15000

static void mask_from_nodes(struct krg_mask *mask, const struct krg_nodemask *nodes)
{
	unsigned int n;

	memset(mask, 0, sizeof(*mask));
	for_each_set_bit(n, nodes->bits, KRG_MAX_NODES)
		krg_mask_add(mask, n);
}

static void all_present(const struct cluster *c, struct krg_mask *mask)
{
	unsigned int n;

	memset(mask, 0, sizeof(*mask));
	for (n = 0; n < c->cfg.max_nodes; n++)
		if (c->m->member[n].state == KRG_NODE_PRESENT)
			krg_mask_add(mask, n);
}

/* The nodes of @mask that keep an operation waiting, as "1,4,7"; cut if long. */
static void missing(const struct cluster *c, const struct krg_mask *mask, u8 op, char *buf,
		    size_t size)
{
	size_t used = 0;
	unsigned int n;

	buf[0] = 0;
	for (n = 0; n < KRG_NODES && used < size; n++) {
		bool in = krg_view_member(&c->m->view, n);

		if (krg_mask_has(mask, n) && in == (op == KRG_OP_DEL || op == KRG_OP_STOP))
			used += scnprintf(buf + used, size - used, "%s%u", used ? "," : "", n);
	}
}

static int explain_timeout(struct cluster *c, const struct krg_mask *mask, u8 op,
			   unsigned int timeout_ms, struct netlink_ext_ack *extack)
{
	char list[128];

	missing(c, mask, op, list, sizeof(list));
	if (op == KRG_OP_DEL || op == KRG_OP_STOP)
		return krg_extack_err(extack, -ETIMEDOUT,
				      "after %u ms still in the cluster: node %s",
				      timeout_ms, list[0] ? list : "(seen from others)");
	return krg_extack_err(extack, -ETIMEDOUT, "after %u ms not online: node %s", timeout_ms,
			      list[0] ? list : "(seen from others)");
}

/* Why it failed, in words. Locks: @c->lock. */
static int explain(struct cluster *c, int err, struct netlink_ext_ack *extack)
{
	const struct krg_want *op = &c->m->op;

	switch (err) {
	case -EADDRINUSE:
		return krg_extack_err(extack, err,
				      "node id %u is used by two machines, %pI4 (this one) and %pI4",
				      c->cfg.node, &c->ip, &c->m->duplicate.ip);
	case -EEXIST:
		return krg_extack_err(extack, err,
				      "session %u has a cluster already (node %d is in it): use nodes add",
				      c->cfg.session,
				      op->error_node >= 0 ? op->error_node : krg_coordinator(c->m));
	case -ENOLINK:
		return krg_extack_err(extack, err,
				      "this side of the cluster has no quorum: lost nodes must come back, or be removed with nodes del");
	case -ESHUTDOWN:
		return krg_extack_err(extack, err, "the cluster is being switched off");
	case -EHOSTDOWN:
		return krg_extack_err(extack, err, "a node was lost while the cluster started");
	case -ETIMEDOUT:
		return krg_extack_err(extack, err,
				      "node %d is heard but does not answer", op->error_node);
	default:
		return err;
	}
}

static int check_start(struct cluster *c, const struct krg_mask *mask,
		       struct netlink_ext_ack *extack)
{
	if (krg_in_cluster(c->m))
		return krg_extack_err(extack, -EALREADY, "the cluster is up already");
	if (krg_duplicated(c->m))
		return explain(c, -EADDRINUSE, extack);
	if (!krg_mask_has(mask, c->cfg.node))
		return krg_extack_err(extack, -EINVAL,
				      "this node, %u, is not among the nodes to start",
				      c->cfg.node);
	return 0;
}

static int check_op(struct cluster *c, u8 op, const struct krg_mask *mask,
		    struct netlink_ext_ack *extack)
{
	unsigned int n;

	if (!c->running)
		return krg_rpc_has_key(c->net) ?
		       krg_extack_err(extack, -EAGAIN, "this node does not listen yet") :
		       krg_extack_err(extack, -ENOKEY, "no session key is loaded: krgadm key load");
	for (n = c->cfg.max_nodes; n < KRG_NODES; n++)
		if (krg_mask_has(mask, n))
			return krg_extack_err(extack, -EINVAL,
					      "node %u: ids are below max_nodes=%u",
					      n, c->cfg.max_nodes);
	if (op == KRG_OP_START)
		return check_start(c, mask, extack);
	if (op != KRG_OP_ADD && !krg_in_cluster(c->m))
		return krg_extack_err(extack, -ENOTCONN, "this node is in no cluster");
	return 0;
}

/* Locks: @c->lock. */
static void post_op(struct cluster *c, u8 op, const struct krg_mask *mask, unsigned int flags)
{
	struct krg_event ev = { .type = KRG_EV_OP, .op = op, .flags = flags, .mask = *mask };

	cluster_event(c, &ev);
}

/* Locks: @c->lock. */
static void cancel_op(struct cluster *c)
{
	struct krg_event ev = { .type = KRG_EV_CANCEL };

	if (c->running)
		cluster_event(c, &ev);
	else
		WRITE_ONCE(c->op_status, 0);
}

static int wait_op(struct cluster *c, u8 op, const struct krg_mask *mask, unsigned int timeout_ms,
		   struct netlink_ext_ack *extack)
{
	long left;
	int err;

	left = wait_event_interruptible_timeout(c->wait, READ_ONCE(c->op_status) != -EINPROGRESS,
						msecs_to_jiffies(timeout_ms));
	mutex_lock(&c->lock);
	err = c->op_status;
	if (err == -EINPROGRESS)
		err = left < 0 ? -EINTR : explain_timeout(c, mask, op, timeout_ms, extack);
	else if (err)
		err = explain(c, err, extack);
	cancel_op(c);
	mutex_unlock(&c->lock);
	return err;
}

/* A key given a moment ago is taken up by the next tick: let that be now. */
static void take_up_key(struct cluster *c)
{
	bool now;

	mutex_lock(&c->lock);
	now = !c->running && !c->stopping && krg_rpc_has_key(c->net);
	if (now)
		mod_delayed_work(cluster_wq, &c->tick, 0);
	mutex_unlock(&c->lock);
	if (now)
		flush_delayed_work(&c->tick);
}

static int operate(struct net *net, u8 op, const struct krg_nodemask *nodes, unsigned int flags,
		   unsigned int timeout_ms, struct netlink_ext_ack *extack)
{
	struct cluster *c = cluster_of(net);
	struct krg_mask mask = {};
	int err;

	if (!cluster_configured(c))
		return krg_extack_err(extack, -ENOTCONN, "this network namespace is no node");
	if (mutex_lock_interruptible(&c->op_lock))
		return -EINTR;
	take_up_key(c);
	mutex_lock(&c->lock);
	if (nodes)
		mask_from_nodes(&mask, nodes);
	else if (op == KRG_OP_START || op == KRG_OP_ADD)
		all_present(c, &mask);
	else
		mask = krg_view_members(&c->m->view);
	err = check_op(c, op, &mask, extack);
	if (!err)
		post_op(c, op, &mask, flags);
	mutex_unlock(&c->lock);
	if (!err)
		err = wait_op(c, op, &mask, timeout_ms ?: KRG_CLUSTER_TIMEOUT_MS, extack);
	mutex_unlock(&c->op_lock);
	return err;
}

/**
 * krg_cluster_start() - form the cluster
 * @net: namespace of one of its nodes
 * @nodes: who; NULL = all present now. Absent ones are waited for.
 * @flags: KRG_CLUSTER_*, told to every node
 * @timeout_ms: 0 = KRG_CLUSTER_TIMEOUT_MS
 * @extack: gets the reason of a failure
 *
 * Returns when every node is online on every node.
 *
 * Context: process, interruptible; not from a notifier or rpc handler.
 * Return: 0; -ENOKEY no session key; -EALREADY; -EEXIST the session has a cluster
 * this node is not in; -EADDRINUSE another machine has our id; -EINVAL; -ETIMEDOUT;
 * -EHOSTDOWN a node was lost meanwhile; -EINTR; -ENOTCONN not a node; -EOPNOTSUPP
 * KRG_CLUSTER_STRICT_CAPS, as there are no capabilities yet.
 */
int krg_cluster_start(struct net *net, const struct krg_nodemask *nodes, unsigned int flags,
		      unsigned int timeout_ms, struct netlink_ext_ack *extack)
{
	if (flags & ~KRG_CLUSTER_STRICT_CAPS)
		return krg_extack_err(extack, -EINVAL, "unknown flags 0x%x", flags);
	if (flags & KRG_CLUSTER_STRICT_CAPS)
		return krg_extack_err(extack, -EOPNOTSUPP,
				      "Kerrighed's capabilities are not supported yet");
	return operate(net, KRG_OP_START, nodes, flags, timeout_ms, extack);
}
EXPORT_SYMBOL_GPL(krg_cluster_start);

/**
 * krg_cluster_add() - take nodes into the cluster
 * @net: namespace of any node of the session
 * @nodes: who; NULL = all present now. Absent ones are waited for.
 * @timeout_ms: 0 = KRG_CLUSTER_TIMEOUT_MS
 * @extack: gets the reason of a failure
 *
 * Context: process, interruptible; not from a notifier or rpc handler.
 * Return: 0; -ENOKEY; -ENOLINK no quorum; -ESHUTDOWN the machines are being switched
 * off; -EINVAL; -ETIMEDOUT; -EINTR; -ENOTCONN.
 */
int krg_cluster_add(struct net *net, const struct krg_nodemask *nodes, unsigned int timeout_ms,
		    struct netlink_ext_ack *extack)
{
	return operate(net, KRG_OP_ADD, nodes, 0, timeout_ms, extack);
}
EXPORT_SYMBOL_GPL(krg_cluster_add);

/**
 * krg_cluster_del() - let nodes leave in order; forget failed ones
 * @net: namespace of a node in the cluster
 * @nodes: who; NULL = all
 * @timeout_ms: 0 = KRG_CLUSTER_TIMEOUT_MS
 * @extack: gets the reason of a failure
 *
 * Removing a failed node says that it is dead for good: see core/quorum.c.
 *
 * Context: process, interruptible; not from a notifier or rpc handler.
 * Return: 0; -ENOKEY; -EINVAL; -ETIMEDOUT; -EINTR; -ENOTCONN.
 */
int krg_cluster_del(struct net *net, const struct krg_nodemask *nodes, unsigned int timeout_ms,
		    struct netlink_ext_ack *extack)
{
	return operate(net, KRG_OP_DEL, nodes, 0, timeout_ms, extack);
}
EXPORT_SYMBOL_GPL(krg_cluster_del);

/**
 * krg_cluster_stop() - every node leaves in order
 * @net: namespace of a node in the cluster
 * @flags: 0; or what every machine does once its node has left: KRG_CLUSTER_POWEROFF
 * or KRG_CLUSTER_REBOOT, by its own orderly shutdown. Nodes in other network namespaces
 * than the first leave their machine on.
 * @timeout_ms: 0 = KRG_CLUSTER_TIMEOUT_MS
 * @extack: gets the reason of a failure
 *
 * Context: process, interruptible; not from a notifier or rpc handler.
 * Return: as krg_cluster_del(); -EOPNOTSUPP @flags, and this node is not its machine's.
 */
int krg_cluster_stop(struct net *net, unsigned int flags, unsigned int timeout_ms,
		     struct netlink_ext_ack *extack)
{
	if (flags & ~KRG_FLAGS_END || flags == KRG_FLAGS_END)
		return krg_extack_err(extack, -EINVAL, "unknown flags 0x%x", flags);
	if (flags && net != &init_net)
		return krg_extack_err(extack, -EOPNOTSUPP,
				      "a node in a network namespace does not switch machines off");
	return operate(net, KRG_OP_STOP, NULL, flags, timeout_ms, extack);
}
EXPORT_SYMBOL_GPL(krg_cluster_stop);

static void leave_one(struct cluster *c)
{
	struct krg_mask self = {};

	krg_mask_add(&self, c->cfg.node);
	mutex_lock(&c->lock);
	if (c->running && krg_in_cluster(c->m))
		post_op(c, KRG_OP_DEL, &self, 0);
	mutex_unlock(&c->lock);
}

/**
 * krg_cluster_leave_all() - this machine's nodes leave in order
 *
 * For a module that is to be unloaded and that members count on.
 *
 * Context: process, not from a notifier or rpc handler. Locks: none.
 */
void krg_cluster_leave_all(void)
{
	mutex_lock(&cluster_list_lock);
	cluster_leave_all();
	mutex_unlock(&cluster_list_lock);
}
EXPORT_SYMBOL_GPL(krg_cluster_leave_all);

/**
 * krg_cluster_any_up() - is a node of this machine in a cluster
 *
 * Context: process. Locks: none.
 */
bool krg_cluster_any_up(void)
{
	struct cluster *c;
	bool up = false;

	mutex_lock(&cluster_list_lock);
	list_for_each_entry(c, &cluster_list, link)
		up |= READ_ONCE(c->up);
	mutex_unlock(&cluster_list_lock);
	return up;
}
EXPORT_SYMBOL_GPL(krg_cluster_any_up);

/**
 * cluster_leave_all() - before unloading: this machine's nodes leave in order
 *
 * What takes longer than 15 s is left to the others to find out.
 *
 * Context: process. Locks: none; nobody configures or operates any more.
 */
void cluster_leave_all(void)
{
	unsigned long end = jiffies + msecs_to_jiffies(LEAVE_TIMEOUT_MS);
	struct cluster *c;

	list_for_each_entry(c, &cluster_list, link)
		leave_one(c);
	list_for_each_entry(c, &cluster_list, link) {
		long left = (long)(end - jiffies);

		if (!wait_event_timeout(c->wait, !READ_ONCE(c->up), left > 0 ? left : 1))
			pr_warn("node %u did not leave the cluster in order: the others will see it fail\n",
				c->cfg.node);
		/* Or it would ask for it again when it is in a cluster again. */
		mutex_lock(&c->lock);
		cancel_op(c);
		mutex_unlock(&c->lock);
	}
}
