// SPDX-License-Identifier: GPL-2.0-only
#include "nodes.h"

static int find_inline(const struct krg_kddm_nodes *s, unsigned int n)
{
	int i;

	for (i = 0; i < s->count; i++)
		if (s->id[i] == n)
			return i;
	return -1;
}

/**
 * krg_kddm_nodes_has - is @n in the set
 * @s: the set
 * @n: any number
 */
bool krg_kddm_nodes_has(const struct krg_kddm_nodes *s, unsigned int n)
{
	if (n >= KRG_KDDM_NODES)
		return false;
	return s->big ? krg_kddm_map_has(s->map, n) : find_inline(s, n) >= 0;
}

static bool grow(struct krg_kddm_nodes *s, struct krg_kddm_map **spare)
{
	struct krg_kddm_map *map = *spare;
	int i;

	if (!map)
		return false;
	*spare = map->next;
	memset(map, 0, sizeof(*map));
	for (i = 0; i < s->count; i++)
		krg_kddm_map_add(map, s->id[i]);
	s->map = map;
	s->big = 1;
	return true;
}

/**
 * krg_kddm_nodes_add - add a node
 * @s: the set
 * @n: a node id below KRG_KDDM_NODES
 * @spare: where a bitmap is taken from if the set outgrows its inline form
 *
 * Return: false if a bitmap was needed and there was none; nothing changed then.
 */
bool krg_kddm_nodes_add(struct krg_kddm_nodes *s, unsigned int n, struct krg_kddm_map **spare)
{
	if (n >= KRG_KDDM_NODES || krg_kddm_nodes_has(s, n))
		return true;
	if (!s->big && s->count == KRG_KDDM_INLINE && !grow(s, spare))
		return false;
	if (s->big)
		krg_kddm_map_add(s->map, n);
	else
		s->id[s->count] = n;
	s->count++;
	return true;
}

/**
 * krg_kddm_nodes_del - remove a node, if it is there
 * @s: the set
 * @n: a node id
 * @spare: gets the bitmap back when the last node is removed
 */
void krg_kddm_nodes_del(struct krg_kddm_nodes *s, unsigned int n, struct krg_kddm_map **spare)
{
	if (!krg_kddm_nodes_has(s, n))
		return;
	if (s->big)
		krg_kddm_map_del(s->map, n);
	else
		s->id[find_inline(s, n)] = s->id[s->count - 1];
	s->count--;
	if (!s->count)
		krg_kddm_nodes_clear(s, spare);
}

/**
 * krg_kddm_nodes_clear - empty the set
 * @s: the set
 * @spare: gets the bitmap back
 */
void krg_kddm_nodes_clear(struct krg_kddm_nodes *s, struct krg_kddm_map **spare)
{
	struct krg_kddm_map *map = s->big ? s->map : NULL;

	memset(s, 0, sizeof(*s));
	if (map) {
		map->next = *spare;
		*spare = map;
	}
}

/**
 * krg_kddm_nodes_move - hand all members, and the bitmap, to another set
 * @to: an empty set
 * @from: is empty afterwards
 */
void krg_kddm_nodes_move(struct krg_kddm_nodes *to, struct krg_kddm_nodes *from)
{
	*to = *from;
	memset(from, 0, sizeof(*from));
}

/**
 * krg_kddm_nodes_next - walk through the set
 * @s: the set, which doesn't change meanwhile
 * @cursor: 0 at first
 *
 * Return: a member, or KRG_KDDM_NOBODY after the last.
 */
unsigned int krg_kddm_nodes_next(const struct krg_kddm_nodes *s, unsigned int *cursor)
{
	if (!s->big)
		return *cursor < s->count ? s->id[(*cursor)++] : KRG_KDDM_NOBODY;
	while (*cursor < KRG_KDDM_NODES) {
		unsigned int n = (*cursor)++;

		if (krg_kddm_map_has(s->map, n))
			return n;
	}
	return KRG_KDDM_NOBODY;
}

/**
 * krg_kddm_nodes_lowest - the member with the lowest id
 * @s: the set
 *
 * Return: its id, or KRG_KDDM_NOBODY.
 */
unsigned int krg_kddm_nodes_lowest(const struct krg_kddm_nodes *s)
{
	unsigned int n, cursor = 0, low = KRG_KDDM_NOBODY;

	while ((n = krg_kddm_nodes_next(s, &cursor)) != KRG_KDDM_NOBODY)
		if (n < low)
			low = n;
	return low;
}

/**
 * krg_kddm_nodes_within - are all members in @m
 * @s: the set
 * @m: a bitmap
 */
bool krg_kddm_nodes_within(const struct krg_kddm_nodes *s, const struct krg_kddm_map *m)
{
	unsigned int n, cursor = 0;

	while ((n = krg_kddm_nodes_next(s, &cursor)) != KRG_KDDM_NOBODY)
		if (!krg_kddm_map_has(m, n))
			return false;
	return true;
}
