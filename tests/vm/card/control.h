/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * The control socket: a command a line, one line of answer: "ok", "error WHY",
 * or name=value pairs. README.md lists the commands. The guest reaches it as
 * its second serial port, which is why an answer is never more than a line.
 */
#pragma once

#include <poll.h>

struct tl_card;
struct tl_control;

#define TL_CONTROL_FDS 5 /* the listening socket and four clients */

/** Listens on @path. @cards are borrowed. NULL with a message if it cannot. */
struct tl_control *tl_control_new(const char *path, struct tl_card **cards, unsigned count);
void tl_control_free(struct tl_control *control);

/** Fill in what to poll; later say what poll() found. Both over TL_CONTROL_FDS entries. */
void tl_control_prepare(struct tl_control *control, struct pollfd *fds);
void tl_control_dispatch(struct tl_control *control, const struct pollfd *fds);
