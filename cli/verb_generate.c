/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/stages/stages.h"
#include "cli/verb.h"

static locum_status run(const arguments *a)
{
    session s;
    locum_status st = session_open(a, true, &s);
    if (!st) st = a->dry_run ? stages_dry_run(&s) : stage_generate(&s, a->force);
    session_close(&s);
    return st;
}

const verb verb_generate = {
    .name = "generate",
    .words = "STUDY",
    .summary = "run a solver over a plan of parameters, into a dataset",
    .help = "Solves every sample of the study's `campaign`: groups of ranks take samples from a shared\n"
            "counter and write shards. The same command continues an unfinished dataset; no sample is\n"
            "lost or made twice. Job arrays: --shard 3/64 makes every 64th sample, from 3.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_FORCE | ACCEPT_DRY_RUN | ACCEPT_SHARD,
    .run = run};
