// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table on its way to a node that joins: the head, nodes (each with its words of
 * pages and its target behind it), names. Change log: 1, as below;
 * 2: files that are kept; 3: nodes files have lost.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "shmfs.h"

#define FORMAT		3u
#define WIRE_FIXED	0x1	/* limit_fixed */
#define WIRE_BUSY	0x1
#define WIRE_KEPT	0x2

struct wire_head {
	__le32 format;
	__le32 flags;
	__le64 next_ino;
	__le64 next_cookie;
	__le64 limit;
	__le64 nodes;
	__le64 names;
};

struct wire_node {
	__le64 ino;
	__le32 mode;
	__le32 uid;
	__le32 gid;
	__le32 nlink;
	__le64 size;
	__le64 atime;
	__le64 mtime;
	__le64 ctime;
	__le64 settled;
	__le64 number;
	__le32 born;
	__le16 flags;
	__le16 remover;
	__le64 parent;
	__le64 zero_from;
	__le64 zero_to;
	__le64 holders[KRG_MAX_NODES / 64];
	__le64 lost[KRG_MAX_NODES / 64];
	__le32 target;		/* bytes, padded to 8 */
	__le32 pad;
	__le64 pages;		/* words */
	__le64 dying;
};

struct wire_word {
	__le64 index;
	__le32 bits;
	__le32 pad;
};

struct wire_name {
	__le64 dir;
	__le64 ino;
	__le64 cookie;
	__le32 len;		/* bytes behind it, padded to 8 */
	__le32 pad;
};

static_assert(sizeof(struct wire_head) == 48);
static_assert(sizeof(struct wire_node) == 192);
static_assert(sizeof(struct wire_word) == 16);
static_assert(sizeof(struct wire_name) == 32);

static void write_padded(struct krg_order_sink *sink, const void *data, u32 len)
{
	static const u8 zeroes[8];

	krg_order_write(sink, data, len);
	krg_order_write(sink, zeroes, round_up(len, 8) - len);
}

static u64 words_of(struct shmfs_map *m)
{
	unsigned long index;
	u64 count = 0;
	void *entry;

	xa_for_each(&m->words, index, entry)
		count++;
	return count;
}

static void write_map(struct krg_order_sink *sink, struct shmfs_map *m)
{
	struct wire_word w = {};
	unsigned long index;
	void *entry;

	xa_for_each(&m->words, index, entry) {
		w.index = cpu_to_le64(index);
		w.bits = cpu_to_le32(xa_to_value(entry));
		krg_order_write(sink, &w, sizeof(w));
	}
}

static void node_encode(struct shmfs_node *n, struct wire_node *w)
{
	unsigned int i;

	*w = (struct wire_node) {
		.ino = cpu_to_le64(n->ino), .mode = cpu_to_le32(n->mode),
		.uid = cpu_to_le32(__kuid_val(n->uid)), .gid = cpu_to_le32(__kgid_val(n->gid)),
		.nlink = cpu_to_le32(n->nlink), .size = cpu_to_le64(n->size),
		.atime = cpu_to_le64(n->atime), .mtime = cpu_to_le64(n->mtime),
		.ctime = cpu_to_le64(n->ctime), .settled = cpu_to_le64(n->settled),
		.number = cpu_to_le64(n->id.number),
		.born = cpu_to_le32(n->id.born),
		.flags = cpu_to_le16((n->busy ? WIRE_BUSY : 0) | (n->kept ? WIRE_KEPT : 0)),
		.remover = cpu_to_le16(n->remover), .parent = cpu_to_le64(n->parent),
		.zero_from = cpu_to_le64(n->zero_from), .zero_to = cpu_to_le64(n->zero_to),
		.target = cpu_to_le32(n->target ? n->size : 0),
		.pages = cpu_to_le64(words_of(&n->pages)),
		.dying = cpu_to_le64(words_of(&n->dying)),
	};
	for (i = 0; i < KRG_MAX_NODES / 64; i++) {
		w->holders[i] = cpu_to_le64(n->holders.bits[i]);
		w->lost[i] = cpu_to_le64(n->lost.bits[i]);
	}
}

static void write_node(struct krg_order_sink *sink, struct shmfs_node *n)
{
	struct wire_node w;

	node_encode(n, &w);
	krg_order_write(sink, &w, sizeof(w));
	write_map(sink, &n->pages);
	write_map(sink, &n->dying);
	if (n->target)
		write_padded(sink, n->target, n->size);
}

static void write_name(struct krg_order_sink *sink, const struct shmfs_entry *e)
{
	struct wire_name w = {
		.dir = cpu_to_le64(e->dir), .ino = cpu_to_le64(e->ino),
		.cookie = cpu_to_le64(e->cookie), .len = cpu_to_le32(e->len),
	};

	krg_order_write(sink, &w, sizeof(w));
	write_padded(sink, e->name, e->len);
}

static void write_head(struct krg_order_sink *sink, struct shmfs *s)
{
	struct wire_head w = {
		.format = cpu_to_le32(FORMAT),
		.flags = cpu_to_le32(s->limit_fixed ? WIRE_FIXED : 0),
		.next_ino = cpu_to_le64(s->next_ino),
		.next_cookie = cpu_to_le64(s->next_cookie),
		.limit = cpu_to_le64(s->limit),
	};
	struct shmfs_entry *e;
	struct shmfs_node *n;
	u64 nodes = 0, names = 0;
	unsigned int bucket;
	unsigned long ino;

	xa_for_each(&s->nodes, ino, n)
		nodes++;
	hash_for_each(s->names, bucket, e, link)
		names++;
	w.nodes = cpu_to_le64(nodes);
	w.names = cpu_to_le64(names);
	krg_order_write(sink, &w, sizeof(w));
}

void shmfs_snapshot(struct net *net, struct krg_order_sink *sink)
{
	struct shmfs *s = shmfs_of(net);
	struct shmfs_entry *e;
	struct shmfs_node *n;
	unsigned int bucket;
	unsigned long ino;

	down_read(&s->table_lock);
	write_head(sink, s);
	xa_for_each(&s->nodes, ino, n)
		write_node(sink, n);
	hash_for_each(s->names, bucket, e, link)
		write_name(sink, e);
	up_read(&s->table_lock);
}

static int read_map(struct krg_order_source *c, struct shmfs_map *m, u64 words)
{
	const struct wire_word *w;
	u32 bits;

	for (; words; words--) {
		w = krg_order_read(c, sizeof(*w));
		if (!w || le64_to_cpu(w->index) > MAX_LFS_FILESIZE >> PAGE_SHIFT >> 5)
			return -EBADMSG;
		bits = le32_to_cpu(w->bits);
		if (!bits || xa_load(&m->words, le64_to_cpu(w->index)))
			return -EBADMSG;
		xa_store(&m->words, le64_to_cpu(w->index), xa_mk_value(bits),
			 GFP_KERNEL | __GFP_NOFAIL);
		m->count += hweight32(bits);
	}
	return 0;
}

static void node_decode(struct shmfs_node *n, const struct wire_node *w)
{
	unsigned int i;

	n->mode = le32_to_cpu(w->mode);
	n->uid = KUIDT_INIT(le32_to_cpu(w->uid));
	n->gid = KGIDT_INIT(le32_to_cpu(w->gid));
	n->nlink = le32_to_cpu(w->nlink);
	n->size = le64_to_cpu(w->size);
	n->atime = le64_to_cpu(w->atime);
	n->mtime = le64_to_cpu(w->mtime);
	n->ctime = le64_to_cpu(w->ctime);
	n->settled = le64_to_cpu(w->settled);
	n->id.number = le64_to_cpu(w->number);
	n->id.born = le32_to_cpu(w->born);
	n->busy = le16_to_cpu(w->flags) & WIRE_BUSY;
	n->kept = le16_to_cpu(w->flags) & WIRE_KEPT;
	n->remover = le16_to_cpu(w->remover);
	n->parent = le64_to_cpu(w->parent);
	n->zero_from = le64_to_cpu(w->zero_from);
	n->zero_to = le64_to_cpu(w->zero_to);
	for (i = 0; i < KRG_MAX_NODES / 64; i++) {
		n->holders.bits[i] = le64_to_cpu(w->holders[i]);
		n->lost.bits[i] = le64_to_cpu(w->lost[i]);
	}
}

static bool node_ok(const struct wire_node *w)
{
	u32 mode = le32_to_cpu(w->mode), target = le32_to_cpu(w->target);
	bool link = S_ISLNK(mode);

	if (!S_ISREG(mode) && !S_ISDIR(mode) && !link)
		return false;
	if (link != !!target || target > SHMFS_TARGET_MAX)
		return false;
	return !link || le64_to_cpu(w->size) == target;
}

static int read_node(struct krg_order_source *c, struct shmfs *s)
{
	const struct wire_node *w = krg_order_read(c, sizeof(*w));
	struct shmfs_node *n;
	const void *target;
	u64 ino;
	int err;

	if (!w || !node_ok(w))
		return -EBADMSG;
	ino = le64_to_cpu(w->ino);
	n = ino == SHMFS_ROOT ? s->root : shmfs_node(s, ino);
	if (n && n != s->root)
		return -EBADMSG;
	if (!n)
		n = shmfs_node_make(s, ino, le32_to_cpu(w->mode));
	node_decode(n, w);
	err = read_map(c, &n->pages, le64_to_cpu(w->pages)) ?:
	      read_map(c, &n->dying, le64_to_cpu(w->dying));
	s->used += n->pages.count + n->dying.count;
	if (err || !w->target)
		return err;
	target = krg_order_read(c, round_up(le32_to_cpu(w->target), 8));
	if (!target || memchr(target, 0, le32_to_cpu(w->target)))
		return -EBADMSG;
	n->target = kmemdup_nul(target, le32_to_cpu(w->target), GFP_KERNEL | __GFP_NOFAIL);
	return 0;
}

static int read_name(struct krg_order_source *c, struct shmfs *s)
{
	const struct wire_name *w = krg_order_read(c, sizeof(*w));
	struct shmfs_node *dir;
	const char *name;
	u32 len;

	if (!w)
		return -EBADMSG;
	len = le32_to_cpu(w->len);
	if (!len || len > SHMFS_NAME_MAX)
		return -EBADMSG;
	name = krg_order_read(c, round_up(len, 8));
	dir = shmfs_node(s, le64_to_cpu(w->dir));
	if (!name || !dir || !S_ISDIR(dir->mode) || !shmfs_node(s, le64_to_cpu(w->ino)) ||
	    xa_load(&dir->entries, le64_to_cpu(w->cookie)))
		return -EBADMSG;
	shmfs_entry_add(s, dir, name, len, le64_to_cpu(w->ino), le64_to_cpu(w->cookie));
	return 0;
}

static int read_table(struct krg_order_source *c, struct shmfs *s)
{
	const struct wire_head *w = krg_order_read(c, sizeof(*w));
	int err = 0;
	u64 i;

	if (!w || le32_to_cpu(w->format) != FORMAT)
		return -EBADMSG;
	s->next_ino = le64_to_cpu(w->next_ino);
	s->next_cookie = le64_to_cpu(w->next_cookie);
	s->limit = le64_to_cpu(w->limit);
	s->limit_fixed = le32_to_cpu(w->flags) & WIRE_FIXED;
	for (i = 0; i < le64_to_cpu(w->nodes) && !err; i++)
		err = read_node(c, s);
	for (i = 0; i < le64_to_cpu(w->names) && !err; i++)
		err = read_name(c, s);
	if (!err && c->left)
		err = -EBADMSG;
	shmfs_inode_refresh(s->root);
	return err;
}

int shmfs_restore(struct net *net, const void *data, size_t len)
{
	struct krg_order_source c = { .at = data, .left = len };
	unsigned int nofs = memalloc_nofs_save();
	struct shmfs *s = shmfs_of(net);
	int err;

	down_write(&s->table_lock);
	err = s->exiting ? 0 : read_table(&c, s);
	up_write(&s->table_lock);
	memalloc_nofs_restore(nofs);
	return err;
}
