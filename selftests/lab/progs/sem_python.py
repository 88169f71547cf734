# SPDX-License-Identifier: GPL-2.0-only
"""sem_python.py make|get|put NAME TIMES: a semaphore as multiprocessing.Semaphore has it."""
import sys
import _multiprocessing

what, name, times = sys.argv[1], "/" + sys.argv[2], int(sys.argv[3])
SEMAPHORE, MOST = 1, 2147483647
if what == "make":
    sem = _multiprocessing.SemLock(SEMAPHORE, 0, MOST, name, False)
else:
    sem = _multiprocessing.SemLock._rebuild(0, SEMAPHORE, MOST, name)
for _ in range(times):
    if what == "get":
        assert sem.acquire()
    elif what == "put":
        sem.release()
print("ok")
