// SPDX-License-Identifier: GPL-2.0-only
/* krg_hook: loading and unloading. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include <krg/extack.h>
#include "hook.h"

static int __init hook_init(void)
{
	int err;

	err = krg_symbols_init();
	if (err)
		return err;
	err = krg_intercept_init();
	if (err)
		return err;
	err = krg_hook_selftest();
	if (err)
		krg_intercept_exit();
	return err;
}

static void __exit hook_exit(void)
{
	krg_intercept_exit();
	krg_extack_drain();
}

module_init(hook_init);
module_exit(hook_exit);

MODULE_DESCRIPTION("krg: kernel symbols, function redirects, system call interception");
MODULE_LICENSE("GPL");
