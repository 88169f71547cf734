// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/top_model.hpp"
#include <algorithm>
#include <ctime>
#include <fmt/format.h>

namespace krgadm
{

namespace
{

double per_cent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

uint64_t busy(const krg_node_stat &s)
{
	return s.user_ns + s.nice_ns + s.system_ns + s.irq_ns + s.softirq_ns + s.steal_ns;
}

uint64_t all(const krg_node_stat &s)
{
	return busy(s) + s.idle_ns + s.iowait_ns;
}

} // namespace

Result<TopLook> TopLook::take(Client &client, bool threads)
{
	auto stats = client.stats(-1);
	if (!stats)
		return stats.error();
	auto processes = client.processes(-1, threads ? KRG_PS_THREADS : 0);
	if (!processes)
		return processes.error();
	return TopLook{std::move(*stats), std::move(*processes)};
}

void TopModel::update(const TopLook &look)
{
	take_nodes(look.stats);
	take_processes(look.processes);
	sort();
}

// The first time, "before" is the boot.
void TopModel::take_nodes(const NodeStats &stats)
{
	stat_before_ = std::exchange(stat_now_, {});
	nodes_.clear();
	for (const auto &[node, now] : stats.list) {
		const auto before = stat_before_[node];
		const uint64_t whole = since(all(now), all(before));
		stat_now_[node] = now;
		nodes_.push_back({node, 0, now, per_cent(since(busy(now), busy(before)), whole),
				  per_cent(since(now.iowait_ns, before.iowait_ns), whole),
				  per_cent(now.mem_total - std::min(now.mem_total, now.mem_available), now.mem_total)});
	}
	for (const auto &[node, error] : stats.unreachable)
		nodes_.push_back({node, error, {}, 0, 0, 0});
	std::sort(nodes_.begin(), nodes_.end(), [](const TopNode &a, const TopNode &b) { return a.node < b.node; });
}

// By the node's own clock; a pid that was given again (other start) begins anew.
double TopModel::process_cpu(const krg_process &p, const krg_node_stat *stat)
{
	const Id id = static_cast<Id>(p.node) << 32 | static_cast<uint32_t>(p.pid);
	const Before now = {p.start_ns, p.utime_ns + p.stime_ns};
	const auto before = used_before_.find(id);
	const auto stat_before = stat_before_.find(p.node);

	used_now_[id] = now;
	if (!stat)
		return 0;
	if (before == used_before_.end() || before->second.start != now.start || stat_before == stat_before_.end())
		return per_cent(now.used, since(stat->uptime_ns, p.start_ns));
	return per_cent(since(now.used, before->second.used), since(stat->uptime_ns, stat_before->second.uptime_ns));
}

void TopModel::take_processes(const Processes &found)
{
	used_before_ = std::exchange(used_now_, {});
	used_now_.reserve(found.list.size());
	processes_.clear();
	for (const auto &p : found.list) {
		const auto stat = stat_now_.find(p.node);
		const auto *known = stat == stat_now_.end() ? nullptr : &stat->second;
		const double cpu = process_cpu(p, known);
		if (kernel || !p.kthread)
			processes_.push_back({p, cpu, known ? per_cent(p.rss, known->mem_total) : 0});
	}
}

void TopModel::sort()
{
	const auto rank = [this](const TopProcess &p) -> double {
		switch (key) {
		case SortKey::cpu:
			return -p.cpu;
		case SortKey::mem:
			return -static_cast<double>(p.process.rss);
		case SortKey::time:
			return -static_cast<double>(p.process.utime_ns + p.process.stime_ns);
		case SortKey::node:
			return p.process.node;
		case SortKey::pid:
			break;
		}
		return 0;
	};
	const auto before = [&](const TopProcess &a, const TopProcess &b) {
		const double left = rank(a);
		const double right = rank(b);
		if (left != right)
			return left < right;
		// What is equal stays where it is from one look to the next.
		if (key == SortKey::node && a.cpu != b.cpu)
			return a.cpu > b.cpu;
		return std::pair(a.process.pid, a.process.node) < std::pair(b.process.pid, b.process.node);
	};

	std::sort(processes_.begin(), processes_.end(),
		  [&](const TopProcess &a, const TopProcess &b) { return reverse ? before(b, a) : before(a, b); });
}

unsigned TopModel::online() const
{
	return static_cast<unsigned>(
	    std::count_if(nodes_.begin(), nodes_.end(), [](const TopNode &n) { return !n.error; }));
}

unsigned TopModel::running() const
{
	return static_cast<unsigned>(std::count_if(processes_.begin(), processes_.end(),
						   [](const TopProcess &p) { return p.process.state == 'R'; }));
}

const char *sort_key_name(SortKey key)
{
	switch (key) {
	case SortKey::cpu:
		return "cpu";
	case SortKey::mem:
		return "mem";
	case SortKey::node:
		return "node";
	case SortKey::pid:
		return "pid";
	case SortKey::time:
		return "time";
	}
	return "?";
}

std::string summary_line(const TopModel &model)
{
	const time_t now = time(nullptr);
	struct tm parts = {};
	char clock[16];

	localtime_r(&now, &parts);
	strftime(clock, sizeof(clock), "%T", &parts);
	return fmt::format("krgadm top - {}, {} nodes, {} {}, {} running, by {}", clock, model.online(),
			   model.processes().size(), model.threads ? "threads" : "processes", model.running(),
			   sort_key_name(model.key));
}

} // namespace krgadm
