// SPDX-License-Identifier: GPL-2.0-only
/* A process's POSIX timers hang on a hash list, not on a list. */
#include <linux/sched/signal.h>

bool probe(struct signal_struct *sig);
bool probe(struct signal_struct *sig)
{
	return hlist_empty(&sig->posix_timers);
}
