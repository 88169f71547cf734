// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include "core/crc32c.h"
#include "sample.h"

#define PAGE KRG_GHOST_PAGE_SIZE

static void put(struct image *image, const void *data, size_t len)
{
	if (image->len + len > image->size) {
		image->size = 2 * image->size + len + PAGE;
		image->data = realloc(image->data, image->size);
		if (!image->data)
			abort();
	}
	if (data)
		memcpy(image->data + image->len, data, len);
	else
		memset(image->data + image->len, 0, len);
	image->len += len;
}

int image_add(struct image *image, u16 type, u16 flags, void *payload, u32 len, const void *bulk)
{
	struct krg_ghost_record head;
	struct krg_ghost_digest digest;
	struct krg_ghost_bulk *desc = payload;
	u32 pad;
	int err;

	if (bulk) {
		flags |= KRG_GHOST_BULK;
		krg_ghost_digest_init(&digest);
		krg_ghost_digest_update(&digest, bulk, le64_to_cpu(desc->length));
		for (int i = 0; i < 4; i++)
			desc->digest[i] = cpu_to_le64(digest.lane[i]);
	}
	err = krg_ghost_frame(&image->writer, type, flags, payload, len, &head, &pad);
	if (err)
		return err;
	put(image, &head, sizeof(head));
	put(image, payload, len);
	put(image, NULL, pad);
	if (bulk)
		put(image, bulk, le64_to_cpu(desc->length));
	return 0;
}

static void must_add(struct image *image, u16 type, void *payload, u32 len, const void *bulk)
{
	if (image_add(image, type, 0, payload, len, bulk)) {
		fprintf(stderr, "sample: %s: %s\n", krg_ghost_row_name(type), image->writer.text);
		abort();
	}
}

void image_start(struct image *image, u32 kind, u8 seed)
{
	struct krg_ghost_ident ident = { .kind = kind, .appid = 4711, .version = 2, .node = 1 };
	struct krg_ghost_file file;

	ident.object = kind == KRG_GHOST_TASK ? 4711 : kind == KRG_GHOST_GLOBAL ? 0 : 1;
	memset(ident.checkpoint, seed, sizeof(ident.checkpoint));
	memset(image, 0, sizeof(*image));
	krg_ghost_writer_init(&image->writer, kind);
	krg_ghost_describe(&file, &ident, 1700000000);
	file.xfeatures = cpu_to_le64(7);
	strcpy(file.release, "6.1.0-56-amd64");
	must_add(image, KRG_GHOST_R_FILE, &file, sizeof(file), NULL);
}

void image_free(struct image *image)
{
	free(image->data);
	memset(image, 0, sizeof(*image));
}

int image_finish(struct image *image)
{
	u8 tail[KRG_GHOST_TAIL_MAX];
	u32 len;
	int err = krg_ghost_frame_tail(&image->writer, tail, &len);

	if (!err)
		put(image, tail, len);
	return err;
}

void sample_ids(struct krg_ghost_ids *ids)
{
	memset(ids, 0, sizeof(*ids));
	ids->pid = cpu_to_le32(4711);
	ids->tgid = cpu_to_le32(4711);
	ids->ppid = cpu_to_le32(1);
	ids->pgid = cpu_to_le32(4711);
	ids->sid = cpu_to_le32(4711);
	ids->exit_signal = cpu_to_le32(17);
	strcpy(ids->comm, "gawk");
}

void sample_vma(struct krg_ghost_vma *vma, u64 start, u64 end)
{
	memset(vma, 0, sizeof(*vma));
	vma->start = cpu_to_le64(start);
	vma->end = cpu_to_le64(end);
	vma->prot = cpu_to_le32(3);
	vma->flags = cpu_to_le32(2);
}

static void add_pages(struct image *image, u64 first, u32 nr)
{
	u8 buf[sizeof(struct krg_ghost_pages) + 2 * sizeof(struct krg_ghost_run)] = { 0 };
	struct krg_ghost_pages *pages = (void *)buf;
	u8 *data = malloc((size_t)nr * PAGE);

	for (size_t i = 0; i < (size_t)nr * PAGE; i++)
		data[i] = first / PAGE + i * 7 + i / 251;
	pages->nr_runs = cpu_to_le32(2);
	pages->bulk.length = cpu_to_le64((u64)nr * PAGE);
	pages->run[0].address = cpu_to_le64(first);
	pages->run[0].pages = cpu_to_le64(1);
	pages->run[1].address = cpu_to_le64(first + 2 * PAGE);
	pages->run[1].pages = cpu_to_le64(nr - 1);
	must_add(image, KRG_GHOST_R_PAGES, buf, sizeof(buf), data);
	free(data);
}

static void add_memory(struct image *image)
{
	struct krg_ghost_mm mm = { .nr_vmas = cpu_to_le32(2), .exe = cpu_to_le32(1) };
	struct krg_ghost_auxv auxv[2] = { { cpu_to_le64(6), cpu_to_le64(PAGE) }, { 0, 0 } };
	struct krg_ghost_vma vma;

	must_add(image, KRG_GHOST_R_MM, &mm, sizeof(mm), NULL);
	must_add(image, KRG_GHOST_R_AUXV, auxv, sizeof(auxv), NULL);
	sample_vma(&vma, 0x400000, 0x500000);
	must_add(image, KRG_GHOST_R_VMA, &vma, sizeof(vma), NULL);
	sample_vma(&vma, 0x500000, 0x600000);
	must_add(image, KRG_GHOST_R_VMA, &vma, sizeof(vma), NULL);
	add_pages(image, 0x400000, 2);
	add_pages(image, 0x500000, 3);
}

static void add_task(struct image *image)
{
	struct { struct krg_ghost_xsave head; u8 data[832]; } xsave = { 0 };
	struct { struct krg_ghost_cred head; __le32 groups[3]; } cred = { 0 };
	struct krg_ghost_ids ids;
	struct krg_ghost_sched sched = { 0 };
	__le64 cpus[2] = { cpu_to_le64(2) };
	struct krg_ghost_fs fs = { .umask = cpu_to_le32(022), .cwd = cpu_to_le32(2) };
	struct krg_ghost_fd fd = { .file = cpu_to_le32(1) };
	struct krg_ghost_sigaction actions = { 0 };
	struct krg_ghost_thread thread = { 0 };
	struct krg_ghost_regs regs = { .ip = cpu_to_le64(0x401000) };
	struct krg_ghost_sigmask mask = { 0 };
	struct krg_ghost_siginfo info = { .signo = cpu_to_le32(10) };
	struct krg_ghost_usage usage = { .self.utime = cpu_to_le64(1000000000) };
	struct krg_ghost_itimers itimers = { 0 };
	struct krg_ghost_rlimits rlimits = { 0 };

	sample_ids(&ids);
	xsave.head.features = cpu_to_le64(7);
	xsave.head.size = cpu_to_le32(sizeof(xsave.data));
	cred.head.nr_groups = cpu_to_le32(3);
	must_add(image, KRG_GHOST_R_IDS, &ids, sizeof(ids), NULL);
	must_add(image, KRG_GHOST_R_SCHED, &sched, sizeof(sched), NULL);
	must_add(image, KRG_GHOST_R_CPUS, cpus, sizeof(cpus), NULL);
	must_add(image, KRG_GHOST_R_FS, &fs, sizeof(fs), NULL);
	must_add(image, KRG_GHOST_R_FD, &fd, sizeof(fd), NULL);
	fd.fd = cpu_to_le32(7);
	must_add(image, KRG_GHOST_R_FD, &fd, sizeof(fd), NULL);
	add_memory(image);
	must_add(image, KRG_GHOST_R_SIGACTION, &actions, sizeof(actions), NULL);
	must_add(image, KRG_GHOST_R_THREAD, &thread, sizeof(thread), NULL);
	must_add(image, KRG_GHOST_R_REGS, &regs, sizeof(regs), NULL);
	must_add(image, KRG_GHOST_R_XSAVE, &xsave, sizeof(xsave), NULL);
	must_add(image, KRG_GHOST_R_SIGMASK, &mask, sizeof(mask), NULL);
	must_add(image, KRG_GHOST_R_PENDING, &info, sizeof(info), NULL);
	must_add(image, KRG_GHOST_R_USAGE, &usage, sizeof(usage), NULL);
	must_add(image, KRG_GHOST_R_ITIMERS, &itimers, sizeof(itimers), NULL);
	must_add(image, KRG_GHOST_R_RLIMITS, &rlimits, sizeof(rlimits), NULL);
	must_add(image, KRG_GHOST_R_CRED, &cred, sizeof(cred.head) + 12, NULL);
}

static void add_shared(struct image *image)
{
	struct { struct krg_ghost_fileobj head; char path[12]; } file = { 0 };
	struct krg_ghost_content content = { .file = cpu_to_le32(2) };
	static const u8 text[777] = "content of a file that has no name any more";

	file.head.kind = cpu_to_le32(KRG_GHOST_F_REG);
	file.head.path_len = cpu_to_le32(12);
	memcpy(file.path, "/tmp/out.txt", 11);
	for (u32 id = 1; id <= 2; id++) {
		file.head.id = cpu_to_le32(id);
		must_add(image, KRG_GHOST_R_FILEOBJ, &file, sizeof(file.head) + 12, NULL);
	}
	content.bulk.length = cpu_to_le64(sizeof(text));
	must_add(image, KRG_GHOST_R_CONTENT, &content, sizeof(content), text);
	content.offset = cpu_to_le64(8192);
	must_add(image, KRG_GHOST_R_CONTENT, &content, sizeof(content), text);
}

static void add_list(struct image *image, u32 kind)
{
	struct krg_ghost_app app = { .nr_tasks = cpu_to_le32(2), .nr_nodes = cpu_to_le32(1) };
	struct krg_ghost_node node = { .node = cpu_to_le32(1), .nr_tasks = cpu_to_le32(2) };
	struct krg_ghost_app_task task = { .pid = cpu_to_le32(4711), .tgid = cpu_to_le32(4711) };
	u16 type = kind == KRG_GHOST_GLOBAL ? KRG_GHOST_R_APP_TASK : KRG_GHOST_R_NODE_TASK;

	if (kind == KRG_GHOST_GLOBAL)
		must_add(image, KRG_GHOST_R_APP, &app, sizeof(app), NULL);
	else
		must_add(image, KRG_GHOST_R_NODE, &node, sizeof(node), NULL);
	must_add(image, type, &task, sizeof(task), NULL);
	task.parent = task.pid;
	task.pid = cpu_to_le32(4712);
	must_add(image, type, &task, sizeof(task), NULL);
}

void image_sample(struct image *image, u32 kind, u8 seed)
{
	image_start(image, kind, seed);
	if (kind == KRG_GHOST_TASK)
		add_task(image);
	else if (kind == KRG_GHOST_SHARED)
		add_shared(image);
	else
		add_list(image, kind);
	if (image_finish(image))
		abort();
}

int image_read(const u8 *data, size_t len, size_t step, struct krg_ghost_reader *reader)
{
	size_t at = 0, part;
	u8 *copy;
	int err;

	krg_ghost_reader_init(reader);
	while (reader->phase != KRG_GHOST_DONE) {
		part = reader->want;
		if (reader->phase == KRG_GHOST_WANT_BULK && part > step)
			part = step;
		if (part > len - at)
			return krg_ghost_feed_end(reader);
		/* A block of its own, so that ASan sees a read beyond what was handed over. */
		copy = malloc(part ? part : 1);
		memcpy(copy, data + at, part);
		err = krg_ghost_feed(reader, copy, part);
		free(copy);
		if (err)
			return err;
		at += part;
	}
	return at < len ? krg_ghost_feed(reader, data + at, len - at) : 0;
}

void image_reseal(u8 *data, size_t len)
{
	struct krg_ghost_record head;
	struct krg_ghost_bulk bulk;
	struct krg_ghost_digest digest;
	u32 seq = 0, seed = 0, crc;
	size_t at = 0, body, start;
	u64 length;

	while (at + sizeof(head) <= len) {
		memcpy(&head, data + at, sizeof(head));
		body = le32_to_cpu(head.length);
		if (body > len - at - sizeof(head))
			return;
		head.seq = cpu_to_le32(seq);
		start = at;
		at += sizeof(head) + body;
		if (le16_to_cpu(head.flags) & KRG_GHOST_BULK && body >= sizeof(bulk)) {
			memcpy(&bulk, data + start + sizeof(head), sizeof(bulk));
			length = le64_to_cpu(bulk.length);
			at += krg_ghost_pad(at);
			if (at > len || length > len - at)
				return;
			krg_ghost_digest_init(&digest);
			krg_ghost_digest_update(&digest, data + at, length);
			for (int i = 0; i < 4; i++)
				bulk.digest[i] = cpu_to_le64(digest.lane[i]);
			memcpy(data + start + sizeof(head), &bulk, sizeof(bulk));
			at += length;
		}
		crc = krg_ghost_record_crc(seed, &head, data + start + sizeof(head), body);
		head.crc = cpu_to_le32(crc);
		memcpy(data + start, &head, sizeof(head));
		if (!seq++)
			seed = crc;
	}
}

size_t image_record(const struct image *image, u32 n, size_t *end)
{
	struct krg_ghost_record head;
	struct krg_ghost_bulk bulk;
	size_t at = 0, start;

	for (;;) {
		start = at;
		memcpy(&head, image->data + at, sizeof(head));
		at += sizeof(head) + le32_to_cpu(head.length);
		if (le16_to_cpu(head.flags) & KRG_GHOST_BULK) {
			memcpy(&bulk, image->data + start + sizeof(head), sizeof(bulk));
			at += krg_ghost_pad(at) + le64_to_cpu(bulk.length);
		}
		if (!n--)
			break;
	}
	*end = at;
	return start;
}
