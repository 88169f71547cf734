// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to one node leave in the order of the events they come from: an object's
 * under its lock, all others' under the peer's. While a node is plugged, messages
 * without content gather, so that many objects' go in one packet, and equal ones of
 * neighbours in one record; whatever goes to that peer takes them along first. Those with
 * content go as they are, but krg_rpc may send several at once.
 */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include "kddm.h"

#define PACK_BYTES (KRG_KDDM_WIRE_HEAD + KDDM_PACK_RECORDS * KRG_KDDM_WIRE_OBJECT)

/**
 * kddm_peer() - the state of talking to a node
 * @kn: this node
 * @node: the other's id, below KRG_MAX_NODES
 *
 * Context: process. Return: it; never NULL.
 */
struct kddm_peer *kddm_peer(struct kddm_net *kn, unsigned int node)
{
	/* Pairs with cmpxchg() below. */
	struct kddm_peer *p = READ_ONCE(kn->peer[node]), *made;

	if (p)
		return p;
	made = kzalloc(sizeof(*made), GFP_KERNEL | __GFP_NOFAIL);
	mutex_init(&made->lock);
	INIT_LIST_HEAD(&made->held);
	p = cmpxchg(&kn->peer[node], NULL, made);
	if (!p)
		return made;
	kfree(made);
	return p;
}

/* A peer that is gone gets nothing: the view will change. */
static void post(struct kddm_net *kn, unsigned int to, struct kddm_peer *p, const void *data,
		 u32 len, struct page *page)
{
	bool more = page && atomic_read(&kn->plugged);
	int err;

	lockdep_assert_held(&p->lock);
	err = more ? krg_rpc_post_more(kn->net, to, KRG_SERVICE_KDDM, data, len, page) :
		     krg_rpc_post(kn->net, to, KRG_SERVICE_KDDM, data, len, page);
	p->unsent = more;
	if (err && err != -EHOSTDOWN)
		pr_err_ratelimited("a message to node %u is lost: error %d\n", to, err);
}

/* A packet's head. Locks: kn->sem. */
void kddm_head(struct kddm_net *kn, u8 kind, u16 count, u32 arg, u8 *out)
{
	struct krg_kddm_packet head = {
		.kind = kind, .count = count, .arg = arg, .epoch = kn->view.epoch,
	};

	krg_kddm_packet_encode(&head, out);
}

static void pack_last(struct kddm_peer *p)
{
	krg_kddm_record_encode(&p->last, p->pack + KRG_KDDM_WIRE_HEAD +
			       (p->packed - 1) * KRG_KDDM_WIRE_OBJECT);
}

static void peer_flush(struct kddm_net *kn, unsigned int to, struct kddm_peer *p)
{
	lockdep_assert_held(&p->lock);
	if (!p->packed)
		return;
	pack_last(p);
	kddm_head(kn, KRG_KDDM_PACKET_OBJECTS, p->packed, 0, p->pack);
	post(kn, to, p, p->pack, KRG_KDDM_WIRE_HEAD + p->packed * KRG_KDDM_WIRE_OBJECT, NULL);
	p->packed = 0;
}

/* Can @r go into the last record: the same for an object close behind its first. */
static bool merges(const struct krg_kddm_record *last, const struct krg_kddm_record *r)
{
	u64 off = r->index - last->index - 1;

	return r->index > last->index && off < 64 && last->set == r->set &&
	       last->born == r->born && !memcmp(&last->msg, &r->msg, sizeof(r->msg));
}

static void peer_pack(struct kddm_net *kn, unsigned int to, struct kddm_peer *p,
		      const struct krg_kddm_record *r)
{
	lockdep_assert_held(&p->lock);
	if (p->packed && merges(&p->last, r)) {
		p->last.more |= 1ull << (r->index - p->last.index - 1);
		return;
	}
	if (!p->pack)
		p->pack = kmalloc(PACK_BYTES, GFP_KERNEL | __GFP_NOFAIL);
	if (p->packed == KDDM_PACK_RECORDS)
		peer_flush(kn, to, p);
	else if (p->packed)
		pack_last(p);
	p->last = *r;
	p->packed++;
}

/* The object's bytes: a page to be held by who sends it, or where they are. */
static struct page *content_page(const struct kddm_at *at)
{
	const struct kddm_object *o = at->obj;

	return o->raw ? o->data : at->set->linker->page(at->set, at->index, o->data);
}

static void send_now(struct kddm_at *at, unsigned int to, struct kddm_peer *p,
		     const struct krg_kddm_record *r)
{
	u8 data[KRG_KDDM_WIRE_HEAD + KRG_KDDM_WIRE_OBJECT];
	bool content = r->msg.content == KRG_KDDM_RAW;
	struct kddm_net *kn = at->kn;
	u32 size;
	u8 *all;

	kddm_head(kn, KRG_KDDM_PACKET_OBJECTS, 1, 0, data);
	krg_kddm_record_encode(r, data + KRG_KDDM_WIRE_HEAD);
	if (content)
		kddm_count(&at->set->count->pages_sent);
	if (!content || at->set->linker->size == PAGE_SIZE) {
		post(kn, to, p, data, sizeof(data), content ? content_page(at) : NULL);
		return;
	}
	size = at->set->linker->size;
	all = kmalloc(sizeof(data) + size, GFP_KERNEL | __GFP_NOFAIL);
	memcpy(all, data, sizeof(data));
	memcpy(all + sizeof(data), at->obj->data, size);
	post(kn, to, p, all, sizeof(data) + size, NULL);
	kfree(all);
}

/**
 * kddm_send() - send a message of an object
 * @at: the object
 * @to: another node
 * @msg: the message; RAW: with the object's content
 */
void kddm_send(struct kddm_at *at, unsigned int to, const struct krg_kddm_msg *msg)
{
	struct krg_kddm_record r = {
		.msg = *msg,
		.born = at->set->id.born,
		.set = at->set->id.number,
		.index = at->index,
	};
	struct kddm_peer *p = kddm_peer(at->kn, to);

	kddm_count(&at->set->count->sent);
	if (at->late && (msg->type == KRG_KDDM_DATA || msg->type == KRG_KDDM_OWN))
		r.msg.flags |= KDDM_MSG_LATE;
	mutex_lock(&p->lock);
	if (atomic_read(&at->kn->plugged) && msg->content != KRG_KDDM_RAW) {
		peer_pack(at->kn, to, p, &r);
	} else {
		peer_flush(at->kn, to, p);
		send_now(at, to, p, &r);
	}
	mutex_unlock(&p->lock);
}

/**
 * kddm_send_packet() - send what is about no object
 * @kn: this node
 * @to: another node
 * @data: the packet
 * @len: its length
 */
void kddm_send_packet(struct kddm_net *kn, unsigned int to, const void *data, u32 len)
{
	struct kddm_peer *p = kddm_peer(kn, to);

	mutex_lock(&p->lock);
	peer_flush(kn, to, p);
	post(kn, to, p, data, len, NULL);
	mutex_unlock(&p->lock);
}

/* The same to all other members. Locks: kn->sem. */
void kddm_send_members(struct kddm_net *kn, const void *data, u32 len)
{
	unsigned int n;

	for (n = 0; n < KRG_KDDM_NODES; n++)
		if (n != kn->view.self && krg_kddm_map_has(&kn->view.members, n))
			kddm_send_packet(kn, n, data, len);
}

void kddm_send_pong(struct kddm_net *kn, unsigned int to, u32 which)
{
	u8 data[KRG_KDDM_WIRE_HEAD];

	kddm_head(kn, KRG_KDDM_PACKET_PONG, 0, which, data);
	kddm_send_packet(kn, to, data, sizeof(data));
}

/**
 * kddm_ping_members() - begin a round trip with all members
 * @kn: node
 *
 * What a member has sent before it answers has arrived when its answer has. A change
 * of the view loses pings.
 *
 * Locks: kn->sem for writing. Return: which ping, for kddm_ponged(); never 0.
 */
u32 kddm_ping_members(struct kddm_net *kn)
{
	u8 data[KRG_KDDM_WIRE_HEAD];

	lockdep_assert_held_write(&kn->sem);
	if (!++kn->ping)
		kn->ping++;
	kddm_head(kn, KRG_KDDM_PACKET_PING, 0, kn->ping, data);
	kddm_send_members(kn, data, sizeof(data));
	return kn->ping;
}

/* Have all members answered this ping. Locks: kn->sem. */
bool kddm_ponged(struct kddm_net *kn, u32 ping)
{
	unsigned int n;

	for (n = 0; n < KRG_KDDM_NODES; n++)
		if (n != kn->view.self && krg_kddm_map_has(&kn->view.members, n) &&
		    (s32)(kddm_peer(kn, n)->pong - ping) < 0)
			return false;
	return true;
}

/* From now on messages may gather; until kddm_unplug(). */
void kddm_plug(struct kddm_net *kn)
{
	atomic_inc(&kn->plugged);
}

void kddm_unplug(struct kddm_net *kn)
{
	struct kddm_peer *p;
	unsigned int n;

	/* Who still saw it plugged had the peer's lock before we get it. */
	atomic_dec(&kn->plugged);
	for (n = 0; n < KRG_MAX_NODES; n++) {
		p = READ_ONCE(kn->peer[n]);
		if (!p)
			continue;
		mutex_lock(&p->lock);
		peer_flush(kn, n, p);
		if (p->unsent)
			krg_rpc_push(kn->net, n);
		p->unsent = false;
		mutex_unlock(&p->lock);
	}
}
