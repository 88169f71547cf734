/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a core/ folder may use: fixed-size types, error numbers, string
 * functions. In the kernel these are the kernel's; in user space, where the
 * same code is tested, libc's.
 */
#ifndef KRG_CORE_H
#define KRG_CORE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#else
#include <asm/types.h>
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef EHOSTDOWN
#error "krg needs Linux error numbers"
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define cpu_to_le16(x) ((__le16)htole16(x))
#define cpu_to_le32(x) ((__le32)htole32(x))
#define cpu_to_le64(x) ((__le64)htole64(x))
#define le16_to_cpu(x) le16toh((u16)(x))
#define le32_to_cpu(x) le32toh((u32)(x))
#define le64_to_cpu(x) le64toh((u64)(x))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

#endif
