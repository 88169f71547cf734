// SPDX-License-Identifier: GPL-2.0-only
/*
 * The symbol table: every row of krg/symbols.h is found when the module loads,
 * or it does not load.
 *
 * A kprobe may be placed on any symbol by name, so placing one on
 * kallsyms_lookup_name tells where that function is; it finds the others.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kallsyms.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/ipc_namespace.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/pid.h>
#include <linux/regset.h>
#include <linux/security.h>
#include <linux/shm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/signal.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/syscall_user_dispatch.h>
#include <linux/entry-common.h>
#include <asm/ibt.h>
#include <asm/fpu/regset.h>
#include <asm/fpu/types.h>
#include <asm/syscall.h>
#include <asm/vdso.h>

#include "hook.h"

/* Rows against the kernel's own declarations, where there are any. */
#define KRG_FN(type, name, args) extern __typeof__(type args) name
#define KRG_DATA(type, name)
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA

#define KRG_FN(type, name, args) DEFINE_STATIC_CALL_NULL(krg_sym_##name, krg_fn_##name)
#define KRG_DATA(type, name)			\
	__typeof__(type) *krg_data_##name;	\
	EXPORT_SYMBOL_GPL(krg_data_##name)
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA

#define KRG_FN(type, name, args) EXPORT_STATIC_CALL_GPL(krg_sym_##name)
#define KRG_DATA(type, name)
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA

/* Only for its size: one pointer a row. */
struct symbol_rows {
#define KRG_FN(type, name, args) const char *name
#define KRG_DATA(type, name) const char *name
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA
};

#define SYMBOL_COUNT (sizeof(struct symbol_rows) / sizeof(const char *))

static void symbols_list(const char *names[])
{
	size_t row = 0;

#define KRG_FN(type, name, args) names[row++] = #name
#define KRG_DATA(type, name) names[row++] = #name
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA
}

static int symbols_find_first(void)
{
	struct kprobe kp = { .symbol_name = "kallsyms_lookup_name" };
	u8 *addr;
	int err;

	err = register_kprobe(&kp);
	if (err) {
		pr_err("no kprobe on kallsyms_lookup_name (%d): the kernel needs CONFIG_KPROBES and CONFIG_KALLSYMS\n",
		       err);
		return err;
	}
	/* The probe sits behind the ENDBR of a kernel built for IBT. */
	addr = (u8 *)kp.addr;
	if (is_endbr(*(u32 *)(addr - 4)))
		addr -= 4;
	unregister_kprobe(&kp);
	static_call_update(krg_sym_kallsyms_lookup_name, (krg_fn_kallsyms_lookup_name *)addr);
	return 0;
}

/**
 * krg_symbols_find() - addresses of kernel symbols by name
 * @names: the symbols
 * @addrs: filled with their addresses
 * @n: how many
 *
 * The missing ones are all named in one message of the kernel log.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOENT if any is missing; -ENOMEM.
 */
int krg_symbols_find(const char *const names[], unsigned long addrs[], size_t n)
{
	size_t i, missing = 0;
	char *list = NULL, *longer;

	for (i = 0; i < n; i++) {
		addrs[i] = krg_sym(kallsyms_lookup_name)(names[i]);
		if (addrs[i])
			continue;
		longer = kasprintf(GFP_KERNEL, "%s %s", list ?: "", names[i]);
		kfree(list);
		if (!longer)
			return -ENOMEM;
		list = longer;
		missing++;
	}
	if (!missing)
		return 0;
	pr_err("%zu of %zu symbols are not in this kernel, cannot work with it:%s\n",
	       missing, n, list);
	kfree(list);
	return -ENOENT;
}
EXPORT_SYMBOL_GPL(krg_symbols_find);

static void symbols_bind(const unsigned long *addr)
{
#define KRG_FN(type, name, args) \
	static_call_update(krg_sym_##name, (krg_fn_##name *)*addr++)
#define KRG_DATA(type, name) (krg_data_##name = (type *)*addr++)
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA
}

/**
 * krg_symbols_init() - find every symbol of krg/symbols.h
 *
 * Return: 0, or a negative error with the reason in the kernel log.
 */
int krg_symbols_init(void)
{
	unsigned long *addrs;
	const char **names;
	int err;

	err = symbols_find_first();
	if (err)
		return err;
	addrs = kcalloc(SYMBOL_COUNT, sizeof(*addrs), GFP_KERNEL);
	names = kcalloc(SYMBOL_COUNT, sizeof(*names), GFP_KERNEL);
	if (addrs && names) {
		symbols_list(names);
		err = krg_symbols_find(names, addrs, SYMBOL_COUNT);
	} else {
		err = -ENOMEM;
	}
	if (!err)
		symbols_bind(addrs);
	kfree(names);
	kfree(addrs);
	return err;
}

/**
 * krg_symbols_count() - how many rows krg/symbols.h has on this kernel
 *
 * Return: the number.
 */
size_t krg_symbols_count(void)
{
	return SYMBOL_COUNT;
}
