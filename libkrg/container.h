/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Containers: named memory that programs on all nodes of the cluster share.
 *
 *   struct krg_container *c;
 *   void *at;
 *
 *   krg_container_create("/counts", 1 << 20, 0600, &c);    or krg_container_open() elsewhere
 *   krg_container_map(c, &at);
 *   krg_container_lock(c);  ...change it...  krg_container_unlock(c);
 *   krg_container_notify(c);                               who watches it looks again
 *   krg_container_close(c);
 *   krg_container_destroy("/counts");
 *
 * A container is a file of the cluster's shared memory file system, so its name, owner,
 * mode and place are seen by ls; its memory is coherent page by page, sequentially
 * consistent. A page whose only copy was on a node that died raises SIGBUS.
 *
 * Functions that return int return 0 or a negative error number; krg_container_error()
 * then says why in one sentence. All may be called by several threads at once, but a
 * handle that is closed or unmapped must not be in use. Needs no krg_open(). See
 * krg_container(3).
 */
#ifndef LIBKRG_CONTAINER_H
#define LIBKRG_CONTAINER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct krg_container;

#define KRG_CONTAINER_READONLY 1u /* krg_container_open(): look, watch, do not touch */

/**
 * krg_container_error() - why the last call of this thread failed
 *
 * Return: a sentence, valid until this thread's next call; "" after none
 */
const char *krg_container_error(void);

/**
 * krg_container_create() - make a container of zeroes and open it
 * @name: as for shm_open(3): "/NAME", or "NAME"; no further slash, up to 255 bytes
 * @size: bytes, rounded up to whole pages; takes space as it is written to
 * @mode: permissions, less the umask
 * @out: the handle
 *
 * Nobody sees it before it is whole.
 *
 * Return: 0; -EEXIST; -EINVAL (name, size 0); -ENAMETOOLONG; -EFBIG; -ENOSPC; -EMFILE;
 * -ENOMEM; -EOPNOTSUPP: this node has no cluster memory
 */
int krg_container_create(const char *name, size_t size, mode_t mode, struct krg_container **out);

/**
 * krg_container_open() - open a container by name
 * @name: as above
 * @flags: 0 or KRG_CONTAINER_READONLY
 * @out: the handle
 *
 * Return: 0; -ENOENT; -EACCES; -EBADMSG: it is no container; -EPROTO: of another version;
 * -EINVAL; -ENAMETOOLONG; -EMFILE; -ENOMEM; -EOPNOTSUPP
 */
int krg_container_open(const char *name, unsigned int flags, struct krg_container **out);

/**
 * krg_container_anonymous() - make a container without a name and open it
 * @size: as above
 * @mode: as above; counts once it gets a name
 * @out: the handle
 *
 * As memfd_create(2): for this process, those it forks, and those that are given its
 * descriptor. It goes with the last that has it, unless it gets a name before.
 *
 * Return: as krg_container_create()
 */
int krg_container_anonymous(size_t size, mode_t mode, struct krg_container **out);

/**
 * krg_container_link() - give a container a name, or one more
 * @c: the handle; not one made or opened by name whose last name was taken away
 * @name: as above
 *
 * From then on every node can open it.
 *
 * Return: 0; -EEXIST; -ENOENT: it had a name, and was destroyed; -EACCES; -EINVAL;
 * -ENAMETOOLONG; -EOPNOTSUPP
 */
int krg_container_link(struct krg_container *c, const char *name);

/* Its descriptor, to be passed to another process of this node; closed with the handle. */
int krg_container_fd(const struct krg_container *c);

/**
 * krg_container_adopt() - open a container by a descriptor that was passed
 * @fd: krg_container_fd() of some process; stays the caller's
 * @flags: 0 or KRG_CONTAINER_READONLY
 * @out: the handle
 *
 * Return: 0; -EBADF; -EBADMSG, -EPROTO as krg_container_open(); -EACCES: @fd is for reading
 * only and @flags do not say so; -EINVAL; -EMFILE; -ENOMEM; -EOPNOTSUPP
 */
int krg_container_adopt(int fd, unsigned int flags, struct krg_container **out);

/* Unmaps it too; the container stays. NULL: nothing. A lock that is held stays held. */
void krg_container_close(struct krg_container *c);

/**
 * krg_container_destroy() - take its name away
 * @name: as above
 *
 * Who has it open keeps it; its memory goes with the last of them, on whatever node.
 *
 * Return: 0; -ENOENT; -EACCES; -EBADMSG: it is no container; -EINVAL; -ENAMETOOLONG;
 * -EOPNOTSUPP
 */
int krg_container_destroy(const char *name);

/* Bytes of data, whole pages. */
size_t krg_container_size(const struct krg_container *c);

/**
 * krg_container_map() - map its data
 * @c: the handle
 * @at: the address; the same as before if it is mapped already
 *
 * Return: 0; -ENOMEM
 */
int krg_container_map(struct krg_container *c, void **at);
/* Return: 0; -EINVAL: it is not mapped */
int krg_container_unmap(struct krg_container *c);

/**
 * krg_container_lock() - wait for the container's lock, and have it
 * @c: the handle
 *
 * One thread of one process has it, on all nodes. It guards what its users agree on.
 *
 * Return: 0; -EOWNERDEAD: locked, but its last owner died with it: make the data right and
 * say so with krg_container_consistent(), or it is lost with the next unlock;
 * -ENOTRECOVERABLE: that has happened; -EDEADLK: this thread has it; -EACCES: read-only
 */
int krg_container_lock(struct krg_container *c);
/* The same without waiting: -EBUSY. */
int krg_container_trylock(struct krg_container *c);
/* Return: 0; -EPERM: this thread does not have it; -EACCES */
int krg_container_unlock(struct krg_container *c);
/* After -EOWNERDEAD, before unlock. Return: 0; -EINVAL: there is no need; -EACCES */
int krg_container_consistent(struct krg_container *c);

/*
 * Atomic operations on @width = 1, 2, 4 or 8 bytes at @offset, a multiple of @width;
 * sequentially consistent, needing no lock. The data must be mapped.
 *
 * Return: 0; -EINVAL: width, offset; -ERANGE: a value is too large for the width;
 * -ENXIO: not mapped; -EACCES: it is read-only; those that compare: -EAGAIN
 */
int krg_container_load(struct krg_container *c, size_t offset, unsigned int width, uint64_t *value);
int krg_container_store(struct krg_container *c, size_t offset, unsigned int width, uint64_t value);
/* @before: what was there, may be NULL; wraps around */
int krg_container_add(struct krg_container *c, size_t offset, unsigned int width, uint64_t value, uint64_t *before);
/* Stores @value if @expected is there, else -EAGAIN and *@expected is what is. */
int krg_container_cas(struct krg_container *c, size_t offset, unsigned int width, uint64_t *expected, uint64_t value);

/**
 * krg_container_generation() - how often it has been notified, to watch it from there
 * @c: the handle
 *
 * Take it before looking at the data: what is notified afterwards is not missed.
 */
uint32_t krg_container_generation(struct krg_container *c);

/**
 * krg_container_watch() - wait for a change
 * @c: the handle
 * @generation: of what the caller has looked at; becomes the one now
 * @timeout_ms: at most so long; -1: for ever
 *
 * Return: 0: its generation is another; -ETIMEDOUT; -EINTR: a signal came; -EINVAL
 */
int krg_container_watch(struct krg_container *c, uint32_t *generation, int timeout_ms);

/* Tells who watches, on all nodes, that there is something new. Return: 0; -EACCES */
int krg_container_notify(struct krg_container *c);

#ifdef __cplusplus
}
#endif

#endif
