# SPDX-License-Identifier: GPL-2.0-only
# hashes.py N OUT: a chain of N hashes; appends to OUT as it goes.
import hashlib, sys

state = b"krg"
with open(sys.argv[2], "a") as out:
    for i in range(int(sys.argv[1])):
        state = hashlib.sha256(state * 8).digest()
        if i % 1000 == 0:
            out.write("%d %s\n" % (i, state.hex()))
            out.flush()
    out.write("end %s\n" % state.hex())
