// SPDX-License-Identifier: GPL-2.0-only
// krgadm features: what krg found in the running kernel.
#include "cli/tool.hpp"
#include "nl/client.hpp"
#include <fmt/format.h>

namespace krgadm
{

static int features(Output &out)
{
	auto client = Client::open("features");
	if (!client)
		return complain("krgadm", client.error());
	auto found = client->features();
	if (!found)
		return complain("krgadm", found.error());
	out.set("bits", found->bits);
	out.set("features", Json::array());
	for (const auto &[bit, name] : found->list) {
		out.line(name);
		out.add("features", {{"bit", bit}, {"name", name}});
	}
	return 0;
}

void add_features(CLI::App &app, Run &run)
{
	set_body(app.add_subcommand("features", "Show what krg found in the running kernel"), run, features);
}

} // namespace krgadm
