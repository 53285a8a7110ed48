/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_mlp.c - what a small network costs, on one core.
 *
 *     infer_b<rows>     MLP 8-64-64-64-4 tanh through locum_eval, packed float32, normalisers included
 *     train_b256        MLP 8-128-128-128-4 tanh, batch 256: loss, gradient, AdamW
 *
 * Prints one JSON object a line: {case, median_us, min_us, repeats, flops, kernels}. Times are wall time of a batch of
 * calls over its number, median over such batches. Arguments: [seconds per case, default 1] [instruction set]. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "locum/model.h"
#include "surrogate/train/internal.h"

enum { N_X = 8, N_Z = 4, SAMPLES_MAX = 20000 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* calls `work` for so many seconds, in batches of at least 20 us, and prints the line */
static void measure(const char *name, double seconds, double flops, const char *kernels, void (*work)(void *self),
                    void *self)
{
    static double samples[SAMPLES_MAX];
    int n = 0, calls = 1;
    double begin, took = 0;
    for (;; calls *= 2) { /* warms up, too */
        begin = now();
        for (int i = 0; i < calls; i++) work(self);
        took = now() - begin;
        if (took > 2e-5) break;
    }
    double end = now() + seconds;
    while (n < SAMPLES_MAX && (n < 5 || now() < end)) {
        begin = now();
        for (int i = 0; i < calls; i++) work(self);
        samples[n++] = (now() - begin) / calls * 1e6;
    }
    qsort(samples, (size_t)n, sizeof *samples, ascending);
    printf("{\"case\":\"%s\",\"median_us\":%.4f,\"min_us\":%.4f,\"repeats\":%d,\"calls\":%d,\"flops\":%.0f,\"gflops\":%"
           ".2f,\"kernels\":\"%s\"}\n",
           name, samples[n / 2], samples[0], n, calls, flops, flops / samples[n / 2] * 1e-3, kernels);
    fflush(stdout);
}

/* --- the network -------------------------------------------------------------------------------------------------- */
static double ones[N_X] = {1, 1, 1, 1, 1, 1, 1, 1}, zeros[N_X];

static locum_task make_task(locum_channel *input, locum_channel *output)
{
    *input = (locum_channel){.name = "x",
                             .unit = "1",
                             .n_dims = 1,
                             .dims = {N_X},
                             .extent = N_X,
                             .mean = zeros,
                             .scale = ones,
                             .lower = -9,
                             .upper = 9};
    *output = (locum_channel){.name = "y",
                              .unit = "1",
                              .n_dims = 1,
                              .dims = {N_Z},
                              .extent = N_Z,
                              .mean = zeros,
                              .scale = ones,
                              .lower = -9,
                              .upper = 9};
    return (locum_task){
        .n_inputs = 1, .n_outputs = 1, .inputs = input, .outputs = output, .n_x = N_X, .n_z = N_Z, .members = 1};
}

static void set_option(int32_t *config, const char *name, int32_t value)
{
    for (const locum_option *o = locum_model_mlp.options; o->type != LOCUM_END; o++)
        if (!strcmp(o->name, name)) memcpy((char *)config + o->place, &value, sizeof value);
}

static double weights_of(int width)
{
    return 2.0 * (N_X * width + 2 * width * width + width * N_Z); /* flops of one row forward */
}

static locum_status make_file(const locum_task *task, const int32_t *config, const train_network *net,
                              const float *parameters, locum_text *file)
{
    static const float one[N_X] = {1, 1, 1, 1, 1, 1, 1, 1}, zero[N_X];
    locum_graph *graph = NULL;
    locum_text predict = {0}, inputs = {0}, outputs = {0};
    locum_tensor tensors[64] = {{.name = "normal/x/mean", .n_dims = 1, .dims = {N_X}, .data = zero},
                                {.name = "normal/x/rate", .n_dims = 1, .dims = {N_X}, .data = one},
                                {.name = "normal/z/mean", .n_dims = 1, .dims = {N_Z}, .data = zero},
                                {.name = "normal/z/scale", .n_dims = 1, .dims = {N_Z}, .data = one}};
    int n = 4;
    for (int i = 0; i < net->n_slots; i++, n++) {
        tensors[n] = (locum_tensor){
            .name = net->slots[i].name, .n_dims = net->slots[i].n_dims, .data = parameters + net->slots[i].first};
        memcpy(tensors[n].dims, net->slots[i].dims, sizeof tensors[n].dims);
    }
    LOCUM_TRY(locum_model_predict_graph(&locum_model_mlp, config, task, &graph));
    locum_graph_write(graph, &predict);
    locum_graph_destroy(graph);
    locum_task_write_ports(1, task->inputs, &inputs);
    locum_task_write_ports(1, task->outputs, &outputs);
    locum_metadata metadata[] = {{"inputs", inputs.data}, {"outputs", outputs.data}, {"graph/predict", predict.data}};
    locum_status st = locum_file_write(3, metadata, n, tensors, file);
    locum_text_free(&predict);
    locum_text_free(&inputs);
    locum_text_free(&outputs);
    return st;
}

/* --- (a) evaluation ----------------------------------------------------------------------------------------------- */
typedef struct evaluation {
    locum_context *context;
    int64_t rows;
    locum_buffer in, out;
} evaluation;

static void evaluate(void *self)
{
    const evaluation *e = self;
    if (locum_eval(e->context, e->rows, &e->in, &e->out, NULL)) abort();
}

static locum_status bench_rows(const locum_model *model, int64_t rows, double seconds, const char *kernels)
{
    char name[40];
    void *memory = NULL;
    float *x = NULL, *y = NULL;
    evaluation e = {.rows = rows};
    size_t bytes = locum_model_workspace(model, rows);
    LOCUM_TRY(locum_alloc(&memory, (int64_t)bytes, 1));
    LOCUM_TRY(locum_model_prepare(model, rows, memory, bytes, &e.context));
    LOCUM_TRY(LOCUM_NEW(&x, rows * N_X));
    LOCUM_TRY(LOCUM_NEW(&y, rows * N_Z));
    for (int64_t i = 0; i < rows * N_X; i++) x[i] = (float)sin((double)i);
    e.in = (locum_buffer){x, LOCUM_FLOAT32, N_X, 1};
    e.out = (locum_buffer){y, LOCUM_FLOAT32, N_Z, 1};
    snprintf(name, sizeof name, "infer_b%d", (int)rows);
    measure(name, seconds, weights_of(64) * (double)rows, kernels, evaluate, &e);
    free(x);
    free(y);
    free(memory);
    return LOCUM_OK;
}

static locum_status bench_evaluation(double seconds, const char *level)
{
    static const int64_t rows[] = {1, 32, 256, 4096};
    locum_channel input, output;
    locum_task task = make_task(&input, &output);
    int32_t config[8] = {0};
    train_network *net = NULL;
    float *parameters = NULL;
    locum_text file = {0};
    locum_model *model = NULL;
    locum_open_options options = {.level = level};
    set_option(config, "layers", 3);
    set_option(config, "width", 64);
    const locum_kernels *kernels = locum_kernels_for(LOCUM_CPU_AVX512);
    train_network_request request = {
        .type = &locum_model_mlp, .config = config, .task = &task, .kernels = kernels, .shard_rows = 8};
    LOCUM_TRY(locum_train_network_create(&request, &net));
    LOCUM_TRY(LOCUM_NEW(&parameters, net->n));
    locum_train_network_initialise(net, 1, parameters);
    LOCUM_TRY(make_file(&task, config, net, parameters, &file));
    LOCUM_TRY(locum_model_open(file.data, file.size, &options, &model, NULL, 0));
    for (int i = 0; i < 4; i++) LOCUM_TRY(bench_rows(model, rows[i], seconds, level ? level : kernels->name));
    locum_model_close(model);
    locum_text_free(&file);
    free(parameters);
    locum_train_network_destroy(net);
    return LOCUM_OK;
}

/* --- (b) a step of training --------------------------------------------------------------------------------------- */
typedef struct training {
    train_network *net;
    train_state state;
    train_recipe recipe;
    float *x, *z, *gradient;
    int64_t rows;
} training;

static void train_step(void *self)
{
    training *t = self;
    double loss;
    locum_train_network_pack(t->net, t->state.parameters);
    locum_train_network_gradient(t->net, t->state.parameters, t->rows, (const float *const[]){t->x, t->z},
                                 &(train_key){0}, t->gradient, &loss);
    locum_train_optimise(&t->recipe, t->net->kernels, t->gradient, t->rows, &t->state);
    if (!isfinite(loss)) abort();
}

static locum_status bench_step(double seconds)
{
    locum_channel input, output;
    locum_task task = make_task(&input, &output);
    int32_t config[8] = {0};
    training t = {.rows = 256,
                  .recipe = {.steps = 1 << 30, .learning_rate = 1e-4, .final_learning_rate = 1e-4, .members = 1}};
    set_option(config, "layers", 3);
    set_option(config, "width", 128);
    train_network_request request = {.type = &locum_model_mlp,
                                     .config = config,
                                     .task = &task,
                                     .kernels = locum_kernels_for(LOCUM_CPU_AVX512),
                                     .shard_rows = t.rows};
    LOCUM_TRY(locum_train_network_create(&request, &t.net));
    LOCUM_TRY(locum_train_state_create(t.net->n, &t.state));
    LOCUM_TRY(LOCUM_NEW(&t.gradient, t.net->n));
    LOCUM_TRY(LOCUM_NEW(&t.x, t.rows * N_X));
    LOCUM_TRY(LOCUM_NEW(&t.z, t.rows * N_Z));
    locum_train_network_initialise(t.net, 1, t.state.parameters);
    for (int64_t i = 0; i < t.rows * N_X; i++) t.x[i] = (float)sin((double)i);
    for (int64_t i = 0; i < t.rows * N_Z; i++) t.z[i] = (float)cos((double)i);
    /* forward, gradient of weights, gradient of inputs of all layers but the first */
    measure("train_b256", seconds, (double)t.rows * (3 * weights_of(128) - 2.0 * N_X * 128), t.net->kernels->name,
            train_step, &t);
    locum_train_state_free(&t.state);
    locum_train_network_destroy(t.net);
    free(t.gradient);
    free(t.x);
    free(t.z);
    return LOCUM_OK;
}

int main(int n_arguments, char **arguments)
{
    double seconds = n_arguments > 1 ? atof(arguments[1]) : 1;
    locum_status st = bench_evaluation(seconds, n_arguments > 2 ? arguments[2] : NULL);
    if (!st) st = bench_step(seconds);
    if (st) fprintf(stderr, "%s: %s\n%s", locum_status_name(st), locum_status_message(), locum_status_trace());
    return locum_status_exit_code(st);
}
