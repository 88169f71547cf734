// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the first byte chooses what the rest is fed to: the frame
 * parser as a stream, the responder, or the initiator. What must hold besides no
 * sanitizer report: a header that was accepted is one that can be encoded again to
 * the same bytes, and nobody without the key gets a handshake done.
 */
#include <stdlib.h>

#include "hmac.h"

static void must(int good)
{
	if (!good)
		abort();
}

static void fuzz_frames(const u8 *data, size_t len)
{
	static const u8 secret[KRG_MAC_KEY];
	static struct krg_frame_key key;
	u8 again[KRG_FRAME_HEADER], fixed[KRG_FRAME_HEADER];
	struct krg_frame frame;
	__le32 crc;

	if (!key.nh[0])
		krg_frame_key_init(&key, secret);
	while (len >= KRG_FRAME_HEADER) {
		/* With its checksum put right, or every input would end there. */
		memcpy(fixed, data, sizeof(fixed));
		crc = cpu_to_le32(krg_crc32c(fixed, 36));
		memcpy(fixed + 36, &crc, sizeof(crc));
		data += KRG_FRAME_HEADER;
		len -= KRG_FRAME_HEADER;
		if (krg_frame_decode(fixed, fixed[6] & 1, 1 << 16, &frame))
			return;
		must(frame.length <= 1 << 16 && frame.type && frame.type < KRG_FRAME_TYPE_END);
		krg_frame_encode(&frame, again);
		must(!memcmp(again, fixed, 40));
		if (frame.length > len)
			return;
		must(krg_frame_strerror(krg_frame_verify(fixed, data, frame.length, &key, 1)) != NULL);
		krg_frame_seal(fixed, data, frame.length, &key, 1);
		must(!krg_frame_verify(fixed, data, frame.length, &key, 1));
		data += frame.length;
		len -= frame.length;
	}
}

static void fuzz_handshake(const u8 *data, size_t len, int initiator)
{
	struct krg_hs_ident ident = { .session = 7, .lane = 1, .from = 1, .to = 2 };
	u8 nonce[KRG_HS_NONCE] = { 9 }, buf[KRG_HS_MAX_MESSAGE];
	struct party party = { .key = { 1 } };
	struct krg_hs hs;

	if (initiator)
		krg_hs_initiate(&hs, &party_ops, &party, &ident, nonce);
	else
		krg_hs_respond(&hs, &party_ops, &party, 7, nonce);
	while (krg_hs_want(&hs) && len >= krg_hs_want(&hs)) {
		u32 want = krg_hs_want(&hs);

		memcpy(buf, data, want);
		data += want;
		len -= want;
		krg_hs_input(&hs, buf, want);
		must(hs.out_len <= KRG_HS_MAX_MESSAGE);
	}
	must(hs.state != KRG_HS_DONE && !party.admitted);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	if (!len)
		return 0;
	if (data[0] % 3 == 0)
		fuzz_frames(data + 1, len - 1);
	else
		fuzz_handshake(data + 1, len - 1, data[0] % 3 == 1);
	return 0;
}
