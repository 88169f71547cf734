// SPDX-License-Identifier: GPL-2.0-only
// libkrg with owners, containers and Results.
#pragma once

#include "util/nodeset.hpp"
#include "util/result.hpp"
#include <functional>
#include <krg.h>
#include <memory>
#include <string>
#include <vector>

namespace krgadm
{

struct Processes {
	std::vector<krg_process> list;
	std::vector<std::pair<unsigned, int>> unreachable; ///< node, error number
};

struct NodeStats {
	std::vector<std::pair<unsigned, krg_node_stat>> list;
	std::vector<std::pair<unsigned, int>> unreachable;
};

struct Features {
	uint64_t bits = 0;
	std::vector<std::pair<uint32_t, std::string>> list;
};

class Client
{
public:
	/// Every error of the client begins with what was tried: "@what: why".
	static Result<Client> open(const std::string &what);

	Result<Features> features();
	Result<krg_status> status();
	Result<std::vector<krg_node>> nodes();
	Result<void> start(const NodeSet *nodes, uint32_t flags, uint32_t timeout_ms);
	Result<void> stop(uint32_t flags, uint32_t timeout_ms);
	Result<void> add(const NodeSet &nodes, uint32_t timeout_ms);
	Result<void> del(const NodeSet &nodes, uint32_t timeout_ms);
	Result<void> set_key(const std::vector<uint8_t> &key);
	Result<std::string> fingerprint();
	Result<Processes> processes(int node, uint32_t flags);
	Result<NodeStats> stats(int node);
	Result<void> freeze(krg_app &app, uint32_t flags);
	Result<void> unfreeze(krg_app &app, uint32_t signal);
	Result<void> checkpoint(krg_app &app, int dirfd, uint32_t flags);
	Result<krg_app> restart(int dirfd, uint32_t flags, const std::vector<krg_substitute> &substitutes);
	Result<void> listen();
	/// Waits for events and gives them to @fn.
	Result<void> next_events(const std::function<void(const krg_event_record &)> &fn);

private:
	struct Close {
		void operator()(krg *handle) const { krg_close(handle); }
	};
	explicit Client(std::string what) : what_(std::move(what)) {}
	Result<void> check(int err) const;

	std::string what_;
	std::unique_ptr<krg, Close> krg_;
};

const char *node_state_name(uint32_t state);
const char *event_name(uint32_t event);

} // namespace krgadm
