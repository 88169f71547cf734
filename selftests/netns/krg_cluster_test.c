// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_cluster_test: membership by hand. Who writes a line to
 * /dev/krg_cluster_test has it done in its network namespace; reading the same
 * open file gives the answer, or why the write failed.
 *
 *   key TEXT             configure SESSION NODE MAX_NODES NB_NODES_MIN DEV
 *   start [NODE…]        add NODE…        del NODE…       stop
 *   nodes (NODE:STATE a word)             status
 *   wait STATE COUNT TIMEOUT_MS   (until COUNT nodes are in STATE; prints ms)
 */
#define pr_fmt(fmt) "krg_cluster_test: " fmt

#include <linux/delay.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include <krg/cluster.h>
#include <krg/rpc.h>

struct answer {
	struct mutex lock;	/* the rest */
	size_t len;
	char text[PAGE_SIZE - 64];
};

static const char *const states[] = { "absent", "present", "online", "leaving", "failed" };

static __printf(2, 3) void say(struct answer *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	a->len += vscnprintf(a->text + a->len, sizeof(a->text) - a->len, fmt, args);
	va_end(args);
}

static int do_configure(struct net *net, char *args, struct netlink_ext_ack *extack)
{
	struct krg_cluster_config cfg = {};

	if (sscanf(args, "%u %u %u %u %15s", &cfg.session, &cfg.node, &cfg.max_nodes,
		   &cfg.nb_nodes_min, cfg.net_dev) != 5)
		return -EINVAL;
	return krg_cluster_configure(net, &cfg, extack);
}

static int parse_nodes(char *args, struct krg_nodemask *mask)
{
	unsigned int node;
	char *word;

	bitmap_zero(mask->bits, KRG_MAX_NODES);
	while ((word = strsep(&args, " "))) {
		if (!*word)
			continue;
		if (kstrtouint(word, 10, &node) || node >= KRG_MAX_NODES)
			return -EINVAL;
		__set_bit(node, mask->bits);
	}
	return 0;
}

static int do_nodes(struct net *net, struct answer *a)
{
	struct krg_cluster_snapshot *s = krg_cluster_snapshot(net);
	unsigned int i;

	if (IS_ERR(s))
		return PTR_ERR(s);
	for (i = 0; i < s->nr; i++)
		say(a, "%s%d:%s", i ? " " : "", s->nodes[i].node,
		    states[s->nodes[i].state]);
	say(a, "\n");
	kvfree(s);
	return 0;
}

static int do_status(struct net *net, struct answer *a)
{
	struct krg_cluster_snapshot *s = krg_cluster_snapshot(net);

	if (IS_ERR(s))
		return PTR_ERR(s);
	say(a, "%s online=%u present=%u failed=%u%s\n", s->up ? "up" : "down", s->online,
	    s->present, s->failed, s->up && !s->quorate ? " no-quorum" : "");
	kvfree(s);
	return 0;
}

static unsigned int count(struct net *net, const char *state)
{
	unsigned int n, found = 0;

	for (n = 0; n < KRG_MAX_NODES; n++)
		found += !strcmp(states[krg_cluster_state(net, n)], state);
	return found;
}

static int do_wait(struct net *net, char *args, struct answer *a)
{
	unsigned long start = jiffies;
	unsigned int want, limit;
	char state[16];

	if (sscanf(args, "%15s %u %u", state, &want, &limit) != 3)
		return -EINVAL;
	while (count(net, state) != want) {
		if (jiffies_to_msecs(jiffies - start) >= limit)
			return -ETIMEDOUT;
		if (msleep_interruptible(10))
			return -EINTR;
	}
	say(a, "%u\n", jiffies_to_msecs(jiffies - start));
	return 0;
}

static int do_command(struct net *net, char *line, struct answer *a)
{
	struct netlink_ext_ack extack = {};
	char *verb = strsep(&line, " ");
	char *args = line ?: verb + strlen(verb);
	struct krg_nodemask mask;
	int err = -EINVAL;

	if (!strcmp(verb, "key"))
		err = krg_rpc_set_key(net, args, strlen(args));
	else if (!strcmp(verb, "configure"))
		err = do_configure(net, args, &extack);
	else if (!strcmp(verb, "nodes"))
		err = do_nodes(net, a);
	else if (!strcmp(verb, "status"))
		err = do_status(net, a);
	else if (!strcmp(verb, "wait"))
		err = do_wait(net, args, a);
	else if (!strcmp(verb, "stop"))
		err = krg_cluster_stop(net, 0, &extack);
	else if (!strcmp(verb, "start") && !*args)
		err = krg_cluster_start(net, NULL, 0, 0, &extack);
	else if (!parse_nodes(args, &mask) && !strcmp(verb, "start"))
		err = krg_cluster_start(net, &mask, 0, 0, &extack);
	else if (!strcmp(verb, "add"))
		err = krg_cluster_add(net, &mask, 0, &extack);
	else if (!strcmp(verb, "del"))
		err = krg_cluster_del(net, &mask, 0, &extack);
	if (extack._msg)
		say(a, "%s\n", extack._msg);
	return err;
}

static ssize_t test_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	struct answer *a = file->private_data;
	char *line;
	int err;

	line = memdup_user_nul(buf, min_t(size_t, size, PAGE_SIZE));
	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&a->lock);
	a->len = 0;
	err = do_command(current->nsproxy->net_ns, strim(line), a);
	mutex_unlock(&a->lock);
	kfree(line);
	return err ?: size;
}

static ssize_t test_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct answer *a = file->private_data;
	loff_t off = 0;
	ssize_t n;

	mutex_lock(&a->lock);
	n = simple_read_from_buffer(buf, size, &off, a->text, a->len);
	a->len = 0;
	mutex_unlock(&a->lock);
	return n;
}

static int test_open(struct inode *inode, struct file *file)
{
	struct answer *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	mutex_init(&a->lock);
	file->private_data = a;
	return 0;
}

static int test_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.open = test_open,
	.release = test_release,
	.read = test_read,
	.write = test_write,
};

static struct miscdevice test_dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "krg_cluster_test",
	.fops = &test_fops,
	.mode = 0600,
};

module_misc_device(test_dev);
MODULE_DESCRIPTION("krg: membership by hand, for tests");
MODULE_LICENSE("GPL");
