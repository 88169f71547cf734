// SPDX-License-Identifier: GPL-2.0-only
// rpc_ctl WORD…: one command for /dev/krg_rpc_test; prints its result, or why it failed.
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <unistd.h>

int main(int argc, char **argv)
{
	std::string line;
	for (int i = 1; i < argc; i++)
		line += (i > 1 ? " " : "") + std::string(argv[i]);
	int fd = open("/dev/krg_rpc_test", O_RDWR);
	if (fd < 0) {
		std::cerr << "/dev/krg_rpc_test: " << strerror(errno) << "\n";
		return 2;
	}
	if (write(fd, line.data(), line.size()) < 0) {
		std::cout << strerrorname_np(errno) << "\n";
		return 1;
	}
	char buf[512];
	ssize_t n = read(fd, buf, sizeof(buf));
	if (n > 0)
		std::cout.write(buf, n);
	return 0;
}
