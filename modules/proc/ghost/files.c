// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open files. A file description is an object of its own (FILEOBJ, in the
 * shared file of the image), to which descriptors, areas, the executable and
 * the current directory refer by id; so what was shared stays shared.
 *
 * Restarting, they are opened by who restarts, with his rights. A file must be
 * what it was: of the same kind; not shorter; unchanged if it is mapped; and
 * not longer if it is appended to, or lines would be there twice.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/namei.h>
#include <linux/pipe_fs_i.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/tty.h>
#include <uapi/krg/krg_netlink.h>

#include "../proc.h"

/* What of a description's flags belongs to it still; the others were for its opening. */
#define FILE_FLAGS (O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DIRECT | O_LARGEFILE | \
		    O_DIRECTORY | O_NOATIME)

static bool file_is_deleted(const struct file *file)
{
	if (!S_ISREG(file_inode(file)->i_mode) && !S_ISDIR(file_inode(file)->i_mode))
		return false;
	return d_unlinked(file->f_path.dentry) || !file_inode(file)->i_nlink;
}

static bool file_is_tty(const struct inode *inode)
{
	unsigned int major = imajor(inode);

	return S_ISCHR(inode->i_mode) &&
	       (major == TTY_MAJOR || (major >= UNIX98_PTY_SLAVE_MAJOR &&
				       major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT) ||
		inode->i_rdev == MKDEV(TTYAUX_MAJOR, 0) || inode->i_rdev == MKDEV(TTYAUX_MAJOR, 1));
}

/* null, zero, full, random, urandom: no state, everywhere the same */
static bool file_is_plain_device(const struct inode *inode)
{
	static const u8 minors[] = { 3, 5, 7, 8, 9 };

	return S_ISCHR(inode->i_mode) && imajor(inode) == MEM_MAJOR &&
	       iminor(inode) < U8_MAX &&
	       memchr(minors, iminor(inode), sizeof(minors));
}

/**
 * proc_file_word() - what kind of file it is, in the words of user_info
 * @file: an open file
 *
 * Return: socket, pipe, …, file.
 */
const char *proc_file_word(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	switch (inode->i_mode & S_IFMT) {
	case S_IFSOCK:
		return "socket";
	case S_IFIFO:
		return inode->i_sb->s_magic == PIPEFS_MAGIC ? "pipe" : "fifo";
	case S_IFCHR:
		return file_is_tty(inode) ? "tty" : "char";
	case S_IFBLK:
		return "block";
	case S_IFDIR:
		return "dir";
	case S_IFLNK:
		return "link";
	case S_IFREG:
		return "file";
	}
	/* eventfd, epoll, …: no type of its own, but a name in brackets */
	return file->f_path.dentry->d_name.name;
}

static bool file_is_locked(struct inode *inode)
{
	struct file_lock_context *locks = READ_ONCE(inode->i_flctx);
	bool locked;

	if (!locks)
		return false;
	spin_lock(&locks->flc_lock);
	locked = !list_empty(&locks->flc_flock) || !list_empty(&locks->flc_posix) ||
		 !list_empty(&locks->flc_lease);
	spin_unlock(&locks->flc_lock);
	return locked;
}

static bool file_is_pipe(const struct inode *inode)
{
	return S_ISFIFO(inode->i_mode) && inode->i_sb->s_magic == PIPEFS_MAGIC;
}

/* How many descriptors lead to the file; only below @end. */
static unsigned int file_descriptors(const struct file *file, unsigned int end)
{
	unsigned int fd, nr = 0;
	struct file *other;

	for (fd = 0; fd < end; fd++) {
		other = fget_raw(fd);
		if (!other)
			continue;
		nr += other == file;
		fput(other);
	}
	return nr;
}

/*
 * Is the pipe empty and nobody else's: every end is here, and every reference
 * to an end is a descriptor of this process?
 */
static bool file_pipe_is_private(const struct file *checked)
{
	const struct inode *inode = file_inode(checked);
	struct pipe_inode_info *pipe = inode->i_pipe;
	unsigned int fd, max, ends = 0;
	bool private = true, empty;
	struct file *file;

	rcu_read_lock();
	max = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	for (fd = 0; fd < max && private; fd++) {
		file = fget_raw(fd);
		if (!file)
			continue;
		if (file_inode(file) == inode && !file_descriptors(file, fd)) {
			ends++;
			/* Ours, and for the file being checked that of who checks it. */
			private = file_count(file) ==
				  file_descriptors(file, max) + 1 + (file == checked);
		}
		fput(file);
	}
	mutex_lock(&pipe->mutex);
	empty = pipe->head == pipe->tail && ends == pipe->files;
	mutex_unlock(&pipe->mutex);
	return private && empty;
}

/**
 * proc_file_check() - can an open file be checkpointed
 * @g: for the reason
 * @file: the file
 * @what: how the process has it: "fd 5", …
 *
 * Return: 0; -EOPNOTSUPP with the reason.
 */
int proc_file_check(struct proc_ghost *g, struct file *file, const char *what)
{
	struct inode *inode = file_inode(file);

	if (file->f_mode & FMODE_PATH)
		return proc_why(g, -EOPNOTSUPP, "path: %s is open with O_PATH", what);
	if (file->f_flags & FASYNC)
		return proc_why(g, -EOPNOTSUPP, "async: %s sends signals (O_ASYNC)", what);
	if (file_is_tty(inode) || file_is_plain_device(inode))
		return 0;
	if (file_is_pipe(inode) && !(file->f_flags & O_DIRECT)) {
		if (file_pipe_is_private(file))
			return 0;
		return proc_why(g, -EOPNOTSUPP, "pipe: %s leads to others, or is not empty", what);
	}
	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return proc_why(g, -EOPNOTSUPP, "%s: %s cannot be saved",
				proc_file_word(file), what);
	/* Message queues, namespaces and, on 6.12, pidfds say they are regular. */
	if (S_ISREG(inode->i_mode) && !file->f_op->write_iter && !file->f_op->read_iter)
		return proc_why(g, -EOPNOTSUPP, "%s: %s cannot be saved",
				inode->i_sb->s_type->name, what);
	if (inode->i_sb->s_magic == PROC_SUPER_MAGIC || inode->i_sb->s_magic == SYSFS_MAGIC)
		return proc_why(g, -EOPNOTSUPP, "%s: %s is made up by the kernel",
				inode->i_sb->s_magic == SYSFS_MAGIC ? "sysfs" : "proc", what);
	if (S_ISDIR(inode->i_mode) && file_is_deleted(file))
		return proc_why(g, -EOPNOTSUPP, "dir: %s is a deleted directory", what);
	if (file_is_locked(inode))
		return proc_why(g, -EOPNOTSUPP, "lock: the file of %s is locked", what);
	return 0;
}

static u32 file_kind(const struct inode *inode)
{
	if (S_ISREG(inode->i_mode))
		return KRG_GHOST_F_REG;
	if (S_ISDIR(inode->i_mode))
		return KRG_GHOST_F_DIR;
	if (S_ISFIFO(inode->i_mode))
		return KRG_GHOST_F_PIPE;
	return file_is_tty(inode) ? KRG_GHOST_F_TTY : KRG_GHOST_F_CHAR;
}

static struct proc_file *file_new(struct proc_ghost *g)
{
	struct proc_file *files;

	files = krealloc_array(g->files, g->nr_files + 1, sizeof(*files), GFP_KERNEL);
	if (!files)
		return NULL;
	g->files = files;
	files += g->nr_files++;
	memset(files, 0, sizeof(*files));
	files->obj.id = cpu_to_le32(g->nr_files);
	return files;
}

static char *file_name(const struct path *path)
{
	char *buf = kmalloc(KRG_GHOST_MAX_PATH, GFP_KERNEL), *name, *copy;

	if (!buf)
		return NULL;
	name = d_path(path, buf, KRG_GHOST_MAX_PATH);
	copy = IS_ERR(name) || *name != '/' ? NULL : kstrdup(name, GFP_KERNEL);
	kfree(buf);
	return copy;
}

static void file_fill(struct proc_file *f, const struct path *path, const struct inode *inode)
{
	struct kstat stat = {};

	if (vfs_getattr(path, &stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT))
		stat.size = i_size_read(inode);
	f->obj.mode = cpu_to_le32(inode->i_mode);
	f->obj.dev = cpu_to_le64(new_encode_dev(inode->i_sb->s_dev));
	f->obj.ino = cpu_to_le64(inode->i_ino);
	f->obj.size = cpu_to_le64(stat.size);
	f->obj.mtime_sec = cpu_to_le64(stat.mtime.tv_sec);
	f->obj.mtime_nsec = cpu_to_le32(stat.mtime.tv_nsec);
	if (S_ISCHR(inode->i_mode))
		f->obj.rdev = cpu_to_le32(new_encode_dev(inode->i_rdev));
	f->obj.uid = cpu_to_le32(from_kuid(&init_user_ns, inode->i_uid));
	f->obj.gid = cpu_to_le32(from_kgid(&init_user_ns, inode->i_gid));
}

static bool file_content_known(struct proc_ghost *g, const struct file *file)
{
	u32 i;

	for (i = 0; i < g->nr_files; i++)
		if (g->files[i].has_content && file_inode(g->files[i].file) == file_inode(file))
			return true;
	return false;
}

/* Adds " pid:fd" to the list of who has it. */
static void file_where(struct proc_file *f, pid_t pid, int fd)
{
	char *list = kasprintf(GFP_KERNEL, "%s%s%d:%d", f->where ?: "",
			       f->where ? "," : "", pid, fd);

	if (!list)
		return;
	kfree(f->where);
	f->where = list;
}

/**
 * proc_file_add() - the id of an open file in the image
 * @g: being saved
 * @file: the file; a reference is taken
 * @fd: the descriptor it is known by, -1: it is only mapped
 *
 * Return: the id; 0 without memory.
 */
u32 proc_file_add(struct proc_ghost *g, struct file *file, int fd)
{
	struct proc_file *f = NULL;
	bool content;
	u32 i, what;

	for (i = 0; i < g->nr_files && !f; i++)
		if (g->files[i].file == file)
			f = &g->files[i];
	if (!f) {
		content = file_is_deleted(file) && !file_content_known(g, file);
		f = file_new(g);
		if (!f)
			return 0;
		f->file = get_file(file);
		f->has_content = content;
		f->path = file_name(&file->f_path);
		file_fill(f, &file->f_path, file_inode(file));
		f->obj.kind = cpu_to_le32(file_kind(file_inode(file)));
		f->obj.flags = cpu_to_le32(file->f_flags);
		f->obj.pos = cpu_to_le64(file->f_pos);
		what = file_is_deleted(file) ? KRG_GHOST_F_DELETED : 0;
		f->obj.what = cpu_to_le32(what | KRG_GHOST_F_MAPPED);
	}
	if (fd >= 0) {
		f->obj.what &= ~cpu_to_le32(KRG_GHOST_F_MAPPED);
		file_where(f, task_tgid_nr(current), fd);
	}
	return le32_to_cpu(f->obj.id);
}

/**
 * proc_path_add() - the id of a directory nobody need have open
 * @g: being saved
 * @path: the directory
 *
 * Return: the id; 0 without memory.
 */
u32 proc_path_add(struct proc_ghost *g, const struct path *path)
{
	struct proc_file *f = file_new(g);

	if (!f)
		return 0;
	f->path = file_name(path);
	file_fill(f, path, d_inode(path->dentry));
	f->obj.kind = cpu_to_le32(KRG_GHOST_F_PATH);
	f->obj.flags = cpu_to_le32(O_RDONLY | O_DIRECTORY);
	return f->path ? le32_to_cpu(f->obj.id) : 0;
}

/**
 * proc_file_get() - an opened file of the image
 * @g: being loaded
 * @id: from a record
 *
 * Return: the file, the table's reference; NULL if there is no such id.
 */
struct file *proc_file_get(struct proc_ghost *g, u32 id)
{
	return id && id <= g->nr_files ? g->files[id - 1].file : NULL;
}

void proc_files_free(struct proc_ghost *g)
{
	u32 i;

	for (i = 0; i < g->nr_files; i++) {
		if (g->files[i].file)
			fput(g->files[i].file);
		if (g->files[i].peer)
			fput(g->files[i].peer);
		kfree(g->files[i].path);
		kfree(g->files[i].where);
	}
	kfree(g->files);
}

static int fileobj_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_fileobj *rec;
	struct proc_ghost *g = ctx;
	u32 i, len;
	int err = 0;

	rec = kmalloc(sizeof(*rec) + KRG_GHOST_MAX_PATH, GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	for (i = 0; i < g->nr_files && !err; i++) {
		const struct proc_file *f = &g->files[i];

		len = f->path ? strlen(f->path) + 1 : 0;
		memcpy(rec, &f->obj, sizeof(*rec));
		rec->path_len = cpu_to_le32(len);
		memcpy(rec->path, f->path, len);
		err = krg_ghost_write(stream, KRG_GHOST_R_FILEOBJ, rec, sizeof(*rec) + len);
	}
	kfree(rec);
	return err;
}

/* A terminal of the caller's to take the place of the application's. */
static struct file *file_caller_tty(int flags)
{
	struct file *tty, *opened;
	int fd;

	for (fd = 0; fd < 3; fd++) {
		tty = fget_raw(fd);
		if (!tty)
			continue;
		if (file_is_tty(file_inode(tty))) {
			opened = dentry_open(&tty->f_path, flags | O_NOCTTY, current_cred());
			fput(tty);
			return opened;
		}
		fput(tty);
	}
	return ERR_PTR(-ENOTTY);
}

static struct file *file_of_inode(struct proc_ghost *g, const struct krg_ghost_fileobj *rec,
				  int flags)
{
	u32 i;

	for (i = 0; i + 1 < g->nr_files; i++)
		if (g->files[i].has_content && g->files[i].obj.dev == rec->dev &&
		    g->files[i].obj.ino == rec->ino)
			return dentry_open(&g->files[i].file->f_path, flags, current_cred());
	return NULL;
}

static struct file *file_open_deleted(struct proc_ghost *g, struct proc_file *f, int flags)
{
	struct file *file = file_of_inode(g, &f->obj, flags), *opened;
	int err;

	if (file)
		return file;
	file = filp_open("/tmp", O_TMPFILE | O_RDWR | O_LARGEFILE,
			 le32_to_cpu(f->obj.mode) & 0777);
	if (IS_ERR(file))
		return file;
	err = vfs_truncate(&file->f_path, le64_to_cpu(f->obj.size));
	opened = err ? ERR_PTR(err) : dentry_open(&file->f_path, flags, current_cred());
	fput(file);
	f->has_content = !IS_ERR(opened);
	return opened;
}

/* An end of a pipe: the other end of one made before, or one of a new pipe. */
static struct file *file_open_pipe(struct proc_ghost *g, struct proc_file *f, int flags)
{
	bool writer = (flags & O_ACCMODE) == O_WRONLY;
	struct file *ends[2], *file;
	u32 i;
	int err;

	for (i = 0; i + 1 < g->nr_files; i++) {
		if (g->files[i].obj.kind != f->obj.kind || g->files[i].obj.ino != f->obj.ino)
			continue;
		file = g->files[i].peer;
		g->files[i].peer = NULL;
		if (!file || !!(file->f_mode & FMODE_WRITE) != writer)
			return ERR_PTR(-EBADMSG);
		return file;
	}
	err = krg_sym(create_pipe_files)(ends, flags & O_NONBLOCK);
	if (err)
		return ERR_PTR(err);
	f->peer = ends[!writer];
	return ends[writer];
}

static int file_compare(struct proc_ghost *g, struct proc_file *f)
{
	const struct inode *inode = file_inode(f->file);
	u64 old = le64_to_cpu(f->obj.size), size;
	struct kstat stat;
	int err;

	if ((inode->i_mode ^ le32_to_cpu(f->obj.mode)) & S_IFMT)
		return proc_why(g, -ENXIO, "%s is another kind of file now", f->path);
	if (le32_to_cpu(f->obj.kind) == KRG_GHOST_F_CHAR &&
	    (!file_is_plain_device(inode) ||
	     new_encode_dev(inode->i_rdev) != le32_to_cpu(f->obj.rdev)))
		return proc_why(g, -ENXIO, "%s is another device now", f->path);
	if (!S_ISREG(inode->i_mode) || le32_to_cpu(f->obj.what) & KRG_GHOST_F_DELETED)
		return 0;
	err = vfs_getattr(&f->file->f_path, &stat, STATX_BASIC_STATS, AT_STATX_SYNC_AS_STAT);
	if (err)
		return proc_why(g, err, "%s: cannot be examined", f->path);
	size = stat.size;
	if (le32_to_cpu(f->obj.what) & KRG_GHOST_F_MAPPED &&
	    (size != old || stat.mtime.tv_sec != (s64)le64_to_cpu(f->obj.mtime_sec) ||
	     stat.mtime.tv_nsec != le32_to_cpu(f->obj.mtime_nsec)))
		return proc_why(g, -ESTALE, "%s has changed since the checkpoint, and it is mapped",
				f->path);
	if (size < old)
		return proc_why(g, -ESTALE,
				"%s has shrunk since the checkpoint: %llu, was %llu bytes",
				f->path, size, old);
	f->grown = size > old && f->file->f_mode & FMODE_WRITE &&
		   (f->file->f_flags & O_APPEND || le64_to_cpu(f->obj.pos) == old);
	return 0;
}

/**
 * proc_files_cut() - files the process was writing to at their end get their old length
 * @g: being restored
 *
 * What it has written since the checkpoint it will write again. Last of all, for until
 * then a restart that fails has changed nothing.
 *
 * Context: the process that is made, with its rights.
 * Return: 0; -errno with the reason.
 */
int proc_files_cut(struct proc_ghost *g)
{
	u32 i;
	int err = 0;

	for (i = 0; i < g->nr_files && !err; i++) {
		const struct proc_file *f = &g->files[i];

		if (!f->grown)
			continue;
		err = vfs_truncate(&f->file->f_path, le64_to_cpu(f->obj.size));
		if (err)
			proc_why(g, err, "%s has grown, and can't be cut back to %llu bytes (%d)",
				 f->path, le64_to_cpu(f->obj.size), -err);
	}
	return err;
}

static struct file *file_substitute(struct proc_ghost *g, u32 id)
{
	size_t i;

	for (i = 0; i < g->nr_subst; i++)
		if (g->subst[i].id == id)
			return get_file(g->subst[i].file);
	return NULL;
}

static int file_open_again(struct proc_ghost *g, struct proc_file *f)
{
	int flags = le32_to_cpu(f->obj.flags) & FILE_FLAGS;
	u32 kind = le32_to_cpu(f->obj.kind);
	bool tty = kind == KRG_GHOST_F_TTY;
	struct file *file;

	if (kind == KRG_GHOST_F_PATH)
		flags = O_RDONLY | O_DIRECTORY;
	/* Of overlayfs, which maps with it; only a file's owner could ask for it. */
	if (le32_to_cpu(f->obj.what) & KRG_GHOST_F_MAPPED)
		flags &= ~O_NOATIME;
	file = file_substitute(g, le32_to_cpu(f->obj.id));
	if (file) {
		f->file = file;
		return 0;
	}
	if (le32_to_cpu(f->obj.what) & KRG_GHOST_F_DELETED)
		file = file_open_deleted(g, f, flags);
	else if (kind == KRG_GHOST_F_PIPE)
		file = file_open_pipe(g, f, flags);
	else if (tty && g->flags & KRG_RESTART_TTY)
		file = file_caller_tty(flags);
	else if (f->path)
		file = filp_open(f->path, flags | O_NOCTTY | O_LARGEFILE | O_NONBLOCK, 0);
	else
		file = ERR_PTR(-ENOENT);
	if (IS_ERR(file))
		return proc_why(g, PTR_ERR(file), tty && !(g->flags & KRG_RESTART_TTY) ?
				"its terminal %s cannot be opened: restart it with --replace-tty" :
				"%s cannot be opened (error %ld)",
				f->path ?: "a file without a name", -PTR_ERR(file));
	f->file = file;
	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~O_NONBLOCK) | (flags & O_NONBLOCK);
	spin_unlock(&file->f_lock);
	if (S_ISREG(file_inode(file)->i_mode) || S_ISDIR(file_inode(file)->i_mode))
		vfs_llseek(file, le64_to_cpu(f->obj.pos), SEEK_SET);
	return file_compare(g, f);
}

static int fileobj_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	const struct krg_ghost_fileobj *rec = item->data;
	struct proc_ghost *g = ctx;
	struct proc_file *f;

	if (le32_to_cpu(rec->id) != g->nr_files + 1)
		return proc_why(g, -EBADMSG, "file %u is out of order", le32_to_cpu(rec->id));
	f = file_new(g);
	if (!f)
		return -ENOMEM;
	memcpy(&f->obj, rec, sizeof(f->obj));
	if (rec->path_len) {
		f->path = kstrndup(rec->path, le32_to_cpu(rec->path_len), GFP_KERNEL);
		if (!f->path)
			return -ENOMEM;
	}
	return file_open_again(g, f);
}

#define CONTENT_CHUNK 0x100000

static int content_save_chunk(struct krg_ghost_stream *stream, struct proc_file *f, void *buf,
			      u64 pos, size_t len)
{
	struct krg_ghost_content rec = {
		.file = f->obj.id,
		.offset = cpu_to_le64(pos),
	};
	struct bio_vec bv;

	if (!memchr_inv(buf, 0, len))
		return 0;
	bvec_set_page(&bv, virt_to_page(buf), len, 0);
	return krg_ghost_write_bulk(stream, KRG_GHOST_R_CONTENT, &rec, sizeof(rec), &bv, 1);
}

/* The process may have it open for writing only: read through a description of our own. */
static int content_save_file(struct krg_ghost_stream *stream, struct proc_ghost *g,
			     struct proc_file *f, void *buf)
{
	struct file *file = dentry_open(&f->file->f_path, O_RDONLY | O_LARGEFILE, current_cred());
	u64 size = le64_to_cpu(f->obj.size);
	loff_t pos = 0;
	ssize_t n = 0;
	int err = 0;

	if (IS_ERR(file))
		return proc_why(g, PTR_ERR(file), "deleted file %s cannot be read", f->path ?: "");
	while (pos < size && !err) {
		loff_t at = pos;

		if (proc_cancelled(g)) {
			err = -EINTR;
			break;
		}
		n = kernel_read(file, buf, min_t(u64, CONTENT_CHUNK, size - pos), &pos);
		if (n <= 0)
			break;
		err = content_save_chunk(stream, f, buf, at, n);
	}
	if (n < 0)
		err = proc_why(g, n, "deleted file %s cannot be read", f->path ?: "");
	fput(file);
	return err;
}

static int content_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct proc_ghost *g = ctx;
	void *buf = NULL;
	int err = 0;
	u32 i;

	for (i = 0; i < g->nr_files && !err; i++) {
		if (!g->files[i].has_content)
			continue;
		if (!buf)
			buf = alloc_pages_exact(CONTENT_CHUNK, GFP_KERNEL);
		err = buf ? content_save_file(stream, g, &g->files[i], buf) : -ENOMEM;
	}
	if (buf)
		free_pages_exact(buf, CONTENT_CHUNK);
	return err;
}

static int content_load_chunk(struct krg_ghost_stream *stream, struct file *file, void *buf,
			      size_t len, loff_t pos)
{
	struct bio_vec bv;
	ssize_t n;
	int err;

	bvec_set_page(&bv, virt_to_page(buf), len, 0);
	err = krg_ghost_read_bulk(stream, &bv, 1);
	if (err)
		return err;
	n = kernel_write(file, buf, len, &pos);
	if (n < 0)
		return n;
	return n == len ? 0 : -ENOSPC;
}

static int content_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
			void *ctx)
{
	const struct krg_ghost_content *rec = item->data;
	struct proc_ghost *g = ctx;
	u32 id = le32_to_cpu(rec->file);
	u64 left = item->bulk, pos = le64_to_cpu(rec->offset);
	struct file *file = proc_file_get(g, id);
	void *buf;
	int err = 0;

	if (!file || !g->files[id - 1].has_content)
		return proc_why(g, -EBADMSG, "content of file %u, which needs none", id);
	file = dentry_open(&file->f_path, O_WRONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(file))
		return proc_why(g, PTR_ERR(file), "a deleted file cannot be written again");
	buf = alloc_pages_exact(CONTENT_CHUNK, GFP_KERNEL);
	if (!buf)
		err = -ENOMEM;
	while (left && !err) {
		size_t len = min_t(u64, left, CONTENT_CHUNK);

		err = content_load_chunk(stream, file, buf, len, pos);
		left -= len;
		pos += len;
	}
	if (buf)
		free_pages_exact(buf, CONTENT_CHUNK);
	fput(file);
	return err;
}

static int fs_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct krg_ghost_fs rec = { .umask = cpu_to_le32(current_umask()) };
	struct path pwd;
	u32 id;

	get_fs_pwd(current->fs, &pwd);
	id = proc_path_add(ctx, &pwd);
	path_put(&pwd);
	if (!id)
		return -ENOMEM;
	rec.cwd = cpu_to_le32(id);
	return krg_ghost_write(stream, KRG_GHOST_R_FS, &rec, sizeof(rec));
}

static int fs_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_fs *rec = item->data;
	struct file *cwd = proc_file_get(ctx, le32_to_cpu(rec->cwd));

	if (!cwd || !S_ISDIR(file_inode(cwd)->i_mode) || rec->root)
		return proc_why(ctx, -EBADMSG, "its current directory is none");
	krg_sym(set_fs_pwd)(current->fs, &cwd->f_path);
	current->fs->umask = le32_to_cpu(rec->umask) & 0777;
	return 0;
}

static int fd_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct proc_ghost *g = ctx;
	unsigned int fd, max;
	int err = 0;

	rcu_read_lock();
	max = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	for (fd = 0; fd < max && !err; fd++) {
		struct krg_ghost_fd rec = { .fd = cpu_to_le32(fd) };
		struct file *file = fget_raw(fd);
		char what[16];

		if (!file)
			continue;
		scnprintf(what, sizeof(what), "fd %u", fd);
		if (g->flags & KRG_CHECKPOINT_IGNORE_FILES && proc_file_check(g, file, what)) {
			g->why[0] = 0;
		} else {
			rec.file = cpu_to_le32(proc_file_add(g, file, fd));
			rec.flags = cpu_to_le32(krg_sym(get_close_on_exec)(fd));
			err = -ENOMEM;
			if (rec.file)
				err = krg_ghost_write(stream, KRG_GHOST_R_FD, &rec, sizeof(rec));
		}
		fput(file);
	}
	return err;
}

static int fd_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	const struct krg_ghost_fd *rec = item->data;
	struct file *file = proc_file_get(ctx, le32_to_cpu(rec->file));
	u32 fd = le32_to_cpu(rec->fd);
	int err;

	if (!file)
		return proc_why(ctx, -EBADMSG, "fd %u has no file", fd);
	err = krg_sym(replace_fd)(fd, file, le32_to_cpu(rec->flags) & 1 ? O_CLOEXEC : 0);
	if (err < 0)
		return proc_why(ctx, err, "fd %u cannot be opened", fd);
	return 0;
}

struct krg_ghost_handler proc_fileobj = {
	.type = KRG_GHOST_R_FILEOBJ,
	.save = fileobj_save,
	.load = fileobj_load,
};

struct krg_ghost_handler proc_content = {
	.type = KRG_GHOST_R_CONTENT,
	.save = content_save,
	.load = content_load,
};

struct krg_ghost_handler proc_fs = {
	.type = KRG_GHOST_R_FS,
	.save = fs_save,
	.load = fs_load,
};

struct krg_ghost_handler proc_fd = {
	.type = KRG_GHOST_R_FD,
	.save = fd_save,
	.load = fd_load,
};
