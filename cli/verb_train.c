/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/stages/stages.h"
#include "cli/verb.h"

static locum_status run(const arguments *a)
{
    session s;
    locum_status st = session_open(a, true, &s);
    if (!st) st = a->dry_run ? stages_dry_run(&s) : stage_train(&s, a->force);
    session_close(&s);
    return st;
}

const verb verb_train = {
    .name = "train",
    .words = "STUDY",
    .summary = "fit a network to the dataset, into a model file",
    .help = "Trains the study's `surrogate` on the dataset of its run directory, calibrates its intervals,\n"
            "and writes model.safetensors. Any number of ranks up to train.shards gives the same bits. The\n"
            "same command continues a stopped training, bit for bit.\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_FORCE | ACCEPT_DRY_RUN | ACCEPT_KERNELS,
    .run = run};
