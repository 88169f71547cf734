/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection to a krg node by a program that holds the session's key: the
 * kernel's own handshake and frames (modules/rpc/core), over a socket.
 */
#ifndef RPC_WIRE_H
#define RPC_WIRE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "modules/rpc/core/handshake.h"

#define WIRE_PORT	2640
#define WIRE_DOMAIN	"krg rpc handshake"
#define WIRE_PATIENCE	10000		/* ms for what the node does at once */
#define WIRE_MAX	(1u << 20)

struct wire {
	int fd;
	u8 lane;
	enum krg_hs_state proof;	/* how far the handshake came */
	struct krg_frame_key key_tx;
	struct krg_frame_key key_rx;
	u64 seq_tx;
	u64 seq_rx;
};

enum wire_got {
	WIRE_FRAME,
	WIRE_CLOSED,
	WIRE_NOTHING,
};

static inline int wire_hmac(void *ctx, const void *data, u32 len, u8 out[KRG_HS_MAC])
{
	u8 text[sizeof(WIRE_DOMAIN) + 256];
	const char *key = ctx;

	if (len > sizeof(text) - sizeof(WIRE_DOMAIN))
		return -EMSGSIZE;
	memcpy(text, WIRE_DOMAIN, sizeof(WIRE_DOMAIN));
	memcpy(text + sizeof(WIRE_DOMAIN), data, len);
	return HMAC(EVP_sha256(), key, strlen(key), text, sizeof(WIRE_DOMAIN) + len, out, NULL) ?
	       0 : -EIO;
}

/* All of @len bytes within the time: 1; the node closed: 0; not in time: -1. */
static inline int wire_read(const struct wire *w, void *buf, size_t len, int ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		if (poll(&p, 1, got ? WIRE_PATIENCE : ms) <= 0)
			return -1;
		n = recv(w->fd, (u8 *)buf + got, len - got, 0);
		if (n <= 0)
			return 0;
		got += n;
	}
	return 1;
}

/* False once the node has closed. */
static inline bool wire_write(const struct wire *w, const void *data, size_t len)
{
	ssize_t n;

	for (size_t off = 0; off < len; off += n) {
		n = send(w->fd, (const u8 *)data + off, len - off, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

/* Dials and proves itself as @ident; false if the node does not say WELCOME. */
static inline bool wire_open(struct wire *w, const struct sockaddr_in *to, const char *key,
			     const struct krg_hs_ident *ident)
{
	static const struct krg_hs_ops ops = { .mac = wire_hmac };
	u8 nonce[KRG_HS_NONCE], buf[KRG_HS_MAX_MESSAGE];
	int one = 1;
	struct krg_hs hs;

	memset(w, 0, sizeof(*w));
	w->lane = ident->lane;
	w->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (w->fd < 0 || connect(w->fd, (const struct sockaddr *)to, sizeof(*to)) ||
	    getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce)) {
		perror("connect");
		exit(1);
	}
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	krg_hs_initiate(&hs, &ops, (void *)key, ident, nonce);
	wire_write(w, hs.out, hs.out_len);
	while (krg_hs_want(&hs)) {
		if (wire_read(w, buf, krg_hs_want(&hs), WIRE_PATIENCE) != 1 ||
		    krg_hs_input(&hs, buf, krg_hs_want(&hs)))
			break;
		wire_write(w, hs.out, hs.out_len);
	}
	krg_frame_key_init(&w->key_tx, hs.key_up);
	krg_frame_key_init(&w->key_rx, hs.key_down);
	w->proof = hs.state;
	return hs.state == KRG_HS_DONE;
}

static inline void wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static inline void wire_fix_crc(u8 header[KRG_FRAME_HEADER])
{
	__le32 crc = cpu_to_le32(krg_crc32c(header, 36));

	memcpy(header + 36, &crc, sizeof(crc));
}

/* Takes the next place in the order of frames. */
static inline void wire_seal(struct wire *w, u8 header[KRG_FRAME_HEADER], const void *payload,
			     u32 len)
{
	krg_frame_seal(header, payload, len, &w->key_tx, w->seq_tx++);
}

/* A frame as it should be. */
static inline bool wire_send(struct wire *w, const struct krg_frame *frame, const void *payload)
{
	static u8 buf[KRG_FRAME_HEADER + WIRE_MAX];

	krg_frame_encode(frame, buf);
	wire_seal(w, buf, payload, frame->length);
	if (frame->length)
		memcpy(buf + KRG_FRAME_HEADER, payload, frame->length);
	return wire_write(w, buf, KRG_FRAME_HEADER + frame->length);
}

/* The node's next frame. It must be a good one, whatever it was told. */
static inline enum wire_got wire_receive(struct wire *w, struct krg_frame *frame, void *payload,
					 int ms)
{
	enum krg_frame_error error;
	u8 header[KRG_FRAME_HEADER];
	int got = wire_read(w, header, sizeof(header), ms);

	if (got <= 0)
		return got ? WIRE_NOTHING : WIRE_CLOSED;
	error = krg_frame_decode(header, w->lane, w->lane ? WIRE_MAX : WIRE_MAX / 16, frame);
	if (!error) {
		u32 data = krg_frame_data_length(frame);

		if (frame->length && wire_read(w, payload, frame->length, WIRE_PATIENCE) != 1)
			return WIRE_CLOSED;
		error = krg_frame_verify_page(header, payload, data,
					      frame->flags & KRG_FRAME_PAGE ?
					      (u8 *)payload + data : NULL,
					      &w->key_rx, w->seq_rx++);
	}
	if (error) {
		fprintf(stderr, "the node sent a bad frame: %s\n", krg_frame_strerror(error));
		exit(1);
	}
	return WIRE_FRAME;
}

#endif
