// SPDX-License-Identifier: GPL-2.0-only
/* Where no cluster memory is mounted: refused, in words; names are looked at first. */
#include "../tap.hpp"

#include <krg/container.hpp>

int main()
{
	krg_container *c = nullptr;

	tap::ok(krg_container_create("/krg.none", 4096, 0600, &c) == -EOPNOTSUPP && !c, "create is refused");
	tap::ok(std::string(krg_container_error()).find("no cluster memory here") == 0,
		std::string("and says: ") + krg_container_error());
	tap::ok(krg_container_open("/krg.none", 0, &c) == -EOPNOTSUPP && !c, "open is refused");
	tap::ok(krg_container_destroy("/krg.none") == -EOPNOTSUPP, "destroy is refused");
	tap::ok(krg_container_open("/a/b", 0, &c) == -EINVAL, "a name that is none is told apart");
	bool thrown = false;
	try {
		krg::container::create("/krg.none", 4096);
	} catch (const krg::error &e) {
		thrown = e.code().value() == EOPNOTSUPP;
	}
	tap::ok(thrown, "an exception in C++");
	return tap::end();
}
