/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/*
 * Faxes through a whole desk: the real protocol and HTTP to the node's end, the real faxpages, letters into a directory.
 * A desk that stops between any two steps and comes back stands for one that was killed there.
 */
#pragma once

#include <stdbool.h>

#include "desk-rig.h"

/** A desk with a box, senders and a line, and its node. (transfer full): desk_rig_free() */
struct desk_rig *desk_fax_new(void);
/** @more: further sections. */
struct desk_rig *desk_fax_with(const char *more);
/** In front of faxpages: @script, of sh, decides whether it is reached. "": always. */
void desk_fax_convert(struct desk_rig *centre, const char *script);
void desk_fax_restart(struct desk_rig *centre);
/** Whether @sql's first value is not zero; turns the main loop once. */
bool desk_fax_holds(struct desk_rig *centre, const char *sql);
/** A page as a node's machine writes it. (transfer full) */
char *desk_fax_page(struct desk_rig *centre);

#define DESK_FAX_MAIL "From: Anna <anna@example.org>\r\nSubject: Hello\r\n\r\nA page of text."
/** By LMTP; @expected is to be among the replies. */
void desk_fax_mail(struct desk_rig *centre, const char *from, const char *to, const char *message, const char *expected);

/** The leg that the desk called, once there is one. */
struct fake_leg *desk_fax_leg(struct desk_rig *centre);
/** Whether the fax to @number is being called. */
bool desk_fax_calls(struct desk_rig *centre, const char *number);
/** The node says that the other side has confirmed them. */
void desk_fax_confirm(struct desk_rig *centre, unsigned from, unsigned to);
/** {"fax": ID} of the one to @number. (transfer full) */
char *desk_fax_to(struct desk_rig *centre, const char *number);
