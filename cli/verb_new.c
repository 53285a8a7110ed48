/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "cli/solvers.h"
#include "cli/tables.h"
#include "cli/verb.h"
#include "core/study/commit.h"
#include "core/study/settings.h"
#include "core/text.h"

/* What has no default that makes a study: as many spaces are taken as letters are added, so that comments stay in their column. */
static const struct example {
    const char *block, *plain, *filled;
} examples[] = {{"solver", "forcing: none      ", "forcing: kolmogorov"},
                {"record", "from: 0    ", "from: 20   "},
                {"record", "# until:      ", "until: 50     "},
                {"record", "# not set: end", "# end"},
                {"record", "average: false", "average: true "},
                {"record", "observe: []   ", "observe: [energy, dissipation, spectrum]   "},
                {"campaign", "train: 0 ", "train: 64"},
                {"campaign", "validation: 0", "validation: 8"},
                {"campaign", "calibration: 0 ", "calibration: 32"},
                {"campaign", "test: 0 ", "test: 32"},
                {"surrogate", "positive: []          ", "positive: [energy, dissipation]"},
                {"surrogate", "shares: []        ", "shares: [spectrum]"},
                {"surrogate", "total: \"\"    ", "total: energy"}};
enum { N_EXAMPLES = sizeof examples / sizeof *examples };

/* appends text with the first place of each example of the block filled in */
static void add_filled(locum_text *out, const char *name, const char *text, bool flow)
{
    while (*text) {
        const struct example *next = NULL;
        const char *at = text + strlen(text);
        for (int i = 0; i < N_EXAMPLES; i++) {
            bool fits = !strcmp(examples[i].block, name) && (flow || !strcmp(name, "campaign"));
            const char *found = fits ? strstr(text, examples[i].plain) : NULL;
            if (found && found < at) at = found, next = &examples[i];
        }
        locum_text_bytes(out, text, (size_t)(at - text));
        if (next) locum_text_add(out, "%s", next->filled);
        text = next ? at + strlen(next->plain) : at;
    }
}

/* head: what stands behind "name:" and below it, before the options; flow: with the examples of navier_stokes */
static void block(locum_text *out, const char *name, const char *head, const locum_option *options, bool flow)
{
    locum_text text = {0};
    locum_text_add(out, "\n%s:%s\n", name, head);
    locum_options_template(options, 2, &text);
    if (text.data) add_filled(out, name, text.data, flow);
    if (text.status && !out->status) out->status = text.status;
    locum_text_free(&text);
}

static locum_status find_solver(const char *name, table_entry *e)
{
    locum_text names = {0};
    for (int i = 0; tables_at(i, e) && !strcmp(e->kind, "solver"); i++) {
        if (!strcmp(e->name, name)) {
            locum_text_free(&names);
            return LOCUM_OK;
        }
        locum_text_add(&names, "%s%s", i ? ", " : "", e->name);
    }
    locum_status st =
        LOCUM_FAIL(LOCUM_STUDY, "no solver is called `%s`; there is %s", name, names.data ? names.data : "none");
    locum_text_free(&names);
    return st;
}

/* what an external program's study adds */
static const char external_blocks[] = "\n  parameters:                    # of the program: usual values, with units\n"
                                      "    viscosity: 0.01\n"
                                      "  fields:                        # what a frame holds: 1 = one value, n = rows\n"
                                      "    energy: 1";

/* the block `vary`: the first parameter of the solver over a range about its default */
static void write_vary(const locum_option *options, bool flow, bool external, char *head, size_t size)
{
    static const char line[] = "\n  vary:                          # which parameters, over which ranges\n    ";
    locum_format(head, size, "%sviscosity: {range: [4e-3, 1e-1], scale: log}", line);
    if (flow || external) return;
    head[0] = 0;
    for (; options && options->type != LOCUM_END; options++) {
        double usual = options->value > 0 ? options->value : 1; /* NAN too */
        if (!(options->flags & LOCUM_PARAMETER) || options->type != LOCUM_F64) continue;
        locum_format(head, size, "%s%s: {range: [%g, %g]}", line, options->name, usual / 2, 2 * usual);
        return;
    }
}

static locum_status write_template(const char *solver, const solver_set *set, locum_text *out)
{
    table_entry e;
    const locum_solver_type *plugin = set->list[0];
    char head[1280];
    if (plugin)
        e = tables_of_solver(plugin);
    else
        LOCUM_TRY(find_solver(solver, &e));
    const locum_option *own = e.options, *initial = e.initial;
    bool external = !plugin && !strcmp(e.name, "external"), flow = !plugin && !strcmp(e.name, "navier_stokes");
    char vary[256];
    write_vary(own, flow, external, vary, sizeof vary);
    locum_text_add(
        out,
        "# a study of locum: locum run THIS-FILE. A line that holds the default may be left out; `campaign`, and for\n"
        "# navier_stokes forcing, `record` and the lists of `surrogate`, hold an example.\n"
        "study: my_study\nseed: 1\n");
    locum_format(head, sizeof head, "                          # %s\n  %s: %s%s", e.summary, plugin ? "plugin" : "name",
                 plugin ? solver : e.name, external ? external_blocks : "");
    block(out, "solver", head, own, flow);
    if (initial) block(out, "initial", "", initial, flow);
    static const char *const blocks[] = {"record", "campaign", "surrogate", "train", "validate", "limits"};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        LOCUM_TRY(tables_find(blocks[i], &e));
        bool varies = !strcmp(blocks[i], "campaign");
        block(out, blocks[i], varies ? vary : "", e.options, flow);
        if (flow && !strcmp(blocks[i], "validate"))
            locum_text_add(out, "  # negative_control: {samples: 24, viscosity: [1e-3, 2e-3]}  # optional: outside of "
                                "the training range, where it must fail\n");
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
    solver_set set = {0};
    LOCUM_REQUIRE(a->n_words == 1, LOCUM_STUDY, "expected the name of a solver: locum new navier_stokes > study.yaml");
    locum_status st = solvers_is_plugin(a->words[0]) ? solvers_load(a->words[0], &set) : LOCUM_OK;
    if (!st) st = write_template(a->words[0], &set, &out);
    if (!st && a->out)
        st = locum_commit_bytes(a->out, out.data, out.size);
    else if (!st)
        fwrite(out.data, 1, out.size, stdout);
    locum_text_free(&out);
    solvers_close(&set);
    return st;
}

const verb verb_new = {
    .name = "new",
    .words = "SOLVER",
    .summary = "an annotated study file to start from",
    .help = "Writes a study with every option of the solver, the default model and all blocks, each with its\n"
            "default, range and meaning, to the terminal or to --out. SOLVER may be the path of a plug-in.\n",
    .accepts = ACCEPT_OUT,
    .run = run};
