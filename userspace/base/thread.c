/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "base/thread.h"

#include <glib.h>

static _Thread_local enum { THREAD_OTHER, THREAD_MAIN, THREAD_MEDIA } kind;

void tl_thread_become_main(void)
{
	kind = THREAD_MAIN;
}

void tl_thread_become_media(void)
{
	kind = THREAD_MEDIA;
}

void tl_assert_main(void)
{
	g_assert(kind == THREAD_MAIN);
}

void tl_assert_media(void)
{
	g_assert(kind == THREAD_MEDIA);
}
