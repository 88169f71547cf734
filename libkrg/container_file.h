/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of containers: what is in the file, and a handle of it. */
#ifndef LIBKRG_CONTAINER_FILE_H
#define LIBKRG_CONTAINER_FILE_H

#include <pthread.h>
#include <stdbool.h>
#include "container.h"

#ifndef KRG_API
#define KRG_API __attribute__((visibility("default")))
#endif

#define CONTAINER_PAGE	  4096u
#define CONTAINER_MAGIC	  "krgcont" /* and its 0 */
#define CONTAINER_VERSION 1u

/*
 * The first page; the data follow. Programs of one cluster have the same C library's
 * mutex in it (x86_64's is the same since glibc 2.4).
 */
struct container_header {
	char magic[8];
	uint32_t version;
	uint32_t generation; /* a futex */
	uint64_t size;	     /* of the data */
	uint8_t reserved[40];
	pthread_mutex_t mutex;
};

_Static_assert(sizeof(struct container_header) <= CONTAINER_PAGE, "the header is one page");
_Static_assert(offsetof(struct container_header, mutex) == 64, "the header is a file format");

struct krg_container {
	int fd;
	bool readonly;
	size_t size;
	struct container_header *head;
	pthread_mutex_t mapping; /* guards @data becoming mapped */
	void *data;
};

/* Keeps the sentence, returns @err. */
int container_fail(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
