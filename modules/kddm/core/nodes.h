/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of nodes that costs 16 bytes while it has at most 8 members.
 *
 * Up to KRG_KDDM_INLINE ids are kept in the set itself. More need a bitmap of
 * 32 bytes, taken from a list of spare ones that the caller fills, and put back
 * there when the set is emptied.
 */
#ifndef KRG_KDDM_CORE_NODES_H
#define KRG_KDDM_CORE_NODES_H

#include <krg/core.h>

#define KRG_KDDM_NODES	256	/* node ids are 0..255 */
#define KRG_KDDM_NOBODY	0xffffu
#define KRG_KDDM_INLINE	8

/* A bitmap of all nodes; a spare one is linked through its first word. */
struct krg_kddm_map {
	union {
		u64 w[KRG_KDDM_NODES / 64];
		struct krg_kddm_map *next;
	};
};

/**
 * struct krg_kddm_nodes - a set of nodes
 * @id: its members in no order, while there are at most KRG_KDDM_INLINE
 * @map: its members, when @big
 * @count: how many
 * @big: @map is used
 */
struct krg_kddm_nodes {
	union {
		u8 id[KRG_KDDM_INLINE];
		struct krg_kddm_map *map;
	};
	u16 count;
	u8 big;
};

static inline bool krg_kddm_map_has(const struct krg_kddm_map *m, unsigned int n)
{
	return n < KRG_KDDM_NODES && (m->w[n / 64] >> (n % 64) & 1);
}

static inline void krg_kddm_map_add(struct krg_kddm_map *m, unsigned int n)
{
	m->w[n / 64] |= (u64)1 << (n % 64);
}

static inline void krg_kddm_map_del(struct krg_kddm_map *m, unsigned int n)
{
	m->w[n / 64] &= ~((u64)1 << (n % 64));
}

/* Is a node with an id of at least *@n in the map; then *@n is the first of them. */
static inline bool krg_kddm_map_next(const struct krg_kddm_map *m, unsigned int *n)
{
	unsigned int i = *n / 64;
	u64 w;

	if (*n >= KRG_KDDM_NODES)
		return false;
	w = m->w[i] >> (*n % 64) << (*n % 64);
	while (!w && ++i < KRG_KDDM_NODES / 64)
		w = m->w[i];
	*n = i * 64 + (w ? __builtin_ctzll(w) : 0);
	return w;
}

bool krg_kddm_nodes_has(const struct krg_kddm_nodes *s, unsigned int n);
bool krg_kddm_nodes_add(struct krg_kddm_nodes *s, unsigned int n, struct krg_kddm_map **spare);
void krg_kddm_nodes_del(struct krg_kddm_nodes *s, unsigned int n, struct krg_kddm_map **spare);
void krg_kddm_nodes_clear(struct krg_kddm_nodes *s, struct krg_kddm_map **spare);
void krg_kddm_nodes_move(struct krg_kddm_nodes *to, struct krg_kddm_nodes *from);
unsigned int krg_kddm_nodes_next(const struct krg_kddm_nodes *s, unsigned int *cursor);
unsigned int krg_kddm_nodes_lowest(const struct krg_kddm_nodes *s);
bool krg_kddm_nodes_within(const struct krg_kddm_nodes *s, const struct krg_kddm_map *m);

#endif
