// SPDX-License-Identifier: GPL-2.0-only
/* Events, as they come. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include "internal.h"

KRG_API int krg_events_listen(struct krg *krg)
{
	int err;

	nl_socket_disable_seq_check(krg->sk);
	err = nl_socket_add_membership(krg->sk, krg->group);
	if (err)
		return krg_fail(krg, -EIO, nl_geterror(err));
	/* Some hundred events may wait while the reader is busy. */
	nl_socket_set_buffer_size(krg->sk, 1 << 20, 0);
	return 0;
}

struct events {
	krg_event_fn *fn;
	void *arg;
	int stop;
};

static int events_valid(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[KRG_A_MAX + 1];
	struct krg_event_record event = { .node = -1 };
	struct events *want = arg;

	if (want->stop || genlmsg_hdr(nlmsg_hdr(msg))->cmd != KRG_CMD_EVENT ||
	    genlmsg_parse(nlmsg_hdr(msg), 0, attrs, KRG_A_MAX, NULL))
		return NL_OK;
	event.event = krg_u32(attrs, KRG_A_EVENT);
	event.epoch = krg_u32(attrs, KRG_A_EPOCH);
	event.signal = krg_u32(attrs, KRG_A_SIGNAL);
	if (attrs[KRG_A_TIME_NS])
		event.time_ns = nla_get_u64(attrs[KRG_A_TIME_NS]);
	if (attrs[KRG_A_NODE])
		event.node = (int32_t)nla_get_u32(attrs[KRG_A_NODE]);
	if (attrs[KRG_A_PID])
		event.pid = nla_get_s32(attrs[KRG_A_PID]);
	if (attrs[KRG_A_APPID])
		event.appid = nla_get_s32(attrs[KRG_A_APPID]);
	if (attrs[KRG_A_MESSAGE])
		snprintf(event.message, sizeof(event.message), "%s", nla_get_string(attrs[KRG_A_MESSAGE]));
	want->stop = want->fn(&event, want->arg);
	return NL_OK;
}

/* Nobody asked for an event: it has no number to be checked. */
static int events_unasked(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

KRG_API int krg_events_next(struct krg *krg, krg_event_fn *fn, void *arg)
{
	struct pollfd wait = { .fd = nl_socket_get_fd(krg->sk), .events = POLLIN };
	struct events want = { fn, arg, 0 };
	struct nl_cb *cb;
	int err;

	/* libnl itself waits on through signals. */
	if (poll(&wait, 1, -1) < 0)
		return krg_fail(krg, -errno, NULL);
	cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!cb)
		return krg_fail(krg, -ENOMEM, NULL);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, events_valid, &want);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, events_unasked, NULL);
	err = nl_recvmsgs(krg->sk, cb);
	nl_cb_put(cb);
	if (err == -NLE_NOMEM)
		return krg_fail(krg, -ENOBUFS, "events were missed");
	if (err < 0)
		return krg_fail(krg, -EIO, nl_geterror(err));
	return want.stop;
}
