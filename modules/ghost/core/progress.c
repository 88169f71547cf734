// SPDX-License-Identifier: GPL-2.0-only
/* What may follow what: the schema's marks applied to a stream, for writer and reader alike. */
#include "codec.h"
#include "crc32c.h"

static bool seen(const struct krg_ghost_progress *at, int row)
{
	return at->rows_seen & (1ull << row);
}

/* May a record of this row come now? The FILE record must already have set the kind. */
const char *krg_ghost_admit(const struct krg_ghost_progress *at, int row)
{
	const struct krg_ghost_row *rule = &krg_ghost_schema[row];

	if (!(rule->kinds & at->kind))
		return "record type does not belong in this kind of file";
	if (row < at->row)
		return "record out of order";
	if (row == at->row && !(rule->marks & KRG_GHOST_MANY))
		return "record occurs twice";
	if (rule->marks & KRG_GHOST_LEADER && !at->context.leader)
		return "record of a process in the file of a thread";
	return NULL;
}

/* Enters the record that starts at at->offset into the index. */
const char *krg_ghost_note(struct krg_ghost_progress *at, int row, u16 type)
{
	struct krg_ghost_toc *toc = &at->toc;
	struct krg_ghost_index_entry *last = toc->nr ? &toc->entry[toc->nr - 1] : NULL;
	u32 i;

	if (row != KRG_GHOST_NO_ROW) {
		at->row = row;
		at->rows_seen |= 1ull << row;
	}
	if (last && le16_to_cpu(last->type) == type) {
		last->count = cpu_to_le32(le32_to_cpu(last->count) + 1);
		return NULL;
	}
	for (i = 0; i < toc->nr; i++)
		if (le16_to_cpu(toc->entry[i].type) == type)
			return "records of one type are not adjacent";
	if (toc->nr == KRG_GHOST_MAX_INDEX)
		return "too many types of records";
	toc->entry[toc->nr++] = (struct krg_ghost_index_entry){
		.type = cpu_to_le16(type),
		.seq = cpu_to_le32(at->seq),
		.count = cpu_to_le32(1),
		.offset = cpu_to_le64(at->offset),
	};
	return NULL;
}

/* At the end: what should have been there. */
const char *krg_ghost_missing(const struct krg_ghost_progress *at)
{
	int row;

	for (row = 0; row < KRG_GHOST_NR_ROWS; row++) {
		const struct krg_ghost_row *rule = &krg_ghost_schema[row];

		if (!(rule->kinds & at->kind) || seen(at, row))
			continue;
		if (rule->marks & KRG_GHOST_ALWAYS)
			return "a record every such file has is missing";
		if (rule->marks & KRG_GHOST_LEADER_HAS && at->context.leader)
			return "a record every process has is missing";
	}
	return krg_ghost_check_complete(&at->context);
}

u32 krg_ghost_record_crc(u32 seed, const struct krg_ghost_record *head, const void *payload,
			 u32 len)
{
	u32 crc = krg_ghost_crc32c(seed, head, offsetof(struct krg_ghost_record, crc));

	return krg_ghost_crc32c(crc, payload, len);
}

u32 krg_ghost_pad(u64 offset)
{
	return -offset & (KRG_GHOST_ALIGN - 1);
}
