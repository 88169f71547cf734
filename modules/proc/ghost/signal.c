// SPDX-License-Identifier: GPL-2.0-only
/* Signals: actions, masks, the alternate stack, what is pending, interval timers. */
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/time.h>

#include "../proc.h"

static_assert(_NSIG == KRG_GHOST_NSIG);

static __le64 signal_save_set(const sigset_t *set)
{
	return cpu_to_le64(set->sig[0]);
}

static sigset_t signal_load_set(__le64 v)
{
	sigset_t set = { .sig = { le64_to_cpu(v) } };

	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	return set;
}

static int sigaction_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_sigaction *rec = kzalloc(sizeof(*rec), GFP_KERNEL);
	int i, err;

	if (!rec)
		return -ENOMEM;
	spin_lock_irq(&proc_sighand()->siglock);
	for (i = 0; i < _NSIG; i++) {
		const struct sigaction *sa = &proc_sighand()->action[i].sa;

		rec->action[i].handler = cpu_to_le64((unsigned long)sa->sa_handler);
		rec->action[i].flags = cpu_to_le64(sa->sa_flags);
		rec->action[i].restorer = cpu_to_le64((unsigned long)sa->sa_restorer);
		rec->action[i].mask = signal_save_set(&sa->sa_mask);
	}
	spin_unlock_irq(&proc_sighand()->siglock);
	err = krg_ghost_write(stream, KRG_GHOST_R_SIGACTION, rec, sizeof(*rec));
	kfree(rec);
	return err;
}

static int sigaction_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			  void *ctx)
{
	const struct krg_ghost_sigaction *rec = item->data;
	int i, err;

	for (i = 0; i < _NSIG; i++) {
		const struct krg_ghost_action *a = &rec->action[i];
		struct k_sigaction ka = { .sa = {
			.sa_handler = (__sighandler_t)le64_to_cpu(a->handler),
			.sa_flags = le64_to_cpu(a->flags),
			.sa_restorer = (__sigrestore_t)le64_to_cpu(a->restorer),
			.sa_mask = signal_load_set(a->mask),
		} };

		if (sig_kernel_only(i + 1))
			continue;
		err = krg_sym(do_sigaction)(i + 1, &ka, NULL);
		if (err)
			return proc_why(ctx, err, "its action for signal %d cannot be set", i + 1);
	}
	return 0;
}

static int sigmask_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_sigmask rec = {
		.blocked = signal_save_set(&current->blocked),
		.altstack_flags = cpu_to_le32(current->sas_ss_flags),
		.altstack_sp = cpu_to_le64(current->sas_ss_sp),
		.altstack_size = cpu_to_le64(current->sas_ss_size),
	};

	if (test_restore_sigmask()) {
		rec.saved = signal_save_set(&current->saved_sigmask);
		rec.flags = cpu_to_le32(1);
	}
	return krg_ghost_write(stream, KRG_GHOST_R_SIGMASK, &rec, sizeof(rec));
}

static int sigmask_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	const struct krg_ghost_sigmask *rec = item->data;
	sigset_t blocked = signal_load_set(rec->blocked);

	current->sas_ss_sp = le64_to_cpu(rec->altstack_sp);
	current->sas_ss_size = le64_to_cpu(rec->altstack_size);
	current->sas_ss_flags = le32_to_cpu(rec->altstack_flags);
	if (le32_to_cpu(rec->flags) & 1) {
		current->saved_sigmask = signal_load_set(rec->saved);
		set_restore_sigmask();
	}
	krg_sym(__set_current_blocked)(&blocked);
	return 0;
}

/* The queue's entries and, for signals that came without one, their numbers. */
static u32 pending_copy(const struct sigpending *pending, struct krg_ghost_siginfo *recs, u32 max)
{
	sigset_t bare = pending->signal;
	const struct sigqueue *q;
	u32 nr = 0;
	int sig;

	list_for_each_entry(q, &pending->list, list) {
		sigdelset(&bare, q->info.si_signo);
		if (nr < max) {
			recs[nr].signo = cpu_to_le32(q->info.si_signo);
			memcpy(recs[nr].info, &q->info, sizeof(q->info));
		}
		nr++;
	}
	for (sig = 1; sig <= _NSIG; sig++) {
		if (!sigismember(&bare, sig) || sig == SIGKILL)
			continue;
		if (nr < max) {
			recs[nr].signo = cpu_to_le32(sig);
			recs[nr].flags = cpu_to_le32(1);
		}
		nr++;
	}
	return nr;
}

/* Return: the records in *@out, kvfree() them; their number or -ENOMEM. */
static int pending_collect(const struct sigpending *pending, struct krg_ghost_siginfo **out)
{
	struct krg_ghost_siginfo *recs = NULL;
	u32 nr = 0, max;

	do {
		kvfree(recs);
		max = nr + 16;
		recs = kvcalloc(max, sizeof(*recs), GFP_KERNEL);
		if (!recs)
			return -ENOMEM;
		spin_lock_irq(&proc_sighand()->siglock);
		nr = pending_copy(pending, recs, max);
		spin_unlock_irq(&proc_sighand()->siglock);
	} while (nr > max);
	*out = recs;
	return nr;
}

static int pending_write(struct krg_ghost_stream *stream, u16 type,
			 struct krg_ghost_siginfo *recs, int nr)
{
	int i, err = 0;

	for (i = 0; i < nr && !err; i++)
		err = krg_ghost_write(stream, type, &recs[i], sizeof(recs[i]));
	kvfree(recs);
	return nr < 0 ? nr : err;
}

static int pending_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_siginfo *recs = NULL;
	int nr = pending_collect(&current->pending, &recs);

	return pending_write(stream, KRG_GHOST_R_PENDING, recs, nr);
}

/*
 * Of a timer of CPU time that is due this very moment nothing remains, as of one that is
 * off. The kernel says a tick of those that are overdue.
 */
static bool itimer_is_due(int which)
{
	return which != ITIMER_REAL &&
	       READ_ONCE(current->signal->it[which == ITIMER_PROF ? CPUCLOCK_PROF :
						CPUCLOCK_VIRT].expires);
}

static int itimers_read(struct krg_ghost_itimers *rec)
{
	struct itimerspec64 it;
	int i, err;

	for (i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		err = krg_sym(do_getitimer)(i, &it);
		if (err)
			return err;
		if (!timespec64_to_ns(&it.it_value) && itimer_is_due(i))
			it.it_value.tv_nsec = TICK_NSEC;
		rec->timer[i].interval = cpu_to_le64(timespec64_to_ns(&it.it_interval));
		rec->timer[i].remaining = cpu_to_le64(timespec64_to_ns(&it.it_value));
	}
	return 0;
}

static bool itimers_fired(const struct krg_ghost_itimers *before,
			  const struct krg_ghost_itimers *after)
{
	int i;

	for (i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		u64 was = le64_to_cpu(before->timer[i].remaining);
		u64 is = le64_to_cpu(after->timer[i].remaining);

		if ((was && !is) || is > was)
			return true;
	}
	return false;
}

/*
 * A timer that fires becomes a pending signal: timers and signals have to be
 * of one moment, or a tick would be lost or doubled.
 */
static int shpending_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_siginfo *recs = NULL;
	struct krg_ghost_itimers after;
	struct proc_ghost *g = ctx;
	int nr, err;

	do {
		kvfree(recs);
		recs = NULL;
		err = itimers_read(&g->itimers);
		if (err)
			return err;
		nr = pending_collect(&current->signal->shared_pending, &recs);
		err = itimers_read(&after);
	} while (!err && nr >= 0 && itimers_fired(&g->itimers, &after));
	return pending_write(stream, KRG_GHOST_R_SHPENDING, recs, err ?: nr);
}

static int pending_load_one(const struct krg_ghost_siginfo *rec, enum pid_type type, void *ctx)
{
	int sig = le32_to_cpu(rec->signo);
	kernel_siginfo_t info;
	int err;

	if (sig == SIGKILL || sig == SIGSTOP)
		return proc_why(ctx, -EBADMSG, "signal %d cannot be pending", sig);
	memcpy(&info, rec->info, sizeof(info));
	if (le32_to_cpu(rec->flags) & 1) {
		clear_siginfo(&info);
		info.si_code = SI_USER;
	}
	info.si_signo = sig;
	err = krg_sym(do_send_sig_info)(sig, &info, current, type);
	return err ? proc_why(ctx, err, "its pending signal %d cannot be queued", sig) : 0;
}

static int pending_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	return pending_load_one(item->data, PIDTYPE_PID, ctx);
}

static int shpending_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			  void *ctx)
{
	return pending_load_one(item->data, PIDTYPE_TGID, ctx);
}

static int itimers_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct proc_ghost *g = ctx;

	return krg_ghost_write(stream, KRG_GHOST_R_ITIMERS, &g->itimers, sizeof(g->itimers));
}

/* They start when the task does. */
static int itimers_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	const struct krg_ghost_itimers *rec = item->data;
	struct proc_ghost *g = ctx;
	int i;

	for (i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		u64 interval = le64_to_cpu(rec->timer[i].interval);
		u64 remaining = le64_to_cpu(rec->timer[i].remaining);

		if (interval > KTIME_MAX || remaining > KTIME_MAX)
			return proc_why(g, -EBADMSG, "its interval timer %d is out of range", i);
		g->resume->itimers[i].it_interval = ns_to_timespec64(interval);
		g->resume->itimers[i].it_value = ns_to_timespec64(remaining);
	}
	return 0;
}

/*
 * The periodic real timer is set again when its signal is taken. With that
 * signal pending it has only its period.
 */
static bool itimer_waits_for_signal(int which, const struct itimerspec64 *it)
{
	bool pending;

	if (which != ITIMER_REAL || it->it_value.tv_sec || it->it_value.tv_nsec)
		return false;
	spin_lock_irq(&proc_sighand()->siglock);
	pending = sigismember(&current->signal->shared_pending.signal, SIGALRM);
	if (pending)
		current->signal->it_real_incr = timespec64_to_ktime(it->it_interval);
	spin_unlock_irq(&proc_sighand()->siglock);
	return pending;
}

/**
 * proc_resume_timers() - start the interval timers of the current task's image
 * @resume: with them
 *
 * Context: process context.
 */
void proc_resume_timers(const struct proc_resume *resume)
{
	struct itimerspec64 it;
	int i;

	for (i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		it = resume->itimers[i];
		if (!itimer_waits_for_signal(i, &it))
			krg_sym(do_setitimer)(i, &it, NULL);
	}
}

struct krg_ghost_handler proc_sigaction = {
	.type = KRG_GHOST_R_SIGACTION,
	.save = sigaction_save,
	.load = sigaction_load,
};

struct krg_ghost_handler proc_sigmask = {
	.type = KRG_GHOST_R_SIGMASK,
	.save = sigmask_save,
	.load = sigmask_load,
};

struct krg_ghost_handler proc_pending = {
	.type = KRG_GHOST_R_PENDING,
	.save = pending_save,
	.load = pending_load,
};

struct krg_ghost_handler proc_shpending = {
	.type = KRG_GHOST_R_SHPENDING,
	.save = shpending_save,
	.load = shpending_load,
};

struct krg_ghost_handler proc_itimers = {
	.type = KRG_GHOST_R_ITIMERS,
	.save = itimers_save,
	.load = itimers_load,
};
