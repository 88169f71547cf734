// SPDX-License-Identifier: GPL-2.0-only
// restart: an application goes on from one of its checkpoints. The kernel
// makes it as our child.
#include "cli/tool.hpp"
#include "nl/client.hpp"
#include "out/output.hpp"
#include "util/options.hpp"
#include "util/parse.hpp"
#include "util/signals.hpp"
#include "util/store.hpp"
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <list>
#include <optional>
#include <sys/wait.h>

namespace krgadm
{

namespace
{

constexpr const char *usage = "Usage: restart [OPTION]… APPID VERSION\n"
			      "Restart an application from /var/chkpt/APPID/vVERSION.\n"
			      "\n"
			      "  -U, --no-unfreeze             leave it frozen\n"
			      "  -t, --replace-tty             its terminals become this one\n"
			      "  -f, --foreground              wait for it, pass INT and TERM on; implies -t\n"
			      "  -p, --pids                    its process group and session become ours\n"
			      "  -s, --substitute-file ID,FD   use our open file FD for its file ID (repeatable)\n"
			      "  -q, --quiet                   print nothing\n"
			      "      --json                    print one JSON document\n"
			      "  -h, --help                    print this\n"
			      "      --version                 print the version\n";

struct Options {
	uint32_t flags = 0;
	bool foreground = false;
	bool quiet = false;
	bool json = false;
	std::list<std::string> ids; ///< where the substitutes point to
	std::vector<krg_substitute> substitutes;
};

std::string take_substitute(Options &o, const std::string &text)
{
	const auto comma = text.find(',');
	const auto id = text.substr(0, comma);
	int fd = -1;

	if (comma != std::string::npos)
		fd = parse_number<int>(text.substr(comma + 1), INT_MAX, 0).value_or(-1);
	if (id.size() != KRG_FILE_ID_LEN || id.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos ||
	    fd < 0)
		return fmt::format("'{}' is not ID,FD with ID the {} hexadecimal digits of user_info", text,
				   KRG_FILE_ID_LEN);
	if (fcntl(fd, F_GETFD) < 0)
		return fmt::format("file {} of '{}' is not open", fd, text);
	o.ids.push_back(id);
	o.substitutes.push_back({o.ids.back().c_str(), fd});
	return "";
}

std::vector<Option> option_table(Options &o)
{
	const auto mark = [&o](uint32_t bit) {
		return [&o, bit](const std::string &) {
			o.flags |= bit;
			return std::string();
		};
	};

	return {
	    {'U', "no-unfreeze", Option::none, mark(KRG_RESTART_FROZEN)},
	    {'t', "replace-tty", Option::none, mark(KRG_RESTART_TTY)},
	    {'f', "foreground", Option::none,
	     [&o](const std::string &) {
		     o.foreground = true;
		     o.flags |= KRG_RESTART_TTY;
		     return std::string();
	     }},
	    {'p', "pids", Option::none, mark(KRG_RESTART_PIDS)},
	    {'s', "substitute-file", Option::required,
	     [&o](const std::string &text) { return take_substitute(o, text); }},
	    {'q', "quiet", Option::none,
	     [&o](const std::string &) {
		     o.quiet = true;
		     return std::string();
	     }},
	    {0, "json", Option::none,
	     [&o](const std::string &) {
		     o.json = true;
		     return std::string();
	     }},
	};
}

void report(const Options &options, pid_t appid, unsigned version)
{
	const bool frozen = (options.flags & KRG_RESTART_FROZEN) != 0;
	const auto out = Output::make(options.json);

	if (options.quiet)
		return;
	out->line(fmt::format("Application {} has been successfully {}", appid,
			      frozen ? "restored in *FROZEN* state" : "restarted"));
	out->set("appid", appid);
	out->set("version", version);
	out->set("state", frozen ? "frozen" : "running");
	out->finish();
	fflush(stdout);
}

int restart(const Options &options, pid_t appid, unsigned version)
{
	auto dir = open_version(appid, version);
	if (!dir)
		return complain("restart", dir.error());
	auto client = Client::open(fmt::format("version {}", version));
	if (!client)
		return complain("restart", client.error());
	std::optional<Interruptible> interruptible;
	if (options.foreground)
		interruptible.emplace();
	auto app = client->restart(dir->get(), options.flags, options.substitutes);
	if (!app)
		return complain("restart", app.error());
	report(options, appid, version);
	if (!options.foreground)
		return 0;
	const int status = wait_relaying(app->pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : exit_failed;
}

} // namespace

int restart_main(int argc, char **argv)
{
	Options options;
	const auto parsed = parse_options("restart", argc, argv, usage, option_table(options));

	if (parsed.exit)
		return *parsed.exit;
	if (parsed.operands.size() != 2) {
		fputs(usage, stdout);
		return exit_failed;
	}
	const auto appid = parse_number<pid_t>(parsed.operands[0], INT_MAX, 1);
	const auto version = parse_number<unsigned>(parsed.operands[1], INT_MAX, 1);
	if (!appid)
		return complain("restart", "'" + parsed.operands[0] + "' is no application id", exit_usage);
	if (!version)
		return complain("restart", "'" + parsed.operands[1] + "' is no version", exit_usage);
	return restart(options, *appid, *version);
}

} // namespace krgadm
