/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module's work by hand: who writes a line to /dev/NAME has it done in its
 * network namespace; the write fails with what the work failed with, and reading
 * the same open file gives what it said. A test module includes this once, defines
 * do_command() and has BY_HAND_DEVICE(NAME) for its device.
 */
#ifndef KRG_TEST_BY_HAND_H
#define KRG_TEST_BY_HAND_H

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

struct answer {
	struct mutex lock;	/* the rest */
	size_t len;
	char text[PAGE_SIZE - 64];
};

/* Does @line, which it may change, and says() what comes of it. */
static int do_command(struct net *net, char *line, struct answer *a);

static __printf(2, 3) void say(struct answer *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	a->len += vscnprintf(a->text + a->len, sizeof(a->text) - a->len, fmt, args);
	va_end(args);
}

static ssize_t by_hand_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
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

static ssize_t by_hand_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
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

static int by_hand_open(struct inode *inode, struct file *file)
{
	struct answer *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	mutex_init(&a->lock);
	file->private_data = a;
	return 0;
}

static int by_hand_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

#define BY_HAND_DEVICE(_name)						\
	static const struct file_operations by_hand_fops = {		\
		.owner = THIS_MODULE,					\
		.open = by_hand_open,					\
		.release = by_hand_release,				\
		.read = by_hand_read,					\
		.write = by_hand_write,					\
	};								\
	static struct miscdevice by_hand_dev = {			\
		.minor = MISC_DYNAMIC_MINOR,				\
		.name = _name,						\
		.fops = &by_hand_fops,					\
		.mode = 0600,						\
	}

#endif
