// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_proc without netlink: a line written to debugfs krg_proc_test is
 *
 *	freeze PID | unfreeze PID SIGNAL | checkpoint PID DIR | snapshot PID DIR |
 *	restart FLAGS DIR
 *
 * (snapshot: a checkpoint that lets the process go on before its pages are written)
 *
 * in the writer's context. The error is the write's; the reason and how long
 * it took go to the kernel log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <krg/proc.h>
#include <uapi/krg/krg_netlink.h>

#define LINE_MAX 256

static struct dentry *test_file;

static int test_checkpoint(pid_t pid, struct file *dir, u32 flags, struct netlink_ext_ack *extack)
{
	struct krg_checkpoint *checkpoint;
	ktime_t start = ktime_get();

	checkpoint = krg_proc_checkpoint_begin(pid, dir, flags, extack);
	if (IS_ERR(checkpoint))
		return PTR_ERR(checkpoint);
	if (flags & KRG_CHECKPOINT_UNFREEZE)
		krg_proc_unfreeze(pid, 0, NULL);
	pr_info("begun in %lld us\n", ktime_us_delta(ktime_get(), start));
	return krg_proc_checkpoint_end(checkpoint, extack);
}

static int test_with_dir(const char *verb, int number, const char *path,
			 struct netlink_ext_ack *extack)
{
	struct file *dir = filp_open(path, O_RDONLY | O_DIRECTORY, 0);
	pid_t pid;
	int err;

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	if (!strcmp(verb, "checkpoint"))
		err = test_checkpoint(number, dir, 0, extack);
	else if (!strcmp(verb, "snapshot"))
		err = test_checkpoint(number, dir, KRG_CHECKPOINT_UNFREEZE, extack);
	else if (!strcmp(verb, "restart"))
		err = krg_proc_restart(dir, number, NULL, 0, NULL, &pid, extack);
	else
		err = -EINVAL;
	fput(dir);
	return err;
}

static int test_line(char *line)
{
	struct netlink_ext_ack extack = {};
	ktime_t start = ktime_get();
	char verb[16], rest[200];
	int number, signal, err;

	if (sscanf(line, "%15s %d %199s", verb, &number, rest) < 2)
		return -EINVAL;
	if (!strcmp(verb, "freeze"))
		err = krg_proc_freeze(number, NULL, &extack);
	else if (!strcmp(verb, "unfreeze"))
		err = kstrtoint(rest, 10, &signal) ?: krg_proc_unfreeze(number, signal, &extack);
	else
		err = test_with_dir(verb, number, rest, &extack);
	pr_info("%s %d: %d in %lld us: %s\n", verb, number, err, ktime_us_delta(ktime_get(), start),
		extack._msg ?: "");
	return err;
}

static ssize_t test_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	char *line;
	int err;

	if (len >= LINE_MAX)
		return -EINVAL;
	line = memdup_user_nul(from, len);
	if (IS_ERR(line))
		return PTR_ERR(line);
	err = test_line(line);
	kfree(line);
	return err ?: len;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.write = test_write,
};

static int __init test_init(void)
{
	test_file = debugfs_create_file("krg_proc_test", 0600, NULL, NULL, &test_fops);
	return PTR_ERR_OR_ZERO(test_file);
}

static void __exit test_exit(void)
{
	debugfs_remove(test_file);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("krg: test of krg_proc");
MODULE_LICENSE("GPL");
