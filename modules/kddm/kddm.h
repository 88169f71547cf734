/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel part of containers: gives users, messages, time and views to the pure
 * code in core/ and does what that says.
 *
 * One struct kddm_net is one node. Lock order:
 *
 *   (mm->mmap_lock of who faults)
 *     kddm_net.sem		read: events of objects; write: steps of the view
 *       kddm_bucket.lock	all objects that hash there, and who waits for them
 *         locks of linkers	page, i_mmap, ...
 *           kddm_peer.lock	sending to one node
 *       kddm_net.sets_lock	sets that come and go
 *
 * Nothing waits for another node while it has any of them.
 */
#ifndef KRG_KDDM_PRIVATE_H
#define KRG_KDDM_PRIVATE_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <krg/cluster.h>
#include <krg/kddm.h>
#include <krg/rpc.h>
#include "core/kddm.h"
#include "core/view.h"
#include "core/wire.h"

#define KDDM_BUCKET_BITS	8
#define KDDM_GAPS_MAX		512
#define KDDM_MAX_PACKET		(KRG_RPC_MAX_CONTROL - PAGE_SIZE)
#define KDDM_PACK_RECORDS	64
#define KDDM_HELD_MAX		65536	/* packets of a view to come; in life a few */

static_assert(KRG_KDDM_NODES == KRG_MAX_NODES);
static_assert(KRG_KDDM_WIRE_HEAD + KRG_KDDM_WIRE_PAST + KDDM_GAPS_MAX * KRG_KDDM_WIRE_GAP <=
	      KDDM_MAX_PACKET);

struct kddm_bucket {
	struct mutex lock;		/* its objects, and the rest of this */
	struct list_head waiters;	/* lock and kddm_net.sem: kddm_waiter.link */
	struct krg_kddm_map *spare;	/* lock */
	u32 round;			/* lock: see kddm_retry() */
};

/**
 * struct kddm_object - an object on this node; all under its bucket's lock
 * @core: what the protocol knows of it
 * @data: raw: the page or bytes as they came; else the linker's slot, or our bytes
 * @doomed: @data of a set that ended while it was held: freed with the last hold
 * @granted_us: when it was granted, in us, modulo 2^32
 * @places: kddm_net.places for which @manager and @witness hold
 * @manager: who manages it
 * @witness: who witnesses it
 * @raw: @data is raw
 * @armed: a timer will release it
 */
struct kddm_object {
	struct krg_kddm_object core;
	void *data;
	void *doomed;
	u32 granted_us;
	u32 places;
	u16 manager;
	u16 witness;
	bool raw;
	bool armed;
};

struct krg_kddm_set {
	struct kddm_net *kn;
	struct krg_kddm_id id;
	refcount_t ref;			/* users, objects, jobs */
	const struct krg_kddm_linker *linker;	/* NULL: this node has none */
	bool opened;			/* linker->open() was called */
	bool dead;			/* destroyed; written under kddm_net.sem */
	void *priv;			/* the linker's */
	struct xarray objects;
	struct xarray migratory;	/* an index under its bucket's lock: migratory.c */
	atomic_long_t nr_objects;
	struct work_struct reap_work;
	struct krg_kddm_counters __percpu *count;
	struct rcu_head rcu;
};

/* A packet that has to wait for its time. */
struct kddm_held {
	struct list_head link;
	struct page *page;
	u32 len;
	u8 data[] __aligned(8);
};

/* A node to talk to. Made when it is first met; stays until the namespace goes. */
struct kddm_peer {
	struct mutex lock;		/* order of what is sent; the pack */
	u32 packed;			/* lock: records in pack */
	struct krg_kddm_record last;	/* lock: the last of them */
	bool unsent;			/* lock: krg_rpc has some that wait for more */
	u8 *pack;			/* lock: head and KDDM_PACK_RECORDS records, or NULL */
	struct list_head held;		/* kddm_net.sem: by its handler, or for writing */
	u32 nr_held;			/* likewise */
	u32 pong;			/* kddm_net.sem: last one that came */
};

/* Who waits, or what is to be done for another node. */
enum kddm_waiter_kind {
	KDDM_USER,			/* a task */
	KDDM_ASYNC,			/* @end is called */
	KDDM_JOB,			/* manager: @op for @node; freed at its end */
};

struct kddm_waiter {
	struct list_head link;		/* kddm_bucket.lock; empty = not waiting */
	struct krg_kddm_set *set;
	u64 index;
	u8 kind;
	u8 op;				/* KRG_KDDM_OP_*; jobs: enum krg_kddm_ask */
	bool asked;			/* SYNC, REMOVE: an answer will come */
	bool todo;			/* see kddm_retry_all() */
	bool late;			/* it took longer than it had to */
	bool done;			/* last store of who ends it */
	int status;
	u16 node;
	u32 round;
	u32 epoch;			/* jobs: of the view they belong to */
	struct task_struct *task;
	void (*end)(struct kddm_waiter *w);
	struct work_struct work;	/* jobs: sync */
};

struct kddm_net {
	struct net *net;
	struct mutex setup_lock;	/* ready, bucket, gap, debug: once */
	bool ready;			/* has buckets; set once */
	struct kddm_bucket *bucket;	/* 1 << KDDM_BUCKET_BITS */
	struct rw_semaphore sem;

	/* sem */
	struct krg_kddm_view view;
	bool in;			/* in a cluster */
	bool exiting;			/* the namespace goes: nothing is taken any more */
	bool paused;			/* in a view without quorum: nothing is begun */
	u32 places;			/* changes with who guards what */
	struct kddm_peer *peer[KRG_MAX_NODES];
	u32 nr_gaps;
	struct krg_kddm_dated_gap *gap;	/* KDDM_GAPS_MAX */
	struct xarray tombs;		/* destroyed sets: number -> KDDM_TOMB */
	u32 nr_tombs;
	u32 sweep;			/* PING that the tombs wait for; 0 = none */
	u32 ping;			/* the last one */

	/* What notifiers told since the last view; only they touch it. */
	struct krg_kddm_map failed;

	atomic_t plugged;
	struct mutex sets_lock;		/* making sets */
	struct xarray sets;
	atomic_long_t nr_objects;
	atomic_t timers;
	wait_queue_head_t wait;		/* views, pongs, objects and timers that go */
	u32 miss_ns;			/* moving average of what a miss takes */

	struct work_struct leave_work;
	bool leaving;			/* on the way out: it takes nothing any more */
	struct dentry *debug;
	u64 bad;			/* messages that broke the protocol */
};

/* In msg.flags of DATA and OWN, between kernels: see residency.c. */
#define KDDM_MSG_LATE		0x80

/* One object, locked, and what is to be done with it before it is unlocked. */
struct kddm_at {
	struct kddm_net *kn;
	struct krg_kddm_set *set;
	u64 index;
	struct kddm_bucket *bucket;
	struct kddm_object *obj;
	u8 woken;
	bool fill;
	bool late;			/* content that goes or comes was kept for its residency */
	struct page *page;		/* content that came with a message */
	const void *bytes;
};

/**
 * struct kddm_batch - one operation on many objects
 * @kn: node
 * @op: KRG_KDDM_OP_FLUSH, _SYNC or _REMOVE
 * @status: 0, or how one failed
 * @under_way: begun and not ended
 */
struct kddm_batch {
	struct kddm_net *kn;
	u8 op;
	int status;
	atomic_t under_way;
};

extern struct workqueue_struct *kddm_wq;
extern unsigned int kddm_residency_us;

/* main.c */
struct kddm_net *kddm_net(const struct net *net);
void kddm_net_ready(struct kddm_net *kn);
const struct krg_kddm_linker *kddm_linker_get(u8 id);
void kddm_linker_put(const struct krg_kddm_linker *linker);

/* set.c */
int kddm_set_init(void);
void kddm_set_exit(void);
struct krg_kddm_set *kddm_set_get(struct kddm_net *kn, struct krg_kddm_id id);
struct krg_kddm_set *kddm_set_find(struct kddm_net *kn, struct krg_kddm_id id);
struct krg_kddm_set *kddm_set_next(struct kddm_net *kn, struct krg_kddm_set *before);
void kddm_set_put(struct krg_kddm_set *set);
void kddm_sets_destroyed(struct kddm_net *kn, u64 number, u32 born);
bool kddm_set_is_dead(struct kddm_net *kn, u64 number);
void kddm_sweep(struct kddm_net *kn);
void kddm_swept(struct kddm_net *kn);
void kddm_forget_tombs(struct kddm_net *kn);

/* One more of what a set's counters count. */
static inline void kddm_count(u64 __percpu *counter)
{
	this_cpu_inc(*counter);
}

/* object.c */
int kddm_object_init(void);
void kddm_object_exit(void);
bool kddm_lock(struct kddm_at *at, struct krg_kddm_set *set, u64 index, bool make);
void kddm_unlock(struct kddm_at *at);
int kddm_run(struct kddm_at *at, const struct krg_kddm_msg *msg);
int kddm_op(struct kddm_at *at, u8 type, u16 node, int status);
void kddm_settle(struct kddm_at *at);
void kddm_kill_objects(struct krg_kddm_set *set);
void kddm_each_object(struct kddm_net *kn, void (*fn)(struct kddm_at *at));

static inline struct kddm_bucket *kddm_bucket_of(struct kddm_net *kn, u64 number, u64 index)
{
	return &kn->bucket[hash_64(number * 31 + index, KDDM_BUCKET_BITS)];
}

/* residency.c */
bool kddm_residency_over(struct kddm_at *at);
void kddm_residency_granted(struct kddm_at *at);
void kddm_residency_missed(struct kddm_net *kn, u64 ns);
void kddm_residency_wait(struct kddm_net *kn);

/* migratory.c */
int kddm_access(struct kddm_at *at, u8 op);

/* wait.c */
void kddm_wake(struct kddm_at *at, u8 whom, int status);
void kddm_retry(struct kddm_at *at);
int kddm_attempt(struct kddm_at *at, struct kddm_waiter *w);
void kddm_enqueue(struct kddm_at *at, struct kddm_waiter *w);
void kddm_end(struct kddm_waiter *w, int status);
void kddm_job(struct kddm_at *at, const struct krg_kddm_msg *msg);
void kddm_drop_jobs(struct kddm_net *kn);
void kddm_retry_all(struct kddm_net *kn);
void kddm_end_waiting(struct kddm_net *kn, const struct krg_kddm_set *set, int status);

/* batch.c */
void kddm_batch_one(struct kddm_batch *batch, struct krg_kddm_set *set, u64 index, bool managed);
int kddm_batch_wait(struct kddm_batch *batch);

/* range.c */
extern const struct krg_rpc_service kddm_range_service;

/* send.c */
struct kddm_peer *kddm_peer(struct kddm_net *kn, unsigned int node);
void kddm_send(struct kddm_at *at, unsigned int to, const struct krg_kddm_msg *msg);
void kddm_head(struct kddm_net *kn, u8 kind, u16 count, u32 arg, u8 *out);
void kddm_send_packet(struct kddm_net *kn, unsigned int to, const void *data, u32 len);
void kddm_send_members(struct kddm_net *kn, const void *data, u32 len);
void kddm_send_pong(struct kddm_net *kn, unsigned int to, u32 which);
u32 kddm_ping_members(struct kddm_net *kn);
bool kddm_ponged(struct kddm_net *kn, u32 ping);
void kddm_plug(struct kddm_net *kn);
void kddm_unplug(struct kddm_net *kn);

/* receive.c */
extern const struct krg_rpc_service kddm_service;
void kddm_replay(struct kddm_net *kn);
void kddm_drop_held(struct kddm_net *kn, unsigned int node, u32 before);

/* change.c */
int kddm_view_message(struct kddm_net *kn, krg_node_t from, const struct krg_kddm_packet *p,
		      const u8 *record);
void kddm_view_new(struct kddm_net *kn, const struct krg_cluster_view *v);
void kddm_vanish(struct kddm_net *kn);
bool kddm_presumed_lost(struct kddm_net *kn, const struct krg_kddm_set *set, u64 index);

/* leave.c */
void kddm_leave_work(struct work_struct *work);

/* debug.c */
void kddm_debug_init(void);
void kddm_debug_exit(void);
void kddm_debug_add(struct kddm_net *kn);
void kddm_debug_del(struct kddm_net *kn);

#endif
