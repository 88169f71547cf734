/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * krg_hook: what the stock kernel does not offer to modules. Unexported
 * symbols, redirected functions, system calls intercepted for one task.
 */
#ifndef KRG_HOOK_H
#define KRG_HOOK_H

#include <linux/completion.h>
#include <linux/ftrace.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/percpu-refcount.h>
#include <linux/spinlock_types.h>
#include <linux/static_call.h>
#include <linux/types.h>
#include <asm/syscall.h>

struct cred;
struct file;
struct fpstate;
struct fpu_state_config;
struct fs_struct;
struct ipc64_perm;
struct ipc_ids;
struct ipc_namespace;
struct ipc_ops;
struct ipc_params;
struct itimerspec64;
struct k_sigaction;
struct kern_ipc_perm;
struct kernel_clone_args;
struct kernel_siginfo;
struct membuf;
struct mm_struct;
struct mm_walk_ops;
struct path;
struct pid;
struct pid_namespace;
struct pt_regs;
struct restart_block;
struct rusage;
struct sched_attr;
struct shmid64_ds;
struct sigpending;
struct sighand_struct;
struct sysinfo;
struct task_struct;
struct user_regset;
struct user_struct;
struct vdso_image;
struct tracepoint;
union futex_key;

/*
 * Unexported functions are static calls: each call site in each module is
 * patched into a direct call. That is cheap, and with IBT the only way: the
 * kernel has sealed the functions nobody calls by pointer, an indirect call to
 * one is a control protection fault.
 */
#define KRG_FN(type, name, args) typedef __typeof__(type args) krg_fn_##name
#define KRG_DATA(type, name) extern __typeof__(type) *krg_data_##name
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA

#define KRG_FN(type, name, args) DECLARE_STATIC_CALL(krg_sym_##name, krg_fn_##name)
#define KRG_DATA(type, name)
#include <krg/symbols.h>
#undef KRG_FN
#undef KRG_DATA

/**
 * krg_sym() - call an unexported kernel function
 * @name: a KRG_FN row of krg/symbols.h
 *
 * Written like the function itself: krg_sym(kernel_clone)(&args). Never take
 * its address and call through that (see above).
 */
#define krg_sym(name) static_call(krg_sym_##name)

/**
 * krg_sym_addr() - where an unexported kernel function is
 * @name: a KRG_FN row of krg/symbols.h
 *
 * For comparing and printing only.
 *
 * Return: its address.
 */
#define krg_sym_addr(name) ((unsigned long)static_call_query(krg_sym_##name))

/**
 * krg_data() - an unexported kernel object
 * @name: a KRG_DATA row of krg/symbols.h
 *
 * Return: a pointer to it; for an array, to its first element.
 */
#define krg_data(name) (krg_data_##name)

int krg_symbols_find(const char *const names[], unsigned long addrs[], size_t n);

/**
 * struct krg_redirect - a kernel function whose callers get one of ours
 * @name: the function; it must be one ftrace can trace
 * @handler: what is called instead, of exactly its type; must end in
 *	krg_redirect_exit(), after its last call of the original
 * @addr: where the function is
 * @owner: calls from this module's text go to the original
 * @ops: ftrace's half
 * @inside: one reference for each call diverted to the handler
 * @idle: nobody is in the handler
 *
 * Set @name and @handler, or use KRG_REDIRECT(); the rest is hook's.
 */
struct krg_redirect {
	const char *name;
	void *handler;
	unsigned long addr;
	struct module *owner;
	struct ftrace_ops ops;
	struct percpu_ref inside;
	struct completion idle;
};

/**
 * KRG_REDIRECT() - define a redirect of a symbol of krg/symbols.h
 * @var: the struct krg_redirect to define
 * @sym: the KRG_FN row
 * @fn: the handler; another type than @sym's does not compile
 */
#define KRG_REDIRECT(var, sym, fn)						\
	struct krg_redirect var = {						\
		.name = #sym,							\
		.handler = __builtin_choose_expr(				\
			__builtin_types_compatible_p(typeof(fn), krg_fn_##sym),	\
			(fn), (void)0),						\
	}

int __krg_redirect_add(struct krg_redirect *r, struct module *owner);

/**
 * krg_redirect_add() - redirect a kernel function
 * @r: the redirect
 *
 * Calls made by the calling module itself go to the original.
 *
 * Return: as __krg_redirect_add().
 */
#define krg_redirect_add(r) __krg_redirect_add(r, THIS_MODULE)

void krg_redirect_del(struct krg_redirect *r);

/**
 * krg_redirect_exit() - a handler is done
 * @r: the redirect that called it
 *
 * The last thing a handler does before it returns, on every path.
 */
static inline void krg_redirect_exit(struct krg_redirect *r)
{
	percpu_ref_put(&r->inside);
}

/**
 * struct krg_intercept_ops - what happens to a task's system calls
 * @owner: the module this belongs to; cannot be unloaded while a task is
 *	intercepted or a call in progress
 * @syscall: called before each system call, in the task's context; may sleep.
 *	The number is regs->orig_ax. Returns true: the call is done, its result
 *	in regs->ax. False: it goes on natively. Must return when the task is
 *	killed.
 * @release: no @syscall is running and none will; may be NULL. Called once for
 *	each successful krg_intercept_set(); must not sleep.
 */
struct krg_intercept_ops {
	struct module *owner;
	bool (*syscall)(struct pt_regs *regs, void *data);
	void (*release)(void *data);
};

int krg_intercept_set(struct task_struct *task, const struct krg_intercept_ops *ops, void *data);
bool krg_intercept_clear(struct task_struct *task);
bool krg_intercept_active(struct task_struct *task);

/**
 * enum krg_feature - what this kernel and this machine offer, as bit numbers
 * @KRG_FEATURE_SYMBOLS: every row of krg/symbols.h was found
 * @KRG_FEATURE_REDIRECT: redirects work (tried at load)
 * @KRG_FEATURE_INTERCEPT: system call interception works (tried at load)
 * @KRG_FEATURE_SUD_PTRACE: tracers may set syscall user dispatch here
 * @KRG_FEATURE_IBT: indirect branch tracking is on in this kernel
 * @KRG_FEATURE_FSGSBASE: user mode may set FS and GS bases by itself
 * @KRG_FEATURE_XSAVE: the kernel saves user registers with XSAVE
 * @KRG_FEATURE_AVX: 256-bit vector registers
 * @KRG_FEATURE_AVX512: 512-bit vector registers
 * @KRG_FEATURE_PKU: memory protection keys
 * @KRG_FEATURE_COUNT: how many
 */
enum krg_feature {
	KRG_FEATURE_SYMBOLS,
	KRG_FEATURE_REDIRECT,
	KRG_FEATURE_INTERCEPT,
	KRG_FEATURE_SUD_PTRACE,
	KRG_FEATURE_IBT,
	KRG_FEATURE_FSGSBASE,
	KRG_FEATURE_XSAVE,
	KRG_FEATURE_AVX,
	KRG_FEATURE_AVX512,
	KRG_FEATURE_PKU,
	KRG_FEATURE_COUNT
};

/**
 * struct krg_features - the feature record
 * @bits: 1 << enum krg_feature
 * @xcr0: register sets the processor saves for user mode; 0 without XSAVE
 * @xsave_size: bytes of the user state they need, uncompacted
 * @symbols: rows of krg/symbols.h
 * @redirects: functions redirected now
 */
struct krg_features {
	u64 bits;
	u64 xcr0;
	u32 xsave_size;
	u32 symbols;
	u32 redirects;
};

void krg_hook_features(struct krg_features *features);
const char *krg_feature_name(enum krg_feature feature);

#endif
