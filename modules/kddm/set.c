// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets on one node: they come with their first user or message, and go with the last
 * user and object. Names are not announced, so a set that was destroyed has to be
 * remembered until nobody can speak of it any more:
 *
 *	destroy		told to all; the set is dead here, its name a tomb: messages
 *			of it are dropped
 *	sweep		now and then, and after each change of the view: all tombs are
 *			told to all once more, and a PING behind them
 *	all PONGs	who answers has none of these sets, and nothing of it that
 *			speaks of them is on its way to us: the tombs go
 */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/export.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "kddm.h"

#define TOMB_NEW	xa_mk_value(0)
#define TOMB_SWEPT	xa_mk_value(1)
#define TOMBS_MAX	1024	/* then they are swept */
#define TOMBS_PACKET	((KDDM_MAX_PACKET - KRG_KDDM_WIRE_HEAD) / KRG_KDDM_WIRE_DEAD)

static struct krg_kddm_set *set_find(struct kddm_net *kn, u64 number)
{
	struct krg_kddm_set *set;

	rcu_read_lock();
	set = xa_load(&kn->sets, number);
	if (set && !refcount_inc_not_zero(&set->ref))
		set = NULL;
	rcu_read_unlock();
	return set;
}

/* A set this node has, held; NULL. */
struct krg_kddm_set *kddm_set_find(struct kddm_net *kn, struct krg_kddm_id id)
{
	struct krg_kddm_set *set = set_find(kn, id.number);

	if (!set || set->id.born == id.born)
		return set;
	kddm_set_put(set);
	return NULL;
}

/**
 * kddm_set_next() - walk through the sets
 * @kn: node
 * @before: the set before, which is put; NULL: the first is wanted
 *
 * Return: it, held; NULL: there is none.
 */
struct krg_kddm_set *kddm_set_next(struct kddm_net *kn, struct krg_kddm_set *before)
{
	unsigned long number = before ? before->id.number : 0;
	struct krg_kddm_set *set;

	rcu_read_lock();
	set = before ? xa_find_after(&kn->sets, &number, ULONG_MAX, XA_PRESENT) :
		       xa_find(&kn->sets, &number, ULONG_MAX, XA_PRESENT);
	while (set && !refcount_inc_not_zero(&set->ref))
		set = xa_find_after(&kn->sets, &number, ULONG_MAX, XA_PRESENT);
	rcu_read_unlock();
	if (before)
		kddm_set_put(before);
	return set;
}

/* Frees what is dead and what is killed bit by bit: others get at the node between. */
static void set_reap_work(struct work_struct *work)
{
	struct krg_kddm_set *set = container_of(work, struct krg_kddm_set, reap_work);

	kddm_kill_objects(set);
	kddm_set_put(set);
}

static struct krg_kddm_set *set_alloc(struct kddm_net *kn, struct krg_kddm_id id)
{
	struct krg_kddm_set *set = kzalloc(sizeof(*set), GFP_KERNEL);

	if (!set)
		return NULL;
	set->count = alloc_percpu(struct krg_kddm_counters);
	if (!set->count) {
		kfree(set);
		return NULL;
	}
	set->kn = kn;
	set->id = id;
	refcount_set(&set->ref, 1);
	xa_init(&set->objects);
	xa_init(&set->migratory);
	INIT_WORK(&set->reap_work, set_reap_work);
	return set;
}

static void set_free(struct krg_kddm_set *set)
{
	if (set->opened && set->linker->close)
		set->linker->close(set);
	kddm_linker_put(set->linker);
	xa_destroy(&set->objects);
	xa_destroy(&set->migratory);
	free_percpu(set->count);
	kfree_rcu(set, rcu);
}

static int set_open_linker(struct krg_kddm_set *set)
{
	int err = 0;

	set->linker = kddm_linker_get(krg_kddm_linker_of(set->id));
	if (!set->linker)
		return 0;	/* this node may manage objects all the same */
	if (set->linker->open)
		err = set->linker->open(set);
	set->opened = !err;
	return err;
}

static struct krg_kddm_set *set_make(struct kddm_net *kn, struct krg_kddm_id id)
{
	struct krg_kddm_set *set = set_alloc(kn, id);
	int err;

	if (!set)
		return ERR_PTR(-ENOMEM);
	err = set_open_linker(set);
	if (!err)
		/* One that is on its way out is replaced. */
		err = xa_err(xa_store(&kn->sets, id.number, set, GFP_KERNEL));
	if (err) {
		set_free(set);
		return ERR_PTR(err);
	}
	return set;
}

/**
 * kddm_set_get() - a set, made if this node has none
 * @kn: node
 * @id: its name
 *
 * Context: process. Return: it, held; ERR_PTR: -EINVAL another set has that number;
 * -ENOMEM; what its linker's open said.
 */
struct krg_kddm_set *kddm_set_get(struct kddm_net *kn, struct krg_kddm_id id)
{
	struct krg_kddm_set *set = set_find(kn, id.number);

	if (!set) {
		mutex_lock(&kn->sets_lock);
		set = set_find(kn, id.number);
		if (!set)
			set = set_make(kn, id);
		mutex_unlock(&kn->sets_lock);
	}
	if (!IS_ERR(set) && set->id.born != id.born) {
		kddm_set_put(set);
		return ERR_PTR(-EINVAL);
	}
	return set;
}

void kddm_set_put(struct krg_kddm_set *set)
{
	struct kddm_net *kn = set->kn;

	if (!refcount_dec_and_test(&set->ref))
		return;
	xa_cmpxchg(&kn->sets, set->id.number, set, NULL, GFP_KERNEL);
	set_free(set);
	wake_up_all(&kn->wait);
}

/**
 * krg_kddm_number() - a number for a new set
 * @net: namespace
 * @linker: enum krg_kddm_linker_id
 * @home: the node that manages all objects, or KRG_KDDM_HASHED
 *
 * The node's id and 39 random bits: after a reboot it does not know what it gave out
 * before. Among a million sets of one node two are equal with odds of 1 to 1; who makes
 * so many sees that none is made twice.
 *
 * Context: any.
 */
u64 krg_kddm_number(struct net *net, u8 linker, unsigned int home)
{
	u64 own = (get_random_u64() & (KRG_KDDM_OWN_MASK >> 8)) | (u64)(u8)krg_self(net) << 39;

	return (u64)linker << KRG_KDDM_LINKER_SHIFT | (u64)home << KRG_KDDM_HOME_SHIFT | own;
}
EXPORT_SYMBOL_GPL(krg_kddm_number);

/**
 * krg_kddm_open() - a handle on a set
 * @net: namespace
 * @id: its name
 *
 * Context: process.
 * Return: it, to be closed; ERR_PTR: -EINVAL: another set has that number, or its
 * home can't be; -EOPNOTSUPP: no such linker; -ENOENT: it was destroyed; -ENOMEM;
 * what its linker's open said.
 */
struct krg_kddm_set *krg_kddm_open(struct net *net, struct krg_kddm_id id)
{
	struct kddm_net *kn = kddm_net(net);
	struct krg_kddm_set *set;
	bool dead;

	if (krg_kddm_home_of(id) >= KRG_MAX_NODES && krg_kddm_home_of(id) != KRG_KDDM_HASHED)
		return ERR_PTR(-EINVAL);
	kddm_net_ready(kn);
	down_read(&kn->sem);
	dead = kddm_set_is_dead(kn, id.number);
	set = dead ? ERR_PTR(-ENOENT) : kddm_set_get(kn, id);
	up_read(&kn->sem);
	if (!IS_ERR(set) && !set->linker) {
		kddm_set_put(set);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return set;
}
EXPORT_SYMBOL_GPL(krg_kddm_open);

/**
 * krg_kddm_close() - the end of a handle
 * @set: from krg_kddm_open(); none of its objects is held any more
 *
 * What this node has of the set stays.
 *
 * Context: process.
 */
void krg_kddm_close(struct krg_kddm_set *set)
{
	kddm_set_put(set);
}
EXPORT_SYMBOL_GPL(krg_kddm_close);

/* Locks: kn->sem. */
bool kddm_set_is_dead(struct kddm_net *kn, u64 number)
{
	return xa_load(&kn->tombs, number);
}

/**
 * kddm_sets_destroyed() - a set was destroyed
 * @kn: node
 * @number: its number
 * @born: when it was made
 *
 * Locks: kn->sem for writing.
 */
void kddm_sets_destroyed(struct kddm_net *kn, u64 number, u32 born)
{
	struct krg_kddm_set *set;

	lockdep_assert_held_write(&kn->sem);
	if (kddm_set_is_dead(kn, number))
		return;
	xa_store(&kn->tombs, number, TOMB_NEW, GFP_KERNEL | __GFP_NOFAIL);
	kn->nr_tombs++;
	set = set_find(kn, number);
	if (set) {
		set->dead = true;
		kddm_end_waiting(kn, set, -ENOENT);
		queue_work(system_unbound_wq, &set->reap_work);
	}
	if (kn->nr_tombs >= TOMBS_MAX && !kn->sweep)
		kddm_sweep(kn);
}

static void send_tombs(struct kddm_net *kn, u8 *data, u16 count)
{
	if (!count)
		return;
	kddm_head(kn, KRG_KDDM_PACKET_DESTROY, count, 0, data);
	kddm_send_members(kn, data, KRG_KDDM_WIRE_HEAD + count * KRG_KDDM_WIRE_DEAD);
}

/**
 * krg_kddm_destroy() - end a set on all nodes
 * @net: namespace
 * @id: its name
 *
 * Its users get -ENOENT from now on; what it had is freed. Nobody uses that name again.
 *
 * Context: process.
 * Return: 0; -ENOTCONN: this node is in no cluster.
 */
int krg_kddm_destroy(struct net *net, struct krg_kddm_id id)
{
	u8 data[KRG_KDDM_WIRE_HEAD + KRG_KDDM_WIRE_DEAD];
	struct kddm_net *kn = kddm_net(net);
	int err = -ENOTCONN;

	kddm_net_ready(kn);
	down_write(&kn->sem);
	if (kn->in) {
		krg_kddm_dead_encode(id.number, id.born, data + KRG_KDDM_WIRE_HEAD);
		send_tombs(kn, data, 1);
		kddm_sets_destroyed(kn, id.number, id.born);
		err = 0;
	}
	up_write(&kn->sem);
	return err;
}
EXPORT_SYMBOL_GPL(krg_kddm_destroy);

/**
 * kddm_sweep() - see that tombs can go
 * @kn: node
 *
 * Locks: kn->sem for writing.
 */
void kddm_sweep(struct kddm_net *kn)
{
	unsigned long number;
	u16 count = 0;
	void *entry;
	u8 *data;

	lockdep_assert_held_write(&kn->sem);
	kn->sweep = 0;
	if (!kn->nr_tombs)
		return;
	data = kvmalloc(KDDM_MAX_PACKET, GFP_KERNEL | __GFP_NOFAIL);
	xa_for_each(&kn->tombs, number, entry) {
		xa_store(&kn->tombs, number, TOMB_SWEPT, GFP_KERNEL | __GFP_NOFAIL);
		krg_kddm_dead_encode(number, 0, data + KRG_KDDM_WIRE_HEAD +
				     count++ * KRG_KDDM_WIRE_DEAD);
		if (count < TOMBS_PACKET)
			continue;
		send_tombs(kn, data, count);
		count = 0;
	}
	send_tombs(kn, data, count);
	kvfree(data);
	kn->sweep = kddm_ping_members(kn);
	kddm_swept(kn);
}

/**
 * kddm_swept() - a PONG has come: perhaps the last
 * @kn: node
 *
 * Locks: kn->sem for writing.
 */
void kddm_swept(struct kddm_net *kn)
{
	unsigned long number;
	void *entry;

	if (!kn->sweep || !kddm_ponged(kn, kn->sweep))
		return;
	kn->sweep = 0;
	xa_for_each(&kn->tombs, number, entry) {
		if (entry != TOMB_SWEPT)
			continue;
		xa_erase(&kn->tombs, number);
		kn->nr_tombs--;
	}
}

/* Nobody of that cluster will speak to us. Locks: kn->sem for writing. */
void kddm_forget_tombs(struct kddm_net *kn)
{
	kn->sweep = 0;
	kn->nr_tombs = 0;
	xa_destroy(&kn->tombs);
}

/**
 * krg_kddm_set_id() - a set's name
 * @set: the set
 */
struct krg_kddm_id krg_kddm_set_id(const struct krg_kddm_set *set)
{
	return set->id;
}
EXPORT_SYMBOL_GPL(krg_kddm_set_id);

/**
 * krg_kddm_set_net() - the node a set's handle is on
 * @set: the set
 */
struct net *krg_kddm_set_net(const struct krg_kddm_set *set)
{
	return set->kn->net;
}
EXPORT_SYMBOL_GPL(krg_kddm_set_net);

/**
 * krg_kddm_priv() - what the linker has stored
 * @set: the set
 */
void *krg_kddm_priv(const struct krg_kddm_set *set)
{
	/* Pairs with krg_kddm_set_priv(). */
	return smp_load_acquire(&set->priv);
}
EXPORT_SYMBOL_GPL(krg_kddm_priv);

/**
 * krg_kddm_set_priv() - let the linker store something
 * @set: the set
 * @priv: that
 */
void krg_kddm_set_priv(struct krg_kddm_set *set, void *priv)
{
	/* Pairs with krg_kddm_priv(). */
	smp_store_release(&set->priv, priv);
}
EXPORT_SYMBOL_GPL(krg_kddm_set_priv);

/**
 * krg_kddm_set_counters() - what a set did on this node
 * @set: the set
 * @out: filled
 */
void krg_kddm_set_counters(const struct krg_kddm_set *set, struct krg_kddm_counters *out)
{
	const u64 *from;
	unsigned int i;
	u64 *to = (u64 *)out;
	int cpu;

	memset(out, 0, sizeof(*out));
	for_each_possible_cpu(cpu) {
		from = (const u64 *)per_cpu_ptr(set->count, cpu);
		for (i = 0; i < sizeof(*out) / sizeof(u64); i++)
			to[i] += from[i];
	}
}
EXPORT_SYMBOL_GPL(krg_kddm_set_counters);
