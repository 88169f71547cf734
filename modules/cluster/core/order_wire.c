// SPDX-License-Identifier: GPL-2.0-only
#include "order_wire.h"

#define NUMBER_MAX	((u64)1 << 62)	/* nobody gets there */

static int view_put(const struct krg_order_view *v, struct krg_wire_order_view *w, u32 size)
{
	if (size < sizeof(*w))
		return -EMSGSIZE;
	w->epoch = cpu_to_le32(v->epoch);
	w->machines = cpu_to_le32(v->machines);
	krg_mask_encode(&w->members, &v->members);
	krg_mask_encode(&w->dead, &v->dead);
	return sizeof(*w);
}

static int view_get(struct krg_order_view *v, const struct krg_wire_order_view *w, u32 len)
{
	if (len != sizeof(*w))
		return -EPROTO;
	v->epoch = le32_to_cpu(w->epoch);
	v->machines = le32_to_cpu(w->machines);
	krg_mask_decode(&v->members, &w->members);
	krg_mask_decode(&v->dead, &w->dead);
	return 0;
}

static int reports_put(const struct krg_order_msg *msg, struct krg_wire_order_report *w, u32 size)
{
	unsigned int n, count = 0;

	for (n = 0; n < KRG_NODES; n++) {
		const struct krg_order_report *r = &msg->report[n];

		if (!krg_mask_has(&msg->members, n))
			continue;
		if (size < (count + 1) * sizeof(*w))
			return -EMSGSIZE;
		memset(&w[count], 0, sizeof(*w));
		w[count].last = cpu_to_le64(r->last);
		w[count].machines = cpu_to_le32(r->machines);
		w[count].node = n;
		w[count].fresh = r->fresh;
		w[count++].newborn = r->newborn;
	}
	return count * sizeof(*w);
}

static bool report_ok(u64 last, u8 fresh, u8 newborn)
{
	return fresh <= newborn && newborn <= 1 && !(fresh && last) && last < NUMBER_MAX;
}

static int reports_get(struct krg_order_msg *msg, struct krg_order_report *report,
		       const struct krg_wire_order_report *w, u32 len)
{
	unsigned int i;

	if (len % sizeof(*w) || len > KRG_NODES * sizeof(*w))
		return -EPROTO;
	memset(report, 0, KRG_NODES * sizeof(*report));
	for (i = 0; i < len / sizeof(*w); i++) {
		struct krg_order_report *r = &report[w[i].node];

		if (w[i].reserved ||
		    !report_ok(le64_to_cpu(w[i].last), w[i].fresh, w[i].newborn))
			return -EPROTO;
		r->last = le64_to_cpu(w[i].last);
		r->machines = le32_to_cpu(w[i].machines);
		r->fresh = w[i].fresh;
		r->newborn = w[i].newborn;
		krg_mask_add(&msg->members, w[i].node);
	}
	return 0;
}

static int data_put(const struct krg_order_msg *msg, void *to, u32 size)
{
	if (size < msg->len)
		return -EMSGSIZE;
	if (msg->len)
		memcpy(to, msg->data, msg->len);
	return msg->len;
}

static int body_put(const struct krg_order_msg *msg, void *to, u32 size)
{
	switch (msg->type) {
	case KRG_ORDER_LEAD:
		return reports_put(msg, to, size);
	case KRG_ORDER_ENTRY:
		if (msg->kind == KRG_ORDER_VIEW)
			return view_put(msg->view, to, size);
		return data_put(msg, to, size);
	case KRG_ORDER_SNAPSHOT:
	case KRG_ORDER_REQUEST:
		return data_put(msg, to, size);
	default:
		return 0;
	}
}

/**
 * krg_order_encode - the bytes of a message
 * @msg: message
 * @buf: aligned to 8
 * @size: of @buf
 *
 * Return: length, or -EMSGSIZE.
 */
int krg_order_encode(const struct krg_order_msg *msg, void *buf, u32 size)
{
	struct krg_wire_order *w = buf;
	int len;

	if (size < sizeof(*w))
		return -EMSGSIZE;
	memset(w, 0, sizeof(*w));
	w->version = KRG_ORDER_WIRE_VERSION;
	w->type = msg->type;
	w->kind = msg->kind;
	w->machine = msg->machine;
	w->epoch = cpu_to_le32(msg->epoch);
	w->number = cpu_to_le64(msg->number);
	w->hint = cpu_to_le64(msg->hint);
	w->serial = cpu_to_le32(msg->serial);
	w->machines = cpu_to_le32(msg->machines);
	w->offset = cpu_to_le32(msg->offset);
	w->total = cpu_to_le32(msg->total);
	w->origin = cpu_to_le16(msg->origin);
	w->fresh = msg->fresh;
	w->newborn = msg->newborn;
	len = body_put(msg, w + 1, size - sizeof(*w));
	return len < 0 ? len : (int)sizeof(*w) + len;
}

/* Which fields a type has; the others are 0. */
enum {
	HAS_NUMBER = 0x01,
	HAS_HINT = 0x02,
	HAS_OP = 0x04,
	HAS_ORIGIN = 0x08,
	HAS_MACHINES = 0x10,
	HAS_OFFSET = 0x20,
	HAS_TOTAL = 0x40,
	HAS_FRESH = 0x80,
};

static const u8 fields[KRG_ORDER_MSGS] = {
	[KRG_ORDER_REPORT] = HAS_NUMBER | HAS_MACHINES | HAS_FRESH,
	[KRG_ORDER_SNAPSHOT] = HAS_NUMBER | HAS_OFFSET | HAS_TOTAL,
	[KRG_ORDER_GOT] = HAS_OFFSET,
	[KRG_ORDER_ENTRY] = HAS_NUMBER | HAS_HINT,
	[KRG_ORDER_ACK] = HAS_NUMBER,
	[KRG_ORDER_STABLE] = HAS_NUMBER,
	[KRG_ORDER_REQUEST] = HAS_OP,
};

static bool fields_ok(const struct krg_order_msg *m, u8 has)
{
	if (m->type == KRG_ORDER_ENTRY && m->kind == KRG_ORDER_OP)
		has |= HAS_OP | HAS_ORIGIN;
	return (has & HAS_NUMBER || !m->number) && (has & HAS_HINT || !m->hint) &&
	       (has & HAS_OP || (!m->serial && !m->machine)) &&
	       (has & HAS_ORIGIN || !m->origin) && (has & HAS_MACHINES || !m->machines) &&
	       (has & HAS_OFFSET || !m->offset) && (has & HAS_TOTAL || !m->total) &&
	       (has & HAS_FRESH || !m->newborn) && m->origin < KRG_NODES &&
	       m->number < NUMBER_MAX;
}

static int op_get(struct krg_order_msg *m, const void *data, u32 len)
{
	if (len > KRG_ORDER_DATA_MAX)
		return -EPROTO;
	m->data = data;
	m->len = len;
	return 0;
}

static int chunk_get(struct krg_order_msg *m, const void *data, u32 len)
{
	if (!len || len > KRG_ORDER_CHUNK_MAX || m->total > (u32)1 << 30 ||
	    m->offset > m->total || len > m->total - m->offset)
		return -EPROTO;
	m->data = data;
	m->len = len;
	return 0;
}

static int body_get(struct krg_order_msg *m, const void *data, u32 len,
		    struct krg_order_scratch *scratch)
{
	switch (m->type) {
	case KRG_ORDER_REPORT:
		return len || !report_ok(m->number, m->fresh, m->newborn) ? -EPROTO : 0;
	case KRG_ORDER_LEAD:
		m->report = scratch->report;
		return reports_get(m, scratch->report, data, len);
	case KRG_ORDER_SNAPSHOT:
		return chunk_get(m, data, len);
	case KRG_ORDER_ENTRY:
		if (m->kind == KRG_ORDER_OP)
			return op_get(m, data, len);
		m->view = &scratch->view;
		return view_get(&scratch->view, data, len);
	case KRG_ORDER_REQUEST:
		return op_get(m, data, len);
	default:
		return len ? -EPROTO : 0;
	}
}

/**
 * krg_order_decode - check and read a message
 * @buf: aligned to 8
 * @len: bytes
 * @msg: filled; points into @buf and @scratch
 * @scratch: filled
 *
 * Return: 0, or -EPROTO.
 */
int krg_order_decode(const void *buf, u32 len, struct krg_order_msg *msg,
		     struct krg_order_scratch *scratch)
{
	static const u8 zero[sizeof(((struct krg_wire_order *)0)->reserved)];
	const struct krg_wire_order *w = buf;
	bool entry;

	if (len < sizeof(*w) || w->version != KRG_ORDER_WIRE_VERSION || !w->type ||
	    w->type >= KRG_ORDER_MSGS || w->fresh > w->newborn || w->newborn > 1 ||
	    memcmp(w->reserved, zero, sizeof(zero)))
		return -EPROTO;
	entry = w->type == KRG_ORDER_ENTRY;
	if (entry ? !w->kind || w->kind >= KRG_ORDER_KINDS : w->kind)
		return -EPROTO;
	memset(msg, 0, sizeof(*msg));
	msg->type = w->type;
	msg->kind = w->kind;
	msg->machine = w->machine;
	msg->epoch = le32_to_cpu(w->epoch);
	msg->number = le64_to_cpu(w->number);
	msg->hint = le64_to_cpu(w->hint);
	msg->serial = le32_to_cpu(w->serial);
	msg->machines = le32_to_cpu(w->machines);
	msg->offset = le32_to_cpu(w->offset);
	msg->total = le32_to_cpu(w->total);
	msg->origin = le16_to_cpu(w->origin);
	msg->fresh = w->fresh;
	msg->newborn = w->newborn;
	if (!fields_ok(msg, fields[msg->type]))
		return -EPROTO;
	return body_get(msg, w + 1, len - sizeof(*w), scratch);
}

/**
 * krg_order_shared_encode - what a snapshot begins with
 * @s: state
 * @buf: sizeof(struct krg_wire_order_shared) bytes, aligned to 8
 */
void krg_order_shared_encode(const struct krg_order_shared *s, void *buf)
{
	struct krg_wire_order_shared *w = buf;
	unsigned int n;

	memset(w, 0, sizeof(*w));
	krg_mask_encode(&w->members, &s->members);
	w->machines = cpu_to_le32(s->machines);
	for (n = 0; n < KRG_NODES; n++)
		w->ordered[n] = cpu_to_le32(s->ordered[n]);
}

/**
 * krg_order_shared_decode - the other way
 * @buf: the snapshot, aligned to 8
 * @len: its bytes
 * @s: filled
 *
 * Return: 0, or -EPROTO.
 */
int krg_order_shared_decode(const void *buf, u32 len, struct krg_order_shared *s)
{
	const struct krg_wire_order_shared *w = buf;
	unsigned int n;

	if (len < sizeof(*w) || w->reserved)
		return -EPROTO;
	krg_mask_decode(&s->members, &w->members);
	s->machines = le32_to_cpu(w->machines);
	for (n = 0; n < KRG_NODES; n++)
		s->ordered[n] = le32_to_cpu(w->ordered[n]);
	return 0;
}
