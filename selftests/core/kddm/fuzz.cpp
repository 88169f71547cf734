// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer target: a node among peers that send any message, see fuzz.hpp. */
#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 3)
		return 0;
	fuzz::Node f(data[0] % 3, data[1] % 3, data[2] % 3 ? (data[1] + data[2]) % 3 : KRG_KDDM_NOBODY);

	for (data += 3, len -= 3; len >= 10; data += 10, len -= 10) {
		krg_kddm_msg m{};

		switch (data[0] % 8) {
		case 0:
			f.op(data[1], data[2]);
			break;
		case 1:
			if (data[1] % 8 == 0)
				f.turn();
			else
				f.view(data[1], data + 2);
			break;
		default:
			m.type = data[1] % 32;
			m.content = data[2] % 8;
			m.op = data[3];
			m.flags = data[4];
			m.node = data[5] & 128 ? KRG_KDDM_NOBODY : data[5] % 20;
			m.from = data[6] & 128 ? f.e.place.manager : data[6] % 24;
			m.acks = data[7] % 5;
			m.status = -static_cast<s16>(data[8]);
			f.event(m);
		}
		f.check();
	}
	return 0;
}
