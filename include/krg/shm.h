/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of krg_mm for other modules: files of krgshm that have no name and stay, on all
 * nodes, until they are let go. krg_ipc's segments are such files.
 *
 *   krg_shm_make(), krg_shm_drop()	part of an operation of krg/order.h that all nodes
 *					apply: called from apply(), dead()
 *   krg_shm_mount()			what keeps the file system in use on this node
 *   krg_shm_open()			the file here
 */
#ifndef KRG_SHM_H
#define KRG_SHM_H

#include <linux/mm_types.h>
#include <krg/kddm.h>
#include <krg/types.h>

struct file;
struct inode;
struct net;
struct vfsmount;

/**
 * struct krg_shm_new - a file to be
 * @size: bytes
 * @id: of its set: krg_shm_id() where the operation comes from
 * @mode: permissions
 * @uid: owner
 * @gid: group
 * @now: ns
 */
struct krg_shm_new {
	u64 size;
	struct krg_kddm_id id;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	s64 now;
};

struct krg_kddm_id krg_shm_id(struct net *net);
int krg_shm_make(struct net *net, const struct krg_shm_new *new, u64 *ino);
void krg_shm_drop(struct net *net, u64 ino, bool destroy);

struct vfsmount *krg_shm_mount(void);
struct file *krg_shm_open(struct vfsmount *mnt, u64 ino, const char *name);
bool krg_shm_kept(const struct file *file);
vm_fault_t krg_shm_fault(struct vm_fault *vmf);
vm_fault_t krg_shm_page_mkwrite(struct vm_fault *vmf);

#endif
