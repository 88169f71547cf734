// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads for requests that may block, as many as there are requests: two nodes
 * whose handlers call each other must never wait for each other's threads. The
 * peers' windows bound their number. A thread without work for a while ends.
 *
 * Requests come from soft interrupts, so a work item starts threads.
 */
#define pr_fmt(fmt) "krg_rpc: " fmt

#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "rpc.h"

#define POOL_IDLE	(10 * HZ)

struct rpc_worker {
	struct list_head link;		/* pool.idle; empty = not idle */
	struct task_struct *task;
};

static struct krg_rpc_in *pool_take(struct rpc_pool *pool)
{
	struct krg_rpc_in *in;

	lockdep_assert_held(&pool->lock);
	in = list_first_entry_or_null(&pool->pending, struct krg_rpc_in, link);
	if (in) {
		list_del_init(&in->link);
		pool->nr_pending--;
	}
	return in;
}

/* Waits to be called; false: nothing to do for long, or the pool stops. */
static bool pool_wait(struct rpc_pool *pool, struct rpc_worker *worker)
{
	long left = POOL_IDLE;

	list_add(&worker->link, &pool->idle);
	while (left && !list_empty(&worker->link) && !pool->stopping) {
		set_current_state(TASK_IDLE);
		spin_unlock_bh(&pool->lock);
		left = schedule_timeout(left);
		spin_lock_bh(&pool->lock);
	}
	__set_current_state(TASK_RUNNING);
	if (list_empty(&worker->link))
		return true;
	list_del_init(&worker->link);
	return false;
}

static int pool_thread(void *data)
{
	struct rpc_worker worker = { .task = current };
	struct rpc_pool *pool = data;
	struct krg_rpc_in *in;
	bool called = true;

	INIT_LIST_HEAD(&worker.link);
	/* The one signal a cancel sends: it ends the handler's interruptible waits. */
	allow_signal(SIGKILL);
	spin_lock_bh(&pool->lock);
	do {
		if (called)
			pool->nr_coming--;
		called = false;
		while ((in = pool_take(pool))) {
			spin_unlock_bh(&pool->lock);
			rpc_serve_run(in);
			spin_lock_bh(&pool->lock);
		}
		called = pool_wait(pool, &worker);
	} while (called);
	spin_unlock_bh(&pool->lock);
	/* Completes when no code of this module runs in the thread any more. */
	kthread_complete_and_exit(&pool->exited, 0);
	return 0;
}

/* No thread can be had: what waits is refused, rather than left waiting. */
static void pool_refuse(struct rpc_pool *pool)
{
	struct krg_rpc_in *in;

	for (;;) {
		spin_lock_bh(&pool->lock);
		in = pool_take(pool);
		spin_unlock_bh(&pool->lock);
		if (!in)
			return;
		in->refused = -ENOMEM;
		rpc_serve_run(in);
	}
}

/* More requests than threads on their way to them: one more is to come. */
static bool pool_wants_thread(struct rpc_pool *pool)
{
	bool wants;

	spin_lock_bh(&pool->lock);
	wants = pool->nr_pending > pool->nr_coming;
	if (wants)
		pool->nr_coming++;
	spin_unlock_bh(&pool->lock);
	return wants;
}

static void pool_spawn(struct work_struct *work)
{
	struct rpc_pool *pool = container_of(work, struct rpc_pool, spawn);
	struct task_struct *task;

	while (pool->nr_threads && try_wait_for_completion(&pool->exited))
		pool->nr_threads--;
	while (pool_wants_thread(pool)) {
		task = kthread_run(pool_thread, pool, "krg_rpc_block");
		if (!IS_ERR(task)) {
			pool->nr_threads++;
			continue;
		}
		spin_lock_bh(&pool->lock);
		pool->nr_coming--;
		spin_unlock_bh(&pool->lock);
		pool_refuse(pool);
	}
}

void rpc_pool_init(struct rpc_pool *pool)
{
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->pending);
	INIT_LIST_HEAD(&pool->idle);
	INIT_WORK(&pool->spawn, pool_spawn);
	init_completion(&pool->exited);
}

/* Context: any but hard interrupt. */
void rpc_pool_submit(struct rpc_pool *pool, struct krg_rpc_in *in)
{
	struct rpc_worker *worker;

	spin_lock_bh(&pool->lock);
	list_add_tail(&in->link, &pool->pending);
	pool->nr_pending++;
	worker = list_first_entry_or_null(&pool->idle, struct rpc_worker, link);
	if (worker) {
		list_del_init(&worker->link);
		pool->nr_coming++;
		wake_up_process(worker->task);
	}
	spin_unlock_bh(&pool->lock);
	if (!worker)
		queue_work(system_unbound_wq, &pool->spawn);
}

/* Nothing is submitted any more; returns when every thread has ended. */
void rpc_pool_stop(struct rpc_pool *pool)
{
	struct rpc_worker *worker;

	flush_work(&pool->spawn);
	spin_lock_bh(&pool->lock);
	pool->stopping = true;
	list_for_each_entry(worker, &pool->idle, link)
		wake_up_process(worker->task);
	spin_unlock_bh(&pool->lock);
	for (; pool->nr_threads; pool->nr_threads--)
		wait_for_completion(&pool->exited);
}
