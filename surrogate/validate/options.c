/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - block `validate` of a study. The ranges of the negative control are read by hand, as their names
 * are those of the study's own parameters; `amplitude` is a factor on the fields that a surrogate begins from:
 *
 *     validate: {coverage: 0.9, metric: [energy], negative_control: {samples: 24, viscosity: [1e-3, 2e-3]}}
 *     validate: {negative_control: {samples: 8, amplitude: 2}} */
#include "surrogate/validate/validate_parts.h"

#include <math.h>
#include <string.h>

#define PLACE(member) offsetof(locum_validate_config, member)

const locum_option locum_validate_options[] = {
    {.name = "coverage",
     .type = LOCUM_F64,
     .place = PLACE(coverage),
     .value = 0.9,
     .min = 0,
     .max = 1,
     .flags = LOCUM_OPEN_MIN | LOCUM_OPEN_MAX,
     .unit = "1",
     .text = "of the simultaneous interval over all outputs"},
    {.name = "metric",
     .type = LOCUM_STRING,
     .place = PLACE(metric),
     .n_max = LOCUM_OBSERVE_MAX,
     .place_n = PLACE(n_metric),
     .text = "outputs that count in the error; not given: all"},
    {.name = "baseline_samples",
     .type = LOCUM_I32,
     .place = PLACE(baseline_samples),
     .value = 32,
     .min = 1,
     .max = 100000,
     .unit = "1",
     .text = "test samples of the search of cheaper settings (16 or more; all if there are fewer)"},
    {.name = "baseline_seconds",
     .type = LOCUM_F64,
     .place = PLACE(baseline_seconds),
     .value = 25,
     .min = 0,
     .max = 1e9,
     .flags = LOCUM_OPEN_MIN,
     .unit = "s",
     .text = "the search of cheaper settings goes no further after this time"},
    {.name = "snapshots",
     .type = LOCUM_I32,
     .place = PLACE(snapshots),
     .value = 3,
     .min = 0,
     .max = 9,
     .unit = "1",
     .text = "pictures of the solution in the report"},
    {0}};

/* --- negative control ------------------------------------------------------------------------- */

static int find_parameter(const locum_campaign_plan *plan, const char *key)
{
    for (int p = 0; p < plan->n_parameters; p++)
        if (!strcmp(plan->name[p], key)) return p;
    return -1;
}

static locum_status read_range(const locum_campaign_plan *plan, const locum_yaml *node, const char *key, int i,
                               const locum_yaml *control, double *lower, double *upper)
{
    const char *known[LOCUM_LIST_MAX + 2] = {"samples", "amplitude"};
    int p = plan ? find_parameter(plan, key) : 0;
    const char *unit = plan && p >= 0 ? plan->unit[p] : "1";
    double value[2];

    for (int k = 0; plan && k < plan->n_parameters && k < LOCUM_LIST_MAX; k++) known[k + 2] = plan->name[k];
    if (p < 0) return locum_yaml_unknown_key(control, i, plan->n_parameters + 2, known);
    if (locum_yaml_kind_of(node) != LOCUM_YAML_LIST || locum_yaml_n(node) != 2)
        return locum_yaml_fail(node, "validate.negative_control.%s: give a range, [lowest, highest]", key);
    for (int k = 0; k < 2; k++) {
        const locum_yaml *item = locum_yaml_item(node, k);
        if (plan)
            LOCUM_TRY(locum_yaml_f64(item, unit, &value[k]));
        else if (!locum_yaml_string(item))
            return locum_yaml_fail(item, "validate.negative_control.%s: give two numbers", key);
        else
            value[k] = k;
    }
    if (!(value[0] < value[1]))
        return locum_yaml_fail(node, "validate.negative_control.%s: the range must begin below its end", key);
    if (!plan) return LOCUM_OK;
    if (plan->log_scale[p] && value[0] <= 0)
        return locum_yaml_fail(
            node, "validate.negative_control.%s: varied on a logarithmic scale, so its range begins above 0", key);
    lower[p] = value[0];
    upper[p] = value[1];
    return LOCUM_OK;
}

/* plan NULL: looks only at what can be known without it */
static locum_status read_ranges(const locum_study *study, const locum_campaign_plan *plan, double *lower, double *upper)
{
    const locum_yaml *control = locum_study_node(study, "validate.negative_control");

    for (int i = 0; i < locum_yaml_n(control); i++) {
        const char *key = locum_yaml_key(control, i);
        if (strcmp(key, "samples") && strcmp(key, "amplitude"))
            LOCUM_TRY(read_range(plan, locum_yaml_item(control, i), key, i, control, lower, upper));
    }
    return LOCUM_OK;
}

locum_status locum_control_ranges(const locum_study *study, const locum_campaign_plan *plan, double *lower,
                                  double *upper)
{
    for (int p = 0; p < plan->n_parameters; p++) {
        lower[p] = plan->lower[p];
        upper[p] = plan->upper[p];
    }
    return read_ranges(study, plan, lower, upper);
}

/* names that `campaign.vary` does not have are refused here, before anything runs */
static locum_status check_names(const locum_study *study, const locum_yaml *control)
{
    const locum_yaml *vary = locum_study_node(study, "campaign.vary");
    const char *known[LOCUM_LIST_MAX + 2] = {"samples", "amplitude"};
    int n = 2;

    for (int i = 0; i < locum_yaml_n(vary) && n <= LOCUM_LIST_MAX + 1; i++) known[n++] = locum_yaml_key(vary, i);
    for (int i = 0; i < locum_yaml_n(control); i++) {
        bool found = false;
        for (int k = 0; k < n; k++) found |= !strcmp(known[k], locum_yaml_key(control, i));
        if (!found) return locum_yaml_unknown_key(control, i, n, known);
    }
    return LOCUM_OK;
}

static locum_status read_control(const locum_study *study, locum_validate_config *config)
{
    const locum_yaml *control = locum_study_node(study, "validate.negative_control");
    int64_t samples = 24;

    config->control_amplitude = NAN;
    config->has_control = control != NULL;
    if (!control) return LOCUM_OK;
    if (locum_yaml_kind_of(control) != LOCUM_YAML_MAPPING || locum_yaml_n(control) == 0)
        return locum_yaml_fail(control,
                               "validate.negative_control: give `{samples: 24, parameter: [lowest, highest]}`");
    LOCUM_TRY(check_names(study, control));
    const locum_yaml *node = locum_yaml_find(control, "samples");
    if (node) LOCUM_TRY(locum_yaml_i64(node, &samples));
    if (samples < 1 || samples > 1000000)
        return locum_yaml_fail(node, "validate.negative_control.samples: give 1 to 1000000");
    if (locum_yaml_find(control, "amplitude")) {
        LOCUM_TRY(locum_yaml_f64(locum_yaml_find(control, "amplitude"), "1", &config->control_amplitude));
        if (!(config->control_amplitude > 0) || config->control_amplitude == 1)
            return locum_yaml_fail(locum_yaml_find(control, "amplitude"),
                                   "validate.negative_control.amplitude: give a factor > 0 that is not 1");
    }
    if (locum_yaml_n(control) < (node ? 2 : 1))
        return locum_yaml_fail(control,
                               "validate.negative_control: name a parameter and a range outside of the training range");
    config->control_samples = (int32_t)samples;
    return read_ranges(study, NULL, NULL, NULL);
}

/* a name that the last stage would refuse is refused before the first one, as far as the study lists them */
static locum_status check_metric(const locum_study *study, const locum_validate_config *config)
{
    const char *key = "surrogate.outputs";
    const locum_yaml *known = locum_study_node(study, key);

    if (!locum_yaml_n(known)) known = locum_study_node(study, key = "record.observe");
    for (int i = 0; i < config->n_metric && locum_yaml_n(known); i++) {
        bool found = false;
        for (int k = 0; k < locum_yaml_n(known) && !found; k++) {
            const char *name = locum_yaml_string(locum_yaml_item(known, k));
            found = name && !strcmp(name, config->metric[i]);
        }
        if (!found)
            return locum_yaml_fail(locum_study_node(study, "validate.metric"),
                                   "validate.metric: `%s` is no output of the surrogate; %s lists them",
                                   config->metric[i], key);
    }
    return LOCUM_OK;
}

locum_status locum_validate_read(locum_study *study, locum_settings **settings)
{
    static const char *const extra[] = {"negative_control", NULL};

    LOCUM_TRY(
        locum_study_block(study, "validate", locum_validate_options, sizeof(locum_validate_config), extra, settings));
    LOCUM_TRY(check_metric(study, locum_settings_config(*settings)));
    return read_control(study, locum_settings_config(*settings));
}
