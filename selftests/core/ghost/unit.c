// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec's promises: what it writes it reads; what is damaged, cut, moved,
 * doubled or from elsewhere it refuses, naming record and offset; what would
 * not be read it does not write.
 */
#include <stdio.h>
#include <stdlib.h>
#include "core/crc32c.h"
#include "sample.h"

#define PAGE KRG_GHOST_PAGE_SIZE

static const u32 kinds[] = { KRG_GHOST_GLOBAL, KRG_GHOST_NODE, KRG_GHOST_TASK, KRG_GHOST_SHARED };
static int count, failed;
static char why[256];

static void ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
	if (!good && *why)
		printf("# %s\n", why);
	failed += !good;
	*why = 0;
}

#define FAIL(...) (snprintf(why, sizeof(why), __VA_ARGS__), false)

static bool reads(const struct image *image, size_t step)
{
	struct krg_ghost_reader reader;
	int err = image_read(image->data, image->len, step, &reader);

	if (err)
		return FAIL("record %u at %llu: %s", reader.error.record,
			    (unsigned long long)reader.error.offset, reader.error.text);
	return true;
}

/* Refused, with a reason. */
static bool refused(const u8 *data, size_t len, struct krg_ghost_reader *reader)
{
	int err = image_read(data, len, 65536, reader);

	return (err == -EBADMSG || err == -EPROTO) && reader->error.text;
}

static bool round_trip(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct image image;
		bool good;

		image_sample(&image, kinds[i], 1);
		good = reads(&image, 64) && reads(&image, 1 << 20);
		image_free(&image);
		if (!good)
			return false;
	}
	return true;
}

static bool bulk_is_aligned(void)
{
	struct krg_ghost_record head;
	struct krg_ghost_bulk bulk;
	struct image image;
	bool good = true;
	u32 seen = 0;

	image_sample(&image, KRG_GHOST_TASK, 1);
	for (u32 n = 0; good && n + 1 < image.writer.at.seq; n++) {
		size_t end, start = image_record(&image, n, &end);

		memcpy(&head, image.data + start, sizeof(head));
		memcpy(&bulk, image.data + start + sizeof(head), sizeof(bulk));
		if (!(le16_to_cpu(head.flags) & KRG_GHOST_BULK))
			continue;
		seen++;
		good = (end - le64_to_cpu(bulk.length)) % KRG_GHOST_ALIGN == 0;
	}
	image_free(&image);
	return good && seen == 2;
}

static bool cuts_refused(u32 kind)
{
	struct krg_ghost_reader reader;
	struct image image;
	bool good = true;

	image_sample(&image, kind, 1);
	for (size_t len = 0; len < image.len && good; len += len < 600 || len + 600 > image.len ? 1 : 13)
		if (!refused(image.data, len, &reader))
			good = FAIL("accepted when cut at %zu of %zu", len, image.len);
	image_free(&image);
	return good;
}

static bool flips_refused(u32 kind)
{
	struct krg_ghost_reader reader;
	struct image image;
	bool good = true;

	image_sample(&image, kind, 1);
	for (size_t at = 0; at < image.len && good; at++) {
		u8 bit = 1 << (at * 5 + at / 8) % 8;

		image.data[at] ^= bit;
		if (!refused(image.data, image.len, &reader))
			good = FAIL("flipped bit accepted at %zu", at);
		else if (reader.error.offset > at)
			good = FAIL("flip at %zu blamed on offset %llu", at,
				    (unsigned long long)reader.error.offset);
		image.data[at] ^= bit;
	}
	image_free(&image);
	return good;
}

/* A copy of image without bytes [from, to) but with extra put in at from. */
static u8 *spliced(const struct image *image, size_t from, size_t to, const u8 *extra, size_t nr,
		   size_t *len)
{
	u8 *data = malloc(image->len + nr);

	memcpy(data, image->data, from);
	memcpy(data + from, extra, nr);
	memcpy(data + from + nr, image->data + to, image->len - to);
	*len = image->len - (to - from) + nr;
	return data;
}

static bool splice_refused(const struct image *image, size_t from, size_t to, const u8 *extra,
			   size_t nr, u32 record)
{
	struct krg_ghost_reader reader;
	size_t len;
	u8 *data = spliced(image, from, to, extra, nr, &len);
	bool good = refused(data, len, &reader);

	free(data);
	if (good && reader.error.record != record)
		return FAIL("record %u blamed instead of %u", reader.error.record, record);
	return good;
}

static bool lost_refused(void)
{
	struct image image;
	bool good = true;

	image_sample(&image, KRG_GHOST_GLOBAL, 1);
	for (u32 n = 1; n < 5; n++) {
		size_t end, start = image_record(&image, n, &end);

		good = good && splice_refused(&image, start, end, image.data, 0, n);
	}
	image_free(&image);
	return good;
}

static bool doubled_refused(void)
{
	struct image image;
	size_t end, start;
	bool good;

	image_sample(&image, KRG_GHOST_GLOBAL, 1);
	start = image_record(&image, 2, &end);
	good = splice_refused(&image, end, end, image.data + start, end - start, 3);
	image_free(&image);
	return good;
}

static bool swapped_refused(void)
{
	struct image image;
	size_t start, mid, end;
	u8 *pair;
	bool good;

	image_sample(&image, KRG_GHOST_GLOBAL, 1);
	start = image_record(&image, 2, &mid);
	image_record(&image, 3, &end);
	pair = malloc(end - start);
	memcpy(pair, image.data + mid, end - mid);
	memcpy(pair + (end - mid), image.data + start, mid - start);
	good = splice_refused(&image, start, end, pair, end - start, 2);
	free(pair);
	image_free(&image);
	return good;
}

/* The same record of the same application's other checkpoint. */
static bool foreign_refused(void)
{
	struct image image, other;
	size_t start, end;
	bool good;

	image_sample(&image, KRG_GHOST_TASK, 1);
	image_sample(&other, KRG_GHOST_TASK, 2);
	start = image_record(&image, 6, &end);
	good = splice_refused(&image, start, end, other.data + start, end - start, 6);
	image_free(&image);
	image_free(&other);
	return good;
}

static bool more_refused(void)
{
	struct krg_ghost_reader reader;
	struct image image;
	bool good;

	image_sample(&image, KRG_GHOST_NODE, 1);
	image.data = realloc(image.data, image.len + 1);
	image.data[image.len] = 0;
	good = refused(image.data, image.len + 1, &reader) && reader.error.offset == image.len;
	image_free(&image);
	return good;
}

static bool not_ghosts_refused(void)
{
	struct krg_ghost_reader reader;
	u8 text[4096];

	memset(text, 'x', sizeof(text));
	if (image_read(text, sizeof(text), 64, &reader) != -EPROTO)
		return FAIL("text");
	memset(text, 0, sizeof(text));
	if (image_read(text, sizeof(text), 64, &reader) != -EPROTO)
		return FAIL("zeroes");
	if (image_read(text, 0, 64, &reader) != -EPROTO)
		return FAIL("nothing");
	return true;
}

/* Changes one field of the FILE record and makes the checksums right again. */
static bool header_refused(size_t field, u32 value, int expected)
{
	struct krg_ghost_reader reader;
	struct image image;
	__le32 raw = cpu_to_le32(value);
	int err;

	image_sample(&image, KRG_GHOST_NODE, 1);
	memcpy(image.data + sizeof(struct krg_ghost_record) + field, &raw, sizeof(raw));
	image_reseal(image.data, image.len);
	err = image_read(image.data, image.len, 64, &reader);
	image_free(&image);
	return err == expected ? true : FAIL("field %zu: %d", field, err);
}

static bool headers_refused(void)
{
	return header_refused(offsetof(struct krg_ghost_file, endian), 0x0d0c0b0a, -EPROTO) &&
	       header_refused(offsetof(struct krg_ghost_file, format), KRG_GHOST_VERSION + 1, -EPROTO) &&
	       header_refused(offsetof(struct krg_ghost_file, format), 0, -EPROTO) &&
	       header_refused(offsetof(struct krg_ghost_file, arch), 183, -EPROTO) &&
	       header_refused(offsetof(struct krg_ghost_file, kind), 3, -EPROTO) &&
	       header_refused(offsetof(struct krg_ghost_file, reserved), 1, -EBADMSG);
}

static bool ident_compared(void)
{
	struct krg_ghost_ident good = { .kind = KRG_GHOST_TASK, .object = 4711, .appid = 4711, .version = 2 };
	struct krg_ghost_ident bad;
	struct krg_ghost_reader reader;
	struct image image;
	bool match;

	image_sample(&image, KRG_GHOST_TASK, 9);
	image_read(image.data, image.len, 64, &reader);
	image_free(&image);
	match = !krg_ghost_match(&reader.file, &good) && good.checkpoint[15] == 9 && good.node == 1;
	match = match && !krg_ghost_match(&reader.file, &good);
#define DIFFERS(field) (bad = good, bad.field++, krg_ghost_match(&reader.file, &bad))
	return match && DIFFERS(kind) && DIFFERS(object) && DIFFERS(appid) && DIFFERS(version) &&
	       DIFFERS(checkpoint[3]);
}

/* An unknown record after the FILE record, flags as given. */
static int unknown_record(u16 flags)
{
	struct krg_ghost_record head = { .type = cpu_to_le16(999), .flags = cpu_to_le16(flags),
					 .length = cpu_to_le32(16), .seq = cpu_to_le32(1) };
	u8 extra[sizeof(head) + 16] = { 0 };
	struct krg_ghost_reader reader;
	struct image image;
	size_t len, end;
	u8 *data;
	int err;

	image_sample(&image, KRG_GHOST_NODE, 1);
	image_record(&image, 0, &end);
	memcpy(extra, &head, sizeof(head));
	data = spliced(&image, end, end, extra, sizeof(extra), &len);
	image_reseal(data, len);
	err = image_read(data, len, 64, &reader);
	/* Skipped, it is the index that must then disagree. */
	if (err && strstr(reader.error.text, "index"))
		err = -EUCLEAN;
	free(data);
	image_free(&image);
	return err;
}

static bool order_kept(void)
{
	struct krg_ghost_sched sched = { 0 };
	struct krg_ghost_ids ids;
	struct image image;
	bool good;

	sample_ids(&ids);
	image_start(&image, KRG_GHOST_TASK, 1);
	good = image_add(&image, KRG_GHOST_R_INDEX, 0, &ids, sizeof(ids), NULL) == -EINVAL &&
	       image_add(&image, 999, 0, &ids, sizeof(ids), NULL) == -EINVAL &&
	       image_add(&image, KRG_GHOST_R_APP, 0, &ids, 24, NULL) == -EINVAL &&
	       image_add(&image, KRG_GHOST_R_IDS, 0, &ids, sizeof(ids) - 1, NULL) == -EINVAL &&
	       image_add(&image, KRG_GHOST_R_IDS, KRG_GHOST_BULK, &ids, sizeof(ids), NULL) == -EINVAL &&
	       image_add(&image, KRG_GHOST_R_IDS, 0x80, &ids, sizeof(ids), NULL) == -EINVAL &&
	       !image_add(&image, KRG_GHOST_R_IDS, 0, &ids, sizeof(ids), NULL) &&
	       image_add(&image, KRG_GHOST_R_IDS, 0, &ids, sizeof(ids), NULL) == -EINVAL &&
	       !image_add(&image, KRG_GHOST_R_SCHED, 0, &sched, sizeof(sched), NULL) &&
	       image_add(&image, KRG_GHOST_R_IDS, 0, &ids, sizeof(ids), NULL) == -EINVAL &&
	       image_finish(&image) == -EINVAL;
	image_free(&image);
	return good;
}

static bool thread_has_no_process(void)
{
	struct krg_ghost_fs fs = { .cwd = cpu_to_le32(1) };
	struct krg_ghost_ids ids;
	struct image image;
	bool good;

	sample_ids(&ids);
	ids.pid = cpu_to_le32(4712);
	image_start(&image, KRG_GHOST_TASK, 1);
	good = !image_add(&image, KRG_GHOST_R_IDS, 0, &ids, sizeof(ids), NULL) &&
	       image_add(&image, KRG_GHOST_R_FS, 0, &fs, sizeof(fs), NULL) == -EINVAL;
	image_free(&image);
	return good;
}

/* Changes a byte of a record's payload in a sealed sample; the reader must name the field. */
static bool field_refused(u32 kind, u16 type, size_t field, u8 value, const char *text)
{
	struct krg_ghost_reader reader;
	struct krg_ghost_record head;
	struct image image;
	size_t start, end;
	bool good;
	u32 n = 0;

	image_sample(&image, kind, 1);
	do {
		start = image_record(&image, n++, &end);
		memcpy(&head, image.data + start, sizeof(head));
	} while (le16_to_cpu(head.type) != type);
	image.data[start + sizeof(head) + field] = value;
	image_reseal(image.data, image.len);
	good = refused(image.data, image.len, &reader) && strstr(reader.error.text, text);
	if (!good)
		snprintf(why, sizeof(why), "%s+%zu: %s", krg_ghost_row_name(type), field,
			 reader.error.text ? reader.error.text : "accepted");
	image_free(&image);
	return good;
}

#define AT(record, field) offsetof(struct krg_ghost_##record, field)

static const struct {
	u32 kind;
	u16 type;
	u16 field;
	u8 value;
	const char *text;
} fields[] = {
	{ KRG_GHOST_GLOBAL, KRG_GHOST_R_APP, AT(app, nr_tasks), 3, "fewer tasks" },
	{ KRG_GHOST_GLOBAL, KRG_GHOST_R_APP, AT(app, nr_tasks), 1, "more tasks" },
	{ KRG_GHOST_GLOBAL, KRG_GHOST_R_APP, AT(app, nr_nodes), 0, "number of nodes" },
	{ KRG_GHOST_GLOBAL, KRG_GHOST_R_APP, AT(app, reserved), 1, "reserved" },
	{ KRG_GHOST_GLOBAL, KRG_GHOST_R_APP_TASK, AT(app_task, pid) + 3, 1, "pid out of range" },
	{ KRG_GHOST_NODE, KRG_GHOST_R_NODE, AT(node, node) + 1, 1, "id out of range" },
	{ KRG_GHOST_NODE, KRG_GHOST_R_NODE_TASK, AT(app_task, node) + 1, 1, "node out of range" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_IDS, AT(ids, pid) + 3, 1, "pid out of range" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_IDS, AT(ids, exit_signal), 65, "signal" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_IDS, AT(ids, oom_score_adj) + 1, 4, "oom" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_SCHED, AT(sched, nice), 20, "nice" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_SCHED, AT(sched, ioprio) + 1, 0x80, "I/O priority" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_SCHED, AT(sched, reserved), 1, "reserved" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_CPUS, 0, 0, "none" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_FS, AT(fs, umask) + 1, 2, "umask" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_FS, AT(fs, cwd), 0, "current directory" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_FD, AT(fd, fd), 9, "range or order" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_FD, AT(fd, flags), 2, "flag" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_MM, AT(mm, nr_vmas), 3, "fewer areas" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_MM, AT(mm, nr_vmas), 1, "more areas" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_MM, AT(mm, start_brk), 1, "address out of range" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_MM, AT(mm, vdso), 1, "vdso" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_AUXV, 16, 1, "AT_NULL" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, start), 1, "aligned" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, end) + 7, 1, "address out of range" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, end) + 2, 0x55, "overlap" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, flags), 3, "private or shared" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, prot), 8, "flag" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, kind), 1, "do not agree" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_VMA, AT(vma, kind), 6, "unknown kind" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PAGES, AT(pages, nr_runs), 1, "number of runs" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PAGES, sizeof(struct krg_ghost_pages), 1, "aligned" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PAGES, sizeof(struct krg_ghost_pages) + 2, 0x41, "overlap" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PAGES, sizeof(struct krg_ghost_pages) + 8, 3, "overlap" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PAGES, sizeof(struct krg_ghost_pages) + 8, 0, "length of a run" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PAGES, sizeof(struct krg_ghost_pages) + 24, 2, "bulk length" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_THREAD, AT(thread, rseq), 32, "rseq" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_REGS, AT(regs, fs_base) + 7, 0x80, "segment base" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_XSAVE, AT(xsave, size), 1, "do not agree" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_SIGMASK, AT(sigmask, flags), 2, "flag" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_PENDING, AT(siginfo, signo), 65, "signal" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_USAGE, AT(usage, self.stime) + 7, 0x40, "CPU time" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_USAGE, AT(usage, children.utime) + 7, 0x80, "CPU time" },
	{ KRG_GHOST_TASK, KRG_GHOST_R_CRED, AT(cred, nr_groups), 4, "do not agree" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_FILEOBJ, AT(fileobj, id), 3, "order" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_FILEOBJ, AT(fileobj, kind), 99, "kind" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_FILEOBJ, AT(fileobj, path_len), 11, "do not agree" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_FILEOBJ, AT(fileobj, path) + 11, 'x', "no end" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_FILEOBJ, AT(fileobj, path) + 3, 0, "no end, or two" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_FILEOBJ, AT(fileobj, pos) + 7, 0x80, "offset" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_CONTENT, AT(content, file), 3, "range or order" },
	{ KRG_GHOST_SHARED, KRG_GHOST_R_CONTENT, AT(content, offset) + 2, 1, "range or order" },
};

static bool fields_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!field_refused(fields[i].kind, fields[i].type, fields[i].field,
				   fields[i].value, fields[i].text))
			return false;
	return true;
}

static bool schema_sound(void)
{
	for (int i = 0; i < KRG_GHOST_NR_ROWS; i++) {
		const struct krg_ghost_row *row = &krg_ghost_schema[i];

		if (!row->type || !row->name || krg_ghost_row(row->type) != i)
			return FAIL("row %d", i);
		if (row->max > KRG_GHOST_MAX_PAYLOAD || (row->max && row->max < row->min))
			return FAIL("%s: lengths", row->name);
	}
	return krg_ghost_row(0) == KRG_GHOST_NO_ROW && krg_ghost_row(999) == KRG_GHOST_NO_ROW;
}

static bool digest_splits(const u8 *data, size_t len)
{
	struct krg_ghost_digest whole, parts;

	krg_ghost_digest_init(&whole);
	krg_ghost_digest_update(&whole, data, len);
	for (size_t cut = 0; cut <= len; cut += 64) {
		krg_ghost_digest_init(&parts);
		krg_ghost_digest_update(&parts, data, cut);
		krg_ghost_digest_update(&parts, data + cut, len - cut);
		if (memcmp(&whole, &parts, sizeof(whole)))
			return FAIL("differs when cut at %zu", cut);
	}
	return true;
}

/* Every flipped bit shows. */
static bool digest_notices_flips(u8 *data, size_t len)
{
	struct krg_ghost_digest good, bad;

	krg_ghost_digest_init(&good);
	krg_ghost_digest_update(&good, data, len);
#define NOTICED (krg_ghost_digest_init(&bad), krg_ghost_digest_update(&bad, data, len), \
		 memcmp(&good, &bad, sizeof(good)))
	for (size_t bit = 0; bit < 8 * len; bit += 11) {
		data[bit / 8] ^= 1 << bit % 8;
		if (!NOTICED)
			return FAIL("bit %zu", bit);
		data[bit / 8] ^= 1 << bit % 8;
	}
	return true;
}

static bool digest_notices_moves(u8 *data, size_t len)
{
	struct krg_ghost_digest good, bad;
	u8 page[PAGE];

	krg_ghost_digest_init(&good);
	krg_ghost_digest_update(&good, data, len);
	memcpy(page, data, PAGE);
	memcpy(data, data + PAGE, PAGE);
	memcpy(data + PAGE, page, PAGE);
	if (!NOTICED)
		return FAIL("pages exchanged");
	return true;
}

static bool digest_known(void)
{
	/* Of 100 bytes 0, 1, 2, ...: images written once must stay readable. */
	static const u64 expected[4] = {
		0x0eb797dbcbc84fb9, 0xc72ead74efd8bd53, 0xb53989f7ed725782, 0x00ae04457b4f0541,
	};
	struct krg_ghost_digest digest;
	u8 data[100];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	krg_ghost_digest_init(&digest);
	krg_ghost_digest_update(&digest, data, sizeof(data));
	if (memcmp(digest.lane, expected, sizeof(expected)))
		return FAIL("0x%016llx, 0x%016llx, 0x%016llx, 0x%016llx", digest.lane[0], digest.lane[1],
			    digest.lane[2], digest.lane[3]);
	return true;
}

int main(void)
{
	u8 *data = calloc(3, PAGE);

	puts("1..28");	/* the fuzzer is the last */
	ok(krg_ghost_crc32c(0, "123456789", 9) == 0xe3069283, "CRC-32C of its check string");
	ok(digest_known(), "digest of known data");
	ok(digest_splits(data, 2 * PAGE + 100), "digest does not depend on how the data are cut");
	ok(digest_notices_flips(data, 3 * PAGE), "digest notices flips in zeroes");
	for (size_t i = 0; i < 3 * PAGE; i++)
		data[i] = i / PAGE + i * 31;
	ok(digest_notices_flips(data, 3 * PAGE), "digest notices flips");
	ok(digest_notices_moves(data, 3 * PAGE), "digest notices exchanged pages");
	free(data);
	ok(schema_sound(), "schema: types unique, lengths in range");
	ok(round_trip(), "every kind of file is read as written");
	ok(bulk_is_aligned(), "bulk data start at a page of the file");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		ok(cuts_refused(kinds[i]), "cut short anywhere: refused");
		ok(flips_refused(kinds[i]), "a flipped bit anywhere: refused, blamed on its record");
	}
	ok(lost_refused(), "a lost record is refused by number");
	ok(doubled_refused(), "a doubled record is refused by number");
	ok(swapped_refused(), "exchanged records are refused by number");
	ok(foreign_refused(), "a record of another checkpoint is refused by number");
	ok(more_refused(), "data after the end are refused");
	ok(not_ghosts_refused() && headers_refused(), "what is no ghost, or not for here, is refused");
	ok(ident_compared(), "application, version, object and checkpoint are compared");
	ok(unknown_record(0) == -EPROTO && unknown_record(KRG_GHOST_MAY_SKIP) == -EUCLEAN,
	   "unknown records are refused unless marked as dispensable");
	ok(order_kept() && thread_has_no_process(), "the writer refuses what a reader would");
	ok(fields_refused(), "senseless fields are refused by name, checksums being right");
	return failed != 0;
}
