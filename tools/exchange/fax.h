/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A party's fax machine: honest, or with faults on purpose. Thread: main, but for its faults. */
#pragma once

#include "fax/fax.h"
#include "party.h"

/** Starts "fax send FILE ..." or "fax receive DIRECTORY ..."; the party's failure is set otherwise. */
bool machine_start(struct party *party, char **words);
/** Whether it has ended; the party's failure is set when not as expected. */
bool machine_ended(struct party *party);
/** The dialog's remote side has changed. Harmless without a machine. */
void machine_media(struct party *party);
/** Whether the far end may go over to T.38. */
bool machine_may_go_t38(const struct party *party);
/** The port is about to go. Harmless without a machine. */
void machine_lost(struct party *party);
/** The party ends. */
void machine_leave(struct party *party);
/** What may follow, for --help. Static. */
const char *machine_help(void);
