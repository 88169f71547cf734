// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other nodes send. Packets of one node are taken in order; one whose time has not
 * come (its view is not ours yet) is kept, with all behind it, until the view has
 * made a step.
 */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "kddm.h"
#include "trace.h"

/* A packet at hand. */
struct inbound {
	krg_node_t from;
	struct krg_kddm_packet p;
	const u8 *data;
	u32 len;
	struct page *page;	/* taken by who keeps it: then NULL */
};

static int bad(struct kddm_net *kn, krg_node_t from, const char *why)
{
	kn->bad++;
	pr_warn_ratelimited("node %d: %s\n", from, why);
	return -EPROTO;
}

static const u8 *content(const struct inbound *in, const struct krg_kddm_set *set)
{
	u32 used = KRG_KDDM_WIRE_HEAD + KRG_KDDM_WIRE_OBJECT;

	if (!set->linker || set->linker->size == PAGE_SIZE || in->len - used != set->linker->size)
		return NULL;
	return in->data + used;
}

/* Does what came have the content it speaks of. */
static bool content_ok(const struct inbound *in, const struct krg_kddm_set *set,
		       const struct krg_kddm_record *r)
{
	bool small = in->len > KRG_KDDM_WIRE_HEAD + in->p.count * KRG_KDDM_WIRE_OBJECT;

	if (r->msg.content != KRG_KDDM_RAW)
		return !in->page && !small;
	if (!set->linker)
		return true;
	return set->linker->size == PAGE_SIZE ? !!in->page : !!content(in, set);
}

static int object_message(struct kddm_net *kn, struct inbound *in, struct krg_kddm_set *set,
			  const struct krg_kddm_record *r, u64 index)
{
	struct krg_kddm_msg msg = r->msg;
	struct kddm_at at;
	int err;

	kddm_lock(&at, set, index, true);
	kddm_count(&set->count->received);
	msg.from = in->from;
	if (msg.type == KRG_KDDM_DATA || msg.type == KRG_KDDM_OWN) {
		at.late = msg.flags & KDDM_MSG_LATE;
		msg.flags &= ~KDDM_MSG_LATE;
	}
	/* Nobody here could keep it. */
	if (msg.type == KRG_KDDM_EVICT && !set->opened)
		msg.status = -ENOMEM;
	if (msg.content == KRG_KDDM_RAW) {
		kddm_count(&set->count->pages_received);
		at.page = in->page;
		at.bytes = content(in, set);
		in->page = NULL;
	}
	err = kddm_run(&at, &msg);
	kddm_settle(&at);
	at.late = false;
	kddm_unlock(&at);
	return err == -EPROTO ? bad(kn, in->from, "a message that can't be in this state") : 0;
}

static int record_messages(struct kddm_net *kn, struct inbound *in,
			   const struct krg_kddm_record *r)
{
	struct krg_kddm_id id = { .number = r->set, .born = r->born };
	struct krg_kddm_set *set;
	unsigned int bit;
	int err;

	if (kddm_set_is_dead(kn, id.number))
		return 0;
	set = kddm_set_get(kn, id);
	if (IS_ERR(set))
		return bad(kn, in->from, "speaks of a set that can't be");
	err = content_ok(in, set, r) ? object_message(kn, in, set, r, r->index) :
				       bad(kn, in->from, "content amiss");
	for (bit = 0; bit < 64 && !err; bit++)
		if (r->more >> bit & 1)
			err = object_message(kn, in, set, r, r->index + 1 + bit);
	kddm_set_put(set);
	return err;
}

static int objects_packet(struct kddm_net *kn, struct inbound *in)
{
	const u8 *at = in->data + KRG_KDDM_WIRE_HEAD;
	struct krg_kddm_record r;
	bool plugged = false;
	unsigned int i;
	int err = 0;

	for (i = 0; i < in->p.count && !err; i++, at += KRG_KDDM_WIRE_OBJECT) {
		if (krg_kddm_record_decode(at, &in->p, &r)) {
			err = bad(kn, in->from, "a malformed record");
			break;
		}
		/* What follows of many is often for one node: it goes together. */
		if (!plugged && (in->p.count > 1 || r.more)) {
			kddm_plug(kn);
			plugged = true;
		}
		err = record_messages(kn, in, &r);
	}
	if (plugged)
		kddm_unplug(kn);
	return err;
}

static int destroy_packet(struct kddm_net *kn, struct inbound *in)
{
	const u8 *at = in->data + KRG_KDDM_WIRE_HEAD;
	unsigned int i;
	u64 number;
	u32 born;

	for (i = 0; i < in->p.count; i++, at += KRG_KDDM_WIRE_DEAD) {
		if (krg_kddm_dead_decode(at, &number, &born))
			return bad(kn, in->from, "a malformed destroy");
		kddm_sets_destroyed(kn, number, born);
	}
	return 0;
}

/* Must the view be ours alone for it. */
static bool exclusive(const struct krg_kddm_packet *p)
{
	return p->kind != KRG_KDDM_PACKET_OBJECTS;
}

/* A packet whose time has come. Locks: kn->sem, for writing if exclusive(). */
static int take(struct kddm_net *kn, struct inbound *in)
{
	switch (in->p.kind) {
	case KRG_KDDM_PACKET_OBJECTS:
		return objects_packet(kn, in);
	case KRG_KDDM_PACKET_VIEW:
		if (kddm_view_message(kn, in->from, &in->p, in->data + KRG_KDDM_WIRE_HEAD))
			return bad(kn, in->from, "a malformed END");
		return 0;
	case KRG_KDDM_PACKET_PING:
		kddm_send_pong(kn, in->from, in->p.arg);
		return 0;
	case KRG_KDDM_PACKET_PONG:
		kddm_peer(kn, in->from)->pong = in->p.arg;
		kddm_swept(kn);
		wake_up_all(&kn->wait);
		return 0;
	default:
		return destroy_packet(kn, in);
	}
}

static enum krg_kddm_accept accept(struct kddm_net *kn, const struct inbound *in)
{
	u8 type = in->p.kind == KRG_KDDM_PACKET_VIEW ? in->p.arg : 0;

	if (kn->paused)
		return KRG_KDDM_HOLD;
	/* Before our first view everything is of a later one. */
	return krg_kddm_view_accept(&kn->view, in->from, in->p.epoch, type);
}

static void hold(struct kddm_peer *peer, struct inbound *in)
{
	struct kddm_held *h = kvmalloc(sizeof(*h) + in->len, GFP_KERNEL | __GFP_NOFAIL);

	h->page = in->page;
	in->page = NULL;
	h->len = in->len;
	memcpy(h->data, in->data, in->len);
	list_add_tail(&h->link, &peer->held);
	peer->nr_held++;
}

static void held_free(struct kddm_peer *peer, struct kddm_held *h)
{
	list_del(&h->link);
	peer->nr_held--;
	if (h->page)
		put_page(h->page);
	kvfree(h);
}

static void held_inbound(const struct kddm_held *h, unsigned int from, struct inbound *in)
{
	in->from = from;
	in->data = h->data;
	in->len = h->len;
	in->page = h->page;
	/* It was checked when it came. */
	krg_kddm_packet_decode(h->data, h->len, h->page, &in->p);
}

/* Return: whether one was dealt with. */
static bool replay_one(struct kddm_net *kn, unsigned int from)
{
	struct kddm_peer *peer = kn->peer[from];
	struct inbound in;
	struct kddm_held *h;

	if (!peer || list_empty(&peer->held))
		return false;
	h = list_first_entry(&peer->held, struct kddm_held, link);
	held_inbound(h, from, &in);
	switch (accept(kn, &in)) {
	case KRG_KDDM_HOLD:
		return false;
	case KRG_KDDM_NOW:
		/* Steps of the view come back here: it must not be taken twice. */
		list_del_init(&h->link);
		take(kn, &in);
		h->page = in.page;
		break;
	case KRG_KDDM_NEVER:
		break;
	}
	held_free(peer, h);
	return true;
}

/**
 * kddm_replay() - the view has made a step: what was held may be taken
 * @kn: node
 *
 * Locks: kn->sem for writing.
 */
void kddm_replay(struct kddm_net *kn)
{
	unsigned int n;
	bool again;

	lockdep_assert_held_write(&kn->sem);
	do {
		again = false;
		for (n = 0; n < KRG_MAX_NODES; n++)
			while (replay_one(kn, n))
				again = true;
	} while (again);
}

/* What @node said in views before @before is of another life of it. */
void kddm_drop_held(struct kddm_net *kn, unsigned int node, u32 before)
{
	struct kddm_peer *peer = kn->peer[node];
	struct kddm_held *h, *next;
	struct inbound in;

	lockdep_assert_held_write(&kn->sem);
	if (!peer)
		return;
	list_for_each_entry_safe(h, next, &peer->held, link) {
		held_inbound(h, node, &in);
		if (in.p.epoch < before)
			held_free(peer, h);
	}
}

static int arrived(struct kddm_net *kn, struct inbound *in)
{
	struct kddm_peer *peer;

	if (kn->exiting)
		return 0;
	peer = kddm_peer(kn, in->from);
	if (!list_empty(&peer->held))
		goto hold;
	switch (accept(kn, in)) {
	case KRG_KDDM_NOW:
		return take(kn, in);
	case KRG_KDDM_NEVER:
		return 0;
	case KRG_KDDM_HOLD:
		break;
	}
hold:
	if (peer->nr_held >= KDDM_HELD_MAX)
		return bad(kn, in->from, "too much of a view to come");
	hold(peer, in);
	return 0;
}

static int service_handle(struct krg_rpc_request *req)
{
	struct kddm_net *kn = kddm_net(req->net);
	struct inbound in = { .from = req->from, .data = req->data, .len = req->len };
	int err;

	kddm_net_ready(kn);
	if (krg_kddm_packet_decode(in.data, in.len, req->page, &in.p))
		return bad(kn, in.from, "a malformed packet");
	in.page = krg_rpc_take_page(req);
	if (exclusive(&in.p)) {
		down_write(&kn->sem);
		err = arrived(kn, &in);
		kddm_replay(kn);
		up_write(&kn->sem);
	} else {
		down_read(&kn->sem);
		err = arrived(kn, &in);
		up_read(&kn->sem);
	}
	if (in.page)
		put_page(in.page);
	return err;
}

const struct krg_rpc_service kddm_service = {
	.id = KRG_SERVICE_KDDM,
	.name = "kddm",
	.max_request = KDDM_MAX_PACKET,
	.max_reply = 0,
	.flags = KRG_RPC_POSTS | KRG_RPC_ANY_EPOCH,
	.handle = service_handle,
	.owner = THIS_MODULE,
};
