/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Ourselves as a telephone: registrations that are kept up at other registrars. Thread: main. */
#pragma once

#include "ip/sip-dialog.h"

/** Gives a call to @url the identity and credentials of our registration there, if there is one. */
void tl_sip_client_identify(struct tl_sip_dialog *d, const url_t *url);

/** The stack goes away: frees every registration of @sip. */
void tl_sip_client_abandon(struct tl_sip *sip);
