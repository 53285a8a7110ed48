/* SPDX-License-Identifier: BSD-3-Clause */
/* test_random.c - 300 random graphs a run: a plan is its graph, whatever the compiler does to it.
 * LOCUM_SEED=n repeats a run, LOCUM_GRAPHS=n makes it longer. */
#include <string.h>
#include <time.h>

#include "../check.h"
#include "random_graph.h"

static const int64_t rows_list[] = {1, 7, 8, 9, 63, 64, 65};
enum { N_ROWS = sizeof rows_list / sizeof rows_list[0] };

static uint64_t first_seed(void)
{
    static uint64_t seed;
    const char *text = getenv("LOCUM_SEED");
    if (!seed) {
        seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL) % 1000000 * 1000 + 1;
        printf("(seed %llu) ", (unsigned long long)seed);
    }
    return seed;
}

static int n_graphs(void)
{
    const char *text = getenv("LOCUM_GRAPHS");
    return text ? atoi(text) : 300;
}

static fixture fixture_of(const random_graph *r, int64_t rows, uint64_t seed)
{
    fixture f = {.graph = r->graph, .n_outputs = r->n_outputs, .extents = {rows, rows / 2 + 1}, .seed = seed};
    memcpy(f.outputs, r->outputs, sizeof f.outputs);
    return f;
}

/* One plan against the oracle. */
static int agrees(const random_graph *r, const fixture *f, double *const *oracle, const locum_kernels *kernels,
                  unsigned flags, const int64_t *capacity, int panel_rows, uint64_t seed)
{
    int good = 1;
    fixture_result got = fixture_run(f, kernels, flags | LOCUM_PLAN_POISON, capacity, panel_rows, NULL);
    if (got.status) printf("\n    graph %llu: %s", (unsigned long long)seed, locum_status_message());
    for (int i = 0; i < f->n_outputs && !got.status; i++) {
        const double off = fixture_distance(&got, i, oracle[i]);
        if (off <= r->tolerance[i] * check_scale()) continue;
        printf("\n    graph %llu, rows %lld, flags %u, panel %d, %s kernels: output %d (%s) is off by %.3g > %.3g",
               (unsigned long long)seed, (long long)f->extents[0], flags, panel_rows, kernels->name, i,
               locum_op_name((locum_op)locum_graph_node(f->graph, f->outputs[i])->op), off, r->tolerance[i]);
        good = 0;
    }
    good = good && !got.status;
    fixture_free(&got);
    return good;
}

static void every_combination_of_passes_agrees_with_the_oracle(void)
{
    int wrong = 0, broken = 0;
    for (int g = 0; g < n_graphs(); g++) {
        const uint64_t seed = first_seed() + (uint64_t)g;
        random_graph r = random_graph_make(seed, 65);
        if (locum_graph_status(r.graph)) {
            printf("\n    graph %llu: %s", (unsigned long long)seed, locum_status_message());
            broken++;
        } else {
            double *oracle[FIXTURE_OUTPUTS_MAX];
            const fixture f = fixture_of(&r, rows_list[g % N_ROWS], seed);
            CHECK_OK(fixture_oracle(&f, oracle));
            for (unsigned combination = 0; combination < 16; combination++) {
                const unsigned flags = (combination & 7) | (combination & 8 ? LOCUM_PLAN_CONSTANT_PARAMETERS : 0);
                const locum_kernels *kernels = locum_kernels_for((locum_cpu_level)((g + (int)combination) % 3));
                wrong += !agrees(&r, &f, oracle, kernels, flags, NULL, 0, seed);
            }
            wrong += !agrees(&r, &f, oracle, locum_kernels_reference(), 0, NULL, 0, seed);
            fixture_free_oracle(&f, oracle);
        }
        locum_graph_destroy(r.graph);
    }
    CU_ASSERT(wrong == 0);
    CU_ASSERT(broken == 0); /* the generator makes sound graphs only */
}

static void one_plan_serves_every_number_of_rows_at_every_level(void)
{
    int wrong = 0, other_bits = 0;
    const int64_t capacity[LOCUM_SYMBOLS_MAX] = {150, 80};
    for (int g = 0; g < n_graphs(); g += 3) {
        const uint64_t seed = first_seed() + (uint64_t)g;
        random_graph r = random_graph_make(seed, 65);
        for (int i = 0; i < N_ROWS && !locum_graph_status(r.graph); i++) {
            double *oracle[FIXTURE_OUTPUTS_MAX];
            const fixture f = fixture_of(&r, rows_list[i], seed);
            const locum_kernels *kernels = locum_kernels_for((locum_cpu_level)((g + i) % 3));
            CHECK_OK(fixture_oracle(&f, oracle));
            wrong += !agrees(&r, &f, oracle, kernels, 0, capacity, 0, seed);
            wrong += !agrees(&r, &f, oracle, kernels, LOCUM_PLAN_CONSTANT_PARAMETERS, capacity, 7, seed);
            fixture_result exact = fixture_run(&f, kernels, 0, NULL, 0, NULL),
                           within = fixture_run(&f, kernels, 0, capacity, 0, NULL);
            fixture_result panels = fixture_run(&f, kernels, 0, capacity, 64, NULL);
            other_bits += !fixture_same(&exact, &within) || !fixture_same(&exact, &panels);
            fixture_free(&exact);
            fixture_free(&within);
            fixture_free(&panels);
            fixture_free_oracle(&f, oracle);
        }
        locum_graph_destroy(r.graph);
    }
    CU_ASSERT(wrong == 0);
    CU_ASSERT(other_bits == 0);
}

/* Rows 0 .. 8 of 65 have the bits of 9 rows alone, for any panel. */
static void rows_do_not_depend_on_other_rows(void)
{
    int different = 0, compared = 0;
    for (int g = 0; g < n_graphs(); g++) {
        const uint64_t seed = first_seed() + (uint64_t)g;
        random_graph r = random_graph_make(seed, 65);
        if (!r.rows_only || locum_graph_status(r.graph)) {
            locum_graph_destroy(r.graph);
            continue;
        }
        const fixture few = fixture_of(&r, 9, seed), many = fixture_of(&r, 65, seed);
        const locum_kernels *kernels = locum_kernels_for((locum_cpu_level)(g % 3));
        fixture_result a = fixture_run(&few, kernels, 0, NULL, 0, NULL),
                       b = fixture_run(&many, kernels, 0, NULL, 5, NULL);
        for (int i = 0; i < a.n; i++) {
            if (locum_graph_node(r.graph, r.outputs[i])->symbol != 0) continue;
            different += memcmp(a.value[i], b.value[i], (size_t)a.count[i] * sizeof(float)) != 0;
            compared++;
        }
        fixture_free(&a);
        fixture_free(&b);
        locum_graph_destroy(r.graph);
    }
    CU_ASSERT(different == 0);
    CU_ASSERT(compared > n_graphs() / 10);
}

LOCUM_RUN_TESTS("plan_random",
                {"every combination of passes agrees with the oracle",
                 every_combination_of_passes_agrees_with_the_oracle},
                {"one plan serves every number of rows at every level",
                 one_plan_serves_every_number_of_rows_at_every_level},
                {"rows do not depend on other rows", rows_do_not_depend_on_other_rows})
