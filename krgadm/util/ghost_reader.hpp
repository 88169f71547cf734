// SPDX-License-Identifier: GPL-2.0-only
// Ghost files (Documentation/checkpoint-format.md) for `krgadm checkpoint inspect`:
// the kernel's own codec, modules/ghost/core, around a file stream.
// Build: util/ghost_reader.cpp, util/ghost_fields.cpp, modules/ghost/core/*.c; include path modules/.
#pragma once

#include "util/result.hpp"
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace krgadm
{

/// What the first record says.
struct GhostHeader {
	std::string kind; ///< "global", "node", "task" or "shared"
	uint64_t appid = 0;
	uint32_t version = 0;
	uint32_t object = 0; ///< node id or pid of the file's name
	uint32_t node = 0;   ///< where it was written
	uint32_t format = 0;
	int64_t created = 0;	///< seconds since 1970
	uint64_t xfeatures = 0; ///< XCR0 of the machine
	std::string release;
	std::string checkpoint; ///< hex; the same in all files of one checkpoint
};

/// One record, FILE, INDEX and END included.
struct GhostRecord {
	uint32_t seq = 0;
	uint16_t type = 0;
	std::string name;	       ///< of the type
	uint64_t offset = 0;	       ///< in the file
	uint32_t length = 0;	       ///< bytes of payload
	uint64_t bulk = 0;	       ///< bytes of bulk data
	nlohmann::ordered_json fields; ///< what the payload says; addresses and masks as "0x…"
};

/// What a whole file came to.
struct GhostSummary {
	GhostHeader header;
	uint64_t size = 0; ///< bytes
	uint64_t bulk = 0; ///< bytes of memory and file content in it
	uint32_t records = 0;
};

/**
 * Reads a file to its end, checking every byte as restart would, and hands out
 * its records one by one. The error names file, record, offset and reason.
 */
Result<GhostSummary> read_ghost(const std::string &path, const std::function<void(const GhostRecord &)> &each);

/// The fields of a record's payload; {} for types that have none to show.
nlohmann::ordered_json ghost_fields(uint16_t type, const void *payload, uint32_t length);

} // namespace krgadm
