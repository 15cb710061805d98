/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What deskd and faxpages know of each other beyond the command line. */
#pragma once

/** faxpages ends with it when the machine is at fault, not the document (EX_TEMPFAIL of sysexits.h). */
#define TL_PAPER_EXIT_MACHINE 75
