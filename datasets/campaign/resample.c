/* SPDX-License-Identifier: BSD-3-Clause */
/* resample.c - frames in other slices (redistribution) and on coarser grids (record.resolution).
 *
 * Redistribution: every rank knows all blocks, in and out; what rank p holds and rank q wants is the intersection of
 * two boxes, packed row by row; one alltoallv moves it all.
 *
 * Coarsening: a second solver with the coarse resolution lends its `resample`; grid arrays pass through it,
 * profiles, spectra and scalars are handed on as they are. The schema of what comes out is the fine solver's with
 * the coarse grid domains. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "datasets/campaign/campaign_parts.h"

void locum_even_slice(int64_t n, int rank, int size, int64_t *first, int64_t *mine)
{
    *first = n * rank / size;
    *mine = n * (rank + 1) / size - *first;
}

/* --- redistribution ---------------------------------------------------------------------------------------- */

typedef struct box {
    int64_t first[3], n[3];
} box;

/* n = 0 behind the axes that a block has means one line */
static box box_of(const locum_block *block)
{
    box b;

    for (int i = 0; i < 3; i++) {
        b.first[i] = block->first[i];
        b.n[i] = i > 0 && block->n[i] == 0 ? 1 : block->n[i];
    }
    return b;
}

static int64_t intersect(const box *a, const box *b, box *both)
{
    int64_t count = 1;

    for (int i = 0; i < 3; i++) {
        int64_t first = a->first[i] > b->first[i] ? a->first[i] : b->first[i];
        int64_t end_a = a->first[i] + a->n[i], end_b = b->first[i] + b->n[i], end = end_a < end_b ? end_a : end_b;
        both->first[i] = first;
        both->n[i] = end > first ? end - first : 0;
        count *= both->n[i];
    }
    return count;
}

/* copies `part` of block `whole` to or from a packed buffer, a run along the last axis at a time */
static void pack(const box *whole, const box *part, size_t value, char *data, char *packed, bool out_of_block)
{
    size_t run = (size_t)part->n[2] * value;

    for (int64_t i = 0; i < part->n[0]; i++)
        for (int64_t j = 0; j < part->n[1]; j++, packed += run) {
            int64_t line = (part->first[0] - whole->first[0] + i) * whole->n[1] + part->first[1] - whole->first[1] + j;
            char *at = data + (size_t)(line * whole->n[2] + part->first[2] - whole->first[2]) * value;
            if (out_of_block)
                memcpy(packed, at, run);
            else
                memcpy(at, packed, run);
        }
}

typedef struct exchange {
    int rank, size;
    box *in, *out;                                  /**< [size] */
    int *n_send, *n_receive, *at_send, *at_receive; /**< [size], in values */
    char *send, *receive;
} exchange;

static void exchange_free(exchange *x)
{
    free(x->in);
    free(x->out);
    free(x->n_send);
    free(x->send);
    free(x->receive);
}

static locum_status plan_exchange(exchange *x, size_t value)
{
    int64_t n_send = 0, n_receive = 0;
    box both;

    for (int p = 0; p < x->size; p++) {
        int64_t send = intersect(&x->in[x->rank], &x->out[p], &both),
                receive = intersect(&x->in[p], &x->out[x->rank], &both);
        LOCUM_REQUIRE(n_send + send <= INT_MAX && n_receive + receive <= INT_MAX, LOCUM_MEMORY,
                      "a block of more than 2^31 values cannot be moved: use more ranks");
        x->at_send[p] = (int)n_send;
        x->at_receive[p] = (int)n_receive;
        x->n_send[p] = (int)send;
        x->n_receive[p] = (int)receive;
        n_send += send;
        n_receive += receive;
    }
    LOCUM_TRY(locum_alloc(&x->send, n_send, value));
    return locum_alloc(&x->receive, n_receive, value);
}

static void move(MPI_Comm comm, exchange *x, size_t value, const void *from, void *to)
{
    MPI_Datatype one;
    box both;

    for (int p = 0; p < x->size; p++)
        if (intersect(&x->in[x->rank], &x->out[p], &both))
            pack(&x->in[x->rank], &both, value, (char *)(uintptr_t)from, x->send + (size_t)x->at_send[p] * value, true);
    MPI_Type_contiguous((int)value, MPI_BYTE, &one);
    MPI_Type_commit(&one);
    MPI_Alltoallv(x->send, x->n_send, x->at_send, one, x->receive, x->n_receive, x->at_receive, one, comm);
    MPI_Type_free(&one);
    for (int p = 0; p < x->size; p++)
        if (intersect(&x->in[p], &x->out[x->rank], &both))
            pack(&x->out[x->rank], &both, value, to, x->receive + (size_t)x->at_receive[p] * value, false);
}

locum_status locum_block_redistribute(MPI_Comm comm, const locum_array *array, const locum_block *in,
                                      const locum_block *out, void *data)
{
    size_t value = (size_t)locum_array_components(array) * locum_type_size(array->type);
    exchange x = {0};
    box mine[2] = {box_of(in), box_of(out)};

    MPI_Comm_rank(comm, &x.rank);
    MPI_Comm_size(comm, &x.size);
    locum_status st = LOCUM_NEW(&x.in, x.size);
    if (!st) st = LOCUM_NEW(&x.out, x.size);
    if (!st) st = LOCUM_NEW(&x.n_send, 4 * x.size);
    st = locum_comm_agree(comm, st);
    if (!st) {
        x.n_receive = x.n_send + x.size;
        x.at_send = x.n_receive + x.size;
        x.at_receive = x.at_send + x.size;
        MPI_Allgather(&mine[0], (int)sizeof(box), MPI_BYTE, x.in, (int)sizeof(box), MPI_BYTE, comm);
        MPI_Allgather(&mine[1], (int)sizeof(box), MPI_BYTE, x.out, (int)sizeof(box), MPI_BYTE, comm);
        st = locum_comm_agree(comm, plan_exchange(&x, value));
    }
    if (!st) move(comm, &x, value, in->data, data);
    exchange_free(&x);
    return st;
}

/* --- coarsening -------------------------------------------------------------------------------------------- */

static const size_t MOST_LENT = (size_t)64 << 20;

struct locum_coarsen {
    const locum_solver_type *type;
    MPI_Comm comm;
    char *config;         /**< of the coarse solver; owned */
    locum_solver *solver; /**< the coarse one; owned */
    size_t lent;          /**< bytes that it has lent so far: it frees them when it is destroyed */
    const locum_schema *fine;
    locum_schema schema; /**< of what comes out; domains owned, arrays the fine solver's */
    locum_domain *domains;
    locum_frame even, coarse,
        out; /**< fine frame in even slices; on the coarse grid; what is handed on; blocks owned */
    locum_sink inner;
};

void locum_coarsen_destroy(locum_coarsen *coarsen)
{
    if (!coarsen) return;
    coarsen->type->destroy(coarsen->solver);
    free(coarsen->config);
    free(coarsen->domains);
    free(coarsen->even.blocks);
    free(coarsen->coarse.blocks);
    free(coarsen->out.blocks);
    free(coarsen);
}

static bool on_grid(const locum_schema *schema, int a)
{
    return schema->domains[schema->arrays[a].domain].support == LOCUM_GRID;
}

locum_status locum_coarsen_config(const locum_setup *setup, const void *config, char *coarse)
{
    const locum_record_config *record = setup->record_config;
    const locum_option *option = locum_settings_option(setup->solver, "resolution");

    LOCUM_REQUIRE(option && option->type == LOCUM_I32 && setup->type->resample, LOCUM_STUDY,
                  "record.resolution: %s cannot store on another grid", setup->type->name);
    memcpy(coarse, config, setup->type->config_size);
    int32_t *value = (int32_t *)(void *)(coarse + option->place);
    if (option->n_max > 0) *(int32_t *)(void *)(coarse + option->place_n) = record->n_resolution;
    for (int i = 0; i < record->n_resolution && i < (option->n_max > 0 ? option->n_max : 1); i++)
        value[i] = record->resolution[i];
    return setup->type->check ? setup->type->check(coarse) : LOCUM_OK;
}

/* fine schema with coarse grids */
static locum_status mix_domains(locum_coarsen *c)
{
    const locum_schema *coarse = c->type->schema(c->solver);

    for (int d = 0; d < c->fine->n_domains; d++) {
        c->domains[d] = c->fine->domains[d];
        if (c->domains[d].support != LOCUM_GRID) continue;
        int match = -1;
        for (int e = 0; e < coarse->n_domains; e++)
            if (!strcmp(coarse->domains[e].name, c->domains[d].name)) match = e;
        LOCUM_REQUIRE(match >= 0, LOCUM_INTERNAL, "%s has no domain '%s' at another resolution", c->type->name,
                      c->domains[d].name);
        c->domains[d] = coarse->domains[match];
        for (int i = 0; i < c->domains[d].n_dims; i++)
            LOCUM_REQUIRE(c->domains[d].n_global[i] <= c->fine->domains[d].n_global[i], LOCUM_STUDY,
                          "record.resolution: %lld is finer than the solver's %lld",
                          (long long)c->domains[d].n_global[i], (long long)c->fine->domains[d].n_global[i]);
    }
    return LOCUM_OK;
}

static locum_status allocate_coarsen(locum_coarsen *c)
{
    LOCUM_TRY(LOCUM_NEW(&c->domains, c->fine->n_domains));
    LOCUM_TRY(LOCUM_NEW(&c->even.blocks, c->fine->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&c->coarse.blocks, c->type->schema(c->solver)->n_arrays));
    LOCUM_TRY(LOCUM_NEW(&c->out.blocks, c->fine->n_arrays));
    c->schema = *c->fine;
    c->schema.domains = c->domains;
    return mix_domains(c);
}

locum_status locum_coarsen_create(const locum_setup *setup, const void *config, const locum_schema *fine, MPI_Comm comm,
                                  locum_coarsen **coarsen)
{
    locum_coarsen *c = NULL;
    locum_status st = LOCUM_NEW(&c, 1);

    *coarsen = NULL;
    if (!st) {
        *c = (locum_coarsen){.type = setup->type, .comm = comm, .fine = fine};
        st = LOCUM_NEW(&c->config, setup->type->config_size);
    }
    if (!st) st = locum_coarsen_config(setup, config, c->config);
    st = locum_comm_agree(comm, st);
    if (!st) st = locum_comm_agree(comm, setup->type->create(c->config, NULL, comm, &c->solver));
    if (!st) st = locum_comm_agree(comm, allocate_coarsen(c));
    if (st)
        locum_coarsen_destroy(c);
    else
        *coarsen = c;
    return st;
}

/* what resample lends lives as long as its solver; so a long campaign takes a new one now and then */
static locum_status renew(locum_coarsen *c)
{
    c->type->destroy(c->solver);
    c->solver = NULL;
    c->lent = 0;
    LOCUM_TRY(locum_comm_agree(c->comm, c->type->create(c->config, NULL, c->comm, &c->solver)));
    return mix_domains(c);
}

static locum_status coarsen_open(void *self, const locum_schema *schema, const bool *wanted, const locum_sample *sample)
{
    locum_coarsen *c = self;

    (void)schema;
    return c->inner.open(c->inner.self, &c->schema, wanted, sample);
}

/* whole lines in even slices along x, as `resample` wants them */
static locum_status make_even(locum_coarsen *c, const locum_frame *frame, int a, void **data)
{
    const locum_domain *domain = &c->fine->domains[c->fine->arrays[a].domain];
    locum_block even = {.n_global = frame->blocks[a].n_global};
    int rank, size;

    MPI_Comm_rank(c->comm, &rank);
    MPI_Comm_size(c->comm, &size);
    for (int i = 0; i < domain->n_dims; i++) even.n[i] = domain->n_global[i];
    locum_even_slice(domain->n_global[0], rank, size, &even.first[0], &even.n[0]);
    locum_status st = locum_alloc(data, locum_block_count(c->fine, a, &even), locum_type_size(c->fine->arrays[a].type));
    LOCUM_TRY(locum_comm_agree(c->comm, st));
    even.data = *data;
    c->even.blocks[a] = even;
    return locum_block_redistribute(c->comm, &c->fine->arrays[a], &frame->blocks[a], &even, *data);
}

static locum_status resample_grids(locum_coarsen *c, const locum_frame *frame)
{
    if (locum_comm_any(c->comm, c->lent > MOST_LENT)) LOCUM_TRY(renew(c));
    const locum_schema *coarse = c->type->schema(c->solver);
    c->coarse.schema = coarse;
    c->coarse.time = frame->time;
    c->coarse.step = frame->step;
    LOCUM_TRY(locum_comm_agree(c->comm, c->type->resample(c->solver, &c->even, &c->coarse)));
    locum_status st = LOCUM_OK;
    for (int a = 0; a < c->fine->n_arrays && !st; a++) {
        c->out.blocks[a] = frame->blocks[a];
        if (!c->even.blocks[a].data) continue;
        int match = locum_schema_find(coarse, c->fine->arrays[a].name);
        if (match < 0 || !c->coarse.blocks[match].data)
            st = LOCUM_FAIL(LOCUM_NOT_BUILT, "record.resolution: %s cannot bring '%s' to another grid", c->type->name,
                            c->fine->arrays[a].name);
        else
            c->out.blocks[a] = c->coarse.blocks[match];
        if (!st) c->lent += (size_t)locum_block_count(coarse, match, &c->coarse.blocks[match]) * sizeof(double);
    }
    return locum_comm_agree(c->comm, st);
}

static locum_status coarsen_frame(void *self, const locum_frame *frame)
{
    locum_coarsen *c = self;
    void **data = NULL;
    int n = c->fine->n_arrays;
    bool any = false;
    locum_status st = locum_comm_agree(c->comm, LOCUM_NEW(&data, n));

    memset(c->even.blocks, 0, (size_t)n * sizeof *c->even.blocks);
    memset(c->coarse.blocks, 0, (size_t)c->type->schema(c->solver)->n_arrays * sizeof *c->coarse.blocks);
    memset(c->out.blocks, 0, (size_t)n * sizeof *c->out.blocks);
    c->even.schema = c->fine;
    c->even.time = frame->time;
    c->even.step = frame->step;
    c->out.schema = &c->schema;
    c->out.time = frame->time;
    c->out.step = frame->step;
    for (int a = 0; a < n && !st; a++)
        if (on_grid(c->fine, a) && locum_comm_any(c->comm, frame->blocks[a].data != NULL)) {
            st = make_even(c, frame, a, &data[a]);
            any = true;
        } else
            c->out.blocks[a] = frame->blocks[a];
    if (!st && any) st = resample_grids(c, frame);
    if (!st) st = c->inner.frame(c->inner.self, &c->out);
    for (int a = 0; a < n && data; a++) free(data[a]);
    free(data);
    return st;
}

static locum_status coarsen_close(void *self, locum_status result)
{
    locum_coarsen *c = self;

    return c->inner.close(c->inner.self, result);
}

locum_sink locum_coarsen_sink(locum_coarsen *coarsen, locum_sink inner)
{
    coarsen->inner = inner;
    return (locum_sink){coarsen, coarsen_open, coarsen_frame, coarsen_close};
}
