/* SPDX-License-Identifier: BSD-3-Clause */
/* model.c - opens a model file into one block of the host's memory (see model.h), and answers questions about it.
 *
 * The block is measured and filled by the same walk: first with no memory (only counting), then for real. Temporary
 * memory of open and prepare (the JSON tree, graphs while they are compiled) comes from malloc and is gone when they
 * return. */
#include "surrogate/runtime/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

#define FILE_BYTES_MAX ((size_t)4 << 30)
#define ALIGNMENT 64
#define NODE_VALUES_MAX \
    ((int64_t)1 << 28) /* values a row of one node, and of all: times the rows of a call, no size overflows */
#define GRAPH_VALUES_MAX ((int64_t)1 << 32)

/* --- a bump allocator that only counts while base is NULL --------------------------------------------------------- */
typedef struct block {
    char *base;
    size_t used;
} block;

static void *block_take(block *b, size_t bytes)
{
    size_t at = (b->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    b->used = at + bytes;
    return b->base ? b->base + at : NULL;
}

static const char *block_text(block *b, const char *text)
{
    size_t n = strlen(text) + 1, at = b->used;
    b->used += n;
    return b->base ? memcpy(b->base + at, text, n) : NULL;
}

/* --- ports -------------------------------------------------------------------------------------------------------- */
static const char *text_or_empty(const locum_json *json, locum_json_node object, const char *key)
{
    const char *text = locum_json_string(json, locum_json_find(json, object, key));
    return text ? text : "";
}

static const double *read_axis(const locum_json *json, locum_json_node list, int64_t n, block *b, locum_status *st)
{
    double *axis = block_take(b, (size_t)n * sizeof *axis);
    if (locum_json_n(json, list) != n)
        *st = LOCUM_FAIL(LOCUM_DAMAGED, "model file: an axis of a port has the wrong length");
    locum_json_node item = locum_json_first(json, list);
    for (int64_t i = 0; i < n && !*st; i++, item = locum_json_next(json, item)) {
        double value = 0;
        if (!locum_json_number(json, item, &value))
            *st = LOCUM_FAIL(LOCUM_DAMAGED, "model file: an axis of a port is not a list of numbers");
        if (axis) axis[i] = value;
    }
    return axis;
}

static locum_status read_port(const locum_json *json, locum_json_node node, block *b, locum_port *port)
{
    locum_json_node dims = locum_json_find(json, node, "dims"), names = locum_json_find(json, node, "axis_name");
    locum_json_node axes = locum_json_find(json, node, "axis");
    const char *name = text_or_empty(json, node, "name");
    locum_status st = LOCUM_OK;

    LOCUM_REQUIRE(*name && strlen(name) < 256, LOCUM_DAMAGED, "model file: a port has no name, or a very long one");
    LOCUM_REQUIRE(locum_json_kind_of(json, dims) == LOCUM_JSON_ARRAY && locum_json_n(json, dims) <= LOCUM_PORT_DIMS,
                  LOCUM_DAMAGED, "model file: port `%.60s` has no dims, or more than %d", name, LOCUM_PORT_DIMS);
    *port = (locum_port){.n_dims = (int)locum_json_n(json, dims), .extent = 1, .lower = -HUGE_VAL, .upper = HUGE_VAL};
    port->name = block_text(b, name);
    port->text = block_text(b, text_or_empty(json, node, "text"));
    port->unit = block_text(b, text_or_empty(json, node, "unit"));
    locum_json_node dim = locum_json_first(json, dims), axis_name = locum_json_first(json, names),
                    axis = locum_json_first(json, axes);
    for (int d = 0; d < port->n_dims && !st; d++) {
        bool known = locum_json_integer(json, dim, &port->dims[d]) && port->dims[d] >= 1 && port->dims[d] <= INT32_MAX;
        LOCUM_REQUIRE(known && !__builtin_mul_overflow(port->extent, port->dims[d], &port->extent) &&
                          port->extent <= INT32_MAX,
                      LOCUM_DAMAGED, "model file: port `%.60s` has an impossible shape", name);
        if (locum_json_string(json, axis_name)) port->axis_name[d] = block_text(b, locum_json_string(json, axis_name));
        /* [] where a dimension has no coordinates: history, components */
        if (axis >= 0 && locum_json_kind_of(json, axis) == LOCUM_JSON_ARRAY && locum_json_n(json, axis) > 0)
            port->axis[d] = read_axis(json, axis, port->dims[d], b, &st);
        dim = locum_json_next(json, dim);
        axis_name = axis_name >= 0 ? locum_json_next(json, axis_name) : -1;
        axis = axis >= 0 ? locum_json_next(json, axis) : -1;
    }
    locum_json_number(json, locum_json_find(json, node, "lower"), &port->lower);
    locum_json_number(json, locum_json_find(json, node, "upper"), &port->upper);
    return st;
}

static locum_status read_ports(const locum_file *file, const char *key, block *b, int *n_ports,
                               const locum_port **ports)
{
    const char *text = locum_file_metadata(file, key);
    locum_json *json = NULL;
    locum_port unused;

    LOCUM_REQUIRE(text, LOCUM_DAMAGED, "model file: it does not describe its %s", key);
    LOCUM_TRY(locum_json_parse(text, strlen(text), 1000000, &json));
    int64_t n = locum_json_n(json, 0);
    locum_status st = LOCUM_OK;
    if (locum_json_kind_of(json, 0) != LOCUM_JSON_ARRAY || n < 1 || n > LOCUM_PORTS_MAX)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "model file: %" PRId64 " %s; 1 to %d are possible", n, key, LOCUM_PORTS_MAX);
    locum_port *made = st ? NULL : block_take(b, (size_t)n * sizeof *made);
    locum_json_node node = locum_json_first(json, 0);
    for (int64_t i = 0; i < n && !st; i++, node = locum_json_next(json, node))
        st = read_port(json, node, b, made ? &made[i] : &unused);
    for (int64_t i = 0; i < n && made && !st; i++)
        for (int64_t j = 0; j < i && !st; j++)
            if (!strcmp(made[i].name, made[j].name))
                st = LOCUM_FAIL(LOCUM_DAMAGED, "model file: two of its %s are called `%.80s`", key, made[i].name);
    locum_json_destroy(json);
    *n_ports = (int)n;
    *ports = made;
    return st;
}

/* --- tensors and texts -------------------------------------------------------------------------------------------- */
static void copy_tensors(const locum_file *file, block *b, locum_model *model)
{
    locum_tensor *tensors = block_take(b, (size_t)file->n_tensors * sizeof *tensors);
    for (int i = 0; i < file->n_tensors; i++) {
        const locum_tensor *from = &file->tensors[i];
        size_t bytes = (size_t)locum_tensor_count(from) * (from->number == LOCUM_REAL64 ? 8 : 4);
        const char *name = block_text(b, from->name);
        void *data = block_take(b, bytes);
        if (!b->base) continue;
        tensors[i] = *from;
        tensors[i].name = name;
        tensors[i].data = memcpy(data, from->data, bytes);
    }
    model->n_tensors = file->n_tensors;
    model->tensors = tensors;
}

static void copy_metadata(const locum_file *file, block *b, locum_model *model)
{
    const locum_json *json = file->header;
    int64_t n = locum_json_n(json, file->metadata);
    locum_metadata *pairs = block_take(b, (size_t)n * sizeof *pairs);
    int kept = 0;
    for (locum_json_node m = locum_json_first(json, file->metadata); m >= 0; m = locum_json_next(json, m)) {
        const char *key = locum_json_key(json, m), *value = locum_json_string(json, m);
        if (!value || !strncmp(key, "xxh3/", 5) || !strncmp(key, "graph/", 6)) continue;
        key = block_text(b, key);
        value = block_text(b, value);
        if (pairs) pairs[kept] = (locum_metadata){key, value};
        kept++;
    }
    model->n_metadata = kept;
    model->metadata = pairs;
}

static locum_status find_table(const locum_model *model, const char *name, locum_trust_table *table)
{
    const locum_tensor *tensor = locum_model_tensor(model, name);
    *table = (locum_trust_table){0};
    if (!tensor) return LOCUM_OK;
    LOCUM_REQUIRE(tensor->number == LOCUM_REAL64 && tensor->n_dims == 1, LOCUM_DAMAGED,
                  "model file: `%s` is not a list of float64", name);
    table->n = tensor->dims[0];
    table->sorted = tensor->data;
    for (int64_t i = 1; i < table->n; i++)
        LOCUM_REQUIRE(table->sorted[i] >= table->sorted[i - 1], LOCUM_DAMAGED,
                      "model file: `%s` is not in ascending order", name);
    return LOCUM_OK;
}

static locum_status fill(const locum_file *file, block *b, locum_model *model)
{
    static const char *const entry[LOCUM_ENTRIES] = {"graph/predict", "graph/interval"};
    LOCUM_TRY(read_ports(file, "inputs", b, &model->n_inputs, &model->inputs));
    LOCUM_TRY(read_ports(file, "outputs", b, &model->n_outputs, &model->outputs));
    for (int e = 0; e < LOCUM_ENTRIES; e++) {
        const char *text = locum_file_metadata(file, entry[e]);
        model->graph[e] = text ? block_text(b, text) : NULL;
    }
    copy_metadata(file, b, model);
    copy_tensors(file, b, model);
    return LOCUM_OK;
}

static const struct {
    const char *output, *table;
} measure[LOCUM_MEASURES] = {{"distance", "trust/distances"},
                             {"spread", "trust/spreads"},
                             {"energy", "trust/energies"},
                             {"divergence", "trust/divergences"}};

static locum_status check_tables(locum_model *model)
{
    LOCUM_TRY(find_table(model, "trust/scores", &model->scores));
    for (int i = 0; i < LOCUM_MEASURES; i++) LOCUM_TRY(find_table(model, measure[i].table, &model->measures[i]));
    return LOCUM_OK;
}

/* --- graphs and plans --------------------------------------------------------------------------------------------- */
static locum_status expect_rows(const locum_graph *graph, locum_id id, const char *name, int64_t extent)
{
    const locum_node *node = id > 0 ? locum_graph_node(graph, id) : NULL;
    LOCUM_REQUIRE(node && node->symbol == 0 && node->n_dims == 2 && node->dims[0] == 1 && node->dims[1] == extent &&
                      node->number == LOCUM_REAL32,
                  LOCUM_DAMAGED, "model file: its graph does not have `%.80s` as [batch, %" PRId64 "] of float32", name,
                  extent);
    return LOCUM_OK;
}

static locum_status expect_output(const locum_graph *graph, int i, const char *name, int64_t extent)
{
    locum_id id = i < locum_graph_n_outputs(graph) ? locum_graph_output(graph, i) : 0;
    LOCUM_REQUIRE(id > 0 && !strcmp(locum_graph_name(graph, id), name), LOCUM_DAMAGED,
                  "model file: output %d of its graph is not `%.80s`", i, name);
    return expect_rows(graph, id, name, extent);
}

static bool has_output(const locum_graph *graph, int i, const char *name)
{
    return i < locum_graph_n_outputs(graph) && !strcmp(locum_graph_name(graph, locum_graph_output(graph, i)), name);
}

static const locum_port *input_port(const locum_model *model, const char *name)
{
    for (int i = 0; i < model->n_inputs; i++)
        if (!strcmp(model->inputs[i].name, name)) return &model->inputs[i];
    return NULL;
}

/* whatever eval does not fill must not be asked for; sizes stay where no product of them can overflow */
static locum_status check_nodes(const locum_model *model, int entry, const locum_graph *graph)
{
    int64_t total = 0;
    for (locum_id id = 1; id <= locum_graph_n(graph); id++) {
        const locum_node *node = locum_graph_node(graph, id);
        const char *name = locum_graph_name(graph, id);
        int64_t count = 1;
        for (int d = 0; d < node->n_dims; d++)
            LOCUM_REQUIRE(!__builtin_mul_overflow(count, node->dims[d], &count) && count <= NODE_VALUES_MAX,
                          LOCUM_DAMAGED, "model file: node %d of its graph has more than %" PRId64 " values a row",
                          (int)id, NODE_VALUES_MAX);
        LOCUM_REQUIRE((total += count) <= GRAPH_VALUES_MAX, LOCUM_DAMAGED,
                      "model file: its graph has more than %" PRId64 " values a row", GRAPH_VALUES_MAX);
        if (node->op != LOCUM_OP_input) continue;
        const locum_port *port = input_port(model, name);
        bool quantile = !port && entry == LOCUM_ENTRY_INTERVAL && !strcmp(name, "quantile") && node->symbol < 0 &&
                        count == 1 && node->number == LOCUM_REAL32;
        LOCUM_REQUIRE(port || quantile, LOCUM_DAMAGED,
                      "model file: its graph asks for `%.80s`, which is none of its inputs", name);
        if (port) LOCUM_TRY(expect_rows(graph, id, name, port->extent));
    }
    return LOCUM_OK;
}

static locum_status check_graph(const locum_model *model, int entry, const locum_graph *graph)
{
    static const char *const kind[] = {"value", "lower", "upper"};
    int at = 0;
    char name[300];
    LOCUM_REQUIRE(locum_graph_n_symbols(graph) == 1, LOCUM_DAMAGED, "model file: its graph has %d symbols, 1 expected",
                  locum_graph_n_symbols(graph));
    LOCUM_TRY(check_nodes(model, entry, graph));
    for (int i = 0; i < model->n_outputs; i++) {
        const locum_port *port = &model->outputs[i];
        if (entry == LOCUM_ENTRY_PREDICT) LOCUM_TRY(expect_output(graph, at++, port->name, port->extent));
        for (int k = 0; k < LOCUM_KINDS && entry == LOCUM_ENTRY_INTERVAL; k++) {
            snprintf(name, sizeof name, "%s/%s", kind[k], port->name);
            LOCUM_TRY(expect_output(graph, at++, name, port->extent));
        }
    }
    for (int i = 0; i < LOCUM_MEASURES && entry == LOCUM_ENTRY_INTERVAL; i++)
        if (i <= LOCUM_MEMBERS_SPREAD || has_output(graph, at, measure[i].output))
            LOCUM_TRY(expect_output(graph, at++, measure[i].output, 1));
    LOCUM_REQUIRE(at == locum_graph_n_outputs(graph), LOCUM_DAMAGED,
                  "model file: its graph has %d outputs, %d expected", locum_graph_n_outputs(graph), at);
    return LOCUM_OK;
}

locum_status locum_model_graph(const locum_model *model, int entry, locum_graph **graph)
{
    const char *text = model->graph[entry];
    locum_json *json = NULL;
    *graph = NULL;
    LOCUM_REQUIRE(text || entry == LOCUM_ENTRY_PREDICT, LOCUM_ARG,
                  "this model has no intervals: it was not calibrated");
    LOCUM_REQUIRE(text, LOCUM_DAMAGED, "model file: it has no graph `predict`");
    locum_status st = locum_json_parse(text, strlen(text), LOCUM_FILE_NODES_MAX * 40, &json);
    if (!st) st = locum_graph_read(json, 0, LOCUM_FILE_NODES_MAX, graph);
    if (!st) st = check_graph(model, entry, *graph);
    if (st) {
        locum_graph_destroy(*graph);
        *graph = NULL;
    }
    locum_json_destroy(json);
    return st;
}

/* which measures the interval graph has, and where */
static locum_status find_measures(locum_model *model)
{
    locum_graph *graph = NULL;
    int at = LOCUM_KINDS * model->n_outputs;
    for (int i = 0; i < LOCUM_MEASURES; i++) model->measure_at[i] = -1;
    if (!model->graph[LOCUM_ENTRY_INTERVAL]) return LOCUM_OK;
    LOCUM_TRY(locum_model_graph(model, LOCUM_ENTRY_INTERVAL, &graph));
    for (int i = 0; i < LOCUM_MEASURES; i++)
        if (has_output(graph, at, measure[i].output)) model->measure_at[i] = at++;
    locum_graph_destroy(graph);
    return LOCUM_OK;
}

/* every parameter of the plan must be a tensor of that many float32 values */
static locum_status check_parameters(const locum_model *model, const locum_plan *plan)
{
    for (int i = 0; i < locum_plan_n_parameters(plan); i++) {
        const char *name = locum_plan_parameter_name(plan, i);
        const locum_tensor *tensor = locum_model_tensor(model, name);
        LOCUM_REQUIRE(tensor && tensor->number == LOCUM_REAL32 &&
                          locum_tensor_count(tensor) == locum_plan_parameter_count(plan, i),
                      LOCUM_DAMAGED,
                      "model file: the graph's parameter `%.80s` is not among its tensors, or has another size", name);
    }
    return LOCUM_OK;
}

locum_status locum_model_plan(const locum_model *model, int entry, int64_t max_rows, locum_plan **plan)
{
    locum_graph *graph = NULL;
    locum_id *outputs = NULL;
    locum_plan_options options = {
        .kernels = model->kernels, .capacity = {max_rows}, .flags = LOCUM_PLAN_CONSTANT_PARAMETERS};

    *plan = NULL;
    locum_status st = locum_model_graph(model, entry, &graph);
    int n = st ? 0 : locum_graph_n_outputs(graph);
    if (!st) st = LOCUM_NEW(&outputs, n);
    for (int i = 0; i < n && !st; i++) outputs[i] = locum_graph_output(graph, i);
    if (!st) st = locum_plan_create(graph, n, outputs, &options, plan);
    if (st == LOCUM_ARG || st == LOCUM_NOT_BUILT) {
        char text[256];
        snprintf(text, sizeof text, "%.255s", locum_status_message());
        st = LOCUM_FAIL(LOCUM_DAMAGED, "model file: its graph cannot be run by this version: %s", text);
    }
    if (!st) st = check_parameters(model, *plan);
    if (st) {
        free(*plan);
        *plan = NULL;
    }
    free(outputs);
    locum_graph_destroy(graph);
    return st;
}

/* --- open and close ----------------------------------------------------------------------------------------------- */
static void *malloc_aligned(void *self, size_t bytes)
{
    (void)self;
    return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

static void free_aligned(void *self, void *memory)
{
    (void)self;
    free(memory);
}

static locum_status choose_kernels(const char *level, const locum_kernels **kernels)
{
    if (!level) {
        *kernels = locum_kernels_for(locum_cpu_best());
        return LOCUM_OK;
    }
    for (int l = LOCUM_CPU_PORTABLE; l <= LOCUM_CPU_AVX512; l++)
        if (!strcmp(level, locum_cpu_level_name((locum_cpu_level)l))) {
            *kernels = locum_kernels_for((locum_cpu_level)l);
            return LOCUM_OK;
        }
    return LOCUM_FAIL(LOCUM_ARG, "no instruction-set level `%.30s`; there are portable, avx2, avx512", level);
}

static locum_status make_model(const locum_file *file, const locum_open_options *options, locum_model **model)
{
    static const locum_allocator standard = {NULL, malloc_aligned, free_aligned};
    const locum_allocator *allocator = options && options->allocator ? options->allocator : &standard;
    locum_model head = {.allocator = *allocator};
    block count = {0};

    LOCUM_TRY(choose_kernels(options ? options->level : NULL, &head.kernels));
    block_take(&count, sizeof head);
    LOCUM_TRY(fill(file, &count, &head));
    char *base = allocator->allocate(allocator->self, count.used);
    LOCUM_REQUIRE(base, LOCUM_MEMORY, "the model needs %zu bytes, which the allocator does not give", count.used);
    block real = {.base = base};
    locum_model *made = block_take(&real, sizeof head);
    locum_status st = fill(file, &real, &head);
    if (!st) st = check_tables(&head);
    if (!st) st = locum_model_read_task(&head);
    if (!st) st = find_measures(&head);
    *made = head;
    for (int e = 0; e < LOCUM_ENTRIES && !st; e++) { /* whatever opens must also run */
        locum_plan *plan = NULL;
        if (e == LOCUM_ENTRY_PREDICT || head.graph[e]) st = locum_model_plan(made, e, 1, &plan);
        free(plan);
    }
    if (st) allocator->release(allocator->self, base);
    *model = st ? NULL : made;
    return st;
}

static locum_status tell(locum_status st, char *message, size_t message_size)
{
    if (message && message_size) snprintf(message, message_size, "%s", st ? locum_status_message() : "");
    return st;
}

static locum_status open_bytes(const void *bytes, size_t n_bytes, const locum_open_options *options,
                               locum_model **model)
{
    size_t limit = options && options->max_bytes ? options->max_bytes : FILE_BYTES_MAX;
    locum_file file;

    LOCUM_REQUIRE(model, LOCUM_ARG, "locum_model_open: model is NULL");
    *model = NULL;
    LOCUM_REQUIRE(bytes, LOCUM_ARG, "locum_model_open: bytes is NULL");
    LOCUM_REQUIRE(n_bytes <= limit, LOCUM_ARG, "model file: %zu bytes, but at most %zu are allowed", n_bytes, limit);
    LOCUM_TRY(locum_file_read(bytes, n_bytes, &file));
    locum_status st = make_model(&file, options, model);
    locum_file_free(&file);
    return st;
}

locum_status locum_model_open(const void *bytes, size_t n_bytes, const locum_open_options *options, locum_model **model,
                              char *message, size_t message_size)
{
    return tell(open_bytes(bytes, n_bytes, options, model), message, message_size);
}

static locum_status load(const char *path, size_t limit, char **bytes, size_t *n)
{
    *bytes = NULL;
    FILE *file = path ? fopen(path, "rb") : NULL;
    LOCUM_REQUIRE(file, LOCUM_INPUT, "cannot open the model `%s`", path ? path : "(NULL)");
    locum_status st = LOCUM_OK;
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    if (size < 0 || fseek(file, 0, SEEK_SET))
        st = LOCUM_FAIL(LOCUM_INPUT, "cannot read the model `%s`: not a file", path);
    if (!st && (size_t)size > limit)
        st = LOCUM_FAIL(LOCUM_INPUT, "the model `%s` has %ld bytes; at most %zu are allowed", path, size, limit);
    if (!st) st = locum_alloc(bytes, size + 1, 1);
    if (!st && fread(*bytes, 1, (size_t)size, file) != (size_t)size)
        st = LOCUM_FAIL(LOCUM_INPUT, "cannot read the model `%s`", path);
    fclose(file);
    *n = (size_t)size;
    return st;
}

locum_status locum_model_read(const char *path, const locum_open_options *options, locum_model **model, char *message,
                              size_t message_size)
{
    char *bytes = NULL;
    size_t n = 0;
    if (model) *model = NULL;
    locum_status st = load(path, options && options->max_bytes ? options->max_bytes : FILE_BYTES_MAX, &bytes, &n);
    if (!st) {
        st = open_bytes(bytes, n, options, model);
        if (st) st = LOCUM_FAIL(st, "%s: %s", path, locum_status_message());
    }
    free(bytes);
    return tell(st, message, message_size);
}

void locum_model_close(locum_model *model)
{
    if (!model) return;
    locum_allocator allocator = model->allocator;
    allocator.release(allocator.self, model);
}

/* --- questions ---------------------------------------------------------------------------------------------------- */
int locum_model_n_inputs(const locum_model *model)
{
    return model ? model->n_inputs : 0;
}

int locum_model_n_outputs(const locum_model *model)
{
    return model ? model->n_outputs : 0;
}

const locum_port *locum_model_input(const locum_model *model, int i)
{
    return model && i >= 0 && i < model->n_inputs ? &model->inputs[i] : NULL;
}

const locum_port *locum_model_output(const locum_model *model, int i)
{
    return model && i >= 0 && i < model->n_outputs ? &model->outputs[i] : NULL;
}

const char *locum_model_metadata(const locum_model *model, const char *key)
{
    for (int i = 0; model && key && i < model->n_metadata; i++)
        if (!strcmp(model->metadata[i].key, key)) return model->metadata[i].value;
    return NULL;
}

int64_t locum_model_n_calibration(const locum_model *model)
{
    return model && model->graph[LOCUM_ENTRY_INTERVAL] ? model->scores.n : 0;
}

const locum_tensor *locum_model_tensor(const locum_model *model, const char *name)
{
    for (int i = 0; i < model->n_tensors; i++)
        if (!strcmp(model->tensors[i].name, name)) return &model->tensors[i];
    return NULL;
}
