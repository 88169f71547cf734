// SPDX-License-Identifier: GPL-2.0-only
/*
 * krg_rpc_bench: measures krg_rpc from inside the kernel, where its users are.
 *
 *   echo "NODE SIZE COUNT DEPTH" > /sys/kernel/debug/krg_rpc_bench/run
 *   cat /sys/kernel/debug/krg_rpc_bench/run		-> "MEDIAN_NS BYTES_PER_SECOND"
 *
 * DEPTH 1: one echo of SIZE bytes after the other, on the control lane; the
 * median round trip. DEPTH > 1: COUNT one-way sends of SIZE bytes on the bulk
 * lane and an echo behind them; bytes per second up to the echo's answer.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <krg/rpc.h>

#define BENCH_SERVICE	(KRG_SERVICE_TEST + 1)
#define BENCH_MAX_COUNT	1000000

static DEFINE_MUTEX(bench_lock);	/* guards the result, and lets one run at a time */
static u64 bench_median_ns, bench_rate;
static struct dentry *bench_dir;

static int bench_handle(struct krg_rpc_request *req)
{
	return 0;
}

static const struct krg_rpc_service bench_service = {
	.id = BENCH_SERVICE,
	.name = "bench",
	.max_request = KRG_RPC_MAX_BULK,
	.handle = bench_handle,
	.flags = KRG_RPC_ANY_EPOCH,
	.owner = THIS_MODULE,
};

static int bench_cmp(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static int bench_echo(unsigned int node, const void *buf, u32 size, enum krg_rpc_lane lane)
{
	struct krg_rpc_opts opts = { .lane = lane, .interruptible = true };
	struct krg_rpc_reply rep;
	int err;

	err = krg_rpc_call(current->nsproxy->net_ns, node, KRG_SERVICE_ECHO, buf, size, &rep,
			   &opts);
	if (err)
		return err;
	err = rep.status;
	krg_rpc_reply_free(&rep);
	return err;
}

static int bench_round_trips(unsigned int node, const void *buf, u32 size, u32 count)
{
	u64 *ns, t;
	u32 i;
	int err = 0;

	ns = vmalloc(array_size(count, sizeof(*ns)));
	if (!ns)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		t = ktime_get_ns();
		err = bench_echo(node, buf, size, KRG_LANE_CONTROL);
		ns[i] = ktime_get_ns() - t;
	}
	if (!err) {
		sort(ns, count, sizeof(*ns), bench_cmp, NULL);
		bench_median_ns = ns[count / 2];
		bench_rate = 0;
	}
	vfree(ns);
	return err;
}

static int bench_stream(unsigned int node, const void *buf, u32 size, u32 count)
{
	struct krg_rpc_opts opts = { .lane = KRG_LANE_BULK, .interruptible = true };
	u64 t = ktime_get_ns();
	int err = 0;
	u32 i;

	for (i = 0; i < count && !err; i++)
		err = krg_rpc_send(current->nsproxy->net_ns, node, BENCH_SERVICE, buf, size,
				   &opts);
	if (!err)
		err = bench_echo(node, buf, 8, KRG_LANE_BULK);
	if (err)
		return err;
	bench_median_ns = 0;
	bench_rate = div64_u64((u64)size * count * NSEC_PER_SEC, ktime_get_ns() - t);
	return 0;
}

static ssize_t bench_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	unsigned int node, size, count, depth;
	char line[64];
	void *buf;
	int err;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, ubuf, len))
		return -EFAULT;
	line[len] = 0;
	if (sscanf(line, "%u %u %u %u", &node, &size, &count, &depth) != 4 ||
	    node >= KRG_MAX_NODES || !size || size > KRG_RPC_MAX_BULK / 2 || !count ||
	    count > BENCH_MAX_COUNT || !depth)
		return -EINVAL;
	buf = vzalloc(size);
	if (!buf)
		return -ENOMEM;
	err = mutex_lock_interruptible(&bench_lock);
	if (!err) {
		err = depth == 1 ? bench_round_trips(node, buf, size, count) :
				   bench_stream(node, buf, size, count);
		mutex_unlock(&bench_lock);
	}
	vfree(buf);
	return err ?: len;
}

static ssize_t bench_read(struct file *file, char __user *ubuf, size_t len, loff_t *pos)
{
	char line[64];
	int n;

	mutex_lock(&bench_lock);
	n = scnprintf(line, sizeof(line), "%llu %llu\n", bench_median_ns, bench_rate);
	mutex_unlock(&bench_lock);
	return simple_read_from_buffer(ubuf, len, pos, line, n);
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.read = bench_read,
	.write = bench_write,
};

static int __init bench_init(void)
{
	int err = krg_rpc_register(&bench_service);

	if (err)
		return err;
	bench_dir = debugfs_create_dir("krg_rpc_bench", NULL);
	debugfs_create_file("run", 0600, bench_dir, NULL, &bench_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dir);
	krg_rpc_unregister(&bench_service);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("krg: rpc benchmark, for make bench only");
MODULE_LICENSE("GPL");
