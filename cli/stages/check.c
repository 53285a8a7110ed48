/* SPDX-License-Identifier: BSD-3-Clause */
/* check.c - what can be said about a study before anything runs: is all in order, and what will it cost? */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "cli/stages/parts.h"
#include "surrogate/validate/validate.h"

/* samples x time x steps per unit of time x operations, at a rate that cores of today reach (navier_stokes at 64^2 on one core of a
 * Zen 3: 1.9e10) */
#define OPERATIONS_PER_SECOND 1e10

/* every block but those of the data */
static locum_status read_rest(const session *s, locum_settings **validate)
{
    study_models *models = NULL;
    locum_status st = LOCUM_NEW(&models, 1);
    if (!st) st = study_models_read(s, models);
    if (!st) st = locum_validate_read(s->study, validate);
    free(models);
    return st;
}

static locum_status check_splits(const session *s, const study_data *data, const locum_validate_config *validate)
{
    if (data->brought) return LOCUM_OK; /* the data say when they are opened */
    const int32_t *split = data->setup.campaign_config->split;
    int n = split[LOCUM_CALIBRATION];
    LOCUM_REQUIRE(split[LOCUM_TRAIN] > 0 && split[LOCUM_TEST] > 0, LOCUM_STUDY,
                  "campaign.split: run needs samples to train and to test, this study has %d and %d (`locum generate` "
                  "alone makes data)",
                  split[LOCUM_TRAIN], split[LOCUM_TEST]);
    if (n == 0)
        locum_log_warn(s->log, "campaign.split.calibration is 0: predictions will have no intervals and no flags");
    else if (ceil((n + 1) * validate->coverage - 1e-9) > n)
        locum_log_warn(
            s->log,
            "%d calibration samples cannot give validate.coverage %g: the intervals will be infinite; %.0f samples can",
            n, validate->coverage, ceil(validate->coverage / (1 - validate->coverage) - 1e-6));
    return LOCUM_OK;
}

locum_status stages_check(session *s)
{
    study_data data;
    locum_settings *validate;
    LOCUM_TRY(study_data_read(s, &data));
    locum_status st = read_rest(s, &validate);
    if (!st) st = check_splits(s, &data, locum_settings_config(validate));
    study_data_free(&data);
    return locum_comm_agree(s->world, st);
}

static void tell_cost(const session *s, const study_data *data, const locum_cost *cost, double disk)
{
    double time = 0;
    for (int64_t i = 0; i < data->plan->n; i++) time += data->plan->samples[i].until;
    if (isnan(time)) time = (double)data->plan->n; /* no time: a cost is that of a whole sample */
    locum_log_line(s->log, "  samples   %" PRId64 ", %.4g units of solver time in all", data->plan->n, time);
    locum_log_line(s->log, "  memory    %.1f MiB a rank", cost->bytes_per_rank / 1048576);
    locum_log_line(s->log, "  disk      %.2f MiB", disk / 1048576);
    locum_log_line(s->log, "  time      about %.0f s for the data on %d rank%s (from %.3g operations)",
                   time * cost->operations / OPERATIONS_PER_SECOND / s->size, s->size, s->size > 1 ? "s" : "",
                   time * cost->operations);
}

static locum_status look_at_solver(const session *s, const study_data *data, locum_cost *cost, double *disk)
{
    const locum_setup *setup = &data->setup;
    if (setup->type->estimate)
        LOCUM_TRY(setup->type->estimate(locum_settings_config(setup->solver), setup->campaign_config->ranks_per_sample,
                                        cost));
    LOCUM_TRY(session_check_memory(s, cost->bytes_per_rank));
    return s->rank ? LOCUM_OK : locum_campaign_disk(setup, data->plan, disk);
}

locum_status stages_dry_run(session *s)
{
    study_data data;
    locum_settings *validate;
    locum_dataset *dataset = NULL;
    locum_cost cost = {0};
    double disk = 0;

    LOCUM_TRY(study_data_read(s, &data));
    locum_status st = read_rest(s, &validate);
    if (!st && !data.brought) st = look_at_solver(s, &data, &cost, &disk);
    st = locum_comm_agree(s->world, st);
    if (!st && data.brought) st = study_data_open(s, &data, &dataset);
    if (!st && s->rank == 0) {
        locum_log_line(s->log, "%s: everything is in order", locum_study_path(s->study));
        if (data.brought)
            locum_log_line(s->log, "  samples   %" PRId64 " in %s", locum_dataset_n(dataset), data.source.path);
        else
            tell_cost(s, &data, &cost, disk);
        locum_log_line(s->log, "  results   %s", s->run_path);
    }
    locum_dataset_close(dataset);
    study_data_free(&data);
    return st;
}
