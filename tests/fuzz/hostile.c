/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/hostile.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "locum/model.h"

#define KEY "\"header_xxh3\":\""
enum { ROWS = 2, STEPS = 3, PORTS_MAX = 64, WORKSPACE_MAX = 64 << 20, VALUES_MAX = 1 << 20 };

void hostile_seal(unsigned char *bytes, size_t n)
{
    uint64_t length = 0;
    char text[LOCUM_HASH_TEXT_SIZE];
    if (n < 8) return;
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes[i];
    if (length > n - 8) return;
    char *header = (char *)bytes + 8;
    for (size_t i = 0; i + sizeof KEY - 1 + 16 <= length; i++) {
        if (memcmp(header + i, KEY, sizeof KEY - 1) != 0) continue;
        char *digits = header + i + sizeof KEY - 1;
        memset(digits, '0', 16);
        locum_hash_text(locum_hash(header, length), text);
        memcpy(digits, text, 16);
        return;
    }
}

static void broken(const char *promise)
{
    fprintf(stderr, "\na promise is broken: %s; the last failure: %s\n", promise, locum_status_message());
    abort();
}

/* memory of exactly the size that is asked for, so that a sanitizer sees every step beyond it */
static void *exactly(size_t bytes)
{
    void *memory = calloc(bytes ? bytes : 1, 1);
    if (!memory) abort();
    return memory;
}

static locum_buffer buffer_for(const locum_port *port, double value)
{
    double *data = exactly((size_t)(ROWS * port->extent) * sizeof *data);
    for (int64_t i = 0; i < ROWS * port->extent; i++) data[i] = value;
    return (locum_buffer){data, LOCUM_FLOAT64, port->extent, 1};
}

static locum_status look(void *self, const locum_roll_frame *frame)
{
    if (frame->lead > STEPS || !frame->values[0]) broken("a roll-out hands over its frames");
    *(float *)self += frame->values[0][0];
    return LOCUM_OK;
}

/* a step may blow up, and must say so */
static void roll(const locum_model *model, locum_context *context, const locum_buffer *inputs)
{
    float sum = 0;
    double coverage = locum_model_n_calibration(model) ? 0.9 : 0;
    locum_status st = locum_roll(context, ROWS, STEPS, inputs, coverage, look, &sum);
    bool is_step = locum_model_interval(model) > 0;
    if (st != (is_step ? LOCUM_OK : LOCUM_ARG) && !(is_step && st == LOCUM_NUMERIC))
        broken("a step rolls, a map does not");
}

static void predict(const locum_model *model)
{
    locum_buffer inputs[PORTS_MAX], outputs[3][PORTS_MAX];
    uint32_t flag[ROWS];
    locum_context *context = NULL;
    int n_inputs = locum_model_n_inputs(model), n_outputs = locum_model_n_outputs(model);
    size_t bytes = locum_model_workspace(model, ROWS);
    int64_t values = 0;

    if (n_inputs > PORTS_MAX || n_outputs > PORTS_MAX || bytes == 0 || bytes > WORKSPACE_MAX) return;
    for (int i = 0; i < n_inputs; i++) values += locum_model_input(model, i)->extent;
    for (int i = 0; i < n_outputs; i++) values += locum_model_output(model, i)->extent;
    if (values > VALUES_MAX) return;
    void *memory = exactly(bytes);
    if (locum_model_prepare(model, ROWS, memory, bytes, &context)) broken("prepare takes what workspace asks for");
    for (int i = 0; i < n_inputs; i++) {
        const locum_port *port = locum_model_input(model, i);
        inputs[i] = buffer_for(port, 0.5 * (port->lower + port->upper));
    }
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n_outputs; i++) outputs[k][i] = buffer_for(locum_model_output(model, i), 0);
    locum_trust trust = {.coverage = 0.9, .lower = outputs[1], .upper = outputs[2], .flag = flag};
    if (locum_eval(context, ROWS, inputs, outputs[0], locum_model_n_calibration(model) ? &trust : NULL))
        broken("a sound model predicts");
    roll(model, context, inputs);
    for (int i = 0; i < n_inputs; i++) free(inputs[i].data);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < n_outputs; i++) free(outputs[k][i].data);
    free(memory);
}

locum_status hostile_try(const unsigned char *bytes, size_t n)
{
    char message[256] = "";
    locum_model *model = NULL;
    unsigned char *copy = exactly(n);
    if (n) memcpy(copy, bytes, n);
    locum_status st = locum_model_open(copy, n, NULL, &model, message, sizeof message);
    free(copy); /* a model owns what it keeps */
    if (st && (model || !*message)) broken("no model and a message after a failure");
    if (!st && !model) broken("a model after LOCUM_OK");
    if (!st) predict(model);
    locum_model_close(model);
    return st;
}
