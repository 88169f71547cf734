// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials. The last record to be loaded: until then the new task needs
 * rights its image may lack. Who has no right to become anybody restarts only
 * images that may do no more than himself.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/securebits.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/user_namespace.h>

#include "../proc.h"

static u64 cred_caps(kernel_cap_t caps)
{
	u64 v = 0;
	int i;

	for (i = 0; i <= CAP_LAST_CAP; i++)
		if (cap_raised(caps, i))
			v |= BIT_ULL(i);
	return v;
}

static kernel_cap_t cred_to_caps(__le64 le)
{
	kernel_cap_t caps = CAP_EMPTY_SET;
	u64 v = le64_to_cpu(le);
	int i;

	for (i = 0; i <= CAP_LAST_CAP; i++)
		if (v & BIT_ULL(i))
			cap_raise(caps, i);
	return caps;
}

static int cred_save(struct krg_ghost_stream *stream, void *ctx)
{
	const struct cred *c = current_real_cred();
	u32 i, nr = c->group_info->ngroups;
	struct krg_ghost_cred *rec;
	int err;

	rec = kvzalloc(struct_size(rec, groups, nr), GFP_KERNEL);
	if (!rec)
		return -ENOMEM;
	rec->uid = cpu_to_le32(from_kuid(&init_user_ns, c->uid));
	rec->gid = cpu_to_le32(from_kgid(&init_user_ns, c->gid));
	rec->euid = cpu_to_le32(from_kuid(&init_user_ns, c->euid));
	rec->egid = cpu_to_le32(from_kgid(&init_user_ns, c->egid));
	rec->suid = cpu_to_le32(from_kuid(&init_user_ns, c->suid));
	rec->sgid = cpu_to_le32(from_kgid(&init_user_ns, c->sgid));
	rec->fsuid = cpu_to_le32(from_kuid(&init_user_ns, c->fsuid));
	rec->fsgid = cpu_to_le32(from_kgid(&init_user_ns, c->fsgid));
	rec->securebits = cpu_to_le32(c->securebits);
	rec->nr_groups = cpu_to_le32(nr);
	rec->cap_inheritable = cpu_to_le64(cred_caps(c->cap_inheritable));
	rec->cap_permitted = cpu_to_le64(cred_caps(c->cap_permitted));
	rec->cap_effective = cpu_to_le64(cred_caps(c->cap_effective));
	rec->cap_bset = cpu_to_le64(cred_caps(c->cap_bset));
	rec->cap_ambient = cpu_to_le64(cred_caps(c->cap_ambient));
	for (i = 0; i < nr; i++)
		rec->groups[i] = cpu_to_le32(from_kgid(&init_user_ns, c->group_info->gid[i]));
	err = krg_ghost_write(stream, KRG_GHOST_R_CRED, rec, struct_size(rec, groups, nr));
	kvfree(rec);
	return err;
}

static bool cred_uid_ok(const struct cred *req, kuid_t uid)
{
	return uid_eq(uid, req->uid) || uid_eq(uid, req->euid) || uid_eq(uid, req->suid);
}

static bool cred_gid_ok(const struct cred *req, kgid_t gid)
{
	return gid_eq(gid, req->gid) || gid_eq(gid, req->egid) || gid_eq(gid, req->sgid);
}

/* The requester has the group, among its own or its supplementary ones. */
static bool cred_group_ok(const struct cred *req, kgid_t gid)
{
	int i;

	for (i = 0; i < req->group_info->ngroups; i++)
		if (gid_eq(req->group_info->gid[i], gid))
			return true;
	return cred_gid_ok(req, gid);
}

/* May who has @req become @new? */
static bool cred_allowed(const struct cred *req, const struct cred *new)
{
	int i;

	if (!cred_uid_ok(req, new->uid) || !cred_uid_ok(req, new->euid) ||
	    !cred_uid_ok(req, new->suid) || !cred_uid_ok(req, new->fsuid) ||
	    !cred_gid_ok(req, new->gid) || !cred_gid_ok(req, new->egid) ||
	    !cred_gid_ok(req, new->sgid) || !cred_gid_ok(req, new->fsgid))
		return false;
	for (i = 0; i < new->group_info->ngroups; i++)
		if (!cred_group_ok(req, new->group_info->gid[i]))
			return false;
	return new->securebits == req->securebits &&
	       cap_issubset(new->cap_permitted, req->cap_permitted) &&
	       cap_issubset(new->cap_effective, new->cap_permitted) &&
	       cap_issubset(new->cap_inheritable, cap_combine(req->cap_inheritable,
							      req->cap_permitted)) &&
	       cap_issubset(new->cap_ambient, cap_intersect(new->cap_permitted,
							    new->cap_inheritable)) &&
	       cap_issubset(new->cap_bset, req->cap_bset);
}

static int cred_fill(struct cred *new, const struct krg_ghost_cred *rec)
{
	u32 i, nr = le32_to_cpu(rec->nr_groups);
	struct group_info *groups = groups_alloc(nr);

	if (!groups)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		groups->gid[i] = make_kgid(&init_user_ns, le32_to_cpu(rec->groups[i]));
	groups_sort(groups);
	set_groups(new, groups);
	put_group_info(groups);
	new->uid = make_kuid(&init_user_ns, le32_to_cpu(rec->uid));
	new->gid = make_kgid(&init_user_ns, le32_to_cpu(rec->gid));
	new->euid = make_kuid(&init_user_ns, le32_to_cpu(rec->euid));
	new->egid = make_kgid(&init_user_ns, le32_to_cpu(rec->egid));
	new->suid = make_kuid(&init_user_ns, le32_to_cpu(rec->suid));
	new->sgid = make_kgid(&init_user_ns, le32_to_cpu(rec->sgid));
	new->fsuid = make_kuid(&init_user_ns, le32_to_cpu(rec->fsuid));
	new->fsgid = make_kgid(&init_user_ns, le32_to_cpu(rec->fsgid));
	new->securebits = le32_to_cpu(rec->securebits) & (SECURE_ALL_BITS | SECURE_ALL_LOCKS);
	new->cap_inheritable = cred_to_caps(rec->cap_inheritable);
	new->cap_permitted = cred_to_caps(rec->cap_permitted);
	new->cap_effective = cred_to_caps(rec->cap_effective);
	new->cap_bset = cred_to_caps(rec->cap_bset);
	new->cap_ambient = cred_to_caps(rec->cap_ambient);
	return 0;
}

/* The account the task counts to: its user's, as after setuid(). */
static int cred_set_user(struct cred *new)
{
	struct user_struct *user = krg_sym(alloc_uid)(new->uid);

	if (!user)
		return -EAGAIN;
	free_uid(new->user);
	new->user = user;
	return krg_sym(set_cred_ucounts)(new);
}

static int cred_load(struct krg_ghost_stream *stream, const struct krg_ghost_item *item, void *ctx)
{
	struct proc_ghost *g = ctx;
	struct cred *new = prepare_creds();
	int err;

	if (!new)
		return -ENOMEM;
	err = cred_fill(new, item->data);
	if (!err && !cred_allowed(g->requester, new) &&
	    !(proc_requester_capable(g, CAP_SETUID) && proc_requester_capable(g, CAP_SETGID) &&
	      proc_requester_capable(g, CAP_SETPCAP)))
		err = proc_why(g, -EPERM, "its credentials (uid %u) are more than the caller's",
			       from_kuid(&init_user_ns, new->uid));
	if (!err)
		err = cred_set_user(new);
	if (err) {
		abort_creds(new);
		return err;
	}
	return commit_creds(new);
}

struct krg_ghost_handler proc_cred = {
	.type = KRG_GHOST_R_CRED,
	.save = cred_save,
	.load = cred_load,
};
