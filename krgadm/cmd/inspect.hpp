// SPDX-License-Identifier: GPL-2.0-only
// What is in one file of a checkpoint.
#pragma once

#include "out/output.hpp"
#include "util/result.hpp"
#include <string>

namespace krgadm
{

/// Reads the file to its end; a ghost is checked as restart would. @records: a
/// line a record, not only how many of each type.
Result<void> inspect_file(Output &out, const std::string &path, bool records);

} // namespace krgadm
