/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#pragma once

/** A loopback address of this process's own, so that tests run at the same time never hear each other. Static. */
const char *own_host(void);
