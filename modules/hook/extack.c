// SPDX-License-Identifier: GPL-2.0-only
/*
 * Formatted extended-ack text.
 *
 * The netlink core reads extack->_msg after the command's handler has
 * returned, still in the caller's sendmsg(). So the text lives until the
 * caller returns to user mode: a task work frees it. It is here, in the
 * module that is unloaded last, because that work may run after the module
 * that spoke is gone.
 */
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait_bit.h>
#include <krg/extack.h>

struct extack_text {
	struct callback_head work;
	char text[KRG_EXTACK_MAX];
};

static atomic_t extack_texts = ATOMIC_INIT(0);

static void extack_free(struct callback_head *work)
{
	kfree(container_of(work, struct extack_text, work));
	if (atomic_dec_and_test(&extack_texts))
		wake_up_var(&extack_texts);
}

/**
 * krg_extack_msg() - Say why a netlink command fails
 * @extack: what the handler was given; NULL (the caller is no netlink command) is fine
 * @fmt: one sentence without a newline; cut at KRG_EXTACK_MAX
 *
 * Replaces an earlier text. Without memory the error goes out without words.
 *
 * Context: Process context of the task that sent the command. May sleep.
 */
void krg_extack_msg(struct netlink_ext_ack *extack, const char *fmt, ...)
{
	struct extack_text *t;
	va_list args;

	if (!extack || (current->flags & PF_KTHREAD))
		return;
	t = kmalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return;
	va_start(args, fmt);
	vsnprintf(t->text, sizeof(t->text), fmt, args);
	va_end(args);
	init_task_work(&t->work, extack_free);
	atomic_inc(&extack_texts);
	/* Fails only for a task past its exit, which reads no answer. */
	if (task_work_add(current, &t->work, TWA_RESUME)) {
		extack_free(&t->work);
		return;
	}
	extack->_msg = t->text;
}
EXPORT_SYMBOL_GPL(krg_extack_msg);

/**
 * krg_extack_drain() - Wait until nobody holds a text any more
 *
 * For the exit of this module, when nobody can make new ones.
 *
 * Context: Process context. Sleeps.
 */
void krg_extack_drain(void)
{
	wait_var_event(&extack_texts, !atomic_read(&extack_texts));
	/* extack_free() has counted down but perhaps not returned. */
	synchronize_rcu_tasks();
}
