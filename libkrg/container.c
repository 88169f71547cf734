// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers: names, files, mappings. A file of the cluster's memory: a page of header,
 * then the data. It gets its name when it is whole, so who opens it finds it whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "container_file.h"

/* For tests: another file system to take for the cluster's. */
#ifndef KRG_CONTAINER_TYPE
#define KRG_CONTAINER_TYPE "krgshm"
#endif

static _Thread_local char last_error[256];

int container_fail(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_error, sizeof(last_error), format, args);
	va_end(args);
	return err;
}

/* With the system's words for it. */
static int fail_because(int error, const char *name)
{
	char text[128];

	return container_fail(-error, "%s: %s", name, strerror_r(error, text, sizeof(text)));
}

KRG_API const char *krg_container_error(void)
{
	return last_error;
}

/* Where the cluster's memory is mounted, and nothing over it. */
static bool find_mount(char *path, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char line[4096];

	*path = 0;
	if (!mounts)
		return false;
	while (getmntent_r(mounts, &entry, line, sizeof(line))) {
		if (!strcmp(entry.mnt_type, KRG_CONTAINER_TYPE) && strlen(entry.mnt_dir) < size) {
			/* /dev/shm rather than another. */
			if (strcmp(path, "/dev/shm") || !strcmp(entry.mnt_dir, path))
				strcpy(path, entry.mnt_dir);
		} else if (!strcmp(entry.mnt_dir, path)) {
			*path = 0;
		}
	}
	endmntent(mounts);
	return *path;
}

/* A descriptor of the directory containers are in, or why there is none. */
static int open_place(void)
{
	char path[PATH_MAX];
	int fd;

	if (!find_mount(path, sizeof(path)))
		return container_fail(-EOPNOTSUPP,
				      "no cluster memory here: no " KRG_CONTAINER_TYPE
				      " is mounted (krgadm cluster start)");
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail_because(errno, path) : fd;
}

/* The rules of shm_open(3); returns the name without its slash in @out. */
static int check_name(const char *name, const char **out)
{
	if (!name)
		return container_fail(-EINVAL, "a name is needed");
	if (*name == '/')
		name++;
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return container_fail(-EINVAL, "'%s' is no name: one word, a slash in front", name);
	if (strlen(name) > NAME_MAX)
		return container_fail(-ENAMETOOLONG, "the name is longer than %d bytes", NAME_MAX);
	*out = name;
	return 0;
}

/* The directory for a name, and the name without its slash. */
static int open_place_of(const char *name, const char **out)
{
	int err = check_name(name, out);

	return err ? err : open_place();
}

static int check_flags(unsigned int flags)
{
	return flags & ~KRG_CONTAINER_READONLY ? container_fail(-EINVAL, "flags %#x: not known", flags) : 0;
}

static int round_size(size_t size, size_t *out)
{
	if (!size)
		return container_fail(-EINVAL, "a container of no bytes");
	if (size > (size_t)LONG_MAX - 2 * CONTAINER_PAGE)
		return container_fail(-EFBIG, "%zu bytes are too many", size);
	*out = (size + CONTAINER_PAGE - 1) & ~(size_t)(CONTAINER_PAGE - 1);
	return 0;
}

static int init_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;
	int err = pthread_mutexattr_init(&attr);

	if (err)
		return err;
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	err = pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	return err;
}

static struct container_header *map_header(int fd, bool readonly)
{
	void *at = mmap(NULL, CONTAINER_PAGE, readonly ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* Takes @fd over when it returns 0. */
static int make_handle(int fd, bool readonly, struct krg_container **out)
{
	struct krg_container *c = calloc(1, sizeof(*c));

	if (!c)
		return container_fail(-ENOMEM, "no memory");
	c->head = map_header(fd, readonly);
	if (!c->head) {
		free(c);
		return fail_because(errno, "mapping it");
	}
	pthread_mutex_init(&c->mapping, NULL);
	c->fd = fd;
	c->readonly = readonly;
	*out = c;
	return 0;
}

/* A file without a name; the header is its first page, so there is space for that. */
static int make_file(int place, size_t size, mode_t mode, struct krg_container **out)
{
	int fd = openat(place, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode & 0777), err;

	if (fd < 0)
		return fail_because(errno, "making it");
	if (ftruncate(fd, (off_t)(CONTAINER_PAGE + size)))
		err = fail_because(errno, "its size");
	else if ((err = posix_fallocate(fd, 0, CONTAINER_PAGE)))
		err = fail_because(err, "its first page");
	else
		err = make_handle(fd, false, out);
	if (err)
		close(fd);
	return err;
}

static int fill_header(struct krg_container *c, size_t size)
{
	int err = init_mutex(&c->head->mutex);

	if (err)
		return fail_because(err, "its lock");
	memcpy(c->head->magic, CONTAINER_MAGIC, sizeof(c->head->magic));
	c->head->version = CONTAINER_VERSION;
	c->head->size = size;
	c->size = size;
	return 0;
}

static int name_file(int place, const struct krg_container *c, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", c->fd);
	if (!linkat(AT_FDCWD, path, place, name, AT_SYMLINK_FOLLOW))
		return 0;
	/* Somebody else's: protected_hardlinks of proc(5). */
	return fail_because(errno == EPERM ? EACCES : errno, name);
}

/* NULL: it gets no name. */
static int make_container(const char *name, size_t size, mode_t mode, struct krg_container **out)
{
	struct krg_container *c;
	int place, err;

	err = round_size(size, &size);
	if (err)
		return err;
	if (mode & ~(mode_t)0777)
		return container_fail(-EINVAL, "mode %o has more than permissions", mode);
	place = open_place();
	if (place < 0)
		return place;
	err = make_file(place, size, mode, &c);
	if (!err) {
		err = fill_header(c, size);
		if (!err && name)
			err = name_file(place, c, name);
		if (err)
			krg_container_close(c);
		else
			*out = c;
	}
	close(place);
	return err;
}

KRG_API int krg_container_create(const char *name, size_t size, mode_t mode, struct krg_container **out)
{
	int err;

	*out = NULL;
	err = check_name(name, &name);
	return err ? err : make_container(name, size, mode, out);
}

KRG_API int krg_container_anonymous(size_t size, mode_t mode, struct krg_container **out)
{
	*out = NULL;
	return make_container(NULL, size, mode, out);
}

KRG_API int krg_container_link(struct krg_container *c, const char *name)
{
	int place = open_place_of(name, &name), err;

	if (place < 0)
		return place;
	err = name_file(place, c, name);
	close(place);
	return err;
}

KRG_API int krg_container_fd(const struct krg_container *c)
{
	return c->fd;
}

/* Is the file a container. */
static int check_file(int fd, const char *name, size_t *size)
{
	struct container_header head;
	struct stat st;

	if (fstat(fd, &st))
		return fail_because(errno, name);
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)CONTAINER_PAGE ||
	    pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    memcmp(head.magic, CONTAINER_MAGIC, sizeof(head.magic)))
		return container_fail(-EBADMSG, "%s is no container", name);
	if (head.version != CONTAINER_VERSION)
		return container_fail(-EPROTO, "%s is a container of version %u, this is %u", name,
				      head.version, CONTAINER_VERSION);
	if (head.size != (uint64_t)st.st_size - CONTAINER_PAGE || head.size % CONTAINER_PAGE)
		return container_fail(-EBADMSG, "%s has not the size it should have", name);
	*size = head.size;
	return 0;
}

static int open_file(const char *name, int flags, size_t *size)
{
	int place, fd, err;

	place = open_place();
	if (place < 0)
		return place;
	fd = openat(place, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	err = fd < 0 ? fail_because(errno, name) : check_file(fd, name, size);
	if (err && fd >= 0)
		close(fd);
	close(place);
	return err ? err : fd;
}

/* Of a file that has been looked at; takes @fd over. */
static int make_opened(int fd, bool readonly, size_t size, struct krg_container **out)
{
	int err = make_handle(fd, readonly, out);

	if (err)
		close(fd);
	else
		(*out)->size = size;
	return err;
}

KRG_API int krg_container_open(const char *name, unsigned int flags, struct krg_container **out)
{
	bool readonly = flags & KRG_CONTAINER_READONLY;
	size_t size = 0;
	int fd, err;

	*out = NULL;
	err = check_name(name, &name);
	if (!err)
		err = check_flags(flags);
	if (err)
		return err;
	fd = open_file(name, readonly ? O_RDONLY : O_RDWR, &size);
	return fd < 0 ? fd : make_opened(fd, readonly, size, out);
}

/* A copy on another file system is no memory of the cluster. */
static int check_place(int fd)
{
	int place = open_place(), err = 0;
	struct stat here, there;

	if (place < 0)
		return place;
	if (fstat(fd, &here) || fstat(place, &there))
		err = fail_because(errno, "the descriptor");
	else if (here.st_dev != there.st_dev)
		err = container_fail(-EBADMSG, "the descriptor is no container: it is on another file system");
	close(place);
	return err;
}

KRG_API int krg_container_adopt(int fd, unsigned int flags, struct krg_container **out)
{
	bool readonly = flags & KRG_CONTAINER_READONLY;
	int access = fcntl(fd, F_GETFL), own, err;
	size_t size;

	*out = NULL;
	err = check_flags(flags);
	if (err)
		return err;
	if (access < 0)
		return fail_because(errno, "the descriptor");
	if (!readonly && (access & O_ACCMODE) != O_RDWR)
		return container_fail(-EACCES, "the descriptor is not for writing");
	err = check_file(fd, "the descriptor", &size);
	if (!err)
		err = check_place(fd);
	if (err)
		return err;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return own < 0 ? fail_because(errno, "the descriptor") : make_opened(own, readonly, size, out);
}

KRG_API void krg_container_close(struct krg_container *c)
{
	if (!c)
		return;
	if (c->data)
		munmap(c->data, c->size);
	munmap(c->head, CONTAINER_PAGE);
	close(c->fd);
	pthread_mutex_destroy(&c->mapping);
	free(c);
}

/* Other files are not ours to remove; whether one that can't be read is, its owner knows. */
static int check_named(int place, const char *name)
{
	int fd = openat(place, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), err;
	size_t size;

	if (fd < 0 && errno == EACCES)
		return 0;
	if (fd < 0 && errno == ELOOP)
		return container_fail(-EBADMSG, "%s is no container", name);
	if (fd < 0)
		return fail_because(errno, name);
	err = check_file(fd, name, &size);
	close(fd);
	return err == -EPROTO ? 0 : err;
}

KRG_API int krg_container_destroy(const char *name)
{
	int place = open_place_of(name, &name), err;

	if (place < 0)
		return place;
	err = check_named(place, name);
	if (!err && unlinkat(place, name, 0))
		err = fail_because(errno == EPERM ? EACCES : errno, name);
	close(place);
	return err;
}

KRG_API size_t krg_container_size(const struct krg_container *c)
{
	return c->size;
}

KRG_API int krg_container_map(struct krg_container *c, void **at)
{
	int prot = c->readonly ? PROT_READ : PROT_READ | PROT_WRITE, err = 0;

	pthread_mutex_lock(&c->mapping);
	if (!c->data) {
		void *data = mmap(NULL, c->size, prot, MAP_SHARED, c->fd, CONTAINER_PAGE);

		if (data == MAP_FAILED)
			err = fail_because(errno, "mapping it");
		else
			c->data = data;
	}
	*at = c->data;
	pthread_mutex_unlock(&c->mapping);
	return err;
}

KRG_API int krg_container_unmap(struct krg_container *c)
{
	int err = 0;

	pthread_mutex_lock(&c->mapping);
	if (!c->data)
		err = container_fail(-EINVAL, "it is not mapped");
	else
		munmap(c->data, c->size);
	c->data = NULL;
	pthread_mutex_unlock(&c->mapping);
	return err;
}
