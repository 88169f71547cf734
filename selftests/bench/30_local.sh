#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Metric 28: instructions of local work with the cluster up and with no module
# loaded, in turns, on one node whose CPU counts an instruction a nanosecond.
set -eu
cd "$(dirname "$0")/../.."
export LAB_ACCEL=icount
scripts/lab up -n 1 --kernel "$1" --no-cluster >&2
gcc -O2 -Wall -Wextra -Werror -static selftests/bench/localwork.c -o build/bench/localwork
scripts/lab push 1 build/bench/localwork selftests/bench/guest/local.sh scripts/modules.list /root/ >&2
scripts/lab exec -n 1 -- bash /root/local.sh 5 400
