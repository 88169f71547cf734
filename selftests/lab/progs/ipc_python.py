# SPDX-License-Identifier: GPL-2.0-only
"""ipc_python.py write|read KEY: System V shared memory through libc, nothing of ours."""
import ctypes
import hashlib
import sys

SIZE = 200000
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
libc.shmdt.argtypes = (ctypes.c_void_p,)
libc.shmget.argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int)

ident = libc.shmget(int(sys.argv[2], 0), SIZE, 0o1600)
if ident < 0:
    sys.exit(f"shmget: {ctypes.get_errno()}")
at = libc.shmat(ident, None, 0)
if at == ctypes.c_void_p(-1).value:
    sys.exit(f"shmat: {ctypes.get_errno()}")
if sys.argv[1] == "write":
    ctypes.memmove(at, bytes(i * 7 % 251 for i in range(SIZE)), SIZE)
print(ident, hashlib.md5(ctypes.string_at(at, SIZE)).hexdigest())
libc.shmdt(at)
