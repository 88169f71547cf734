# SPDX-License-Identifier: GPL-2.0-only
# Reads a large file line by line, appends to another as it goes. -v OUT=
{
	for (k = 1; k <= NF; k++)
		seen[$k]++
	if (NR % 100 == 0) {
		printf "%d %d %s\n", NR, length(seen), $1 >> OUT
		fflush(OUT)
	}
}
END {
	n = 0
	for (w in seen)
		n += seen[w]
	print n >> OUT
}
