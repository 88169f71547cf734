// SPDX-License-Identifier: GPL-2.0-only
/* Applications: freeze, checkpoint, restart. */
#include <errno.h>
#include "internal.h"

static int app_answer(struct krg *krg, struct nlattr **attrs, struct nlmsghdr *nlh, void *arg)
{
	struct krg_app *app = arg;

	(void)krg;
	(void)nlh;
	if (attrs[KRG_A_PID])
		app->pid = nla_get_s32(attrs[KRG_A_PID]);
	if (attrs[KRG_A_APPID])
		app->appid = nla_get_s32(attrs[KRG_A_APPID]);
	return 0;
}

static struct nl_msg *app_request(struct krg *krg, uint8_t cmd, const struct krg_app *app)
{
	struct nl_msg *msg = krg_request(krg, cmd, 0);

	if (msg && ((app->pid && nla_put_s32(msg, KRG_A_PID, app->pid)) ||
		    (!app->pid && app->appid && nla_put_s32(msg, KRG_A_APPID, app->appid)))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int app_talk(struct krg *krg, struct nl_msg *msg, int put_error, struct krg_app *app)
{
	if (put_error) {
		nlmsg_free(msg);
		return krg_fail(krg, -EMSGSIZE, NULL);
	}
	return krg_talk(krg, msg, app_answer, app);
}

KRG_API int krg_freeze(struct krg *krg, struct krg_app *app, uint32_t flags)
{
	struct nl_msg *msg = app_request(krg, KRG_CMD_FREEZE, app);

	return app_talk(krg, msg, msg && flags && nla_put_u32(msg, KRG_A_FLAGS, flags), app);
}

KRG_API int krg_unfreeze(struct krg *krg, struct krg_app *app, uint32_t signal)
{
	struct nl_msg *msg = app_request(krg, KRG_CMD_UNFREEZE, app);

	return app_talk(krg, msg, msg && signal && nla_put_u32(msg, KRG_A_SIGNAL, signal), app);
}

KRG_API int krg_checkpoint(struct krg *krg, struct krg_app *app, int dirfd, uint32_t flags)
{
	struct nl_msg *msg = app_request(krg, KRG_CMD_CHECKPOINT, app);

	return app_talk(krg, msg,
			msg && (nla_put_s32(msg, KRG_A_DIRFD, dirfd) || (flags && nla_put_u32(msg, KRG_A_FLAGS, flags))),
			app);
}

static int put_substitute(struct nl_msg *msg, const struct krg_substitute *subst)
{
	struct nlattr *nest = nla_nest_start(msg, KRG_A_SUBSTITUTE | NLA_F_NESTED);

	if (!nest || nla_put_string(msg, KRG_A_SUBSTITUTE_ID, subst->id) ||
	    nla_put_s32(msg, KRG_A_SUBSTITUTE_FD, subst->fd))
		return -EMSGSIZE;
	return nla_nest_end(msg, nest);
}

KRG_API int krg_restart(struct krg *krg, int dirfd, uint32_t flags, const struct krg_substitute *subst, size_t nr_subst,
			struct krg_app *app)
{
	struct nl_msg *msg = krg_request(krg, KRG_CMD_RESTART, 0);
	int err = 0;

	*app = (struct krg_app){ 0 };
	if (msg) {
		err = nla_put_s32(msg, KRG_A_DIRFD, dirfd);
		if (!err && flags)
			err = nla_put_u32(msg, KRG_A_FLAGS, flags);
		for (size_t i = 0; !err && i < nr_subst; i++)
			err = put_substitute(msg, &subst[i]);
	}
	return app_talk(krg, msg, err, app);
}
