// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes to structures and back. Everything that comes from the network is
 * checked here for length and range; behind this file it is believed.
 */
#include "wire.h"

/**
 * krg_mask_encode - the bytes of a set of nodes
 * @w: filled
 * @s: set
 */
void krg_mask_encode(struct krg_wire_mask *w, const struct krg_mask *s)
{
	unsigned int i;

	for (i = 0; i < sizeof(w->byte); i++)
		w->byte[i] = s->w[i / 8] >> (i % 8 * 8);
}

/**
 * krg_mask_decode - the other way
 * @s: filled
 * @w: bytes
 */
void krg_mask_decode(struct krg_mask *s, const struct krg_wire_mask *w)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < sizeof(w->byte); i++)
		s->w[i / 8] |= (u64)w->byte[i] << (i % 8 * 8);
}

/**
 * krg_beacon_encode - the bytes of a beacon, without the MAC's value
 * @b: beacon
 * @buf: aligned to 8
 * @size: of @buf
 *
 * Return: length up to the MAC, which takes KRG_BEACON_MAC bytes more, or -EMSGSIZE.
 */
int krg_beacon_encode(const struct krg_beacon *b, void *buf, u32 size)
{
	struct krg_wire_beacon *w = buf;
	unsigned int n;

	if (size < KRG_BEACON_BYTES(b->max_nodes))
		return -EMSGSIZE;
	memset(w, 0, sizeof(*w));
	w->magic = cpu_to_le32(KRG_BEACON_MAGIC);
	w->version = KRG_WIRE_VERSION;
	w->session = b->session;
	w->node = b->node;
	w->state = b->state;
	w->quorate = b->quorate;
	w->max_nodes = cpu_to_le16(b->max_nodes);
	w->lease_ms = cpu_to_le32(b->lease_ms);
	w->incarnation = cpu_to_le64(b->incarnation);
	w->ip = b->addr.ip;
	w->port = cpu_to_le16(b->addr.port);
	w->stamp = cpu_to_le32(b->stamp);
	w->epoch = cpu_to_le32(b->epoch);
	krg_mask_encode(&w->members, &b->members);
	krg_mask_encode(&w->suspects, &b->suspects);
	krg_mask_encode(&w->leased, &b->leased);
	for (n = 0; n < b->max_nodes; n++)
		w->echo[n] = cpu_to_le32(b->echo[n]);
	return KRG_BEACON_BYTES(b->max_nodes) - KRG_BEACON_MAC;
}

static bool max_nodes_valid(u32 max)
{
	return max >= 2 && max <= KRG_NODES && !(max & (max - 1));
}

/**
 * krg_beacon_session - whose beacon is it, before its MAC is worth computing
 * @buf: aligned to 8, may be veiled
 * @len: bytes, MAC included
 *
 * Return: session, or -EPROTO if it is no beacon of this version.
 */
int krg_beacon_session(const void *buf, u32 len)
{
	const struct krg_wire_beacon *w = buf;

	if (len < sizeof(*w) + KRG_BEACON_MAC || le32_to_cpu(w->magic) != KRG_BEACON_MAGIC ||
	    w->version != KRG_WIRE_VERSION || len > KRG_BEACON_BYTES_MAX)
		return -EPROTO;
	return w->session;
}

/**
 * krg_beacon_decode - check and read a beacon
 * @buf: aligned to 8
 * @len: bytes, MAC included (and checked by the caller)
 * @b: filled
 *
 * Return: 0, or -EPROTO.
 */
int krg_beacon_decode(const void *buf, u32 len, struct krg_beacon *b)
{
	const struct krg_wire_beacon *w = buf;
	unsigned int n;

	if (krg_beacon_session(buf, len) <= 0 || !max_nodes_valid(le16_to_cpu(w->max_nodes)) ||
	    len != KRG_BEACON_BYTES(le16_to_cpu(w->max_nodes)))
		return -EPROTO;
	if (w->reserved || w->reserved2 || w->quorate > 1 || !w->incarnation || !w->ip ||
	    w->node >= le16_to_cpu(w->max_nodes) ||
	    (w->state != KRG_NODE_PRESENT && w->state != KRG_NODE_ONLINE &&
	     w->state != KRG_NODE_LEAVING))
		return -EPROTO;
	memset(b, 0, sizeof(*b));
	b->session = w->session;
	b->node = w->node;
	b->state = w->state;
	b->quorate = w->quorate;
	b->max_nodes = le16_to_cpu(w->max_nodes);
	b->lease_ms = le32_to_cpu(w->lease_ms);
	b->incarnation = le64_to_cpu(w->incarnation);
	b->addr.ip = w->ip;
	b->addr.port = le16_to_cpu(w->port);
	b->stamp = le32_to_cpu(w->stamp);
	b->epoch = le32_to_cpu(w->epoch);
	krg_mask_decode(&b->members, &w->members);
	krg_mask_decode(&b->suspects, &w->suspects);
	krg_mask_decode(&b->leased, &w->leased);
	for (n = 0; n < b->max_nodes; n++)
		b->echo[n] = le32_to_cpu(w->echo[n]);
	return 0;
}

static int view_encode(const struct krg_view *v, void *buf, u32 size)
{
	struct krg_wire_view *w = buf;
	struct krg_wire_entry *e = (struct krg_wire_entry *)(w + 1);
	unsigned int n, count = 0;

	for (n = 0; n < KRG_NODES; n++)
		count += v->node[n].state != KRG_NODE_ABSENT;
	if (size < sizeof(*w) + count * sizeof(*e))
		return -EMSGSIZE;
	memset(w, 0, sizeof(*w));
	w->epoch = cpu_to_le32(v->epoch);
	w->count = cpu_to_le16(count);
	w->quorate = v->quorate;
	w->flags = v->flags;
	krg_mask_encode(&w->voters, &v->voters);
	for (n = 0; n < KRG_NODES; n++) {
		if (v->node[n].state == KRG_NODE_ABSENT)
			continue;
		e->incarnation = cpu_to_le64(v->node[n].incarnation);
		e->ip = v->node[n].addr.ip;
		e->port = cpu_to_le16(v->node[n].addr.port);
		e->node = n;
		e->state = v->node[n].state;
		e++;
	}
	return sizeof(*w) + count * sizeof(*e);
}

static int view_decode(const void *buf, u32 len, struct krg_view *v)
{
	const struct krg_wire_view *w = buf;
	const struct krg_wire_entry *e = (const struct krg_wire_entry *)(w + 1);
	unsigned int i, count;
	int last = -1;

	if (len < sizeof(*w) || w->quorate > 1)
		return -EPROTO;
	count = le16_to_cpu(w->count);
	if (count > KRG_NODES || len != sizeof(*w) + count * sizeof(*e))
		return -EPROTO;
	memset(v, 0, sizeof(*v));
	v->epoch = le32_to_cpu(w->epoch);
	v->quorate = w->quorate;
	v->flags = w->flags;
	krg_mask_decode(&v->voters, &w->voters);
	for (i = 0; i < count; i++, e++) {
		struct krg_view_entry *entry = &v->node[e->node];

		if (e->node <= last || !e->incarnation || !e->ip ||
		    (e->state != KRG_NODE_ONLINE && e->state != KRG_NODE_LEAVING &&
		     e->state != KRG_NODE_FAILED))
			return -EPROTO;
		last = e->node;
		entry->incarnation = le64_to_cpu(e->incarnation);
		entry->addr.ip = e->ip;
		entry->addr.port = le16_to_cpu(e->port);
		entry->state = e->state;
	}
	return 0;
}

static bool has_view(u8 type)
{
	return type == KRG_MSG_PREPARE || type == KRG_MSG_COMMIT;
}

/**
 * krg_msg_encode - the bytes of a message
 * @msg: message
 * @buf: aligned to 8
 * @size: of @buf
 *
 * Return: length, or -EMSGSIZE.
 */
int krg_msg_encode(const struct krg_msg *msg, void *buf, u32 size)
{
	struct krg_wire_msg *w = buf;
	int len = 0;

	if (size < sizeof(*w))
		return -EMSGSIZE;
	memset(w, 0, sizeof(*w));
	w->from_incarnation = cpu_to_le64(msg->from_incarnation);
	w->to_incarnation = cpu_to_le64(msg->to_incarnation);
	w->version = KRG_WIRE_VERSION;
	w->type = msg->type;
	w->op = msg->op;
	w->flags = msg->flags;
	w->error = cpu_to_le32((u32)msg->error);
	w->epoch = cpu_to_le32(msg->epoch);
	w->base = cpu_to_le32(msg->base);
	w->node = cpu_to_le16((u16)msg->node);
	krg_mask_encode(&w->mask, &msg->mask);
	if (has_view(msg->type)) {
		len = view_encode(msg->view, w + 1, size - sizeof(*w));
		if (len < 0)
			return len;
	}
	return sizeof(*w) + len;
}

/**
 * krg_msg_decode - check and read a message
 * @buf: aligned to 8
 * @len: bytes
 * @msg: filled
 * @view: filled if the message has one; then @msg->view points here
 *
 * Return: 0, or -EPROTO.
 */
int krg_msg_decode(const void *buf, u32 len, struct krg_msg *msg, struct krg_view *view)
{
	const struct krg_wire_msg *w = buf;
	static const u8 zero[sizeof(w->reserved)];
	s32 error;
	s16 node;

	if (len < sizeof(*w) || w->version != KRG_WIRE_VERSION || !w->type ||
	    w->type >= KRG_MSG_TYPES || w->op >= KRG_OPS ||
	    memcmp(w->reserved, zero, sizeof(zero)))
		return -EPROTO;
	error = (s32)le32_to_cpu(w->error);
	node = (s16)le16_to_cpu(w->node);
	if (error > 0 || error < -4095 || node < KRG_NO_NODE || node >= KRG_NODES ||
	    (w->type == KRG_MSG_REJECT && !error))
		return -EPROTO;
	memset(msg, 0, sizeof(*msg));
	msg->from_incarnation = le64_to_cpu(w->from_incarnation);
	msg->to_incarnation = le64_to_cpu(w->to_incarnation);
	msg->type = w->type;
	msg->op = w->op;
	msg->flags = w->flags;
	msg->error = error;
	msg->epoch = le32_to_cpu(w->epoch);
	msg->base = le32_to_cpu(w->base);
	msg->node = node;
	krg_mask_decode(&msg->mask, &w->mask);
	if (!has_view(w->type))
		return len == sizeof(*w) ? 0 : -EPROTO;
	msg->view = view;
	return view_decode(w + 1, len - sizeof(*w), view);
}
