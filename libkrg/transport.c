// SPDX-License-Identifier: GPL-2.0-only
/* The socket, requests and answers, and the reason of an error. */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "internal.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define KRG_RECEIVE_BYTES 32768 /* the most the kernel puts in one message of a dump */

int krg_fail(struct krg *krg, int err, const char *text)
{
	snprintf(krg->error, sizeof(krg->error), "%s", text ? text : strerror(-err));
	return err;
}

/* libnl's numbers, where it was libnl that failed. */
static int krg_fail_nl(struct krg *krg, int nlerr)
{
	switch (nlerr) {
	case -NLE_OBJ_NOTFOUND:
		return krg_fail(krg, -ENOENT, "krg is not loaded in this kernel");
	case -NLE_NOMEM:
		return krg_fail(krg, -ENOMEM, NULL);
	case -NLE_INTR:
		return krg_fail(krg, -EINTR, NULL);
	default:
		return krg_fail(krg, -EIO, nl_geterror(nlerr));
	}
}

static int krg_connect(struct krg *krg)
{
	const int on = 1;
	int err, fd;

	krg->sk = nl_socket_alloc();
	if (!krg->sk)
		return krg_fail(krg, -ENOMEM, NULL);
	err = genl_connect(krg->sk);
	if (err)
		return krg_fail_nl(krg, err);
	fd = nl_socket_get_fd(krg->sk);
	/* Whole sentences instead of numbers, without our own request sent back. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	nl_socket_set_msg_buf_size(krg->sk, KRG_RECEIVE_BYTES);
	nl_socket_disable_msg_peek(krg->sk);
	krg->family = genl_ctrl_resolve(krg->sk, KRG_GENL_NAME);
	if (krg->family < 0)
		return krg_fail_nl(krg, krg->family);
	krg->group = genl_ctrl_resolve_grp(krg->sk, KRG_GENL_NAME, KRG_GENL_GROUP_EVENTS);
	return krg->group < 0 ? krg_fail_nl(krg, krg->group) : 0;
}

KRG_API int krg_open(struct krg **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? krg_connect(*out) : -ENOMEM;
}

KRG_API void krg_close(struct krg *krg)
{
	if (!krg)
		return;
	nl_socket_free(krg->sk);
	free(krg);
}

KRG_API const char *krg_strerror_last(const struct krg *krg)
{
	return krg ? krg->error : strerror(ENOMEM);
}

KRG_API int krg_fd(const struct krg *krg)
{
	return nl_socket_get_fd(krg->sk);
}

struct nl_msg *krg_request(struct krg *krg, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, krg->family, 0, flags, cmd, KRG_GENL_VERSION))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

uint32_t krg_u32(struct nlattr **attrs, int attr)
{
	return attrs[attr] ? nla_get_u32(attrs[attr]) : 0;
}

/* The state of one request. */
struct talk {
	struct krg *krg;
	krg_answer_fn *fn;
	void *arg;
	int err;   /* of the kernel */
	int stop;  /* the caller's wish */
	int done;
};

static int talk_valid(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[KRG_A_MAX + 1];
	struct talk *talk = arg;

	if (!talk->fn || talk->stop)
		return NL_OK;
	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, KRG_A_MAX, NULL))
		talk->stop = krg_fail(talk->krg, -EPROTO, "krg's answer cannot be read");
	else
		talk->stop = talk->fn(talk->krg, attrs, nlmsg_hdr(msg), talk->arg);
	return NL_OK;
}

static int talk_ack(struct nl_msg *msg, void *arg)
{
	struct talk *talk = arg;

	(void)msg;
	talk->done = 1;
	return NL_STOP;
}

/* The end of a dump carries its error. */
static int talk_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct talk *talk = arg;
	int err = 0;

	talk->done = 1;
	if (nlmsg_datalen(nlh) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(nlh), sizeof(err));
	if (err < 0)
		talk->err = krg_fail(talk->krg, err, NULL);
	return NL_STOP;
}

/* The reason is in attributes behind the error number (the request was left out: CAP_ACK). */
static int talk_error(struct sockaddr_nl *from, struct nlmsgerr *nlerr, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)nlerr - NLMSG_HDRLEN);
	struct talk *talk = arg;
	struct nlattr *text = NULL;

	(void)from;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && nlmsg_datalen(nlh) > (int)sizeof(*nlerr))
		text = nla_find((struct nlattr *)(nlerr + 1), nlmsg_datalen(nlh) - (int)sizeof(*nlerr),
				NLMSGERR_ATTR_MSG);
	talk->err = krg_fail(talk->krg, nlerr->error, text ? nla_get_string(text) : NULL);
	talk->done = 1;
	return NL_STOP;
}

static int talk_receive(struct talk *talk)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = 0;

	if (!cb)
		return krg_fail(talk->krg, -ENOMEM, NULL);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, talk_valid, talk);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, talk_ack, talk);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, talk_finish, talk);
	nl_cb_err(cb, NL_CB_CUSTOM, talk_error, talk);
	while (!talk->done && !err) {
		err = nl_recvmsgs(talk->krg->sk, cb);
		err = err < 0 ? err : 0;
	}
	nl_cb_put(cb);
	if (err && !talk->done)
		return krg_fail_nl(talk->krg, err);
	return talk->err ? talk->err : talk->stop;
}

int krg_talk(struct krg *krg, struct nl_msg *msg, krg_answer_fn *fn, void *arg)
{
	struct talk talk = { .krg = krg, .fn = fn, .arg = arg };
	int err;

	if (!msg)
		return krg_fail(krg, -ENOMEM, NULL);
	krg->error[0] = '\0';
	/* Most commands run to their end in here. */
	err = nl_send_auto(krg->sk, msg);
	nlmsg_free(msg);
	return err < 0 ? krg_fail_nl(krg, err) : talk_receive(&talk);
}

int krg_simple(struct krg *krg, uint8_t cmd)
{
	return krg_talk(krg, krg_request(krg, cmd, 0), NULL, NULL);
}
