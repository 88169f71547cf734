// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

#include "modules/cluster/core/lease.h"
#include "modules/cluster/core/wire.h"
#include "sim.h"

enum kind { TICK, BEACON, MESSAGE, READY, REINCARNATE };

struct item {
	u64 at;
	u64 order;
	enum kind kind;
	unsigned int to;
	unsigned int from;
	u64 boot;
	u32 len;
	u64 *bytes;
};

struct sim {
	unsigned int nodes;
	unsigned int max_nodes;
	u64 now;
	u64 rng;
	u64 order;
	double loss;
	bool *cut;
	struct item *heap;
	unsigned int count;
	unsigned int room;
	unsigned int notices[16];
	char broken[256];
	struct krg_out out;
	struct sim_node *node;
};

static bool tracing;

void sim_trace(bool on)
{
	tracing = on;
}

u64 sim_random(struct sim *s, u64 below)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return below ? s->rng % below : s->rng;
}

u64 sim_time(const struct sim *s)
{
	return s->now;
}

unsigned int sim_notices(const struct sim *s, u8 notice)
{
	return s->notices[notice];
}

const char *sim_broken(const struct sim *s)
{
	return s->broken[0] ? s->broken : NULL;
}

struct sim_node *sim_node(struct sim *s, unsigned int machine)
{
	return &s->node[machine];
}

static bool before(const struct item *a, const struct item *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct sim *s, struct item it)
{
	unsigned int i = s->count++;

	if (s->count > s->room) {
		s->room = 2 * s->count;
		s->heap = realloc(s->heap, s->room * sizeof(*s->heap));
	}
	it.order = s->order++;
	for (; i && before(&it, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = it;
}

static struct item pop(struct sim *s)
{
	struct item first = s->heap[0], last = s->heap[--s->count];
	unsigned int i = 0, child;

	while ((child = 2 * i + 1) < s->count) {
		if (child + 1 < s->count && before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return first;
}

static u64 clock_of(const struct sim *s, const struct sim_node *n)
{
	return n->offset + (u64)((double)s->now * n->rate) + 1;
}

static void post(struct sim *s, unsigned int from, unsigned int to, enum kind kind, const void *bytes, u32 len)
{
	struct item it = { .kind = kind, .to = to, .from = from, .len = len };

	if (s->cut[from * s->nodes + to] || (double)sim_random(s, 1000000) < s->loss * 1000000)
		return;
	it.at = s->now + 1 + sim_random(s, 20);
	it.boot = s->node[to].boot;
	it.bytes = aligned_alloc(8, (len + 7) & ~7u);
	memcpy(it.bytes, bytes, len);
	push(s, it);
}

static void broadcast(struct sim *s, unsigned int from)
{
	static u64 buf[KRG_BEACON_BYTES_MAX / 8 + 1];
	static struct krg_beacon b;
	unsigned int to;
	int len;

	krg_membership_beacon(&s->node[from].m, clock_of(s, &s->node[from]), &b);
	len = krg_beacon_encode(&b, buf, sizeof(buf));
	memset((char *)buf + len, 0, KRG_BEACON_MAC);
	for (to = 0; to < s->nodes; to++)
		if (to != from && s->node[to].alive)
			post(s, from, to, BEACON, buf, len + KRG_BEACON_MAC);
}

static int machine_of(const struct sim *s, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < s->nodes; i++)
		if (s->node[i].alive && s->node[i].id == id && !s->node[i].duplicate)
			return i;
	return -1;
}

static void broke(struct sim *s, const char *what, unsigned int a, unsigned int b)
{
	if (!s->broken[0])
		snprintf(s->broken, sizeof(s->broken), "%s (nodes %u and %u, at %llu ms)", what, a, b,
			 (unsigned long long)s->now);
}

static bool views_equal(const struct krg_view *a, const struct krg_view *b)
{
	unsigned int n;

	for (n = 0; n < KRG_NODES; n++)
		if (krg_view_member(a, n) != krg_view_member(b, n) ||
		    (krg_view_member(a, n) && a->node[n].incarnation != b->node[n].incarnation))
			return false;
	return true;
}

/* Whoever shares a member agrees, within one epoch, on all of them. */
static void check_view(struct sim *s, struct sim_node *n)
{
	unsigned int i, k;

	for (i = 0; i < s->nodes; i++) {
		struct sim_node *o = &s->node[i];
		bool share = false;

		if (!o->alive || o->m.epoch != n->m.epoch || !krg_in_cluster(&o->m) || !krg_in_cluster(&n->m) ||
		    !o->m.view.quorate || !n->m.view.quorate)
			continue;
		for (k = 0; k < KRG_NODES; k++)
			share |= krg_view_member(&o->m.view, k) && krg_view_member(&n->m.view, k) &&
				 o->m.view.node[k].incarnation == n->m.view.node[k].incarnation;
		if (share && !views_equal(&o->m.view, &n->m.view))
			broke(s, "two quorate views of one epoch", n->id, o->id);
	}
}

/* Whoever is failed for somebody holds no lease of his any more. */
static void check_leases(struct sim *s, struct sim_node *h)
{
	unsigned int i;

	for (i = 0; i < s->nodes; i++) {
		struct sim_node *g = &s->node[i];

		if (g == h || !g->alive || !krg_in_cluster(&g->m) || h->m.member[g->id].state != KRG_NODE_FAILED ||
		    h->m.member[g->id].incarnation != g->m.incarnation ||
		    g->m.view.node[h->id].incarnation != h->m.incarnation)
			continue;
		if (krg_membership_lease_valid(&g->m, h->id, clock_of(s, g)))
			broke(s, "failed, but still holds a lease", g->id, h->id);
	}
}

static void perform(struct sim *s, unsigned int machine);

static void event(struct sim *s, unsigned int machine, struct krg_event *ev)
{
	ev->now = clock_of(s, &s->node[machine]);
	krg_membership_event(&s->node[machine].m, ev, &s->out);
	perform(s, machine);
}

static void later(struct sim *s, unsigned int machine, enum kind kind, u64 ms)
{
	struct item it = { .at = s->now + ms, .kind = kind, .to = machine, .boot = s->node[machine].boot };

	push(s, it);
}

static void act_state(struct sim *s, struct sim_node *n, unsigned int machine, const struct krg_action *a)
{
	if (tracing)
		printf("# %6llu node %u: %u %s -> %s, epoch %u\n", (unsigned long long)s->now, n->id, a->node,
		       krg_state_name(a->from), krg_state_name(a->to), n->m.epoch);
	if (a->node == n->id && a->to == KRG_NODE_LEAVING && krg_in_cluster(&n->m))
		later(s, machine, READY, 1 + sim_random(s, 300));
	if (a->to == KRG_NODE_FAILED && n->m.member[a->node].state == KRG_NODE_FAILED)
		check_leases(s, n);
}

static void act_send(struct sim *s, struct sim_node *n, unsigned int machine, const struct krg_action *a)
{
	static u64 buf[KRG_MSG_BYTES_MAX / 8 + 1];
	int to = machine_of(s, a->node);
	u8 state = n->m.member[a->node].state;
	struct krg_msg msg;
	int len;

	krg_membership_msg(&n->m, a, &msg);
	if (to < 0 || msg.type == KRG_MSG_NONE || state == KRG_NODE_ABSENT || state == KRG_NODE_FAILED)
		return;
	len = krg_msg_encode(&msg, buf, sizeof(buf));
	if (len < 0)
		broke(s, "message too long", n->id, a->node);
	else
		post(s, machine, to, MESSAGE, buf, len);
}

static void perform(struct sim *s, unsigned int machine)
{
	struct sim_node *n = &s->node[machine];
	bool beacon = false;
	unsigned int i;

	if (s->out.count >= KRG_OUT_MAX)
		broke(s, "too many actions", n->id, n->id);
	if (n->m.bugs)
		broke(s, "illegal move", n->id, n->id);
	for (i = 0; i < s->out.count; i++) {
		const struct krg_action *a = &s->out.act[i];

		switch (a->type) {
		case KRG_ACT_STATE:
			act_state(s, n, machine, a);
			break;
		case KRG_ACT_SEND:
			act_send(s, n, machine, a);
			break;
		case KRG_ACT_BEACON:
			beacon = true;
			break;
		case KRG_ACT_EPOCH:
			check_view(s, n);
			break;
		case KRG_ACT_RESET:
			later(s, machine, REINCARNATE, 1);
			break;
		case KRG_ACT_NOTICE:
			if (tracing)
				printf("# %6llu node %u: notice %u about %u\n", (unsigned long long)s->now, n->id,
				       a->notice, a->node);
			s->notices[a->notice]++;
			break;
		}
	}
	if (beacon)
		broadcast(s, machine);
}

static void deliver(struct sim *s, const struct item *it)
{
	static struct krg_beacon b;
	static struct krg_view view;
	struct sim_node *n = &s->node[it->to];
	struct krg_event ev = {};
	struct krg_msg msg;

	if (it->kind == BEACON) {
		if (krg_beacon_decode(it->bytes, it->len, &b))
			broke(s, "own beacon refused", n->id, s->node[it->from].id);
		ev.type = KRG_EV_BEACON;
		ev.beacon = &b;
	} else {
		if (krg_msg_decode(it->bytes, it->len, &msg, &view))
			broke(s, "own message refused", n->id, s->node[it->from].id);
		ev.type = KRG_EV_MSG;
		ev.node = s->node[it->from].id;
		ev.msg = &msg;
	}
	event(s, it->to, &ev);
}

static void tick(struct sim *s, unsigned int machine)
{
	struct sim_node *n = &s->node[machine];
	struct krg_event ev = { .type = KRG_EV_TICK };
	unsigned int wait;

	if (n->tick_at > s->now)
		return;
	event(s, machine, &ev);
	wait = krg_membership_wait(&n->m, clock_of(s, n));
	if (wait > KRG_T_TICK)
		wait = KRG_T_TICK;
	n->tick_at = s->now + (wait ? wait : 1);
	later(s, machine, TICK, n->tick_at - s->now);
}

static void handle(struct sim *s, const struct item *it)
{
	struct sim_node *n = &s->node[it->to];
	struct krg_event ev = {};

	if (!n->alive || it->boot != n->boot)
		return;
	switch (it->kind) {
	case TICK:
		tick(s, it->to);
		break;
	case BEACON:
	case MESSAGE:
		deliver(s, it);
		break;
	case READY:
		ev.type = KRG_EV_READY;
		event(s, it->to, &ev);
		break;
	case REINCARNATE:
		ev.type = KRG_EV_REINCARNATE;
		ev.incarnation = sim_random(s, 0) | 1;
		event(s, it->to, &ev);
		break;
	}
}

void sim_run(struct sim *s, u64 ms)
{
	u64 end = s->now + ms;

	while (s->count && s->heap[0].at <= end) {
		struct item it = pop(s);

		s->now = it.at;
		handle(s, &it);
		free(it.bytes);
	}
	s->now = end;
}

void sim_boot(struct sim *s, unsigned int machine)
{
	struct sim_node *n = &s->node[machine];
	struct krg_membership_config cfg = {
		.session = 7,
		.self = n->id,
		.max_nodes = s->max_nodes,
		.incarnation = sim_random(s, 0) | 1,
		.stamp_base = sim_random(s, 0),
		.addr = { .ip = 0x0a000001 + machine },
	};

	n->alive = true;
	n->boot++;
	n->rate = 0.95 + (double)sim_random(s, 1000) / 10000;
	n->offset = 1 + sim_random(s, 1u << 31);
	krg_membership_init(&n->m, &cfg);
	n->tick_at = s->now + 1 + sim_random(s, 200);
	later(s, machine, TICK, n->tick_at - s->now);
}

void sim_kill(struct sim *s, unsigned int machine)
{
	if (tracing)
		printf("# %6llu kill %u\n", (unsigned long long)s->now, s->node[machine].id);
	s->node[machine].alive = false;
	s->node[machine].boot++;
}

void sim_cut(struct sim *s, unsigned int a, unsigned int b, bool cut)
{
	s->cut[a * s->nodes + b] = cut;
}

void sim_split(struct sim *s, u64 side)
{
	unsigned int a, b;

	if (tracing)
		printf("# %6llu split %llx\n", (unsigned long long)s->now, (unsigned long long)side);
	for (a = 0; a < s->nodes; a++)
		for (b = 0; b < s->nodes; b++)
			sim_cut(s, a, b, (side >> (a % 64) & 1) != (side >> (b % 64) & 1));
}

void sim_heal(struct sim *s)
{
	if (tracing)
		printf("# %6llu heal\n", (unsigned long long)s->now);
	memset(s->cut, 0, (size_t)s->nodes * s->nodes * sizeof(*s->cut));
}

void sim_loss(struct sim *s, double loss)
{
	s->loss = loss;
}

void sim_op_flags(struct sim *s, unsigned int machine, u8 op, const struct krg_mask *mask, u8 flags)
{
	struct krg_event ev = { .type = KRG_EV_CANCEL };

	if (tracing)
		printf("# %6llu node %u: operation %u\n", (unsigned long long)s->now, s->node[machine].id, op);
	event(s, machine, &ev);
	ev.type = KRG_EV_OP;
	ev.op = op;
	ev.flags = flags;
	if (mask)
		ev.mask = *mask;
	event(s, machine, &ev);
}

void sim_op(struct sim *s, unsigned int machine, u8 op, const struct krg_mask *mask)
{
	sim_op_flags(s, machine, op, mask, 0);
}

int sim_op_status(struct sim *s, unsigned int machine)
{
	return krg_membership_op_status(&s->node[machine].m);
}

struct sim *sim_new(unsigned int nodes, unsigned int max_nodes, u64 seed)
{
	struct sim *s = calloc(1, sizeof(*s));
	unsigned int i;

	s->nodes = nodes;
	s->max_nodes = max_nodes;
	s->rng = seed * 0x9e3779b97f4a7c15ull | 1;
	for (i = 0; i < 8; i++)
		sim_random(s, 0);
	s->cut = calloc((size_t)nodes * nodes, sizeof(*s->cut));
	s->node = calloc(nodes, sizeof(*s->node));
	for (i = 0; i < nodes; i++)
		s->node[i].id = i;
	return s;
}

void sim_free(struct sim *s)
{
	while (s->count)
		free(s->heap[--s->count].bytes);
	free(s->heap);
	free(s->cut);
	free(s->node);
	free(s);
}
