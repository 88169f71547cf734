// SPDX-License-Identifier: GPL-2.0-only
// Figures of processes as people read them; for ps and top.
#pragma once

#include "nl/client.hpp"
#include "out/output.hpp"
#include <map>
#include <string>

namespace krgadm
{

/// User names, looked up once each.
class Users
{
public:
	const std::string &name(uint32_t uid);

private:
	std::map<uint32_t, std::string> names_;
};

/// "1.2g", "345m", "67k", as top does; at most 6 characters.
std::string human_size(uint64_t bytes);
/// "MM:SS.hh", then "HHHH:MM".
std::string cpu_time(uint64_t ns);
std::string printable(const char *comm);
Json to_json(const krg_process &process, const std::string &user);

} // namespace krgadm
