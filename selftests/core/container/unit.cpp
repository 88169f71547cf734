// SPDX-License-Identifier: GPL-2.0-only
/* Containers as container.h has them, each error included, on this machine's tmpfs. */
#include "../tap.hpp"

#include <krg/container.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace
{

const std::string name = "/krg.unit." + std::to_string(getpid());
const std::string path = "/dev/shm" + name;

/* Runs in a child, whose exit status says whether it was true. */
pid_t child(const std::function<bool()> &what)
{
	const pid_t pid = fork();

	if (!pid)
		_exit(what() ? 0 : 1);
	return pid;
}
bool good(pid_t pid)
{
	int status = 1;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

void names()
{
	static const struct {
		const char *name;
		int error;
	} rows[] = {
	    {"", -EINVAL},   {"/", -EINVAL}, {"//a", -EINVAL}, {"/a/b", -EINVAL},
	    {"a/", -EINVAL}, {".", -EINVAL}, {"/..", -EINVAL}, {nullptr, -EINVAL},
	};
	krg_container *c = nullptr;

	for (const auto &row : rows) {
		const bool all = krg_container_create(row.name, 1, 0600, &c) == row.error &&
				 krg_container_open(row.name, 0, &c) == row.error &&
				 krg_container_destroy(row.name) == row.error;
		tap::ok(all && !c && *krg_container_error(),
			std::string("no name: '") + (row.name ? row.name : "(null)") + "'");
	}
	const std::string longest(255, 'n'), longer(256, 'n');
	tap::ok(krg_container_create(longer.c_str(), 1, 0600, &c) == -ENAMETOOLONG, "256 bytes are too long");
	bool fits = krg_container_create(("/" + longest).c_str(), 1, 0600, &c) == 0;
	krg_container_close(c);
	fits = fits && krg_container_destroy(longest.c_str()) == 0;
	tap::ok(fits, "255 are not");
}

void sizes()
{
	krg_container *c = nullptr;
	struct stat st {
	};

	tap::ok(krg_container_create(name.c_str(), 0, 0600, &c) == -EINVAL, "no bytes: refused");
	tap::ok(krg_container_create(name.c_str(), SIZE_MAX, 0600, &c) == -EFBIG, "too many: refused");
	tap::ok(krg_container_create(name.c_str(), 1, 01600, &c) == -EINVAL, "a mode with more in it: refused");
	const mode_t old = umask(027);
	tap::ok(krg_container_create(name.c_str(), 5000, 0666, &c) == 0, "made");
	umask(old);
	tap::ok(krg_container_size(c) == 8192, "its size is whole pages");
	tap::ok(stat(path.c_str(), &st) == 0 && (st.st_mode & 07777) == 0640, "its mode is less the umask");
	krg_container *again = nullptr;
	tap::ok(krg_container_create(name.c_str(), 1, 0600, &again) == -EEXIST && !again, "it is made once");
	tap::ok(krg_container_open(name.c_str(), 2, &again) == -EINVAL, "unknown flags: refused");
	tap::ok(krg_container_open(name.c_str() + 1, 0, &again) == 0 && krg_container_size(again) == 8192,
		"opened, without the slash");
	krg_container_close(again);
	tap::ok(krg_container_destroy(name.c_str()) == 0, "destroyed");
	tap::ok(krg_container_destroy(name.c_str()) == -ENOENT, "once");
	tap::ok(krg_container_open(name.c_str(), 0, &again) == -ENOENT, "it can't be opened any more");
	void *at = nullptr;
	tap::ok(krg_container_map(c, &at) == 0 && (*static_cast<char *>(at) = 1), "who has it keeps it");
	krg_container_close(c);
	krg_container_close(nullptr);
}

void write_at(off_t where, const void *what, size_t size)
{
	const int fd = open(path.c_str(), O_WRONLY | O_CREAT, 0600);

	if (pwrite(fd, what, size, where) != static_cast<ssize_t>(size))
		abort();
	close(fd);
}

void anonymous()
{
	krg_container *c = nullptr, *other = nullptr;
	void *at = nullptr;
	const int zero = open("/dev/zero", O_RDWR);

	tap::ok(krg_container_anonymous(0, 0600, &c) == -EINVAL && !c, "anonymous, of no bytes: refused");
	tap::ok(krg_container_anonymous(100, 0640, &c) == 0 && krg_container_map(c, &at) == 0, "anonymous: made");
	tap::ok(access(path.c_str(), F_OK) != 0, "it has no name");
	volatile auto *word = static_cast<volatile uint64_t *>(at);
	*word = 1;
	tap::ok(good(child([&] { return krg_container_add(c, 0, 8, 41, nullptr) == 0; })) && *word == 42,
		"a child has the same");
	tap::ok(krg_container_adopt(krg_container_fd(c), 0, &other) == 0 && krg_container_size(other) == 4096,
		"adopted by its descriptor");
	krg_container_close(c);
	tap::ok(krg_container_map(other, &at) == 0 && *static_cast<uint64_t *>(at) == 42,
		"it stays with the second handle");
	tap::ok(krg_container_link(other, "/a/b") == -EINVAL, "link: the rules of names hold");
	tap::ok(krg_container_link(other, name.c_str()) == 0 && krg_container_link(other, name.c_str()) == -EEXIST,
		"it gets a name, once");
	tap::ok(krg_container_open(name.c_str(), KRG_CONTAINER_READONLY, &c) == 0, "by which it is opened");
	krg_container_close(other);
	tap::ok(krg_container_adopt(krg_container_fd(c), 0, &other) == -EACCES && !other,
		"a descriptor for reading is no more");
	tap::ok(krg_container_adopt(krg_container_fd(c), KRG_CONTAINER_READONLY, &other) == 0, "but that");
	tap::ok(krg_container_destroy(name.c_str()) == 0 && krg_container_link(c, name.c_str()) == -ENOENT,
		"destroyed it gets no name any more");
	krg_container_close(other);
	krg_container_close(c);
	tap::ok(krg_container_adopt(zero, 0, &c) == -EBADMSG && !c && *krg_container_error(),
		"another file is no container");
	close(zero);
	tap::ok(krg_container_adopt(zero, 0, &c) == -EBADF && krg_container_adopt(0, 2, &c) == -EINVAL,
		"nor is none; unknown flags are refused");
	auto owner = krg::container::anonymous(64);
	auto again = krg::container::adopt(owner.fd());
	owner.store<uint32_t>(8, 7);
	again.link(name);
	tap::ok(krg::container::open(name).load<uint32_t>(8) == 7, "the same in C++");
	krg::container::destroy(name);
}

/* Files that are not what they should be. */
void strangers()
{
	krg_container *c = nullptr;
	const char text[] = "some other file";
	const uint32_t version = 2;
	const auto refused = [&](int error) {
		return krg_container_open(name.c_str(), 0, &c) == error && !c && *krg_container_error();
	};

	write_at(0, text, sizeof(text));
	tap::ok(refused(-EBADMSG), "a short file is no container");
	tap::ok(krg_container_destroy(name.c_str()) == -EBADMSG, "and not removed");
	write_at(8192, text, sizeof(text));
	tap::ok(refused(-EBADMSG), "nor is a long one");
	unlink(path.c_str());
	mkdir(path.c_str(), 0700);
	tap::ok(krg_container_destroy(name.c_str()) < 0, "a directory is not removed");
	rmdir(path.c_str());
	if (symlink("/dev/null", path.c_str()))
		abort();
	tap::ok(krg_container_open(name.c_str(), 0, &c) < 0 && krg_container_destroy(name.c_str()) == -EBADMSG,
		"links are not followed");
	unlink(path.c_str());
	krg::container::create(name, 100);
	write_at(8, &version, sizeof(version));
	tap::ok(refused(-EPROTO), std::string("another version: ") + krg_container_error());
	krg::container::destroy(name);
	krg::container::create(name, 100);
	if (truncate(path.c_str(), 4096 * 5))
		abort();
	tap::ok(refused(-EBADMSG), "one whose size somebody has changed");
	unlink(path.c_str());
}

void mapping()
{
	krg_container *c = nullptr, *other = nullptr;
	void *at = nullptr, *again = nullptr;

	krg_container_create(name.c_str(), 8192, 0600, &c);
	krg_container_open(name.c_str(), 0, &other);
	tap::ok(krg_container_unmap(c) == -EINVAL, "unmap of what is not mapped");
	tap::ok(krg_container_map(c, &at) == 0 && krg_container_map(c, &again) == 0 && at == again,
		"mapped twice is mapped once");
	tap::ok(!memcmp(at, std::string(8192, '\0').data(), 8192), "zeroes at first");
	strcpy(static_cast<char *>(at) + 8000, "hello");
	tap::ok(krg_container_map(other, &again) == 0 && at != again &&
		    !strcmp(static_cast<char *>(again) + 8000, "hello"),
		"two handles, one memory");
	tap::ok(krg_container_unmap(c) == 0 && krg_container_unmap(c) == -EINVAL, "unmapped");
	krg_container_close(c);
	krg_container_close(other);
	krg_container_destroy(name.c_str());
}

void atomics()
{
	krg_container *c = nullptr;
	void *at = nullptr;
	uint64_t value = 0;

	krg_container_create(name.c_str(), 4096, 0600, &c);
	tap::ok(krg_container_load(c, 0, 8, &value) == -ENXIO, "not mapped yet");
	krg_container_map(c, &at);
	for (const unsigned width : {0u, 3u, 16u})
		tap::ok(krg_container_load(c, 0, width, &value) == -EINVAL, "no width: " + std::to_string(width));
	tap::ok(krg_container_load(c, 2, 4, &value) == -EINVAL, "not aligned");
	tap::ok(krg_container_load(c, 4096, 1, &value) == -EINVAL, "beyond the end");
	tap::ok(krg_container_load(c, SIZE_MAX - 7, 8, &value) == -EINVAL, "far beyond");
	tap::ok(krg_container_store(c, 0, 2, 0x10000) == -ERANGE, "too large to store");
	tap::ok(krg_container_add(c, 0, 1, 256, nullptr) == -ERANGE, "to add");
	value = 256;
	tap::ok(krg_container_cas(c, 0, 1, &value, 1) == -ERANGE, "to compare with");
	for (const unsigned width : {1u, 2u, 4u, 8u}) {
		const uint64_t top = width == 8 ? ~0ull : (1ull << 8 * width) - 1;
		bool all = krg_container_store(c, 64, 8, 0) == 0;

		all = all && krg_container_store(c, 64, width, top) == 0;
		all = all && krg_container_load(c, 64, width, &value) == 0 && value == top;
		all = all && krg_container_add(c, 64, width, 3, &value) == 0 && value == top;
		all = all && krg_container_load(c, 64, 8, &value) == 0 && value == 2;
		value = 1;
		all = all && krg_container_cas(c, 64, width, &value, 9) == -EAGAIN && value == 2;
		all = all && krg_container_cas(c, 64, width, &value, 9) == 0;
		all = all && krg_container_load(c, 64, 8, &value) == 0 && value == 9;
		tap::ok(all, "load, store, add, compare and swap, " + std::to_string(width) + " bytes");
	}
	krg_container_close(c);
	auto mine = krg::container::open(name);
	const auto add = [&] {
		for (int i = 0; i < 50000; i++)
			mine.add<uint32_t>(128, 1);
		return true;
	};
	const pid_t other = child(add);
	add();
	tap::ok(good(other) && mine.load<uint32_t>(128) == 100000, "two processes add: nothing is lost");
	mine.store<int32_t>(256, -5);
	tap::ok(mine.add<int32_t>(256, 2) == -5 && mine.load<int32_t>(256) == -3, "C++: negative integers");
	krg::container::destroy(name);
}

void read_only()
{
	auto c = krg::container::create(name, 4096);
	auto r = krg::container::open(name, KRG_CONTAINER_READONLY);
	krg_container *raw = nullptr;
	uint64_t value = 7;

	krg_container_open(name.c_str(), KRG_CONTAINER_READONLY, &raw);
	void *at = nullptr;
	krg_container_map(raw, &at);
	c.store<uint64_t>(8, 7);
	tap::ok(r.load<uint64_t>(8) == 7, "read-only: loads");
	bool refused = krg_container_store(raw, 8, 8, 1) == -EACCES &&
		       krg_container_add(raw, 8, 8, 1, nullptr) == -EACCES &&
		       krg_container_cas(raw, 8, 8, &value, 1) == -EACCES && krg_container_lock(raw) == -EACCES &&
		       krg_container_trylock(raw) == -EACCES && krg_container_unlock(raw) == -EACCES &&
		       krg_container_consistent(raw) == -EACCES && krg_container_notify(raw) == -EACCES;
	tap::ok(refused, "and nothing else");
	uint32_t generation = r.generation();
	c.notify();
	tap::ok(r.watch(generation, std::chrono::milliseconds(0)), "but watches");
	krg_container_close(raw);
	chmod(path.c_str(), 0400);
	const pid_t pid = child([] {
		krg_container *mine = nullptr;
		if (setgid(65534) || setuid(65534))
			return false;
		return krg_container_open(name.c_str(), 0, &mine) == -EACCES &&
		       krg_container_open(name.c_str(), KRG_CONTAINER_READONLY, &mine) == -EACCES &&
		       krg_container_destroy(name.c_str()) == -EACCES;
	});
	tap::ok(good(pid), "others may not");
	krg::container::destroy(name);
}

void locking()
{
	auto c = krg::container::create(name, 4096);
	krg_container *raw = nullptr;
	auto *count = c.data<uint64_t>();

	krg_container_open(name.c_str(), 0, &raw);
	tap::ok(krg_container_unlock(raw) == -EPERM, "unlock of what is not locked");
	tap::ok(krg_container_consistent(raw) == -EINVAL, "consistent without need");
	tap::ok(krg_container_lock(raw) == 0 && krg_container_lock(raw) == -EDEADLK, "no lock twice");
	tap::ok(good(child([&] {
			auto mine = krg::container::open(name);
			krg_container *other = nullptr;
			krg_container_open(name.c_str(), 0, &other);
			return krg_container_trylock(other) == -EBUSY && krg_container_unlock(other) == -EPERM;
		})),
		"another process does not get it");
	krg_container_unlock(raw);
	const auto add = [&] {
		auto mine = krg::container::open(name);
		for (int i = 0; i < 20000; i++) {
			krg::container::lock hold(mine);
			++*mine.data<uint64_t>();
		}
		return true;
	};
	const pid_t a = child(add), b = child(add);
	tap::ok(good(a) && good(b) && *count == 40000, "two processes under the lock: nothing is lost");
	tap::ok(good(child([&] { return krg_container_lock(raw) == 0; })), "an owner dies");
	tap::ok(krg_container_lock(raw) == -EOWNERDEAD, std::string("the next is told: ") + krg_container_error());
	tap::ok(krg_container_consistent(raw) == 0 && krg_container_unlock(raw) == 0 && krg_container_lock(raw) == 0 &&
		    krg_container_unlock(raw) == 0,
		"made right it is as before");
	tap::ok(good(child([&] { return krg_container_lock(raw) == 0; })), "another owner dies");
	{
		krg::container::lock hold(c);
		tap::ok(hold.orphaned(), "C++: the lock says so");
		hold.consistent();
	}
	tap::ok(good(child([&] { return krg_container_lock(raw) == 0; })), "a third one");
	tap::ok(krg_container_trylock(raw) == -EOWNERDEAD && krg_container_unlock(raw) == 0 &&
		    krg_container_lock(raw) == -ENOTRECOVERABLE && krg_container_trylock(raw) == -ENOTRECOVERABLE,
		"unlocked as it is, it is lost");
	krg_container_close(raw);
	krg::container::destroy(name);
}

void on_signal(int) {}

void watching()
{
	auto c = krg::container::create(name, 4096);
	uint32_t generation = c.generation();
	const uint32_t first = generation;
	const auto until = [](int ms) { return std::chrono::milliseconds(ms); };

	tap::ok(!c.watch(generation, until(0)) && !c.watch(generation, until(20)) && generation == first,
		"nothing new: in time it gives up");
	c.notify();
	c.notify();
	tap::ok(c.watch(generation) && generation == first + 2, "what was said before is not missed");
	const pid_t pid = child([&] {
		auto mine = krg::container::open(name);
		for (uint32_t n = 0; n < 2000; n++) {
			mine.store<uint32_t>(0, n + 1);
			mine.notify();
			uint32_t seen = mine.generation();
			while (mine.load<uint32_t>(4) != n + 1)
				mine.watch(seen);
		}
		return true;
	});
	for (uint32_t n = 0; n < 2000; n++) {
		while (generation = c.generation(), c.load<uint32_t>(0) != n + 1)
			c.watch(generation);
		c.store<uint32_t>(4, n + 1);
		c.notify();
	}
	tap::ok(good(pid), "two processes take turns, 2000 times");
	struct sigaction act {
	};
	act.sa_handler = on_signal;
	sigaction(SIGUSR1, &act, nullptr);
	generation = c.generation();
	const pid_t teller = child([me = getpid()] {
		for (int i = 0; i < 100; i++) {
			kill(me, SIGUSR1);
			usleep(10000);
		}
		return true;
	});
	krg_container *raw = nullptr;
	krg_container_open(name.c_str(), 0, &raw);
	tap::ok(krg_container_watch(raw, &generation, -1) == -EINTR, "a signal ends it");
	tap::ok(krg_container_watch(raw, &generation, -2) == -EINVAL, "a time that is none");
	kill(teller, SIGKILL);
	waitpid(teller, nullptr, 0);
	krg_container_close(raw);
	krg::container::destroy(name);
}

void cxx()
{
	struct Big {
		char bytes[100000];
	};
	auto a = krg::container::create(name, 4096);
	auto b = std::move(a);
	bool thrown = false;

	b = krg::container::open(name);
	tap::ok(b.size() == 4096 && b.data(), "C++: handles move");
	try {
		(void)b.data<Big>();
	} catch (const std::system_error &e) {
		thrown = e.code().value() == ERANGE;
	}
	tap::ok(thrown, "C++: an object larger than the container");
	krg::container::destroy(name);
	try {
		krg::container::open(name);
	} catch (const krg::error &e) {
		thrown = thrown && e.code() == std::errc::no_such_file_or_directory;
		tap::ok(thrown, std::string("C++: errors say why: ") + e.what());
	}
}

} // namespace

int main()
{
	names();
	sizes();
	anonymous();
	strangers();
	mapping();
	atomics();
	read_only();
	locking();
	watching();
	cxx();
	return tap::end();
}
