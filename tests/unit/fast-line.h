/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A wire between two pseudowire ends that both follow (clock mode loop): line time as fast as they can, nothing lost. */
#pragma once

struct fast_line;
/** Between the ends that listen on @a and @b of 127.0.0.1, 40 frames a packet, E1. (transfer full) */
struct fast_line *fast_line_new(unsigned a, unsigned b);
void fast_line_free(struct fast_line *line);
/** What the end at @a (0) or @b (1) must have as its remote port. */
unsigned fast_line_port(const struct fast_line *line, unsigned end);
