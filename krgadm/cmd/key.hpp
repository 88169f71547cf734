// SPDX-License-Identifier: GPL-2.0-only
// The session's key in its file.
#pragma once

#include "util/result.hpp"
#include <cstdint>
#include <vector>

namespace krgadm
{

inline constexpr const char *default_key_path = "/etc/krg/session.key";

/// Refuses a file that others may read.
Result<std::vector<uint8_t>> read_key(const std::string &path);
/// Gives it to the kernel.
Result<void> load_key(const std::string &path);

} // namespace krgadm
