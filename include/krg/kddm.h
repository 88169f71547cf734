/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Containers: sets of objects that all nodes share.
 *
 * A set has up to 2^64 objects; each is as if there were one of it, whatever node
 * uses it: who holds it for reading sees what the last writer left, who holds it
 * for writing is alone. An object never touched has the content its linker makes
 * (zeroes). The protocol: Documentation/kddm-protocol.md.
 *
 * A set is named by struct krg_kddm_id, and exists on a node while somebody has it
 * open there or something is known of its objects; nothing announces it. What its
 * objects are on a node is up to its linker, which is part of the name.
 *
 *	krg_kddm_open()			a handle on this node
 *	krg_kddm_get(), _grab()		hold an object: read, write
 *	krg_kddm_put()			and let it go
 *	krg_kddm_find()			hold it for reading if that sends no message
 *	krg_kddm_prefetch()		have copies come, without waiting
 *	krg_kddm_flush()		be rid of this node's copy
 *	krg_kddm_sync(), _remove()	write back; make untouched, everywhere
 *	krg_kddm_close()
 *	krg_kddm_destroy()		the set ends, on all nodes
 *
 * While an object is held its bytes stay and keep their meaning. Hold shortly: other
 * nodes wait. Never wait for one object while holding another (deadlock between
 * nodes); KRG_KDDM_NOWAIT is there for that.
 */
#ifndef KRG_KDDM_H
#define KRG_KDDM_H

#include <linux/module.h>
#include <linux/types.h>
#include <krg/types.h>

struct net;
struct page;
struct seq_file;
struct krg_kddm_set;

/**
 * struct krg_kddm_id - the name of a set
 * @number: linker << 56, home << 47, and 47 bits of its own: krg_kddm_number()
 * @born: epoch in which it was made (krg_epoch()); 0 = before any. Says which deaths
 *	it has lived through; the same wherever the set is opened
 *
 * A name is used once: a set that was destroyed does not come back.
 */
struct krg_kddm_id {
	u64 number;
	u32 born;
};

#define KRG_KDDM_HASHED		0x1ffu	/* home: managers are spread over all nodes */
#define KRG_KDDM_LINKER_SHIFT	56
#define KRG_KDDM_HOME_SHIFT	47
#define KRG_KDDM_OWN_MASK	((1ull << KRG_KDDM_HOME_SHIFT) - 1)

/* Linkers, never reused. 0 is none. */
enum krg_kddm_linker_id {
	KRG_KDDM_LINKER_SHM	= 1,	/* krg_mm: files of the shared memory file system */
	KRG_KDDM_LINKER_TEST	= 0xf0,	/* 0xf0.. test modules */
};

static inline u8 krg_kddm_linker_of(struct krg_kddm_id id)
{
	return id.number >> KRG_KDDM_LINKER_SHIFT;
}

/* Home node, or KRG_KDDM_HASHED. */
static inline unsigned int krg_kddm_home_of(struct krg_kddm_id id)
{
	return (id.number >> KRG_KDDM_HOME_SHIFT) & 0x1ff;
}

u64 krg_kddm_number(struct net *net, u8 linker, unsigned int home);

/**
 * struct krg_kddm_linker - what objects of a set are on one node
 * @id: enum krg_kddm_linker_id, the same on all nodes
 * @name: for people
 * @size: bytes of an object: PAGE_SIZE, or a multiple of 8 below
 * @fill: content has come. Pages: make @page (a reference to keep; nobody else
 *	writes to it), or with NULL an object as it is before it is touched, this
 *	node's bytes and store in *@slot what finds them again. 0 or -errno: then
 *	nothing was taken, the user gets the error, the next one tries again
 * @page: pages: the page that holds *@slot's bytes, to be sent: its content will
 *	not change before another krg_kddm_grab() here ends
 * @protect: local users may only read from now on
 * @unmap: local users have no access from now on
 * @free: the bytes are not needed any more; after @unmap
 * @sync: write the object to its backing; may wait. Manager only, held for
 *	reading. NULL: there is none
 * @open: a set has come to be on this node; sets priv with krg_kddm_set_priv() or
 *	not. Only memory may be waited for. NULL: nothing to do
 * @close: and goes
 * @owner: THIS_MODULE
 *
 * Objects smaller than a page need none of these: their bytes are kept by krg_kddm,
 * begin as zeroes, and *slot is where they are.
 *
 * Context of all but @sync: process, with the object locked: may wait for memory
 * and for locks whose holders never wait for an object; calls nothing of krg_kddm.
 */
struct krg_kddm_linker {
	u8 id;
	const char *name;
	unsigned int size;
	int (*fill)(struct krg_kddm_set *set, u64 index, struct page *page, void **slot);
	struct page *(*page)(struct krg_kddm_set *set, u64 index, void *slot);
	void (*protect)(struct krg_kddm_set *set, u64 index, void *slot);
	void (*unmap)(struct krg_kddm_set *set, u64 index, void *slot);
	void (*free)(struct krg_kddm_set *set, u64 index, void *slot);
	int (*sync)(struct krg_kddm_set *set, u64 index, void *slot);
	int (*open)(struct krg_kddm_set *set);
	void (*close)(struct krg_kddm_set *set);
	struct module *owner;
};

int krg_kddm_linker_register(const struct krg_kddm_linker *linker);
void krg_kddm_linker_unregister(const struct krg_kddm_linker *linker);

struct krg_kddm_set *krg_kddm_open(struct net *net, struct krg_kddm_id id);
void krg_kddm_close(struct krg_kddm_set *set);
int krg_kddm_destroy(struct net *net, struct krg_kddm_id id);

struct krg_kddm_id krg_kddm_set_id(const struct krg_kddm_set *set);
struct net *krg_kddm_set_net(const struct krg_kddm_set *set);
void *krg_kddm_priv(const struct krg_kddm_set *set);
void krg_kddm_set_priv(struct krg_kddm_set *set, void *priv);

/* How to wait. */
#define KRG_KDDM_KILLABLE	0x1	/* only a fatal signal ends the waiting; else any does */
#define KRG_KDDM_NOWAIT		0x2	/* ask for it, but return -EAGAIN rather than wait */

int krg_kddm_get(struct krg_kddm_set *set, u64 index, unsigned int flags, void **slot);
int krg_kddm_grab(struct krg_kddm_set *set, u64 index, unsigned int flags, void **slot);
int krg_kddm_find(struct krg_kddm_set *set, u64 index, void **slot);
void krg_kddm_put(struct krg_kddm_set *set, u64 index, bool write);
void krg_kddm_prefetch(struct krg_kddm_set *set, u64 index, unsigned int count);
int krg_kddm_flush(struct krg_kddm_set *set, u64 index, krg_node_t to, unsigned int flags);
int krg_kddm_sync(struct krg_kddm_set *set, u64 index, unsigned int flags);
int krg_kddm_remove(struct krg_kddm_set *set, u64 index, unsigned int flags);
int krg_kddm_remove_range(struct krg_kddm_set *set, u64 first, u64 last, unsigned int flags);

/**
 * struct krg_kddm_counters - what a set did on this node
 * @hits: objects held without a message
 * @misses: waits for an object
 * @miss_ns: time waited for them
 * @sent: messages sent, without the view's
 * @received: messages received
 * @pages_sent: contents sent
 * @pages_received: contents received
 * @invalidated: copies given up for others
 * @prefetched: copies asked for by krg_kddm_prefetch()
 * @migratory: reads that asked for ownership at once, as a write was to follow
 * @residency: times another node waited for the minimum residency
 * @lost: objects users were told are lost
 */
struct krg_kddm_counters {
	u64 hits;
	u64 misses;
	u64 miss_ns;
	u64 sent;
	u64 received;
	u64 pages_sent;
	u64 pages_received;
	u64 invalidated;
	u64 prefetched;
	u64 migratory;
	u64 residency;
	u64 lost;
};

void krg_kddm_set_counters(const struct krg_kddm_set *set, struct krg_kddm_counters *out);

#endif
