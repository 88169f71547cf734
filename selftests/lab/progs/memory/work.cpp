// SPDX-License-Identifier: GPL-2.0-only
/*
 * work: programs of the kind that memory shared by nodes is for. All processes at once,
 * ME = 0..COUNT-1, on whatever nodes.
 *
 *   work send FILE MIB              a stream through a ring buffer; prints its checksum
 *   work receive FILE MIB           the other end; prints the checksum of what comes
 *   work stencil FILE ME COUNT SIDE STEPS
 *                                   Jacobi's method on a plate, a band of rows each
 *   work product FILE ME COUNT SIDE
 *                                   product of two matrices, a band of rows each
 *
 * Process 0 of the last two does it all alone as well, in memory of its own, and
 * compares bit by bit: "same", or where the first difference is.
 */
#include "shared.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <vector>

using shared::page_words;

namespace
{

constexpr size_t barrier_pages = 8;

/* ---- ring buffer: one writes, one reads; how far each is has a page of its own */

constexpr size_t slot_words = 8192;
constexpr size_t slots = 16;
constexpr size_t ring_words = 2 * page_words + slots * slot_words;

class Random
{
public:
	uint64_t next()
	{
		state_ ^= state_ << 13;
		state_ ^= state_ >> 7;
		return state_ ^= state_ << 17;
	}

private:
	uint64_t state_ = 88172645463325252ull;
};

/* Order matters to it. */
class Sum
{
public:
	void add(uint64_t word) { sum_ = (sum_ ^ word) * 0x100000001b3ull + (sum_ >> 47); }
	void print() const { std::printf("%016jx\n", static_cast<uintmax_t>(sum_)); }

private:
	uint64_t sum_ = 0xcbf29ce484222325ull;
};

void until(const std::function<bool()> &what)
{
	const double limit = shared::seconds() + 60;

	while (!what()) {
		sched_yield();
		if (shared::seconds() > limit) {
			std::fprintf(stderr, "the other end does not go on\n");
			std::exit(1);
		}
	}
}

int send(const std::string &path, size_t mib)
{
	const shared::Memory memory(path, ring_words * sizeof(uint64_t), true);
	uint64_t *sent = memory.words(), *received = sent + page_words, *ring = sent + 2 * page_words;
	Random random;
	Sum sum;

	for (size_t n = 0; n < mib * (1 << 20) / (slot_words * sizeof(uint64_t)); n++) {
		until([&] { return n - shared::load(received) < slots; });
		for (size_t i = 0; i < slot_words; i++) {
			const uint64_t word = random.next();
			shared::store(ring + n % slots * slot_words + i, word);
			sum.add(word);
		}
		shared::store(sent, n + 1);
	}
	until([&] { return shared::load(received) == shared::load(sent); });
	sum.print();
	return 0;
}

int receive(const std::string &path, size_t mib)
{
	const shared::Memory memory(path, ring_words * sizeof(uint64_t), false);
	uint64_t *sent = memory.words(), *received = sent + page_words, *ring = sent + 2 * page_words;
	Sum sum;

	for (size_t n = 0; n < mib * (1 << 20) / (slot_words * sizeof(uint64_t)); n++) {
		until([&] { return shared::load(sent) > n; });
		for (size_t i = 0; i < slot_words; i++)
			sum.add(shared::load(ring + n % slots * slot_words + i));
		shared::store(received, n + 1);
	}
	sum.print();
	return 0;
}

/* ---- numbers */

struct Band {
	size_t first, end;
	Band(size_t side, unsigned me, unsigned count) : first(side * me / count), end(side * (me + 1) / count) {}
};

/* The borders are warm on one side, by a sine so that no two points are alike. */
void heat(double *plate, size_t side)
{
	for (size_t i = 0; i < side; i++)
		plate[i] = 100 * std::sin(static_cast<double>(i + 1) / 7);
}

void relax(const double *from, double *to, size_t side, const Band &band)
{
	for (size_t r = std::max<size_t>(band.first, 1); r < std::min(band.end, side - 1); r++)
		for (size_t c = 1; c < side - 1; c++) {
			const double *at = from + r * side + c;
			to[r * side + c] = (at[-1] + at[1] + at[-static_cast<ptrdiff_t>(side)] + at[side]) / 4;
		}
}

void multiply(const double *a, const double *b, double *out, size_t side, const Band &band)
{
	for (size_t r = band.first; r < band.end; r++)
		for (size_t c = 0; c < side; c++) {
			double sum = 0;
			for (size_t k = 0; k < side; k++)
				sum += a[r * side + k] * b[k * side + c];
			out[r * side + c] = sum;
		}
}

int compare(const double *got, const double *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (std::memcmp(got + i, want + i, sizeof(double)) != 0) {
			std::printf("number %zu is %g, should be %g\n", i, got[i], want[i]);
			return 1;
		}
	std::printf("same\n");
	return 0;
}

/* Barriers, then so many arrays of numbers, each beginning with a page. */
class Arrays
{
public:
	Arrays(const std::string &path, unsigned me, unsigned count, size_t numbers, size_t arrays)
	    : stride_((numbers + page_words - 1) / page_words * page_words),
	      memory_(path, (barrier_pages * page_words + arrays * stride_) * sizeof(double), me == 0),
	      barrier(memory_.words(), me, count)
	{
	}
	[[nodiscard]] double *at(size_t n) const
	{
		return reinterpret_cast<double *>(memory_.words() + barrier_pages * page_words) + n * stride_;
	}

private:
	size_t stride_;
	shared::Memory memory_;

public:
	shared::Barrier barrier;
};

int stencil(const std::string &path, unsigned me, unsigned count, size_t side, size_t steps)
{
	Arrays plates(path, me, count, side * side, 2);
	const Band band(side, me, count), all(side, 0, 1);

	if (me == 0)
		for (const size_t n : {0, 1})
			heat(plates.at(n), side);
	plates.barrier.wait();
	for (size_t s = 0; s < steps; s++) {
		relax(plates.at(s % 2), plates.at(1 - s % 2), side, band);
		plates.barrier.wait();
	}
	std::vector<double> alone[2] = {std::vector<double>(side * side), std::vector<double>(side * side)};
	for (size_t s = 0; me == 0 && s < steps; s++) {
		if (s == 0)
			for (auto &plate : alone)
				heat(plate.data(), side);
		relax(alone[s % 2].data(), alone[1 - s % 2].data(), side, all);
	}
	return me ? 0 : compare(plates.at(steps % 2), alone[steps % 2].data(), side * side);
}

int product(const std::string &path, unsigned me, unsigned count, size_t side)
{
	Arrays m(path, me, count, side * side, 3);
	const Band band(side, me, count);

	/* Each fills its band of both, and needs all of the second. */
	for (size_t i = band.first * side; i < band.end * side; i++) {
		m.at(0)[i] = std::sin(static_cast<double>(i));
		m.at(1)[i] = std::cos(static_cast<double>(i) / 3);
	}
	m.barrier.wait();
	multiply(m.at(0), m.at(1), m.at(2), side, band);
	m.barrier.wait();
	if (me)
		return 0;
	std::vector<double> a(side * side), b(side * side), out(side * side);
	for (size_t i = 0; i < side * side; i++) {
		a[i] = std::sin(static_cast<double>(i));
		b[i] = std::cos(static_cast<double>(i) / 3);
	}
	multiply(a.data(), b.data(), out.data(), side, Band(side, 0, 1));
	return compare(m.at(2), out.data(), side * side);
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc > 1 ? argv[1] : "";
	const auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };
	const auto small = [&](int i) { return static_cast<unsigned>(number(i)); };

	if (what == "send" && argc == 4)
		return send(argv[2], number(3));
	if (what == "receive" && argc == 4)
		return receive(argv[2], number(3));
	if (what == "stencil" && argc == 7 && number(5) > 2 && number(4) <= barrier_pages)
		return stencil(argv[2], small(3), small(4), number(5), number(6));
	if (what == "product" && argc == 6 && number(4) <= barrier_pages)
		return product(argv[2], small(3), small(4), number(5));
	std::fprintf(stderr, "usage: work send|receive FILE MIB | stencil FILE ME COUNT SIDE STEPS | "
			     "product FILE ME COUNT SIDE\n");
	return 2;
}
