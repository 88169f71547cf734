// SPDX-License-Identifier: GPL-2.0-only
// HMAC-SHA256 by the kernel's crypto API (AF_ALG), as krg itself computes it.
#pragma once

#include "util/result.hpp"
#include <cstdint>
#include <string>
#include <vector>

namespace krgadm
{

Result<std::vector<uint8_t>> hmac_sha256(const std::vector<uint8_t> &key, const std::string &message);

} // namespace krgadm
