// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes have a size: the functions of kernel/futex take all flags, futex_requeue() those of
 * both words. No header declares them; the same kernels have this in their user interface.
 */
#include <linux/mutex.h>
#include <linux/futex.h>

int probe(void);
int probe(void)
{
	return FUTEX2_PRIVATE;
}
