// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of modules/rpc/core. TAP. */
#include <stdio.h>
#include <stdlib.h>

#include "../../../modules/rpc/core/conn.h"
#include "hmac.h"

static int count, failed;

static void check(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
	failed += !good;
}

/* ---- frames */

static const u8 key[KRG_MAC_KEY] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static struct krg_frame request(void)
{
	return (struct krg_frame){
		.type = KRG_FRAME_REQUEST, .lane = 1, .flags = KRG_FRAME_CHARGED,
		.service = 0x1234, .epoch = 0xfffffff0, .call = 0x1122334455667788,
		.length = 1000, .arg = 77, .credit = 0x80000001,
	};
}

static enum krg_frame_error decode(const struct krg_frame *frame, u32 max)
{
	struct krg_frame out;
	u8 buf[KRG_FRAME_HEADER] = { 0 };

	krg_frame_encode(frame, buf);
	return krg_frame_decode(buf, 1, max, &out);
}

static void test_round_trip(void)
{
	struct krg_frame in = request(), out;
	u8 buf[KRG_FRAME_HEADER] = { 0 };

	krg_frame_encode(&in, buf);
	check(krg_frame_decode(buf, 1, 1000, &out) == KRG_FRAME_OK && out.type == in.type &&
	      out.lane == in.lane && out.flags == in.flags && out.service == in.service &&
	      out.epoch == in.epoch && out.call == in.call && out.length == in.length &&
	      out.arg == in.arg && out.credit == in.credit, "a header comes back as it was");
	check(!memcmp(buf, "KrGR\2\1\1\1\x34\x12\0\0", 12), "the header's bytes are little endian");
}

static void test_rules(void)
{
	struct krg_frame f;

	f = request();
	check(decode(&f, 999) == KRG_FRAME_BAD_LENGTH, "one byte too long is refused");
	f.length = 0xffffffff;
	check(decode(&f, 1 << 20) == KRG_FRAME_BAD_LENGTH, "the greatest length is refused");
	f = request();
	f.lane = 0;
	check(decode(&f, 1000) == KRG_FRAME_BAD_LANE, "another lane's frame is refused");
	f = request();
	f.flags = KRG_FRAME_REFUSED;
	check(decode(&f, 1000) == KRG_FRAME_BAD_FLAGS, "a request cannot be REFUSED");
	f = request();
	f.service = 0;
	check(decode(&f, 1000) == KRG_FRAME_BAD_SERVICE, "a request names a service");
	f = request();
	f.call = 0;
	check(decode(&f, 1000) == KRG_FRAME_BAD_CALL, "a request has a call number");
	f.type = KRG_FRAME_ONEWAY;
	f.arg = 0;
	check(decode(&f, 1000) == KRG_FRAME_OK, "a one-way has none");
	f.arg = 1;
	check(decode(&f, 1000) == KRG_FRAME_BAD_RESERVED, "a one-way's arg is 0");
	f = (struct krg_frame){ .type = KRG_FRAME_REPLY, .lane = 1, .call = 1, .arg = (u32)-4095 };
	check(decode(&f, 1000) == KRG_FRAME_OK, "status -4095 is a status");
	f.arg = (u32)-4096;
	check(decode(&f, 1000) == KRG_FRAME_BAD_STATUS, "status -4096 is none");
	f.arg = 1;
	check(decode(&f, 1000) == KRG_FRAME_BAD_STATUS, "a positive status is none");
	f = (struct krg_frame){ .type = KRG_FRAME_CANCEL, .lane = 1, .call = 1, .length = 1 };
	check(decode(&f, 1000) == KRG_FRAME_BAD_LENGTH, "a cancel has no payload");
	f = (struct krg_frame){ .type = KRG_FRAME_TYPE_END, .lane = 1 };
	check(decode(&f, 1000) == KRG_FRAME_BAD_TYPE, "a type too great is refused");
	f.type = 0;
	check(decode(&f, 1000) == KRG_FRAME_BAD_TYPE, "type 0 is refused");
}

static void test_every_bit(void)
{
	struct krg_frame in = request(), out;
	u8 buf[KRG_FRAME_HEADER] = { 0 }, payload[2500] = { 1, 2, 3 };
	struct krg_frame_key sealing;
	int passed = 0;

	krg_frame_key_init(&sealing, key);
	krg_frame_encode(&in, buf);
	krg_frame_seal(buf, payload, sizeof(payload), &sealing, 5);
	check(krg_frame_verify(buf, payload, sizeof(payload), &sealing, 5) == KRG_FRAME_OK,
	      "a sealed frame is authentic");
	check(krg_frame_verify(buf, payload, sizeof(payload), &sealing, 6), "a repeated frame is not");
	for (int bit = 0; bit < KRG_FRAME_HEADER * 8; bit++) {
		buf[bit / 8] ^= 1 << bit % 8;
		passed += !krg_frame_decode(buf, 1, 1000, &out) &&
			  !krg_frame_verify(buf, payload, sizeof(payload), &sealing, 5);
		buf[bit / 8] ^= 1 << bit % 8;
	}
	for (int bit = 0; bit < (int)sizeof(payload) * 8; bit++) {
		payload[bit / 8] ^= 1 << bit % 8;
		passed += !krg_frame_verify(buf, payload, sizeof(payload), &sealing, 5);
		payload[bit / 8] ^= 1 << bit % 8;
	}
	check(!passed, "no bit of header or payload changes unnoticed");
}

/* Vectors: RFC 3720 B.4 for crc32c; the SipHash paper, appendix A. */
static void test_sums(void)
{
	u8 zeros[32] = { 0 }, msg[15];
	struct krg_mac mac;
	int same = 1;
	u64 whole;

	check(krg_crc32c(zeros, 32) == 0x8a9136aa, "crc32c of 32 zeros");
	check(krg_crc32c("123456789", 9) == 0xe3069283, "crc32c of 123456789");
	for (int i = 0; i < 15; i++)
		msg[i] = i;
	krg_mac_init(&mac, key);
	krg_mac_update(&mac, msg, 15);
	whole = krg_mac_final(&mac);
	check(whole == 0xa129ca6149be45e5ull, "SipHash of the paper's vector");
	for (int a = 0; a <= 15; a++)
		for (int b = a; b <= 15; b++) {
			krg_mac_init(&mac, key);
			krg_mac_update(&mac, msg, a);
			krg_mac_update(&mac, msg + a, b - a);
			krg_mac_update(&mac, msg + b, 15 - b);
			same &= krg_mac_final(&mac) == whole;
		}
	check(same, "SipHash is the same however it is fed");
}

/* ---- the payload's digest */

/* The same by the book: a sum of products modulo 2^128, a byte and a bit at a time. */
static void nh_by_the_book(const u64 *words, const u8 *data, size_t len, u64 digest[2])
{
	unsigned __int128 sum = 0;

	for (size_t i = 0; i < (len + 15) / 16; i++) {
		u64 half[2] = { words[2 * i], words[2 * i + 1] };

		for (size_t j = 0; j < 16 && i * 16 + j < len; j++)
			half[j / 8] += (u64)data[i * 16 + j] << j % 8 * 8;
		for (int bit = 0; bit < 64; bit++)
			if (half[1] >> bit & 1)
				sum += (unsigned __int128)half[0] << bit;
	}
	digest[0] = (u64)sum;
	digest[1] = (u64)(sum >> 64);
}

static int same_words(const struct krg_frame_key *a, const struct krg_frame_key *b)
{
	int same = 0;

	for (int i = 0; i < KRG_NH_WORDS; i++)
		for (int j = 0; j < KRG_NH_WORDS; j++)
			same += a->nh[i] == b->nh[j] || (i != j && a->nh[i] == a->nh[j]);
	return same;
}

static void test_digest(void)
{
	u8 block[KRG_NH_BLOCK + 8], header[KRG_FRAME_HEADER] = { 0 }, again[KRG_FRAME_HEADER];
	struct krg_frame_key sealing, other;
	u8 secret[KRG_MAC_KEY];
	u64 a[2], b[2];
	int same = 1;

	memcpy(secret, key, sizeof(secret));
	krg_frame_key_init(&sealing, secret);
	secret[15] ^= 0x80;
	krg_frame_key_init(&other, secret);
	check(!same_words(&sealing, &other), "no two words of two digest keys are the same");
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = 255 - i * 7;
	for (size_t len = 1; len <= KRG_NH_BLOCK; len++) {
		krg_nh(sealing.nh, block + len % 8, len, a);
		nh_by_the_book(sealing.nh, block + len % 8, len, b);
		same &= a[0] == b[0] && a[1] == b[1];
	}
	check(same, "NH of any length, anywhere in memory, is the sum of the paper");
	krg_frame_seal(header, block, 8, &sealing, 0);
	memcpy(again, header, sizeof(header));
	krg_frame_seal(again, block, 8, &other, 0);
	check(memcmp(header, again, sizeof(header)), "another secret, another tag");
	check(krg_frame_verify(header, block, 8, &other, 0) == KRG_FRAME_BAD_TAG,
	      "which the first one's holder refuses");
}

/* Blocks that changed places have the same digests in another order. */
static void test_swapped_blocks(void)
{
	u8 header[KRG_FRAME_HEADER] = { 0 }, data[2 * KRG_NH_BLOCK], swapped[2 * KRG_NH_BLOCK];
	struct krg_frame_key sealing;

	krg_frame_key_init(&sealing, key);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i / KRG_NH_BLOCK;
	memcpy(swapped, data + KRG_NH_BLOCK, KRG_NH_BLOCK);
	memcpy(swapped + KRG_NH_BLOCK, data, KRG_NH_BLOCK);
	krg_frame_seal(header, data, sizeof(data), &sealing, 9);
	check(krg_frame_verify(header, swapped, sizeof(swapped), &sealing, 9) == KRG_FRAME_BAD_TAG,
	      "blocks that changed places are noticed");
	check(krg_frame_verify(header, data, sizeof(data), &sealing, 9) == KRG_FRAME_OK,
	      "and in their places they are right");
}

/* ---- posts and pages */

static void test_posts(void)
{
	struct krg_frame f = { .type = KRG_FRAME_POST, .lane = 1, .service = 9, .call = 1ull << 32,
			       .flags = KRG_FRAME_PAGE, .length = KRG_FRAME_PAGE_BYTES + 16 };
	u8 header[KRG_FRAME_HEADER] = { 0 }, data[16] = { 3 }, page[KRG_FRAME_PAGE_BYTES] = { 4 };
	struct krg_frame_key sealing;
	int passed = 0;

	check(decode(&f, 65536) == KRG_FRAME_OK && krg_frame_data_length(&f) == 16,
	      "a post with a page");
	f.length = KRG_FRAME_PAGE_BYTES - 1;
	check(decode(&f, 65536) == KRG_FRAME_BAD_PAGE, "shorter than its page it is refused");
	f.type = KRG_FRAME_ONEWAY;
	f.call = 0;
	check(decode(&f, 65536) == KRG_FRAME_BAD_FLAGS, "only posts have pages");
	krg_frame_key_init(&sealing, key);
	krg_frame_encode(&f, header);
	krg_frame_seal_page(header, data, 16, page, &sealing, 1);
	check(krg_frame_verify_page(header, data, 16, page, &sealing, 1) == KRG_FRAME_OK,
	      "data and page are sealed");
	for (int bit = 0; bit < (int)sizeof(page) * 8; bit++) {
		page[bit / 8] ^= 1 << bit % 8;
		passed += !krg_frame_verify_page(header, data, 16, page, &sealing, 1);
		page[bit / 8] ^= 1 << bit % 8;
	}
	passed += !krg_frame_verify_page(header, data, 16, NULL, &sealing, 1);
	check(!passed, "every bit of the page is");
}

/* ---- connection states */

static void test_conn(void)
{
	enum krg_conn_state s = KRG_CONN_DOWN;
	int moves = 0;

	for (int from = 0; from < KRG_CONN_STATES; from++)
		for (int to = 0; to < KRG_CONN_STATES; to++)
			moves += krg_conn_legal(from, to);
	check(moves == 8, "the table has the moves of the drawing");
	check(krg_conn_move(&s, KRG_CONN_UP) && s == KRG_CONN_DOWN, "no way up without a proof");
	check(!krg_conn_move(&s, KRG_CONN_DIALING) && !krg_conn_move(&s, KRG_CONN_PROVING) &&
	      !krg_conn_move(&s, KRG_CONN_UP), "dial, prove, up");
	check(!krg_conn_move(&s, KRG_CONN_CLOSED) && krg_conn_move(&s, KRG_CONN_DIALING),
	      "closed is the end");
	check(!krg_conn_legal(99, 0) && !krg_conn_legal(0, 99), "no move out of range");
}

/* ---- handshake */

struct talk {
	struct party a, b;
	struct krg_hs i, r;
};

static void begin(struct talk *t)
{
	struct krg_hs_ident ident = {
		.session = 7, .lane = 1, .from = 3, .to = 200,
		.from_incarnation = 0x1111222233334444, .to_incarnation = 0x5555666677778888,
	};
	u8 nonce[KRG_HS_NONCE];

	memset(t, 0, sizeof(*t));
	memset(t->a.key, 0x5a, sizeof(t->a.key));
	memset(t->b.key, 0x5a, sizeof(t->b.key));
	memset(nonce, 1, sizeof(nonce));
	krg_hs_initiate(&t->i, &party_ops, &t->a, &ident, nonce);
	memset(nonce, 2, sizeof(nonce));
	krg_hs_respond(&t->r, &party_ops, &t->b, 7, nonce);
}

/* Passes messages to and fro until an error or nothing more is said. */
static int run(struct talk *t)
{
	struct krg_hs *from = &t->i, *to = &t->r, *tmp;
	int err = 0;

	while (!err && from->out_len) {
		err = krg_hs_input(to, from->out, from->out_len);
		tmp = from;
		from = to;
		to = tmp;
	}
	return err;
}

static void test_handshake_good(void)
{
	struct talk t;

	begin(&t);
	check(!run(&t) && t.i.state == KRG_HS_DONE && t.r.state == KRG_HS_DONE,
	      "two who hold the key agree");
	check(!memcmp(t.i.key_up, t.r.key_up, KRG_MAC_KEY) &&
	      !memcmp(t.i.key_down, t.r.key_down, KRG_MAC_KEY), "on the same keys");
	check(memcmp(t.i.key_up, t.i.key_down, KRG_MAC_KEY), "one for each direction");
	check(t.b.seen.from == 3 && t.b.seen.to == 200 && t.b.seen.lane == 1 &&
	      t.b.seen.from_incarnation == 0x1111222233334444, "on who they are");
	check(krg_hs_input(&t.r, t.i.out, 40) == -EPROTO && t.r.state == KRG_HS_FAILED,
	      "and nothing may be said afterwards");
}

static void test_handshake_bad(void)
{
	struct talk t;

	begin(&t);
	t.a.key[31] ^= 1;
	check(run(&t) == -EACCES && t.i.state == KRG_HS_FAILED && !t.i.out_len,
	      "the initiator names itself to nobody with another key");
	begin(&t);
	t.b.admit = -ENOENT;
	check(run(&t) == -ENOENT && !t.r.out_len && t.i.state == KRG_HS_WAIT_WELCOME,
	      "who is not admitted hears nothing");
	begin(&t);
	t.r.ident.session = 8;
	check(run(&t) == -EACCES && !t.b.admitted, "another session is another world");
	begin(&t);
	t.i.ident.from = 200;
	check(run(&t) == -EPROTO && !t.b.admitted, "from must be the lower id");
	begin(&t);
	t.i.ident.lane = 2;
	check(run(&t) == -EPROTO && !t.b.admitted, "a lane that is none is refused");
}

/* Both ends' messages sent back, in other places, and again in another handshake. */
static void test_handshake_replay(void)
{
	struct talk t, old;
	u8 challenge[KRG_HS_MAX_MESSAGE], ident[KRG_HS_MAX_MESSAGE];
	u32 challenge_len, ident_len;

	begin(&old);
	krg_hs_input(&old.r, old.i.out, old.i.out_len);
	memcpy(challenge, old.r.out, challenge_len = old.r.out_len);
	krg_hs_input(&old.i, challenge, challenge_len);
	memcpy(ident, old.i.out, ident_len = old.i.out_len);

	begin(&t);
	t.i.nonce_i[0] ^= 1;
	check(krg_hs_input(&t.i, challenge, challenge_len) == -EACCES, "an old challenge proves nothing");
	begin(&t);
	t.r.nonce_r[0] ^= 1;
	krg_hs_input(&t.r, t.i.out, t.i.out_len);
	check(krg_hs_input(&t.r, ident, ident_len) == -EACCES && !t.b.admitted,
	      "an old identity proves nothing");
	begin(&t);
	check(krg_hs_input(&t.i, t.i.out, t.i.out_len) == -EPROTO, "a reflected HELLO is refused");
	begin(&t);
	krg_hs_input(&t.r, t.i.out, t.i.out_len);
	krg_hs_input(&t.i, t.r.out, t.r.out_len);
	/* What the initiator said as identity, sent back to it as welcome. */
	memcpy(ident, t.i.out, 8);
	ident[5] = 4;
	memcpy(ident + 8, t.i.out + 32, 32);
	check(krg_hs_input(&t.i, ident, 40) == -EACCES, "a proof is good in its place only");
}

static void test_handshake_every_bit(void)
{
	int done = 0, tried = 0;
	struct talk t;

	for (int step = 0; step < 4; step++)
		for (int bit = 0; bit < KRG_HS_MAX_MESSAGE * 8; bit++) {
			struct krg_hs *from = &t.i, *to = &t.r, *tmp;
			int err = 0;

			begin(&t);
			for (int i = 0; !err && from->out_len; i++) {
				if (i == step && (u32)bit < from->out_len * 8)
					from->out[bit / 8] ^= 1 << bit % 8;
				else if (i == step)
					break;
				tried += i == step;
				err = krg_hs_input(to, from->out, from->out_len);
				tmp = from;
				from = to;
				to = tmp;
			}
			done += !err && t.i.state == KRG_HS_DONE && t.r.state == KRG_HS_DONE;
		}
	check(tried == (40 + 72 + 64 + 40) * 8 && !done, "no bit of a handshake changes unnoticed");
}

static void test_handshake_lengths(void)
{
	u8 buf[KRG_HS_MAX_MESSAGE] = { 0 };
	struct talk t;
	int accepted = 0;

	for (u32 len = 0; len <= KRG_HS_MAX_MESSAGE; len++) {
		begin(&t);
		if (len == krg_hs_want(&t.r))
			continue;
		accepted += krg_hs_input(&t.r, buf, len) != -EPROTO;
	}
	check(!accepted, "a message of another length is refused");
}

int main(void)
{
	printf("1..56\n"); /* the last is the fuzzer's */
	test_round_trip();
	test_rules();
	test_every_bit();
	test_sums();
	test_digest();
	test_swapped_blocks();
	test_posts();
	test_conn();
	test_handshake_good();
	test_handshake_bad();
	test_handshake_replay();
	test_handshake_every_bit();
	test_handshake_lengths();
	return failed || count != 55;
}
