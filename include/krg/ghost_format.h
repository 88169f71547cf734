/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ghost format: how the state of a task is written down, in the files of
 * a checkpoint and on the wire of a migration. Documentation/checkpoint-format.md
 * is the prose; this header is the authority on layout. Shared by the kernel
 * modules and the user-space reader.
 *
 * A stream is a sequence of records:
 *
 *	FILE  record ...  INDEX  END
 *
 * Each is a struct krg_ghost_record followed by `length` bytes of payload. If
 * its flags have KRG_GHOST_BULK, the payload starts with a struct
 * krg_ghost_bulk, and after the payload come zero bytes up to the next
 * multiple of KRG_GHOST_ALIGN in the file, then `bulk.length` bytes of data.
 *
 * Rules for changes: all integers little endian, all structs without holes,
 * reserved fields zero (and checked). A record's number is never reused and
 * the meaning of a field never changes; a struct may grow at its end (the
 * schema's minimum stays what the first version had).
 *
 * Change log
 *	1	first version: a single-threaded process
 *	1	USAGE; images without it are read
 */
#ifndef KRG_GHOST_FORMAT_H
#define KRG_GHOST_FORMAT_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <linux/types.h>
#endif

#define KRG_GHOST_MAGIC		"krGHOST\n"	/* 8 bytes, no terminator */
#define KRG_GHOST_VERSION	1
#define KRG_GHOST_ENDIAN	0x0a0b0c0d
#define KRG_GHOST_ARCH_X86_64	62		/* EM_X86_64 */

#define KRG_GHOST_ALIGN		4096		/* of bulk data in the file */
#define KRG_GHOST_PAGE_SIZE	4096
#define KRG_GHOST_MAX_PAYLOAD	(512u << 10)
#define KRG_GHOST_MAX_BULK	(16u << 20)
#define KRG_GHOST_MAX_PAGES	(KRG_GHOST_MAX_BULK / KRG_GHOST_PAGE_SIZE)
#define KRG_GHOST_MAX_PATH	4096		/* with the terminating NUL */
#define KRG_GHOST_MAX_GROUPS	65536
#define KRG_GHOST_MAX_XSAVE	65536
#define KRG_GHOST_MAX_AUXV	64		/* pairs */
#define KRG_GHOST_MAX_CPUS	8192
#define KRG_GHOST_MAX_INDEX	64		/* entries */
#define KRG_GHOST_NSIG		64
#define KRG_GHOST_NR_RLIMITS	16
#define KRG_GHOST_MAX_CPU_TIME	0x4000000000000000ull	/* ns: 146 years */
#define KRG_GHOST_ADDRESS_MAX	0x800000000000ull	/* first address beyond user space */

/* File kinds: which file of a checkpoint this is. Bits, so that the schema can name sets. */
enum krg_ghost_kind {
	KRG_GHOST_GLOBAL	= 1,	/* global.bin: the application */
	KRG_GHOST_NODE		= 2,	/* node_<n>.bin: what was on node n */
	KRG_GHOST_TASK		= 4,	/* task_<pid>.bin: a thread; its process, if leader */
	KRG_GHOST_SHARED	= 8,	/* shared_obj_<n>.bin: objects several tasks refer to */
};

/* Record types. Numbers are never reused. Their order in a stream: core/schema.c. */
enum krg_ghost_type {
	KRG_GHOST_R_FILE	= 1,	/* first record of every stream */
	KRG_GHOST_R_INDEX	= 2,	/* last but one */
	KRG_GHOST_R_END		= 3,	/* last */

	KRG_GHOST_R_APP		= 16,	/* global: the application */
	KRG_GHOST_R_APP_TASK	= 17,	/* global: one of its tasks */
	KRG_GHOST_R_NODE	= 20,	/* node: where it was checkpointed */
	KRG_GHOST_R_NODE_TASK	= 21,	/* node: a task that was there */

	KRG_GHOST_R_IDS		= 32,	/* task: pid and relatives, comm */
	KRG_GHOST_R_CRED	= 33,	/* task: credentials */
	KRG_GHOST_R_REGS	= 34,	/* task: general registers */
	KRG_GHOST_R_XSAVE	= 35,	/* task: extended registers */
	KRG_GHOST_R_THREAD	= 36,	/* task: tid address, robust list, rseq */
	KRG_GHOST_R_RESTART	= 37,	/* task: an interrupted call's restart block */
	KRG_GHOST_R_SIGMASK	= 38,	/* task: blocked mask and altstack */
	KRG_GHOST_R_PENDING	= 39,	/* task: a pending signal of the thread */
	KRG_GHOST_R_SCHED	= 40,	/* task: policy and priority */
	KRG_GHOST_R_CPUS	= 41,	/* task: the CPUs it has been bound to */

	KRG_GHOST_R_SIGACTION	= 48,	/* process: the signal actions */
	KRG_GHOST_R_SHPENDING	= 49,	/* process: a pending signal of the process */
	KRG_GHOST_R_ITIMERS	= 50,	/* process: the three interval timers */
	KRG_GHOST_R_RLIMITS	= 51,	/* process: resource limits */
	KRG_GHOST_R_USAGE	= 52,	/* process: what it and its children have used */

	KRG_GHOST_R_FS		= 64,	/* process: umask, cwd and root as file ids */
	KRG_GHOST_R_FD		= 65,	/* process: one file descriptor */

	KRG_GHOST_R_MM		= 80,	/* process: layout of the address space */
	KRG_GHOST_R_AUXV	= 81,	/* process: auxiliary vector */
	KRG_GHOST_R_VMA		= 82,	/* process: one area */
	KRG_GHOST_R_PAGES	= 83,	/* process: content of pages (bulk) */

	KRG_GHOST_R_FILEOBJ	= 96,	/* shared: an open file or a path */
	KRG_GHOST_R_CONTENT	= 97,	/* shared: content of a deleted file (bulk) */
};

/* Flags of a record. Others must be zero. */
#define KRG_GHOST_BULK		0x0001	/* bulk data follow the payload */
#define KRG_GHOST_MAY_SKIP	0x0002	/* a reader that doesn't know the type may pass over it */
#define KRG_GHOST_FLAGS		(KRG_GHOST_BULK | KRG_GHOST_MAY_SKIP)

/*
 * The head of every record. crc is the CRC-32C of the 12 bytes before it and
 * of the payload; for all records but the first it is seeded with the CRC of
 * the FILE record, whose content (file_id, kind, object) is unique to the
 * file: a record from another file is as wrong as a flipped bit.
 */
struct krg_ghost_record {
	__le16 type;
	__le16 flags;
	__le32 length;		/* bytes of payload */
	__le32 seq;		/* 0, 1, 2, ... */
	__le32 crc;
};

static_assert(sizeof(struct krg_ghost_record) == 16);

/* Start of the payload of a record with bulk data. */
struct krg_ghost_bulk {
	__le64 length;		/* bytes, 1..KRG_GHOST_MAX_BULK */
	__le64 digest[4];	/* of the data: core/digest.h */
};

static_assert(sizeof(struct krg_ghost_bulk) == 40);

/* KRG_GHOST_R_FILE */
struct krg_ghost_file {
	__u8 magic[8];
	__le32 endian;		/* KRG_GHOST_ENDIAN */
	__le32 format;		/* KRG_GHOST_VERSION */
	__le32 arch;
	__le32 kind;		/* enum krg_ghost_kind */
	__le64 appid;		/* pid of the application's root */
	__le32 version;		/* of the checkpoint: N of v<N>/, 0 = not in a directory */
	__le32 object;		/* node id or pid, as in the file's name; 0 for global.bin */
	__u8 checkpoint[16];	/* random, the same in all files of one checkpoint */
	__le64 created;		/* seconds since 1970 */
	__le64 xfeatures;	/* XCR0 of the machine */
	__le32 node;		/* node it was written on */
	__le32 reserved;
	char release[64];	/* uname -r, NUL padded */
};

static_assert(sizeof(struct krg_ghost_file) == 144);

/* KRG_GHOST_R_INDEX: one entry a record type that occurs, in file order */
struct krg_ghost_index_entry {
	__le16 type;
	__le16 reserved;
	__le32 seq;		/* of the first record of the type */
	__le32 count;
	__le32 reserved2;
	__le64 offset;		/* of the first, from the start of the stream */
};

static_assert(sizeof(struct krg_ghost_index_entry) == 24);

/* KRG_GHOST_R_END. Nothing may follow it. */
struct krg_ghost_end {
	__le64 index_offset;
	__le64 size;		/* of the whole stream, this record included */
	__le32 records;		/* FILE, INDEX and END included */
	__le32 reserved;
};

static_assert(sizeof(struct krg_ghost_end) == 24);

/* KRG_GHOST_R_APP */
struct krg_ghost_app {
	__le64 appid;
	__le32 version;
	__le32 nr_tasks;	/* APP_TASK records that follow */
	__le32 nr_nodes;
	__le32 reserved;
};

static_assert(sizeof(struct krg_ghost_app) == 24);

/* KRG_GHOST_R_APP_TASK, KRG_GHOST_R_NODE_TASK: parents before children */
struct krg_ghost_app_task {
	__le32 pid;
	__le32 tgid;
	__le32 parent;		/* 0: none in the application */
	__le32 node;
};

static_assert(sizeof(struct krg_ghost_app_task) == 16);

/* KRG_GHOST_R_NODE */
struct krg_ghost_node {
	__le32 node;
	__le32 nr_tasks;	/* NODE_TASK records that follow */
	__le32 nr_cpus;
	__le32 reserved;
};

static_assert(sizeof(struct krg_ghost_node) == 16);

#define KRG_GHOST_IDS_NO_NEW_PRIVS	0x1
#define KRG_GHOST_IDS_SUBREAPER		0x2
#define KRG_GHOST_IDS_PDEATHSIG		0x4	/* pdeath_signal is set */
#define KRG_GHOST_IDS_FLAGS		0x7

/* KRG_GHOST_R_IDS; ids as seen in the initial pid namespace */
struct krg_ghost_ids {
	__le32 pid;
	__le32 tgid;
	__le32 ppid;
	__le32 pgid;
	__le32 sid;
	__le32 exit_signal;
	__le32 personality;
	__le32 oom_score_adj;	/* signed */
	__le32 flags;		/* KRG_GHOST_IDS_* */
	__le32 pdeath_signal;
	__le64 timer_slack;	/* ns */
	__le64 start_time;	/* ns since boot, for the record only */
	char comm[16];		/* NUL terminated */
};

static_assert(sizeof(struct krg_ghost_ids) == 72);

/* KRG_GHOST_R_CRED; ids in the initial user namespace */
struct krg_ghost_cred {
	__le32 uid, gid;
	__le32 euid, egid;
	__le32 suid, sgid;
	__le32 fsuid, fsgid;
	__le32 securebits;
	__le32 nr_groups;
	__le64 cap_inheritable;
	__le64 cap_permitted;
	__le64 cap_effective;
	__le64 cap_bset;
	__le64 cap_ambient;
	__le32 groups[];
};

static_assert(sizeof(struct krg_ghost_cred) == 80);

/* KRG_GHOST_R_REGS: the order of struct user_regs_struct */
struct krg_ghost_regs {
	__le64 r15, r14, r13, r12;
	__le64 bp, bx;
	__le64 r11, r10, r9, r8;
	__le64 ax, cx, dx, si, di;
	__le64 orig_ax;
	__le64 ip, cs, flags, sp, ss;
	__le64 fs_base, gs_base;
	__le64 ds, es, fs, gs;
};

static_assert(sizeof(struct krg_ghost_regs) == 27 * 8);

/* KRG_GHOST_R_XSAVE: standard (not compacted) image as ptrace(NT_X86_XSTATE) gives it */
struct krg_ghost_xsave {
	__le64 features;	/* XSTATE_BV ⊆ this ⊆ XCR0 of the machine */
	__le32 size;		/* bytes that follow */
	__le32 reserved;
	__u8 data[];
};

static_assert(sizeof(struct krg_ghost_xsave) == 16);

/* KRG_GHOST_R_THREAD */
struct krg_ghost_thread {
	__le64 set_child_tid;
	__le64 clear_child_tid;
	__le64 robust_list;
	__le64 rseq;		/* address, 0 = not registered */
	__le32 rseq_len;
	__le32 rseq_sig;
};

static_assert(sizeof(struct krg_ghost_thread) == 40);

enum krg_ghost_restart_kind {
	KRG_GHOST_RESTART_NONE		= 0,	/* restart_syscall() gives EINTR */
	KRG_GHOST_RESTART_NANOSLEEP	= 1,	/* arg: clockid, type, rmtp, remaining ns, compat */
	KRG_GHOST_RESTART_FUTEX		= 2,	/* uaddr, val, flags, bitset, left ns, uaddr2 */
	KRG_GHOST_RESTART_POLL		= 3,	/* arg: ufds, nfds, has_timeout, remaining ns */
};

#define KRG_GHOST_RESTART_MAX	3

/* KRG_GHOST_R_RESTART. Times are what was left, never points of a machine's clock. */
struct krg_ghost_restart {
	__le32 kind;
	__le32 reserved;
	__le64 arg[6];
};

static_assert(sizeof(struct krg_ghost_restart) == 56);

/* KRG_GHOST_R_SIGMASK */
struct krg_ghost_sigmask {
	__le64 blocked;
	__le64 saved;		/* saved_sigmask, if SAVED */
	__le32 flags;		/* 1 = SAVED: TIF_RESTORE_SIGMASK was set */
	__le32 altstack_flags;
	__le64 altstack_sp;
	__le64 altstack_size;
};

static_assert(sizeof(struct krg_ghost_sigmask) == 40);

/* KRG_GHOST_R_PENDING, KRG_GHOST_R_SHPENDING: in queue order */
struct krg_ghost_siginfo {
	__le32 signo;		/* 1..KRG_GHOST_NSIG */
	__le32 flags;		/* 1 = no siginfo was queued: info is zero */
	__u8 info[128];		/* siginfo_t of x86_64 */
};

static_assert(sizeof(struct krg_ghost_siginfo) == 136);

/* KRG_GHOST_R_SCHED */
struct krg_ghost_sched {
	__le32 policy;
	__le32 nice;		/* signed */
	__le32 rt_priority;
	__le32 flags;		/* 1 = reset on fork */
	__le32 ioprio;		/* class << 13 | data, class 0..3; 0 = that of nice */
	__le32 reserved;	/* 0 */
};

static_assert(sizeof(struct krg_ghost_sched) == 24);

/* KRG_GHOST_R_CPUS: bit n % 64 of word n / 64 is CPU n */
struct krg_ghost_cpus {
	__le64 word[1];		/* as many as fit in the record */
};

struct krg_ghost_action {
	__le64 handler;
	__le64 flags;
	__le64 restorer;
	__le64 mask;
};

/* KRG_GHOST_R_SIGACTION: action[n] is signal n + 1's */
struct krg_ghost_sigaction {
	struct krg_ghost_action action[KRG_GHOST_NSIG];
};

static_assert(sizeof(struct krg_ghost_sigaction) == 64 * 32);

/* KRG_GHOST_R_ITIMERS: ITIMER_REAL, VIRTUAL, PROF; remaining 0 = off */
struct krg_ghost_itimers {
	struct {
		__le64 interval;	/* ns */
		__le64 remaining;	/* ns */
	} timer[3];
};

static_assert(sizeof(struct krg_ghost_itimers) == 48);

/* As getrusage(2) counts. */
struct krg_ghost_used {
	__le64 utime;		/* ns, below KRG_GHOST_MAX_CPU_TIME */
	__le64 stime;		/* ns, likewise */
	__le64 nvcsw;
	__le64 nivcsw;
	__le64 min_flt;
	__le64 maj_flt;
	__le64 inblock;
	__le64 oublock;
	__le64 maxrss;		/* pages */
};

/* KRG_GHOST_R_USAGE */
struct krg_ghost_usage {
	struct krg_ghost_used self;	/* all its threads */
	struct krg_ghost_used children;	/* those that were waited for */
};

static_assert(sizeof(struct krg_ghost_usage) == 144);

/* KRG_GHOST_R_RLIMITS: by RLIMIT_* number; ~0 = unlimited */
struct krg_ghost_rlimits {
	struct {
		__le64 cur;
		__le64 max;
	} limit[KRG_GHOST_NR_RLIMITS];
};

static_assert(sizeof(struct krg_ghost_rlimits) == 256);

/* KRG_GHOST_R_FS: file ids are those of FILEOBJ records, 0 = none (root: the system's) */
struct krg_ghost_fs {
	__le32 umask;
	__le32 cwd;
	__le32 root;
	__le32 reserved;
};

static_assert(sizeof(struct krg_ghost_fs) == 16);

/* KRG_GHOST_R_FD: ascending by fd */
struct krg_ghost_fd {
	__le32 fd;
	__le32 file;		/* id of the FILEOBJ */
	__le32 flags;		/* 1 = close on exec */
	__le32 reserved;
};

static_assert(sizeof(struct krg_ghost_fd) == 16);

#define KRG_GHOST_MM_THP_DISABLE	0x1

/* KRG_GHOST_R_MM */
struct krg_ghost_mm {
	__le64 start_code, end_code;
	__le64 start_data, end_data;
	__le64 start_brk, brk;
	__le64 start_stack;
	__le64 arg_start, arg_end;
	__le64 env_start, env_end;
	__le64 mmap_base;
	__le64 vdso;		/* base, 0 = none */
	__le64 vdso_size;
	__le64 vvar;		/* base, 0 = none */
	__le64 vvar_size;
	__le64 def_flags;	/* VM_LOCKED of mlockall(MCL_FUTURE) */
	__le32 vdso_crc;	/* CRC-32C of the vDSO's pages: another vDSO is refused */
	__le32 dumpable;	/* 0..2 */
	__le32 exe;		/* id of the FILEOBJ */
	__le32 nr_vmas;
	__le32 flags;		/* KRG_GHOST_MM_* */
	__le32 reserved;
};

static_assert(sizeof(struct krg_ghost_mm) == 17 * 8 + 24);

/* KRG_GHOST_R_AUXV: pairs, the AT_NULL one included */
struct krg_ghost_auxv {
	__le64 type;
	__le64 value;
};

enum krg_ghost_vma_kind {
	KRG_GHOST_VMA_ANON	= 0,	/* private anonymous memory */
	KRG_GHOST_VMA_FILE	= 1,	/* a file, private or shared */
	KRG_GHOST_VMA_STACK	= 2,	/* the main stack: anonymous, grows down */
	KRG_GHOST_VMA_VDSO	= 3,	/* given by the kernel: only its place is saved */
	KRG_GHOST_VMA_VVAR	= 4,
	KRG_GHOST_VMA_SHMEM	= 5,	/* shared anonymous memory */
};

#define KRG_GHOST_VMA_KIND_MAX	5

/* Bits of krg_ghost_vma.advice */
#define KRG_GHOST_ADVICE_LOCKED		0x01	/* mlock */
#define KRG_GHOST_ADVICE_DONTFORK	0x02
#define KRG_GHOST_ADVICE_DONTDUMP	0x04
#define KRG_GHOST_ADVICE_WIPEONFORK	0x08
#define KRG_GHOST_ADVICE_HUGEPAGE	0x10
#define KRG_GHOST_ADVICE_NOHUGEPAGE	0x20
#define KRG_GHOST_ADVICE_MERGEABLE	0x40
#define KRG_GHOST_ADVICE_SEQUENTIAL	0x80
#define KRG_GHOST_ADVICE_RANDOM		0x100
#define KRG_GHOST_ADVICE_LOCKONFAULT	0x200
#define KRG_GHOST_ADVICE_ALL		0x3ff

/* Bits of krg_ghost_vma.what */
#define KRG_GHOST_VMA_MAYREAD		0x1
#define KRG_GHOST_VMA_MAYWRITE		0x2
#define KRG_GHOST_VMA_MAYEXEC		0x4
#define KRG_GHOST_VMA_ACCOUNT		0x8	/* VM_ACCOUNT */
#define KRG_GHOST_VMA_WHAT		0xf

/* KRG_GHOST_R_VMA: ascending, not overlapping, page aligned */
struct krg_ghost_vma {
	__le64 start;
	__le64 end;
	__le64 offset;		/* bytes into the file; multiple of the page size */
	__le32 prot;		/* PROT_READ | PROT_WRITE | PROT_EXEC */
	__le32 flags;		/* MAP_PRIVATE or MAP_SHARED, MAP_GROWSDOWN, MAP_NORESERVE */
	__le32 kind;		/* enum krg_ghost_vma_kind */
	__le32 file;		/* id of the FILEOBJ, 0 = none */
	__le32 advice;
	__le32 what;
};

static_assert(sizeof(struct krg_ghost_vma) == 48);

struct krg_ghost_run {
	__le64 address;		/* page aligned */
	__le64 pages;		/* at least 1 */
};

/*
 * KRG_GHOST_R_PAGES: runs ascending, within a record and from one record to
 * the next; the bulk data are their pages one after another. Pages that are
 * missing are zero (anonymous) or as in their file.
 */
struct krg_ghost_pages {
	struct krg_ghost_bulk bulk;
	__le32 nr_runs;		/* 1..KRG_GHOST_MAX_PAGES */
	__le32 reserved;
	struct krg_ghost_run run[];
};

static_assert(sizeof(struct krg_ghost_pages) == 48);

enum krg_ghost_file_kind {
	KRG_GHOST_F_REG		= 1,	/* user_info: file */
	KRG_GHOST_F_DIR		= 2,	/* dir */
	KRG_GHOST_F_CHAR	= 3,	/* char: found again by path; rdev must match */
	KRG_GHOST_F_TTY		= 4,	/* tty */
	KRG_GHOST_F_PATH	= 5,	/* a path nobody has open: cwd, root; dir */
	KRG_GHOST_F_PIPE	= 6,	/* pipe: an end of an empty pipe; both ends have one ino */
};

#define KRG_GHOST_F_KIND_MAX	6

/* Bits of krg_ghost_fileobj.what */
#define KRG_GHOST_F_DELETED	0x1	/* it has no name any more: content in CONTENT records */
#define KRG_GHOST_F_CTTY	0x2	/* the session's controlling terminal */
#define KRG_GHOST_F_MAPPED	0x4	/* only mapped or executed, no descriptor */
#define KRG_GHOST_F_WHAT	0x7

/* KRG_GHOST_R_FILEOBJ: one open file description; ascending by id */
struct krg_ghost_fileobj {
	__le32 id;		/* from 1 */
	__le32 kind;		/* enum krg_ghost_file_kind */
	__le32 flags;		/* O_* of F_GETFL */
	__le32 mode;		/* st_mode */
	__le64 pos;		/* file offset */
	__le64 dev;		/* st_dev */
	__le64 ino;
	__le64 size;
	__le64 mtime_sec;	/* signed */
	__le32 mtime_nsec;
	__le32 rdev;		/* of a device: new_encode_dev() */
	__le32 uid, gid;	/* owner, for deleted files */
	__le32 what;		/* KRG_GHOST_F_* bits */
	__le32 path_len;	/* with its NUL; 0 = no path */
	char path[];
};

static_assert(sizeof(struct krg_ghost_fileobj) == 80);

/* KRG_GHOST_R_CONTENT: ascending by file id, then by offset; what is missing up to size is zero */
struct krg_ghost_content {
	struct krg_ghost_bulk bulk;
	__le32 file;		/* id of the FILEOBJ */
	__le32 reserved;
	__le64 offset;
};

static_assert(sizeof(struct krg_ghost_content) == 56);

#endif
