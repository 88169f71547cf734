// SPDX-License-Identifier: GPL-2.0-only
// krgadm ps: the processes of the cluster.
#include "cli/tool.hpp"
#include "cmd/processes.hpp"
#include <algorithm>
#include <fmt/format.h>

namespace krgadm
{

namespace
{

struct Options {
	std::string nodes;
	bool threads = false;
	bool kernel = false;
};

void print_line(Output &out, const krg_process &p, const std::string &user, bool threads)
{
	const std::string tid = threads ? fmt::format("{:>8} ", p.tgid) : "";

	out.line(fmt::format("{}{:>8} {:>4} {:>4} {:<8.8} {:>8} {} {:>3} {:>7} {:>7} {:>9} {}", tid, p.pid, p.node,
			     p.home, user, p.ppid, static_cast<char>(p.state), p.nice, human_size(p.vsize),
			     human_size(p.rss), cpu_time(p.utime_ns + p.stime_ns), printable(p.comm)));
}

void print_head(Output &out, bool threads)
{
	out.line(fmt::format("{}{:>8} {:>4} {:>4} {:<8} {:>8} {} {:>3} {:>7} {:>7} {:>9} {}",
			     threads ? fmt::format("{:>8} ", "PID") : "", threads ? "TID" : "PID", "NODE", "HOME",
			     "USER", "PPID", "S", "NI", "VSZ", "RSS", "TIME+", "COMMAND"));
}

int report_unreachable(Output &out, const Processes &processes)
{
	for (const auto &[node, error] : processes.unreachable) {
		complain("krgadm", fmt::format("ps: node {}: {}", node, std::strerror(error)));
		out.add("unreachable", {{"node", node}, {"error", std::strerror(error)}});
	}
	return processes.unreachable.empty() ? 0 : exit_failed;
}

int ps(Output &out, const Options &options)
{
	auto wanted = options.nodes.empty() ? Result<NodeSet>(NodeSet().set()) : parse_nodes(options.nodes);
	if (!wanted)
		return complain("krgadm", "ps: " + wanted.error().text);
	auto client = Client::open("ps");
	if (!client)
		return complain("krgadm", client.error());
	// A single node is asked alone.
	int only = -1;
	for (size_t node = 0; wanted->count() == 1 && node < wanted->size(); node++)
		if (wanted->test(node))
			only = static_cast<int>(node);
	auto processes = client->processes(only, options.threads ? KRG_PS_THREADS : 0);
	if (!processes)
		return complain("krgadm", processes.error());

	Users users;
	out.set("processes", Json::array());
	print_head(out, options.threads);
	for (const auto &p : processes->list) {
		if (!wanted->test(p.node % KRG_NODES) || (p.kthread && !options.kernel))
			continue;
		if (out.wants_json())
			out.add("processes", to_json(p, users.name(p.uid)));
		else
			print_line(out, p, users.name(p.uid), options.threads);
	}
	return report_unreachable(out, *processes);
}

} // namespace

void add_ps(CLI::App &app, Run &run)
{
	auto options = std::make_shared<Options>();
	auto *command = app.add_subcommand("ps", "Show the processes of the cluster");

	command->add_option("-n,--nodes", options->nodes, "Only of these nodes")->type_name("LIST");
	command->add_flag("-T,--threads", options->threads, "A line a thread");
	command->add_flag("-k,--kernel", options->kernel, "Kernel threads too");
	set_body(command, run, [options](Output &out) { return ps(out, *options); });
}

} // namespace krgadm
