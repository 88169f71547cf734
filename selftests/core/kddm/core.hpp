/* SPDX-License-Identifier: GPL-2.0-only */
/* The C core as C++ sees it. */
#pragma once

extern "C" {
#include "modules/kddm/core/table.h"
#include "modules/kddm/core/view.h"
#include "modules/kddm/core/wire.h"
}
