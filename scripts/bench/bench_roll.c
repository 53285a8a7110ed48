/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_roll.c - what a roll-out costs beside the evaluations that it is made of, on one core.
 *
 *     100 steps by locum_roll    over    100 locum_eval by a host that swaps two packed float32 arrays
 *
 * The model is a small network on each point of a 64 x 64 field (1 - 32 - 32 - 1): far cheaper than an operator, so that
 * the overhead shows. Both run in turn; processor time, medians over pairs. Prints one JSON object a line. Argument: [pairs, default 21] */
#include "core/memory.h"
#include "locum/model.h"
#include "scripts/bench/timing.h"
#include "surrogate/graph/graph.h"
#include "surrogate/runtime/file.h"

enum { SIDE = 64, POINTS = SIDE * SIDE, WIDTH = 32, STEPS = 100, ROWS_MAX = 8, PAIRS_MAX = 1000 };

static const char ports[] =
    "[{\"name\":\"u\",\"text\":\"\",\"unit\":\"1\",\"dims\":[64,64],\"axis_name\":[\"x\",\"y\"],"
    "\"lower\":-2,\"upper\":2}]";

static locum_status build(locum_graph **graph)
{
    int64_t flat[] = {1, POINTS}, by_point[] = {1, POINTS, 1}, first[] = {1, 1, WIDTH}, middle[] = {1, WIDTH, WIDTH},
            last[] = {1, WIDTH, 1};
    LOCUM_TRY(locum_graph_create(graph));
    locum_graph *g = *graph;
    locum_id u = locum_input(g, "u", LOCUM_REAL32, locum_graph_symbol(g, "batch"), 2, flat);
    locum_id h =
        locum_product(g, locum_reshape(g, u, 3, by_point), locum_parameter(g, "a", LOCUM_REAL32, 3, first), false);
    h = locum_product(g, locum_unary(g, LOCUM_OP_tanh, h), locum_parameter(g, "b", LOCUM_REAL32, 3, middle), false);
    h = locum_product(g, locum_unary(g, LOCUM_OP_tanh, h), locum_parameter(g, "c", LOCUM_REAL32, 3, last), false);
    h = locum_unary(g, LOCUM_OP_tanh, locum_binary(g, LOCUM_OP_add, u, locum_reshape(g, h, 2, flat)));
    locum_output(g, locum_scale(g, h, 1, 0), "u");
    return locum_graph_status(g);
}

static locum_status write_model(locum_text *file)
{
    static float a[WIDTH], b[WIDTH * WIDTH], c[WIDTH];
    locum_graph *graph = NULL;
    locum_text text = {0};
    for (int i = 0; i < WIDTH; i++) a[i] = 0.5f * sinf((float)i), c[i] = 0.02f * cosf((float)i);
    for (int i = 0; i < WIDTH * WIDTH; i++) b[i] = 0.2f * sinf(1.3f * (float)i);
    LOCUM_TRY(build(&graph));
    locum_graph_write(graph, &text);
    locum_graph_destroy(graph);
    locum_metadata metadata[] = {
        {"task", "step"}, {"interval", "1"}, {"inputs", ports}, {"outputs", ports}, {"graph/predict", text.data}};
    locum_tensor tensors[] = {{"a", LOCUM_REAL32, 3, {1, 1, WIDTH}, a},
                              {"b", LOCUM_REAL32, 3, {1, WIDTH, WIDTH}, b},
                              {"c", LOCUM_REAL32, 3, {1, WIDTH, 1}, c}};
    locum_status st = locum_file_write(5, metadata, 3, tensors, file);
    locum_text_free(&text);
    return st;
}

static locum_status ignore(void *self, const locum_roll_frame *frame)
{
    *(float *)self += frame->values[0][0];
    return LOCUM_OK;
}

typedef struct pair {
    locum_context *context;
    int64_t rows;
    float *begin, *state[2], sum;
} pair;

static double roll(pair *p)
{
    locum_buffer in = {p->begin, LOCUM_FLOAT32, POINTS, 1};
    double start = now();
    if (locum_roll(p->context, p->rows, STEPS, &in, 0, ignore, &p->sum)) abort();
    return now() - start;
}

static double evaluate(pair *p)
{
    locum_buffer in = {p->begin, LOCUM_FLOAT32, POINTS, 1}, out = {NULL, LOCUM_FLOAT32, POINTS, 1};
    double start = now();
    for (int i = 0; i < STEPS; i++) {
        out.data = p->state[i % 2];
        if (locum_eval(p->context, p->rows, &in, &out, NULL)) abort();
        in.data = out.data;
        p->sum += *(float *)out.data;
    }
    return now() - start;
}

static locum_status bench_rows(const locum_model *model, int64_t rows, int pairs)
{
    static double rolls[PAIRS_MAX], evals[PAIRS_MAX];
    pair p = {.rows = rows};
    void *memory = NULL;
    size_t bytes = locum_model_workspace(model, rows);
    LOCUM_TRY(locum_alloc(&memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(model, rows, memory, bytes, &p.context));
    LOCUM_TRY(LOCUM_NEW(&p.begin, rows * POINTS));
    for (int i = 0; i < 2; i++) LOCUM_TRY(LOCUM_NEW(&p.state[i], rows * POINTS));
    for (int64_t i = 0; i < rows * POINTS; i++) p.begin[i] = sinf(0.01f * (float)i);
    roll(&p), evaluate(&p); /* warm */
    for (int i = 0; i < pairs; i++) rolls[i] = roll(&p), evals[i] = evaluate(&p);
    qsort(rolls, (size_t)pairs, sizeof *rolls, ascending);
    qsort(evals, (size_t)pairs, sizeof *evals, ascending);
    printf("{\"case\":\"roll_out_b%d\",\"steps\":%d,\"roll_ms\":%.3f,\"evals_ms\":%.3f,\"overhead_percent\":%.2f,"
           "\"overhead_of_fastest_percent\":%.2f}\n",
           (int)rows, STEPS, rolls[pairs / 2] * 1e3, evals[pairs / 2] * 1e3,
           (rolls[pairs / 2] / evals[pairs / 2] - 1) * 100, (rolls[0] / evals[0] - 1) * 100);
    free(memory);
    free(p.begin);
    free(p.state[0]);
    free(p.state[1]);
    return LOCUM_OK;
}

int main(int n_arguments, char **arguments)
{
    int pairs = n_arguments > 1 ? atoi(arguments[1]) : 21;
    locum_text file = {0};
    locum_model *model = NULL;
    if (pairs < 1 || pairs > PAIRS_MAX) pairs = 21;
    locum_status st = write_model(&file);
    if (!st) st = locum_model_open(file.data, file.size, NULL, &model, NULL, 0);
    for (int64_t rows = 1; rows <= ROWS_MAX && !st; rows *= ROWS_MAX) st = bench_rows(model, rows, pairs);
    locum_model_close(model);
    locum_text_free(&file);
    if (st) fprintf(stderr, "%s: %s\n", locum_status_name(st), locum_status_message());
    return locum_status_exit_code(st);
}
