/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* A party's fax machine: honest, or with faults on purpose. Thread: main, but for its faults. */
#pragma once

#include "fax/fax.h"
#include "party.h"

/** Starts "fax send FILE ..." or "fax receive DIRECTORY ..."; the party's failure is set otherwise. */
bool machine_start(struct party *party, char **words);
/** Whether it has ended; the party's failure is set when not as expected. */
bool machine_ended(struct party *party);
/** The port is about to go. Harmless without a machine. */
void machine_lost(struct party *party);
/** The party ends. */
void machine_leave(struct party *party);
/** What may follow, for --help. Static. */
const char *machine_help(void);
