/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What programs that share memory with other nodes need: a mapped file, accesses that
 * the CPU sees as they are written, barriers of spinning on words in that memory.
 */
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shared
{

constexpr size_t page_size = 4096;
constexpr size_t page_words = page_size / sizeof(uint64_t);

[[noreturn]] inline void die(const std::string &what)
{
	std::perror(what.c_str());
	std::exit(1);
}

inline uint64_t load(const uint64_t *at)
{
	uint64_t value;

	asm volatile("movq %1, %0" : "=r"(value) : "m"(*at) : "memory");
	return value;
}

inline void store(uint64_t *at, uint64_t value)
{
	asm volatile("movq %1, %0" : "=m"(*at) : "r"(value) : "memory");
}

inline void fence()
{
	asm volatile("mfence" ::: "memory");
}

inline uint64_t exchange(uint64_t *at, uint64_t value)
{
	asm volatile("xchgq %0, %1" : "+r"(value), "+m"(*at)::"memory");
	return value;
}

inline uint64_t add(uint64_t *at, uint64_t value)
{
	asm volatile("lock xaddq %0, %1" : "+r"(value), "+m"(*at)::"memory");
	return value;
}

inline double seconds()
{
	timespec t{};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

inline void pause(unsigned long times)
{
	while (times--)
		asm volatile("pause");
}

/* A file, mapped; node 0 makes it, the others wait until it has its size. */
class Memory
{
public:
	Memory(const std::string &path, size_t bytes, bool make) : bytes_(bytes)
	{
		const int fd = make ? create(path) : await(path);

		at_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (at_ == MAP_FAILED)
			die("mmap " + path);
		::close(fd);
	}
	~Memory() { ::munmap(at_, bytes_); }
	Memory(const Memory &) = delete;
	Memory &operator=(const Memory &) = delete;
	[[nodiscard]] uint64_t *words() const { return static_cast<uint64_t *>(at_); }
	[[nodiscard]] size_t bytes() const { return bytes_; }

private:
	int create(const std::string &path) const
	{
		const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);

		if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(bytes_)))
			die(path);
		return fd;
	}
	[[nodiscard]] int await(const std::string &path) const
	{
		const double limit = seconds() + 30;
		struct stat st {
		};

		for (;;) {
			const int fd = ::open(path.c_str(), O_RDWR);
			if (fd >= 0 && !::fstat(fd, &st) && static_cast<size_t>(st.st_size) == bytes_)
				return fd;
			if (fd >= 0)
				::close(fd);
			if (seconds() > limit)
				die(path + " is not made");
			::usleep(10000);
		}
	}
	size_t bytes_;
	void *at_;
};

/* One word a node, in pages of their own, says how far the node is. */
class Barrier
{
public:
	Barrier(uint64_t *words, unsigned me, unsigned nodes) : words_(words), me_(me), nodes_(nodes) {}
	void arrive() { store(words_ + me_ * page_words, ++phase_); }
	/* Is every node where we are. */
	[[nodiscard]] bool complete() const
	{
		for (unsigned n = 0; n < nodes_; n++)
			if (n != me_ && load(words_ + n * page_words) < phase_)
				return false;
		return true;
	}
	void wait()
	{
		arrive();
		await();
	}
	void await() const
	{
		const double limit = seconds() + 60;

		for (unsigned n = 0; n < nodes_; n++)
			while (n != me_ && load(words_ + n * page_words) < phase_) {
				sched_yield();
				if (seconds() > limit) {
					std::fprintf(stderr, "node %u does not come to barrier %ju\n", n,
						     static_cast<uintmax_t>(phase_));
					std::exit(1);
				}
			}
	}

private:
	uint64_t *words_;
	unsigned me_;
	unsigned nodes_;
	uint64_t phase_ = 0;
};

} // namespace shared
