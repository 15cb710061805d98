/* SPDX-License-Identifier: GPL-2.0-only WITH cryptsetup-OpenSSL-exception */
/* What a test has found, for people and for programs. */
#pragma once

#include "bert.h"

void report_text(const struct bert *bert, const struct tl_span *span);
void report_json(const struct bert *bert, const struct tl_span *span);
