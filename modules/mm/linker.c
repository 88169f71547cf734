// SPDX-License-Identifier: GPL-2.0-only
/*
 * What krg_kddm's objects are here: pages in a page cache. Each set has one of its own, in
 * an inode that nobody sees; files point to it. So it lives as long as the set, whether
 * the file is known here or not.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/rmap.h>
#include "shmfs.h"

static struct vfsmount *backing_mount;

static const struct address_space_operations backing_aops = {
	.dirty_folio = noop_dirty_folio,
};

/* The inode with the page cache of a set. */
struct inode *shmfs_backing(const struct krg_kddm_set *set)
{
	return krg_kddm_priv(set);
}

static int linker_open(struct krg_kddm_set *set)
{
	struct inode *inode = new_inode(backing_mount->mnt_sb);

	if (!inode)
		return -ENOMEM;
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG;
	/* How long a file is, who maps a page has looked at. */
	i_size_write(inode, MAX_LFS_FILESIZE);
	atomic64_set(&inode->i_sequence, shmfs_futex_sequence());
	inode->i_mapping->a_ops = &backing_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	mapping_set_unevictable(inode->i_mapping);
	krg_kddm_set_priv(set, inode);
	return 0;
}

static void linker_close(struct krg_kddm_set *set)
{
	iput(shmfs_backing(set));
}

static struct folio *slot_folio(void *slot)
{
	struct page *page = slot;

	return page_folio(page);
}

static struct page *page_blank(void)
{
	return alloc_page(GFP_HIGHUSER | __GFP_ZERO);
}

/* Of the page cache only; who still has a reference keeps what it has. */
static void cache_drop(struct address_space *mapping, u64 index)
{
	loff_t pos = (loff_t)index << PAGE_SHIFT;

	truncate_inode_pages_range(mapping, pos, pos + PAGE_SIZE - 1);
}

static int linker_fill(struct krg_kddm_set *set, u64 index, struct page *page, void **slot)
{
	struct address_space *mapping = shmfs_backing(set)->i_mapping;
	struct page *blank = page ? NULL : page_blank();
	struct folio *folio;
	int err;

	if (!page && !blank)
		return -ENOMEM;
	folio = page_folio(page ?: blank);
	folio_mark_uptodate(folio);
	err = filemap_add_folio(mapping, folio, index, GFP_KERNEL);
	if (err) {
		/* What came stays with who gave it. */
		if (blank)
			put_page(blank);
		return err;
	}
	/* Or it would be dropped as clean. */
	folio_mark_dirty(folio);
	folio_unlock(folio);
	*slot = folio_page(folio, 0);
	return 0;
}

static struct page *linker_page(struct krg_kddm_set *set, u64 index, void *slot)
{
	return slot;
}

static void linker_protect(struct krg_kddm_set *set, u64 index, void *slot)
{
	struct folio *folio = slot_folio(slot);

	folio_lock(folio);
	folio_mkclean(folio);
	folio_unlock(folio);
}

/* Who maps what is up to date in the page cache does so with its lock: fault_around(). */
static void linker_unmap(struct krg_kddm_set *set, u64 index, void *slot)
{
	struct folio *folio = slot_folio(slot);

	folio_lock(folio);
	folio_clear_uptodate(folio);
	unmap_mapping_pages(shmfs_backing(set)->i_mapping, index, 1, false);
	folio_unlock(folio);
}

/* Not mapped any more, it gets no new users; it is gone with the last that still has it. */
static void linker_free(struct krg_kddm_set *set, u64 index, void *slot)
{
	cache_drop(shmfs_backing(set)->i_mapping, index);
	folio_put(slot_folio(slot));
}

static const struct krg_kddm_linker shmfs_linker = {
	.id = KRG_KDDM_LINKER_SHM,
	.name = "shm",
	.size = PAGE_SIZE,
	.fill = linker_fill,
	.page = linker_page,
	.protect = linker_protect,
	.unmap = linker_unmap,
	.free = linker_free,
	.open = linker_open,
	.close = linker_close,
	.owner = THIS_MODULE,
};

static int backing_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, 0x6b726770) ? 0 : -ENOMEM;
}

/* No owner: its only mount is ours, until the module goes. */
static struct file_system_type backing_type = {
	.name = "krgshm_pages",
	.init_fs_context = backing_init_fs_context,
	.kill_sb = kill_anon_super,
};

int shmfs_linker_init(void)
{
	int err;

	backing_mount = kern_mount(&backing_type);
	if (IS_ERR(backing_mount))
		return PTR_ERR(backing_mount);
	backing_mount->mnt_sb->s_maxbytes = MAX_LFS_FILESIZE;
	err = krg_kddm_linker_register(&shmfs_linker);
	if (err)
		kern_unmount(backing_mount);
	return err;
}

void shmfs_linker_exit(void)
{
	krg_kddm_linker_unregister(&shmfs_linker);
	kern_unmount(backing_mount);
}
