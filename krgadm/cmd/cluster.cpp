// SPDX-License-Identifier: GPL-2.0-only
// krgadm cluster: status, start, stop, poweroff, reboot.
#include "cmd/select.hpp"
#include "nl/client.hpp"
#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace krgadm
{

namespace
{

struct Start {
	Selector selector;
	unsigned wait = 0;
	bool strict_caps = false;
};

// Membership that is changing still has the nodes that are in.
const char *word_of(const krg_status &status)
{
	if (status.state == KRG_CLUSTER_STATE_ERROR)
		return "error";
	return status.online ? "up" : "down";
}

int print_status(Output &out, const krg_status &status)
{
	const std::string word = word_of(status);

	out.line(word == "up" ? fmt::format("status: up on {} nodes", status.online) : "status: " + word);
	out.set("status", word);
	out.set("changing", status.state == KRG_CLUSTER_STATE_CHANGING);
	out.set("online", status.online);
	out.set("present", status.present);
	out.set("failed", status.failed);
	out.set("node", status.node);
	out.set("session", status.session);
	out.set("epoch", status.epoch);
	out.set("max_nodes", status.max_nodes);
	return word == "error" ? exit_failed : 0;
}

int show_status(Output &out)
{
	auto client = Client::open("cluster status");
	auto status = client ? client->status() : Result<krg_status>(client.error());

	if (status)
		return print_status(out, *status);
	out.line("status: error");
	out.set("status", "error");
	out.set("error", status.error().text);
	return complain("krgadm", status.error());
}

int start(Output &out, const Start &options)
{
	auto client = Client::open("cluster start");
	if (!client)
		return complain("krgadm", client.error());
	auto chosen = choose_start(*client, options.selector, options.wait);
	if (!chosen)
		return complain("krgadm", chosen.error());
	const uint32_t flags = options.strict_caps ? KRG_START_STRICT_CAPS : 0;
	const bool all = chosen->none();
	if (auto done = client->start(all ? nullptr : &*chosen, flags, options.wait * 1000); !done)
		return complain("krgadm", done.error());
	auto status = client->status();
	return status ? print_status(out, *status) : complain("krgadm", status.error());
}

int stop(Output &out, const std::string &word, uint32_t flags, unsigned wait)
{
	auto client = Client::open("cluster " + word);
	if (!client)
		return complain("krgadm", client.error());
	if (auto done = client->stop(flags, wait * 1000); !done)
		return complain("krgadm", done.error());
	out.set("status", "down");
	return 0;
}

void add_stop(CLI::App &cluster, Run &run, const char *name, const char *help, uint32_t flags)
{
	auto wait = std::make_shared<unsigned>(0);
	auto *end = cluster.add_subcommand(name, help);
	end->add_option("--wait", *wait, "Give up after SECONDS")->type_name("SECONDS")->check(CLI::Range(0, 86400));
	set_body(end, run, [=](Output &out) { return stop(out, name, flags, *wait); });
}

} // namespace

void add_cluster(CLI::App &app, Run &run)
{
	auto *cluster = app.add_subcommand("cluster", "Show, start or stop the cluster");
	cluster->require_subcommand(1);

	auto *status = cluster->add_subcommand("status", "Is it up, and on how many nodes");
	set_body(status, run, show_status);

	auto options = std::make_shared<Start>();
	auto *begin = cluster->add_subcommand("start", "Form the cluster of present nodes (default: of all)");
	add_selector(begin, options->selector, false);
	begin->add_option("--wait", options->wait, "Wait up to SECONDS for nodes that are not present yet")
	    ->type_name("SECONDS")
	    ->check(CLI::Range(0, 86400));
	begin->add_flag("--strict-caps", options->strict_caps, "Kerrighed's default capabilities (not supported yet)");
	set_body(begin, run, [options](Output &out) { return start(out, *options); });

	add_stop(*cluster, run, "stop", "Every node leaves", 0);
	add_stop(*cluster, run, "poweroff", "Every node leaves, and its machine powers off", KRG_STOP_POWEROFF);
	add_stop(*cluster, run, "reboot", "Every node leaves, and its machine restarts", KRG_STOP_REBOOT);
}

} // namespace krgadm
