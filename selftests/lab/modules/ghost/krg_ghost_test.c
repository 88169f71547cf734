// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams of krg_ghost in the kernel, and their speed. Loading runs the tests
 * and fails with the first that fails; the log says which.
 *
 *	dir=DIR		where to write the files
 *	bulk_mb=N	memory to save and load, for the figures (default 64)
 *
 * Figures (ms) go to the log: write, digest, read, and a plain copy of the same
 * pages to a file for comparison.
 */
#define pr_fmt(fmt) "krg_ghost_test: " fmt

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <krg/ghost.h>

static char *dir = "/tmp";
module_param(dir, charp, 0444);
static unsigned int bulk_mb = 64;
module_param(bulk_mb, uint, 0444);

#define BATCH	2048u		/* pages a record: 8 MiB */

static struct page **pages;
static unsigned int nr_pages;
static struct bio_vec *bvec;
static struct krg_ghost_pages *head;

static const struct krg_ghost_ident task_ident = {
	.kind = KRG_GHOST_TASK, .object = 42, .appid = 42, .version = 1, .node = 3,
	.checkpoint = "0123456789abcde",
};

static void batch_at(unsigned int first, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		bvec[i] = (struct bio_vec){ .bv_page = pages[first + i], .bv_len = PAGE_SIZE };
	memset(head, 0, sizeof(*head) + sizeof(head->run[0]));
	head->nr_runs = cpu_to_le32(1);
	head->run[0].address = cpu_to_le64((u64)first << PAGE_SHIFT);
	head->run[0].pages = cpu_to_le64(nr);
}

static int write_one(struct krg_ghost_stream *stream, u16 type, u32 len)
{
	void *zero = kzalloc(len, GFP_KERNEL);
	int err = zero ? krg_ghost_write(stream, type, zero, len) : -ENOMEM;

	kfree(zero);
	return err;
}

/* What comes before memory in a task's file. */
static int write_start(struct krg_ghost_stream *stream)
{
	struct krg_ghost_ids ids = { .pid = cpu_to_le32(42), .tgid = cpu_to_le32(42) };
	struct krg_ghost_fs fs = { .cwd = cpu_to_le32(1) };
	int err = krg_ghost_write(stream, KRG_GHOST_R_IDS, &ids, sizeof(ids));

	err = err ?: write_one(stream, KRG_GHOST_R_SCHED, sizeof(struct krg_ghost_sched));
	err = err ?: krg_ghost_write(stream, KRG_GHOST_R_FS, &fs, sizeof(fs));
	err = err ?: write_one(stream, KRG_GHOST_R_MM, sizeof(struct krg_ghost_mm));
	return err ?: write_one(stream, KRG_GHOST_R_AUXV, sizeof(struct krg_ghost_auxv));
}

static int write_rest(struct krg_ghost_stream *stream)
{
	struct krg_ghost_xsave xsave = { .size = cpu_to_le32(576) };
	u8 *image = kzalloc(sizeof(xsave) + 576, GFP_KERNEL);
	int err;

	if (!image)
		return -ENOMEM;
	memcpy(image, &xsave, sizeof(xsave));
	err = write_one(stream, KRG_GHOST_R_SIGACTION, sizeof(struct krg_ghost_sigaction));
	err = err ?: write_one(stream, KRG_GHOST_R_THREAD, sizeof(struct krg_ghost_thread));
	err = err ?: write_one(stream, KRG_GHOST_R_REGS, sizeof(struct krg_ghost_regs));
	err = err ?: krg_ghost_write(stream, KRG_GHOST_R_XSAVE, image, sizeof(xsave) + 576);
	err = err ?: write_one(stream, KRG_GHOST_R_SIGMASK, sizeof(struct krg_ghost_sigmask));
	err = err ?: write_one(stream, KRG_GHOST_R_ITIMERS, sizeof(struct krg_ghost_itimers));
	err = err ?: write_one(stream, KRG_GHOST_R_RLIMITS, sizeof(struct krg_ghost_rlimits));
	err = err ?: write_one(stream, KRG_GHOST_R_CRED, sizeof(struct krg_ghost_cred));
	kfree(image);
	return err;
}

static int write_task(struct krg_ghost_stream *stream, unsigned int nr)
{
	unsigned int at;
	int err = write_start(stream);

	for (at = 0; !err && at < nr; at += BATCH) {
		batch_at(at, min(BATCH, nr - at));
		err = krg_ghost_write_bulk(stream, KRG_GHOST_R_PAGES, head,
					   sizeof(*head) + sizeof(head->run[0]), bvec,
					   min(BATCH, nr - at));
	}
	err = err ?: write_rest(stream);
	return err ?: krg_ghost_finish(stream);
}

/* Reads all; bulk data land in pages from `into` on, or are drained if it is NULL. */
static int read_task(struct krg_ghost_stream *stream, struct page **into)
{
	struct krg_ghost_item item;
	unsigned int i, nr;
	int ret;

	while ((ret = krg_ghost_next(stream, &item)) > 0) {
		if (!item.bulk || !into)
			continue;
		nr = item.bulk >> PAGE_SHIFT;
		for (i = 0; i < nr; i++)
			bvec[i] = (struct bio_vec){ .bv_page = *into++, .bv_len = PAGE_SIZE };
		ret = krg_ghost_read_bulk(stream, bvec, nr);
		if (ret)
			return ret;
	}
	return ret;
}

static struct file *open_in_dir(const char *name, int flags)
{
	char *path = kasprintf(GFP_KERNEL, "%s/%s", dir, name);
	struct file *file = path ? filp_open(path, flags, 0600) : ERR_PTR(-ENOMEM);

	kfree(path);
	return file;
}

static int write_file(const char *name, unsigned int nr, u64 *size)
{
	struct file *file = open_in_dir(name, O_WRONLY | O_CREAT | O_TRUNC);
	struct krg_ghost_stream *stream;
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	stream = krg_ghost_create_file(file, &task_ident);
	err = PTR_ERR_OR_ZERO(stream);
	if (!err) {
		err = write_task(stream, nr);
		*size = krg_ghost_size(stream);
	}
	krg_ghost_free(stream);
	fput(file);
	return err;
}

static int read_file(const char *name, struct page **into, struct krg_ghost_error *why)
{
	struct krg_ghost_ident ident = task_ident;
	struct file *file = open_in_dir(name, O_RDONLY);
	struct krg_ghost_stream *stream;
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	memset(ident.checkpoint, 0, sizeof(ident.checkpoint));
	stream = krg_ghost_open_file(file, &ident, why);
	err = PTR_ERR_OR_ZERO(stream);
	if (!err) {
		err = read_task(stream, into);
		*why = *krg_ghost_why(stream);
	}
	krg_ghost_free(stream);
	fput(file);
	return err;
}

static int flip(const char *name, loff_t at)
{
	struct file *file = open_in_dir(name, O_RDWR);
	loff_t pos = at;
	u8 byte;
	int err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (kernel_read(file, &byte, 1, &pos) != 1)
		err = -EIO;
	byte ^= 0x10;
	pos = at;
	if (!err && kernel_write(file, &byte, 1, &pos) != 1)
		err = -EIO;
	fput(file);
	return err;
}

#define EXPECT(what, condition) do {		\
	if (!(condition)) {			\
		pr_err("failed: %s\n", what);	\
		return -EINVAL;			\
	}					\
} while (0)

static int test_file(void)
{
	struct krg_ghost_error why;
	struct page **second = pages + nr_pages / 2;
	unsigned int i, nr = 64;
	loff_t at;
	u64 size;

	EXPECT("write", !write_file("ghost", nr, &size));
	EXPECT("read into other pages", !read_file("ghost", second, &why) && !why.text);
	for (i = 0; i < nr; i++)
		EXPECT("same pages", !memcmp(page_address(pages[i]), page_address(second[i]),
					     PAGE_SIZE));
	EXPECT("read without taking pages", !read_file("ghost", NULL, &why));
	for (at = 0; at < size; at += 1 + size / 97) {
		EXPECT("flip", !flip("ghost", at));
		i = read_file("ghost", at & 1 ? second : NULL, &why);
		EXPECT("flip refused", i == -EBADMSG || i == -EPROTO);
		EXPECT("flip blamed", why.text && why.offset <= at);
		EXPECT("flip back", !flip("ghost", at));
	}
	EXPECT("good again", !read_file("ghost", second, &why));
	pr_info("ok file\n");
	return 0;
}

static int test_mem(void)
{
	struct krg_ghost_stream *stream = krg_ghost_create_mem(&task_ident, 1 << 20);
	unsigned int nr = 64;
	int err;

	EXPECT("create in memory", !IS_ERR(stream));
	err = write_task(stream, nr);
	err = err ?: krg_ghost_rewind(stream);
	err = err ?: read_task(stream, pages + nr_pages / 2);
	err = err ?: krg_ghost_rewind(stream);
	err = err ?: read_task(stream, NULL);
	krg_ghost_free(stream);
	EXPECT("in memory, twice", !err);

	stream = krg_ghost_create_mem(&task_ident, 65536);
	err = write_task(stream, nr);
	EXPECT("limit", err == -ENOSPC);
	EXPECT("error sticks", krg_ghost_finish(stream) == -ENOSPC);
	krg_ghost_free(stream);

	stream = krg_ghost_create_mem(&task_ident, 65536);
	EXPECT("writer refuses order", krg_ghost_write(stream, KRG_GHOST_R_APP, &err, 4) == -EINVAL &&
	       krg_ghost_why(stream)->text);
	krg_ghost_free(stream);
	pr_info("ok memory\n");
	return 0;
}

static int seen;

static int count_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	seen++;
	return 0;
}

static int test_registry(void)
{
	struct krg_ghost_handler handler = { .type = KRG_GHOST_R_IDS, .load = count_load };
	struct krg_ghost_handler twin = handler, bad = { .type = 999 };
	struct krg_ghost_ident ident = task_ident;
	struct krg_ghost_stream *stream;
	struct krg_ghost_error why;
	struct file *file;
	int err;

	EXPECT("register", !krg_ghost_register(&handler));
	EXPECT("one handler a type", krg_ghost_register(&twin) == -EEXIST);
	EXPECT("unknown type", krg_ghost_register(&bad) == -EINVAL);
	file = open_in_dir("ghost", O_RDONLY);
	stream = IS_ERR(file) ? ERR_CAST(file) : krg_ghost_open_file(file, &ident, &why);
	err = IS_ERR(stream) ? PTR_ERR(stream) : krg_ghost_load(stream, NULL);
	why = IS_ERR(stream) ? (struct krg_ghost_error){ 0 } : *krg_ghost_why(stream);
	krg_ghost_free(stream);
	if (!IS_ERR(file))
		fput(file);
	krg_ghost_unregister(&handler);
	EXPECT("loaded one, refused the next", seen == 1 && err == -EOPNOTSUPP && why.record == 2);
	pr_info("ok registry\n");
	return 0;
}

/* The same pages to a file, as cheaply as the kernel can. */
static int plain_copy(void)
{
	struct file *file = open_in_dir("plain", O_WRONLY | O_CREAT | O_TRUNC);
	struct kiocb iocb;
	struct iov_iter from;
	unsigned int at, nr;
	ssize_t done = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	init_sync_kiocb(&iocb, file);
	for (at = 0; done >= 0 && at < nr_pages; at += nr) {
		nr = min(BATCH, nr_pages - at);
		batch_at(at, nr);
		iov_iter_bvec(&from, ITER_SOURCE, bvec, nr, (size_t)nr << PAGE_SHIFT);
		file_start_write(file);
		done = file->f_op->write_iter(&iocb, &from);
		file_end_write(file);
	}
	fput(file);
	return min_t(ssize_t, done, 0);
}

static int measure(void)
{
	struct krg_ghost_error why;
	u64 t[6], size;
	u32 sum = 0;
	unsigned int i;
	int err;

	t[0] = ktime_get_ns();
	err = plain_copy();
	t[1] = ktime_get_ns();
	err = err ?: write_file("big", nr_pages, &size);
	t[2] = ktime_get_ns();
	err = err ?: read_file("big", pages, &why);
	t[3] = ktime_get_ns();
	err = err ?: read_file("big", NULL, &why);
	t[4] = ktime_get_ns();
	for (i = 0; i < nr_pages / 16; i++)
		sum += krg_ghost_crc(0, page_address(pages[i]), PAGE_SIZE);
	t[5] = ktime_get_ns();
	if (err)
		return err;
	pr_info("%u MiB: plain %llu ms, write %llu ms, read %llu ms, drain %llu ms, table crc %llu ms (%x), overhead %llu bytes\n",
		bulk_mb, (t[1] - t[0]) / 1000000, (t[2] - t[1]) / 1000000,
		(t[3] - t[2]) / 1000000, (t[4] - t[3]) / 1000000, (t[5] - t[4]) * 16 / 1000000, sum,
		size - ((u64)nr_pages << PAGE_SHIFT));
	return 0;
}

static void pages_free(void)
{
	while (nr_pages)
		__free_page(pages[--nr_pages]);
	kvfree(pages);
	kvfree(bvec);
	kvfree(head);
}

static int pages_alloc(void)
{
	unsigned int want = max(bulk_mb, 1u) << (20 - PAGE_SHIFT);

	pages = kvcalloc(want, sizeof(*pages), GFP_KERNEL);
	bvec = kvcalloc(BATCH, sizeof(*bvec), GFP_KERNEL);
	head = kvzalloc(sizeof(*head) + sizeof(head->run[0]), GFP_KERNEL);
	if (!pages || !bvec || !head)
		return -ENOMEM;
	while (nr_pages < want) {
		pages[nr_pages] = alloc_page(GFP_KERNEL);
		if (!pages[nr_pages])
			return -ENOMEM;
		get_random_bytes(page_address(pages[nr_pages++]), 4096);
	}
	return 0;
}

static int __init ghost_test_init(void)
{
	int err = pages_alloc();
	int round;

	err = err ?: test_file();
	err = err ?: test_mem();
	err = err ?: test_registry();
	/* The first round also meets memory the machine has never touched. */
	for (round = 0; !err && round < 3; round++)
		err = measure();
	pages_free();
	return err;
}

static void __exit ghost_test_exit(void)
{
}

module_init(ghost_test_init);
module_exit(ghost_test_exit);
MODULE_DESCRIPTION("krg: tests of ghost streams");
MODULE_LICENSE("GPL");
