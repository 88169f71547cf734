// SPDX-License-Identifier: GPL-2.0-only
#include "util/hmac.hpp"
#include "util/fd.hpp"
#include <linux/if_alg.h>
#include <sys/socket.h>

namespace krgadm
{

Result<std::vector<uint8_t>> hmac_sha256(const std::vector<uint8_t> &key, const std::string &message)
{
	constexpr size_t digest_bytes = 32;
	const Fd algorithm(socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
	sockaddr_alg address = {};
	std::vector<uint8_t> digest(digest_bytes);

	address.salg_family = AF_ALG;
	memcpy(address.salg_type, "hash", sizeof("hash"));
	memcpy(address.salg_name, "hmac(sha256)", sizeof("hmac(sha256)"));
	if (!algorithm || bind(algorithm.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) ||
	    setsockopt(algorithm.get(), SOL_ALG, ALG_SET_KEY, key.data(), static_cast<socklen_t>(key.size())))
		return Error::system("hmac(sha256)");
	const Fd operation(accept4(algorithm.get(), nullptr, nullptr, SOCK_CLOEXEC));
	if (!operation || send(operation.get(), message.data(), message.size(), 0) < 0 ||
	    read(operation.get(), digest.data(), digest.size()) != static_cast<ssize_t>(digest.size()))
		return Error::system("hmac(sha256)");
	return digest;
}

} // namespace krgadm
