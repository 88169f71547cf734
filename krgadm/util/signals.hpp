// SPDX-License-Identifier: GPL-2.0-only
// SIGINT and SIGTERM, noted instead of deadly while something must be undone,
// or passed on to a child.
#pragma once

#include <csignal>
#include <sys/types.h>

namespace krgadm
{

/// While it lives, INT and TERM interrupt system calls and are remembered.
class Interruptible
{
public:
	Interruptible();
	~Interruptible();
	Interruptible(const Interruptible &) = delete;
	Interruptible &operator=(const Interruptible &) = delete;

	/// The last signal that came, 0: none.
	static int caught();

private:
	struct sigaction old_int_;
	struct sigaction old_term_;
};

/// Waits for a child and passes INT and TERM on to it, also those an Interruptible
/// alive since before the child has noted; its wait status.
int wait_relaying(pid_t child);

} // namespace krgadm
