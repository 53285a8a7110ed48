/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "cli/session.h"
#include "cli/verb.h"
#include "datasets/campaign/campaign.h"

static locum_status read_setup(session *s, locum_setup *setup)
{
    LOCUM_TRY(locum_setup_read(s->study, s->solvers.list, false, setup));
    LOCUM_REQUIRE(s->arguments->out || s->arguments->dry_run, LOCUM_STUDY,
                  "simulate writes one file: say where with --out FILE.h5");
    return LOCUM_OK;
}

static locum_status tell_cost(const session *s, const locum_setup *setup)
{
    locum_cost cost = {0};
    if (setup->type->estimate) LOCUM_TRY(setup->type->estimate(locum_settings_config(setup->solver), s->size, &cost));
    LOCUM_TRY(session_check_memory(s, cost.bytes_per_rank));
    locum_log_line(s->log, "%s: everything is in order; about %.0f steps, %.1f MiB a rank", locum_study_path(s->study),
                   cost.steps * (isnan(setup->record_config->until) ? 1 : setup->record_config->until),
                   cost.bytes_per_rank / 1048576);
    return LOCUM_OK;
}

static locum_status run(const arguments *a)
{
    session s;
    locum_setup setup;
    locum_status st = session_open(a, false, &s);
    if (!st) st = locum_comm_agree(s.world, read_setup(&s, &setup));
    if (!st && a->dry_run)
        st = tell_cost(&s, &setup);
    else if (!st)
        st = locum_simulate(s.study, &setup, s.world, a->out, a->force, s.log, &s.watch);
    session_close(&s);
    return st;
}

const verb verb_simulate = {
    .name = "simulate",
    .words = "STUDY",
    .summary = "run one solver once, into one file",
    .help = "Solves the study's solver from its initial state and writes the frames that `record` asks\n"
            "for into one HDF5 file (--out). All ranks share one domain. A stopped run leaves a restart\n"
            "file; the same command continues it, bit for bit.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_FORCE | ACCEPT_DRY_RUN,
    .run = run};
