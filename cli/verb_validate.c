/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/stages/stages.h"
#include "cli/verb.h"

static locum_status run(const arguments *a)
{
    session s;
    locum_status st = session_open(a, true, &s);
    if (!st) st = a->dry_run ? stages_dry_run(&s) : stage_validate(&s, a->force);
    if (!st && !a->dry_run) locum_log_line(s.log, "report: %s/report/index.html", s.run_path);
    session_close(&s);
    return st;
}

const verb verb_validate = {
    .name = "validate",
    .words = "STUDY",
    .summary = "surrogate and cheaper solvers against the reference, into a report",
    .help = "Reads the test split once. Compares the surrogate with the study's solver made cheaper (searched),\n"
            "with mean, linear, quadratic and nearest fits; checks the coverage of its intervals, and that it\n"
            "fails where it must. Writes report/index.html and report/report.json.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_FORCE | ACCEPT_DRY_RUN,
    .run = run};
