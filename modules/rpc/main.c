// SPDX-License-Identifier: GPL-2.0-only
/* krg_rpc: what exists from load to unload, and what exists per namespace. */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "rpc.h"

struct workqueue_struct *rpc_rx_wq;
struct workqueue_struct *rpc_event_wq;
static unsigned int rpc_net_id __read_mostly;

struct rpc_net *rpc_net(const struct net *net)
{
	return net_generic(net, rpc_net_id);
}

static int __net_init rpc_net_init(struct net *net)
{
	struct rpc_net *rn = rpc_net(net);

	rn->net = net;
	mutex_init(&rn->lock);
	return 0;
}

static void __net_exit rpc_net_exit(struct net *net)
{
	struct rpc_net *rn = rpc_net(net);

	rpc_node_shutdown(rn);
	rpc_key_drop(rn);
	mutex_destroy(&rn->lock);
}

static struct pernet_operations rpc_net_ops = {
	.init = rpc_net_init,
	.exit = rpc_net_exit,
	.id = &rpc_net_id,
	.size = sizeof(struct rpc_net),
};

static int __init rpc_init(void)
{
	int err = -ENOMEM;

	/* Per CPU and high: an inbox runs where its frame arrived, before user mode. */
	rpc_rx_wq = alloc_workqueue("krg_rpc_rx", WQ_HIGHPRI, 0);
	if (!rpc_rx_wq)
		return err;
	rpc_event_wq = alloc_ordered_workqueue("krg_rpc_event", 0);
	if (!rpc_event_wq)
		goto destroy_rx;
	err = rpc_service_init();
	if (err)
		goto destroy_event;
	err = krg_rpc_transport_register(&rpc_loop);
	if (err)
		goto exit_service;
	err = register_pernet_subsys(&rpc_net_ops);
	if (err)
		goto unregister_loop;
	return 0;

unregister_loop:
	krg_rpc_transport_unregister(&rpc_loop);
exit_service:
	rpc_service_exit();
destroy_event:
	destroy_workqueue(rpc_event_wq);
destroy_rx:
	destroy_workqueue(rpc_rx_wq);
	return err;
}

static void __exit rpc_exit(void)
{
	unregister_pernet_subsys(&rpc_net_ops);
	krg_rpc_transport_unregister(&rpc_loop);
	rpc_service_exit();
	destroy_workqueue(rpc_event_wq);
	destroy_workqueue(rpc_rx_wq);
}

module_init(rpc_init);
module_exit(rpc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("krg: typed requests between nodes");
