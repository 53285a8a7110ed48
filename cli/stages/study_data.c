/* SPDX-License-Identifier: BSD-3-Clause */
/* study_data.c - where a study's data come from: a solver makes them, or the user brings them. */
#include "cli/stages/parts.h"

static locum_status read_blocks(session *s, study_data *data)
{
    const locum_yaml *dataset = locum_study_node(s->study, "dataset");
    static const char *const taken[] = {"solver", "initial", "record", "campaign"};

    data->brought = dataset != NULL;
    if (!data->brought) {
        LOCUM_TRY(locum_setup_read(s->study, s->solvers.list, true, &data->setup));
        return locum_campaign_plan_create(s->study, &data->setup, &data->plan);
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (locum_study_node(s->study, taken[i]))
            return locum_yaml_fail(
                locum_study_node(s->study, taken[i]),
                "the block `%s` says how data are made, but `dataset` brings them: keep one of the two", taken[i]);
    LOCUM_TRY(locum_source_read(s->study, &data->source));
    return s->rank ? LOCUM_OK : locum_source_hash(&data->source, locum_study_seed(s->study), &data->files);
}

locum_status study_data_read(session *s, study_data *data)
{
    *data = (study_data){0};
    locum_status st = locum_comm_agree(s->world, read_blocks(s, data));
    if (!st && data->brought) st = locum_comm_broadcast(s->world, &data->files, sizeof data->files);
    if (st) study_data_free(data);
    return st;
}

void study_data_free(study_data *data)
{
    locum_campaign_plan_destroy(data->plan);
    data->plan = NULL;
}

locum_status study_data_require(const session *s, const study_data *data)
{
    return data->brought ? LOCUM_OK : stage_require(s, data, STAGE_GENERATE, "generate");
}

locum_status study_data_open(session *s, const study_data *data, locum_dataset **dataset)
{
    char path[LOCUM_PATH_SIZE];
    locum_status st;

    *dataset = NULL;
    if (data->brought) {
        st = locum_source_open(&data->source, locum_study_seed(s->study), dataset);
    } else {
        st = session_file(s, "dataset", path);
        if (!st) st = locum_dataset_open(path, dataset);
        if (!st && locum_dataset_options_hash(*dataset) != stage_hash(s, data, STAGE_GENERATE))
            st = LOCUM_FAIL(LOCUM_EXISTS, "%s does not fit the study: its files were made from other options", path);
    }
    return locum_comm_agree(s->world, st);
}
