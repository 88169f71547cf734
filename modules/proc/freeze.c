// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing: a task is caught by task work on its way to user mode and stays
 * in the kernel, where it executes requests on itself until it is let go. A
 * system call it was caught in ended with -ERESTART*: the kernel restarts it
 * when the task goes on, as after a signal without a handler.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "proc.h"

/* How long a task may take to leave the kernel: disks are slow, hung servers never answer. */
#define APP_CATCH_TIMEOUT (30 * HZ)

static DEFINE_SPINLOCK(apps_lock);	/* apps, and what struct app says */
static LIST_HEAD(apps);
static atomic_t apps_count = ATOMIC_INIT(0);

static bool app_may_move(enum app_state from, enum app_state to)
{
	static const u8 legal[] = {
		[APP_CATCHING] = BIT(APP_FROZEN) | BIT(APP_LEAVING) | BIT(APP_DEAD),
		[APP_FROZEN] = BIT(APP_LEAVING) | BIT(APP_DEAD),
		[APP_LEAVING] = BIT(APP_DEAD),
		[APP_DEAD] = 0,
	};

	return legal[from] & BIT(to);
}

static bool app_move(struct app *app, enum app_state to)
{
	lockdep_assert_held(&apps_lock);
	if (!app_may_move(app->state, to))
		return false;
	WRITE_ONCE(app->state, to);
	wake_up_all(&app->changed);
	return true;
}

void app_put(struct app *app)
{
	if (!refcount_dec_and_test(&app->refs))
		return;
	put_pid(app->pid);
	put_task_struct(app->task);
	kfree(app->resume);
	kfree(app);
	if (atomic_dec_and_test(&apps_count))
		wake_up_var(&apps_count);
}

/* Wait until no app is left and no task runs in this module's text. */
void app_drain(void)
{
	wait_var_event(&apps_count, !atomic_read(&apps_count));
	synchronize_rcu_tasks();
}

static bool app_serve(struct app *app)
{
	int (*request)(void *arg);
	void *arg;
	int err;

	spin_lock(&apps_lock);
	request = app->request;
	arg = app->request_arg;
	spin_unlock(&apps_lock);
	if (!request)
		return false;
	err = request(arg);
	spin_lock(&apps_lock);
	app->request_err = err;
	app->request = NULL;
	wake_up_all(&app->changed);
	spin_unlock(&apps_lock);
	return true;
}

/* Off the list: the application may be frozen anew. The request it left unserved fails. */
static void app_end(struct app *app, enum app_state state)
{
	spin_lock(&apps_lock);
	app_move(app, state);
	list_del_init(&app->node);
	if (app->request) {
		app->request_err = -ESRCH;
		app->request = NULL;
	}
	wake_up_all(&app->changed);
	spin_unlock(&apps_lock);
	app_put(app);
}

static bool app_has_news(const struct app *app)
{
	return READ_ONCE(app->state) != APP_FROZEN || READ_ONCE(app->request) ||
	       fatal_signal_pending(current);
}

static void app_frozen(struct callback_head *work)
{
	struct app *app = container_of(work, struct app, work);
	struct proc_resume *resume = app->resume;

	if (current->flags & PF_EXITING) {
		app_end(app, APP_DEAD);
		return;
	}
	if (resume)
		proc_resume_registers(resume);
	spin_lock(&apps_lock);
	app_move(app, APP_FROZEN);
	spin_unlock(&apps_lock);
	do {
		/* No load while it waits, no hung task: idle, but killable. */
		___wait_event(app->wake, app_has_news(app), (TASK_KILLABLE | TASK_NOLOAD), 0, 0,
			      schedule());
	} while (!fatal_signal_pending(current) &&
		 (app_serve(app) || READ_ONCE(app->state) == APP_FROZEN));
	if (resume && !fatal_signal_pending(current))
		proc_resume_timers(resume);
	app_end(app, fatal_signal_pending(current) ? APP_DEAD : APP_LEAVING);
}

/**
 * app_new() - make the record of an application to be frozen
 * @task: its task; a reference is taken
 * @owner: whom the freeze belongs to; NULL: nobody, it stays
 *
 * Return: the record, not yet known to others; NULL without memory.
 */
struct app *app_new(struct task_struct *task, const struct krg_proc_owner *owner)
{
	struct app *app = kzalloc(sizeof(*app), GFP_KERNEL);

	if (!app)
		return NULL;
	refcount_set(&app->refs, 1);
	INIT_LIST_HEAD(&app->node);
	app->task = get_task_struct(task);
	app->pid = get_task_pid(task, PIDTYPE_TGID);
	app->keep = !owner;
	if (owner)
		app->owner = *owner;
	init_waitqueue_head(&app->wake);
	init_waitqueue_head(&app->changed);
	init_task_work(&app->work, app_frozen);
	atomic_inc(&apps_count);
	return app;
}

static struct app *app_find(struct task_struct *task)
{
	struct app *app;

	lockdep_assert_held(&apps_lock);
	list_for_each_entry(app, &apps, node)
		if (app->task == task)
			return app;
	return NULL;
}

/* Makes it known. Return: 0, -EBUSY if the task has one already. */
int app_insert(struct app *app)
{
	int err = 0;

	spin_lock(&apps_lock);
	if (app_find(app->task))
		err = -EBUSY;
	else
		list_add_tail(&app->node, &apps);
	spin_unlock(&apps_lock);
	return err;
}

/* Sends the task to app_frozen(), which gets a reference. Return: 0, -ESRCH if it exits. */
int app_catch(struct app *app)
{
	int err;

	refcount_inc(&app->refs);
	err = task_work_add(app->task, &app->work, TWA_SIGNAL);
	if (err)
		app_end(app, APP_DEAD);
	return err;
}

int app_await_frozen(struct app *app, bool interruptible, struct netlink_ext_ack *extack)
{
	pid_t pid = pid_vnr(app->pid);
	long left;

	if (interruptible)
		left = wait_event_interruptible_timeout(app->changed,
							READ_ONCE(app->state) != APP_CATCHING,
							APP_CATCH_TIMEOUT);
	else
		left = wait_event_timeout(app->changed, READ_ONCE(app->state) != APP_CATCHING,
					  APP_CATCH_TIMEOUT);
	if (left > 0 && READ_ONCE(app->state) == APP_FROZEN)
		return 0;
	app_thaw(app);
	if (left > 0)
		return krg_extack_err(extack, -ESRCH, "process %d has ended", pid);
	if (left < 0)
		return krg_extack_err(extack, -EINTR, "interrupted while freezing process %d", pid);
	return krg_extack_err(extack, -EBUSY, "process %d does not leave the kernel (state %c)",
			      pid, task_state_to_char(app->task));
}

/* Lets it go on, if it is caught. */
void app_thaw(struct app *app)
{
	spin_lock(&apps_lock);
	app_move(app, APP_LEAVING);
	wake_up_all(&app->wake);
	spin_unlock(&apps_lock);
}

/* For the end of this module. */
void app_thaw_all(void)
{
	struct app *app;

	spin_lock(&apps_lock);
	list_for_each_entry(app, &apps, node) {
		app_move(app, APP_LEAVING);
		wake_up_all(&app->wake);
	}
	spin_unlock(&apps_lock);
}

/**
 * proc_may_control() - may the current task freeze, checkpoint, unfreeze another
 * @task: the other
 *
 * The rule of kill(2).
 *
 * Return: yes or no.
 */
bool proc_may_control(struct task_struct *task)
{
	const struct cred *cred = current_cred(), *tcred;
	bool ok;

	rcu_read_lock();
	tcred = __task_cred(task);
	ok = uid_eq(cred->euid, tcred->suid) || uid_eq(cred->euid, tcred->uid) ||
	     uid_eq(cred->uid, tcred->suid) || uid_eq(cred->uid, tcred->uid) ||
	     ns_capable(tcred->user_ns, CAP_KILL);
	rcu_read_unlock();
	return ok;
}

static struct task_struct *proc_find(pid_t nr, struct netlink_ext_ack *extack)
{
	struct task_struct *task;
	int err;

	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_TGID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	if (!task)
		return ERR_PTR(krg_extack_err(extack, -ESRCH, "no process %d", nr));
	if (proc_may_control(task))
		return task;
	err = krg_extack_err(extack, -EPERM, "process %d belongs to somebody else", nr);
	put_task_struct(task);
	return ERR_PTR(err);
}

static int freeze_check(struct task_struct *task, pid_t nr, struct netlink_ext_ack *extack)
{
	unsigned int state = READ_ONCE(task->__state);

	if (task->flags & PF_KTHREAD || is_global_init(task))
		return krg_extack_err(extack, -EOPNOTSUPP, "kernel: %d is the kernel's own", nr);
	if (same_thread_group(task, current))
		return krg_extack_err(extack, -EINVAL, "process %d cannot freeze itself", nr);
	if (task->exit_state || task->flags & PF_EXITING)
		return krg_extack_err(extack, -ESRCH, "process %d has ended", nr);
	if (get_nr_threads(task) > 1)
		return krg_extack_err(extack, -EOPNOTSUPP, "thread: process %d has %d threads",
				      nr, get_nr_threads(task));
	if (state & (__TASK_STOPPED | __TASK_TRACED) || task->signal->flags & SIGNAL_STOP_STOPPED)
		return krg_extack_err(extack, -EBUSY, "stopped: process %d is stopped", nr);
	return 0;
}

/**
 * krg_proc_freeze() - stop a process where it can be checkpointed
 * @pid: the process
 * @owner: the netlink socket the freeze ends with; NULL: it stays until unfrozen
 * @extack: the reason of an error
 *
 * Context: process context of the requester; waits for the process to get there.
 * Return: 0; -ESRCH, -EPERM, -EBUSY (frozen already), -EOPNOTSUPP, -EINTR.
 */
int krg_proc_freeze(pid_t pid, const struct krg_proc_owner *owner, struct netlink_ext_ack *extack)
{
	struct task_struct *task = proc_find(pid, extack);
	struct app *app;
	int err;

	if (IS_ERR(task))
		return PTR_ERR(task);
	err = freeze_check(task, pid, extack);
	if (err)
		goto out_task;
	app = app_new(task, owner);
	err = -ENOMEM;
	if (!app)
		goto out_task;
	err = app_insert(app);
	if (err) {
		krg_extack_msg(extack, "process %d is frozen already", pid);
		goto out_app;
	}
	err = app_catch(app);
	if (err)
		krg_extack_msg(extack, "process %d has ended", pid);
	else
		err = app_await_frozen(app, true, extack);
out_app:
	app_put(app);
out_task:
	put_task_struct(task);
	return err;
}
EXPORT_SYMBOL_GPL(krg_proc_freeze);

/**
 * app_claim() - get the sole right to make requests to a frozen application
 * @pid: its process
 * @extack: the reason of an error
 *
 * Return: the application, app_release() it; ERR_PTR(-ESRCH, -EPERM, -EINVAL if it
 * runs, -EBUSY).
 */
struct app *app_claim(pid_t pid, struct netlink_ext_ack *extack)
{
	struct task_struct *task = proc_find(pid, extack);
	const char *text = NULL;
	struct app *app;
	int err = 0;

	if (IS_ERR(task))
		return ERR_CAST(task);
	spin_lock(&apps_lock);
	app = app_find(task);
	if (!app || app->state != APP_FROZEN) {
		err = -EINVAL;
		text = "is not frozen";
	} else if (app->busy) {
		err = -EBUSY;
		text = "is being checkpointed";
	} else {
		app->busy = true;
		refcount_inc(&app->refs);
	}
	spin_unlock(&apps_lock);
	put_task_struct(task);
	if (!err)
		return app;
	krg_extack_msg(extack, "process %d %s", pid, text);
	return ERR_PTR(err);
}

void app_release(struct app *app)
{
	spin_lock(&apps_lock);
	app->busy = false;
	wake_up_all(&app->changed);
	spin_unlock(&apps_lock);
	app_put(app);
}

/**
 * app_run() - have a frozen task execute a function
 * @app: claimed
 * @request: the function, run in the task's context
 * @arg: its argument, used until app_run() returns
 * @cancel: set when the requester gets a signal; @request looks at it and returns early
 *
 * Return: what @request returned; -ESRCH if the task was killed.
 */
int app_run(struct app *app, int (*request)(void *arg), void *arg, bool *cancel)
{
	spin_lock(&apps_lock);
	if (app->state != APP_FROZEN) {
		spin_unlock(&apps_lock);
		return -ESRCH;
	}
	app->request_arg = arg;
	WRITE_ONCE(app->request, request);
	wake_up_all(&app->wake);
	spin_unlock(&apps_lock);
	if (wait_event_interruptible(app->changed, !READ_ONCE(app->request))) {
		WRITE_ONCE(*cancel, true);
		wait_event_idle(app->changed, !READ_ONCE(app->request));
	}
	/* The task wakes us with the lock held: it is done with app and arg when we have it. */
	spin_lock(&apps_lock);
	spin_unlock(&apps_lock);
	return app->request_err;
}

/**
 * krg_proc_unfreeze() - let a frozen process go on
 * @pid: the process
 * @sig: a signal it gets before that; 0: none
 * @extack: the reason of an error
 *
 * Context: process context of the requester; may sleep.
 * Return: 0 when it goes on; -ESRCH, -EPERM, -EINVAL (not frozen), -EBUSY (being checkpointed).
 */
int krg_proc_unfreeze(pid_t pid, unsigned int sig, struct netlink_ext_ack *extack)
{
	struct app *app;
	int err = 0;

	if (!valid_signal(sig))
		return krg_extack_err(extack, -EINVAL, "no signal %u", sig);
	app = app_claim(pid, extack);
	if (IS_ERR(app))
		return PTR_ERR(app);
	if (sig)
		err = kill_pid(app->pid, sig, 0);
	app_thaw(app);
	wait_event_idle(app->changed, list_empty_careful(&app->node));
	app_release(app);
	return err;
}
EXPORT_SYMBOL_GPL(krg_proc_unfreeze);

/**
 * krg_proc_release_owner() - end all freezes of a netlink socket that was closed
 * @owner: the socket
 *
 * Context: process context; may sleep.
 */
void krg_proc_release_owner(const struct krg_proc_owner *owner)
{
	struct app *app;

	spin_lock(&apps_lock);
	list_for_each_entry(app, &apps, node) {
		if (app->keep || app->owner.net != owner->net || app->owner.portid != owner->portid)
			continue;
		app_move(app, APP_LEAVING);
		wake_up_all(&app->wake);
	}
	spin_unlock(&apps_lock);
}
EXPORT_SYMBOL_GPL(krg_proc_release_owner);

/**
 * krg_proc_frozen() - is a process frozen
 * @task: its leader
 *
 * Context: any but interrupt.
 * Return: yes or no, which may be past when it is read.
 */
bool krg_proc_frozen(struct task_struct *task)
{
	struct app *app;
	bool frozen;

	spin_lock(&apps_lock);
	app = app_find(task);
	frozen = app && app->state == APP_FROZEN;
	spin_unlock(&apps_lock);
	return frozen;
}
EXPORT_SYMBOL_GPL(krg_proc_frozen);
