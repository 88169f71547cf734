// SPDX-License-Identifier: GPL-2.0-only
// krgadm boot: the modules, with what /etc/kerrighed_nodes says unless the
// kernel command line says it, then the session's key. Without either, what
// modprobe.d has counts; if that is nothing, the module says what is missing.
#include "cli/tool.hpp"
#include "cmd/key.hpp"
#include "cmd/modules.hpp"
#include "util/parse.hpp"
#include <fmt/format.h>
#include <optional>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace krgadm
{

namespace
{

constexpr const char *nodes_file = "/etc/kerrighed_nodes";
constexpr const char *configured_module = "krg_cluster";

struct Options {
	std::string net_dev;
	std::string key = default_key_path;
	std::string nodes = nodes_file;
};

using Words = std::vector<std::string>;

bool command_line_configures()
{
	std::istringstream words(read_file("/proc/cmdline"));
	std::string word;

	while (words >> word)
		if (word.rfind("session_id=", 0) == 0)
			return true;
	return false;
}

// The interface of the default route: destination 0 in /proc/net/route.
std::string default_interface()
{
	std::istringstream lines(read_file("/proc/net/route"));
	std::string line;

	std::getline(lines, line);
	while (std::getline(lines, line)) {
		std::istringstream fields(line);
		std::string name;
		std::string destination;
		fields >> name >> destination;
		if (destination == "00000000")
			return name;
	}
	return "";
}

// One line of the file: session=N, nbmin=N, hostname:ID, # comment.
Result<void> take_line(const std::string &line, const std::string &host, Words &params)
{
	const auto value = [&](const char *key) -> std::optional<std::string> {
		const std::string prefix(key);
		if (line.rfind(prefix, 0) != 0)
			return std::nullopt;
		return line.substr(prefix.size());
	};
	const auto number = [&](const char *param, const std::string &text) -> Result<void> {
		if (!parse_number<unsigned>(text))
			return Error{fmt::format("{}: '{}' is no number", line, text)};
		params.push_back(fmt::format("{}={}", param, text));
		return {};
	};

	if (line.empty() || line[0] == '#')
		return {};
	if (const auto session = value("session="))
		return number("session_id", *session);
	if (const auto least = value("nbmin="))
		return number("nb_nodes_min", *least);
	const auto colon = line.rfind(':');
	if (colon == std::string::npos)
		return Error{fmt::format("'{}' is not understood", line)};
	return line.substr(0, colon) == host ? number("node_id", line.substr(colon + 1)) : Result<void>();
}

Result<Words> parameters(const Options &options)
{
	std::array<char, 256> host = {};
	Words params;

	const bool no_file = options.nodes == nodes_file && access(nodes_file, F_OK);

	if (command_line_configures() || no_file) {
		if (!options.net_dev.empty())
			params.push_back("net_dev=" + options.net_dev);
		return params;
	}
	if (access(options.nodes.c_str(), R_OK))
		return Error::system(options.nodes);
	gethostname(host.data(), host.size() - 1);
	std::istringstream lines(read_file(options.nodes));
	std::string line;
	while (std::getline(lines, line)) {
		const auto end = line.find_last_not_of(" \t\r");
		line.resize(end == std::string::npos ? 0 : end + 1);
		if (auto done = take_line(line, host.data(), params); !done)
			return Error{options.nodes + ": " + done.error().text};
	}
	const std::string net_dev = options.net_dev.empty() ? default_interface() : options.net_dev;
	if (net_dev.empty())
		return Error{"no default route tells the interface: give --net-dev"};
	params.push_back("net_dev=" + net_dev);
	return params;
}

int boot(Output &out, const Options &options)
{
	Words params;

	if (!is_loaded(configured_module)) {
		auto found = parameters(options);
		if (!found)
			return complain("krgadm", "boot: " + found.error().text);
		params = *found;
	}
	out.set("loaded", Json::array());
	for (const std::string module : modules) {
		if (is_loaded(module))
			continue;
		Words args = {module};
		if (module == configured_module)
			args.insert(args.end(), params.begin(), params.end());
		if (auto done = run_kmod("modprobe", args); !done)
			return complain("krgadm", "boot: " + done.error().text);
		out.add("loaded", module);
	}
	if (auto done = load_key(options.key); !done)
		return complain("krgadm", "boot: " + done.error().text);
	return 0;
}

} // namespace

void add_boot(CLI::App &app, Run &run)
{
	auto options = std::make_shared<Options>();
	auto *command = app.add_subcommand("boot", "Load the modules and the session's key");

	command->add_option("--net-dev", options->net_dev, "Interface of the cluster (that of the default route)")
	    ->type_name("IFNAME");
	command->add_option("--key", options->key, "Instead of " + std::string(default_key_path))->type_name("PATH");
	command->add_option("--nodes-file", options->nodes, "Instead of " + std::string(nodes_file))->type_name("PATH");
	set_body(command, run, [options](Output &out) { return boot(out, *options); });
}

} // namespace krgadm
