/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.c - which samples a campaign has: parameters, seed, split and window of each, a function of the study alone.
 *
 *     vary: {viscosity: {range: [4e-3, 1e-1], scale: log}, drag: {range: [0.05, 0.3]}}      Sobol points
 *     vary: {viscosity: [1e-3, 2e-3], drag: [0.1, 0.2]}                                     i-th values together
 *     points: grid, vary: {viscosity: {range: [1e-3, 1e-1], n: 5}, drag: [0.1, 0.2]}        every combination
 *
 *     index   0 ... train ...  | ... validation, calibration, test ...        | ... noise
 *             first Sobol points | the next ones, dealt by a seeded permutation | twins, another seed
 * The training set is a beginning of the sequence, so that its first n samples fill the space at every n (learning
 * curves). Calibration and test are dealt at random from one stretch of the sequence: they are exchangeable, which
 * conformal intervals rest on. Lists and grids have no such order: all their points are dealt by a permutation.
 * Parameters are numbered in the order of their names, whatever the order of their keys: the hash of a study's
 * options does not see that order, so the plan must not either. */
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/sobol.h"
#include "datasets/campaign/campaign_parts.h"

enum { POINTS_AUTO, POINTS_SOBOL, POINTS_LIST, POINTS_GRID }; /* order of the choices in setup.c */
enum { NAMES_MAX = 256 };

/* one varied parameter */
typedef struct axis {
    const locum_yaml *node;
    bool is_list;
    double *value; /**< [n] values of a list, or of a range with n */
    int64_t n;
} axis;

typedef struct maker {
    const locum_study *study;
    const locum_setup *setup;
    locum_campaign_plan *plan;
    axis axes[LOCUM_LIST_MAX];
    void *scratch; /**< a config on which values are tried */
    int points;
    int64_t n_points;
} maker;

/* --- reading vary ------------------------------------------------------------------------------------------ */

typedef struct names {
    const locum_settings *settings;
    int n;
    char name[NAMES_MAX][LOCUM_TEXT_SIZE];
    const char *list[NAMES_MAX];
} names;

static void collect_parameter(void *self, const char *path, const char *value, double number, const char *unit)
{
    names *all = self;
    const locum_option *option = locum_settings_option(all->settings, path);

    (void)value, (void)number, (void)unit;
    if (!option || !(option->flags & LOCUM_PARAMETER) || option->n_max > 0 || all->n == NAMES_MAX) return;
    locum_format(all->name[all->n], LOCUM_TEXT_SIZE, "%s", path);
    all->list[all->n] = all->name[all->n];
    all->n++;
}

static bool is_number(const locum_option *option)
{
    return option->type == LOCUM_F64 || option->type == LOCUM_I32 || option->type == LOCUM_I64;
}

/* the option that the i-th key of vary means */
static locum_status find_option(const maker *m, const locum_yaml *vary, int i, const locum_option **option)
{
    const char *key = locum_yaml_key(vary, i);
    names *all = NULL;

    *option = locum_settings_option(m->setup->solver, key);
    if (*option && ((*option)->flags & LOCUM_PARAMETER) && (*option)->n_max == 0 && is_number(*option)) return LOCUM_OK;
    if (*option)
        return locum_yaml_fail(locum_yaml_item(vary, i),
                               "campaign.vary: '%s' is fixed for all samples; it cannot be varied", key);
    LOCUM_TRY(LOCUM_NEW(&all, 1));
    all->settings = m->setup->solver;
    locum_settings_each(m->setup->solver, all, collect_parameter);
    locum_status st = locum_yaml_unknown_key(vary, i, all->n, all->list);
    free(all);
    return st;
}

/* is the value one that the solver takes? */
static locum_status try_value(const maker *m, int p, const locum_yaml *node, double value)
{
    char words[512];

    memcpy(m->scratch, locum_settings_config(m->setup->solver), m->setup->type->config_size);
    if (!locum_settings_apply(m->setup->solver, m->scratch, m->plan->name[p], value)) return LOCUM_OK;
    locum_format(words, sizeof words, "%s", locum_status_message());
    return locum_yaml_fail(node, "campaign.vary: %s", words);
}

static locum_status read_values(maker *m, int p, const locum_yaml *list, const char *unit)
{
    axis *a = &m->axes[p];

    a->is_list = true;
    a->n = locum_yaml_n(list);
    if (a->n == 0) return locum_yaml_fail(list, "campaign.vary.%s: the list is empty", m->plan->name[p]);
    LOCUM_TRY(LOCUM_NEW(&a->value, a->n));
    m->plan->lower[p] = INFINITY;
    m->plan->upper[p] = -INFINITY;
    for (int i = 0; i < a->n; i++) {
        const locum_yaml *item = locum_yaml_item(list, i);
        LOCUM_TRY(locum_yaml_f64(item, unit, &a->value[i]));
        LOCUM_TRY(try_value(m, p, item, a->value[i]));
        m->plan->lower[p] = fmin(m->plan->lower[p], a->value[i]);
        m->plan->upper[p] = fmax(m->plan->upper[p], a->value[i]);
    }
    return LOCUM_OK;
}

static double between(const locum_campaign_plan *plan, int p, double u)
{
    double a = plan->lower[p], b = plan->upper[p];
    double value = plan->log_scale[p] ? exp(log(a) + u * (log(b) - log(a))) : a + u * (b - a);

    return fmin(fmax(value, a), b); /* exp(log(a)) may miss a by a rounding */
}

static locum_status read_scale(maker *m, int p, const locum_yaml *mapping)
{
    const locum_yaml *node = locum_yaml_find(mapping, "scale");
    const char *scale = node ? locum_yaml_string(node) : "linear";

    if (!scale || (strcmp(scale, "log") && strcmp(scale, "linear")))
        return locum_yaml_fail(node, "campaign.vary.%s.scale: give `log` or `linear`", m->plan->name[p]);
    m->plan->log_scale[p] = !strcmp(scale, "log");
    if (m->plan->log_scale[p] && m->plan->lower[p] <= 0)
        return locum_yaml_fail(node, "campaign.vary.%s: a logarithmic range begins above 0", m->plan->name[p]);
    return LOCUM_OK;
}

/* `n` evenly spaced values of a range, both ends included */
static locum_status read_count(maker *m, int p, const locum_yaml *mapping)
{
    const locum_yaml *node = locum_yaml_find(mapping, "n");
    axis *a = &m->axes[p];

    if (!node && m->points == POINTS_GRID)
        return locum_yaml_fail(mapping, "campaign.vary.%s: a range of a grid needs `n`, its number of values",
                               m->plan->name[p]);
    if (!node) return LOCUM_OK;
    if (m->points != POINTS_GRID)
        return locum_yaml_fail(node, "campaign.vary.%s.n: belongs to `points: grid` only", m->plan->name[p]);
    LOCUM_TRY(locum_yaml_i64(node, &a->n));
    if (a->n < 2 || a->n > 1000000)
        return locum_yaml_fail(node, "campaign.vary.%s.n: give 2 to 1000000 values", m->plan->name[p]);
    LOCUM_TRY(LOCUM_NEW(&a->value, a->n));
    for (int64_t i = 0; i < a->n; i++) a->value[i] = between(m->plan, p, (double)i / (double)(a->n - 1));
    return LOCUM_OK;
}

static locum_status read_range(maker *m, int p, const locum_yaml *mapping, const char *unit)
{
    static const char *const known[] = {"range", "scale", "n"};
    const locum_yaml *range = locum_yaml_find(mapping, "range");
    double *end[2] = {&m->plan->lower[p], &m->plan->upper[p]};

    for (int i = 0; i < locum_yaml_n(mapping); i++) {
        const char *key = locum_yaml_key(mapping, i);
        if (strcmp(key, known[0]) && strcmp(key, known[1]) && strcmp(key, known[2]))
            return locum_yaml_unknown_key(mapping, i, 3, known);
    }
    if (!range || locum_yaml_kind_of(range) != LOCUM_YAML_LIST || locum_yaml_n(range) != 2)
        return locum_yaml_fail(range ? range : mapping, "campaign.vary.%s: give `range: [lowest, highest]`",
                               m->plan->name[p]);
    for (int i = 0; i < 2; i++) {
        LOCUM_TRY(locum_yaml_f64(locum_yaml_item(range, i), unit, end[i]));
        LOCUM_TRY(try_value(m, p, locum_yaml_item(range, i), *end[i]));
    }
    if (!(m->plan->lower[p] < m->plan->upper[p]))
        return locum_yaml_fail(range, "campaign.vary.%s: the range must begin below its end", m->plan->name[p]);
    LOCUM_TRY(read_scale(m, p, mapping));
    return read_count(m, p, mapping);
}

/* order [n]: the keys of vary by name */
static void sort_keys(const locum_yaml *vary, int n, int *order)
{
    for (int i = 0; i < n; i++) {
        int at = i;
        for (; at > 0 && strcmp(locum_yaml_key(vary, order[at - 1]), locum_yaml_key(vary, i)) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* parameter p is the i-th key of vary */
static locum_status read_axis(maker *m, const locum_yaml *vary, int i, int p)
{
    const locum_option *option = NULL;
    const locum_yaml *node = locum_yaml_item(vary, i);

    LOCUM_TRY(find_option(m, vary, i, &option));
    locum_format(m->plan->name[p], LOCUM_TEXT_SIZE, "%s", locum_yaml_key(vary, i));
    locum_format(m->plan->unit[p], LOCUM_TEXT_SIZE, "%s", option->unit ? option->unit : "1");
    m->axes[p].node = node;
    switch (locum_yaml_kind_of(node)) {
    case LOCUM_YAML_LIST: return read_values(m, p, node, option->unit);
    case LOCUM_YAML_MAPPING: return read_range(m, p, node, option->unit);
    default:
        return locum_yaml_fail(node, "campaign.vary.%s: give `{range: [a, b]}` or a list of values", m->plan->name[p]);
    }
}

static locum_status allocate_axes(locum_campaign_plan *plan, int n)
{
    plan->n_parameters = n;
    LOCUM_TRY(locum_alloc(&plan->name, n, LOCUM_TEXT_SIZE));
    LOCUM_TRY(locum_alloc(&plan->unit, n, LOCUM_TEXT_SIZE));
    LOCUM_TRY(LOCUM_NEW(&plan->lower, n));
    LOCUM_TRY(LOCUM_NEW(&plan->upper, n));
    return LOCUM_NEW(&plan->log_scale, n);
}

static locum_status read_vary(maker *m)
{
    const locum_yaml *vary = locum_study_node(m->study, "campaign.vary");
    int n = locum_yaml_n(vary), n_lists = 0, order[LOCUM_LIST_MAX];

    if (vary && locum_yaml_kind_of(vary) != LOCUM_YAML_MAPPING)
        return locum_yaml_fail(vary, "campaign.vary: give `{parameter: {range: [a, b]}, ...}`");
    if (n > LOCUM_LIST_MAX) return locum_yaml_fail(vary, "campaign.vary: at most %d parameters", LOCUM_LIST_MAX);
    LOCUM_TRY(allocate_axes(m->plan, n));
    m->points = m->setup->campaign_config->points;
    sort_keys(vary, n, order);
    for (int p = 0; p < n; p++) LOCUM_TRY(read_axis(m, vary, order[p], p));
    for (int p = 0; p < n; p++) n_lists += m->axes[p].is_list;
    if (m->points == POINTS_AUTO) m->points = n_lists > 0 ? POINTS_LIST : POINTS_SOBOL;
    int needed = m->points == POINTS_LIST ? n : m->points == POINTS_SOBOL ? 0 : n_lists;
    if (n_lists != needed)
        return locum_yaml_fail(
            vary, "campaign.vary: either ranges alone (sobol) or lists alone (list); `points: grid` takes both");
    for (int p = 1; p < n && m->points == POINTS_LIST; p++)
        if (m->axes[p].n != m->axes[0].n)
            return locum_yaml_fail(
                m->axes[p].node, "campaign.vary.%s: %lld values, but '%s' has %lld; lists go together",
                m->plan->name[p], (long long)m->axes[p].n, m->plan->name[0], (long long)m->axes[0].n);
    return LOCUM_OK;
}

/* --- points ------------------------------------------------------------------------------------------------ */

static int64_t split_total(const locum_campaign_config *campaign)
{
    int64_t n = 0;

    for (int s = LOCUM_TRAIN; s <= LOCUM_TEST; s++) n += campaign->split[s];
    return n;
}

static locum_status count_points(maker *m)
{
    int64_t asked = split_total(m->setup->campaign_config), n = 1;
    const locum_yaml *node = locum_study_node(m->study, "campaign.split");

    if (!node) node = locum_study_node(m->study, "campaign");
    if (m->points == POINTS_SOBOL || m->plan->n_parameters == 0) {
        m->n_points = asked;
        if (asked > 0) return LOCUM_OK;
        return node ? locum_yaml_fail(node, "campaign.split: say how many samples, `split: {train: 88, ...}`")
                    : LOCUM_FAIL(LOCUM_STUDY, "%s has no block `campaign`: `campaign: {split: {train: 88}, vary: ...}`",
                                 locum_study_path(m->study));
    }
    if (m->points == POINTS_LIST) n = m->axes[0].n;
    for (int p = 0; p < m->plan->n_parameters && m->points == POINTS_GRID; p++) {
        n *= m->axes[p].n;
        if (n > 100000000) return locum_yaml_fail(node, "campaign.vary: the grid has more than 10^8 points");
    }
    m->n_points = n;
    if (asked > 0 && asked != n)
        return locum_yaml_fail(node, "campaign.split: %lld samples, but `vary` lists %lld points", (long long)asked,
                               (long long)n);
    return LOCUM_OK;
}

static bool is_whole(const maker *m, int p)
{
    return locum_settings_option(m->setup->solver, m->plan->name[p])->type != LOCUM_F64;
}

/* u in (0, 1) -> a value of the range; of whole numbers on a linear scale each is as likely */
static double draw(const maker *m, int p, double u)
{
    const locum_campaign_plan *plan = m->plan;

    if (!is_whole(m, p) || plan->log_scale[p]) return between(plan, p, u);
    double first = ceil(plan->lower[p]), last = floor(plan->upper[p]);
    return fmin(floor(first + u * (last - first + 1)), last);
}

static locum_status fill_point(const maker *m, int64_t i, double *parameter)
{
    double u[LOCUM_SOBOL_DIMENSIONS];
    const locum_campaign_plan *plan = m->plan;

    if (m->points == POINTS_SOBOL && plan->n_parameters > 0) {
        LOCUM_TRY(locum_sobol_point(m->setup->seed, (uint64_t)i, plan->n_parameters, u));
        for (int p = 0; p < plan->n_parameters; p++) parameter[p] = draw(m, p, u[p]);
    } else if (m->points == POINTS_LIST) {
        for (int p = 0; p < plan->n_parameters; p++) parameter[p] = m->axes[p].value[i];
    } else { /* the last parameter varies fastest */
        for (int p = plan->n_parameters - 1; p >= 0; p--) {
            parameter[p] = m->axes[p].value[i % m->axes[p].n];
            i /= m->axes[p].n;
        }
    }
    for (int p = 0; p < plan->n_parameters; p++)
        if (is_whole(m, p)) parameter[p] = fmin(fmax(round(parameter[p]), ceil(plan->lower[p])), floor(plan->upper[p]));
    return LOCUM_OK;
}

/* --- splits ------------------------------------------------------------------------------------------------ */

/* deals the samples first .. first + n to the splits from `split` on by a seeded permutation */
static locum_status deal(const maker *m, int64_t first, int64_t n, int split)
{
    int64_t *order = NULL, at = 0;
    const locum_campaign_config *campaign = m->setup->campaign_config;

    LOCUM_TRY(LOCUM_NEW(&order, n));
    locum_random_order(m->setup->seed, LOCUM_STREAM_SPLIT, 0, n, order);
    for (int s = split; s <= LOCUM_TEST; s++)
        for (int32_t i = 0; i < campaign->split[s]; i++) m->plan->samples[first + order[at++]].split = (locum_split)s;
    free(order);
    return LOCUM_OK;
}

static locum_status assign_splits(const maker *m)
{
    const locum_campaign_config *campaign = m->setup->campaign_config;

    if (split_total(campaign) == 0) { /* all train */
        for (int64_t i = 0; i < m->n_points; i++) m->plan->samples[i].split = LOCUM_TRAIN;
        return LOCUM_OK;
    }
    if (m->points != POINTS_SOBOL) return deal(m, 0, m->n_points, LOCUM_TRAIN);
    for (int64_t i = 0; i < campaign->split[LOCUM_TRAIN]; i++) m->plan->samples[i].split = LOCUM_TRAIN;
    return deal(m, campaign->split[LOCUM_TRAIN], m->n_points - campaign->split[LOCUM_TRAIN], LOCUM_VALIDATION);
}

static double until_of(const maker *m, locum_split split)
{
    const locum_campaign_config *campaign = m->setup->campaign_config;

    for (int i = 0; campaign->has_long && i < campaign->n_long; i++)
        if (!strcmp(campaign->long_splits[i], locum_split_name(split))) return campaign->long_until;
    return m->setup->record_config->until;
}

/* twins of the first samples of a split: same parameters and window, another seed */
static locum_status add_noise(maker *m)
{
    const locum_campaign_config *campaign = m->setup->campaign_config;
    locum_campaign_plan *plan = m->plan;
    int64_t wanted = campaign->has_noise ? campaign->noise_samples : 0, found = 0;

    for (int64_t i = 0; i < m->n_points && found < wanted; i++) {
        if (strcmp(locum_split_name(plan->samples[i].split), campaign->noise_of)) continue;
        locum_plan_sample *twin = &plan->samples[m->n_points + found];
        *twin = plan->samples[i];
        twin->index = m->n_points + found;
        twin->twin = i;
        twin->split = LOCUM_NOISE;
        twin->seed = locum_random_seed(m->setup->seed, LOCUM_STREAM_SAMPLE, (uint64_t)twin->index);
        found++;
    }
    if (found == wanted) return LOCUM_OK;
    const locum_yaml *node = locum_study_node(m->study, "campaign.noise");
    return locum_yaml_fail(node, "campaign.noise.samples: %lld, but the split '%s' has %lld samples", (long long)wanted,
                           campaign->noise_of, (long long)found);
}

/* --- collisions -------------------------------------------------------------------------------------------- */

static int compare_points(const void *a, const void *b, void *n_parameters)
{
    const locum_plan_sample *x = *(const locum_plan_sample *const *)a, *y = *(const locum_plan_sample *const *)b;

    for (int p = 0; p < *(int *)n_parameters; p++)
        if (x->parameter[p] != y->parameter[p]) return x->parameter[p] < y->parameter[p] ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* the same point in two splits would let a network be tested on what it has learnt */
static locum_status refuse_collisions(const maker *m)
{
    const locum_plan_sample **sorted = NULL;
    int n_parameters = m->plan->n_parameters;
    locum_status st = LOCUM_OK;

    if (n_parameters == 0) return LOCUM_OK;
    LOCUM_TRY(LOCUM_NEW(&sorted, m->n_points));
    for (int64_t i = 0; i < m->n_points; i++) sorted[i] = &m->plan->samples[i];
    qsort_r(sorted, (size_t)m->n_points, sizeof *sorted, compare_points, &n_parameters);
    for (int64_t i = 1; i < m->n_points && !st; i++) {
        const locum_plan_sample *a = sorted[i - 1], *b = sorted[i];
        if (a->split == b->split || memcmp(a->parameter, b->parameter, (size_t)n_parameters * sizeof(double))) continue;
        st = LOCUM_FAIL(LOCUM_STUDY,
                        "campaign.vary: samples %lld (%s) and %lld (%s) have the same parameters (%s = %g ...)",
                        (long long)a->index, locum_split_name(a->split), (long long)b->index,
                        locum_split_name(b->split), m->plan->name[0], a->parameter[0]);
    }
    free(sorted);
    return st;
}

/* --- all --------------------------------------------------------------------------------------------------- */

static locum_status make_samples(maker *m)
{
    const locum_campaign_config *campaign = m->setup->campaign_config;
    locum_campaign_plan *plan = m->plan;

    plan->n = m->n_points + (campaign->has_noise ? campaign->noise_samples : 0);
    LOCUM_TRY(LOCUM_NEW(&plan->samples, plan->n));
    for (int64_t i = 0; i < m->n_points; i++) {
        locum_plan_sample *sample = &plan->samples[i];
        sample->index = i;
        sample->twin = -1;
        sample->seed = locum_random_seed(m->setup->seed, LOCUM_STREAM_SAMPLE, (uint64_t)i);
        LOCUM_TRY(fill_point(m, i, sample->parameter));
    }
    LOCUM_TRY(assign_splits(m));
    for (int64_t i = 0; i < m->n_points; i++) plan->samples[i].until = until_of(m, plan->samples[i].split);
    LOCUM_TRY(refuse_collisions(m));
    return add_noise(m);
}

locum_status locum_campaign_plan_create(const locum_study *study, const locum_setup *setup, locum_campaign_plan **plan)
{
    maker m = {.study = study, .setup = setup};

    *plan = NULL;
    LOCUM_REQUIRE(setup->campaign_config, LOCUM_ARG, "the setup was read without the block campaign");
    locum_status st = LOCUM_NEW(&m.plan, 1);
    if (!st) st = LOCUM_NEW((char **)&m.scratch, setup->type->config_size);
    if (!st) st = read_vary(&m);
    if (!st) st = count_points(&m);
    if (!st) st = make_samples(&m);
    for (int p = 0; p < LOCUM_LIST_MAX; p++) free(m.axes[p].value);
    free(m.scratch);
    if (st)
        locum_campaign_plan_destroy(m.plan);
    else
        *plan = m.plan;
    return st;
}

void locum_campaign_plan_destroy(locum_campaign_plan *plan)
{
    if (!plan) return;
    free(plan->samples);
    free(plan->name);
    free(plan->unit);
    free(plan->lower);
    free(plan->upper);
    free(plan->log_scale);
    free(plan);
}
