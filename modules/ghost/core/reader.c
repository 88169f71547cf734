// SPDX-License-Identifier: GPL-2.0-only
#include "codec.h"

void krg_ghost_reader_init(struct krg_ghost_reader *reader)
{
	memset(reader, 0, sizeof(*reader));
	reader->at.row = -1;
	reader->phase = KRG_GHOST_WANT_HEAD;
	reader->want = sizeof(struct krg_ghost_record);
}

int krg_ghost_refuse(struct krg_ghost_reader *reader, int err, const char *text)
{
	reader->phase = KRG_GHOST_BAD;
	reader->want = 0;
	reader->error = (struct krg_ghost_error){
		.record = reader->at.seq,
		.offset = reader->start,
		.text = text,
	};
	return err;
}

static int damaged(struct krg_ghost_reader *reader, const char *text)
{
	return krg_ghost_refuse(reader, -EBADMSG, text);
}

static void want(struct krg_ghost_reader *reader, enum krg_ghost_phase phase, u64 bytes)
{
	reader->phase = phase;
	reader->want = bytes;
}

static void next_record(struct krg_ghost_reader *reader)
{
	reader->at.seq++;
	reader->start = reader->at.offset;
	want(reader, KRG_GHOST_WANT_HEAD, sizeof(struct krg_ghost_record));
}

/* The head alone can't be trusted yet, but its length must be before it is used. */
static const char *head_error(const struct krg_ghost_reader *reader)
{
	u16 flags = le16_to_cpu(reader->head.flags);
	u32 len = le32_to_cpu(reader->head.length);
	bool bulk = flags & KRG_GHOST_BULK;
	const struct krg_ghost_row *rule;

	if (le32_to_cpu(reader->head.seq) != reader->at.seq)
		return "sequence number is wrong: records lost, doubled or moved";
	if (flags & ~KRG_GHOST_FLAGS)
		return "unknown flag";
	if (reader->row == KRG_GHOST_NO_ROW && bulk && len < sizeof(struct krg_ghost_bulk))
		return "length of payload out of range";
	if (reader->row == KRG_GHOST_NO_ROW)
		return len > KRG_GHOST_MAX_PAYLOAD ? "length of payload out of range" : NULL;
	rule = &krg_ghost_schema[reader->row];
	if (bulk != !!(rule->marks & KRG_GHOST_HAS_BULK))
		return "bulk data don't fit the record type";
	return krg_ghost_len_fits(rule, len) ? NULL : "length of payload out of range";
}

static int feed_head(struct krg_ghost_reader *reader, const struct krg_ghost_record *head)
{
	u16 type = le16_to_cpu(head->type);
	const char *text;

	reader->item_start = reader->start;
	reader->head = *head;
	reader->row = krg_ghost_row(type);
	if (!reader->at.seq && (type != KRG_GHOST_R_FILE || head->seq))
		return krg_ghost_refuse(reader, -EPROTO, "not a krg ghost");
	text = head_error(reader);
	if (text)
		return damaged(reader, text);
	want(reader, KRG_GHOST_WANT_PAYLOAD, le32_to_cpu(head->length));
	return 0;
}

static int check_file(struct krg_ghost_reader *reader, const void *payload)
{
	const struct krg_ghost_file *file = payload;
	u32 kind = le32_to_cpu(file->kind);

	reader->file = *file;
	if (file->endian != cpu_to_le32(KRG_GHOST_ENDIAN))
		return krg_ghost_refuse(reader, -EPROTO, "byte order is not this machine's");
	if (!file->format || le32_to_cpu(file->format) > KRG_GHOST_VERSION)
		return krg_ghost_refuse(reader, -EPROTO, "written in a newer format");
	if (file->arch != cpu_to_le32(KRG_GHOST_ARCH_X86_64))
		return krg_ghost_refuse(reader, -EPROTO, "written on another architecture");
	if (kind != KRG_GHOST_GLOBAL && kind != KRG_GHOST_NODE && kind != KRG_GHOST_TASK &&
	    kind != KRG_GHOST_SHARED)
		return krg_ghost_refuse(reader, -EPROTO, "unknown kind of file");
	if (file->reserved)
		return damaged(reader, "file: reserved field is not zero");
	if (!memchr(file->release, 0, sizeof(file->release)))
		return damaged(reader, "file: kernel release has no end");
	reader->at.kind = kind;
	reader->at.seed = le32_to_cpu(reader->head.crc);
	return 0;
}

static int check_index(struct krg_ghost_reader *reader, const void *payload, u32 len)
{
	const struct krg_ghost_toc *toc = &reader->at.toc;

	if (len != toc->nr * sizeof(toc->entry[0]) || memcmp(payload, toc->entry, len))
		return damaged(reader, "index does not match the records before it");
	reader->at.row = reader->row;
	reader->index_offset = reader->start;
	return 0;
}

static int check_end(struct krg_ghost_reader *reader, const void *payload)
{
	const struct krg_ghost_end *end = payload;
	const char *text;

	if (!reader->index_offset)
		return damaged(reader, "end without an index before it");
	if (end->reserved || le32_to_cpu(end->records) != reader->at.seq + 1 ||
	    le64_to_cpu(end->size) != reader->at.offset ||
	    le64_to_cpu(end->index_offset) != reader->index_offset)
		return damaged(reader, "end does not match the records before it");
	text = krg_ghost_missing(&reader->at);
	return text ? damaged(reader, text) : 0;
}

/* A record of the schema, or one that may be skipped: its place, then its fields. */
static int check_record(struct krg_ghost_reader *reader, const void *payload, u32 len)
{
	const struct krg_ghost_row *rule = NULL;
	u16 type = le16_to_cpu(reader->head.type);
	const char *text = NULL;
	u64 after = reader->at.offset;

	if (reader->row != KRG_GHOST_NO_ROW) {
		rule = &krg_ghost_schema[reader->row];
		text = krg_ghost_admit(&reader->at, reader->row);
	} else if (!(le16_to_cpu(reader->head.flags) & KRG_GHOST_MAY_SKIP)) {
		return krg_ghost_refuse(reader, -EPROTO, "unknown type of record");
	} else if (reader->index_offset) {
		text = "record between index and end";
	}
	if (text)
		return damaged(reader, text);
	if (type == KRG_GHOST_R_INDEX)
		return check_index(reader, payload, len);
	if (type == KRG_GHOST_R_END)
		return check_end(reader, payload);

	if (rule && rule->check)
		text = rule->check(&reader->at.context, payload, len);
	reader->at.offset = reader->start;
	if (!text)
		text = krg_ghost_note(&reader->at, reader->row, type);
	reader->at.offset = after;
	return text ? damaged(reader, text) : 0;
}

static int take_bulk(struct krg_ghost_reader *reader, const struct krg_ghost_bulk *bulk)
{
	reader->bulk_length = le64_to_cpu(bulk->length);
	memcpy(reader->bulk_digest, bulk->digest, sizeof(reader->bulk_digest));
	if (!reader->bulk_length || reader->bulk_length > KRG_GHOST_MAX_BULK)
		return damaged(reader, "length of bulk data out of range");
	return 0;
}

static void want_bulk(struct krg_ghost_reader *reader)
{
	krg_ghost_digest_init(&reader->digest);
	want(reader, KRG_GHOST_WANT_BULK, reader->bulk_length);
}

static int feed_payload(struct krg_ghost_reader *reader, const void *payload, u32 len)
{
	u16 type = le16_to_cpu(reader->head.type);
	bool bulk = le16_to_cpu(reader->head.flags) & KRG_GHOST_BULK;
	int err;

	if (!reader->at.seq &&
	    memcmp(payload, KRG_GHOST_MAGIC, sizeof(reader->file.magic)))
		return krg_ghost_refuse(reader, -EPROTO, "not a krg ghost");
	if (krg_ghost_record_crc(reader->at.seed, &reader->head, payload, len) !=
	    le32_to_cpu(reader->head.crc))
		return damaged(reader, "checksum is wrong: damaged, or from another file");
	err = !reader->at.seq ? check_file(reader, payload) : 0;
	if (!err && bulk)
		err = take_bulk(reader, payload);
	if (!err)
		err = check_record(reader, payload, len);
	if (err)
		return err;

	if (type == KRG_GHOST_R_END)
		want(reader, KRG_GHOST_DONE, 0);
	else if (!bulk)
		next_record(reader);
	else if (krg_ghost_pad(reader->at.offset))
		want(reader, KRG_GHOST_WANT_PAD, krg_ghost_pad(reader->at.offset));
	else
		want_bulk(reader);
	return 0;
}

static int feed_pad(struct krg_ghost_reader *reader, const u8 *pad, u32 len)
{
	if (pad[0] || memcmp(pad, pad + 1, len - 1))
		return damaged(reader, "padding before bulk data is not zero");
	want_bulk(reader);
	return 0;
}

static int feed_bulk(struct krg_ghost_reader *reader, const void *data, u64 len)
{
	int i;

	krg_ghost_digest_update(&reader->digest, data, len);
	reader->want -= len;
	if (reader->want)
		return 0;
	for (i = 0; i < 4; i++)
		if (le64_to_cpu(reader->bulk_digest[i]) != reader->digest.lane[i])
			return damaged(reader, "digest of bulk data is wrong");
	next_record(reader);
	return 0;
}

/* Whether the caller hands over what was asked for. */
static bool len_fits(const struct krg_ghost_reader *reader, u64 len)
{
	if (reader->phase != KRG_GHOST_WANT_BULK)
		return len == reader->want;
	return len && (len == reader->want ||
		       (len < reader->want && !(len % KRG_GHOST_DIGEST_BLOCK)));
}

int krg_ghost_feed(struct krg_ghost_reader *reader, const void *data, u64 len)
{
	if (reader->phase == KRG_GHOST_DONE && len) {
		reader->start = reader->at.offset;
		return damaged(reader, "data after the end");
	}
	if (reader->phase == KRG_GHOST_BAD || !len_fits(reader, len))
		return -EINVAL;
	reader->at.offset += len;
	switch (reader->phase) {
	case KRG_GHOST_WANT_HEAD:
		return feed_head(reader, data);
	case KRG_GHOST_WANT_PAYLOAD:
		return feed_payload(reader, data, len);
	case KRG_GHOST_WANT_PAD:
		return feed_pad(reader, data, len);
	case KRG_GHOST_WANT_BULK:
		return feed_bulk(reader, data, len);
	default:
		return 0;
	}
}

int krg_ghost_feed_end(struct krg_ghost_reader *reader)
{
	if (reader->phase == KRG_GHOST_DONE)
		return 0;
	if (reader->phase == KRG_GHOST_BAD)
		return -EINVAL;
	if (!reader->at.seq)
		return krg_ghost_refuse(reader, -EPROTO, "not a krg ghost");
	return damaged(reader, "cut short");
}

const char *krg_ghost_match(const struct krg_ghost_file *file, struct krg_ghost_ident *ident)
{
	static const u8 any[sizeof(ident->checkpoint)];

	if (le32_to_cpu(file->kind) != ident->kind)
		return "another kind of file";
	if (ident->appid && le64_to_cpu(file->appid) != ident->appid)
		return "file of another application";
	if (le32_to_cpu(file->version) != ident->version)
		return "file of another version of the checkpoint";
	if (le32_to_cpu(file->object) != ident->object)
		return "file of another task or node";
	if (memcmp(ident->checkpoint, any, sizeof(any)) &&
	    memcmp(ident->checkpoint, file->checkpoint, sizeof(any)))
		return "file of another checkpoint of this application";
	memcpy(ident->checkpoint, file->checkpoint, sizeof(any));
	ident->appid = le64_to_cpu(file->appid);
	ident->node = le32_to_cpu(file->node);
	return NULL;
}
