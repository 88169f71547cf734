// SPDX-License-Identifier: GPL-2.0-only
// krgadm events: what happens in the cluster, a line each.
#include "cli/tool.hpp"
#include "nl/client.hpp"
#include "util/signals.hpp"
#include <csignal>
#include <ctime>
#include <fmt/format.h>

namespace krgadm
{

namespace
{

std::string local_time(uint64_t time_ns)
{
	const time_t seconds = static_cast<time_t>(time_ns / 1000000000);
	struct tm parts = {};
	char text[32];

	localtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%F %T", &parts);
	return fmt::format("{}.{:03}", text, time_ns / 1000000 % 1000);
}

void print(Output &out, const krg_event_record &event)
{
	std::string line = local_time(event.time_ns) + " " + event_name(event.event);
	Json json = {{"time_ns", event.time_ns}, {"event", event_name(event.event)}};
	const auto field = [&](const char *name, auto value) {
		line += fmt::format(" {}={}", name, value);
		json[name] = value;
	};

	if (event.node >= 0)
		field("node", event.node);
	if (event.epoch)
		field("epoch", event.epoch);
	if (event.appid)
		field("appid", event.appid);
	if (event.pid)
		field("pid", event.pid);
	if (event.signal)
		field("signal", event.signal);
	if (*event.message)
		field("message", event.message);
	out.line(line);
	out.record(json);
}

int events(Output &out, bool follow, unsigned count)
{
	auto client = Client::open("events");
	if (!client)
		return complain("krgadm", client.error());
	if (auto done = client->listen(); !done)
		return complain("krgadm", done.error());
	const Interruptible until_signal;
	unsigned seen = 0;
	while (!Interruptible::caught() && (follow || seen < count)) {
		auto done = client->next_events([&](const krg_event_record &event) {
			if (follow || seen++ < count)
				print(out, event);
		});
		if (done || done.error().code == EINTR)
			continue;
		complain("krgadm", done.error());
		if (done.error().code != ENOBUFS)
			return exit_failed;
	}
	return 0;
}

} // namespace

void add_events(CLI::App &app, Run &run)
{
	struct Options {
		bool follow = false;
		unsigned count = 1;
	};
	auto options = std::make_shared<Options>();
	auto *command =
	    app.add_subcommand("events", "Show what happens: the next event, or with --follow all from now");
	command->add_flag("-f,--follow", options->follow, "Until interrupted");
	command->add_option("-c,--count", options->count, "Stop after N events (1)")->type_name("N");
	set_body(command, run, [options](Output &out) { return events(out, options->follow, options->count); });
}

} // namespace krgadm
