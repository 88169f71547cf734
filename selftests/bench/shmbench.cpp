// SPDX-License-Identifier: GPL-2.0-only
//
// shmbench: what shared memory costs a program that knows nothing of it.
//
//   shmbench fill FILE PAGES          makes the file, writes to every page
//   shmbench read FILE PAGES          reads a word of each page, in no order; prints the
//                                     median and the 99.9th percentile of a read in us
//   shmbench write FILE PAGES         the same with a write
//   shmbench stream FILE PAGES        reads all of it in order; prints MiB/s
//   shmbench count FILE WORD MS       adds to one word of the first page; prints how often
//   shmbench locks FILE PAGES         makes a mutex and two semaphores in the first page
//   shmbench lock FILE TIMES          locks and unlocks, posts and waits, alone
//   shmbench handoff FILE WHO TIMES   two (WHO 0 and 1) that wake each other in turns by those
//                                     semaphores; 0 prints the median time of one turn in us
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <pthread.h>
#include <random>
#include <semaphore.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace
{

using Clock = std::chrono::steady_clock;

constexpr size_t page = 4096;
constexpr size_t words = page / sizeof(uint64_t);

[[noreturn]] void die(const char *what)
{
	std::perror(what);
	std::exit(1);
}

// A file of so many pages, mapped.
class Memory
{
public:
	Memory(const char *path, size_t pages, bool make) : size_(pages * page)
	{
		const int fd = ::open(path, make ? O_RDWR | O_CREAT : O_RDWR, 0600);
		if (fd < 0)
			die(path);
		if (make && ::ftruncate(fd, static_cast<off_t>(size_)))
			die("ftruncate");
		map_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map_ == MAP_FAILED)
			die("mmap");
		::close(fd);
	}
	~Memory() { ::munmap(map_, size_); }
	Memory(const Memory &) = delete;
	Memory &operator=(const Memory &) = delete;
	[[nodiscard]] volatile uint64_t *at(size_t n) const
	{
		return static_cast<volatile uint64_t *>(map_) + n * words;
	}
	[[nodiscard]] size_t pages() const { return size_ / page; }
	[[nodiscard]] size_t size() const { return size_; }
	[[nodiscard]] const void *bytes() const { return map_; }

private:
	size_t size_;
	void *map_;
};

double since(Clock::time_point t)
{
	return std::chrono::duration<double, std::micro>(Clock::now() - t).count();
}

int fill(const Memory &m)
{
	for (size_t i = 0; i < m.pages(); i++)
		for (size_t w = 0; w < words; w++)
			m.at(i)[w] = i + w;
	return 0;
}

int touch(const Memory &m, bool write)
{
	std::vector<size_t> order(m.pages());
	std::vector<double> us;
	std::mt19937 random(1);
	uint64_t wrong = 0;

	std::iota(order.begin(), order.end(), 0);
	std::shuffle(order.begin(), order.end(), random);
	for (const size_t i : order) {
		const auto t = Clock::now();
		if (write)
			m.at(i)[1] = i + 1;
		else
			wrong += m.at(i)[1] != i + 1;
		us.push_back(since(t));
	}
	std::sort(us.begin(), us.end());
	std::printf("%.1f %.1f\n", us[us.size() / 2], us[us.size() * 999 / 1000]);
	if (wrong)
		std::fprintf(stderr, "%ju pages are not what was written\n", static_cast<uintmax_t>(wrong));
	return wrong != 0;
}

int stream(const Memory &m)
{
	const auto t = Clock::now();
	uint64_t wrong = 0;

	for (size_t i = 0; i < m.pages(); i++)
		wrong += m.at(i)[1] != i + 1;
	std::printf("%.3f\n", static_cast<double>(m.size()) / (1 << 20) / (since(t) / 1e6));
	return wrong != 0;
}

int count(const Memory &m, size_t word, double ms)
{
	const auto t = Clock::now();
	uint64_t n = 0;

	while (since(t) < ms * 1000)
		for (int i = 0; i < 100; i++, n++)
			m.at(0)[word] = m.at(0)[word] + 1;
	std::printf("%ju\n", static_cast<uintmax_t>(n));
	return 0;
}

struct Locks {
	pthread_mutex_t mutex;
	sem_t turn[2];
};

Locks *locks(const Memory &m)
{
	return static_cast<Locks *>(const_cast<void *>(m.bytes()));
}

int makelocks(const Memory &m)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (pthread_mutex_init(&locks(m)->mutex, &attr))
		die("pthread_mutex_init");
	for (sem_t &turn : locks(m)->turn)
		if (sem_init(&turn, 1, 0))
			die("sem_init");
	return 0;
}

int lock(const Memory &m, size_t times)
{
	Locks *l = locks(m);

	for (size_t i = 0; i < times; i++)
		if (pthread_mutex_lock(&l->mutex) || pthread_mutex_unlock(&l->mutex) || sem_post(l->turn) ||
		    sem_wait(l->turn))
			die("lock");
	return 0;
}

int handoff(const Memory &m, size_t who, size_t times)
{
	sem_t *turn = locks(m)->turn;
	std::vector<double> us;

	for (size_t i = 0; i < times; i++) {
		const auto t = Clock::now();
		if (who == 0 && sem_post(&turn[1]))
			die("sem_post");
		if (sem_wait(&turn[who]))
			die("sem_wait");
		us.push_back(since(t) / 2);
		if (who == 1 && sem_post(&turn[0]))
			die("sem_post");
	}
	std::sort(us.begin(), us.end());
	if (who == 0)
		std::printf("%.1f\n", us[us.size() / 2]);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc > 3 ? argv[1] : "";
	const size_t number = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 0;

	if (what == "count" && argc == 5 && number < words)
		return count(Memory(argv[2], 1, false), number, std::atof(argv[4]));
	if (what == "handoff" && argc == 5 && number < 2)
		return handoff(Memory(argv[2], 1, false), number, std::strtoul(argv[4], nullptr, 10));
	if (what == "lock" && argc == 4)
		return lock(Memory(argv[2], 1, false), number);
	if (argc == 4 && number) {
		const Memory m(argv[2], number, what == "fill" || what == "locks");
		if (what == "locks")
			return makelocks(m);
		if (what == "fill")
			return fill(m);
		if (what == "read" || what == "write")
			return touch(m, what == "write");
		if (what == "stream")
			return stream(m);
	}
	std::fprintf(stderr, "usage: shmbench fill|read|write|stream|locks FILE PAGES | "
			     "lock FILE TIMES | count|handoff FILE WHO TIMES\n");
	return 2;
}
