// SPDX-License-Identifier: GPL-2.0-only
// Who uses a file system, as fuser(1) would say.
#pragma once

#include "util/result.hpp"
#include <string>
#include <sys/types.h>
#include <vector>

namespace krgadm
{

struct FileUser {
	pid_t pid = 0;
	std::string comm;
	std::string file; ///< the first one found
};

/// Processes of this node that have a file or directory open, mapped, or are in one, of file
/// systems with these devices: MAJOR:MINOR, hexadecimal, as in /proc/PID/maps. Of processes
/// one may not look into nothing is known.
Result<std::vector<FileUser>> device_users(const std::string &list);

} // namespace krgadm
