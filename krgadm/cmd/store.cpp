// SPDX-License-Identifier: GPL-2.0-only
// krgadm checkpoint: list, inspect, rm.
#include "util/store.hpp"
#include "cli/tool.hpp"
#include "cmd/inspect.hpp"
#include "cmd/processes.hpp"
#include "util/parse.hpp"
#include <climits>
#include <fmt/format.h>

namespace krgadm
{

namespace
{

struct Which {
	pid_t appid = 0;
	std::vector<unsigned> versions;
	bool all = false;
	bool records = false;
};

int list(Output &out, pid_t appid)
{
	out.set("checkpoints", Json::array());
	out.line(fmt::format("{:>8} {:>7} {:>8} {:<24} {}", "APPID", "VERSION", "SIZE", "DATE", "DESCRIPTION"));
	for (const auto &v : list_versions(appid)) {
		out.line(fmt::format("{:>8} {:>7} {:>8} {:<24} {}", v.appid, v.version, human_size(v.bytes),
				     v.description.date, printable(v.description.text.c_str())));
		out.add("checkpoints", {{"appid", v.appid},
					{"version", v.version},
					{"bytes", v.bytes},
					{"date", v.description.date},
					{"description", v.description.text},
					{"path", version_path(v.appid, v.version)}});
	}
	return 0;
}

int inspect(Output &out, const Which &which)
{
	const unsigned version = which.versions.front();
	auto dir = open_version(which.appid, version);
	if (!dir)
		return complain("krgadm", "checkpoint inspect: " + dir.error().text);
	out.set("appid", which.appid);
	out.set("version", version);
	out.set("files", Json::array());
	int status = 0;
	for (const auto &name : list_files(dir->get()))
		if (auto done = inspect_file(out, version_path(which.appid, version) + "/" + name, which.records);
		    !done)
			status = complain("krgadm", "checkpoint inspect: " + done.error().text);
	return status;
}

int remove(Output &out, const Which &which)
{
	std::vector<unsigned> versions = which.versions;

	if (versions.empty() == !which.all)
		return complain("krgadm", "checkpoint rm: give versions or --all");
	if (which.all)
		for (const auto &v : list_versions(which.appid))
			versions.push_back(v.version);
	if (versions.empty())
		return complain("krgadm", fmt::format("checkpoint rm: application {} has no checkpoint", which.appid));
	remove_abandoned();
	out.set("removed", Json::array());
	for (const unsigned version : versions) {
		if (auto done = remove_version(which.appid, version); !done)
			return complain("krgadm", "checkpoint rm: " + done.error().text);
		out.add("removed", version);
	}
	return 0;
}

} // namespace

void add_checkpoint(CLI::App &app, Run &run)
{
	auto *store = app.add_subcommand("checkpoint", "Look at what is under the checkpoint directory");
	store->require_subcommand(1);

	auto listed = std::make_shared<pid_t>(0);
	auto *lists = store->add_subcommand("list", "One line a version");
	lists->add_option("APPID", *listed, "Only of this application")->check(CLI::Range(1, INT_MAX));
	set_body(lists, run, [listed](Output &out) { return list(out, *listed); });

	auto looked = std::make_shared<Which>();
	auto *looks = store->add_subcommand("inspect", "Check a version and show what is in it");
	looks->add_option("APPID", looked->appid)->required()->check(CLI::Range(1, INT_MAX));
	looks->add_option("VERSION", looked->versions)->required()->expected(1)->check(CLI::Range(1, INT_MAX));
	looks->add_flag("-r,--records", looked->records, "A line a record");
	set_body(looks, run, [looked](Output &out) { return inspect(out, *looked); });

	auto removed = std::make_shared<Which>();
	auto *removes = store->add_subcommand("rm", "Remove versions");
	removes->add_option("APPID", removed->appid)->required()->check(CLI::Range(1, INT_MAX));
	removes->add_option("VERSION", removed->versions)->check(CLI::Range(1, INT_MAX));
	removes->add_flag("--all", removed->all, "All versions of the application");
	set_body(removes, run, [removed](Output &out) { return remove(out, *removed); });
}

} // namespace krgadm
