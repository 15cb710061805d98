/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The schema's history: SQL scripts, applied once each and in order; never changed once released. */
#pragma once

extern const char *const tl_migrations[];
extern const unsigned tl_migrations_count;
