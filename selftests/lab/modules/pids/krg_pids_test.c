// SPDX-License-Identifier: GPL-2.0-only
/*
 * While loaded, all but `leave` of the free pids from `first` to `end` - 1 are
 * taken, by nobody: a full range without 65536 processes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <krg/hook.h>

static int first;
module_param(first, int, 0444);
static int end;
module_param(end, int, 0444);
static int leave;
module_param(leave, int, 0444);

static unsigned long *taken;

static int take_one(int from)
{
	int nr;

	idr_preload(GFP_KERNEL);
	spin_lock_irq(krg_data(pidmap_lock));
	nr = idr_alloc(&init_pid_ns.idr, NULL, from, end, GFP_ATOMIC);
	spin_unlock_irq(krg_data(pidmap_lock));
	idr_preload_end();
	return nr;
}

static void give_back(int count)
{
	unsigned int bit;

	for_each_set_bit(bit, taken, end - first) {
		if (!count--)
			return;
		spin_lock_irq(krg_data(pidmap_lock));
		idr_remove(&init_pid_ns.idr, first + bit);
		spin_unlock_irq(krg_data(pidmap_lock));
		__clear_bit(bit, taken);
		cond_resched();
	}
}

static int __init test_init(void)
{
	int nr, count = 0;

	if (first < 1 || end <= first || end > PID_MAX_LIMIT || leave < 1)
		return -EINVAL;
	taken = vzalloc(BITS_TO_LONGS(end - first) * sizeof(long));
	if (!taken)
		return -ENOMEM;
	for (nr = take_one(first); nr >= 0; nr = take_one(nr)) {
		__set_bit(nr - first, taken);
		count++;
		cond_resched();
	}
	give_back(nr == -ENOSPC ? leave : -1);
	pr_info("took %d pids of %d to %d\n", count - leave, first, end - 1);
	if (nr == -ENOSPC)
		return 0;
	vfree(taken);
	return nr;
}

static void __exit test_exit(void)
{
	give_back(-1);
	vfree(taken);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("krg: test of pid ranges");
MODULE_LICENSE("GPL");
