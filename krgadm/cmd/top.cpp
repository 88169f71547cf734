// SPDX-License-Identifier: GPL-2.0-only
// krgadm top: the cluster's processes, refreshed, in a terminal or as a batch.
#include "cli/tool.hpp"
#include "cmd/top_model.hpp"
#include "util/signals.hpp"
#include <algorithm>
#include <clocale>
#include <fmt/format.h>
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

constexpr size_t batch_width = 120;

void print_text(Output &out, const TopModel &model, Users &users)
{
	out.line(summary_line(model));
	for (const auto &node : model.nodes())
		out.line(node_line(node, batch_width));
	out.line("");
	out.line(head_line(model.threads));
	for (const auto &process : model.processes())
		out.line(process_line(process, users));
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

int batch(Output &out, Client &client, TopModel &model, const Options &options)
{
	const Interruptible until_signal;
	Users users;

	for (unsigned n = 0; !Interruptible::caught(); n++) {
		if (auto done = model.refresh(client); !done)
			return complain("krgadm", done.error());
		print_batch(out, model, users);
		if (options.iterations && n + 1 == options.iterations)
			break;
		timespec left = {
		    static_cast<time_t>(options.delay),
		    static_cast<long>((options.delay - static_cast<double>(static_cast<time_t>(options.delay))) * 1e9)};
		nanosleep(&left, nullptr);
	}
	return 0;
}

class Screen
{
public:
	Screen()
	{
		setlocale(LC_ALL, "");
		initscr();
		cbreak();
		noecho();
		keypad(stdscr, TRUE);
		curs_set(0);
		if (has_colors()) {
			start_color();
			use_default_colors();
			init_pair(1, COLOR_GREEN, -1);
			init_pair(2, COLOR_RED, -1);
		}
	}
	~Screen() { endwin(); }
	Screen(const Screen &) = delete;
	Screen &operator=(const Screen &) = delete;

	void line(int row, const std::string &text, attr_t attributes = A_NORMAL)
	{
		if (row >= LINES)
			return;
		attrset(attributes);
		mvaddnstr(row, 0, text.c_str(), COLS);
		clrtoeol();
		attrset(A_NORMAL);
	}
};

class Terminal
{
public:
	Terminal(Client &client, TopModel &model, const Options &options)
	    : client_(client), model_(model), options_(options), delay_(options.delay)
	{
	}

	Result<void> run()
	{
		const Interruptible until_signal;

		for (unsigned n = 0; !quit_ && !Interruptible::caught(); n++) {
			if (options_.iterations && n == options_.iterations)
				break;
			if (auto done = model_.refresh(client_); !done)
				return done;
			draw();
			keys_until_next();
		}
		return {};
	}

private:
	void draw()
	{
		const auto &processes = model_.processes();
		int row = 0;

		screen_.line(row++, message_.empty() ? summary_line(model_) : message_);
		for (const auto &node : model_.nodes()) {
			// The list of processes keeps at least half the screen.
			if (row > LINES / 2)
				break;
			screen_.line(row++, node_line(node, static_cast<size_t>(COLS)), colour(node));
		}
		screen_.line(row++, "");
		screen_.line(row++, fill(head_line(model_.threads)), A_REVERSE);
		first_ = std::min(first_, processes.empty() ? 0 : processes.size() - 1);
		for (size_t i = first_; i < processes.size() && row < LINES; i++)
			screen_.line(row++, process_line(processes[i], users_),
				     processes[i].process.state == 'R' ? A_BOLD : A_NORMAL);
		while (row < LINES)
			screen_.line(row++, "");
		refresh();
	}

	static attr_t colour(const TopNode &node)
	{
		constexpr double busy = 90;

		return COLOR_PAIR(node.error || node.cpu >= busy || node.mem >= busy ? 2 : 1);
	}

	static std::string fill(std::string text)
	{
		text.resize(std::max(text.size(), static_cast<size_t>(COLS)), ' ');
		return text;
	}

	// Keys are served at once; the time until the next look runs on.
	void keys_until_next()
	{
		using Clock = std::chrono::steady_clock;
		const auto next = Clock::now() + std::chrono::milliseconds(static_cast<long>(delay_ * 1000));

		again_ = false;
		while (!quit_ && !again_ && !Interruptible::caught()) {
			const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
			if (left <= 0)
				return;
			timeout(static_cast<int>(left));
			const int pressed = getch();
			message_.clear();
			if (pressed == ERR)
				continue;
			key(pressed);
			model_.sort();
			draw();
		}
	}

	void key(int pressed)
	{
		const size_t page = static_cast<size_t>(std::max(1, LINES / 2));

		switch (pressed) {
		case 'q':
			quit_ = true;
			break;
		case ' ':
			again_ = true;
			break;
		case 'P':
			model_.key = SortKey::cpu;
			break;
		case 'M':
			model_.key = SortKey::mem;
			break;
		case 'T':
			model_.key = SortKey::time;
			break;
		case 'N':
			model_.key = SortKey::pid;
			break;
		case 'O':
			model_.key = SortKey::node;
			break;
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
			delay_ = std::min(delay_ * 2, 60.0);
			message_ = fmt::format("delay {:.1f} s", delay_);
			break;
		case '-':
			delay_ = std::max(delay_ / 2, 0.5);
			message_ = fmt::format("delay {:.1f} s", delay_);
			break;
		case 'h':
		case '?':
			message_ =
			    "sort: P cpu M mem T time N pid O node R reverse | H threads K kernel + - delay space q";
			break;
		case KEY_DOWN:
			first_++;
			break;
		case KEY_UP:
			first_ -= first_ ? 1 : 0;
			break;
		case KEY_NPAGE:
			first_ += page;
			break;
		case KEY_PPAGE:
			first_ -= std::min(first_, page);
			break;
		case KEY_HOME:
			first_ = 0;
			break;
		default: // KEY_RESIZE too: drawing again is all it needs
			break;
		}
	}

	Client &client_;
	TopModel &model_;
	const Options &options_;
	Screen screen_;
	Users users_;
	std::string message_;
	double delay_;
	size_t first_ = 0;
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
	const auto done = Terminal(*client, model, options).run();
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
	command->add_flag("-H,--threads", options->threads, "A line a thread");
	command->add_flag("-K,--no-kernel", options->no_kernel, "Without kernel threads");
	set_body(command, run, [options, &run](Output &out) { return top(out, *options, run.json); });
}

} // namespace krgadm
