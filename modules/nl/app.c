// SPDX-License-Identifier: GPL-2.0-only
/*
 * Applications: freeze, unfreeze, checkpoint, restart. Here: attributes in,
 * answers and events out; krg_proc does the work, with the caller's rights.
 *
 * An application is named by the pid of its root (KRG_A_APPID), or by any of its
 * processes (KRG_A_PID). One process is all there is to an application yet, so
 * the two are the same number.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <krg/proc.h>
#include "nl.h"

/*
 * Rights are those of the task that sends. A program with more rights than the
 * socket's opener may have been handed the socket as its standard output: it
 * does not know that it sends commands.
 */
static int app_sender(struct sk_buff *skb, struct genl_info *info)
{
	const struct cred *opener = NETLINK_CB(skb).sk->sk_socket->file->f_cred;

	if (uid_eq(opener->euid, current_euid()) &&
	    cap_issubset(current_cred()->cap_effective, opener->cap_effective))
		return 0;
	return krg_extack_err(info->extack, -EPERM,
			      "the socket was opened by somebody with other rights");
}

static int app_pid(struct sk_buff *skb, struct genl_info *info, pid_t *pid)
{
	const struct nlattr *attr = info->attrs[KRG_A_PID] ?: info->attrs[KRG_A_APPID];

	if (!attr)
		return krg_extack_err(info->extack, -EINVAL, "no process given");
	if (info->attrs[KRG_A_PID] && info->attrs[KRG_A_APPID])
		return krg_extack_err(info->extack, -EINVAL,
				      "either a process or an application, not both");
	*pid = nla_get_s32(attr);
	return app_sender(skb, info);
}

static u32 app_u32(struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_get_u32(info->attrs[attr]) : 0;
}

static int app_reply(struct genl_info *info, pid_t pid)
{
	struct nl_reply reply;
	int err;

	err = nl_reply_begin(&reply, info, 2 * nla_total_size(sizeof(s32)));
	if (err)
		return err;
	err = nla_put_s32(reply.skb, KRG_A_APPID, pid) ?: nla_put_s32(reply.skb, KRG_A_PID, pid);
	if (!err)
		return nl_reply_send(&reply, info);
	nl_reply_drop(&reply);
	return err;
}

static struct krg_proc_owner app_owner(struct genl_info *info)
{
	return (struct krg_proc_owner) {
		.net = genl_info_net(info),
		.portid = info->snd_portid,
	};
}

int nl_freeze(struct sk_buff *skb, struct genl_info *info)
{
	bool keep = app_u32(info, KRG_A_FLAGS) & KRG_FREEZE_KEEP;
	struct krg_proc_owner owner = app_owner(info);
	pid_t pid;
	int err;

	err = app_pid(skb, info, &pid) ?:
	      krg_proc_freeze(pid, keep ? NULL : &owner, info->extack);
	if (err)
		return err;
	nl_event_app(genl_info_net(info), KRG_EVENT_FREEZE, pid, pid, 0);
	return app_reply(info, pid);
}

int nl_unfreeze(struct sk_buff *skb, struct genl_info *info)
{
	u32 sig = app_u32(info, KRG_A_SIGNAL);
	pid_t pid;
	int err;

	err = app_pid(skb, info, &pid) ?: krg_proc_unfreeze(pid, sig, info->extack);
	if (err)
		return err;
	nl_event_app(genl_info_net(info), KRG_EVENT_UNFREEZE, pid, pid, sig);
	return app_reply(info, pid);
}

/* The directory the caller has open. */
static struct file *app_dir(struct genl_info *info)
{
	struct file *dir;

	if (!info->attrs[KRG_A_DIRFD]) {
		krg_extack_msg(info->extack, "no directory given");
		return ERR_PTR(-EINVAL);
	}
	dir = fget(nla_get_s32(info->attrs[KRG_A_DIRFD]));
	if (!dir) {
		krg_extack_msg(info->extack, "the directory is not open");
		return ERR_PTR(-EBADF);
	}
	if (S_ISDIR(file_inode(dir)->i_mode))
		return dir;
	fput(dir);
	krg_extack_msg(info->extack, "what should be a directory is none");
	return ERR_PTR(-ENOTDIR);
}

/*
 * Whether it still can be let go does not matter: its state has been taken, and if it
 * was killed meanwhile, or let go by somebody else, that is no failure of ours.
 */
static void checkpoint_unfreeze(struct genl_info *info, pid_t pid)
{
	if (!krg_proc_unfreeze(pid, 0, NULL))
		nl_event_app(genl_info_net(info), KRG_EVENT_UNFREEZE, pid, pid, 0);
}

int nl_checkpoint(struct sk_buff *skb, struct genl_info *info)
{
	u32 flags = app_u32(info, KRG_A_FLAGS);
	struct krg_checkpoint *checkpoint;
	struct file *dir;
	pid_t pid;
	int err;

	err = app_pid(skb, info, &pid);
	if (err)
		return err;
	dir = app_dir(info);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	checkpoint = krg_proc_checkpoint_begin(pid, dir, flags, info->extack);
	fput(dir);
	if (IS_ERR(checkpoint))
		return PTR_ERR(checkpoint);
	if (flags & KRG_CHECKPOINT_UNFREEZE)
		checkpoint_unfreeze(info, pid);
	err = krg_proc_checkpoint_end(checkpoint, info->extack);
	if (err)
		return err;
	nl_event_app(genl_info_net(info), KRG_EVENT_CHECKPOINT, pid, pid, 0);
	return app_reply(info, pid);
}

/* The files to be used in place of saved ones. */
struct app_files {
	struct krg_proc_substitute *subst;
	size_t nr;
};

static void app_files_put(struct app_files *files)
{
	while (files->nr)
		fput(files->subst[--files->nr].file);
	kfree(files->subst);
}

static int app_file(struct krg_proc_substitute *subst, const struct nlattr *nest,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[KRG_A_SUBSTITUTE_MAX + 1];
	int err;

	err = nla_parse_nested(attrs, KRG_A_SUBSTITUTE_MAX, nest, nl_substitute_policy, extack);
	if (err)
		return err;
	if (!attrs[KRG_A_SUBSTITUTE_ID] || !attrs[KRG_A_SUBSTITUTE_FD])
		return krg_extack_err(extack, -EINVAL, "a substitute needs both id and file");
	err = kstrtou64(nla_data(attrs[KRG_A_SUBSTITUTE_ID]), 16, &subst->id);
	if (err)
		return krg_extack_err(extack, err, "'%s' is no file id",
				      (const char *)nla_data(attrs[KRG_A_SUBSTITUTE_ID]));
	subst->file = fget(nla_get_s32(attrs[KRG_A_SUBSTITUTE_FD]));
	return subst->file ? 0 : krg_extack_err(extack, -EBADF, "file %d is not open",
						nla_get_s32(attrs[KRG_A_SUBSTITUTE_FD]));
}

static int app_files_get(struct app_files *files, struct genl_info *info)
{
	const struct nlattr *attr;
	size_t nr = 0;
	int rest, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest)
		nr += nla_type(attr) == KRG_A_SUBSTITUTE;
	*files = (struct app_files) { };
	if (!nr)
		return 0;
	files->subst = kcalloc(nr, sizeof(*files->subst), GFP_KERNEL_ACCOUNT);
	if (!files->subst)
		return -ENOMEM;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != KRG_A_SUBSTITUTE)
			continue;
		err = app_file(&files->subst[files->nr], attr, info->extack);
		if (err) {
			app_files_put(files);
			return err;
		}
		files->nr++;
	}
	return 0;
}

int nl_restart(struct sk_buff *skb, struct genl_info *info)
{
	struct krg_proc_owner owner = app_owner(info);
	u32 flags = app_u32(info, KRG_A_FLAGS);
	struct app_files files;
	struct file *dir;
	pid_t pid;
	int err;

	err = app_sender(skb, info);
	if (err)
		return err;
	dir = app_dir(info);
	if (IS_ERR(dir))
		return PTR_ERR(dir);
	err = app_files_get(&files, info);
	if (err)
		goto out_dir;
	err = krg_proc_restart(dir, flags, files.subst, files.nr,
			       flags & KRG_RESTART_FROZEN ? NULL : &owner, &pid, info->extack);
	app_files_put(&files);
	if (err)
		goto out_dir;
	nl_event_app(genl_info_net(info), KRG_EVENT_RESTART, pid, pid, 0);
	err = app_reply(info, pid);
out_dir:
	fput(dir);
	return err;
}
