// SPDX-License-Identifier: GPL-2.0-only
/* krg_kddm: load, unload, linkers, and a node in every network namespace. */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "kddm.h"

struct workqueue_struct *kddm_wq;

static unsigned int kddm_net_id;
static DEFINE_XARRAY(linkers);

struct kddm_net *kddm_net(const struct net *net)
{
	return net_generic(net, kddm_net_id);
}

/**
 * kddm_net_ready() - make what only nodes need, not every namespace
 * @kn: node
 *
 * Context: process. Locks: none of ours.
 */
void kddm_net_ready(struct kddm_net *kn)
{
	unsigned int i;

	/* Pairs with the release below. */
	if (smp_load_acquire(&kn->ready))
		return;
	mutex_lock(&kn->setup_lock);
	if (!kn->ready) {
		kn->bucket = kvcalloc(1 << KDDM_BUCKET_BITS, sizeof(*kn->bucket),
				      GFP_KERNEL | __GFP_NOFAIL);
		for (i = 0; i < 1 << KDDM_BUCKET_BITS; i++) {
			mutex_init(&kn->bucket[i].lock);
			INIT_LIST_HEAD(&kn->bucket[i].waiters);
		}
		kn->gap = kvcalloc(KDDM_GAPS_MAX, sizeof(*kn->gap), GFP_KERNEL | __GFP_NOFAIL);
		kddm_debug_add(kn);
		/* Pairs with the acquire above. */
		smp_store_release(&kn->ready, true);
	}
	mutex_unlock(&kn->setup_lock);
}

/**
 * krg_kddm_linker_register() - sets of a kind may have users on this node
 * @linker: the kind
 *
 * Before this node is in a cluster: what comes of sets without a linker can't be kept.
 *
 * Context: process.
 * Return: 0; -EINVAL: it makes no sense; -EBUSY: there is one with that id; -ENOMEM.
 */
int krg_kddm_linker_register(const struct krg_kddm_linker *linker)
{
	bool pages = linker->size == PAGE_SIZE;

	if (!linker->id || !linker->size || linker->size > PAGE_SIZE || linker->size % 8)
		return -EINVAL;
	if (pages != (linker->fill && linker->page && linker->free))
		return -EINVAL;
	return xa_insert(&linkers, linker->id, (void *)linker, GFP_KERNEL);
}
EXPORT_SYMBOL_GPL(krg_kddm_linker_register);

/**
 * krg_kddm_linker_unregister() - the end of a kind
 * @linker: as registered; sets hold its module, so none of them is left
 *
 * Context: process.
 */
void krg_kddm_linker_unregister(const struct krg_kddm_linker *linker)
{
	xa_erase(&linkers, linker->id);
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(krg_kddm_linker_unregister);

const struct krg_kddm_linker *kddm_linker_get(u8 id)
{
	const struct krg_kddm_linker *linker;

	rcu_read_lock();
	linker = xa_load(&linkers, id);
	if (linker && !try_module_get(linker->owner))
		linker = NULL;
	rcu_read_unlock();
	return linker;
}

void kddm_linker_put(const struct krg_kddm_linker *linker)
{
	if (linker)
		module_put(linker->owner);
}

static void fate(struct kddm_net *kn, krg_node_t node)
{
	if (node >= 0 && node < KRG_MAX_NODES)
		krg_kddm_map_add(&kn->failed, node);
}

static void self_leaves(struct kddm_net *kn)
{
	krg_cluster_leave_hold(kn->net);
	WRITE_ONCE(kn->leaving, true);
	queue_work(system_unbound_wq, &kn->leave_work);
}

static int kddm_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct krg_cluster_event *what = data;
	struct kddm_net *kn = kddm_net(what->net);

	kddm_net_ready(kn);
	switch (event) {
	case KRG_NODE_FAILED:
		fate(kn, what->node);
		break;
	case KRG_NODE_LEAVING:
		/* A node thrown out leaves too, but has no view to do it in. */
		if (what->node == krg_self(what->net) && READ_ONCE(kn->in))
			self_leaves(kn);
		break;
	case KRG_CLUSTER_VIEW:
		kddm_view_new(kn, what->view);
		break;
	case KRG_CLUSTER_DOWN:
		kddm_vanish(kn);
		flush_work(&kn->leave_work);
		WRITE_ONCE(kn->leaving, false);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block kddm_notifier = {
	.notifier_call = kddm_notify,
};

static int __net_init kddm_net_init(struct net *net)
{
	struct kddm_net *kn = kddm_net(net);

	kn->net = net;
	mutex_init(&kn->setup_lock);
	mutex_init(&kn->sets_lock);
	init_rwsem(&kn->sem);
	xa_init(&kn->sets);
	xa_init(&kn->tombs);
	init_waitqueue_head(&kn->wait);
	INIT_WORK(&kn->leave_work, kddm_leave_work);
	return 0;
}

static void net_free_buckets(struct kddm_net *kn)
{
	struct krg_kddm_map *m;
	unsigned int i;

	for (i = 0; kn->bucket && i < 1 << KDDM_BUCKET_BITS; i++)
		while ((m = kn->bucket[i].spare)) {
			kn->bucket[i].spare = m->next;
			kfree(m);
		}
	kvfree(kn->bucket);
	kvfree(kn->gap);
}

static void net_free_peers(struct kddm_net *kn)
{
	unsigned int n;

	down_write(&kn->sem);
	for (n = 0; n < KRG_MAX_NODES; n++)
		if (kn->peer[n]) {
			kddm_drop_held(kn, n, U32_MAX);
			kfree(kn->peer[n]->pack);
			kfree(kn->peer[n]);
		}
	up_write(&kn->sem);
}

/* The namespace's ends in krg_cluster and krg_rpc come later: they may still call. */
static void __net_exit kddm_net_exit(struct net *net)
{
	struct kddm_net *kn = kddm_net(net);

	if (!kn->ready)
		return;
	down_write(&kn->sem);
	kn->exiting = true;
	up_write(&kn->sem);
	kddm_vanish(kn);
	flush_work(&kn->leave_work);
	kddm_debug_del(kn);
	wait_event(kn->wait, !atomic_read(&kn->timers) && xa_empty(&kn->sets));
	net_free_peers(kn);
	xa_destroy(&kn->tombs);
	net_free_buckets(kn);
}

static struct pernet_operations kddm_net_ops = {
	.init = kddm_net_init,
	.exit = kddm_net_exit,
	.id = &kddm_net_id,
	.size = sizeof(struct kddm_net),
};

static int __init kddm_init(void)
{
	int err;

	kddm_wq = alloc_workqueue("krg_kddm", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!kddm_wq)
		return -ENOMEM;
	err = kddm_object_init();
	if (err)
		goto destroy_wq;
	kddm_debug_init();
	err = register_pernet_subsys(&kddm_net_ops);
	if (err)
		goto exit_objects;
	err = krg_rpc_register(&kddm_service);
	if (err)
		goto unregister_pernet;
	err = krg_rpc_register(&kddm_range_service);
	if (err)
		goto unregister_service;
	err = krg_cluster_notifier_register(&kddm_notifier);
	if (err)
		goto unregister_range;
	if (krg_cluster_any_up()) {
		pr_err("not loaded: a cluster is up already, and counts on its members\n");
		err = -EBUSY;
		goto unregister_notifier;
	}
	return 0;

unregister_notifier:
	krg_cluster_notifier_unregister(&kddm_notifier);
unregister_range:
	krg_rpc_unregister(&kddm_range_service);
unregister_service:
	krg_rpc_unregister(&kddm_service);
unregister_pernet:
	unregister_pernet_subsys(&kddm_net_ops);
exit_objects:
	kddm_debug_exit();
	kddm_object_exit();
destroy_wq:
	destroy_workqueue(kddm_wq);
	return err;
}

/* Members count on each other's krg_kddm: this machine's nodes leave first. */
static void __exit kddm_exit(void)
{
	krg_cluster_leave_all();
	krg_cluster_notifier_unregister(&kddm_notifier);
	krg_rpc_unregister(&kddm_range_service);
	krg_rpc_unregister(&kddm_service);
	unregister_pernet_subsys(&kddm_net_ops);
	kddm_debug_exit();
	rcu_barrier();
	kddm_object_exit();
	destroy_workqueue(kddm_wq);
}

module_init(kddm_init);
module_exit(kddm_exit);
MODULE_DESCRIPTION("krg: containers, one memory across nodes");
MODULE_LICENSE("GPL");
