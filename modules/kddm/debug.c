// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs: krg_kddm/<namespace>/view, where this node is in a change of the view, and
 * krg_kddm/<namespace>/sets, a line for each set with what it did here.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include "kddm.h"

static struct dentry *debug_root;

static void show_map(struct seq_file *m, const char *name, const struct krg_kddm_map *map)
{
	unsigned int n;

	seq_printf(m, "%s:", name);
	for (n = 0; n < KRG_KDDM_NODES; n++)
		if (krg_kddm_map_has(map, n))
			seq_printf(m, " %u", n);
	seq_putc(m, '\n');
}

static int view_show(struct seq_file *m, void *unused)
{
	static const char *const phases[] = { "run", "drain", "rebuild", "serve" };
	struct kddm_net *kn = m->private;

	down_read(&kn->sem);
	seq_printf(m, "self: %u\nin: %d\npaused: %d\nleaving: %d\nepoch: %u\nphase: %s\n",
		   kn->view.self, kn->in, kn->paused, kn->leaving, kn->view.epoch,
		   phases[kn->view.phase]);
	seq_printf(m, "clean: %d\n", krg_kddm_view_clean(&kn->view));
	show_map(m, "members", &kn->view.members);
	show_map(m, "guards", &kn->view.guards);
	show_map(m, "marked", &kn->view.marked);
	show_map(m, "ended", &kn->view.ended);
	show_map(m, "gone", &kn->view.gone);
	show_map(m, "sure", &kn->view.sure);
	show_map(m, "done", &kn->view.done);
	seq_printf(m, "gaps: %u\ntombs: %u\nobjects: %ld\nobject_bytes: %zu\nmiss_ns: %u\nbad: %llu\n",
		   kn->nr_gaps, kn->nr_tombs, atomic_long_read(&kn->nr_objects),
		   sizeof(struct kddm_object), kn->miss_ns, kn->bad);
	up_read(&kn->sem);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(view);

static void show_set(struct seq_file *m, const struct krg_kddm_set *set)
{
	struct krg_kddm_counters c;

	krg_kddm_set_counters(set, &c);
	seq_printf(m, "%016llx born=%u linker=%s objects=%ld hits=%llu misses=%llu miss_ns=%llu",
		   set->id.number, set->id.born, set->linker ? set->linker->name : "none",
		   atomic_long_read(&set->nr_objects), c.hits, c.misses, c.miss_ns);
	seq_printf(m, " sent=%llu received=%llu pages_sent=%llu pages_received=%llu",
		   c.sent, c.received, c.pages_sent, c.pages_received);
	seq_printf(m, " invalidated=%llu prefetched=%llu migratory=%llu residency=%llu lost=%llu\n",
		   c.invalidated, c.prefetched, c.migratory, c.residency, c.lost);
}

static int sets_show(struct seq_file *m, void *unused)
{
	struct kddm_net *kn = m->private;
	struct krg_kddm_set *set = NULL;

	while ((set = kddm_set_next(kn, set)))
		show_set(m, set);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sets);

void kddm_debug_init(void)
{
	debug_root = debugfs_create_dir("krg_kddm", NULL);
}

void kddm_debug_exit(void)
{
	debugfs_remove_recursive(debug_root);
}

void kddm_debug_add(struct kddm_net *kn)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", kn->net->ns.inum);
	kn->debug = debugfs_create_dir(name, debug_root);
	debugfs_create_file("view", 0400, kn->debug, kn, &view_fops);
	debugfs_create_file("sets", 0400, kn->debug, kn, &sets_fops);
}

void kddm_debug_del(struct kddm_net *kn)
{
	debugfs_remove_recursive(kn->debug);
}
