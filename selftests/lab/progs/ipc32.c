// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipc32: the system calls of 32-bit programs, the old ones through ipc(2) and the newer
 * ones. No libc, which this machine may not have for 32 bits:
 *
 *	gcc -m32 -static -nostdlib -ffreestanding -fno-stack-protector -o ipc32 ipc32.c
 *
 * It finds the segment with key 32, adds 1 to each of its first two words, one way and
 * the other, checks who is attached, changes the mode and detaches. Exit status: 0, or
 * the step that went wrong.
 */
#define NR_EXIT		1
#define NR_IPC		117
#define NR_SHMGET	395
#define NR_SHMCTL	396
#define NR_SHMAT	397
#define NR_SHMDT	398

#define OLD_SHMAT	21
#define OLD_SHMDT	22
#define OLD_SHMGET	23
#define OLD_SHMCTL	24

#define IPC_SET		1
#define IPC_STAT	2
#define IPC_64		0x100

#define KEY		32
#define SIZE		8192

/* struct shmid64_ds of 32 bits, in words. */
#define DS_WORDS	32
#define DS_MODE		5
#define DS_SIZE		9
#define DS_NATTCH	18

static long call(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return ret;
}

static int old_way(void)
{
	unsigned int ds[DS_WORDS], *at = 0;
	long id = call(NR_IPC, OLD_SHMGET, KEY, SIZE, 0, 0);

	if (id < 0)
		return 1;
	if (call(NR_IPC, OLD_SHMAT, id, 0, (long)&at, 0) || !at)
		return 2;
	at[0]++;
	if (call(NR_IPC, OLD_SHMCTL, id, IPC_STAT | IPC_64, 0, (long)ds))
		return 3;
	if (ds[DS_SIZE] != SIZE || ds[DS_NATTCH] != 1)
		return 4;
	if (call(NR_IPC, OLD_SHMDT, 0, 0, 0, (long)at))
		return 5;
	return 0;
}

static int new_way(void)
{
	unsigned int ds[DS_WORDS], *at;
	long id = call(NR_SHMGET, KEY, SIZE, 01000, 0, 0);

	if (id < 0)
		return 11;
	at = (void *)call(NR_SHMAT, id, 0, 0, 0, 0);
	if ((unsigned long)at > -4096ul)
		return 12;
	at[1]++;
	if (call(NR_SHMCTL, id, IPC_STAT, (long)ds, 0, 0) || ds[DS_NATTCH] != 1)
		return 13;
	ds[DS_MODE] = 0640;
	if (call(NR_SHMCTL, id, IPC_SET, (long)ds, 0, 0))
		return 14;
	if (call(NR_SHMDT, (long)at, 0, 0, 0, 0))
		return 15;
	/* -EINVAL */
	return call(NR_SHMDT, (long)at, 0, 0, 0, 0) == -22 ? 0 : 16;
}

void _start(void);
void _start(void)
{
	int wrong = old_way();

	if (!wrong)
		wrong = new_way();
	call(NR_EXIT, wrong, 0, 0, 0, 0);
	__builtin_unreachable();
}
