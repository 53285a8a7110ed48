/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - see snapshot.h. Parts are joined by a bitwise or of arrays that are zero elsewhere: exact, -0 and
 * all. */
#include "tests/conformance/snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double element(locum_type type, const void *data, int64_t i)
{
    switch (type) {
    case LOCUM_FLOAT64: return ((const double *)data)[i];
    case LOCUM_FLOAT32: return (double)((const float *)data)[i];
    case LOCUM_INT64: return (double)((const int64_t *)data)[i];
    default: return (double)((const int32_t *)data)[i];
    }
}

/* places of this rank's values in the whole array */
static int64_t place(const locum_domain *domain, const locum_block *block, int64_t components, int64_t i)
{
    int64_t c = i % components, point = i / components, at = 0, stride = 1;

    if (domain->support == LOCUM_GLOBAL) return i;
    for (int d = domain->n_dims - 1; d >= 0; d--) {
        int64_t n = block->n[d], global = domain->support == LOCUM_GRID ? domain->n_global[d] : 1;
        at += (block->first[d] + point % n) * stride;
        point /= n;
        stride *= global;
    }
    return at * components + c;
}

static int64_t count_all(MPI_Comm comm, const locum_schema *schema, int a, const locum_block *block)
{
    const locum_domain *domain = &schema->domains[schema->arrays[a].domain];
    int64_t n = locum_array_components(&schema->arrays[a]), rows = block->n[0];

    if (domain->support == LOCUM_GLOBAL) return n;
    if (domain->support == LOCUM_GRID) {
        for (int d = 0; d < domain->n_dims; d++) n *= domain->n_global[d];
        return n;
    }
    MPI_Allreduce(MPI_IN_PLACE, &rows, 1, MPI_INT64_T, MPI_SUM, comm);
    return n * rows;
}

static void join(MPI_Comm comm, const locum_frame *frame, int a, snapshot *s)
{
    const locum_block *block = &frame->blocks[a];
    const locum_array *array = &frame->schema->arrays[a];
    const locum_domain *domain = &frame->schema->domains[array->domain];
    int64_t n = locum_block_count(frame->schema, a, block), all = count_all(comm, frame->schema, a, block), wrong = 0;
    double *value = calloc((size_t)all + 1, sizeof *value);
    int *givers = calloc((size_t)all + 1, sizeof *givers), size;

    MPI_Comm_size(comm, &size);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = place(domain, block, locum_array_components(array), i);
        if (at < 0 || at >= all || !block->data) {
            wrong++;
            continue;
        }
        value[at] = element(array->type, block->data, i);
        givers[at]++;
    }
    MPI_Allreduce(MPI_IN_PLACE, value, (int)all, MPI_UINT64_T, MPI_BOR, comm);
    MPI_Allreduce(MPI_IN_PLACE, givers, (int)all, MPI_INT, MPI_SUM, comm);
    int expected = domain->support == LOCUM_GLOBAL ? size : 1;
    for (int64_t i = 0; i < all; i++) wrong += givers[i] != expected;
    for (int64_t i = 0; i < n && domain->support == LOCUM_GLOBAL && block->data; i++) {
        double mine = element(array->type, block->data, i);
        wrong += memcmp(&mine, &value[i], sizeof mine) != 0;
    }
    MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPI_INT64_T, MPI_SUM, comm);
    if (wrong) s->covered = false;
    free(givers);
    s->value[a] = value;
    s->n[a] = all;
}

typedef struct ranked {
    double id;
    int64_t at;
} ranked;

static int compare_ids(const void *a, const void *b)
{
    double x = ((const ranked *)a)->id, y = ((const ranked *)b)->id;

    return (x > y) - (x < y);
}

/* rows of the domain of "id" by their id */
static void sort_rows(const locum_schema *schema, snapshot *s)
{
    int id = locum_schema_find(schema, "id");

    if (id < 0 || !s->value[id]) return;
    int64_t n = s->n[id];
    ranked *order = calloc((size_t)n + 1, sizeof *order);
    for (int64_t i = 0; i < n; i++) order[i] = (ranked){s->value[id][i], i};
    qsort(order, (size_t)n, sizeof *order, compare_ids);
    for (int a = 0; a < s->n_arrays; a++) {
        if (schema->arrays[a].domain != schema->arrays[id].domain || !s->value[a]) continue;
        int64_t width = locum_array_components(&schema->arrays[a]);
        double *sorted = calloc((size_t)(n * width) + 1, sizeof *sorted);
        for (int64_t i = 0; i < n; i++)
            memcpy(sorted + i * width, s->value[a] + order[i].at * width, (size_t)width * sizeof *sorted);
        free(s->value[a]);
        s->value[a] = sorted;
    }
    free(order);
}

snapshot snapshot_take(MPI_Comm comm, const locum_frame *frame, const bool *wanted)
{
    snapshot s = {.time = frame->time, .n_arrays = frame->schema->n_arrays, .covered = true};

    for (int a = 0; a < s.n_arrays; a++)
        if (wanted[a]) join(comm, frame, a, &s);
    sort_rows(frame->schema, &s);
    return s;
}

void snapshot_free(snapshot *s)
{
    for (int a = 0; a < s->n_arrays; a++) free(s->value[a]);
    *s = (snapshot){0};
}

double snapshot_distance(const snapshot *a, const snapshot *b)
{
    double worst = 0;

    if (a->n_arrays != b->n_arrays || a->time != b->time) return INFINITY;
    for (int k = 0; k < a->n_arrays; k++) {
        double largest = 0, difference = 0;
        if (a->n[k] != b->n[k] || !a->value[k] != !b->value[k]) return INFINITY;
        if (!a->value[k] || !memcmp(a->value[k], b->value[k], (size_t)a->n[k] * sizeof(double))) continue;
        for (int64_t i = 0; i < a->n[k]; i++) {
            largest = fmax(largest, fabs(a->value[k][i]));
            difference = fmax(difference, fabs(a->value[k][i] - b->value[k][i]));
        }
        worst = fmax(worst, fmax(difference / fmax(largest, 1e-300), 1e-300)); /* other bits are never "the same" */
    }
    return worst;
}

bool snapshot_finite(const snapshot *s)
{
    for (int a = 0; a < s->n_arrays; a++)
        for (int64_t i = 0; s->value[a] && i < s->n[a]; i++)
            if (!isfinite(s->value[a][i])) return false;
    return true;
}

/* --- capture ----------------------------------------------------------------------------------------------- */

static locum_status capture_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    capture *c = self;

    (void)sample;
    memcpy(c->wanted, wanted, (size_t)schema->n_arrays * sizeof *wanted);
    return LOCUM_OK;
}

static locum_status capture_frame(void *self, const locum_frame *frame)
{
    capture *c = self;

    if (c->n < CAPTURE_FRAMES) c->frames[c->n++] = snapshot_take(c->comm, frame, c->wanted);
    return LOCUM_OK;
}

static locum_status capture_close(void *self, locum_status result)
{
    ((capture *)self)->result = result;
    return LOCUM_OK;
}

locum_sink capture_sink(capture *c)
{
    return (locum_sink){c, capture_open, capture_frame, capture_close};
}

void capture_free(capture *c)
{
    for (int i = 0; i < c->n; i++) snapshot_free(&c->frames[i]);
    c->n = 0;
}

static void interrupt_at_step(void *self, double time, int64_t step)
{
    interrupter *i = self;
    (void)time;
    if (step >= i->at) i->raised = 1;
}

locum_status capture_drive(const locum_drive_call *run, capture *c, interrupter *i, locum_state **state)
{
    static const locum_store_facts facts = {.dataset_name = "c", .study = "", .provenance = "", .options_hash = 17};
    locum_watch watch;
    locum_drive_call call = *run;
    i->raised = 0;
    c->comm = run->comm;
    locum_watch_begin(&watch, &i->raised, NULL, NAN);
    call.watch = &watch;
    call.sink = capture_sink(c);
    call.progress = interrupt_at_step;
    call.progress_self = i;
    call.facts = &facts;
    return locum_drive(&call, state);
}
