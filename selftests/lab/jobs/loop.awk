# SPDX-License-Identifier: GPL-2.0-only
# The nested loop: a sum that depends on every step. -v N= -v OUT=
BEGIN {
	for (i = 1; i <= N; i++)
		for (j = 1; j <= 1000; j++)
			s = (s * 31 + i * j) % 1000003
	print s > OUT
	close(OUT)
}
