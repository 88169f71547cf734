// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing a checkpoint into a directory: the frozen process writes its state
 * itself, into files its requester opened; the requester adds the lists.
 *
 * If the process is to go on soon it writes its records into memory and leaves
 * a snapshot of its pages (snapshot.c); while it runs the requester puts the
 * two together, in the order of the file.
 */
#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/kdev_t.h>
#include <net/net_namespace.h>
#include <uapi/krg/krg_netlink.h>
#include <krg/cluster.h>

#include "proc.h"

/* Records without pages: some 100 bytes an area, of which there are 2^16 at most by default. */
#define CHECKPOINT_HELD_MAX (64u << 20)

struct krg_checkpoint {
	struct proc_ghost g;
	struct file *dir;
	pid_t pid;
	u32 node;			/* this one; 0 if it has no id */
	u8 id[16];
	struct krg_ghost_stream *task;
	struct krg_ghost_stream *shared;
	struct krg_ghost_stream *held;	/* what goes to @task, but for the snapshot's pages */
};

static struct file *checkpoint_create(struct krg_checkpoint *c, const char *fmt, u32 number)
{
	char name[32];

	scnprintf(name, sizeof(name), fmt, number);
	return file_open_root(&c->dir->f_path, name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_LARGEFILE, 0600);
}

static void checkpoint_ident(const struct krg_checkpoint *c, u32 kind, u32 object,
			     struct krg_ghost_ident *ident)
{
	*ident = (struct krg_ghost_ident){
		.kind = kind,
		.object = object,
		.appid = c->pid,
		.node = c->node,
	};
	memcpy(ident->checkpoint, c->id, sizeof(ident->checkpoint));
}

static struct krg_ghost_stream *checkpoint_stream(struct krg_checkpoint *c, u32 kind,
						  const char *fmt, u32 number, u32 object)
{
	struct krg_ghost_ident ident;
	struct krg_ghost_stream *stream;
	struct file *file = checkpoint_create(c, fmt, number);

	if (IS_ERR(file))
		return ERR_CAST(file);
	checkpoint_ident(c, kind, object, &ident);
	stream = krg_ghost_create_file(file, &ident);
	fput(file);
	return stream;
}

static struct krg_ghost_stream *checkpoint_memory(struct krg_checkpoint *c)
{
	struct krg_ghost_ident ident;

	checkpoint_ident(c, KRG_GHOST_TASK, c->pid, &ident);
	return krg_ghost_create_mem(&ident, CHECKPOINT_HELD_MAX);
}

static int checkpoint_check(void *arg)
{
	struct krg_checkpoint *c = arg;

	return proc_check(&c->g);
}

static int checkpoint_save_task(struct krg_checkpoint *c)
{
	struct krg_ghost_stream *to;
	int err;

	if (c->g.flags & KRG_CHECKPOINT_UNFREEZE)
		proc_snapshot_take(&c->g);
	to = c->g.snapshot ? c->held : c->task;
	err = krg_ghost_save(to, &c->g);
	return err ?: krg_ghost_finish(to);
}

/* In the process's context. Its limit on file sizes is not for the image. */
static int checkpoint_save(void *arg)
{
	struct krg_checkpoint *c = arg;
	int err;

	c->g.fsize = current->signal->rlim[RLIMIT_FSIZE].rlim_cur;
	WRITE_ONCE(current->signal->rlim[RLIMIT_FSIZE].rlim_cur, RLIM_INFINITY);
	err = checkpoint_save_task(c);
	if (!err)
		err = krg_ghost_save(c->shared, &c->g);
	if (!err)
		err = krg_ghost_finish(c->shared);
	WRITE_ONCE(current->signal->rlim[RLIMIT_FSIZE].rlim_cur, c->g.fsize);
	return err;
}

static int checkpoint_state(struct krg_checkpoint *c, struct app *app)
{
	c->task = checkpoint_stream(c, KRG_GHOST_TASK, "task_%u.bin", c->pid, c->pid);
	c->shared = checkpoint_stream(c, KRG_GHOST_SHARED, "shared_obj_%u.bin", c->node, c->node);
	if (c->g.flags & KRG_CHECKPOINT_UNFREEZE)
		c->held = checkpoint_memory(c);
	if (IS_ERR(c->task))
		return PTR_ERR(c->task);
	if (IS_ERR(c->shared))
		return PTR_ERR(c->shared);
	if (IS_ERR(c->held))
		return PTR_ERR(c->held);
	return app_run(app, checkpoint_save, c, &c->g.cancel);
}

static void checkpoint_task_record(const struct krg_checkpoint *c, struct krg_ghost_app_task *rec)
{
	*rec = (struct krg_ghost_app_task){
		.pid = cpu_to_le32(c->pid),
		.tgid = cpu_to_le32(c->pid),
		.node = cpu_to_le32(c->node),
	};
}

static int checkpoint_global(struct krg_checkpoint *c)
{
	struct krg_ghost_app app = {
		.appid = cpu_to_le64(c->pid),
		.nr_tasks = cpu_to_le32(1),
		.nr_nodes = cpu_to_le32(1),
	};
	struct krg_ghost_app_task task;
	struct krg_ghost_stream *s;
	int err;

	checkpoint_task_record(c, &task);
	s = checkpoint_stream(c, KRG_GHOST_GLOBAL, "global.bin", 0, 0);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = krg_ghost_write(s, KRG_GHOST_R_APP, &app, sizeof(app));
	if (!err)
		err = krg_ghost_write(s, KRG_GHOST_R_APP_TASK, &task, sizeof(task));
	if (!err)
		err = krg_ghost_finish(s);
	krg_ghost_free(s);
	return err;
}

static int checkpoint_node(struct krg_checkpoint *c)
{
	struct krg_ghost_node node = {
		.node = cpu_to_le32(c->node),
		.nr_tasks = cpu_to_le32(1),
		.nr_cpus = cpu_to_le32(num_online_cpus()),
	};
	struct krg_ghost_app_task task;
	struct krg_ghost_stream *s;
	int err;

	checkpoint_task_record(c, &task);
	s = checkpoint_stream(c, KRG_GHOST_NODE, "node_%u.bin", c->node, c->node);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = krg_ghost_write(s, KRG_GHOST_R_NODE, &node, sizeof(node));
	if (!err)
		err = krg_ghost_write(s, KRG_GHOST_R_NODE_TASK, &task, sizeof(task));
	if (!err)
		err = krg_ghost_finish(s);
	krg_ghost_free(s);
	return err;
}

/* For people, and for restart -s: which file has which id. */
static int checkpoint_user_info(struct krg_checkpoint *c)
{
	struct file *file = checkpoint_create(c, "user_info_%u.txt", c->node);
	loff_t pos = 0;
	ssize_t n = 0;
	char *line;
	u32 i;

	if (IS_ERR(file))
		return PTR_ERR(file);
	for (i = 0; i < c->g.nr_files && n >= 0; i++) {
		const struct proc_file *f = &c->g.files[i];

		if (!f->where)
			continue;
		line = kasprintf(GFP_KERNEL, "%-8s|%020x|%s|%s\n", proc_file_word(f->file),
				 le32_to_cpu(f->obj.id), f->path ?: "?", f->where);
		n = line ? kernel_write(file, line, strlen(line), &pos) : -ENOMEM;
		kfree(line);
	}
	fput(file);
	return n < 0 ? n : 0;
}

static int checkpoint_frozen(struct krg_checkpoint *c, struct app *app)
{
	int err = app_run(app, checkpoint_check, c, &c->g.cancel);

	if (!err)
		err = checkpoint_state(c, app);
	if (!err)
		err = checkpoint_node(c);
	if (!err)
		err = checkpoint_user_info(c);
	/* What the process closes when it goes on shall be closed. */
	proc_files_free(&c->g);
	return err;
}

/* The pages come after the last area. */
static int checkpoint_join(struct krg_checkpoint *c)
{
	bool areas = false, pages = false;
	struct krg_ghost_item item;
	int err, found;

	err = krg_ghost_rewind(c->held);
	while (!err && (found = krg_ghost_next(c->held, &item))) {
		if (found < 0)
			return found;
		if (areas && !pages && item.type != KRG_GHOST_R_VMA) {
			err = proc_pages_save(&c->g, c->task, c->g.snapshot);
			pages = true;
		}
		areas |= item.type == KRG_GHOST_R_VMA;
		if (!err)
			err = krg_ghost_write(c->task, item.type, item.data, item.len);
	}
	return err ?: krg_ghost_finish(c->task);
}

static int checkpoint_explain(const struct krg_checkpoint *c, int err,
			      struct netlink_ext_ack *extack)
{
	if (c->g.why[0])
		krg_extack_msg(extack, "%s", c->g.why);
	else if (err == -EINTR)
		krg_extack_msg(extack, "interrupted");
	else if (err == -ESRCH)
		krg_extack_msg(extack, "process %d has ended", c->pid);
	else if (err)
		krg_extack_msg(extack, "the image cannot be written (error %d)", -err);
	return err;
}

static void checkpoint_free(struct krg_checkpoint *c)
{
	proc_snapshot_drop(&c->g);
	krg_ghost_free(c->held);
	krg_ghost_free(c->task);
	krg_ghost_free(c->shared);
	fput(c->dir);
	kfree(c);
}

static struct krg_checkpoint *checkpoint_new(const struct app *app, struct file *dir, u32 flags)
{
	struct krg_checkpoint *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;
	c->g.flags = flags;
	c->dir = get_file(dir);
	c->pid = pid_nr(app->pid);
	c->node = max(krg_self(&init_net), 0);
	get_random_bytes(c->id, sizeof(c->id));
	return c;
}

/**
 * krg_proc_checkpoint_begin() - take a frozen process's state for a checkpoint
 * @pid: the process
 * @dir: an empty directory, opened by the requester
 * @flags: KRG_CHECKPOINT_*
 * @extack: the reason of an error
 *
 * When this returns the process may go on, whatever it does then. It stays
 * frozen until krg_proc_unfreeze(). With KRG_CHECKPOINT_UNFREEZE its memory is
 * written by krg_proc_checkpoint_end(), if it can be shared until then; else, and
 * without that flag, here. On failure some files may be there: who made the
 * directory removes it.
 *
 * Context: process context of the requester; may sleep long.
 * Return: the checkpoint, krg_proc_checkpoint_end() it; ERR_PTR(-EOPNOTSUPP) what cannot be
 * saved; -EINVAL not frozen; -EBUSY, -EPERM, -ESRCH, -EINTR; errors of the file system.
 */
struct krg_checkpoint *krg_proc_checkpoint_begin(pid_t pid, struct file *dir, u32 flags,
						 struct netlink_ext_ack *extack)
{
	struct krg_checkpoint *c;
	struct app *app;
	int err = -ENOMEM;

	if (!S_ISDIR(file_inode(dir)->i_mode)) {
		krg_extack_msg(extack, "the checkpoint's place is no directory");
		return ERR_PTR(-ENOTDIR);
	}
	app = app_claim(pid, extack);
	if (IS_ERR(app))
		return ERR_CAST(app);
	c = checkpoint_new(app, dir, flags);
	if (c)
		err = checkpoint_explain(c, checkpoint_frozen(c, app), extack);
	app_release(app);
	if (!err)
		return c;
	if (c)
		checkpoint_free(c);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(krg_proc_checkpoint_begin);

/**
 * krg_proc_checkpoint_end() - write what is left of a checkpoint
 * @c: from krg_proc_checkpoint_begin(); gone afterwards
 * @extack: the reason of an error
 *
 * Nothing is synced to the medium.
 *
 * Context: process context of the requester; may sleep long.
 * Return: 0; -EINTR; errors of the file system.
 */
int krg_proc_checkpoint_end(struct krg_checkpoint *c, struct netlink_ext_ack *extack)
{
	int err = 0;

	if (c->g.snapshot)
		err = checkpoint_join(c);
	if (!err)
		err = checkpoint_global(c);
	checkpoint_explain(c, err, extack);
	checkpoint_free(c);
	return err;
}
EXPORT_SYMBOL_GPL(krg_proc_checkpoint_end);
