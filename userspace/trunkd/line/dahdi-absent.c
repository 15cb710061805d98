/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What stands in for the devices of a build without DAHDI's headers: none can be opened. */
#include "line/dahdi-device.h"

#if !__has_include(<dahdi/user.h>)

#include <errno.h>

void tl_dahdi_device_init(struct tl_dahdi_device *device)
{
	*device = (struct tl_dahdi_device){ .control = -1, .timer = -1 };
}

gboolean tl_dahdi_device_open(struct tl_dahdi_device *device, const struct tl_span_config *config, GError **error)
{
	tl_dahdi_device_init(device);
	g_set_error(error, TL_LINE_ERROR, TL_LINE_ERROR_OPEN,
		    "span %s: this program was built without DAHDI's headers (Debian's package dahdi-source has them)",
		    config->name);
	return FALSE;
}

void tl_dahdi_device_close(struct tl_dahdi_device *device)
{
}

unsigned tl_dahdi_device_reference(const struct tl_dahdi_device *device)
{
	return 0;
}

int tl_dahdi_device_status(const struct tl_dahdi_device *device, struct tl_dahdi_status *status)
{
	return -ENODEV;
}

unsigned tl_dahdi_device_events(const struct tl_dahdi_device *device, unsigned slot)
{
	return 0;
}

int tl_dahdi_device_take_tick(const struct tl_dahdi_device *device)
{
	return -ENODEV;
}

int tl_dahdi_device_pacer(const struct tl_dahdi_device *device, uint32_t *events)
{
	*events = 0;
	return -1;
}

int tl_dahdi_device_lend(const struct tl_dahdi_device *device, unsigned slot, bool lent)
{
	return -ENODEV;
}

void tl_dahdi_device_flush(const struct tl_dahdi_device *device, unsigned slot)
{
}

void tl_lent_fd_flush(int fd)
{
}

unsigned tl_dahdi_device_cas(const struct tl_dahdi_device *device, unsigned slot)
{
	return 0;
}

void tl_dahdi_device_set_cas(const struct tl_dahdi_device *device, unsigned slot, unsigned abcd)
{
}

int tl_dahdi_device_set_voice(const struct tl_dahdi_device *device, unsigned slot, bool voice)
{
	return -ENODEV;
}

#endif
