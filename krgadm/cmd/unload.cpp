// SPDX-License-Identifier: GPL-2.0-only
// krgadm unload: this node leaves the cluster, then the modules go. Not while a process
// uses the cluster's memory: what it has there would be gone under it.
#include "cli/tool.hpp"
#include "cmd/modules.hpp"
#include "nl/client.hpp"
#include "util/parse.hpp"
#include "util/users.hpp"
#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace krgadm
{

namespace
{

// Also those unmounted that somebody still uses.
constexpr const char *shared_memory = "/sys/module/krg_mm/parameters/devices";
constexpr int clean_up_seconds = 10;

Result<void> nobody_uses()
{
	auto users = device_users(read_file(shared_memory));
	std::string text;

	if (!users)
		return users.error();
	if (users->empty())
		return {};
	for (const auto &user : *users)
		text += fmt::format("{}{} ({}, process {})", text.empty() ? "" : ", ", user.file, user.comm, user.pid);
	return Error{"shared memory is in use: " + text};
}

Result<void> leave()
{
	auto client = Client::open("unload");
	if (!client)
		return client.error();
	auto nodes = client->nodes();
	if (!nodes)
		return nodes.error();
	for (const auto &node : *nodes)
		if (node.self && node.state != KRG_NODE_STATE_PRESENT) {
			NodeSet self;
			self.set(node.node);
			return client->del(self, 0);
		}
	return {};
}

// Its files go some moments after the last who used them.
Result<void> unload(const std::string &module)
{
	using namespace std::chrono;
	const auto end = steady_clock::now() + seconds(clean_up_seconds);
	const std::string users = "/sys/module/" + module + "/refcnt";

	while (read_file(users) != "0\n" && steady_clock::now() < end) {
		if (auto done = nobody_uses(); !done)
			return done;
		std::this_thread::sleep_for(milliseconds(20));
	}
	return run_kmod("rmmod", {module});
}

Result<void> unload_all(Output &out)
{
	if (auto done = nobody_uses(); !done)
		return done;
	if (is_loaded("krg_nl"))
		if (auto done = leave(); !done)
			return done;
	out.set("unloaded", Json::array());
	for (auto module = modules.rbegin(); module != modules.rend(); ++module) {
		if (!is_loaded(*module))
			continue;
		if (auto done = unload(*module); !done)
			return done;
		out.add("unloaded", *module);
	}
	return {};
}

} // namespace

void add_unload(CLI::App &app, Run &run)
{
	auto *command = app.add_subcommand("unload", "Leave the cluster and unload the modules");

	set_body(command, run, [](Output &out) {
		auto done = unload_all(out);
		return done ? 0 : complain("krgadm", "unload: " + done.error().text);
	});
}

} // namespace krgadm
