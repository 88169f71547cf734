// SPDX-License-Identifier: GPL-2.0-only
/* debugfs: krg_mm/<namespace>/futex, how often this node woke others, and was told to. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include "shmfs.h"

static struct dentry *debug_root;

static int futex_show(struct seq_file *m, void *unused)
{
	const struct shmfs *s = m->private;

	seq_printf(m, "sent: %lld\nserved: %lld\n", atomic64_read(&s->wakes_sent),
		   atomic64_read(&s->wakes_served));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(futex);

void shmfs_debug_init(void)
{
	debug_root = debugfs_create_dir("krg_mm", NULL);
}

void shmfs_debug_exit(void)
{
	debugfs_remove_recursive(debug_root);
}

void shmfs_debug_add(struct shmfs *s)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", s->net->ns.inum);
	s->debug = debugfs_create_dir(name, debug_root);
	debugfs_create_file("futex", 0400, s->debug, s, &futex_fops);
}

void shmfs_debug_del(struct shmfs *s)
{
	debugfs_remove_recursive(s->debug);
}
