// SPDX-License-Identifier: GPL-2.0-only
// What top shows, apart from how: two looks at the cluster and their difference.
#pragma once

#include "cmd/processes.hpp"
#include "nl/client.hpp"
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace krgadm
{

enum class SortKey { cpu, mem, node, pid, time };

struct TopProcess {
	krg_process process;
	double cpu; ///< per cent of one CPU
	double mem; ///< per cent of its node's memory
};

struct TopNode {
	unsigned node;
	int error; ///< why there are no figures, 0: there are
	krg_node_stat stat;
	double cpu; ///< per cent of all its CPUs
	double iowait;
	double mem;
};

/// What was found at one moment.
struct TopLook {
	NodeStats stats;
	Processes processes;

	/// Asks every node. One that does not answer holds this up until it is given up.
	static Result<TopLook> take(Client &client, bool threads);
};

class TopModel
{
public:
	bool threads = false;
	bool kernel = true;
	bool reverse = false;
	SortKey key = SortKey::cpu;

	void update(const TopLook &look);
	void sort();
	const std::vector<TopNode> &nodes() const { return nodes_; }
	const std::vector<TopProcess> &processes() const { return processes_; }
	unsigned online() const;
	unsigned running() const;

private:
	struct Before {
		uint64_t start;
		uint64_t used;
	};
	using Id = uint64_t;

	void take_nodes(const NodeStats &stats);
	void take_processes(const Processes &found);
	double process_cpu(const krg_process &process, const krg_node_stat *stat);

	std::vector<TopNode> nodes_;
	std::vector<TopProcess> processes_;
	std::map<unsigned, krg_node_stat> stat_now_;
	std::map<unsigned, krg_node_stat> stat_before_;
	std::unordered_map<Id, Before> used_now_;
	std::unordered_map<Id, Before> used_before_;
};

const char *sort_key_name(SortKey key);
std::string summary_line(const TopModel &model);

} // namespace krgadm
