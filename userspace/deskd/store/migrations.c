/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
#include "store/migrations.h"

#include <glib.h>

const char *const tl_migrations[] = {
#include "userspace/deskd/store/migrations/0001-begin.sql.in.h"
	,
#include "userspace/deskd/store/migrations/0002-fax.sql.in.h"
	,
#include "userspace/deskd/store/migrations/0003-agents-pages.sql.in.h"
	,
#include "userspace/deskd/store/migrations/0004-recordings.sql.in.h"
	,
#include "userspace/deskd/store/migrations/0005-fax-cancelled.sql.in.h"
	,
#include "userspace/deskd/store/migrations/0006-bounces.sql.in.h"
	,
#include "userspace/deskd/store/migrations/0007-fax-tried.sql.in.h"
	,
};
const unsigned tl_migrations_count = G_N_ELEMENTS(tl_migrations);
