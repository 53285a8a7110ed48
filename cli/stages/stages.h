/* SPDX-License-Identifier: BSD-3-Clause */
/* stages.h - generate, train, validate as stages of a run directory: reused when what they depend on has not changed, continued when
 * unfinished. All are collective on the session's world. */
#ifndef CLI_STAGES_STAGES_H
#define CLI_STAGES_STAGES_H

#include "cli/session.h"

locum_status stage_generate(session *s, bool force);
locum_status stage_train(session *s, bool force);
locum_status stage_validate(session *s, bool force);

/** What the last stage would refuse, or the report would lack, said before the first one spends hours. Local. */
locum_status stages_check(session *s);
/** Reads and checks everything that the study says, and prints what it would cost; runs nothing. */
locum_status stages_dry_run(session *s);

#endif
