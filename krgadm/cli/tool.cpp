// SPDX-License-Identifier: GPL-2.0-only
#include "cli/tool.hpp"
#include <cstdio>

namespace krgadm
{

int complain(const std::string &name, const std::string &text, int status)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", name.c_str(), text.c_str());
	return status;
}

int complain(const std::string &name, const Error &error)
{
	return complain(name, error.text);
}

int print_version(const std::string &name)
{
	printf("%s (krg) %s\n", name.c_str(), KRG_VERSION);
	return 0;
}

void set_body(CLI::App *command, Run &run, std::function<int(Output &)> body)
{
	command->add_flag("--json", run.json, "Print JSON");
	command->callback([command, &run, body = std::move(body)] {
		// A word behind it that has its own body does the work.
		if (!command->get_subcommands().empty())
			return;
		const auto out = Output::make(run.json);
		run.status = body(*out);
		out->finish();
	});
}

} // namespace krgadm
