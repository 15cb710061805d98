/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a daemon tells the manager of services that started it. */
#pragma once

#include <glib.h>

/**
 * Tells systemd that the daemon serves: `systemctl start` of a unit of Type=notify returns now, and what is ordered after
 * it starts. Without NOTIFY_SOCKET in the environment nobody waits, and it does nothing. Source: sd_notify(3), READY=1.
 * Returns: FALSE with @error of GIO's when NOTIFY_SOCKET leads nowhere. Thread: main.
 */
gboolean tl_service_ready(GError **error);
