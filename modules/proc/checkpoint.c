// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing a checkpoint into a directory: the frozen process writes its state
 * itself, into files its requester opened; the requester adds the lists.
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

#include "proc.h"

struct checkpoint {
	struct proc_ghost g;
	struct file *dir;
	pid_t pid;
	u32 node;
	u8 id[16];
	struct krg_ghost_stream *task;
	struct krg_ghost_stream *shared;
};

static struct file *checkpoint_create(struct checkpoint *c, const char *fmt, u32 number)
{
	char name[32];

	scnprintf(name, sizeof(name), fmt, number);
	return file_open_root(&c->dir->f_path, name,
			      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_LARGEFILE, 0600);
}

static struct krg_ghost_stream *checkpoint_stream(struct checkpoint *c, u32 kind, const char *fmt,
						  u32 number, u32 object)
{
	struct krg_ghost_ident ident = {
		.kind = kind,
		.object = object,
		.appid = c->pid,
		.node = c->node,
	};
	struct krg_ghost_stream *stream;
	struct file *file = checkpoint_create(c, fmt, number);

	if (IS_ERR(file))
		return ERR_CAST(file);
	memcpy(ident.checkpoint, c->id, sizeof(ident.checkpoint));
	stream = krg_ghost_create_file(file, &ident);
	fput(file);
	return stream;
}

static int checkpoint_check(void *arg)
{
	struct checkpoint *c = arg;

	return proc_check(&c->g);
}

/* In the process's context. Its limit on file sizes is not for the image. */
static int checkpoint_save(void *arg)
{
	struct checkpoint *c = arg;
	int err;

	c->g.fsize = current->signal->rlim[RLIMIT_FSIZE].rlim_cur;
	WRITE_ONCE(current->signal->rlim[RLIMIT_FSIZE].rlim_cur, RLIM_INFINITY);
	err = krg_ghost_save(c->task, &c->g);
	if (!err)
		err = krg_ghost_finish(c->task);
	if (!err)
		err = krg_ghost_save(c->shared, &c->g);
	if (!err)
		err = krg_ghost_finish(c->shared);
	WRITE_ONCE(current->signal->rlim[RLIMIT_FSIZE].rlim_cur, c->g.fsize);
	return err;
}

static int checkpoint_state(struct checkpoint *c, struct app *app)
{
	int err;

	c->task = checkpoint_stream(c, KRG_GHOST_TASK, "task_%u.bin", c->pid, c->pid);
	c->shared = checkpoint_stream(c, KRG_GHOST_SHARED, "shared_obj_%u.bin", c->node, c->node);
	if (IS_ERR(c->task))
		err = PTR_ERR(c->task);
	else if (IS_ERR(c->shared))
		err = PTR_ERR(c->shared);
	else
		err = app_run(app, checkpoint_save, c, &c->g.cancel);
	krg_ghost_free(c->task);
	krg_ghost_free(c->shared);
	return err;
}

static void checkpoint_task_record(const struct checkpoint *c, struct krg_ghost_app_task *rec)
{
	*rec = (struct krg_ghost_app_task){
		.pid = cpu_to_le32(c->pid),
		.tgid = cpu_to_le32(c->pid),
		.node = cpu_to_le32(c->node),
	};
}

static int checkpoint_global(struct checkpoint *c)
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

static int checkpoint_node(struct checkpoint *c)
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
static int checkpoint_user_info(struct checkpoint *c)
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

static int checkpoint_all(struct checkpoint *c, struct app *app)
{
	int err = app_run(app, checkpoint_check, c, &c->g.cancel);

	if (!err)
		err = checkpoint_state(c, app);
	if (!err)
		err = checkpoint_node(c);
	if (!err)
		err = checkpoint_user_info(c);
	if (!err)
		err = checkpoint_global(c);
	return err;
}

static int checkpoint_explain(const struct checkpoint *c, int err, struct netlink_ext_ack *extack)
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

/**
 * krg_proc_checkpoint() - write a frozen process's state into a directory
 * @pid: the process
 * @dir: an empty directory, opened by the requester
 * @flags: KRG_CHECKPOINT_*
 * @extack: the reason of an error
 *
 * The process stays frozen. Nothing is synced to the medium. On failure some
 * files may be there: who made the directory removes it.
 *
 * Context: process context of the requester; may sleep long.
 * Return: 0; -EOPNOTSUPP what cannot be saved; -EINVAL not frozen; -EBUSY, -EPERM,
 * -ESRCH, -EINTR; errors of the file system.
 */
int krg_proc_checkpoint(pid_t pid, struct file *dir, u32 flags, struct netlink_ext_ack *extack)
{
	struct checkpoint *c;
	struct app *app;
	int err;

	if (!S_ISDIR(file_inode(dir)->i_mode))
		return krg_extack_err(extack, -ENOTDIR, "the checkpoint's place is no directory");
	app = app_claim(pid, extack);
	if (IS_ERR(app))
		return PTR_ERR(app);
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (c) {
		c->g.flags = flags;
		c->dir = dir;
		c->pid = pid_nr(app->pid);
		c->node = 0;
		get_random_bytes(c->id, sizeof(c->id));
		err = checkpoint_explain(c, checkpoint_all(c, app), extack);
		proc_files_free(&c->g);
		kfree(c);
	} else {
		err = -ENOMEM;
	}
	app_release(app);
	return err;
}
EXPORT_SYMBOL_GPL(krg_proc_checkpoint);
