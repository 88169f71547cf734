// SPDX-License-Identifier: GPL-2.0-only
/* What is done with an open container: its lock, atomic operations, watching. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "container_file.h"

static int writable(const struct krg_container *c)
{
	return c->readonly ? container_fail(-EACCES, "it was opened for reading only") : 0;
}

/* ---- the lock */

static int locked(int err)
{
	switch (err) {
	case 0:
		return 0;
	case EOWNERDEAD:
		return container_fail(-err, "locked, but the last owner died with it");
	case ENOTRECOVERABLE:
		return container_fail(-err, "an owner died and nobody has made the data right");
	case EDEADLK:
		return container_fail(-err, "this thread has the lock");
	case EBUSY:
		return container_fail(-err, "somebody has the lock");
	case EPERM:
		return container_fail(-err, "this thread does not have the lock");
	case EINVAL:
		return container_fail(-err, "no owner has died");
	default:
		return container_fail(-err, "the lock: %s", strerror(err));
	}
}

KRG_API int krg_container_lock(struct krg_container *c)
{
	int err = writable(c);

	return err ? err : locked(pthread_mutex_lock(&c->head->mutex));
}

KRG_API int krg_container_trylock(struct krg_container *c)
{
	int err = writable(c);

	return err ? err : locked(pthread_mutex_trylock(&c->head->mutex));
}

KRG_API int krg_container_unlock(struct krg_container *c)
{
	int err = writable(c);

	return err ? err : locked(pthread_mutex_unlock(&c->head->mutex));
}

KRG_API int krg_container_consistent(struct krg_container *c)
{
	int err = writable(c);

	return err ? err : locked(pthread_mutex_consistent(&c->head->mutex));
}

/* ---- atomic operations */

/* Where the integer is, or NULL and why not in @err. */
static void *at(struct krg_container *c, size_t offset, unsigned int width, int *err)
{
	*err = 0;
	if (width != 1 && width != 2 && width != 4 && width != 8)
		*err = container_fail(-EINVAL, "a width of %u bytes", width);
	else if (offset % width)
		*err = container_fail(-EINVAL, "offset %zu is no multiple of %u", offset, width);
	else if (offset >= c->size)
		*err = container_fail(-EINVAL, "offset %zu is beyond the end, %zu", offset, c->size);
	else if (!c->data)
		*err = container_fail(-ENXIO, "it is not mapped");
	return *err ? NULL : (char *)c->data + offset;
}

static void *at_for_writing(struct krg_container *c, size_t offset, unsigned int width, uint64_t value, int *err)
{
	void *where = at(c, offset, width, err);

	if (where && width < 8 && value >> (8 * width))
		*err = container_fail(-ERANGE, "%#jx does not fit in %u bytes", (uintmax_t)value, width);
	else if (where)
		*err = writable(c);
	return *err ? NULL : where;
}

/* @expression for the integer's type T. */
#define BY_WIDTH(width, expression)					\
	do {								\
		if ((width) == 1) {					\
			typedef uint8_t T;				\
			expression;					\
		} else if ((width) == 2) {				\
			typedef uint16_t T;				\
			expression;					\
		} else if ((width) == 4) {				\
			typedef uint32_t T;				\
			expression;					\
		} else {						\
			typedef uint64_t T;				\
			expression;					\
		}							\
	} while (0)

KRG_API int krg_container_load(struct krg_container *c, size_t offset, unsigned int width, uint64_t *value)
{
	void *where;
	int err;

	where = at(c, offset, width, &err);
	if (where)
		BY_WIDTH(width, *value = __atomic_load_n((T *)where, __ATOMIC_SEQ_CST));
	return err;
}

KRG_API int krg_container_store(struct krg_container *c, size_t offset, unsigned int width, uint64_t value)
{
	void *where;
	int err;

	where = at_for_writing(c, offset, width, value, &err);
	if (where)
		BY_WIDTH(width, __atomic_store_n((T *)where, (T)value, __ATOMIC_SEQ_CST));
	return err;
}

KRG_API int krg_container_add(struct krg_container *c, size_t offset, unsigned int width, uint64_t value,
			      uint64_t *before)
{
	uint64_t was = 0;
	void *where;
	int err;

	where = at_for_writing(c, offset, width, value, &err);
	if (!where)
		return err;
	BY_WIDTH(width, was = __atomic_fetch_add((T *)where, (T)value, __ATOMIC_SEQ_CST));
	if (before)
		*before = was;
	return 0;
}

KRG_API int krg_container_cas(struct krg_container *c, size_t offset, unsigned int width, uint64_t *expected,
			      uint64_t value)
{
	bool done = false;
	void *where;
	int err;

	where = at_for_writing(c, offset, width, value, &err);
	/* What does not fit is not there, but what is has to be said. */
	if (where && width < 8 && *expected >> (8 * width))
		return container_fail(-ERANGE, "%#jx does not fit in %u bytes", (uintmax_t)*expected, width);
	if (!where)
		return err;
	BY_WIDTH(width, {
		T seen = (T)*expected;

		done = __atomic_compare_exchange_n((T *)where, &seen, (T)value, false, __ATOMIC_SEQ_CST,
						   __ATOMIC_SEQ_CST);
		*expected = seen;
	});
	return done ? 0 : container_fail(-EAGAIN, "another value is there");
}

/* ---- watching */

KRG_API uint32_t krg_container_generation(struct krg_container *c)
{
	return __atomic_load_n(&c->head->generation, __ATOMIC_SEQ_CST);
}

KRG_API int krg_container_notify(struct krg_container *c)
{
	int err = writable(c);

	if (err)
		return err;
	__atomic_fetch_add(&c->head->generation, 1, __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, &c->head->generation, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) < 0)
		return container_fail(-errno, "waking who watches: %s", strerror(errno));
	return 0;
}

static struct timespec time_after(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000l;
	if (t.tv_nsec >= 1000000000l) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000l;
	}
	return t;
}

KRG_API int krg_container_watch(struct krg_container *c, uint32_t *generation, int timeout_ms)
{
	struct timespec limit;
	uint32_t now;

	if (timeout_ms < -1)
		return container_fail(-EINVAL, "a time of %d ms", timeout_ms);
	if (timeout_ms >= 0)
		limit = time_after(timeout_ms);
	while ((now = krg_container_generation(c)) == *generation) {
		if (!syscall(SYS_futex, &c->head->generation, FUTEX_WAIT_BITSET, now,
			     timeout_ms < 0 ? NULL : &limit, NULL, FUTEX_BITSET_MATCH_ANY) ||
		    errno == EAGAIN)
			continue;
		return container_fail(-errno, "watching it: %s", strerror(errno));
	}
	*generation = now;
	return 0;
}
