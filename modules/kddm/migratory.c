// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that migrate: a counter, a semaphore, a queue's head is read and then written,
 * by one node after the other. Each turn would be two misses, a copy and then
 * ownership; so a read of such an object asks for ownership at once, and the write that
 * follows finds it here (Cox and Fowler, Stenström et al., both ISCA 1993: there the
 * directory sees the pattern, here the node that reads and writes).
 *
 * What a node remembers of an object, in its set and as long as that is here, is how often
 * it had to ask for ownership of what it had come to read: twice running, and the
 * object migrates. Once it comes to be read and goes unwritten, all is forgotten.
 */
#include "kddm.h"

#define SEEN		1ul	/* read, then written: once */
#define MIGRATES	2ul	/* and once more */
#define UNWRITTEN	4ul	/* it came to be read, and was not written since */

static unsigned long recall(const struct kddm_at *at)
{
	void *entry = xa_load(&at->set->migratory, at->index);

	return entry ? xa_to_value(entry) : 0;
}

/* Only a guess is lost with it if there is no memory. */
static void remember(struct kddm_at *at, unsigned long what)
{
	xa_store(&at->set->migratory, at->index, xa_mk_value(what), GFP_NOWAIT | __GFP_NOWARN);
}

/* A miss of it begins. */
static void came(struct kddm_at *at, unsigned long what, bool to_be_read)
{
	if (what & UNWRITTEN)
		xa_erase(&at->set->migratory, at->index);
	else if (what && to_be_read)
		remember(at, what | UNWRITTEN);
}

static void upgraded(struct kddm_at *at, unsigned long what)
{
	if (!what)
		remember(at, SEEN);
	else if (what & UNWRITTEN)
		remember(at, MIGRATES);
}

static void written(struct kddm_at *at, unsigned long what)
{
	if (what & UNWRITTEN)
		remember(at, what & ~UNWRITTEN);
}

/**
 * kddm_access() - a user's GET, GRAB or PREFETCH
 * @at: the object
 * @op: KRG_KDDM_OP_*
 *
 * Return: as krg_kddm_event().
 */
int kddm_access(struct kddm_at *at, u8 op)
{
	bool write = op == KRG_KDDM_OP_GRAB, take, begun;
	u8 before = at->obj->core.state;
	unsigned long what = recall(at);
	int result;

	/* With no copy here it only asks: nothing comes to be held for writing. */
	take = !write && before == KRG_KDDM_I && what == MIGRATES;
	result = kddm_op(at, take ? KRG_KDDM_OP_GRAB : op, KRG_KDDM_NOBODY, 0);
	begun = at->obj->core.state != before;
	if (take && begun)
		kddm_count(&at->set->count->migratory);
	if (begun && before == KRG_KDDM_I)
		came(at, what, !write);
	else if (begun && write && (before == KRG_KDDM_S || before == KRG_KDDM_O))
		upgraded(at, what);
	else if (write && !result)
		written(at, what);
	return result;
}
