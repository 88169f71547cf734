/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of libkrg. */
#ifndef LIBKRG_INTERNAL_H
#define LIBKRG_INTERNAL_H

#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include "krg.h"

#define KRG_API __attribute__((visibility("default")))
#define KRG_ERROR_TEXT 320

struct krg {
	struct nl_sock *sk;
	int family;
	int group; /* of events */
	char error[KRG_ERROR_TEXT];
};

/* Called with the attributes of each message of an answer. */
typedef int krg_answer_fn(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg);

/* A request to be filled in; NULL: no memory. */
struct nl_msg *krg_request(struct krg *krg, uint8_t cmd, int flags);
/* Sends @msg (consumed, may be NULL) and gives @fn (may be NULL) what comes back. */
int krg_talk(struct krg *krg, struct nl_msg *msg, krg_answer_fn *fn, void *arg);
int krg_simple(struct krg *krg, uint8_t cmd);
int krg_fail(struct krg *krg, int err, const char *text);
uint32_t krg_u32(struct nlattr **attrs, int attr);

#endif
