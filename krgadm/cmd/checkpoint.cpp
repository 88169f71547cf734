// SPDX-License-Identifier: GPL-2.0-only
// checkpoint: freeze an application, save it, let it go on.
//
// The freeze belongs to our netlink socket: however we end, the kernel lets
// the application go on, unless it was to stay frozen (-f). The image is
// written by the kernel into a draft; the application goes on as soon as its
// state has been taken, often before it has been written. Then the image is made
// durable and given its name. An application that is to be killed stays frozen
// until that is done.
#include "cli/tool.hpp"
#include "nl/client.hpp"
#include "out/output.hpp"
#include "util/options.hpp"
#include "util/parse.hpp"
#include "util/signals.hpp"
#include "util/store.hpp"
#include <climits>
#include <fmt/format.h>

namespace krgadm
{

namespace
{

constexpr const char *usage = "Usage: checkpoint [OPTION]… PID\n"
			      "Save an application to /var/chkpt/APPID/vVERSION.\n"
			      "\n"
			      "  -f, --freeze                    freeze it, no more\n"
			      "  -u[SIG], --unfreeze[=SIG]       unfreeze it, no more; SIG is sent to it\n"
			      "  -c, --ckpt-only                 save what is frozen already\n"
			      "  -k[SIG], --kill[=SIG]           send SIG (15) to it when it has been saved\n"
			      "  -a, --from-appid                the operand is an application's id\n"
			      "  -b, --no-callbacks              do not run the application's callbacks\n"
			      "  -d, --description TEXT          say what this checkpoint is\n"
			      "  -i, --ignore-unsupported-files  leave out files that cannot be saved\n"
			      "  -q, --quiet                     print nothing\n"
			      "      --json                      print one JSON document\n"
			      "  -h, --help                      print this\n"
			      "  -v, --version                   print the version\n"
			      "\n"
			      "By default the application is frozen, saved and unfrozen.\n";

enum class Action { all, freeze, unfreeze, save };

struct Options {
	Action action = Action::all;
	bool from_appid = false;
	bool quiet = false;
	bool json = false;
	bool version = false;
	uint32_t flags = 0;
	uint32_t unfreeze_signal = 0;
	uint32_t kill_signal = 0;
	std::string description;
};

std::string take_signal(const std::string &text, uint32_t &signal, int otherwise)
{
	const auto parsed = text.empty() ? std::optional(otherwise) : parse_signal(text);

	if (!parsed)
		return "'" + text + "' is no signal";
	signal = static_cast<uint32_t>(*parsed);
	return "";
}

std::vector<Option> option_table(Options &o)
{
	const auto set = [](bool &flag) {
		return [&flag](const std::string &) {
			flag = true;
			return std::string();
		};
	};
	const auto mark = [&o](uint32_t bit) {
		return [&o, bit](const std::string &) {
			o.flags |= bit;
			return std::string();
		};
	};
	const auto act = [&o](Action a) {
		return [&o, a](const std::string &) {
			o.action = a;
			return std::string();
		};
	};

	return {
	    {'f', "freeze", Option::none, act(Action::freeze)},
	    {'u', "unfreeze", Option::optional,
	     [&o](const std::string &text) {
		     o.action = Action::unfreeze;
		     return take_signal(text, o.unfreeze_signal, 0);
	     }},
	    {'c', "ckpt-only", Option::none, act(Action::save)},
	    {'k', "kill", Option::optional,
	     [&o](const std::string &text) { return take_signal(text, o.kill_signal, SIGTERM); }},
	    {'a', "from-appid", Option::none, set(o.from_appid)},
	    {'b', "no-callbacks", Option::none, mark(KRG_CHECKPOINT_NO_CALLBACKS)},
	    {'d', "description", Option::required,
	     [&o](const std::string &text) {
		     o.description = text;
		     return std::string();
	     }},
	    {'i', "ignore-unsupported-files", Option::none, mark(KRG_CHECKPOINT_IGNORE_FILES)},
	    {'q', "quiet", Option::none, set(o.quiet)},
	    {0, "json", Option::none, set(o.json)},
	    {'v', "version", Option::none, set(o.version)},
	};
}

Error interrupted()
{
	return {fmt::format("interrupted by {}", sigdescr_np(Interruptible::caught())), EINTR};
}

Result<void> unless_interrupted(Result<void> done)
{
	if (Interruptible::caught())
		return interrupted();
	return done;
}

// From the saving in the kernel to the name in the file system.
Result<Description> save(Client &client, krg_app &app, Draft &draft, const Options &options, uint32_t flags)
{
	if (auto done = unless_interrupted(client.checkpoint(app, draft.fd(), options.flags | flags)); !done)
		return done.error();
	return draft.publish(app.appid, options.description);
}

Result<Description> freeze_and_save(Client &client, krg_app &app, const Options &options)
{
	const bool kill = options.kill_signal != 0;
	auto draft = Draft::create();

	if (!draft)
		return draft.error();
	if (auto done = unless_interrupted(client.freeze(app, 0)); !done)
		return done.error();
	auto description = save(client, app, *draft, options, kill ? 0 : KRG_CHECKPOINT_UNFREEZE);
	// What was frozen by us does not stay so, whatever happened.
	if (kill)
		if (auto done = client.unfreeze(app, description ? options.kill_signal : 0); !done)
			return description ? done.error() : description.error();
	return description;
}

// -c: what is frozen stays so, unless it is to be killed.
Result<Description> only_save(Client &client, krg_app &app, const Options &options)
{
	auto draft = Draft::create();

	if (!draft)
		return draft.error();
	auto description = save(client, app, *draft, options, 0);
	if (description && options.kill_signal)
		if (auto done = client.unfreeze(app, options.kill_signal); !done)
			return done.error();
	return description;
}

int report(const Options &options, const Result<Description> &description)
{
	if (!description)
		return complain("checkpoint", description.error());
	if (options.quiet)
		return 0;
	const auto out = Output::make(options.json);
	const Description &said = *description;
	const std::string text = said.format();
	out->line(std::string_view(text).substr(0, text.size() - 1));
	out->set("appid", said.appid);
	out->set("version", said.version);
	out->set("description", said.text);
	out->set("date", said.date);
	out->finish();
	return 0;
}

int act(const Options &options, krg_app app)
{
	const Interruptible interruptible;
	const char *what = options.action == Action::freeze	? "freeze"
			   : options.action == Action::unfreeze ? "unfreeze"
								: "save";
	auto client = Client::open(what);
	if (!client)
		return complain("checkpoint", client.error());
	if (options.action == Action::all)
		return report(options, freeze_and_save(*client, app, options));
	if (options.action == Action::save)
		return report(options, only_save(*client, app, options));
	auto done = options.action == Action::freeze ? client->freeze(app, KRG_FREEZE_KEEP)
						     : client->unfreeze(app, options.unfreeze_signal);
	return done ? 0 : complain("checkpoint", done.error());
}

} // namespace

int checkpoint_main(int argc, char **argv)
{
	Options options;
	const auto parsed = parse_options("checkpoint", argc, argv, usage, option_table(options));

	if (parsed.exit)
		return *parsed.exit;
	if (options.version)
		return print_version("checkpoint");
	if (parsed.operands.empty())
		return complain("checkpoint", "which process?", exit_usage);
	if (parsed.operands.size() > 1)
		return complain("checkpoint", "unknown word '" + parsed.operands[1] + "'", exit_usage);
	const auto id = parse_number<pid_t>(parsed.operands[0], INT_MAX, 1);
	if (!id)
		return complain("checkpoint", "'" + parsed.operands[0] + "' is no process id", exit_usage);
	return act(options, options.from_appid ? krg_app{0, *id} : krg_app{*id, 0});
}

} // namespace krgadm
