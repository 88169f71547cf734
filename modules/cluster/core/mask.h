/* SPDX-License-Identifier: GPL-2.0-only */
/* A set of node ids, for the pure code. */
#ifndef KRG_CLUSTER_MASK_H
#define KRG_CLUSTER_MASK_H

#include <krg/core.h>

#define KRG_NODES	256	/* node ids are 0..255 */
#define KRG_NO_NODE	(-1)

struct krg_mask {
	u64 w[KRG_NODES / 64];
};

static inline bool krg_mask_has(const struct krg_mask *s, unsigned int n)
{
	return n < KRG_NODES && (s->w[n / 64] >> (n % 64) & 1);
}

static inline void krg_mask_add(struct krg_mask *s, unsigned int n)
{
	s->w[n / 64] |= (u64)1 << (n % 64);
}

static inline void krg_mask_del(struct krg_mask *s, unsigned int n)
{
	s->w[n / 64] &= ~((u64)1 << (n % 64));
}

static inline void krg_mask_or(struct krg_mask *s, const struct krg_mask *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->w); i++)
		s->w[i] |= t->w[i];
}

static inline bool krg_mask_within(const struct krg_mask *s, const struct krg_mask *t)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->w); i++)
		if (s->w[i] & ~t->w[i])
			return false;
	return true;
}

static inline unsigned int krg_mask_count_both(const struct krg_mask *s, const struct krg_mask *t)
{
	unsigned int i, n = 0;
	u64 w;

	for (i = 0; i < ARRAY_SIZE(s->w); i++)
		for (w = s->w[i] & t->w[i]; w; w &= w - 1)
			n++;
	return n;
}

static inline unsigned int krg_mask_count(const struct krg_mask *s)
{
	return krg_mask_count_both(s, s);
}

static inline int krg_mask_lowest(const struct krg_mask *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->w); i++)
		if (s->w[i])
			return i * 64 + __builtin_ctzll(s->w[i]);
	return KRG_NO_NODE;
}

#endif
