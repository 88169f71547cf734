/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every kernel symbol krg uses that the kernel does not export: one row each.
 *
 *   KRG_FN(type, name, (parameters))   a function, called krg_sym(name)(...)
 *   KRG_DATA(type, name)               an object or array, krg_data(name) points to it
 *
 * No include guard: who wants the list defines both macros as what each row
 * shall become, and
 * includes it. Where kernels differ, rows depend on a KRG_HAVE_ probe of
 * modules/compat. Where a kernel header declares the symbol, include that
 * header in modules/hook/symbols.c: the compiler then compares prototypes.
 *
 * Choose names that are unique in /proc/kallsyms (selftests/lab/hook.sh checks).
 */

/* hook: finding symbols, system call interception */
KRG_FN(unsigned long, kallsyms_lookup_name, (const char *name));
KRG_FN(bool, syscall_user_dispatch, (struct pt_regs *regs));
KRG_FN(int, set_syscall_user_dispatch, (unsigned long mode, unsigned long offset,
					unsigned long len, char __user *selector));
#ifdef KRG_HAVE_SUD_PTRACE
KRG_FN(int, syscall_user_dispatch_set_config, (struct task_struct *task, unsigned long size,
					       void __user *data));
#endif
#ifdef KRG_HAVE_SYSCALL_TRACE_ENTER
KRG_FN(long, syscall_trace_enter, (struct pt_regs *regs, long syscall, unsigned long work));
#else
KRG_FN(long, syscall_enter_from_user_mode_work, (struct pt_regs *regs, long syscall));
#endif
KRG_DATA(const sys_call_ptr_t, sys_call_table);
KRG_DATA(struct tracepoint, __tracepoint_sched_process_exec);
KRG_DATA(struct tracepoint, __tracepoint_sched_process_exit);

/* cluster: boot words */
KRG_DATA(char *, saved_command_line);

/* mm: page faults */
KRG_FN(vm_fault_t, finish_fault, (struct vm_fault *vmf));

/* ipc: System V shared memory */
KRG_FN(int, ipcget, (struct ipc_namespace *ns, struct ipc_ids *ids, const struct ipc_ops *ops,
		     struct ipc_params *params));
KRG_FN(int, ipc_addid, (struct ipc_ids *ids, struct kern_ipc_perm *perm, int limit));
KRG_FN(struct kern_ipc_perm *, ipc_obtain_object_check, (struct ipc_ids *ids, int id));
KRG_FN(struct kern_ipc_perm *, ipcctl_obtain_check, (struct ipc_namespace *ns,
						     struct ipc_ids *ids, int id, int cmd,
						     struct ipc64_perm *perm, int extra));
KRG_FN(int, ipcperms, (struct ipc_namespace *ns, struct kern_ipc_perm *perm, short flags));
KRG_FN(long, ksys_shmget, (key_t key, size_t size, int flags));
KRG_FN(long, do_shmat, (int id, char __user *addr, int flags, unsigned long *raddr,
			unsigned long shmlba));
KRG_FN(long, ksys_shmdt, (char __user *addr));
KRG_FN(int, shmctl_down, (struct ipc_namespace *ns, int id, int cmd, struct shmid64_ds *arg));
KRG_FN(int, shm_mmap, (struct file *file, struct vm_area_struct *vma));
KRG_FN(void, shm_open, (struct vm_area_struct *vma));
KRG_FN(void, do_shm_rmid, (struct ipc_namespace *ns, struct kern_ipc_perm *perm));
KRG_FN(int, do_munmap, (struct mm_struct *mm, unsigned long start, size_t len,
			struct list_head *uf));
KRG_FN(int, security_shm_alloc, (struct kern_ipc_perm *perm));
KRG_FN(void, security_shm_free, (struct kern_ipc_perm *perm));
KRG_FN(int, security_shm_associate, (struct kern_ipc_perm *perm, int flags));
KRG_FN(int, security_shm_shmctl, (struct kern_ipc_perm *perm, int cmd));
KRG_DATA(struct ipc_namespace, init_ipc_ns);
KRG_DATA(int, ipc_mni_shift);
KRG_DATA(const struct vm_operations_struct, shm_vm_ops);

/* mm: futexes */
#ifdef KRG_HAVE_FUTEX_FLAGS
KRG_FN(int, get_futex_key, (u32 __user *uaddr, unsigned int flags, union futex_key *key,
			    unsigned int access));
KRG_FN(int, futex_requeue, (u32 __user *uaddr1, unsigned int flags1, u32 __user *uaddr2,
			    unsigned int flags2, int nr_wake, int nr_requeue, u32 *cmpval,
			    int requeue_pi));
#else
KRG_FN(int, get_futex_key, (u32 __user *uaddr, bool shared, union futex_key *key,
			    unsigned int access));
KRG_FN(int, futex_requeue, (u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2,
			    int nr_wake, int nr_requeue, u32 *cmpval, int requeue_pi));
#endif
KRG_FN(int, futex_wake, (u32 __user *uaddr, unsigned int flags, int nr_wake, u32 bitset));
KRG_FN(int, futex_wake_op, (u32 __user *uaddr1, unsigned int flags, u32 __user *uaddr2,
			    int nr_wake, int nr_wake2, int op));

/* proc: tasks */
KRG_FN(pid_t, kernel_clone, (struct kernel_clone_args *args));
KRG_FN(long, x64_sys_call, (const struct pt_regs *regs, unsigned int nr));
KRG_FN(long, kernel_wait4, (pid_t pid, int __user *status, int options, struct rusage *usage));
KRG_FN(void, __set_task_comm, (struct task_struct *task, const char *name, bool exec));
KRG_FN(long, sched_setaffinity, (pid_t pid, const struct cpumask *mask));
KRG_FN(void, cpuset_cpus_allowed, (struct task_struct *task, struct cpumask *mask));
KRG_FN(int, sched_setattr_nocheck, (struct task_struct *task, const struct sched_attr *attr));
KRG_FN(struct user_struct *, alloc_uid, (kuid_t uid));
KRG_FN(int, set_cred_ucounts, (struct cred *cred));

#ifdef CONFIG_SECURITY_LANDLOCK
KRG_DATA(struct lsm_blob_sizes, landlock_blob_sizes);
#endif

/* proc: pids */
KRG_FN(struct pid *, alloc_pid, (struct pid_namespace *ns, pid_t *set_tid, size_t set_tid_size));
KRG_FN(void, free_pid, (struct pid *pid));
KRG_DATA(spinlock_t, pidmap_lock);
KRG_DATA(int, pid_max);

/* proc: registers */
KRG_FN(long, do_arch_prctl_64, (struct task_struct *task, int option, unsigned long arg));
KRG_FN(int, xstateregs_get, (struct task_struct *task, const struct user_regset *regset,
			     struct membuf to));
KRG_FN(int, copy_uabi_from_kernel_to_xstate, (struct fpstate *fpstate, const void *image,
					      u32 *pkru));
KRG_DATA(struct fpu_state_config, fpu_user_cfg);

/* proc: signals, interrupted calls, timers */
KRG_FN(int, do_sigaction, (int sig, struct k_sigaction *act, struct k_sigaction *oact));
KRG_FN(int, do_send_sig_info, (int sig, struct kernel_siginfo *info, struct task_struct *task,
			       enum pid_type type));
KRG_FN(void, __set_current_blocked, (const sigset_t *set));
KRG_FN(void, flush_sigqueue, (struct sigpending *queue));
KRG_FN(int, do_getitimer, (int which, struct itimerspec64 *value));
KRG_FN(int, do_setitimer, (int which, struct itimerspec64 *value, struct itimerspec64 *ovalue));
KRG_FN(int, update_rlimit_cpu, (struct task_struct *task, unsigned long rlim_new));
KRG_FN(long, hrtimer_nanosleep_restart, (struct restart_block *restart));
KRG_FN(long, futex_wait_restart, (struct restart_block *restart));
KRG_FN(long, do_restart_poll, (struct restart_block *restart));

/* proc: files */
KRG_FN(void, set_fs_pwd, (struct fs_struct *fs, const struct path *path));
KRG_FN(bool, get_close_on_exec, (unsigned int fd));
KRG_FN(int, replace_fd, (unsigned int fd, struct file *file, unsigned int flags));
KRG_FN(int, create_pipe_files, (struct file **ends, int flags));

/* proc: memory */
KRG_FN(int, walk_page_range, (struct mm_struct *mm, unsigned long start, unsigned long end,
			      const struct mm_walk_ops *ops, void *private));
KRG_FN(int, map_vdso_once, (const struct vdso_image *image, unsigned long addr));
KRG_FN(struct file *, get_task_exe_file, (struct task_struct *task));
KRG_FN(int, replace_mm_exe_file, (struct mm_struct *mm, struct file *file));
KRG_FN(bool, path_noexec, (const struct path *path));
KRG_DATA(const struct vdso_image, vdso_image_64);

/* procfs: what /proc shows of tasks and memory */
KRG_FN(struct sighand_struct *, __lock_task_sighand, (struct task_struct *task,
						      unsigned long *flags));
KRG_FN(void, thread_group_cputime_adjusted, (struct task_struct *task, u64 *ut, u64 *st));
KRG_FN(void, si_swapinfo, (struct sysinfo *info));
