/* SPDX-License-Identifier: BSD-3-Clause */
/* test_plan.c - what a plan promises besides being its graph: gradients, packing, memory, threads, adapters, report. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "../check.h"
#include "networks.h"
#include "surrogate/plan/internal.h"

static const locum_kernels *best(void)
{
    return locum_kernels_for(locum_cpu_best());
}

/* --- against the oracle ------------------------------------------------------------------------------------------ */

static double largest(const fixture *f, int output, const double *value)
{
    double most = 0;
    for (int64_t i = 0; i < locum_graph_count(f->graph, f->outputs[output], f->extents); i++)
        most = fmax(most, fabs(value[i]));
    return most;
}

/* Largest distance of any output, in units of that output's largest value. */
static double relative_distance(const fixture *f, const fixture_result *got)
{
    double *oracle[FIXTURE_OUTPUTS_MAX], worst = got->status ? INFINITY : 0;
    if (fixture_oracle(f, oracle)) return INFINITY;
    for (int i = 0; i < f->n_outputs && !got->status; i++)
        worst = fmax(worst, fixture_distance(got, i, oracle[i]) / fmax(largest(f, i, oracle[i]), 1e-6));
    fixture_free_oracle(f, oracle);
    return worst;
}

/* Float32: a layer adds rounding of about 2^-24 sqrt(width) = 3e-7 of the largest value, twice there and back over four
 * layers, with random signs: 1e-6; measured at most 6e-7 at any level; 8 times that for cancellation in losses and
 * norms. */
static const double network_tolerance = 5e-6;

static void check_network(fixture f)
{
    CHECK_OK(locum_graph_status(f.graph));
    CU_ASSERT(f.n_outputs > 0);
    for (unsigned combination = 0; combination < 16; combination++) {
        const unsigned flags =
            (combination & 7) | (combination & 8 ? LOCUM_PLAN_CONSTANT_PARAMETERS : 0) | LOCUM_PLAN_POISON;
        const locum_kernels *kernels = locum_kernels_for((locum_cpu_level)(combination % 3));
        fixture_result got = fixture_run(&f, kernels, flags, NULL, combination % 2 ? 16 : 0, NULL);
        if (got.status) printf("\n    %s", locum_status_message());
        CHECK_CLOSE(relative_distance(&f, &got), 0, network_tolerance);
        fixture_free(&got);
    }
    network_destroy(&f);
}

static void networks_of_every_activation_are_right(void)
{
    static const locum_op activations[] = {LOCUM_OP_tanh, LOCUM_OP_sigmoid, LOCUM_OP_silu, LOCUM_OP_gelu,
                                           LOCUM_OP_relu};
    for (int i = 0; i < 5; i++) check_network(network_forward(3, 17, 2, activations[i], NETWORK_NORMALISED, 65));
}

static void gradients_of_ensembles_and_norms_are_right(void)
{
    check_network(network_training(2, 16, 1, LOCUM_OP_tanh, NETWORK_NORMALISED, 65));
    check_network(network_training(2, 12, 3, LOCUM_OP_silu, 0, 70));
    check_network(network_training(2, 9, 2, LOCUM_OP_gelu, NETWORK_LAYER_NORM, 33));
    check_network(network_training(3, 8, 4, LOCUM_OP_tanh, NETWORK_NORMALISED | NETWORK_LAYER_NORM, 130));
}

static void gradients_of_forces_are_right(void)
{
    check_network(network_forces(2, 16, LOCUM_OP_tanh, 65));
    check_network(network_forces(2, 10, LOCUM_OP_silu, 9));
}

/* --- fusion ------------------------------------------------------------------------------------------------------ */

static locum_plan *compile(const fixture *f, unsigned flags, int panel_rows)
{
    locum_plan *plan = NULL;
    const locum_plan_options options = {
        .kernels = best(), .flags = flags, .capacity = {f->extents[0]}, .panel_rows = panel_rows};
    CHECK_OK(locum_plan_create(f->graph, f->n_outputs, f->outputs, &options, &plan));
    return plan;
}

static int count_text(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text += strlen(what)) n++;
    return n;
}

static void a_layer_is_one_step(void)
{
    static const struct {
        locum_op op;
        const char *kernel;
    } cases[] = {{LOCUM_OP_tanh, "product+bias+tanh"},
                 {LOCUM_OP_relu, "product+bias+relu"},
                 {LOCUM_OP_silu, "product+bias+silu"},
                 {LOCUM_OP_gelu, "product+bias+gelu"},
                 {LOCUM_OP_sigmoid, "product+bias+sigmoid"}};
    for (int i = 0; i < 5; i++) {
        fixture f = network_forward(3, 16, 1, cases[i].op, 0, 200);
        locum_text text = {0};
        locum_plan *plan = compile(&f, LOCUM_PLAN_CONSTANT_PARAMETERS, 0);
        CU_ASSERT(locum_plan_n_steps(plan) == 4); /* three hidden layers and the last */
        locum_plan_report(plan, f.extents, NULL, 0, 0, &text);
        CU_ASSERT(count_text(text.data, cases[i].kernel) == 3);
        CU_ASSERT(count_text(text.data, "in panels of") == 1);
        locum_text_free(&text);
        free(plan);
        network_destroy(&f);
    }
}

/* tanh((((x W) / d + a - s) m) 2 - 1) is one step if d, a, s, m do not change, and two, three ... where they may. */
static void affine_maps_of_columns_become_part_of_the_weights(void)
{
    static const char *const names[] = {"a", "s", "m"};
    static const locum_op ops[] = {LOCUM_OP_add, LOCUM_OP_subtract, LOCUM_OP_multiply};
    for (int transposed = 0; transposed < 2; transposed++) {
        locum_graph *graph = NULL;
        CHECK_OK(locum_graph_create(&graph));
        const int64_t x_dims[] = {1, 6}, w_dims[] = {2, transposed ? 9 : 3, transposed ? 3 : 9}, width = 18;
        const locum_id x = locum_input(graph, "x", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), 2, x_dims);
        const locum_id d = locum_parameter(graph, "d", LOCUM_REAL32, 1, &width);
        locum_id y = locum_product(graph, x, locum_parameter(graph, "w", LOCUM_REAL32, 3, w_dims), transposed);
        y = locum_binary(graph, LOCUM_OP_divide, y, locum_scale(graph, d, 0.25, 1)); /* 0.75 .. 1.25 */
        for (int i = 0; i < 3; i++)
            y = locum_binary(graph, ops[i], y, locum_parameter(graph, names[i], LOCUM_REAL32, 1, &width));
        fixture f = {.graph = graph,
                     .n_outputs = 1,
                     .extents = {65},
                     .outputs = {locum_unary(graph, LOCUM_OP_tanh, locum_scale(graph, y, 2, -1))}};
        locum_plan *constant = compile(&f, LOCUM_PLAN_CONSTANT_PARAMETERS | LOCUM_PLAN_POISON, 0),
                   *changing = compile(&f, 0, 0);
        CU_ASSERT(locum_plan_n_steps(constant) == 1);
        CU_ASSERT(locum_plan_n_steps(changing) > 1);
        fixture_result got = fixture_run_plan(&f, constant);
        CHECK_CLOSE(relative_distance(&f, &got), 0, network_tolerance);
        fixture_free(&got);
        free(constant);
        free(changing);
        locum_graph_destroy(graph);
    }
}

static void memory_is_reused(void)
{
    fixture f = network_training(6, 32, 1, LOCUM_OP_tanh, 0, 64);
    locum_plan *plan = compile(&f, 0, 64), *own = compile(&f, LOCUM_PLAN_OWN_BUFFERS, 64);
    CU_ASSERT(2 * (locum_plan_arena_bytes(plan) - plan->values_at) < locum_plan_arena_bytes(own) - own->values_at);
    free(plan);
    free(own);
    network_destroy(&f);
}

static void panels_do_not_change_bits(void)
{
    fixture f = network_training(2, 20, 2, LOCUM_OP_tanh, 0, 300);
    fixture_result whole = fixture_run(&f, best(), 0, NULL, 300, NULL);
    for (int panel = 64; panel <= 256; panel += 64) { /* multiples of the kernels' blocks: sums over rows too */
        fixture_result got = fixture_run(&f, best(), 0, NULL, panel, NULL);
        CU_ASSERT(fixture_same(&whole, &got));
        fixture_free(&got);
    }
    fixture_free(&whole);
    network_destroy(&f);
}

/* --- packing, moving, threads ------------------------------------------------------------------------------------ */

static void packing_once_gives_the_bits_of_packing_always(void)
{
    fixture f = network_forward(3, 24, 2, LOCUM_OP_gelu, NETWORK_NORMALISED, 65);
    fixture_result always = fixture_run(&f, best(), 0, NULL, 0, NULL);
    fixture_result once = fixture_run(&f, best(), LOCUM_PLAN_CONSTANT_PARAMETERS, NULL, 0, NULL);
    CU_ASSERT(fixture_same(&always, &once));
    fixture_free(&always);
    fixture_free(&once);
    network_destroy(&f);
}

static void a_plan_can_be_moved(void)
{
    fixture f = network_training(2, 16, 2, LOCUM_OP_tanh, NETWORK_LAYER_NORM, 65);
    locum_plan *plan = compile(&f, 0, 0);
    fixture_result before = fixture_run_plan(&f, plan);
    const size_t bytes = locum_plan_bytes(plan);
    locum_plan *moved = aligned_alloc(64, (bytes + 63) / 64 * 64);
    memcpy(moved, plan, bytes);
    memset(plan, 0xff, bytes);
    free(plan);
    fixture_result after = fixture_run_plan(&f, moved);
    CU_ASSERT(fixture_same(&before, &after));
    free(moved);
    fixture_free(&before);
    fixture_free(&after);
    network_destroy(&f);
}

typedef struct runner {
    const fixture *f;
    const locum_plan *plan;
    fixture_result result;
} runner;

static void *run_often(void *self)
{
    runner *r = self;
    for (int i = 0; i < 50; i++) {
        if (i) fixture_free(&r->result);
        r->result = fixture_run_plan(r->f, r->plan);
    }
    return NULL;
}

static void threads_share_a_plan(void)
{
    fixture f = network_training(2, 16, 2, LOCUM_OP_silu, 0, 65);
    locum_plan *plan = compile(&f, 0, 0);
    pthread_t thread[4];
    runner runners[4];
    fixture_result alone = fixture_run_plan(&f, plan);
    for (int i = 0; i < 4; i++) {
        runners[i] = (runner){.f = &f, .plan = plan};
        CU_ASSERT(pthread_create(&thread[i], NULL, run_often, &runners[i]) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        CU_ASSERT(fixture_same(&alone, &runners[i].result));
        fixture_free(&runners[i].result);
    }
    fixture_free(&alone);
    free(plan);
    network_destroy(&f);
}

/* --- a planted bug ----------------------------------------------------------------------------------------------- */

static void move_place(plan_place *place, int64_t from, int64_t to)
{
    if (place->base == PLAN_BASE_ARENA && place->offset == from) place->offset = to;
}

/* As if one value's life had been forgotten: all that lies at `from` lies at `to`. */
static void overlap(locum_plan *plan, int64_t from, int64_t to)
{
    plan_step *steps = (plan_step *)((char *)plan + plan->steps_at);
    plan_stream *streams = (plan_stream *)((char *)plan + plan->streams_at);
    for (int32_t i = 0; i < plan->n_streams; i++) move_place(&streams[i].place, from, to);
    for (int32_t i = 0; i < plan->n_steps; i++) {
        if (steps[i].kind != PLAN_PRODUCT && steps[i].kind != PLAN_PRODUCT_ROWS) continue;
        move_place(&steps[i].u.product.a, from, to);
        move_place(&steps[i].u.product.c, from, to);
    }
}

static void values_that_overlap_are_noticed(void)
{
    fixture f = network_training(3, 16, 1, LOCUM_OP_tanh, 0, 9);
    locum_plan *plan = compile(&f, LOCUM_PLAN_POISON, 0);
    const plan_step *steps = plan_at(plan, plan->steps_at);
    int64_t place[2] = {0};
    int n = 0;
    for (int32_t i = 0; i < plan->n_steps && n < 2; i++) /* two hidden layers, both read again on the way back */
        if (steps[i].kind == PLAN_PRODUCT && steps[i].u.product.activation == LOCUM_ACT_TANH)
            place[n++] = steps[i].u.product.c.offset;
    CU_ASSERT_FATAL(n == 2 && place[0] != place[1]);
    fixture_result sound = fixture_run_plan(&f, plan);
    CHECK_CLOSE(relative_distance(&f, &sound), 0, network_tolerance);
    overlap(plan, place[0], place[1]);
    fixture_result broken = fixture_run_plan(&f, plan);
    CU_ASSERT(relative_distance(&f, &broken) > 100 * network_tolerance);
    fixture_free(&sound);
    fixture_free(&broken);
    free(plan);
    network_destroy(&f);
}

/* --- edges ------------------------------------------------------------------------------------------------------- */

static void no_rows_give_empty_results_and_zero_sums(void)
{
    fixture f = network_training(2, 8, 2, LOCUM_OP_tanh, 0, 0);
    const int64_t capacity[LOCUM_SYMBOLS_MAX] = {20};
    fixture_result got = fixture_run(&f, best(), LOCUM_PLAN_POISON, capacity, 0, NULL);
    CU_ASSERT(got.status == LOCUM_OK);
    CU_ASSERT(isnan(got.value[0][0])); /* a mean of nothing */
    network_destroy(&f);
    fixture_free(&got);

    locum_graph *graph = NULL;
    CHECK_OK(locum_graph_create(&graph));
    const int64_t dims[] = {1, 3};
    const int rows_axis = 0;
    const locum_id x = locum_input(graph, "x", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), 2, dims);
    fixture g = {.graph = graph, .n_outputs = 3};
    g.outputs[0] = locum_sum(graph, locum_unary(graph, LOCUM_OP_exp, x), 1, &rows_axis, false);
    g.outputs[1] = locum_product_rows(graph, x, x, 1);
    g.outputs[2] = locum_sum(graph, x, 0, NULL, false);
    fixture_result sums = fixture_run(&g, best(), LOCUM_PLAN_POISON, capacity, 0, NULL);
    for (int i = 0; i < 3; i++)
        for (int64_t k = 0; k < sums.count[i]; k++) CU_ASSERT(sums.value[i][k] == 0.0f);
    fixture_free(&sums);
    locum_graph_destroy(graph);
}

static void unfit_graphs_are_refused(void)
{
    locum_graph *graph = NULL;
    locum_plan *plan = NULL;
    const locum_plan_options options = {.kernels = best(), .capacity = {4}};
    const int64_t dims[] = {1, 3};
    CHECK_OK(locum_graph_create(&graph));
    locum_id y = locum_unary(graph, LOCUM_OP_exp,
                             locum_input(graph, "x", LOCUM_REAL64, locum_graph_symbol(graph, "batch"), 2, dims));
    CHECK_FAILS(locum_plan_create(graph, 1, &y, &options, &plan), LOCUM_NOT_BUILT);
    CU_ASSERT(plan == NULL);
    y = 1000;
    CHECK_FAILS(locum_plan_create(graph, 1, &y, &options, &plan), LOCUM_ARG);
    CHECK_FAILS(locum_plan_create(graph, 0, &y, &options, &plan), LOCUM_ARG);
    y = locum_product(graph, 1, 1, false); /* shapes do not fit: the fault sticks */
    y = 1;
    CHECK_FAILS(locum_plan_create(graph, 1, &y, &options, &plan), LOCUM_ARG);
    CU_ASSERT(plan == NULL);
    locum_graph_destroy(graph);

    CHECK_OK(locum_graph_create(&graph));
    const int64_t wide[] = {1, (int64_t)1 << 40};
    const locum_plan_options large = {.kernels = best(), .capacity = {(int64_t)1 << 40}};
    y = locum_unary(graph, LOCUM_OP_exp,
                    locum_input(graph, "x", LOCUM_REAL32, locum_graph_symbol(graph, "batch"), 2, wide));
    CHECK_FAILS(locum_plan_create(graph, 1, &y, &large, &plan), LOCUM_MEMORY); /* 2^80 values: sizes never wrap */
    locum_graph_destroy(graph);
}

static void names_keep_the_order_of_the_graph(void)
{
    fixture f = network_training(1, 8, 1, LOCUM_OP_tanh, NETWORK_NORMALISED, 4);
    locum_plan *plan = compile(&f, 0, 0);
    static const char *const parameters[] = {"mean",        "rate",        "layer0/weight",
                                             "layer0/bias", "last/weight", "last/bias"};
    static const int64_t counts[] = {5, 5, 40, 8, 24, 3};
    CU_ASSERT_FATAL(locum_plan_n_inputs(plan) == 2 && locum_plan_n_parameters(plan) == 6);
    CU_ASSERT_STRING_EQUAL(locum_plan_input_name(plan, 0), "x");
    CU_ASSERT_STRING_EQUAL(locum_plan_input_name(plan, 1), "target");
    for (int i = 0; i < 6; i++) {
        CU_ASSERT_STRING_EQUAL(locum_plan_parameter_name(plan, i), parameters[i]);
        CU_ASSERT(locum_plan_parameter_count(plan, i) == counts[i]);
    }
    CU_ASSERT_STRING_EQUAL(locum_plan_parameter_name(plan, 6), "");
    free(plan);
    network_destroy(&f);
}

/* Rows 4 .. 8 made alone are those of 0 .. 8; another step draws others. */
static void noise_follows_the_global_row(void)
{
    locum_graph *graph = NULL;
    locum_plan *plan = NULL;
    CHECK_OK(locum_graph_create(&graph));
    const int64_t dims[] = {1, 7};
    const locum_id y = locum_noise(graph, locum_graph_symbol(graph, "batch"), 2, dims, 3);
    const locum_plan_options options = {.kernels = best(), .capacity = {9}};
    CHECK_OK(locum_plan_create(graph, 1, &y, &options, &plan));
    float all[63], part[35], other[63], *out[1] = {all};
    int64_t extents[LOCUM_SYMBOLS_MAX] = {9};
    void *arena = aligned_alloc(64, (locum_plan_arena_bytes(plan) + 63) / 64 * 64);
    locum_plan_run_call call = {.extents = extents, .outputs = out, .arena = arena, .seed = 1, .step = 2};
    locum_plan_run(plan, &call);
    out[0] = other;
    call.step = 3;
    locum_plan_run(plan, &call);
    out[0] = part;
    call.step = 2;
    call.first_row = 4;
    extents[0] = 5;
    locum_plan_run(plan, &call);
    CU_ASSERT(memcmp(all + 28, part, sizeof part) == 0);
    CU_ASSERT(memcmp(all, other, sizeof all) != 0);
    free(arena);
    free(plan);
    locum_graph_destroy(graph);
}

/* --- adapter ----------------------------------------------------------------------------------------------------- */

/* Loops of its own; counts are per test. */
static int adapter_calls[2];

static bool wants_all(int64_t rows, int64_t k, int64_t n, int kind)
{
    (void)kind;
    return rows * k * n > 100;
}

static void adapter_product(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *b,
                            int64_t b_stride, int transposed, float *c, int64_t c_stride)
{
    adapter_calls[0]++;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t i = 0; i < k; i++)
                sum += (double)a[r * a_stride + i] * b[transposed ? j * b_stride + i : i * b_stride + j];
            c[r * c_stride + j] = (float)sum;
        }
}

static void adapter_product_rows(int64_t rows, int64_t k, int64_t n, const float *a, int64_t a_stride, const float *c,
                                 int64_t c_stride, float *w, int64_t w_stride, int accumulate)
{
    adapter_calls[1]++;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = accumulate ? w[i * w_stride + j] : 0;
            for (int64_t r = 0; r < rows; r++) sum += (double)a[r * a_stride + i] * c[r * c_stride + j];
            w[i * w_stride + j] = (float)sum;
        }
}

static void large_products_go_to_the_adapter(void)
{
    const locum_adapter adapter = {"loops", wants_all, adapter_product, adapter_product_rows};
    fixture f = network_training(2, 12, 2, LOCUM_OP_silu, NETWORK_NORMALISED, 65);
    adapter_calls[0] = adapter_calls[1] = 0;
    for (unsigned flags = 0; flags < 8; flags++) {
        fixture_result got = fixture_run(&f, best(), flags | LOCUM_PLAN_POISON, NULL, 16, &adapter);
        CHECK_CLOSE(relative_distance(&f, &got), 0, network_tolerance);
        fixture_free(&got);
    }
    CU_ASSERT(adapter_calls[0] > 0 && adapter_calls[1] > 0);
    network_destroy(&f);
}

/* --- cost -------------------------------------------------------------------------------------------------------- */

static void every_step_is_timed_and_listed(void)
{
    fixture f = network_training(2, 16, 1, LOCUM_OP_tanh, 0, 65);
    locum_plan *plan = compile(&f, 0, 0);
    float x[65 * 5] = {0}, target[65 * 3] = {0};
    const float *inputs[] = {x, target}, *parameters[6];
    float *outputs[FIXTURE_OUTPUTS_MAX];
    double seconds[128] = {0};
    locum_text text = {0};
    CU_ASSERT_FATAL(locum_plan_n_steps(plan) < 128 && locum_plan_n_parameters(plan) == 6);
    for (int i = 0; i < 6; i++) parameters[i] = calloc((size_t)locum_plan_parameter_count(plan, i), sizeof(float));
    for (int i = 0; i < f.n_outputs; i++)
        outputs[i] = calloc((size_t)locum_graph_count(f.graph, f.outputs[i], f.extents), sizeof(float));
    void *arena = aligned_alloc(64, (locum_plan_arena_bytes(plan) + 63) / 64 * 64);
    const locum_plan_run_call call = {.extents = f.extents,
                                      .inputs = inputs,
                                      .parameters = parameters,
                                      .outputs = outputs,
                                      .arena = arena,
                                      .seconds = seconds};
    locum_plan_run(plan, &call);
    for (int i = 0; i < locum_plan_n_steps(plan); i++) CU_ASSERT(seconds[i] > 0);
    locum_plan_report(plan, f.extents, seconds, 1, 1e11, &text);
    CU_ASSERT(text.status == LOCUM_OK && count_text(text.data, "%") == locum_plan_n_steps(plan) + 1);
    CU_ASSERT(count_text(text.data, "\n") >= locum_plan_n_steps(plan) + 3);
    locum_text_free(&text);
    for (int i = 0; i < 6; i++) free((void *)(uintptr_t)parameters[i]);
    for (int i = 0; i < f.n_outputs; i++) free(outputs[i]);
    free(arena);
    free(plan);
    network_destroy(&f);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void compiling_takes_milliseconds(void)
{
    fixture f = network_training(10, 32, 4, LOCUM_OP_gelu, NETWORK_LAYER_NORM, 64);
    double best_time = INFINITY;
    CU_ASSERT(locum_graph_n(f.graph) > 300);
    for (int i = 0; i < 5; i++) {
        const double before = cpu_seconds();
        free(compile(&f, 0, 0));
        best_time = fmin(best_time, cpu_seconds() - before);
    }
#if defined(__SANITIZE_ADDRESS__)
    CHECK_CLOSE(best_time, 0, 0.5); /* checked code is an order of magnitude slower */
#else
    CHECK_CLOSE(best_time, 0, 0.02); /* what the design allows; measured 5 ms */
#endif
    network_destroy(&f);
}

LOCUM_RUN_TESTS("plan", {"networks of every activation are right", networks_of_every_activation_are_right},
                {"gradients of ensembles and norms are right", gradients_of_ensembles_and_norms_are_right},
                {"gradients of forces are right", gradients_of_forces_are_right},
                {"a layer is one step", a_layer_is_one_step},

                {"affine maps of columns become part of the weights",
                 affine_maps_of_columns_become_part_of_the_weights},
                {"memory is reused", memory_is_reused}, {"panels do not change bits", panels_do_not_change_bits},
                {"packing once gives the bits of packing always", packing_once_gives_the_bits_of_packing_always},
                {"a plan can be moved", a_plan_can_be_moved}, {"threads share a plan", threads_share_a_plan},
                {"values that overlap are noticed", values_that_overlap_are_noticed},
                {"no rows give empty results and zero sums", no_rows_give_empty_results_and_zero_sums},
                {"unfit graphs are refused", unfit_graphs_are_refused},
                {"names keep the order of the graph", names_keep_the_order_of_the_graph},
                {"noise follows the global row", noise_follows_the_global_row},
                {"large products go to the adapter", large_products_go_to_the_adapter},
                {"every step is timed and listed", every_step_is_timed_and_listed},
                {"compiling takes milliseconds", compiling_takes_milliseconds})
