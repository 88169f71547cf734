// SPDX-License-Identifier: GPL-2.0-only
/* krg_mm: load, unload, and a table of files in every network namespace. */
#define pr_fmt(fmt) "krg_mm: " fmt

#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <krg/rpc.h>
#include "shmfs.h"

struct workqueue_struct *shmfs_wq;
static unsigned int shmfs_net_id;

struct shmfs *shmfs_of(const struct net *net)
{
	return net_generic(net, shmfs_net_id);
}

static int shmfs_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct krg_cluster_event *what = data;
	struct shmfs *s = shmfs_of(what->net);

	switch (event) {
	case KRG_CLUSTER_UP:
		shmfs_mount_notify(s, true);
		break;
	case KRG_NODE_LEAVING:
		if (what->node == krg_self(what->net))
			shmfs_mount_leave(s);
		break;
	case KRG_CLUSTER_DOWN:
		shmfs_mount_notify(s, false);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block shmfs_notifier = {
	.notifier_call = shmfs_notify,
};

static int __net_init shmfs_net_init(struct net *net)
{
	struct shmfs *s = shmfs_of(net);

	s->net = net;
	spin_lock_init(&s->todo_lock);
	INIT_LIST_HEAD(&s->jobs);
	INIT_LIST_HEAD(&s->dead);
	INIT_DELAYED_WORK(&s->job_work, shmfs_job_work);
	INIT_WORK(&s->clean_work, shmfs_clean_work);
	INIT_DELAYED_WORK(&s->robust_work, shmfs_robust_work);
	INIT_WORK(&s->mount_work, shmfs_mount_work);
	init_waitqueue_head(&s->wait);
	shmfs_table_init(s);
	shmfs_debug_add(s);
	return 0;
}

/* Nothing of it is mounted: that would hold the namespace. */
static void __net_exit shmfs_net_exit(struct net *net)
{
	struct shmfs *s = shmfs_of(net);

	shmfs_debug_del(s);
	shmfs_mount_end(s);
	shmfs_table_exit(s);
}

static struct pernet_operations shmfs_net_ops = {
	.init = shmfs_net_init,
	.exit = shmfs_net_exit,
	.id = &shmfs_net_id,
	.size = sizeof(struct shmfs),
};

static int __init shmfs_init(void)
{
	int err;

	shmfs_wq = alloc_workqueue("krg_mm", WQ_UNBOUND, 0);
	if (!shmfs_wq)
		return -ENOMEM;
	shmfs_debug_init();
	err = register_pernet_subsys(&shmfs_net_ops);
	if (err)
		goto exit_debug;
	err = shmfs_linker_init();
	if (err)
		goto unregister_pernet;
	err = krg_order_register(&shmfs_machine);
	if (err)
		goto exit_linker;
	err = shmfs_super_init();
	if (err)
		goto unregister_machine;
	err = krg_rpc_register(&shmfs_futex_service);
	if (err)
		goto exit_super;
	err = krg_cluster_notifier_register(&shmfs_notifier);
	if (err)
		goto unregister_service;
	return 0;

unregister_service:
	krg_rpc_unregister(&shmfs_futex_service);
exit_super:
	shmfs_super_exit();
unregister_machine:
	krg_order_unregister(&shmfs_machine);
exit_linker:
	shmfs_linker_exit();
unregister_pernet:
	unregister_pernet_subsys(&shmfs_net_ops);
exit_debug:
	shmfs_debug_exit();
	destroy_workqueue(shmfs_wq);
	return err;
}

static void __exit shmfs_exit(void)
{
	krg_cluster_notifier_unregister(&shmfs_notifier);
	krg_rpc_unregister(&shmfs_futex_service);
	shmfs_futex_exit();
	shmfs_super_exit();
	krg_order_unregister(&shmfs_machine);
	unregister_pernet_subsys(&shmfs_net_ops);
	shmfs_linker_exit();
	shmfs_debug_exit();
	destroy_workqueue(shmfs_wq);
	rcu_barrier();
}

module_init(shmfs_init);
module_exit(shmfs_exit);
MODULE_DESCRIPTION("krg: memory that nodes share");
MODULE_LICENSE("GPL");
