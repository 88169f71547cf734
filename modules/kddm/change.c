// SPDX-License-Identifier: GPL-2.0-only
/*
 * The view changes: what core/view.c says is done with all objects of the node.
 *
 * krg_cluster tells of a view (KRG_CLUSTER_VIEW); one without quorum pauses the node:
 * what is here may be used, nothing is begun, those who would wait get an error, until
 * a view has quorum again. Then all that happened between is one change.
 */
#define pr_fmt(fmt) "krg_kddm: " fmt

#include <linux/mm.h>
#include <linux/slab.h>
#include "kddm.h"
#include "trace.h"

static void view_step(struct kddm_net *kn, const struct krg_kddm_view_step *ev);

static bool same_gap(const struct krg_kddm_dated_gap *a, const struct krg_kddm_gap *b)
{
	return !memcmp(&a->gap, b, sizeof(*b));
}

/*
 * With no room left the two oldest become one that says: nobody lived.
 */
static void gap_squeeze(struct kddm_net *kn)
{
	memset(&kn->gap[1].gap.alive, 0, sizeof(kn->gap[1].gap.alive));
	kn->gap[1].epoch = max(kn->gap[0].epoch, kn->gap[1].epoch);
	memmove(kn->gap, kn->gap + 1, --kn->nr_gaps * sizeof(*kn->gap));
}

static void gap_learn(struct kddm_net *kn, u32 epoch, const struct krg_kddm_gap *gap)
{
	u32 i;

	for (i = 0; i < kn->nr_gaps; i++)
		if (same_gap(&kn->gap[i], gap))
			return;
	if (kn->nr_gaps == KDDM_GAPS_MAX)
		gap_squeeze(kn);
	kn->gap[kn->nr_gaps].epoch = epoch;
	kn->gap[kn->nr_gaps++].gap = *gap;
}

static bool lost_in(const struct krg_kddm_gap *gap, struct krg_kddm_id id, u64 index)
{
	unsigned int home = krg_kddm_home_of(id);

	return home == KRG_KDDM_HASHED ? krg_kddm_presumed_lost(gap, 1, id.number, index) :
					 krg_kddm_home_lost(gap, 1, home);
}

/**
 * kddm_presumed_lost() - may an object nobody knows of have existed
 * @kn: node
 * @set: its set
 * @index: its number
 *
 * Locks: kn->sem.
 */
bool kddm_presumed_lost(struct kddm_net *kn, const struct krg_kddm_set *set, u64 index)
{
	u32 i;

	for (i = 0; i < kn->nr_gaps; i++)
		if (kn->gap[i].epoch > set->id.born &&
		    lost_in(&kn->gap[i].gap, set->id, index))
			return true;
	return false;
}

static void send_view(struct kddm_net *kn, u8 type)
{
	u8 data[KRG_KDDM_WIRE_HEAD];

	kddm_head(kn, KRG_KDDM_PACKET_VIEW, 0, type, data);
	kddm_send_members(kn, data, sizeof(data));
}

/* What was before, and the gaps. */
static void send_end(struct kddm_net *kn)
{
	struct krg_kddm_packet head = {
		.kind = KRG_KDDM_PACKET_VIEW, .arg = KRG_KDDM_VIEW_END, .count = 1,
		.gaps = kn->nr_gaps, .epoch = kn->view.epoch,
	};
	u32 len = KRG_KDDM_WIRE_HEAD + KRG_KDDM_WIRE_PAST + kn->nr_gaps * KRG_KDDM_WIRE_GAP;
	u8 *data = kvmalloc(len, GFP_KERNEL | __GFP_NOFAIL), *at = data;
	u32 i;

	at += krg_kddm_packet_encode(&head, at);
	krg_kddm_past_encode(&kn->view.past, at);
	at += KRG_KDDM_WIRE_PAST;
	for (i = 0; i < kn->nr_gaps; i++, at += KRG_KDDM_WIRE_GAP)
		krg_kddm_gap_encode(&kn->gap[i], at);
	kddm_send_members(kn, data, len);
	kvfree(data);
}

static void object_view(struct kddm_at *at)
{
	kddm_op(at, KRG_KDDM_VIEW, KRG_KDDM_NOBODY, 0);
	kddm_settle(at);
	kddm_op(at, KRG_KDDM_TELL, KRG_KDDM_NOBODY, 0);
}

static void object_build(struct kddm_at *at)
{
	kddm_op(at, KRG_KDDM_BUILD, KRG_KDDM_NOBODY, 0);
}

static void object_go(struct kddm_at *at)
{
	kddm_op(at, KRG_KDDM_GO, KRG_KDDM_NOBODY, 0);
}

static void each_object(struct kddm_net *kn, void (*fn)(struct kddm_at *at))
{
	kddm_plug(kn);
	kddm_each_object(kn, fn);
	kddm_unplug(kn);
}

static void simple_step(struct kddm_net *kn, u8 type)
{
	struct krg_kddm_view_step ev = { .type = type, .from = kn->view.self };

	view_step(kn, &ev);
}

static void todo_tell(struct kddm_net *kn)
{
	kddm_drop_jobs(kn);
	each_object(kn, object_view);
	simple_step(kn, KRG_KDDM_VIEW_TOLD);
}

static void todo_gaps(struct kddm_net *kn)
{
	u8 i;

	for (i = 0; i < kn->view.gaps; i++)
		gap_learn(kn, kn->view.epoch, &kn->view.gap[i]);
}

static void todo_build(struct kddm_net *kn)
{
	each_object(kn, object_build);
	simple_step(kn, KRG_KDDM_VIEW_BUILT);
}

static void todo_begin(struct kddm_net *kn)
{
	each_object(kn, object_go);
	send_view(kn, KRG_KDDM_VIEW_DONE);
	kddm_retry_all(kn);
	kddm_sweep(kn);
	wake_up_all(&kn->wait);
}

static void view_step(struct kddm_net *kn, const struct krg_kddm_view_step *ev)
{
	unsigned int todo = krg_kddm_view_event(&kn->view, ev);

	/* Guardians may have changed. */
	if (todo)
		kn->places++;
	trace_krg_kddm_view(&kn->view, ev->type, ev->from, todo);
	if (todo & KRG_KDDM_VIEW_SEND_MARK)
		send_view(kn, KRG_KDDM_VIEW_MARK);
	if (todo & KRG_KDDM_VIEW_TELL)
		todo_tell(kn);
	if (todo & KRG_KDDM_VIEW_SEND_END)
		send_end(kn);
	if (todo & KRG_KDDM_VIEW_GAPS)
		todo_gaps(kn);
	if (todo & KRG_KDDM_VIEW_BUILD)
		todo_build(kn);
	if (todo & KRG_KDDM_VIEW_SEND_GO)
		send_view(kn, KRG_KDDM_VIEW_GO);
	if (todo & KRG_KDDM_VIEW_SEND_SURE)
		send_view(kn, KRG_KDDM_VIEW_SURE);
	if (todo & KRG_KDDM_VIEW_BEGIN)
		todo_begin(kn);
	if (todo & KRG_KDDM_VIEW_CLEAN)
		kddm_retry_all(kn);
}

/**
 * kddm_view_message() - a message of the view
 * @kn: node
 * @from: who sent it
 * @p: its head
 * @record: what END says
 *
 * Locks: kn->sem for writing. Return: 0; -EPROTO: END says what can't be.
 */
int kddm_view_message(struct kddm_net *kn, krg_node_t from, const struct krg_kddm_packet *p,
		      const u8 *record)
{
	struct krg_kddm_view_step ev = { .type = p->arg, .from = from, .epoch = p->epoch };
	struct krg_kddm_dated_gap gap;
	struct krg_kddm_view_past past;
	u32 i;

	if (p->arg == KRG_KDDM_VIEW_END) {
		if (krg_kddm_past_decode(record, &past))
			return -EPROTO;
		ev.past = &past;
		record += KRG_KDDM_WIRE_PAST;
		for (i = 0; i < p->gaps; i++, record += KRG_KDDM_WIRE_GAP) {
			if (krg_kddm_gap_decode(record, &gap))
				return -EPROTO;
			gap_learn(kn, gap.epoch, &gap.gap);
		}
	}
	view_step(kn, &ev);
	return 0;
}

static void map_from_mask(struct krg_kddm_map *map, const struct krg_nodemask *mask)
{
	unsigned int n;

	memset(map, 0, sizeof(*map));
	krg_for_each_node(n, mask)
		krg_kddm_map_add(map, n);
}

/* Of the members of our last view: who left in order, who died and came again. */
static void map_fates(struct kddm_net *kn, const struct krg_kddm_map *members,
		      struct krg_kddm_map *left, struct krg_kddm_map *again)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(left->w); i++) {
		left->w[i] = kn->view.members.w[i] & ~members->w[i] & ~kn->failed.w[i];
		again->w[i] = members->w[i] & kn->failed.w[i];
	}
}

static void drop_old(struct kddm_net *kn, const struct krg_kddm_map *again)
{
	unsigned int n;

	for (n = 0; n < KRG_KDDM_NODES; n++)
		if (krg_kddm_map_has(again, n) || !krg_kddm_map_has(&kn->view.members, n))
			kddm_drop_held(kn, n, kn->view.epoch);
}

static void view_change(struct kddm_net *kn, const struct krg_cluster_view *v)
{
	struct krg_kddm_map members, guards, leaving, left, again;
	struct krg_kddm_view_step ev = {
		.type = KRG_KDDM_VIEW_CHANGE, .epoch = v->epoch, .from = kn->view.self,
		.members = &members, .guards = &guards, .left = &left, .again = &again,
	};
	unsigned int i;

	map_from_mask(&members, &v->members);
	map_from_mask(&leaving, &v->leaving);
	for (i = 0; i < ARRAY_SIZE(guards.w); i++)
		guards.w[i] = members.w[i] & ~leaving.w[i];
	map_fates(kn, &members, &left, &again);
	memset(&kn->failed, 0, sizeof(kn->failed));
	kn->in = true;
	kn->paused = false;
	kddm_drop_jobs(kn);
	view_step(kn, &ev);
	drop_old(kn, &again);
	kddm_replay(kn);
}

/* Who leaves a side without quorum has given nothing back. */
static void view_pause(struct kddm_net *kn, const struct krg_cluster_view *v)
{
	struct krg_kddm_map members;
	unsigned int i;

	map_from_mask(&members, &v->members);
	for (i = 0; i < ARRAY_SIZE(members.w); i++)
		kn->failed.w[i] |= kn->view.members.w[i] & ~members.w[i];
	kn->paused = true;
	kddm_end_waiting(kn, NULL, -ENOLINK);
}

/**
 * kddm_view_new() - the cluster has a new view
 * @kn: node
 * @v: it
 *
 * Context: process. Locks: none.
 */
void kddm_view_new(struct kddm_net *kn, const struct krg_cluster_view *v)
{
	krg_node_t self = krg_self(kn->net);

	if (!test_bit(self, v->members.bits)) {
		kddm_vanish(kn);
		return;
	}
	down_write(&kn->sem);
	if (!kn->in)
		krg_kddm_view_init(&kn->view, self);
	if (v->quorate && !kn->exiting)
		view_change(kn, v);
	else if (kn->in)
		view_pause(kn, v);
	up_write(&kn->sem);
	wake_up_all(&kn->wait);
}

static void object_vanish(struct kddm_at *at)
{
	kddm_op(at, KRG_KDDM_VIEW, KRG_KDDM_NOBODY, 0);
}

/**
 * kddm_vanish() - this node is in no cluster any more: its sets are out of reach
 * @kn: node
 *
 * Context: process. Locks: none.
 */
void kddm_vanish(struct kddm_net *kn)
{
	unsigned int n;

	down_write(&kn->sem);
	if (kn->in) {
		kn->in = false;
		kn->paused = false;
		kddm_drop_jobs(kn);
		memset(&kn->view.members, 0, sizeof(kn->view.members));
		memset(&kn->view.guards, 0, sizeof(kn->view.guards));
		kn->places++;
		kddm_each_object(kn, object_vanish);
		kddm_end_waiting(kn, NULL, -ENOTCONN);
		krg_kddm_view_init(&kn->view, kn->view.self);
		for (n = 0; n < KRG_MAX_NODES; n++)
			kddm_drop_held(kn, n, U32_MAX);
		kn->nr_gaps = 0;
		kddm_forget_tombs(kn);
		memset(&kn->failed, 0, sizeof(kn->failed));
	}
	up_write(&kn->sem);
	wake_up_all(&kn->wait);
}
