/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli/tables.h"
#include "cli/verb.h"
#include "core/study/commit.h"
#include "core/study/settings.h"

static void block(locum_text *out, const char *name, const char *head, const locum_option *options)
{
    locum_text_add(out, "\n%s:\n%s", name, head);
    if (options) locum_options_template(options, 2, out);
}

static locum_status write_template(const char *solver, locum_text *out)
{
    table_entry e;
    LOCUM_TRY(tables_find(solver, &e));
    LOCUM_REQUIRE(!strcmp(e.kind, "solver"), LOCUM_STUDY, "`%s` is a %s, not a solver", solver, e.kind);
    locum_text_add(out, "# a study of locum: locum run THIS-FILE. Every line with # behind the value is the default and may be left out.\n"
                        "study: my_study\nseed: 1\n");
    locum_text_add(out, "\nsolver:                          # %s\n  name: %s\n", e.summary, e.name);
    locum_options_template(e.options, 2, out);
    if (tables_initial(e.name)) block(out, "initial", "", tables_initial(e.name));
    static const char *const blocks[] = {"record", "campaign", "surrogate", "train", "validate", "limits"};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        LOCUM_TRY(tables_find(blocks[i], &e));
        const char *head = !strcmp(blocks[i], "campaign") ? "  vary:                          # which parameters, over which ranges\n"
                                                            "    viscosity: {range: [4e-3, 1e-1], scale: log}\n"
                                                          : "";
        block(out, blocks[i], head, e.options);
        if (!strcmp(blocks[i], "surrogate")) {
            LOCUM_TRY(tables_find("mlp", &e));
            locum_options_template(e.options, 2, out);
        }
    }
    return out->status;
}

static locum_status run(const arguments *a)
{
    locum_text out = {0};
    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY, "expected the name of a solver: locum new navier_stokes > study.yaml");
    locum_status st = write_template(a->words[0], &out);
    if (!st && a->out) st = locum_commit_bytes(a->out, out.data, out.size);
    else if (!st) fwrite(out.data, 1, out.size, stdout);
    locum_text_free(&out);
    return st;
}

const verb verb_new = {.name = "new", .words = "SOLVER", .summary = "an annotated study file to start from",
                       .help = "Writes a study with every option of the solver, the default model and all blocks, each with its\n"
                               "default, range and meaning, to the terminal or to --out.\n",
                       .accepts = ACCEPT_OUT, .run = run};
