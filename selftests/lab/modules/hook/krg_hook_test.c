// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of krg_hook for selftests/lab/hook.sh.
 *
 * missing=1     asks for symbols that do not exist: must not load
 * Otherwise two busy functions are redirected while it is loaded, one of them
 * to a handler that sleeps; and
 * intercept     write a pid: its getpid() returns 424242; write -pid: no more
 * calls, diverted, released   counters to read
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <asm/unistd.h>
#include <krg/hook.h>

#define TEST_PID 424242

static bool missing;
module_param(missing, bool, 0);
MODULE_PARM_DESC(missing, "Ask for symbols that do not exist");

static atomic_long_t diverted, calls, released;

static int counter_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read((atomic_long_t *)kp->arg));
}

static const struct kernel_param_ops counter_ops = { .get = counter_get };
module_param_cb(diverted, &counter_ops, &diverted, 0444);
module_param_cb(calls, &counter_ops, &calls, 0444);
module_param_cb(released, &counter_ops, &released, 0444);

static void test_fput(struct file *file);
static struct krg_redirect fput_redirect = { .name = "fput", .handler = test_fput };

static void test_fput(struct file *file)
{
	atomic_long_inc(&diverted);
	fput(file);
	krg_redirect_exit(&fput_redirect);
}

static int test_iterate_dir(struct file *file, struct dir_context *ctx);
static struct krg_redirect iterate_redirect = {
	.name = "iterate_dir",
	.handler = test_iterate_dir,
};

static int test_iterate_dir(struct file *file, struct dir_context *ctx)
{
	int err;

	atomic_long_inc(&diverted);
	usleep_range(500, 5000);	/* be inside when the redirect goes */
	err = iterate_dir(file, ctx);
	krg_redirect_exit(&iterate_redirect);
	return err;
}

static bool test_syscall(struct pt_regs *regs, void *data)
{
	atomic_long_inc(&calls);
	if (regs->orig_ax != __NR_getpid)
		return false;
	regs->ax = TEST_PID;
	return true;
}

static void test_release(void *data)
{
	atomic_long_inc(&released);
}

static const struct krg_intercept_ops test_ops = {
	.owner = THIS_MODULE,
	.syscall = test_syscall,
	.release = test_release,
};

static int intercept_write(const char *val, const struct kernel_param *kp)
{
	struct task_struct *task;
	int nr, err;

	err = kstrtoint(val, 0, &nr);
	if (err)
		return err;
	task = get_pid_task(find_vpid(abs(nr)), PIDTYPE_PID);
	if (!task)
		return -ESRCH;
	if (nr > 0)
		err = krg_intercept_set(task, &test_ops, NULL);
	else
		err = krg_intercept_clear(task) ? 0 : -ENOENT;
	put_task_struct(task);
	return err;
}

static const struct kernel_param_ops intercept_ops = { .set = intercept_write };
module_param_cb(intercept, &intercept_ops, NULL, 0200);

static int __init test_init(void)
{
	static const char *const names[] = { "kernel_clone", "krg_absent_one", "krg_absent_two" };
	unsigned long addrs[ARRAY_SIZE(names)];
	int err;

	if (missing)
		return krg_symbols_find(names, addrs, ARRAY_SIZE(names));
	err = krg_redirect_add(&fput_redirect);
	if (err)
		return err;
	err = krg_redirect_add(&iterate_redirect);
	if (err)
		krg_redirect_del(&fput_redirect);
	return err;
}

static void __exit test_exit(void)
{
	krg_redirect_del(&iterate_redirect);
	krg_redirect_del(&fput_redirect);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("krg: user of krg_hook for its lab test");
MODULE_LICENSE("GPL");
