#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Metrics 15, 16, 17: checkpoint and restart of 256 MiB beside a copy and CRIU.
set -eu
cd "$(dirname "$0")/../.."
scripts/lab up -n 1 --kernel "$1" --mem 2560 >&2
scripts/lab push 1 build/bench/hog selftests/bench/guest/checkpoint.sh /root/ >&2
scripts/lab exec 1 -- /root/checkpoint.sh /root/hog 256 5
