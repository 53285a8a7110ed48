/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli/solvers.h"
#include "cli/tables.h"
#include "cli/verb.h"
#include "core/study/settings.h"

static void list_json(locum_text *out)
{
    table_entry e;
    locum_text_add(out, "[");
    for (int i = 0; tables_at(i, &e); i++)
        locum_text_add(out, "%s{\"name\":\"%s\",\"kind\":\"%s\",\"summary\":\"%s\"}", i ? "," : "", e.name, e.kind,
                       e.summary);
    locum_text_add(out, "]\n");
}

static void list(locum_text *out)
{
    table_entry e;
    for (int i = 0; tables_at(i, &e); i++) locum_text_add(out, "%-8s %-16s %s\n", e.kind, e.name, e.summary);
    locum_text_add(out, "\nlocum describe NAME prints its options.\n");
}

/* what is read by hand stands in no table */
static const struct {
    const char *block, *text;
} by_hand[] = {{"campaign", "\nvary: (which parameters, over which ranges; the solver's options say which may vary)\n\n"
                            "    NAME: [0.01, 0.02]                        these values\n"
                            "    NAME: {range: [4e-3, 1e-1]}               points over a range\n"
                            "    NAME: {range: [4e-3, 1e-1], scale: log}   points over its logarithm\n"
                            "    NAME: {range: [4e-3, 1e-1], n: 5}         n values of it, for points: grid\n"},
               {"external", "\nparameters: (of the program: usual values, with units; they may be varied)\n\n"
                            "    {conductivity: 1e-3, length: 2 m}\n"
                            "\nfields: (what a frame holds)\n\n"
                            "    {energy: 1}                               one value\n"
                            "    {profile: 33}                             33 rows\n"
                            "    {temperature: [64, 64]}                   a grid; [64, 64, 2] holds vectors\n"},
               {"validate", "\nnegative_control: (samples outside of the training range, where the surrogate must fail "
                            "and its flags must say so)\n\n"
                            "    {samples: 24, NAME: [1e-3, 2e-3]}         a range of a varied parameter\n"}};

static void add_by_hand(const char *name, locum_text *out)
{
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++)
        if (!strcmp(by_hand[i].block, name)) locum_text_add(out, "%s", by_hand[i].text);
}

static void one(const table_entry *e, bool json, locum_text *out)
{
    if (json) {
        locum_text_add(out, "{\"name\":\"%s\",\"kind\":\"%s\",\"summary\":\"%s\",\"options\":", e->name, e->kind,
                       e->summary);
        locum_options_describe_json(e->options, true, out);
        if (e->initial) {
            locum_text_add(out, ",\"initial\":");
            locum_options_describe_json(e->initial, false, out);
        }
        locum_text_add(out, "}\n");
        return;
    }
    locum_text_add(out, "%s %s: %s\n\n", e->kind, e->name, e->summary);
    locum_options_describe(e->options, true, 0, out);
    if (e->initial) {
        locum_text_add(out, "\ninitial: (block of its own; its options are the same in all samples of a campaign)\n\n");
        locum_options_describe(e->initial, false, 0, out);
    }
    add_by_hand(e->name, out);
}

static locum_status by_name(const char *name, bool json, locum_text *out)
{
    table_entry e;
    LOCUM_TRY(tables_find(name, &e));
    one(&e, json, out);
    return LOCUM_OK;
}

static locum_status plugin(const char *path, bool json, locum_text *out)
{
    table_entry e;
    solver_set set = {0};
    locum_status st = solvers_load(path, &set);
    if (!st) {
        e = tables_of_solver(set.list[0]);
        one(&e, json, out);
    }
    solvers_close(&set);
    return st;
}

static locum_status run(const arguments *a)
{
    locum_text out = {0};
    locum_status st = LOCUM_OK;
    if (!a->n_words && a->json)
        list_json(&out);
    else if (!a->n_words)
        list(&out);
    for (int i = 0; i < a->n_words && !st; i++)
        st = (solvers_is_plugin(a->words[i]) ? plugin : by_name)(a->words[i], a->json, &out);
    if (!st) st = out.status;
    if (!st && out.size) fwrite(out.data, 1, out.size, stdout);
    locum_text_free(&out);
    return st;
}

const verb verb_describe = {
    .name = "describe",
    .words = "[NAME]",
    .summary = "options of a solver, a model or a block of the study",
    .help = "Without NAME: everything that can be described. With NAME: each option with type, default, range,\n"
            "unit and meaning, from the same table that reads the study. NAME may be the path of a plug-in.\n",
    .accepts = ACCEPT_JSON,
    .run = run};
