// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/processes.hpp"
#include <fmt/format.h>
#include <pwd.h>

namespace krgadm
{

const std::string &Users::name(uint32_t uid)
{
	const auto known = names_.find(uid);

	if (known != names_.end())
		return known->second;
	const auto *entry = getpwuid(uid);
	return names_[uid] = entry ? entry->pw_name : std::to_string(uid);
}

std::string human_size(uint64_t bytes)
{
	constexpr const char *units = "kmgtpe";
	double value = static_cast<double>(bytes) / 1024;
	size_t unit = 0;

	if (bytes < (1ULL << 20) * 10)
		return fmt::format("{}k", bytes / 1024);
	while (value >= 1000 && unit < 5) {
		value /= 1024;
		unit++;
	}
	return fmt::format("{:.1f}{}", value, units[unit]);
}

std::string cpu_time(uint64_t ns)
{
	const uint64_t hundredths = ns / 10000000;
	const uint64_t minutes = hundredths / 6000;

	if (minutes < 1000)
		return fmt::format("{}:{:02}.{:02}", minutes, hundredths / 100 % 60, hundredths % 100);
	return fmt::format("{}:{:02}", minutes / 60, minutes % 60);
}

// A process may call itself anything; a terminal must not obey it.
std::string printable(const char *comm)
{
	std::string text = comm;

	for (char &c : text)
		if (static_cast<unsigned char>(c) < ' ' || c == 0x7f)
			c = '?';
	return text;
}

Json to_json(const krg_process &p, const std::string &user)
{
	return {{"pid", p.pid},
		{"tgid", p.tgid},
		{"ppid", p.ppid},
		{"pgrp", p.pgrp},
		{"session", p.session},
		{"node", p.node},
		{"home", p.home},
		{"uid", p.uid},
		{"user", user},
		{"state", std::string(1, static_cast<char>(p.state))},
		{"nice", p.nice},
		{"rt_priority", p.rt_priority},
		{"threads", p.threads},
		{"tty", p.tty},
		{"start_ns", p.start_ns},
		{"utime_ns", p.utime_ns},
		{"stime_ns", p.stime_ns},
		{"vsize", p.vsize},
		{"rss", p.rss},
		{"shared", p.shared},
		{"kthread", p.kthread != 0},
		{"comm", p.comm}};
}

} // namespace krgadm
