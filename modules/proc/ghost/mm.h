/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KRG_PROC_MM_H
#define KRG_PROC_MM_H

struct vm_area_struct;

int proc_vma_kind(struct vm_area_struct *vma);
bool proc_vma_has_pages(struct vm_area_struct *vma);

#endif
