/* SPDX-License-Identifier: BSD-3-Clause */
/* setup.c - what a study says about solving: solver, initial, record, campaign; read and checked before anything runs.
 *
 * The solver is found by name in the program's list; `initial` writes into the solver's config. An initial state
 * from a file tells the resolution (origin "file") where the study does not. What tables cannot check is checked
 * here, with its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"
#include "datasets/formats/formats.h"

#define PLACE(member) offsetof(locum_campaign_config, member)

/* --- block campaign ---------------------------------------------------------------------------------------- */

static const locum_option split_options[] = {
    {.name = "train",
     .type = LOCUM_I32,
     .place = PLACE(split[LOCUM_TRAIN]),
     .max = 1e9,
     .unit = "1",
     .text = "samples to learn from"},
    {.name = "validation",
     .type = LOCUM_I32,
     .place = PLACE(split[LOCUM_VALIDATION]),
     .max = 1e9,
     .unit = "1",
     .text = "samples that say when to stop learning"},
    {.name = "calibration",
     .type = LOCUM_I32,
     .place = PLACE(split[LOCUM_CALIBRATION]),
     .max = 1e9,
     .unit = "1",
     .text = "samples that set the width of intervals"},
    {.name = "test",
     .type = LOCUM_I32,
     .place = PLACE(split[LOCUM_TEST]),
     .max = 1e9,
     .unit = "1",
     .text = "samples that nothing but the report sees"},
    {0},
};
static const locum_option long_options[] = {
    {.name = "splits",
     .type = LOCUM_STRING,
     .place = PLACE(long_splits),
     .n_max = LOCUM_SPLITS,
     .place_n = PLACE(n_long),
     .text = "splits that run longer"},
    {.name = "until",
     .type = LOCUM_F64,
     .place = PLACE(long_until),
     .value = NAN,
     .min = 0,
     .max = INFINITY,
     .unit = "time",
     .text = "their record.until",
     .flags = LOCUM_REQUIRED},
    {0},
};
static const locum_option noise_options[] = {
    {.name = "samples",
     .type = LOCUM_I32,
     .place = PLACE(noise_samples),
     .value = 0,
     .min = 0,
     .max = 1e9,
     .unit = "1",
     .text = "how many samples are repeated with another seed, to measure the noise of labels"},
    {.name = "of",
     .type = LOCUM_STRING,
     .place = PLACE(noise_of),
     .string = "test",
     .text = "split whose samples are repeated"},
    {.name = "seed", .type = LOCUM_STRING, .place = PLACE(noise_seed), .string = "another", .text = "always `another`"},
    {0},
};
static const locum_choice split_group[] = {{"split", "samples of each split", split_options}, {0}};
static const locum_choice long_group[] = {{"long", "splits that run longer", long_options}, {0}};
static const locum_choice noise_group[] = {{"noise", "label noise", noise_options}, {0}};
static const locum_choice point_choices[] = {
    {"auto", "what `vary` looks like: ranges are sobol, lists are list", NULL},
    {"sobol", "scrambled Sobol points over the ranges", NULL},
    {"list", "the i-th values of all lists together", NULL},
    {"grid", "every combination of the values", NULL},
    {0},
};

const locum_option locum_campaign_options[] = {
    {.name = "split", .type = LOCUM_GROUP, .choices = split_group, .text = "samples of each split"},
    {.name = "long",
     .type = LOCUM_GROUP,
     .place = PLACE(has_long),
     .choices = long_group,
     .flags = LOCUM_TOLD,
     .text = "splits that run longer, so that their labels are less noisy"},
    {.name = "noise",
     .type = LOCUM_GROUP,
     .place = PLACE(has_noise),
     .choices = noise_group,
     .flags = LOCUM_TOLD,
     .text = "samples repeated with another seed"},
    {.name = "points",
     .type = LOCUM_CHOICE,
     .place = PLACE(points),
     .choices = point_choices,
     .text = "how points are chosen"},
    {.name = "ranks_per_sample",
     .type = LOCUM_I32,
     .place = PLACE(ranks_per_sample),
     .value = 1,
     .min = 1,
     .max = 1 << 20,
     .unit = "1",
     .text = "MPI ranks that share one sample",
     .flags = LOCUM_UNHASHED},
    {.name = "shard_bytes",
     .type = LOCUM_F64,
     .place = PLACE(shard_bytes),
     .value = 64.0 * 1024 * 1024,
     .min = 1,
     .max = 1e15,
     .unit = "1",
     .text = "bytes after which a file is committed",
     .flags = LOCUM_UNHASHED},
    {.name = "shard_seconds",
     .type = LOCUM_F64,
     .place = PLACE(shard_seconds),
     .value = 30,
     .min = 0,
     .max = INFINITY,
     .unit = "s",
     .text = "seconds of work after which a file is committed",
     .flags = LOCUM_UNHASHED},
    {0},
};

/* a complaint at the place of `path`, or without one where the study does not name it */
static locum_status complain(const locum_study *study, const char *path, const char *what)
{
    const locum_yaml *node = locum_study_node(study, path);

    return node ? locum_yaml_fail(node, "%s: %s", path, what) : LOCUM_FAIL(LOCUM_STUDY, "%s: %s", path, what);
}

static int find_split(const char *name)
{
    for (int s = LOCUM_TRAIN; s <= LOCUM_TEST; s++)
        if (!strcmp(name, locum_split_name((locum_split)s))) return s;
    return -1;
}

static locum_status check_campaign(const locum_study *study, const locum_setup *setup)
{
    const locum_campaign_config *campaign = setup->campaign_config;
    const locum_record_config *record = setup->record_config;
    char what[256];

    for (int i = 0; campaign->has_long && i < campaign->n_long; i++)
        if (find_split(campaign->long_splits[i]) < 0) {
            locum_format(what, sizeof what, "'%s' is no split; they are train, validation, calibration, test",
                         campaign->long_splits[i]);
            return complain(study, "campaign.long.splits", what);
        }
    if (campaign->has_long && !(campaign->long_until > record->from))
        return complain(study, "campaign.long.until", "must lie behind record.from");
    if (!campaign->has_noise) return LOCUM_OK;
    int of = find_split(campaign->noise_of);
    if (of < 0) return complain(study, "campaign.noise.of", "name one of train, validation, calibration, test");
    if (strcmp(campaign->noise_seed, "another"))
        return complain(study, "campaign.noise.seed", "the only value is `another`");
    return LOCUM_OK;
}

/* --- solver, initial, record ------------------------------------------------------------------------------- */

/* of a plug-in the program lists that one solver */
static locum_status find_solver(const locum_study *study, const locum_solver_type *const *solvers,
                                const locum_solver_type **type)
{
    const locum_yaml *node = locum_study_node(study, "solver.name");
    char known[512] = "";
    size_t used = 0;

    const locum_yaml *plugin = locum_study_node(study, "solver.plugin");
    if (plugin && solvers[0] &&
        (!node || (locum_yaml_string(node) && !strcmp(locum_yaml_string(node), solvers[0]->name)))) {
        *type = solvers[0];
        return LOCUM_OK;
    }
    if (!node) node = locum_study_node(study, "solver");
    const char *name = node ? locum_yaml_string(node) : NULL;
    for (int i = 0; solvers[i]; i++) {
        if (name && !strcmp(name, solvers[i]->name)) {
            *type = solvers[i];
            return LOCUM_OK;
        }
        if (used < sizeof known)
            used += (size_t)locum_format(known + used, sizeof known - used, "%s%s", i ? ", " : "", solvers[i]->name);
    }
    if (!node)
        return LOCUM_FAIL(LOCUM_STUDY, "%s has no block `solver`; known solvers: %s", locum_study_path(study), known);
    if (!name) return locum_yaml_fail(node, "solver: give its `name`; known solvers: %s", known);
    return locum_yaml_fail(node, "no solver '%s'; known solvers: %s", name, known);
}

static locum_status check_record(const locum_study *study, const locum_setup *setup)
{
    const locum_record_config *record = setup->record_config;

    if (isfinite(record->until) && record->until < record->from)
        return complain(study, "record.until", "must not lie before record.from");
    if (record->average && isfinite(record->every))
        return complain(study, "record.every", "a mean has one frame at its end; give either `every` or `average`");
    if (record->n_resolution > 0 && (!setup->type->resample || !locum_settings_option(setup->solver, "resolution")))
        return complain(study, "record.resolution", "this solver cannot store on another grid");
    return LOCUM_OK;
}

/* text of a string or path option in force, "" if the table has none */
static const char *text_of(locum_settings *settings, const char *path)
{
    const locum_option *option = locum_settings_option(settings, path);

    if (!option || (option->type != LOCUM_STRING && option->type != LOCUM_PATH)) return "";
    return (const char *)locum_settings_config(settings) + option->place;
}

static void read_box(locum_setup *setup)
{
    const locum_option *option = locum_settings_option(setup->solver, "box");
    const char *config = locum_settings_config(setup->solver);

    for (int i = 0; i < 3; i++) setup->box[i] = 1;
    if (!option || option->type != LOCUM_F64) return;
    const double *value = (const double *)(const void *)(config + option->place);
    int n = option->n_max > 0 ? *(const int32_t *)(const void *)(config + option->place_n) : 1;
    for (int i = 0; i < 3 && n > 0; i++) setup->box[i] = value[i < n ? i : n - 1];
}

/* what the initial file says about the grid */
static locum_status read_initial_shape(const locum_study *study, locum_setup *setup)
{
    locum_format_request request = {
        .path = setup->initial_file, .dataset = setup->initial_dataset, .format = setup->initial_format};
    locum_format_shape shape;
    char text[128];
    size_t used = 0;

    if (!setup->initial_file[0]) return complain(study, "initial.file", "name the file with the initial state");
    memcpy(request.box, setup->box, sizeof request.box);
    LOCUM_TRY(locum_format_probe(&request, &shape));
    const locum_option *option = locum_settings_option(setup->solver, "resolution");
    if (!option || locum_settings_origin(setup->solver, "resolution") != LOCUM_FROM_DEFAULT) return LOCUM_OK;
    for (int i = 0; i < shape.n_dims && i < 3; i++)
        used += (size_t)locum_format(text + used, sizeof text - used, "%s%lld", i ? ", " : "[", (long long)shape.n[i]);
    locum_format(text + used, sizeof text - used, "]");
    if (option->n_max == 0) locum_format(text, sizeof text, "%lld", (long long)shape.n[0]);
    return locum_settings_put(setup->solver, "resolution", text, LOCUM_FROM_FILE);
}

static locum_status read_initial(locum_study *study, locum_setup *setup)
{
    if (!setup->type->initial) {
        if (locum_study_node(study, "initial")) return complain(study, "initial", "this solver needs no initial state");
        return LOCUM_OK;
    }
    LOCUM_TRY(locum_study_block_view(study, "initial", setup->type->initial, setup->solver, NULL, &setup->initial));
    const locum_option *name = locum_settings_option(setup->initial, "name");
    if (!name || name->type != LOCUM_CHOICE) return LOCUM_OK;
    const char *config = locum_settings_config(setup->solver);
    setup->from_file = !strcmp(name->choices[*(const int32_t *)(const void *)(config + name->place)].name, "file");
    if (!setup->from_file) return LOCUM_OK;
    locum_format(setup->initial_file, sizeof setup->initial_file, "%s", text_of(setup->initial, "file"));
    locum_format(setup->initial_dataset, sizeof setup->initial_dataset, "%s", text_of(setup->initial, "dataset"));
    locum_format(setup->initial_format, sizeof setup->initial_format, "%s", text_of(setup->initial, "format"));
    return read_initial_shape(study, setup);
}

/* the place of the first option of the study's block `solver` that the words name, else of the block */
static const locum_yaml *find_named(const locum_study *study, const char *words)
{
    const locum_yaml *block = locum_study_node(study, "solver");

    for (int i = 0; i < locum_yaml_n(block); i++) {
        const char *key = locum_yaml_key(block, i), *at = key ? strstr(words, key) : NULL;
        if (at && strcmp(key, "name") && (at == words || at[-1] == ' ')) return locum_yaml_item(block, i);
    }
    return block;
}

/* what the solver says about options that fit their ranges but not each other, or not its grid */
static locum_status check_solver(const locum_study *study, const locum_setup *setup)
{
    char words[512];
    locum_status st = setup->type->check ? setup->type->check(locum_settings_config(setup->solver)) : LOCUM_OK;

    if (st != LOCUM_STUDY) return st;
    locum_format(words, sizeof words, "%s", locum_status_message());
    const locum_yaml *node = find_named(study, words);
    return node ? locum_yaml_fail(node, "%s", words) : st;
}

locum_status locum_setup_read(locum_study *study, const locum_solver_type *const *solvers, bool with_campaign,
                              locum_setup *setup)
{
    static const char *const name[] = {"name", "plugin", NULL}, *const vary[] = {"vary", NULL};

    *setup = (locum_setup){.seed = locum_study_seed(study)};
    LOCUM_TRY(find_solver(study, solvers, &setup->type));
    LOCUM_TRY(locum_study_block(study, "solver", setup->type->options, setup->type->config_size, name, &setup->solver));
    read_box(setup);
    LOCUM_TRY(read_initial(study, setup));
    LOCUM_TRY(check_solver(study, setup));
    LOCUM_TRY(
        locum_study_block(study, "record", locum_record_options, sizeof(locum_record_config), NULL, &setup->record));
    setup->record_config = locum_settings_config(setup->record);
    LOCUM_TRY(check_record(study, setup));
    if (!with_campaign) return LOCUM_OK;
    LOCUM_TRY(locum_study_block(study, "campaign", locum_campaign_options, sizeof(locum_campaign_config), vary,
                                &setup->campaign));
    setup->campaign_config = locum_settings_config(setup->campaign);
    return check_campaign(study, setup);
}
