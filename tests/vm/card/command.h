/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Commands to the cards: inspect them, count, and make things go wrong.
 * "@1 COMMAND" goes to the second card; README.md lists them.
 */
#pragma once

#include <stddef.h>

struct tl_card;

/** Run @text (which is cut up) and write one line, without newline, to @answer. */
void tl_command_run(struct tl_card **cards, unsigned count, char *text, char *answer, size_t octets);
