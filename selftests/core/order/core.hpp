/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

extern "C" {
#include "modules/cluster/core/order_wire.h"
}

/* In C++ the function of that name hides the struct. */
using Event = struct krg_order_event;
