/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test program needs to be so; else it says where it was not, and ends. */
#ifndef NEED_H
#define NEED_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define need(cond)							\
	do {								\
		if (!(cond))						\
			wrong(__LINE__, #cond);				\
	} while (0)

/* A call fails with this error. */
#define fails(call, error) need((errno = 0, (long)(call) == -1) && errno == (error))

static _Noreturn void wrong(int line, const char *what)
{
	printf("WRONG line %d: %s (%s)\n", line, what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

#endif
