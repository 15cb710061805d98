/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* Which thread a function may run on, asserted where it begins. */
#pragma once

/** Declares the calling thread to be main. Once, first thing in main(). */
void tl_thread_become_main(void);

/** Declares the calling thread to be a media (real-time) thread. Once per thread. */
void tl_thread_become_media(void);

void tl_assert_main(void);
void tl_assert_media(void);
