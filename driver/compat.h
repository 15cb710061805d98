/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every test of a kernel version is in this file. The oldest kernel this
 * driver is built and tested against is Debian 12's; nothing it uses has
 * changed since.
 */
#ifndef TL_COMPAT_H
#define TL_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "tl_t1e1 needs Linux 6.1 or newer"
#endif

#endif
