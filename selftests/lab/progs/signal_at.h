/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that must not be touched. */
#ifndef SIGNAL_AT_H
#define SIGNAL_AT_H

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static sigjmp_buf jump;

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

/* The signal that touching @at raises, or 0. */
static int signal_at(volatile char *at, int write)
{
	struct sigaction act = { .sa_handler = on_signal }, bus, segv;
	int sig;

	sigaction(SIGBUS, &act, &bus);
	sigaction(SIGSEGV, &act, &segv);
	sig = sigsetjmp(jump, 1);
	if (!sig) {
		if (write)
			*at = 1;
		else
			(void)*at;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

#endif
