// SPDX-License-Identifier: GPL-2.0-only
/* Bytes to packets and back; all that a peer says is checked here. */
#include "wire.h"

static void put16(u8 *p, u16 v)
{
	__le16 x = cpu_to_le16(v);

	memcpy(p, &x, sizeof(x));
}

static void put32(u8 *p, u32 v)
{
	__le32 x = cpu_to_le32(v);

	memcpy(p, &x, sizeof(x));
}

static void put64(u8 *p, u64 v)
{
	__le64 x = cpu_to_le64(v);

	memcpy(p, &x, sizeof(x));
}

static u16 get16(const u8 *p)
{
	__le16 x;

	memcpy(&x, p, sizeof(x));
	return le16_to_cpu(x);
}

static u32 get32(const u8 *p)
{
	__le32 x;

	memcpy(&x, p, sizeof(x));
	return le32_to_cpu(x);
}

static u64 get64(const u8 *p)
{
	__le64 x;

	memcpy(&x, p, sizeof(x));
	return le64_to_cpu(x);
}

/**
 * krg_kddm_packet_encode - a packet's head as bytes
 * @p: the head
 * @out: KRG_KDDM_WIRE_HEAD bytes
 *
 * Return: KRG_KDDM_WIRE_HEAD.
 */
u32 krg_kddm_packet_encode(const struct krg_kddm_packet *p, u8 *out)
{
	out[0] = p->kind;
	out[1] = KRG_KDDM_WIRE_VERSION;
	put16(out + 2, p->count);
	put32(out + 4, p->epoch);
	put32(out + 8, p->arg);
	put32(out + 12, p->gaps);
	return KRG_KDDM_WIRE_HEAD;
}

/* Bytes that @p's records take; 0 = it can't have them. */
static u32 records_bytes(const struct krg_kddm_packet *p)
{
	switch (p->kind) {
	case KRG_KDDM_PACKET_OBJECTS:
		return (u32)p->count * KRG_KDDM_WIRE_OBJECT;
	case KRG_KDDM_PACKET_DESTROY:
		return (u32)p->count * KRG_KDDM_WIRE_DEAD;
	default:
		return p->count == 1 ? KRG_KDDM_WIRE_PAST + p->gaps * KRG_KDDM_WIRE_GAP : 0;
	}
}

static bool view_ok(const struct krg_kddm_packet *p)
{
	if (!p->arg || p->arg >= KRG_KDDM_VIEW_MESSAGES || p->gaps > 0xffff)
		return false;
	return p->arg == KRG_KDDM_VIEW_END ? p->count == 1 : !p->count && !p->gaps;
}

static bool head_ok(const struct krg_kddm_packet *p)
{
	switch (p->kind) {
	case KRG_KDDM_PACKET_OBJECTS:
	case KRG_KDDM_PACKET_DESTROY:
		return p->count && !p->arg && !p->gaps;
	case KRG_KDDM_PACKET_VIEW:
		return view_ok(p);
	case KRG_KDDM_PACKET_PING:
	case KRG_KDDM_PACKET_PONG:
		return !p->count && !p->gaps;
	default:
		return false;
	}
}

/**
 * krg_kddm_packet_decode - a packet's head from bytes
 * @in: the packet
 * @len: its length, without a page
 * @page: a page came with it
 * @p: filled
 *
 * Return: 0, then @in has all records; what is behind them, or the page, is content
 * and only with OBJECTS of one record. -EPROTO.
 */
int krg_kddm_packet_decode(const u8 *in, u32 len, bool page, struct krg_kddm_packet *p)
{
	u32 rest;

	if (len < KRG_KDDM_WIRE_HEAD || in[1] != KRG_KDDM_WIRE_VERSION)
		return -EPROTO;
	p->kind = in[0];
	p->count = get16(in + 2);
	p->epoch = get32(in + 4);
	p->arg = get32(in + 8);
	p->gaps = get32(in + 12);
	if (!head_ok(p))
		return -EPROTO;
	rest = len - KRG_KDDM_WIRE_HEAD;
	if (rest < records_bytes(p))
		return -EPROTO;
	rest -= records_bytes(p);
	if ((rest || page) && (p->kind != KRG_KDDM_PACKET_OBJECTS || p->count != 1))
		return -EPROTO;
	return rest && page ? -EPROTO : 0;
}

/**
 * krg_kddm_record_encode - a record of OBJECTS as bytes
 * @r: the record
 * @out: KRG_KDDM_WIRE_OBJECT bytes
 */
void krg_kddm_record_encode(const struct krg_kddm_record *r, u8 *out)
{
	out[0] = r->msg.type;
	out[1] = r->msg.content;
	out[2] = r->msg.op;
	out[3] = r->msg.flags;
	put16(out + 4, r->msg.node);
	put16(out + 6, r->msg.acks);
	put16(out + 8, (u16)r->msg.status);
	put16(out + 10, 0);
	put32(out + 12, r->born);
	put64(out + 16, r->set);
	put64(out + 24, r->index);
	put64(out + 32, r->more);
}

static bool content_ok(const struct krg_kddm_record *r, u16 records)
{
	bool carries = r->msg.type == KRG_KDDM_DATA || r->msg.type == KRG_KDDM_OWN;

	switch (r->msg.content) {
	case KRG_KDDM_NONE:
		return true;
	case KRG_KDDM_BLANK:
		return carries;
	case KRG_KDDM_RAW:
		return carries && records == 1 && !r->more;
	default:
		return false;
	}
}

static bool msg_ok(const struct krg_kddm_msg *m)
{
	return m->type && m->type < KRG_KDDM_MESSAGES &&
	       (m->node < KRG_KDDM_NODES || m->node == KRG_KDDM_NOBODY) &&
	       m->acks < KRG_KDDM_NODES && m->status <= 0 && m->status > -4096;
}

/**
 * krg_kddm_record_decode - a record of OBJECTS from bytes
 * @in: KRG_KDDM_WIRE_OBJECT bytes
 * @p: the packet it is of
 * @r: filled; the message's sender is to be added
 *
 * Return: 0 or -EPROTO.
 */
int krg_kddm_record_decode(const u8 *in, const struct krg_kddm_packet *p,
			   struct krg_kddm_record *r)
{
	memset(r, 0, sizeof(*r));
	r->msg.type = in[0];
	r->msg.content = in[1];
	r->msg.op = in[2];
	r->msg.flags = in[3];
	r->msg.node = get16(in + 4);
	r->msg.acks = get16(in + 6);
	r->msg.status = (s16)get16(in + 8);
	r->born = get32(in + 12);
	r->set = get64(in + 16);
	r->index = get64(in + 24);
	r->more = get64(in + 32);
	return !get16(in + 10) && msg_ok(&r->msg) && content_ok(r, p->count) ? 0 : -EPROTO;
}

static u8 *put_map(u8 *out, const struct krg_kddm_map *m)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m->w); i++, out += 8)
		put64(out, m->w[i]);
	return out;
}

static const u8 *get_map(const u8 *in, struct krg_kddm_map *m)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(m->w); i++, in += 8)
		m->w[i] = get64(in);
	return in;
}

/**
 * krg_kddm_past_encode - what END says of the views before, as bytes
 * @past: that
 * @out: KRG_KDDM_WIRE_PAST bytes
 */
void krg_kddm_past_encode(const struct krg_kddm_view_past *past, u8 *out)
{
	static const struct krg_kddm_map nobody;
	unsigned int i;

	put32(out, past->settled);
	put32(out + 4, past->views);
	out += 8;
	for (i = 0; i < KRG_KDDM_PAST_VIEWS; i++, out += 4)
		put32(out, i < past->views ? past->epoch[i] : 0);
	for (i = 0; i < KRG_KDDM_PAST_VIEWS; i++)
		out = put_map(out, i < past->views ? &past->guards[i] : &nobody);
	put_map(out, &past->dead);
}

static bool past_ok(const struct krg_kddm_view_past *past)
{
	static const struct krg_kddm_map nobody;
	unsigned int i;

	for (i = past->views; i < KRG_KDDM_PAST_VIEWS; i++)
		if (past->epoch[i] || memcmp(&past->guards[i], &nobody, sizeof(nobody)))
			return false;
	return true;
}

/**
 * krg_kddm_past_decode - what END says of the views before, from bytes
 * @in: KRG_KDDM_WIRE_PAST bytes
 * @past: filled
 *
 * Return: 0 or -EPROTO.
 */
int krg_kddm_past_decode(const u8 *in, struct krg_kddm_view_past *past)
{
	u32 views = get32(in + 4);
	unsigned int i;

	memset(past, 0, sizeof(*past));
	if (views > KRG_KDDM_PAST_VIEWS)
		return -EPROTO;
	past->settled = get32(in);
	past->views = views;
	in += 8;
	for (i = 0; i < KRG_KDDM_PAST_VIEWS; i++, in += 4)
		past->epoch[i] = get32(in);
	for (i = 0; i < KRG_KDDM_PAST_VIEWS; i++)
		in = get_map(in, &past->guards[i]);
	get_map(in, &past->dead);
	return past_ok(past) ? 0 : -EPROTO;
}

/**
 * krg_kddm_gap_encode - a gap as bytes
 * @gap: the gap
 * @out: KRG_KDDM_WIRE_GAP bytes
 */
void krg_kddm_gap_encode(const struct krg_kddm_dated_gap *gap, u8 *out)
{
	put32(out, gap->epoch);
	put32(out + 4, 0);
	put_map(put_map(out + 8, &gap->gap.guards), &gap->gap.alive);
}

/**
 * krg_kddm_gap_decode - a gap from bytes
 * @in: KRG_KDDM_WIRE_GAP bytes
 * @gap: filled
 *
 * Return: 0 or -EPROTO.
 */
int krg_kddm_gap_decode(const u8 *in, struct krg_kddm_dated_gap *gap)
{
	gap->epoch = get32(in);
	get_map(get_map(in + 8, &gap->gap.guards), &gap->gap.alive);
	return get32(in + 4) ? -EPROTO : 0;
}

/**
 * krg_kddm_dead_encode - a record of DESTROY as bytes
 * @set: the set's number
 * @born: when it was made
 * @out: KRG_KDDM_WIRE_DEAD bytes
 */
void krg_kddm_dead_encode(u64 set, u32 born, u8 *out)
{
	put64(out, set);
	put32(out + 8, born);
	put32(out + 12, 0);
}

/**
 * krg_kddm_dead_decode - a record of DESTROY from bytes
 * @in: KRG_KDDM_WIRE_DEAD bytes
 * @set: the set's number
 * @born: when it was made
 *
 * Return: 0 or -EPROTO.
 */
int krg_kddm_dead_decode(const u8 *in, u64 *set, u32 *born)
{
	*set = get64(in);
	*born = get32(in + 8);
	return get32(in + 12) ? -EPROTO : 0;
}

static_assert(KRG_KDDM_WIRE_PAST == 184, "as wire.h says");
