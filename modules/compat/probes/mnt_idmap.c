// SPDX-License-Identifier: GPL-2.0-only
/* Inode operations get a struct mnt_idmap, not a user namespace. */
#include <linux/fs.h>

int probe(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr);
int probe(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	return setattr_prepare(idmap, dentry, attr);
}
