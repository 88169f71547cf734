// SPDX-License-Identifier: GPL-2.0-only
/*
 * board NAME say TEXT      writes TEXT on a board that all nodes see
 * board NAME hear TIMES    prints what is said, TIMES times, and destroys the board
 */
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <krg/container.hpp>

namespace
{

constexpr uint64_t lines = 8;

/* Guarded by the container's lock. */
struct Board {
	uint64_t said; /* how often */
	uint64_t heard;
	char text[lines][256];
};

krg::container create_or_open(const std::string &name)
{
	for (;;)
		try {
			return krg::container::create(name, sizeof(Board));
		} catch (const krg::error &e) {
			if (e.code() != std::errc::file_exists)
				throw;
			try {
				return krg::container::open(name);
			} catch (const krg::error &gone) {
				if (gone.code() != std::errc::no_such_file_or_directory)
					throw;
			}
		}
}

/* The lock; a board is as it was before whatever its last owner died of. */
class Hold
{
public:
	explicit Hold(krg::container &c) : lock_(c), board_(c.data<Board>())
	{
		if (lock_.orphaned())
			lock_.consistent();
	}
	Board *operator->() const { return board_; }

private:
	krg::container::lock lock_;
	Board *board_;
};

bool try_say(krg::container &c, const std::string &text)
{
	Hold board(c);

	if (board->said - board->heard == lines)
		return false;
	std::strncpy(board->text[board->said % lines], text.c_str(), sizeof(board->text[0]) - 1);
	board->said++;
	return true;
}

bool try_hear(krg::container &c, std::string &text)
{
	Hold board(c);

	if (board->said == board->heard)
		return false;
	text = board->text[board->heard % lines];
	board->heard++;
	return true;
}

/* First the generation, then a look: no change in between is missed. */
template <typename F> void until(krg::container &c, F done)
{
	for (uint32_t generation = c.generation(); !done();)
		c.watch(generation);
	c.notify();
}

} // namespace

int main(int argc, char **argv)
{
	const std::string what = argc == 4 ? argv[2] : "";

	try {
		if (what == "say") {
			auto c = create_or_open(argv[1]);
			until(c, [&] { return try_say(c, argv[3]); });
		} else if (what == "hear") {
			auto c = create_or_open(argv[1]);
			std::string text;
			for (auto times = std::strtoull(argv[3], nullptr, 10); times; times--) {
				until(c, [&] { return try_hear(c, text); });
				std::cout << text << std::endl;
			}
			krg::container::destroy(argv[1]);
		} else {
			std::cerr << "usage: board NAME say TEXT | hear TIMES\n";
			return 2;
		}
	} catch (const std::exception &e) {
		std::cerr << "board: " << e.what() << '\n';
		return 1;
	}
	return 0;
}
