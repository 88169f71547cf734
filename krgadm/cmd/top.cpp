// SPDX-License-Identifier: GPL-2.0-only
// krgadm top: the cluster's processes, refreshed, in a terminal or as a batch.
#include "cli/tool.hpp"
#include "cmd/top_lines.hpp"
#include "out/screen.hpp"
#include "util/signals.hpp"
#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/format.h>
#include <future>
#include <ncurses.h>
#include <thread>

namespace krgadm
{

namespace
{

struct Options {
	bool batch = false;
	bool threads = false;
	bool no_kernel = false;
	unsigned iterations = 0; ///< 0: for ever
	double delay = 3.0;
	std::string sort = "cpu";
};

const std::map<std::string, SortKey> sort_keys = {{"cpu", SortKey::cpu},
						  {"mem", SortKey::mem},
						  {"node", SortKey::node},
						  {"pid", SortKey::pid},
						  {"time", SortKey::time}};

void print_text(Output &out, const TopModel &model, Users &users)
{
	const ProcessLines lines(batch_width);

	out.line(summary_line(model));
	for (const auto &node : model.nodes())
		out.line(node_line(node, batch_width).text);
	out.line("");
	out.line(lines.head(model.threads));
	for (const auto &process : model.processes())
		out.line(lines.line(process, users));
	out.line("");
	fflush(stdout);
}

void print_json(Output &out, const TopModel &model, Users &users)
{
	Json look = {{"nodes", Json::array()}, {"processes", Json::array()}};

	for (const auto &node : model.nodes())
		look["nodes"].push_back({{"node", node.node},
					 {"error", node.error},
					 {"cpu_percent", node.cpu},
					 {"iowait_percent", node.iowait},
					 {"mem_percent", node.mem},
					 {"mem_total", node.stat.mem_total},
					 {"mem_available", node.stat.mem_available},
					 {"load", node.stat.load[0] / 100.0},
					 {"cpus", node.stat.cpus},
					 {"uptime_ns", node.stat.uptime_ns},
					 {"tasks", node.stat.tasks}});
	for (const auto &process : model.processes()) {
		auto json = to_json(process.process, users.name(process.process.uid));
		json["cpu_percent"] = process.cpu;
		json["mem_percent"] = process.mem;
		look["processes"].push_back(std::move(json));
	}
	out.record(look);
}

// Every few seconds, with every process there is: only what is asked for is made.
void print_batch(Output &out, const TopModel &model, Users &users)
{
	if (out.wants_json())
		print_json(out, model, users);
	else
		print_text(out, model, users);
}

// A look that a signal ended, or that the process was stopped in: no reason to give up.
bool interrupted(const Result<TopLook> &look)
{
	return !look && look.error().code == EINTR;
}

int batch(Output &out, Client &client, TopModel &model, const Options &options)
{
	const Interruptible until_signal;
	Users users;

	for (unsigned looks = 0; !Interruptible::caught();) {
		auto look = TopLook::take(client, model.threads);
		if (interrupted(look))
			continue;
		if (!look)
			return complain("krgadm", look.error());
		model.update(*look);
		print_batch(out, model, users);
		if (++looks == options.iterations)
			break;
		timespec left = {
		    static_cast<time_t>(options.delay),
		    static_cast<long>((options.delay - static_cast<double>(static_cast<time_t>(options.delay))) * 1e9)};
		nanosleep(&left, nullptr);
	}
	return 0;
}

// One look at a time, beside the keys: a node that has just died holds up no key.
class Looker
{
public:
	explicit Looker(Client client) : client_(std::make_shared<Client>(std::move(client))) {}

	bool looks() const { return next_.valid(); }
	bool ready() const { return looks() && next_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }
	Result<TopLook> get() { return next_.get(); }

	void start(bool threads)
	{
		std::promise<Result<TopLook>> promise;
		sigset_t all;
		sigset_t old;

		next_ = promise.get_future();
		// Signals are for who reads the keys.
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		// Detached: who quits does not wait for the kernel's answer.
		std::thread([client = client_, threads, promise = std::move(promise)]() mutable {
			promise.set_value(TopLook::take(*client, threads));
		}).detach();
		pthread_sigmask(SIG_SETMASK, &old, nullptr);
	}

private:
	std::shared_ptr<Client> client_;
	std::future<Result<TopLook>> next_;
};

constexpr std::array help = {
    "krgadm top: the processes of the cluster",
    "",
    "  P M T N O   sort by cpu, memory, time, pid, node",
    "  R           reverse the order",
    "  H           a line a thread",
    "  K           with or without kernel threads",
    "  + -         look less often, more often",
    "  space       look now",
    "  arrows, PgUp, PgDn, Home, End",
    "              scroll the list",
    "  ^L          draw all anew",
    "  q           quit",
    "",
    "NODE is where a process runs, HOME where it was started.",
    "Any key goes back.",
};

class Terminal
{
public:
	Terminal(Client client, TopModel &model, const Options &options)
	    : looker_(std::move(client)), model_(model), options_(options), delay_(options.delay)
	{
	}

	Result<void> run()
	{
		const Interruptible until_signal;
		auto screen = Screen::open();

		if (!screen)
			return screen.error();
		while (!over() && (!options_.iterations || looks_ < options_.iterations)) {
			if (auto done = look(); !done)
				return done;
			wait();
		}
		return {};
	}

private:
	using Clock = std::chrono::steady_clock;

	bool over() const { return quit_ || Interruptible::caught(); }

	Result<void> look()
	{
		const auto begin = Clock::now();

		message_.clear();
		again_ = false;
		looker_.start(model_.threads);
		while (!over() && !looker_.ready()) {
			const bool late = Clock::now() - begin > std::chrono::seconds(1);
			if (late && message_.empty()) {
				message_ = "a node does not answer";
				draw();
			}
			serve_key(Clock::now() - begin > std::chrono::milliseconds(50) ? 50 : 2);
		}
		if (over())
			return {};
		auto found = looker_.get();
		if (interrupted(found))
			again_ = true;
		else if (!found)
			return found.error();
		else
			update(*found);
		return {};
	}

	void update(const TopLook &found)
	{
		model_.update(found);
		message_.clear();
		looks_++;
		draw();
	}

	// Keys are served at once; the time until the next look runs on.
	void wait()
	{
		const auto next = Clock::now() + std::chrono::milliseconds(static_cast<long>(delay_ * 1000));

		while (!over() && !again_) {
			const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
			if (left <= 0)
				return;
			serve_key(static_cast<int>(left));
		}
	}

	void serve_key(int ms)
	{
		const int pressed = Screen::key(ms);

		if (pressed == Screen::no_key)
			return;
		message_.clear();
		if (help_)
			help_ = pressed == KEY_RESIZE;
		else
			key(pressed);
		model_.sort();
		draw();
	}

	void draw()
	{
		if (help_)
			draw_help();
		else if (looks_)
			draw_all();
		else
			Screen::line(0, message_);
		Screen::show();
	}

	static void draw_help()
	{
		for (int row = 0; row < Screen::rows(); row++)
			Screen::line(row, static_cast<size_t>(row) < help.size() ? help[static_cast<size_t>(row)] : "");
	}

	void draw_all()
	{
		const auto width = static_cast<size_t>(Screen::columns());
		const ProcessLines lines(width);
		const auto &processes = model_.processes();
		int row = 0;

		Screen::line(row++, summary_line(model_));
		row = draw_nodes(row, width);
		// On a small screen a message takes the place of the summary.
		if (Screen::rows() >= roomy)
			Screen::line(row++, message_);
		else if (!message_.empty())
			Screen::line(0, message_);
		std::string head = lines.head(model_.threads);
		head.resize(std::max(head.size(), width), ' ');
		Screen::line(row++, head, Screen::Look::reverse);
		page_ = static_cast<size_t>(std::max(1, Screen::rows() - row));
		first_ = std::min(first_, processes.size() - std::min(processes.size(), page_));
		for (size_t i = first_; i < processes.size() && row < Screen::rows(); i++)
			Screen::line(row++, lines.line(processes[i], users_),
				     processes[i].process.state == 'R' ? Screen::Look::strong : Screen::Look::normal);
		while (row < Screen::rows())
			Screen::line(row++, "");
	}

	// The list of processes keeps half the screen, less its heading.
	int draw_nodes(int row, size_t width)
	{
		const auto &nodes = model_.nodes();
		const auto room = static_cast<size_t>(std::max(1, Screen::rows() / 2 - 1));
		const size_t shown = nodes.size() <= room ? nodes.size() : room - 1;

		for (size_t i = 0; i < shown; i++, row++) {
			const auto line = node_line(nodes[i], width);
			Screen::line(row, line.text);
			if (nodes[i].error)
				Screen::paint(row, 0, line.text.size(), Screen::Colour::bad);
			for (const auto &bar : line.bars)
				Screen::paint(row, bar.column, bar.width,
					      bar.per_cent >= busy ? Screen::Colour::bad : Screen::Colour::good);
		}
		if (shown < nodes.size())
			Screen::line(row++, fmt::format("and {} nodes more", nodes.size() - shown));
		return row;
	}

	void sort_by(SortKey key)
	{
		model_.key = key;
		first_ = 0;
	}

	void delay(double seconds)
	{
		delay_ = std::clamp(seconds, 0.5, 60.0);
		message_ = fmt::format("delay {:.1f} s", delay_);
	}

	void key(int pressed)
	{
		switch (pressed) {
		case Screen::gone:
		case 'q':
			quit_ = true;
			break;
		case ' ':
		case '\r':
			again_ = true;
			break;
		case 'P':
			return sort_by(SortKey::cpu);
		case 'M':
			return sort_by(SortKey::mem);
		case 'T':
			return sort_by(SortKey::time);
		case 'N':
			return sort_by(SortKey::pid);
		case 'O':
			return sort_by(SortKey::node);
		case 'R':
			model_.reverse = !model_.reverse;
			break;
		case 'H':
			model_.threads = !model_.threads;
			again_ = true;
			break;
		case 'K':
			model_.kernel = !model_.kernel;
			again_ = true;
			break;
		case '+':
			return delay(delay_ * 2);
		case '-':
			return delay(delay_ / 2);
		case 'h':
		case '?':
			help_ = true;
			break;
		case KEY_DOWN:
			first_++;
			break;
		case KEY_UP:
			first_ -= first_ ? 1 : 0;
			break;
		case KEY_NPAGE:
			first_ += page_;
			break;
		case KEY_PPAGE:
			first_ -= std::min(first_, page_);
			break;
		case KEY_HOME:
			first_ = 0;
			break;
		case KEY_END:
			first_ = model_.processes().size();
			break;
		case 'L' - '@':
			Screen::repair();
			break;
		default: // KEY_RESIZE too: drawing again is all it needs
			break;
		}
	}

	static constexpr double busy = 90;
	static constexpr int roomy = 10;

	Looker looker_;
	TopModel &model_;
	const Options &options_;
	Users users_;
	std::string message_;
	double delay_;
	size_t first_ = 0;
	size_t page_ = 1;
	unsigned looks_ = 0;
	bool help_ = false;
	bool quit_ = false;
	bool again_ = false;
};

int top(Output &out, const Options &options, bool json)
{
	TopModel model;

	model.threads = options.threads;
	model.kernel = !options.no_kernel;
	model.key = sort_keys.at(options.sort);
	auto client = Client::open("top");
	if (!client)
		return complain("krgadm", client.error());
	if (options.batch || json || !isatty(STDOUT_FILENO))
		return batch(out, *client, model, options);
	const auto done = Terminal(std::move(*client), model, options).run();
	return done ? 0 : complain("krgadm", done.error());
}

} // namespace

void add_top(CLI::App &app, Run &run)
{
	auto options = std::make_shared<Options>();
	auto *command = app.add_subcommand("top", "Watch the processes of the cluster");

	command->add_flag("-b,--batch", options->batch, "Print instead of drawing");
	command->add_option("-n,--iterations", options->iterations, "Stop after N looks")->type_name("N");
	command->add_option("-d,--delay", options->delay, "Seconds between looks (3)")
	    ->type_name("SECONDS")
	    ->check(CLI::Range(0.1, 3600.0));
	command->add_option("-o,--sort", options->sort, "cpu, mem, node, pid or time")
	    ->check(CLI::IsMember({"cpu", "mem", "node", "pid", "time"}))
	    ->type_name("KEY");
	command->add_flag("-T,-H,--threads", options->threads, "A line a thread");
	command->add_flag("-K,--no-kernel", options->no_kernel, "Without kernel threads");
	set_body(command, run, [options, &run](Output &out) { return top(out, *options, run.json); });
}

} // namespace krgadm
