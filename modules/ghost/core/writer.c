// SPDX-License-Identifier: GPL-2.0-only
#include "codec.h"

void krg_ghost_describe(struct krg_ghost_file *file, const struct krg_ghost_ident *ident,
			u64 created)
{
	memset(file, 0, sizeof(*file));
	memcpy(file->magic, KRG_GHOST_MAGIC, sizeof(file->magic));
	file->endian = cpu_to_le32(KRG_GHOST_ENDIAN);
	file->format = cpu_to_le32(KRG_GHOST_VERSION);
	file->arch = cpu_to_le32(KRG_GHOST_ARCH_X86_64);
	file->kind = cpu_to_le32(ident->kind);
	file->appid = cpu_to_le64(ident->appid);
	file->version = cpu_to_le32(ident->version);
	file->object = cpu_to_le32(ident->object);
	memcpy(file->checkpoint, ident->checkpoint, sizeof(file->checkpoint));
	file->created = cpu_to_le64(created);
	file->node = cpu_to_le32(ident->node);
}

void krg_ghost_writer_init(struct krg_ghost_writer *writer, u32 kind)
{
	memset(writer, 0, sizeof(*writer));
	writer->at.kind = kind;
	writer->at.row = -1;
}

static int invalid(struct krg_ghost_writer *writer, const char *text)
{
	writer->text = text;
	return -EINVAL;
}

/* Would a reader take this record? */
static const char *payload_error(struct krg_ghost_progress *at, int row, u16 flags,
				 const void *payload, u32 len)
{
	const struct krg_ghost_row *rule = &krg_ghost_schema[row];
	bool bulk = flags & KRG_GHOST_BULK;
	u64 length;

	if (flags & ~KRG_GHOST_FLAGS)
		return "unknown flag";
	if (bulk != !!(rule->marks & KRG_GHOST_HAS_BULK))
		return "bulk data where the type has none, or none where it has";
	if (!krg_ghost_len_fits(rule, len))
		return "length of payload out of range";
	if (bulk) {
		length = le64_to_cpu(((const struct krg_ghost_bulk *)payload)->length);
		if (!length || length > KRG_GHOST_MAX_BULK)
			return "length of bulk data out of range";
	}
	return rule->check ? rule->check(&at->context, payload, len) : NULL;
}

static void seal(struct krg_ghost_progress *at, u16 type, u16 flags, const void *payload, u32 len,
		 struct krg_ghost_record *head)
{
	u32 crc;

	head->type = cpu_to_le16(type);
	head->flags = cpu_to_le16(flags);
	head->length = cpu_to_le32(len);
	head->seq = cpu_to_le32(at->seq);
	crc = krg_ghost_record_crc(at->seed, head, payload, len);
	head->crc = cpu_to_le32(crc);
	if (type == KRG_GHOST_R_FILE)
		at->seed = crc;
	at->seq++;
	at->offset += sizeof(*head) + len;
}

int krg_ghost_frame(struct krg_ghost_writer *writer, u16 type, u16 flags, const void *payload,
		    u32 len, struct krg_ghost_record *head, u32 *pad)
{
	struct krg_ghost_progress *at = &writer->at;
	int row = krg_ghost_row(type);
	const char *text;
	bool first;

	if (row == KRG_GHOST_NO_ROW)
		return invalid(writer, "unknown record type");
	if (type == KRG_GHOST_R_INDEX || type == KRG_GHOST_R_END)
		return invalid(writer, "index and end are the tail's");
	first = type == KRG_GHOST_R_FILE;
	if (first == !!at->seq)
		return invalid(writer, "the file record comes first, and only there");
	text = krg_ghost_admit(at, row);
	if (!text)
		text = payload_error(at, row, flags, payload, len);
	if (!text)
		text = krg_ghost_note(at, row, type);
	if (text)
		return invalid(writer, text);

	seal(at, type, flags, payload, len, head);
	*pad = 0;
	if (flags & KRG_GHOST_BULK) {
		const struct krg_ghost_bulk *bulk = payload;

		*pad = krg_ghost_pad(at->offset);
		at->offset += *pad + le64_to_cpu(bulk->length);
	}
	return 0;
}

int krg_ghost_frame_tail(struct krg_ghost_writer *writer, u8 buf[KRG_GHOST_TAIL_MAX], u32 *len)
{
	struct krg_ghost_progress *at = &writer->at;
	const char *text = at->seq ? krg_ghost_missing(at) : "no file record";
	u32 index_len = at->toc.nr * sizeof(at->toc.entry[0]);
	struct krg_ghost_record head;
	struct krg_ghost_end end = {
		.index_offset = cpu_to_le64(at->offset),
		.records = cpu_to_le32(at->seq + 2),
		.size = cpu_to_le64(at->offset + 2 * sizeof(head) + index_len + sizeof(end)),
	};

	if (text)
		return invalid(writer, text);

	seal(at, KRG_GHOST_R_INDEX, 0, at->toc.entry, index_len, &head);
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), at->toc.entry, index_len);
	buf += sizeof(head) + index_len;
	seal(at, KRG_GHOST_R_END, 0, &end, sizeof(end), &head);
	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), &end, sizeof(end));
	*len = 2 * sizeof(head) + index_len + sizeof(end);
	at->row = KRG_GHOST_NR_ROWS;
	return 0;
}
