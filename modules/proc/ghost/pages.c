// SPDX-License-Identifier: GPL-2.0-only
/*
 * The content of memory: pages the process has made its own. A page of a
 * private file area that was never written is the file's, an anonymous page
 * of zeroes is what a new area gives: neither is saved.
 *
 * Saving takes references to up to 16 MiB of pages under the page table locks
 * and writes them from where they are. Loading pins fresh pages and reads into
 * them; FOLL_FORCE, because an area may be readable only, or not even that.
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../proc.h"
#include "mm.h"

#define PAGES_BATCH KRG_GHOST_MAX_PAGES

struct pages_batch {
	struct proc_ghost *g;
	struct krg_ghost_stream *stream;
	struct mm_struct *mm;
	u32 nr;				/* pages */
	u32 nr_runs;
	bool swapped;			/* the walk stopped at a page that is not in memory */
	unsigned long stop;		/* where it stopped */
	struct bio_vec *bvec;
	struct krg_ghost_pages *rec;	/* with room for PAGES_BATCH runs */
};

static void batch_free(struct pages_batch *b)
{
	if (!b)
		return;
	kvfree(b->bvec);
	kvfree(b->rec);
	kfree(b);
}

static struct pages_batch *batch_new(struct proc_ghost *g, struct krg_ghost_stream *stream,
				     struct mm_struct *mm)
{
	struct pages_batch *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	b->g = g;
	b->stream = stream;
	b->mm = mm;
	b->bvec = kvcalloc(PAGES_BATCH, sizeof(*b->bvec), GFP_KERNEL);
	b->rec = kvzalloc(struct_size(b->rec, run, PAGES_BATCH), GFP_KERNEL);
	if (b->bvec && b->rec)
		return b;
	batch_free(b);
	return NULL;
}

/* Appends a page the caller has a reference to; the batch has it then. */
static void batch_add(struct pages_batch *b, struct page *page, unsigned long addr)
{
	struct krg_ghost_run *run = &b->rec->run[b->nr_runs];
	struct bio_vec *bv = &b->bvec[b->nr++];

	bv->bv_page = page;
	bv->bv_len = PAGE_SIZE;
	bv->bv_offset = 0;
	if (b->nr_runs && le64_to_cpu(run[-1].address) +
			  le64_to_cpu(run[-1].pages) * PAGE_SIZE == addr) {
		run[-1].pages = cpu_to_le64(le64_to_cpu(run[-1].pages) + 1);
		return;
	}
	run->address = cpu_to_le64(addr);
	run->pages = cpu_to_le64(1);
	b->nr_runs++;
}

static int batch_write(struct pages_batch *b)
{
	int err;
	u32 i;

	if (!b->nr)
		return 0;
	b->rec->nr_runs = cpu_to_le32(b->nr_runs);
	err = krg_ghost_write_bulk(b->stream, KRG_GHOST_R_PAGES, b->rec,
				   struct_size(b->rec, run, b->nr_runs), b->bvec, b->nr);
	for (i = 0; i < b->nr; i++)
		put_page(b->bvec[i].bv_page);
	b->nr = 0;
	b->nr_runs = 0;
	return err;
}

/* Return: 1 to stop the walk after @addr, the batch being full. */
static int pages_take(struct pages_batch *b, struct page *page, unsigned long addr)
{
	if (!PageAnon(page) || !memchr_inv(page_address(page), 0, PAGE_SIZE))
		return 0;
	get_page(page);
	batch_add(b, page, addr);
	if (b->nr < PAGES_BATCH)
		return 0;
	b->stop = addr + PAGE_SIZE;
	return 1;
}

static int pages_pte(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct pages_batch *b = walk->private;
	pte_t entry = *pte;

	if (pte_none(entry))
		return 0;
	if (!pte_present(entry)) {
		b->swapped = true;
		b->stop = addr;
		return 1;
	}
	if (pte_special(entry))
		return 0;
	return pages_take(b, pte_page(entry), addr);
}

/* A huge page is read through its one entry, and left whole. */
static int pages_pmd(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct pages_batch *b = walk->private;
	struct page *page;
	spinlock_t *ptl;	/* of the page table */
	int stop = 0;

	if (!pmd_trans_huge(READ_ONCE(*pmd)))
		return 0;
	ptl = pmd_lock(walk->mm, pmd);
	if (pmd_trans_huge(*pmd) && pmd_present(*pmd)) {
		walk->action = ACTION_CONTINUE;
		page = pmd_page(*pmd) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
		for (; addr != next && !stop; addr += PAGE_SIZE, page++)
			stop = pages_take(b, page, addr);
	}
	spin_unlock(ptl);
	return stop;
}

static const struct mm_walk_ops pages_walk = {
	.pmd_entry = pages_pmd,
	.pte_entry = pages_pte,
};

static int pages_get(struct mm_struct *mm, unsigned long addr, struct page **page)
{
	int n;

	mmap_read_lock(mm);
#ifdef KRG_HAVE_GUP_REMOTE_VMAS
	n = get_user_pages_remote(mm, addr, 1, FOLL_FORCE, page, NULL, NULL);
#else
	n = get_user_pages_remote(mm, addr, 1, FOLL_FORCE, page, NULL);
#endif
	mmap_read_unlock(mm);
	return n;
}

/* A page in swap or on the move: faulted in, then taken as the others are. */
static int pages_take_swapped(struct pages_batch *b)
{
	unsigned long addr = b->stop;
	struct page *page;
	int n = pages_get(b->mm, addr, &page);

	if (n != 1)
		return proc_why(b->g, n < 0 ? n : -EFAULT, "memory at %#lx cannot be read", addr);
	pages_take(b, page, addr);
	put_page(page);
	b->stop = addr + PAGE_SIZE;
	return 0;
}

/* One area, or what a full batch leaves of it. */
static int pages_save_range(struct pages_batch *b, unsigned long start, unsigned long end)
{
	struct mm_struct *mm = b->mm;
	int err = 0;

	while (start < end && !err) {
		/* Signals of a frozen process wait, those of the requester end it. */
		if (proc_cancelled(b->g) || (mm != current->mm && signal_pending(current)))
			return -EINTR;
		b->swapped = false;
		b->stop = end;
		mmap_read_lock(mm);
		err = krg_sym(walk_page_range)(mm, start, end, &pages_walk, b);
		mmap_read_unlock(mm);
		if (err < 0)
			break;
		err = b->swapped ? pages_take_swapped(b) : 0;
		if (!err && b->nr == PAGES_BATCH)
			err = batch_write(b);
		start = b->stop;
	}
	return err;
}

/**
 * proc_vma_has_pages() - may an area have pages that are the process's own
 * @vma: the area; mmap lock held
 *
 * Return: yes or no.
 */
bool proc_vma_has_pages(struct vm_area_struct *vma)
{
	int kind = proc_vma_kind(vma);

	return !(vma->vm_flags & VM_MAYSHARE) && vma->anon_vma &&
	       (kind == KRG_GHOST_VMA_ANON || kind == KRG_GHOST_VMA_FILE ||
		kind == KRG_GHOST_VMA_STACK);
}

/**
 * proc_pages_save() - write the pages of an address space
 * @g: whose cancel and reason are used
 * @stream: where to
 * @mm: the current process's, or a snapshot nobody changes
 *
 * Context: process context; may sleep long.
 * Return: 0; -EINTR; errors of the medium.
 */
int proc_pages_save(struct proc_ghost *g, struct krg_ghost_stream *stream, struct mm_struct *mm)
{
	struct pages_batch *b = batch_new(g, stream, mm);
	struct vm_area_struct *vma;
	unsigned long start, end = 0;
	bool wanted;
	int err = 0;
	u32 i;

	if (!b)
		return -ENOMEM;
	while (!err) {
		mmap_read_lock(mm);
		vma = find_vma(mm, end);
		if (vma) {
			start = vma->vm_start;
			end = vma->vm_end;
			wanted = proc_vma_has_pages(vma);
		}
		mmap_read_unlock(mm);
		if (!vma)
			break;
		if (wanted)
			err = pages_save_range(b, start, end);
	}
	if (!err)
		err = batch_write(b);
	for (i = 0; i < b->nr; i++)
		put_page(b->bvec[i].bv_page);
	batch_free(b);
	return err;
}

static int pages_save(struct krg_ghost_stream *stream, void *ctx)
{
	struct proc_ghost *g = ctx;

	return g->snapshot ? 0 : proc_pages_save(g, stream, current->mm);
}

#define PAGES_PIN 1024u

/* Read @nr pages at @addr. */
static int pages_load_pinned(struct krg_ghost_stream *stream, struct page **pages,
			     struct bio_vec *bvec, unsigned long addr, u32 nr)
{
	int i, n, err;

	n = pin_user_pages_fast(addr, nr, FOLL_WRITE | FOLL_FORCE, pages);
	if (n <= 0)
		return n ? n : -EFAULT;
	for (i = 0; i < n; i++) {
		bvec[i].bv_page = pages[i];
		bvec[i].bv_len = PAGE_SIZE;
		bvec[i].bv_offset = 0;
	}
	err = krg_ghost_read_bulk(stream, bvec, n);
	unpin_user_pages_dirty_lock(pages, n, true);
	return err ? err : n;
}

static int pages_load_run(struct proc_ghost *g, struct krg_ghost_stream *stream,
			  struct page **pages, struct bio_vec *bvec,
			  const struct krg_ghost_run *run)
{
	u64 addr = le64_to_cpu(run->address), left = le64_to_cpu(run->pages);
	int n;

	while (left) {
		if (proc_cancelled(g))
			return -EINTR;
		n = pages_load_pinned(stream, pages, bvec, addr, min_t(u64, left, PAGES_PIN));
		if (n < 0)
			return n == -EBADMSG ? n :
			       proc_why(g, n, "memory at %#llx cannot be filled", addr);
		left -= n;
		addr += (u64)n * PAGE_SIZE;
	}
	return 0;
}

static int pages_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item,
		      void *ctx)
{
	struct krg_ghost_pages *rec = kvmalloc(item->len, GFP_KERNEL);
	struct bio_vec *bvec = kvcalloc(PAGES_PIN, sizeof(*bvec), GFP_KERNEL);
	struct page **pages = kvcalloc(PAGES_PIN, sizeof(*pages), GFP_KERNEL);
	int err = 0;
	u32 i;

	if (!rec || !bvec || !pages)
		err = -ENOMEM;
	else
		memcpy(rec, item->data, item->len);
	for (i = 0; !err && i < le32_to_cpu(rec->nr_runs); i++)
		err = pages_load_run(ctx, stream, pages, bvec, &rec->run[i]);
	kvfree(pages);
	kvfree(bvec);
	kvfree(rec);
	return err;
}

struct krg_ghost_handler proc_pages = {
	.type = KRG_GHOST_R_PAGES,
	.save = pages_save,
	.load = pages_load,
};
