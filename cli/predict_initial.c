/* SPDX-License-Identifier: BSD-3-Clause */
/* predict_initial.c - the fields that a prediction begins from, out of data in any format that a study may name.
 *
 *     --initial FILE      a data file or dataset (ours, The Well, PDEBench); else an HDF5 file with a dataset per field
 *     --sample, --frame   which of its samples, which frame; a step that sees h frames needs the h - 1 before it */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/predict.h"
#include "core/memory.h"
#include "datasets/formats/formats.h"
#include "datasets/formats/source.h"

void predict_initial_free(predict_initial *initial)
{
    for (int i = 0; i < PREDICT_PORTS_MAX; i++) free(initial->field[i]);
    free(initial->name);
    free(initial->parameter);
    *initial = (predict_initial){0};
}

static void shape_text(int n, const int64_t *dims, char text[64])
{
    size_t used = 0;
    text[0] = 0;
    for (int d = 0; d < n && used < 48; d++)
        used += (size_t)locum_format(text + used, 64 - used, "%s%" PRId64, d ? " x " : "", dims[d]);
}

/* --- a dataset ------------------------------------------------------------------------------------------------------ */
static locum_status pick_sample(const locum_dataset *dataset, const arguments *a, int64_t *b)
{
    int64_t n = locum_dataset_n(dataset), first = -1;
    *b = -1;
    for (int64_t i = 0; i < n; i++) {
        const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, i);
        if (a->sample >= 0 ? sample->index == a->sample : !sample->failed && sample->split == LOCUM_TEST && *b < 0)
            *b = i;
        if (!sample->failed && first < 0) first = i;
    }
    if (a->sample < 0 && *b < 0) *b = first;
    LOCUM_REQUIRE(*b >= 0, LOCUM_INPUT, a->sample < 0 ? "%s holds no good sample" : "%s holds no sample %d", a->initial,
                  a->sample);
    const locum_dataset_sample *sample = locum_dataset_sample_at(dataset, *b);
    LOCUM_REQUIRE(!sample->failed, LOCUM_INPUT, "%s: sample %" PRId64 " failed: %s", a->initial, sample->index,
                  sample->reason);
    if (a->sample < 0 && n > 1 && !a->quiet)
        fprintf(stderr, "locum: begins from sample %" PRId64 " (%s) of %s; --sample takes another\n", sample->index,
                locum_split_name(sample->split), a->initial);
    return LOCUM_OK;
}

static locum_status pick_frame(const locum_model *model, const locum_dataset *dataset, int64_t b, const arguments *a,
                               int64_t *frame)
{
    int64_t n = locum_dataset_sample_at(dataset, b)->n_frames, past = locum_model_history(model) - 1;
    double interval = locum_model_interval(model);
    *frame = !a->frame_given ? past : a->frame < 0 ? n + a->frame : a->frame;
    LOCUM_REQUIRE(*frame >= 0 && *frame < n, LOCUM_INPUT, "%s has frames 0 to %" PRId64 ", no frame %" PRId64,
                  a->initial, n - 1, *frame);
    LOCUM_REQUIRE(*frame >= past, LOCUM_INPUT,
                  "the model sees %" PRId64 " frames; there are only %" PRId64 " before frame %" PRId64 " of %s",
                  past + 1, *frame, *frame, a->initial);
    for (int64_t i = *frame - past + 1; i <= *frame; i++) {
        double step = locum_dataset_time(dataset, b, i) - locum_dataset_time(dataset, b, i - 1);
        LOCUM_REQUIRE(fabs(step - interval) <= 1e-6 * interval, LOCUM_INPUT,
                      "the model sees frames %g apart; frames %" PRId64 " and %" PRId64 " of %s are %g apart", interval,
                      i - 1, i, a->initial, step);
    }
    return LOCUM_OK;
}

static locum_status refuse_field(const locum_schema *schema, const char *name, const char *path)
{
    locum_text list = {0};
    for (int i = 0; i < schema->n_arrays; i++)
        if (schema->domains[schema->arrays[i].domain].support == LOCUM_GRID)
            locum_text_add(&list, "%s%s", list.size ? ", " : "", schema->arrays[i].name);
    locum_status st = LOCUM_FAIL(LOCUM_INPUT, "the model needs the field `%s`; %s has %.300s", name, path,
                                 list.data ? list.data : "no fields");
    locum_text_free(&list);
    return st;
}

/* the array's shape on its grid must be that of one frame of the port */
static locum_status check_shape(const locum_schema *schema, int array, const locum_port *port, bool past,
                                const char *path)
{
    const locum_domain *domain = &schema->domains[schema->arrays[array].domain];
    int64_t dims[4] = {1, 1, 1, 1}, components = locum_array_components(&schema->arrays[array]);
    int n = 0;
    char theirs[64], mine[64];
    for (int d = 0; d < domain->n_dims && domain->support != LOCUM_GLOBAL; d++) dims[n++] = domain->n_global[d];
    if (components > 1) dims[n++] = components;
    bool same = n == port->n_dims - past;
    for (int d = 0; d < n && same; d++) same = dims[d] == port->dims[d + past];
    if (same) return LOCUM_OK;
    shape_text(n, dims, theirs);
    shape_text(port->n_dims - past, port->dims + past, mine);
    return LOCUM_FAIL(LOCUM_INPUT, "the model knows `%s` on a grid of %s; in %s it has %s", port->name, mine, path,
                      theirs);
}

static locum_status copy_parameters(const locum_dataset *dataset, int64_t b, predict_initial *initial)
{
    int n = locum_dataset_n_parameters(dataset);
    LOCUM_TRY(LOCUM_NEW(&initial->name, n + 1));
    LOCUM_TRY(LOCUM_NEW(&initial->parameter, n + 1));
    initial->n_parameters = n;
    for (int i = 0; i < n; i++) {
        snprintf(initial->name[i], sizeof initial->name[i], "%.63s", locum_dataset_parameter_name(dataset, i));
        initial->parameter[i] = locum_dataset_sample_at(dataset, b)->parameter[i];
    }
    return LOCUM_OK;
}

static locum_status read_dataset(const locum_model *model, const locum_dataset *dataset, const arguments *a,
                                 predict_initial *initial)
{
    const locum_schema *schema = locum_dataset_schema(dataset);
    int64_t history = locum_model_history(model), b = 0, frame = 0;

    LOCUM_TRY(pick_sample(dataset, a, &b));
    LOCUM_TRY(pick_frame(model, dataset, b, a, &frame));
    initial->time = locum_dataset_time(dataset, b, frame);
    for (int i = 0; i < locum_model_n_inputs(model); i++) {
        const locum_port *port = locum_model_input(model, i);
        if (port->n_dims == 0) continue;
        int array = locum_schema_find(schema, port->name);
        if (array < 0) return refuse_field(schema, port->name, a->initial);
        LOCUM_TRY(check_shape(schema, array, port, history > 1, a->initial));
        LOCUM_TRY(LOCUM_NEW(&initial->field[i], port->extent));
        for (int64_t k = 0; k < history; k++)
            LOCUM_TRY(locum_dataset_read(dataset, b, frame - history + 1 + k, array,
                                         initial->field[i] + k * (port->extent / history)));
    }
    return copy_parameters(dataset, b, initial);
}

/* --- an HDF5 file of somebody's own: one dataset per field, one frame ------------------------------------------------ */
static locum_status read_plain(const locum_model *model, const arguments *a, predict_initial *initial)
{
    LOCUM_REQUIRE(locum_model_history(model) == 1, LOCUM_INPUT,
                  "the model sees %" PRId64 " frames; %s is no dataset with frames in time", locum_model_history(model),
                  a->initial);
    for (int i = 0; i < locum_model_n_inputs(model); i++) {
        const locum_port *port = locum_model_input(model, i);
        locum_format_request request = {.path = a->initial, .dataset = port->name, .format = ""};
        locum_frame *frame = NULL;
        if (port->n_dims == 0) continue;
        LOCUM_TRY(locum_format_read(&request, MPI_COMM_SELF, &frame));
        locum_status st = check_shape(frame->schema, 0, port, false, a->initial);
        if (!st) st = LOCUM_NEW(&initial->field[i], port->extent);
        if (!st) memcpy(initial->field[i], frame->blocks[0].data, (size_t)port->extent * sizeof(double));
        locum_frame_release(frame);
        LOCUM_TRY(st);
    }
    return LOCUM_OK;
}

static void list_fields(const locum_model *model, locum_text *list)
{
    char shape[64];
    for (int i = 0; i < locum_model_n_inputs(model); i++) {
        const locum_port *port = locum_model_input(model, i);
        if (port->n_dims == 0) continue;
        shape_text(port->n_dims, port->dims, shape);
        locum_text_add(list, "%s`%s` (%s)", list->size ? ", " : "", port->name, shape);
    }
}

locum_status predict_initial_read(const locum_model *model, const arguments *a, predict_initial *initial)
{
    locum_source source;
    locum_dataset *dataset = NULL;
    locum_text fields = {0};

    list_fields(model, &fields);
    locum_status st = fields.status;
    if (!st && fields.size && !a->initial)
        st = LOCUM_FAIL(LOCUM_STUDY, "the model begins from fields: %.300s; give them by --initial FILE", fields.data);
    if (!st && !fields.size && a->initial)
        st = LOCUM_FAIL(LOCUM_STUDY, "--initial %s: the model begins from single values only", a->initial);
    bool needed = fields.size > 0;
    locum_text_free(&fields);
    if (st || !needed) return st;

    locum_source_of_path(a->initial, &source);
    /* no dataset: perhaps a plain file */
    if (locum_source_open(&source, 0, &dataset)) return read_plain(model, a, initial);
    st = read_dataset(model, dataset, a, initial);
    locum_dataset_close(dataset);
    return st;
}
