// SPDX-License-Identifier: GPL-2.0-only
// The kernel modules, for who loads and unloads them.
#pragma once

#include "util/result.hpp"
#include <array>
#include <string>
#include <unistd.h>
#include <vector>

namespace krgadm
{

/// In the order of loading: each needs only those before it.
inline constexpr std::array modules = {"krg_hook", "krg_rpc", "krg_rpc_tcp", "krg_cluster", "krg_kddm", "krg_ghost",
				       "krg_mm",   "krg_ipc", "krg_proc",    "krg_procfs",  "krg_nl"};

inline bool is_loaded(const std::string &module)
{
	return !access(("/sys/module/" + module).c_str(), F_OK);
}

/// modprobe(8) or rmmod(8) with @args.
Result<void> run_kmod(const char *program, std::vector<std::string> args);

} // namespace krgadm
