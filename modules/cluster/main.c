// SPDX-License-Identifier: GPL-2.0-only
/* krg_cluster: load, unload, and a struct cluster in every network namespace. */
#define pr_fmt(fmt) "krg_cluster: " fmt

#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "cluster.h"
#include "core/wire.h"
#include "order.h"

struct workqueue_struct *cluster_wq;		/* ticks and beacons: short */
struct workqueue_struct *cluster_slow_wq;	/* krg_rpc and notifiers: may wait */
DEFINE_MUTEX(cluster_list_lock);
LIST_HEAD(cluster_list);			/* configured nodes; cluster_list_lock */

static BLOCKING_NOTIFIER_HEAD(cluster_chain);
static unsigned int cluster_net_id;

struct cluster *cluster_of(struct net *net)
{
	return net_generic(net, cluster_net_id);
}

/**
 * krg_cluster_notifier_register() - be told of nodes and the cluster
 * @nb: called with KRG_NODE_* or KRG_CLUSTER_* and a struct krg_cluster_event,
 *	in order for one namespace, in a work item: it may block, but it holds up
 *	what comes next, and must not start, add, del or stop. A node's LEAVING is
 *	the time to give back what is held of it; when this node leaves, it does so
 *	once all calls for its own LEAVING have returned and all holds taken in them
 *	(krg_cluster_leave_hold()) are released.
 *
 * Return: 0.
 */
int krg_cluster_notifier_register(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&cluster_chain, nb);
}
EXPORT_SYMBOL_GPL(krg_cluster_notifier_register);

/**
 * krg_cluster_notifier_unregister() - not be told any more
 * @nb: as registered; nobody is in it after return
 */
void krg_cluster_notifier_unregister(struct notifier_block *nb)
{
	blocking_notifier_chain_unregister(&cluster_chain, nb);
}
EXPORT_SYMBOL_GPL(krg_cluster_notifier_unregister);

int cluster_call_chain(unsigned long event, struct krg_cluster_event *data)
{
	return blocking_notifier_call_chain(&cluster_chain, event, data);
}

static int __net_init cluster_net_init(struct net *net)
{
	struct cluster *c = cluster_of(net);

	c->net = net;
	mutex_init(&c->lock);
	mutex_init(&c->op_lock);
	INIT_LIST_HEAD(&c->link);
	INIT_LIST_HEAD(&c->outbox);
	INIT_LIST_HEAD(&c->notes);
	init_waitqueue_head(&c->wait);
	INIT_DELAYED_WORK(&c->tick, cluster_tick_work);
	INIT_WORK(&c->rx_work, cluster_rx_work);
	INIT_WORK(&c->out_work, cluster_out_work);
	INIT_WORK(&c->note_work, cluster_note_work);
	return 0;
}

static void __net_exit cluster_net_exit(struct net *net)
{
	struct cluster *c = cluster_of(net);

	mutex_lock(&cluster_list_lock);
	list_del_init(&c->link);
	mutex_unlock(&cluster_list_lock);
	cluster_end(c);
	cluster_free(c);
}

static struct pernet_operations cluster_net_ops = {
	.init = cluster_net_init,
	.exit = cluster_net_exit,
	.id = &cluster_net_id,
	.size = sizeof(struct cluster),
};

static const struct krg_rpc_service cluster_service = {
	.id = KRG_SERVICE_CLUSTER,
	.name = "cluster",
	.max_request = KRG_MSG_BYTES_MAX,
	.max_reply = 0,
	.flags = KRG_RPC_ANY_EPOCH,
	.handle = cluster_rpc_handle,
	.owner = THIS_MODULE,
};

/* The machine itself is the first namespace. */
static int configure_machine(void)
{
	struct netlink_ext_ack extack = {};
	struct krg_cluster_config cfg;
	int err;

	err = cluster_config_from_words(&cfg);
	if (err)
		return err;
	err = krg_cluster_configure(&init_net, &cfg, &extack);
	if (err)
		pr_err("not loaded: %s\n", extack._msg ?: "out of memory");
	return err;
}

static int __init cluster_init(void)
{
	int err = -ENOMEM;

	cluster_wq = alloc_workqueue("krg_cluster", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!cluster_wq)
		return err;
	cluster_slow_wq = alloc_workqueue("krg_cluster_slow", WQ_UNBOUND, 0);
	if (!cluster_slow_wq)
		goto destroy_wq;
	err = register_pernet_subsys(&cluster_net_ops);
	if (err)
		goto destroy_slow_wq;
	err = krg_rpc_register(&cluster_service);
	if (err)
		goto unregister_pernet;
	err = order_init();
	if (err)
		goto unregister_service;
	err = configure_machine();
	if (err)
		goto exit_order;
	err = cluster_sysfs_add();
	if (err)
		goto exit_order;
	return 0;

exit_order:
	order_exit();
unregister_service:
	krg_rpc_unregister(&cluster_service);
unregister_pernet:
	unregister_pernet_subsys(&cluster_net_ops);
destroy_slow_wq:
	destroy_workqueue(cluster_slow_wq);
destroy_wq:
	destroy_workqueue(cluster_wq);
	return err;
}

static void __exit cluster_exit(void)
{
	cluster_sysfs_del();
	cluster_leave_all();
	order_exit();
	krg_rpc_unregister(&cluster_service);
	unregister_pernet_subsys(&cluster_net_ops);
	destroy_workqueue(cluster_slow_wq);
	destroy_workqueue(cluster_wq);
}

module_init(cluster_init);
module_exit(cluster_exit);
MODULE_DESCRIPTION("krg: who is in the cluster");
MODULE_SOFTDEP("pre: krg_rpc_tcp");
MODULE_LICENSE("GPL");
