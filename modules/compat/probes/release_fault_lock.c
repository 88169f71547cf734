// SPDX-License-Identifier: GPL-2.0-only
/* Per-VMA fault locks: a fault handler lets go with release_fault_lock(). */
#include <linux/mm.h>

void probe(struct vm_fault *vmf);
void probe(struct vm_fault *vmf)
{
	release_fault_lock(vmf);
}
