// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/top_lines.hpp"
#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace krgadm
{

namespace
{

std::string uptime(uint64_t ns)
{
	const uint64_t minutes = ns / 60000000000;
	const uint64_t days = minutes / 1440;

	return fmt::format("{}{:02}:{:02}", days ? fmt::format("{}d ", days) : "", minutes / 60 % 24, minutes % 60);
}

// "[||||     ]" of @width columns in all.
std::string draw(const Bar &bar)
{
	const size_t room = bar.width - 2;
	const double full = std::clamp(bar.per_cent, 0.0, 100.0) / 100 * static_cast<double>(room);
	const auto filled = static_cast<size_t>(full + 0.5);

	return "[" + std::string(filled, '|') + std::string(room - filled, ' ') + "]";
}

std::string priority(const krg_process &p)
{
	if (p.rt_priority == 99)
		return "rt";
	return std::to_string(p.rt_priority ? -1 - p.rt_priority : 20 + p.nice);
}

// All but the command, which comes last and has what is left.
struct Column {
	const char *name;
	size_t width;  ///< with the space before it
	unsigned need; ///< order in which they are given up where there is no room, 0: never
	bool left;
	std::string (*text)(const TopProcess &t, Users &users);
};

constexpr size_t command_width = 12;

const std::array columns = {
    Column{"PID", 8, 0, false, [](const TopProcess &t, Users &) { return std::to_string(t.process.pid); }},
    Column{"NODE", 5, 0, false, [](const TopProcess &t, Users &) { return std::to_string(t.process.node); }},
    Column{"HOME", 5, 5, false, [](const TopProcess &t, Users &) { return std::to_string(t.process.home); }},
    Column{"USER", 9, 7, true,
	   [](const TopProcess &t, Users &users) { return users.name(t.process.uid).substr(0, 8); }},
    Column{"PR", 4, 2, false, [](const TopProcess &t, Users &) { return priority(t.process); }},
    Column{"NI", 4, 1, false, [](const TopProcess &t, Users &) { return std::to_string(t.process.nice); }},
    Column{"VIRT", 8, 4, false, [](const TopProcess &t, Users &) { return human_size(t.process.vsize); }},
    Column{"RES", 8, 8, false, [](const TopProcess &t, Users &) { return human_size(t.process.rss); }},
    Column{"SHR", 8, 3, false, [](const TopProcess &t, Users &) { return human_size(t.process.shared); }},
    Column{"S", 2, 10, false,
	   [](const TopProcess &t, Users &) { return std::string(1, static_cast<char>(t.process.state)); }},
    Column{"%CPU", 6, 11, false, [](const TopProcess &t, Users &) { return fmt::format("{:.1f}", t.cpu); }},
    Column{"%MEM", 6, 9, false, [](const TopProcess &t, Users &) { return fmt::format("{:.1f}", t.mem); }},
    Column{"TIME+", 10, 6, false,
	   [](const TopProcess &t, Users &) { return cpu_time(t.process.utime_ns + t.process.stime_ns); }},
};

// There are many of them each time: no format for what is only spaces.
void put(std::string &line, const std::string &text, const Column &column)
{
	const size_t spaces = column.width - std::min(column.width - 1, text.size());

	line.append(column.left ? 1 : spaces, ' ');
	line += text;
	line.append(column.left ? spaces - 1 : 0, ' ');
}

} // namespace

NodeLine node_line(const TopNode &n, size_t width)
{
	if (n.error)
		return {fmt::format("node {:>3}  {}", n.node, std::strerror(n.error)), {}};
	// Where there is little room, the figures say the same as the bars.
	if (width < 60)
		return {fmt::format("{:>3} cpu {:3.0f}% mem {:3.0f}%", n.node, n.cpu, n.mem), {}};

	const auto &s = n.stat;
	const auto used = s.mem_total - std::min(s.mem_total, s.mem_available);
	const std::string cpu = fmt::format("node {:>3} cpu{:<3} ", n.node, s.cpus);
	const std::string between = fmt::format("{:5.1f}% mem", n.cpu);
	const std::string memory = fmt::format("{:>7}/{:<6}", human_size(used), human_size(s.mem_total));
	size_t figures = cpu.size() + between.size() + memory.size();
	std::string more;

	for (const auto &[text, room] : {std::pair{fmt::format(" load {:.2f}", s.load[0] / 100.0), 12U},
					 std::pair{fmt::format(" tasks {}", s.tasks), 12U},
					 std::pair{fmt::format(" up {}", uptime(s.uptime_ns)), 14U}}) {
		if (figures + room + 2 * 10 > width)
			break;
		figures += room;
		more += fmt::format("{:<{}}", text, room);
	}
	const size_t bars = std::min<size_t>((width - figures) / 2, 40);
	const Bar first = {cpu.size(), bars, n.cpu};
	const Bar second = {cpu.size() + bars + between.size(), bars, n.mem};
	return {cpu + draw(first) + between + draw(second) + memory + more, {first, second}};
}

ProcessLines::ProcessLines(size_t width)
{
	size_t all = 1 + command_width;

	for (size_t i = 0; i < columns.size(); i++) {
		all += columns[i].width;
		shown_ |= 1U << i;
	}
	for (unsigned next = 1; all > width && next < columns.size(); next++)
		for (size_t i = 0; i < columns.size(); i++)
			if (columns[i].need == next) {
				shown_ &= ~(1U << i);
				all -= columns[i].width;
			}
}

std::string ProcessLines::head(bool threads) const
{
	std::string text;

	for (size_t i = 0; i < columns.size(); i++)
		if (shown_ & 1U << i)
			put(text, i || !threads ? columns[i].name : "TID", columns[i]);
	return text + " COMMAND";
}

std::string ProcessLines::line(const TopProcess &process, Users &users) const
{
	std::string text;

	for (size_t i = 0; i < columns.size(); i++)
		if (shown_ & 1U << i)
			put(text, columns[i].text(process, users), columns[i]);
	return text + " " + printable(process.process.comm);
}

} // namespace krgadm
