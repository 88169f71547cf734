# SPDX-License-Identifier: GPL-2.0-only
"""shm_python.py make NAME SIZE | look NAME: memory by Python's own module; look prints its sum."""
import sys
import zlib
from multiprocessing import resource_tracker, shared_memory

if sys.argv[1] == "make":
    memory = shared_memory.SharedMemory(sys.argv[2], create=True, size=int(sys.argv[3]))
    for i in range(memory.size):
        memory.buf[i] = i * 7 % 251
else:
    memory = shared_memory.SharedMemory(sys.argv[2])
    print(memory.size, zlib.crc32(memory.buf))
# Or it would be deleted as forgotten.
resource_tracker.unregister(memory._name, "shared_memory")
memory.close()
