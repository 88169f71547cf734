// SPDX-License-Identifier: GPL-2.0-only
// The C codec for C++.
#pragma once

#include <asm/types.h>
#include <assert.h>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <endian.h>
#include <linux/types.h>

extern "C" {
#include "ghost/core/codec.h"
}
