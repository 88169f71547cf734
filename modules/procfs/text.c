// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole files of a node's /proc. They are read through /proc itself, so they
 * are what a program on that node would read.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <krg/cluster.h>
#include "procfs.h"
#include "wire.h"

#define TEXT_FIRST	16384

static const char *const text_path[PROCFS_TEXTS] = {
	[PROCFS_CPUINFO] = "/proc/cpuinfo",
	[PROCFS_MEMINFO] = "/proc/meminfo",
	[PROCFS_LOADAVG] = "/proc/loadavg",
	[PROCFS_UPTIME] = "/proc/uptime",
	[PROCFS_STAT] = "/proc/stat",
};

/* Return: bytes read into *text, which grows as needed; -errno. */
static ssize_t read_all(struct file *file, char **text)
{
	size_t size = TEXT_FIRST, len = 0;
	loff_t pos = 0;
	char *grown;
	ssize_t got;

	*text = kvmalloc(size, GFP_KERNEL);
	if (!*text)
		return -ENOMEM;
	while ((got = kernel_read(file, *text + len, size - len, &pos)) > 0) {
		len += got;
		if (len < size)
			continue;
		if (size == PROCFS_TEXT_MAX)
			return -EFBIG;
		size = min_t(size_t, size * 2, PROCFS_TEXT_MAX);
		grown = kvmalloc(size, GFP_KERNEL);
		if (!grown)
			return -ENOMEM;
		memcpy(grown, *text, len);
		kvfree(*text);
		*text = grown;
	}
	return got < 0 ? got : len;
}

struct text_work {
	struct work_struct work;
	const char *path;
	char *text;
	ssize_t len;
};

static void text_work_fn(struct work_struct *work)
{
	struct text_work *job = container_of(work, struct text_work, work);
	struct file *file = filp_open(job->path, O_RDONLY, 0);

	if (IS_ERR(file)) {
		job->len = PTR_ERR(file);
		return;
	}
	job->len = read_all(file, &job->text);
	fput(file);
}

/* In a worker: there "/" is the machine's own, whatever root the reader has. */
char *procfs_text_local(enum procfs_text which, size_t *len)
{
	struct text_work job = { .path = text_path[which] };

	INIT_WORK_ONSTACK(&job.work, text_work_fn);
	queue_work(system_unbound_wq, &job.work);
	flush_work(&job.work);
	destroy_work_on_stack(&job.work);
	if (job.len < 0) {
		kvfree(job.text);
		return ERR_PTR(job.len);
	}
	*len = job.len;
	return job.text;
}

static char *text_remote(struct net *net, krg_node_t node, enum procfs_text which, size_t *len)
{
	struct procfs_text_request request = { .which = cpu_to_le32(which) };
	struct krg_rpc_opts opts = { .lane = KRG_LANE_BULK, .interruptible = true };
	struct krg_rpc_reply reply;
	char *text;
	int err;

	err = krg_rpc_call(net, node, PROCFS_SERVICE_TEXT, &request, sizeof(request), &reply,
			   &opts);
	if (err)
		return ERR_PTR(err);
	if (reply.status < 0) {
		text = ERR_PTR(reply.status);
	} else {
		text = kvmalloc(max(reply.len, 1u), GFP_KERNEL);
		*len = reply.len;
		if (text)
			memcpy(text, reply.data, reply.len);
		else
			text = ERR_PTR(-ENOMEM);
	}
	krg_rpc_reply_free(&reply);
	return text;
}

char *procfs_text(struct net *net, krg_node_t node, enum procfs_text which, size_t *len)
{
	if (node == krg_self(net))
		return procfs_text_local(which, len);
	return text_remote(net, node, which, len);
}
