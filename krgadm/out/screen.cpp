// SPDX-License-Identifier: GPL-2.0-only
#include "out/screen.hpp"
#include <clocale>
#include <cstdlib>
#include <fmt/format.h>
#include <ncurses.h>
#include <poll.h>
#include <term.h>
#include <unistd.h>
// What term.h leaves behind.
#undef columns
#undef lines

namespace krgadm
{

namespace
{

// Whether the terminal can do the least there is to it: write somewhere.
bool can_draw()
{
	char place[] = "cup";
	int err = 0;

	if (setupterm(nullptr, STDOUT_FILENO, &err) != OK)
		return false;
	const char *found = tigetstr(place);
	return found && found != reinterpret_cast<const char *>(-1);
}

} // namespace

Result<std::unique_ptr<Screen>> Screen::open()
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO))
		return Error{"standard input is no terminal: -b prints"};
	if (!can_draw())
		return Error{
		    fmt::format("nothing can be drawn on a terminal of type '{}': -b prints", term ? term : "")};
	return std::unique_ptr<Screen>(new Screen);
}

Screen::Screen()
{
	setlocale(LC_ALL, "");
	initscr();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_GREEN, -1);
		init_pair(2, COLOR_RED, -1);
	}
}

Screen::~Screen()
{
	// The prompt comes to the last row, where there is no other screen to go back to.
	move(LINES - 1, 0);
	clrtoeol();
	refresh();
	endwin();
}

int Screen::rows()
{
	return LINES;
}

int Screen::columns()
{
	return COLS;
}

void Screen::line(int row, const std::string &text, Look look)
{
	const attr_t attributes[] = {A_NORMAL, A_BOLD, A_REVERSE};

	if (row >= LINES)
		return;
	attrset(attributes[static_cast<int>(look)]);
	mvaddnstr(row, 0, text.c_str(), COLS);
	// A row that is full has moved on to the next one.
	if (getcury(stdscr) == row && static_cast<int>(text.size()) < COLS)
		clrtoeol();
	attrset(A_NORMAL);
}

void Screen::paint(int row, size_t column, size_t count, Colour colour)
{
	if (row < LINES && static_cast<int>(column) < COLS)
		mvchgat(row, static_cast<int>(column), static_cast<int>(count), A_NORMAL,
			colour == Colour::good ? 1 : 2, nullptr);
}

void Screen::show()
{
	refresh();
}

void Screen::repair()
{
	clearok(curscr, TRUE);
}

int Screen::key(int ms)
{
	timeout(ms);
	const int pressed = getch();
	if (pressed != ERR)
		return pressed;
	// A terminal that has hung up has no keys, at once and for ever.
	pollfd input = {STDIN_FILENO, 0, 0};
	return poll(&input, 1, 0) > 0 && input.revents & (POLLHUP | POLLERR | POLLNVAL) ? gone : no_key;
}

} // namespace krgadm
