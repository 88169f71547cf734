// SPDX-License-Identifier: GPL-2.0-only
/* krg_ipc: load, unload, and a table of segments in every network namespace. */
#define pr_fmt(fmt) "krg_ipc: " fmt

#include <linux/module.h>
#include <linux/mount.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <krg/shm.h>
#include "ipc.h"

struct workqueue_struct *ipc_wq;
static unsigned int ipc_net_id;

struct ipc *ipc_of(const struct net *net)
{
	return net_generic(net, ipc_net_id);
}

/* The one that has mirrors. */
struct ipc *ipc_first(void)
{
	return ipc_of(&init_net);
}

/* Mirrors need the file system of their files: it is in use while we are in the cluster. */
static void ipc_mount_work(struct work_struct *work)
{
	struct ipc *ipc = container_of(work, struct ipc, mount_work);
	bool wanted = READ_ONCE(ipc->wanted);
	struct vfsmount *old, *mnt = NULL;

	if (wanted == !!ipc->mnt)
		return;
	if (wanted)
		mnt = krg_shm_mount();
	ipc->mount_err = PTR_ERR_OR_ZERO(mnt);
	if (ipc->mount_err) {
		pr_err("no memory file system (%d)\n", ipc->mount_err);
		mnt = NULL;
	}
	down_write(&ipc_ids()->rwsem);
	old = ipc->mnt;
	WRITE_ONCE(ipc->mnt, mnt);
	if (mnt)
		ipc_mirrors_make(ipc);
	up_write(&ipc_ids()->rwsem);
	wake_up_all(&ipc->wait);
	mntput(old);
}

static void ipc_want(struct ipc *ipc, bool wanted)
{
	if (!wanted)
		ipc->late = false;
	WRITE_ONCE(ipc->wanted, wanted && !ipc->late);
	queue_work(ipc_wq, &ipc->mount_work);
	wake_up_all(&ipc->wait);
}

static int ipc_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct krg_cluster_event *what = data;

	if (!net_eq(what->net, &init_net))
		return NOTIFY_DONE;
	if (event == KRG_CLUSTER_UP || event == KRG_CLUSTER_DOWN)
		ipc_want(ipc_of(what->net), event == KRG_CLUSTER_UP);
	return NOTIFY_DONE;
}

static struct notifier_block ipc_notifier = {
	.notifier_call = ipc_notify,
};

static void ipc_reset(struct net *net)
{
	down_write(&ipc_ids()->rwsem);
	ipc_table_reset(ipc_of(net));
	up_write(&ipc_ids()->rwsem);
}

const struct krg_order_machine ipc_machine = {
	.id = KRG_ORDER_IPC,
	.name = "ipc",
	.max_op = sizeof(struct ipc_wire_op),
	.apply = ipc_apply,
	.snapshot = ipc_snapshot,
	.restore = ipc_restore,
	.dead = ipc_apply_dead,
	.reset = ipc_reset,
	.owner = THIS_MODULE,
};

static int __net_init ipc_net_init(struct net *net)
{
	struct ipc *ipc = ipc_of(net);

	ipc->net = net;
	ipc_table_init(ipc);
	mutex_init(&ipc->tell_lock);
	init_waitqueue_head(&ipc->wait);
	INIT_DELAYED_WORK(&ipc->tell_work, ipc_tell_work);
	INIT_DELAYED_WORK(&ipc->mirror_work, ipc_mirror_work);
	INIT_WORK(&ipc->mount_work, ipc_mount_work);
	ipc->late = krg_cluster_is_up(net);
	return 0;
}

static void __net_exit ipc_net_exit(struct net *net)
{
	ipc_reset(net);
}

static struct pernet_operations ipc_net_ops = {
	.init = ipc_net_init,
	.exit = ipc_net_exit,
	.id = &ipc_net_id,
	.size = sizeof(struct ipc),
};

static int __init redirects_init(void)
{
	int err;

	err = ipc_vma_init();
	if (err)
		return err;
	err = ipc_call_init();
	if (err)
		goto exit_vma;
	err = ipc_get_init();
	if (err)
		goto exit_call;
	return 0;

exit_call:
	ipc_call_exit();
exit_vma:
	ipc_vma_exit();
	return err;
}

static void redirects_exit(void)
{
	ipc_get_exit();
	ipc_call_exit();
	ipc_vma_exit();
}

/* Nobody is attached here: there are no areas of ours. What is left has no users. */
static void mirrors_end(struct ipc *ipc)
{
	ipc_want(ipc, false);
	WRITE_ONCE(ipc->late, true);
	wake_up_all(&ipc->wait);
	flush_work(&ipc->mount_work);
	ipc_reset(ipc->net);
	cancel_delayed_work_sync(&ipc->mirror_work);
	cancel_delayed_work_sync(&ipc->tell_work);
}

static int __init ipc_init(void)
{
	int err;

	err = ipc_layout_check();
	if (err)
		return err;
	ipc_wq = alloc_workqueue("krg_ipc", WQ_UNBOUND, 0);
	if (!ipc_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&ipc_net_ops);
	if (err)
		goto destroy_wq;
	err = redirects_init();
	if (err)
		goto unregister_pernet;
	err = krg_order_register(&ipc_machine);
	if (err)
		goto exit_redirects;
	err = krg_cluster_notifier_register(&ipc_notifier);
	if (err)
		goto unregister_machine;
	return 0;

unregister_machine:
	krg_order_unregister(&ipc_machine);
	mirrors_end(ipc_first());
exit_redirects:
	redirects_exit();
unregister_pernet:
	unregister_pernet_subsys(&ipc_net_ops);
destroy_wq:
	destroy_workqueue(ipc_wq);
	return err;
}

static void __exit ipc_exit(void)
{
	krg_cluster_notifier_unregister(&ipc_notifier);
	krg_order_unregister(&ipc_machine);
	mirrors_end(ipc_first());
	redirects_exit();
	cancel_delayed_work_sync(&ipc_first()->tell_work);
	unregister_pernet_subsys(&ipc_net_ops);
	destroy_workqueue(ipc_wq);
	rcu_barrier();
}

module_init(ipc_init);
module_exit(ipc_exit);
MODULE_DESCRIPTION("krg: System V shared memory of the cluster");
MODULE_LICENSE("GPL");
