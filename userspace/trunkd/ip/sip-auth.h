/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Digest on REGISTER and INVITE from users, and the registrar's answers. Thread: main. */
#pragma once

#include "ip/sip.h"

/** The configured name equal to @name, or NULL; valid until the users are replaced. */
const char *tl_sip_user_named(const struct tl_sip *sip, const char *name);

/** Whether the request proves to come from user @name. False: it was answered (challenge or refusal) and its handle is gone. */
bool tl_sip_auth_check(const struct tl_nua_event *event, const char *name);

/** A REGISTER. */
void tl_sip_auth_register(const struct tl_nua_event *event);
