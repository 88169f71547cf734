// SPDX-License-Identifier: GPL-2.0-only
#include "util/options.hpp"
#include "cli/tool.hpp"
#include <cstdio>
#include <getopt.h>

namespace krgadm
{

namespace
{

constexpr int help_value = 1000;
constexpr int version_value = 1001;
constexpr int first_value = 1002;

std::string short_list(const std::vector<Option> &options, bool stop_early)
{
	std::string list = stop_early ? "+:h" : ":h";

	for (const auto &option : options) {
		if (!option.letter)
			continue;
		list += option.letter;
		list += option.value == Option::required ? ":" : option.value == Option::optional ? "::" : "";
	}
	return list;
}

std::vector<::option> long_list(const std::vector<Option> &options)
{
	std::vector<::option> list = {{"help", no_argument, nullptr, help_value},
				      {"version", no_argument, nullptr, version_value}};

	for (size_t i = 0; i < options.size(); i++)
		list.push_back(
		    {options[i].name, static_cast<int>(options[i].value), nullptr, first_value + static_cast<int>(i)});
	list.push_back({});
	return list;
}

const Option *find(const std::vector<Option> &options, int value)
{
	if (value >= first_value)
		return &options[static_cast<size_t>(value - first_value)];
	for (const auto &option : options)
		if (option.letter == value)
			return &option;
	return nullptr;
}

} // namespace

Parsed parse_options(const std::string &name, int argc, char **argv, const std::string &usage,
		     const std::vector<Option> &options, bool stop_early)
{
	const auto longs = long_list(options);
	const auto shorts = short_list(options, stop_early);
	int value;

	opterr = 0;
	optind = 0;
	while ((value = getopt_long(argc, argv, shorts.c_str(), longs.data(), nullptr)) != -1) {
		if (value == 'h' || value == help_value) {
			fputs(usage.c_str(), stdout);
			return {{}, 0};
		}
		if (value == version_value)
			return {{}, print_version(name)};
		if (value == '?' || value == ':') {
			// getopt has passed a long option by, but not the letters behind a wrong one.
			const std::string word = optopt && optopt < help_value
						     ? std::string("-") + static_cast<char>(optopt)
						     : argv[optind - 1];
			const char *what = value == ':' ? "option '%s' needs a value" : "unknown option '%s'";
			char text[256];
			snprintf(text, sizeof(text), what, word.c_str());
			return {{}, complain(name, text, exit_usage)};
		}
		const auto wrong = find(options, value)->take(optarg ? optarg : "");
		if (!wrong.empty())
			return {{}, complain(name, wrong, exit_usage)};
	}
	return {std::vector<std::string>(argv + optind, argv + argc), {}};
}

} // namespace krgadm
