// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread has told the kernel about itself, and the system call it was
 * interrupted in, as far as the kernel remembers it outside the registers.
 */
#include <linux/mutex.h>
#include <linux/futex.h>
#include <linux/hrtimer.h>
#include <linux/restart_block.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/thread_info.h>
#include <linux/timekeeping.h>
#include <linux/unistd.h>

#include "../proc.h"

static int thread_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_thread rec = {
		.set_child_tid = cpu_to_le64((unsigned long)current->set_child_tid),
		.clear_child_tid = cpu_to_le64((unsigned long)current->clear_child_tid),
		.robust_list = cpu_to_le64((unsigned long)current->robust_list),
		.rseq = cpu_to_le64((unsigned long)current->rseq),
	};

	if (current->rseq) {
#ifdef KRG_HAVE_RSEQ_LEN
		rec.rseq_len = cpu_to_le32(current->rseq_len);
#else
		rec.rseq_len = cpu_to_le32(sizeof(struct rseq));
#endif
		rec.rseq_sig = cpu_to_le32(current->rseq_sig);
	}
	return krg_ghost_write(stream, KRG_GHOST_R_THREAD, &rec, sizeof(rec));
}

static int thread_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
		       void *ctx)
{
	const struct krg_ghost_thread *rec = item->data;
	struct proc_ghost *g = ctx;
	long err;

	current->set_child_tid = (int __user *)le64_to_cpu(rec->set_child_tid);
	current->clear_child_tid = (int __user *)le64_to_cpu(rec->clear_child_tid);
	err = proc_syscall(__NR_set_robust_list, le64_to_cpu(rec->robust_list),
			   sizeof(struct robust_list_head), 0, 0);
	if (err)
		return proc_why(g, err, "its robust futex list cannot be set");
	if (!rec->rseq)
		return 0;
	err = proc_syscall(__NR_rseq, le64_to_cpu(rec->rseq), le32_to_cpu(rec->rseq_len), 0,
			   le32_to_cpu(rec->rseq_sig));
	if (err)
		return proc_why(g, err, "its restartable sequences cannot be registered");
	/* It has moved: a sequence it was in the middle of starts over. */
	preempt_disable();
	rseq_migrate(current);
	preempt_enable();
	return 0;
}

static ktime_t restart_clock(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
		return ktime_get_real();
	case CLOCK_BOOTTIME:
		return ktime_get_boottime();
	case CLOCK_TAI:
		return ktime_get_clocktai();
	default:
		return ktime_get();
	}
}

static u64 restart_left(u64 expires, clockid_t clock)
{
	s64 left = (s64)expires - ktime_to_ns(restart_clock(clock));

	return max_t(s64, left, 0);
}

static void restart_save_sleep(struct krg_ghost_restart *rec, const struct restart_block *rb)
{
	rec->kind = cpu_to_le32(KRG_GHOST_RESTART_NANOSLEEP);
	rec->arg[0] = cpu_to_le64(rb->nanosleep.clockid);
	rec->arg[1] = cpu_to_le64(rb->nanosleep.type);
	rec->arg[2] = cpu_to_le64((unsigned long)rb->nanosleep.rmtp);
	rec->arg[3] = cpu_to_le64(restart_left(rb->nanosleep.expires, rb->nanosleep.clockid));
}

static void restart_save_futex(struct krg_ghost_restart *rec, const struct restart_block *rb)
{
	/* Relative futex waits are on the monotonic clock. */
	rec->kind = cpu_to_le32(KRG_GHOST_RESTART_FUTEX);
	rec->arg[0] = cpu_to_le64((unsigned long)rb->futex.uaddr);
	rec->arg[1] = cpu_to_le64(rb->futex.val);
	rec->arg[2] = cpu_to_le64(rb->futex.flags);
	rec->arg[3] = cpu_to_le64(rb->futex.bitset);
	rec->arg[4] = cpu_to_le64(restart_left(rb->futex.time, CLOCK_MONOTONIC));
	rec->arg[5] = cpu_to_le64((unsigned long)rb->futex.uaddr2);
}

static void restart_save_poll(struct krg_ghost_restart *rec, const struct restart_block *rb)
{
	u64 end = rb->poll.tv_sec * NSEC_PER_SEC + rb->poll.tv_nsec;

	rec->kind = cpu_to_le32(KRG_GHOST_RESTART_POLL);
	rec->arg[0] = cpu_to_le64((unsigned long)rb->poll.ufds);
	rec->arg[1] = cpu_to_le64(rb->poll.nfds);
	rec->arg[2] = cpu_to_le64(rb->poll.has_timeout);
	rec->arg[3] = cpu_to_le64(rb->poll.has_timeout ? restart_left(end, CLOCK_MONOTONIC) : 0);
}

static int restart_save(struct krg_ghost_stream *stream, void *ctx)
{
	const struct restart_block *rb = &current->restart_block;
	unsigned long fn = (unsigned long)rb->fn;
	struct krg_ghost_restart rec = {};

	if (fn == krg_sym_addr(hrtimer_nanosleep_restart))
		restart_save_sleep(&rec, rb);
	else if (fn == krg_sym_addr(futex_wait_restart))
		restart_save_futex(&rec, rb);
	else if (fn == krg_sym_addr(do_restart_poll))
		restart_save_poll(&rec, rb);
	return krg_ghost_write(stream, KRG_GHOST_R_RESTART, &rec, sizeof(rec));
}

typedef long (*restart_fn)(struct restart_block *);

static restart_fn restart_load_sleep(struct restart_block *rb, const struct krg_ghost_restart *rec)
{
	rb->nanosleep.clockid = le64_to_cpu(rec->arg[0]);
	rb->nanosleep.type = le64_to_cpu(rec->arg[1]) == TT_NATIVE ? TT_NATIVE : TT_NONE;
	rb->nanosleep.rmtp = (void __user *)le64_to_cpu(rec->arg[2]);
	rb->nanosleep.expires = ktime_to_ns(restart_clock(rb->nanosleep.clockid)) +
				le64_to_cpu(rec->arg[3]);
	return (restart_fn)krg_sym_addr(hrtimer_nanosleep_restart);
}

static restart_fn restart_load_futex(struct restart_block *rb, const struct krg_ghost_restart *rec)
{
	rb->futex.uaddr = (u32 __user *)le64_to_cpu(rec->arg[0]);
	rb->futex.val = le64_to_cpu(rec->arg[1]);
	rb->futex.flags = le64_to_cpu(rec->arg[2]);
	rb->futex.bitset = le64_to_cpu(rec->arg[3]);
	rb->futex.time = ktime_get_ns() + le64_to_cpu(rec->arg[4]);
	rb->futex.uaddr2 = (u32 __user *)le64_to_cpu(rec->arg[5]);
	return (restart_fn)krg_sym_addr(futex_wait_restart);
}

static restart_fn restart_load_poll(struct restart_block *rb, const struct krg_ghost_restart *rec)
{
	u64 end = ktime_get_ns() + le64_to_cpu(rec->arg[3]);
	u32 rest;

	rb->poll.ufds = (struct pollfd __user *)le64_to_cpu(rec->arg[0]);
	rb->poll.nfds = le64_to_cpu(rec->arg[1]);
	rb->poll.has_timeout = !!rec->arg[2];
	rb->poll.tv_sec = div_u64_rem(end, NSEC_PER_SEC, &rest);
	rb->poll.tv_nsec = rest;
	return (restart_fn)krg_sym_addr(do_restart_poll);
}

/* All the addresses and counts are checked where the restarted call uses them. */
static int restart_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	const struct krg_ghost_restart *rec = item->data;
	struct restart_block *rb = &current->restart_block;
	struct proc_ghost *g = ctx;
	restart_fn fn;

	switch (le32_to_cpu(rec->kind)) {
	case KRG_GHOST_RESTART_NANOSLEEP:
		if (le64_to_cpu(rec->arg[0]) >= MAX_CLOCKS)
			return proc_why(g, -EBADMSG, "its sleep is on a clock there is not");
		fn = restart_load_sleep(rb, rec);
		break;
	case KRG_GHOST_RESTART_FUTEX:
		fn = restart_load_futex(rb, rec);
		break;
	case KRG_GHOST_RESTART_POLL:
		fn = restart_load_poll(rb, rec);
		break;
	default:
		return 0;
	}
	set_restart_fn(rb, fn);
	return 0;
}

struct krg_ghost_handler proc_thread = {
	.type = KRG_GHOST_R_THREAD,
	.save = thread_save,
	.load = thread_load,
};

struct krg_ghost_handler proc_restart = {
	.type = KRG_GHOST_R_RESTART,
	.save = restart_save,
	.load = restart_load,
};
