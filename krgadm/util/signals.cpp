// SPDX-License-Identifier: GPL-2.0-only
#include "util/signals.hpp"
#include <cerrno>
#include <sys/wait.h>

namespace krgadm
{

static volatile sig_atomic_t last_signal;

static void note_signal(int sig)
{
	last_signal = sig;
}

Interruptible::Interruptible()
{
	struct sigaction action = {};

	last_signal = 0;
	action.sa_handler = note_signal; /* without SA_RESTART: waits end */
	sigaction(SIGINT, &action, &old_int_);
	sigaction(SIGTERM, &action, &old_term_);
}

Interruptible::~Interruptible()
{
	sigaction(SIGINT, &old_int_, nullptr);
	sigaction(SIGTERM, &old_term_, nullptr);
}

int Interruptible::caught()
{
	return last_signal;
}

static volatile sig_atomic_t relay_to;

static void relay_signal(int sig)
{
	const int saved = errno;

	kill(relay_to, sig);
	errno = saved;
}

int wait_relaying(pid_t child)
{
	struct sigaction action = {};
	int status = 0;

	relay_to = child;
	action.sa_handler = relay_signal;
	action.sa_flags = SA_RESTART;
	sigaction(SIGINT, &action, nullptr);
	sigaction(SIGTERM, &action, nullptr);
	// What an Interruptible noted before there was anybody to pass it to.
	if (last_signal)
		kill(child, last_signal);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

} // namespace krgadm
