/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Was a history of loads, stores and atomic exchanges of words possible on one memory.
 *
 * Every value is written once, so a load says which write it saw. Three questions:
 *
 *  - coherence, word by word: is there an order of all operations on the word that each
 *    process's own order agrees with, where a load sees the write before it and an
 *    exchange follows at once the write it saw;
 *  - linearisability, word by word (and so page by page: it is a local property,
 *    Herlihy and Wing 1990): the same, and what ended before something else began comes
 *    before it. A write with the loads of it is a block in such an order, and exchanges
 *    chain blocks; an order exists if that of the chains has no cycle (after Gibbons
 *    and Korach 1997);
 *  - sequential consistency of all words together: no cycle of program order, write
 *    seen, write overwritten. Complete for words that only exchanges write (their order
 *    is known), sound for the others.
 *
 * Time is a node's own; what two nodes' clocks differ by is known within bounds, and
 * only what surely ended before the other began counts as earlier.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace history
{

enum class Kind : uint64_t { load, store, exchange };

/* One operation, as recorded: an exchange loads and stores (an addition is one too). */
struct Op {
	Kind kind;
	uint64_t word;
	uint64_t loaded;
	uint64_t stored; /* not 0, and no value twice */
	int64_t begin;	 /* clock of the node */
	int64_t end;
};

/* What one process did, in its order, and by how much its clock is ahead of the common one. */
struct Process {
	std::vector<Op> ops;
	int64_t ahead_min = 0;
	int64_t ahead_max = 0;
};

enum class Fault { none, values, coherence, linearisability, sequence };
const char *name(Fault fault);

struct Result {
	Fault fault = Fault::none;
	std::string why; /* what is wrong, and with which operations */
};

/* Each word is 0 at first. */
Result check(const std::vector<Process> &processes);

/* Nothing in a file is trusted: false if it is none of ours. */
bool save(const std::string &path, const Process &process);
bool load(const std::string &path, Process &process);

} // namespace history
