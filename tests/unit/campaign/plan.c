/* SPDX-License-Identifier: BSD-3-Clause */
/* plan.c - claims about studies and plans: what is refused, with which words, and what a plan looks like. */
#include "tests/unit/campaign/fixture.h"

#define HEAD "study: s\nseed: 5\nsolver: {name: grid_advection}\nrecord: {until: 1}\n"

static fixture plan_of(const char *campaign)
{
    char text[2048];

    snprintf(text, sizeof text, "%s%s", HEAD, campaign);
    return fixture_read(text, true);
}

/* the study is refused, and the message holds all the words */
static void check_refused(const char *text, bool with_campaign, const char *const *words)
{
    fixture f = fixture_read(text, with_campaign);

    CU_ASSERT(f.status == LOCUM_STUDY);
    for (; *words; words++) {
        if (!strstr(locum_status_message(), *words))
            printf("\n    \"%s\" is not in: %s", *words, locum_status_message());
        CU_ASSERT(strstr(locum_status_message(), *words) != NULL);
    }
    fixture_free(&f);
}

static void check_campaign_refused(const char *campaign, const char *a, const char *b)
{
    char text[2048];
    const char *words[] = {a, b, NULL};

    snprintf(text, sizeof text, "%s%s", HEAD, campaign);
    check_refused(text, true, words);
}

#define SOBOL                                                                                            \
    "campaign:\n  split: {train: 64, validation: 8, calibration: 32, test: 32}\n"                        \
    "  long: {splits: [calibration, test], until: 2}\n  noise: {samples: 16, of: test, seed: another}\n" \
    "  vary: {velocity: {range: [0.5, 2], scale: log}, diffusivity: {range: [0.05, 0.2]}}\n"

static void a_plan_has_what_the_study_asks_for(void)
{
    fixture f = plan_of(SOBOL);
    int64_t n[LOCUM_SPLITS] = {0};

    CHECK_OK(f.status);
    if (!f.plan) return;
    CU_ASSERT(f.plan->n == 64 + 8 + 32 + 32 + 16 && f.plan->n_parameters == 2);
    CU_ASSERT(!strcmp(f.plan->name[0], "diffusivity") && !strcmp(f.plan->name[1], "velocity"));
    CU_ASSERT(!f.plan->log_scale[0] && f.plan->log_scale[1]);
    for (int64_t i = 0; i < f.plan->n; i++) {
        const locum_plan_sample *s = &f.plan->samples[i];
        n[s->split]++;
        CU_ASSERT(s->index == i);
        CU_ASSERT(s->parameter[1] >= 0.5 && s->parameter[1] <= 2 && s->parameter[0] >= 0.05 && s->parameter[0] <= 0.2);
        bool is_long = s->split == LOCUM_CALIBRATION || s->split == LOCUM_TEST || s->split == LOCUM_NOISE;
        CU_ASSERT(s->until == (is_long ? 2 : 1));
    }
    CU_ASSERT(n[LOCUM_TRAIN] == 64 && n[LOCUM_VALIDATION] == 8 && n[LOCUM_CALIBRATION] == 32 && n[LOCUM_TEST] == 32 &&
              n[LOCUM_NOISE] == 16);
    fixture_free(&f);
}

static void noise_samples_repeat_test_samples_with_another_seed(void)
{
    fixture f = plan_of(SOBOL);

    CHECK_OK(f.status);
    for (int64_t i = 0; f.plan && i < f.plan->n; i++) {
        const locum_plan_sample *s = &f.plan->samples[i];
        CU_ASSERT((s->twin >= 0) == (s->split == LOCUM_NOISE));
        for (int64_t j = 0; j < i; j++) CU_ASSERT(s->seed != f.plan->samples[j].seed);
        if (s->twin < 0) continue;
        const locum_plan_sample *twin = &f.plan->samples[s->twin];
        CU_ASSERT(twin->split == LOCUM_TEST && twin->until == s->until);
        CU_ASSERT(!memcmp(twin->parameter, s->parameter, 2 * sizeof(double)));
    }
    fixture_free(&f);
}

static void a_plan_is_a_function_of_the_study(void)
{
    fixture a = plan_of(SOBOL), b = plan_of(SOBOL);

    CHECK_OK(a.status);
    CHECK_OK(b.status);
    if (a.plan && b.plan)
        CU_ASSERT(!memcmp(a.plan->samples, b.plan->samples, (size_t)a.plan->n * sizeof *a.plan->samples));
    fixture_free(&a);
    fixture_free(&b);
}

/* their hash is the same, so a dataset that one order began is continued by the other */
static void the_order_of_the_keys_does_not_matter(void)
{
    static const char *const blocks[] = {"campaign", NULL};
    fixture a = plan_of("campaign: {split: {train: 8}, vary: {velocity: {range: [0.5, 2], scale: log}, "
                        "diffusivity: {range: [0.05, 0.2]}}}\n");
    fixture b = plan_of("campaign: {vary: {diffusivity: {range: [0.05, 0.2]}, velocity: {scale: log, "
                        "range: [0.5, 2]}}, split: {train: 8}}\n");

    CHECK_OK(a.status);
    CHECK_OK(b.status);
    if (!a.plan || !b.plan) return;
    CU_ASSERT(locum_study_hash(a.study, blocks) == locum_study_hash(b.study, blocks));
    CU_ASSERT(!memcmp(a.plan->name, b.plan->name, 2 * sizeof *a.plan->name));
    CU_ASSERT(a.plan->n == 8 && b.plan->n == 8);
    CU_ASSERT(!memcmp(a.plan->samples, b.plan->samples, 8 * sizeof *a.plan->samples));
    fixture_free(&a);
    fixture_free(&b);
}

/* centred L2 discrepancy of the points of a split in the unit square (F. Hickernell, Math. Comp. 67, 299, 1998) */
static double discrepancy(const locum_campaign_plan *plan, locum_split split, int64_t *n)
{
    double sum1 = 0, sum2 = 0;

    *n = 0;
    for (int64_t i = 0; i < plan->n; i++) {
        if (plan->samples[i].split != split) continue;
        (*n)++;
        double x[2] = {log(plan->samples[i].parameter[1] / 0.5) / log(4),
                       (plan->samples[i].parameter[0] - 0.05) / 0.15};
        double product = 1;
        for (int d = 0; d < 2; d++) product *= 1 + 0.5 * fabs(x[d] - 0.5) - 0.5 * pow(x[d] - 0.5, 2);
        sum1 += product;
        for (int64_t j = 0; j < plan->n; j++) {
            if (plan->samples[j].split != split) continue;
            double y[2] = {log(plan->samples[j].parameter[1] / 0.5) / log(4),
                           (plan->samples[j].parameter[0] - 0.05) / 0.15};
            product = 1;
            for (int d = 0; d < 2; d++)
                product *= 1 + 0.5 * fabs(x[d] - 0.5) + 0.5 * fabs(y[d] - 0.5) - 0.5 * fabs(x[d] - y[d]);
            sum2 += product;
        }
    }
    double m = (double)*n;
    return sqrt(pow(13.0 / 12, 2) - 2 * sum1 / m + sum2 / (m * m));
}

static void training_points_fill_the_space(void)
{
    fixture f = plan_of(SOBOL);
    int64_t n;

    CHECK_OK(f.status);
    if (!f.plan) return;
    /* random points: rms sqrt((5/4)^2 - (13/12)^2) / sqrt(n) = 0.624 / 8 = 0.078; Sobol points of 64: about 0.015 */
    CU_ASSERT(discrepancy(f.plan, LOCUM_TRAIN, &n) < 0.025);
    CU_ASSERT(n == 64);
    /* dealt from one stretch of the sequence: no worse than random points of their number, 0.624 / sqrt(32) = 0.11 */
    CU_ASSERT(discrepancy(f.plan, LOCUM_TEST, &n) < 0.11);
    CU_ASSERT(discrepancy(f.plan, LOCUM_CALIBRATION, &n) < 0.11);
    fixture_free(&f);
}

static void a_list_takes_its_values_together(void)
{
    fixture f =
        plan_of("campaign: {split: {train: 2, test: 1}, vary: {velocity: [1, 2, 3], diffusivity: [0.1, 0.2, 0.3]}}\n");
    int64_t test = 0;

    CHECK_OK(f.status);
    if (!f.plan) return;
    CU_ASSERT(f.plan->n == 3);
    for (int64_t i = 0; i < f.plan->n; i++) {
        CHECK_CLOSE(f.plan->samples[i].parameter[0], 0.1 * (double)(i + 1), 1e-16); /* text to number, one rounding */
        CHECK_CLOSE(f.plan->samples[i].parameter[1], (double)(i + 1), 0);
        test += f.plan->samples[i].split == LOCUM_TEST;
    }
    CU_ASSERT(test == 1);
    fixture_free(&f);
}

static void a_grid_has_every_combination(void)
{
    fixture f = plan_of(
        "campaign: {points: grid, vary: {velocity: {range: [1, 4], n: 3, scale: log}, diffusivity: [0.1, 0.2]}}\n");
    const double velocity[] = {1, 2, 4, 1, 2, 4}; /* the last name varies fastest */

    CHECK_OK(f.status);
    if (!f.plan) return;
    CU_ASSERT(f.plan->n == 6);
    for (int64_t i = 0; i < f.plan->n && i < 6; i++) {
        CHECK_CLOSE(f.plan->samples[i].parameter[0], i < 3 ? 0.1 : 0.2, 0);
        CHECK_CLOSE(f.plan->samples[i].parameter[1], velocity[i], 1e-15); /* exp(log(x)) */
        CU_ASSERT(f.plan->samples[i].split == LOCUM_TRAIN);
    }
    fixture_free(&f);
}

static void an_ensemble_needs_no_parameter(void)
{
    fixture f = plan_of("campaign: {split: {train: 5}}\n");

    CHECK_OK(f.status);
    if (f.plan) CU_ASSERT(f.plan->n == 5 && f.plan->n_parameters == 0);
    fixture_free(&f);
}

static void wrong_campaigns_are_refused_with_place_and_remedy(void)
{
    check_campaign_refused("campaign: {split: {train: 4}, vary: {velocty: {range: [1, 2]}}}\n", "study.yaml:5:38",
                           "velocity");
    check_campaign_refused("campaign: {split: {train: 4}, vary: {step: {range: [1, 2]}}}\n", "study.yaml:5",
                           "fixed for all samples");
    check_campaign_refused("campaign: {split: {train: 4}, vary: {diffusivity: {range: [1, 200]}}}\n", "study.yaml:5",
                           "10");
    check_campaign_refused("campaign: {split: {train: 4}, vary: {velocity: {range: [2, 1]}}}\n", "study.yaml:5",
                           "begin below");
    check_campaign_refused("campaign: {split: {train: 4}, vary: {velocity: {range: [-1, 1], scale: log}}}\n",
                           "study.yaml:5", "above 0");
    check_campaign_refused("campaign: {split: {train: 4}, vary: {velocity: {range: [1, 2], scal: log}}}\n",
                           "study.yaml:5", "scale");
    check_campaign_refused("campaign: {split: {train: 4}, vary: {velocity: {range: [1, 2]}, diffusivity: [1]}}\n",
                           "study.yaml:5", "grid");
    check_campaign_refused("campaign: {split: {train: 3}, vary: {velocity: [1, 2]}}\n", "study.yaml:5", "2 points");
    check_campaign_refused("campaign: {vary: {velocity: [1, 2], diffusivity: [1, 2, 3]}}\n", "study.yaml:5",
                           "2 values");
    check_campaign_refused("campaign: {vary: {velocity: {range: [1, 2]}}}\n", "study.yaml:5", "how many samples");
    check_campaign_refused("campaign: {split: {train: 1, test: 1}, vary: {velocity: [1, 1]}}\n", "same parameters",
                           "velocity");
    check_campaign_refused(
        "campaign: {split: {train: 4, test: 2}, noise: {samples: 3}, vary: {velocity: {range: [1, 2]}}}\n",
        "study.yaml:5", "has 2 samples");
    check_campaign_refused("campaign: {split: {train: 4}, long: {splits: [trian], until: 2}}\n", "study.yaml:5",
                           "trian");
    check_campaign_refused("campaign: {split: {tran: 4}}\n", "study.yaml:5", "train");
}

static void wrong_solvers_and_records_are_refused(void)
{
    check_refused("study: s\nsolver: {name: advektion}\n", false,
                  (const char *[]){"study.yaml:2", "grid_advection", NULL});
    check_refused("study: s\nrecord: {until: 1}\n", false, (const char *[]){"quadrature", NULL});
    check_refused("study: s\nsolver: free_particles\ninitial: random\n", false,
                  (const char *[]){"study.yaml:3", "no initial", NULL});
    check_refused("study: s\nsolver: free_particles\nrecord: {from: 2, until: 1}\n", false,
                  (const char *[]){"study.yaml:3", "record.from", NULL});
    check_refused("study: s\nsolver: free_particles\nrecord: {until: 1, every: 0.1, average: true}\n", false,
                  (const char *[]){"study.yaml:3", "average", NULL});
    check_refused("study: s\nsolver: free_particles\nrecord: {until: 1, resolution: 8}\n", false,
                  (const char *[]){"study.yaml:3", NULL});
}

int main(int argc, char **argv)
{
    static const check_entry entries[] = {
        {"a plan has what the study asks for", a_plan_has_what_the_study_asks_for},
        {"noise samples repeat test samples with another seed", noise_samples_repeat_test_samples_with_another_seed},
        {"a plan is a function of the study", a_plan_is_a_function_of_the_study},
        {"the order of the keys does not matter", the_order_of_the_keys_does_not_matter},
        {"training points fill the space", training_points_fill_the_space},
        {"a list takes its values together", a_list_takes_its_values_together},
        {"a grid has every combination", a_grid_has_every_combination},
        {"an ensemble needs no parameter", an_ensemble_needs_no_parameter},
        {"wrong campaigns are refused with place and remedy", wrong_campaigns_are_refused_with_place_and_remedy},
        {"wrong solvers and records are refused", wrong_solvers_and_records_are_refused},
    };
    return fixture_main(&argc, &argv, "plan", entries, (int)(sizeof entries / sizeof entries[0]), NULL);
}
