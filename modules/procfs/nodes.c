// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/nodes of the machine's own namespace:
 *
 *	nrnodes			ONLINE:n PRESENT:n POSSIBLE:n, a line each
 *	self			link to this node's directory
 *	node<N>/		while node N is online
 *	    nodeid session cpuinfo meminfo loadavg uptime stat
 *	cluster/		while this node is online: all nodes as one (sum.c)
 *	    cpuinfo meminfo loadavg uptime stat
 *
 * As with a kernel's CPUs, those online are present, those present possible.
 *
 * Files of another node are read there by one request when reading starts.
 * Directories are made and removed by a work item, never in the notifier:
 * removing one waits for its readers, who may wait for a node the membership
 * code is about to give up.
 */
#define pr_fmt(fmt) "krg_procfs: " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <krg/cluster.h>
#include "procfs.h"

static struct proc_dir_entry *nodes_dir;
static struct proc_dir_entry *node_dir[KRG_MAX_NODES];	/* nodes_work only */
static struct proc_dir_entry *self_link;		/* nodes_work only */
static struct proc_dir_entry *cluster_dir;		/* nodes_work only */

/* What a file of a node's directory is: node and text in its data pointer. */
#define TEXT_ALL	KRG_MAX_NODES	/* for a node: all of them */
#define TEXT_DATA(node, which)	((void *)((unsigned long)(node) * PROCFS_TEXTS + (which)))

/* An open file: its text is fetched anew whenever it is read from the start. */
struct text_reader {
	struct mutex lock;	/* guards the two below */
	char *text;
	size_t len;
};

static int text_open(struct inode *inode, struct file *file)
{
	struct text_reader *reader = kzalloc(sizeof(*reader), GFP_KERNEL);

	if (!reader)
		return -ENOMEM;
	mutex_init(&reader->lock);
	file->private_data = reader;
	return 0;
}

static int text_release(struct inode *inode, struct file *file)
{
	struct text_reader *reader = file->private_data;

	kvfree(reader->text);
	kfree(reader);
	return 0;
}

static int text_fetch(struct text_reader *reader, unsigned long data)
{
	size_t len = 0;
	char *text;

	if (data / PROCFS_TEXTS == TEXT_ALL)
		text = procfs_sum(&init_net, data % PROCFS_TEXTS, &len);
	else
		text = procfs_text(&init_net, data / PROCFS_TEXTS, data % PROCFS_TEXTS, &len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	kvfree(reader->text);
	reader->text = text;
	reader->len = len;
	return 0;
}

static ssize_t text_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct text_reader *reader = file->private_data;
	ssize_t ret = 0;

	if (mutex_lock_interruptible(&reader->lock))
		return -ERESTARTSYS;
	if (!*pos || !reader->text)
		ret = text_fetch(reader, (unsigned long)pde_data(file_inode(file)));
	if (!ret)
		ret = simple_read_from_buffer(buf, count, pos, reader->text, reader->len);
	mutex_unlock(&reader->lock);
	return ret;
}

static const struct proc_ops text_ops = {
	.proc_open = text_open,
	.proc_read = text_read,
	.proc_lseek = default_llseek,
	.proc_release = text_release,
};

static int nodeid_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%lu\n", (unsigned long)m->private);
	return 0;
}

static int session_show(struct seq_file *m, void *v)
{
	struct krg_cluster_snapshot *snapshot = krg_cluster_snapshot(&init_net);

	if (IS_ERR(snapshot))
		return PTR_ERR(snapshot);
	seq_printf(m, "%u\n", snapshot->session);
	kvfree(snapshot);
	return 0;
}

static int nrnodes_show(struct seq_file *m, void *v)
{
	struct krg_cluster_snapshot *snapshot = krg_cluster_snapshot(&init_net);
	unsigned int online, present, possible;

	if (IS_ERR(snapshot))
		return PTR_ERR(snapshot);
	online = snapshot->online;
	present = snapshot->online + snapshot->present;
	possible = snapshot->max_nodes;
	kvfree(snapshot);
	seq_printf(m, "ONLINE:%u\nPRESENT:%u\nPOSSIBLE:%u\n", online, present, possible);
	return 0;
}

static const struct {
	const char *name;
	enum procfs_text which;
} texts[] = {
	{ "cpuinfo", PROCFS_CPUINFO },
	{ "meminfo", PROCFS_MEMINFO },
	{ "loadavg", PROCFS_LOADAVG },
	{ "uptime", PROCFS_UPTIME },
	{ "stat", PROCFS_STAT },
};

static bool texts_add(struct proc_dir_entry *dir, unsigned long node)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (!proc_create_data(texts[i].name, 0444, dir, &text_ops,
				      TEXT_DATA(node, texts[i].which)))
			return false;
	return true;
}

static void node_add(unsigned long node)
{
	struct proc_dir_entry *dir;
	char name[16];
	bool good;

	snprintf(name, sizeof(name), "node%lu", node);
	dir = proc_mkdir(name, nodes_dir);
	good = dir && proc_create_single_data("nodeid", 0444, dir, nodeid_show, (void *)node) &&
	       proc_create_single_data("session", 0444, dir, session_show, NULL) &&
	       texts_add(dir, node);
	if (good) {
		node_dir[node] = dir;
		return;
	}
	pr_warn("no memory for /proc/nodes/%s\n", name);
	if (dir)
		proc_remove(dir);
}

static void node_remove(unsigned long node)
{
	proc_remove(node_dir[node]);
	node_dir[node] = NULL;
}

/* What is there while this node is online. */
static void self_update(bool online)
{
	char name[16];

	if (online == !!self_link)
		return;
	if (!online) {
		proc_remove(self_link);
		proc_remove(cluster_dir);
		self_link = NULL;
		cluster_dir = NULL;
		return;
	}
	cluster_dir = proc_mkdir("cluster", nodes_dir);
	if (!cluster_dir || !texts_add(cluster_dir, TEXT_ALL))
		pr_warn("no memory for /proc/nodes/cluster\n");
	snprintf(name, sizeof(name), "node%d", krg_self(&init_net));
	self_link = proc_symlink("self", nodes_dir, name);
}

/* Makes the directories agree with the membership as it is now. */
static void nodes_work_fn(struct work_struct *work)
{
	struct krg_nodemask online;
	krg_node_t self = krg_self(&init_net);
	unsigned int node;

	krg_online_nodes(&init_net, &online);
	for (node = 0; node < KRG_MAX_NODES; node++) {
		bool wanted = test_bit(node, online.bits);

		if (wanted && !node_dir[node])
			node_add(node);
		else if (!wanted && node_dir[node])
			node_remove(node);
	}
	self_update(self >= 0 && node_dir[self]);
}

static DECLARE_WORK(nodes_work, nodes_work_fn);

static int nodes_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct krg_cluster_event *what = data;

	if (net_eq(what->net, &init_net))
		schedule_work(&nodes_work);
	return NOTIFY_DONE;
}

static struct notifier_block nodes_notifier = {
	.notifier_call = nodes_event,
};

int procfs_nodes_init(void)
{
	int err;

	nodes_dir = proc_mkdir("nodes", NULL);
	if (!nodes_dir)
		return -ENOMEM;
	if (!proc_create_single("nrnodes", 0444, nodes_dir, nrnodes_show)) {
		err = -ENOMEM;
		goto err_remove;
	}
	err = krg_cluster_notifier_register(&nodes_notifier);
	if (err)
		goto err_remove;
	schedule_work(&nodes_work);
	return 0;

err_remove:
	proc_remove(nodes_dir);
	return err;
}

void procfs_nodes_exit(void)
{
	krg_cluster_notifier_unregister(&nodes_notifier);
	cancel_work_sync(&nodes_work);
	proc_remove(nodes_dir);
}
