// SPDX-License-Identifier: GPL-2.0-only
// One binary: the name it is called by chooses the tool.
#include "cli/tool.hpp"
#include <algorithm>
#include <array>
#include <filesystem>

using namespace krgadm;

namespace
{

// CLI11 throws; what is left over on its list is the word that was not understood.
int explain(CLI::App &app, const CLI::ParseError &error)
{
	const auto rest = app.remaining(true);

	if (!rest.empty())
		return complain(app.get_name(), "unknown word '" + rest.front() + "'", exit_usage);
	const std::string text = error.what();
	return complain(app.get_name(), text.substr(0, text.find('\n')), exit_usage);
}

int krgadm_main(int argc, char **argv)
{
	CLI::App app("Administer a krg cluster", "krgadm");
	Run run;

	app.set_version_flag("--version", "krgadm (krg) " KRG_VERSION);
	app.require_subcommand(1);
	add_cluster(app, run);
	add_nodes(app, run);
	add_ps(app, run);
	add_top(app, run);
	add_events(app, run);
	add_key(app, run);
	add_boot(app, run);
	add_unload(app, run);
	add_features(app, run);
	add_checkpoint(app, run);
	add_unsupported(app, run);
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &success) {
		return app.exit(success);
	} catch (const CLI::ParseError &error) {
		return explain(app, error);
	}
	return run.status;
}

constexpr std::array tools = {
    Tool{"krgadm", krgadm_main},
    Tool{"checkpoint", checkpoint_main},
    Tool{"restart", restart_main},
    Tool{"krgcr-run", run_main},
    Tool{"krgcapset", unsupported_main},
    Tool{"migrate", unsupported_main},
    Tool{"ipccheckpoint", unsupported_main},
    Tool{"ipcrestart", unsupported_main},
};

} // namespace

int main(int argc, char **argv)
{
	const std::string name = argc ? std::filesystem::path(argv[0]).filename().string() : "krgadm";
	const auto tool = std::find_if(tools.begin(), tools.end(), [&](const Tool &t) { return name == t.name; });

	try {
		return tool != tools.end() ? tool->main(argc, argv) : krgadm_main(argc, argv);
	} catch (const std::exception &error) {
		return complain(name, error.what());
	}
}
