/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* The files of the live page and of the softphone (userspace/console), carried inside the program. */
#include "web/inside.h"

#include <string.h>

static const struct page_file files[] = {
	{ "/", "text/html; charset=utf-8",
#include "userspace/deskd/web/page/index.html.in.h"
	},
	{ "/page.css", "text/css; charset=utf-8",
#include "userspace/deskd/web/page/page.css.in.h"
	},
	{ "/page.js", "text/javascript; charset=utf-8",
#include "userspace/deskd/web/page/page.js.in.h"
	},
	{ "/agent", "text/html; charset=utf-8",
#include "userspace/console/agent.html.in.h"
	},
	{ "/console.css", "text/css; charset=utf-8",
#include "userspace/console/console.css.in.h"
	},
	{ "/console.js", "text/javascript; charset=utf-8",
#include "userspace/console/console.js.in.h"
	},
	{ "/faxes.html", "text/html; charset=utf-8",
#include "userspace/deskd/web/page/faxes.html.in.h"
	},
	{ "/faxes.js", "text/javascript; charset=utf-8",
#include "userspace/deskd/web/page/faxes.js.in.h"
	},
	{ "/faxes.css", "text/css; charset=utf-8",
#include "userspace/deskd/web/page/faxes.css.in.h"
	},
	{ "/recordings.html", "text/html; charset=utf-8",
#include "userspace/deskd/web/page/recordings.html.in.h"
	},
	{ "/recordings.js", "text/javascript; charset=utf-8",
#include "userspace/deskd/web/page/recordings.js.in.h"
	},
	{ "/icon.svg", "image/svg+xml",
#include "userspace/deskd/web/page/icon.svg.in.h"
	},
};

const struct page_file *page_find(const char *path)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(files); i++)
		if (!strcmp(files[i].path, path))
			return &files[i];
	return NULL;
}
