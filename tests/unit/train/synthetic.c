/* SPDX-License-Identifier: BSD-3-Clause */
/* synthetic.c - see synthetic.h. */
#include "tests/unit/train/synthetic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/random.h"
#include "core/study/commit.h"

static void *zeros(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) abort();
    return p;
}

void synthetic_map(const double input[2], double noise, uint64_t seed, double y[SYNTHETIC_Z])
{
    double nu = input[0], drag = input[1], z[2];
    double energy = 1 / ((1 + 20 * nu) * (0.1 + drag));
    y[0] = energy;
    for (int j = 0; j < SYNTHETIC_PROFILE; j++) y[1 + j] = sqrt(energy) * cos(j + 3 * drag) + 0.3 * sin(log(nu));
    for (int k = 0; k < SYNTHETIC_SPECTRUM; k++)
        y[1 + SYNTHETIC_PROFILE + k] = 0.3 * energy * exp(-k * (0.5 + 8 * nu)) * (1 + 0.3 * sin(k + 5 * drag));
    for (int j = 0; j < SYNTHETIC_Z; j++) {
        locum_random_normal(seed, LOCUM_STREAM_TEST, (uint64_t)j, z);
        y[j] *= exp(noise * (0.2 + 5 * drag) * z[0]);
    }
}

static void column(locum_table *table, int c, const char *name, int64_t extent, bool input)
{
    locum_column *to = &table->columns[c];
    snprintf(to->name, sizeof to->name, "%s", name);
    snprintf(to->unit, sizeof to->unit, "1");
    to->extent = extent;
    to->n_dims = extent > 1;
    to->dims[0] = extent;
    to->is_input = input;
    for (int s = 0; s < 4; s++) table->values[s][c] = zeros((size_t)(table->n[s] * extent), sizeof(double));
    if (extent < 2) return;
    to->axis[0] = zeros((size_t)extent, sizeof(double));
    for (int64_t i = 0; i < extent; i++) to->axis[0][i] = (double)i;
}

locum_table *synthetic_table(const int64_t n[4], double noise, uint64_t seed)
{
    locum_table *t = zeros(1, sizeof *t);
    int64_t index = 0;
    t->n_columns = 5;
    t->n_inputs = 2;
    t->columns = zeros(5, sizeof *t->columns);
    t->hash = locum_random_seed(seed, LOCUM_STREAM_TEST, (uint64_t)n[0]);
    for (int s = 0; s < 4; s++) {
        t->n[s] = n[s];
        t->values[s] = zeros(5, sizeof(double *));
        t->index[s] = zeros((size_t)n[s], sizeof(int64_t));
    }
    column(t, 0, "viscosity", 1, true);
    column(t, 1, "drag", 1, true);
    column(t, 2, "energy", 1, false);
    column(t, 3, "profile", SYNTHETIC_PROFILE, false);
    column(t, 4, "spectrum", SYNTHETIC_SPECTRUM, false);
    for (int s = 0; s < 4; s++)
        for (int64_t r = 0; r < n[s]; r++, index++) {
            double u[2], y[SYNTHETIC_Z];
            locum_random_uniform(seed, LOCUM_STREAM_TEST, (uint64_t)index, u);
            double input[2] = {4e-3 * pow(25, u[0]), 0.05 + 0.25 * u[1]};
            synthetic_map(input, noise, locum_random_seed(seed, LOCUM_STREAM_TEST, (uint64_t)index), y);
            t->index[s][r] = index;
            t->values[s][0][r] = input[0];
            t->values[s][1][r] = input[1];
            t->values[s][2][r] = y[0];
            memcpy(t->values[s][3] + r * SYNTHETIC_PROFILE, y + 1, SYNTHETIC_PROFILE * sizeof *y);
            memcpy(t->values[s][4] + r * SYNTHETIC_SPECTRUM, y + 1 + SYNTHETIC_PROFILE, SYNTHETIC_SPECTRUM * sizeof *y);
        }
    return t;
}

void synthetic_table_destroy(locum_table *t)
{
    for (int s = 0; s < 4; s++) {
        for (int c = 0; c < t->n_columns; c++) free(t->values[s][c]);
        free(t->values[s]);
        free(t->index[s]);
    }
    for (int c = 0; c < t->n_columns; c++) free(t->columns[c].axis[0]);
    free(t->columns);
    free(t);
}

locum_status training_parse(locum_text *text, const char *folder, MPI_Comm comm, training *t)
{
    *t = (training){0};
    locum_status st = text->status;
    if (!st) st = locum_study_parse(text->data, "synthetic.yaml", 0, NULL, &t->study);
    locum_text_free(text);
    if (!st) st = locum_surrogate_read(t->study, &t->surrogate);
    snprintf(t->folder, sizeof t->folder, "%s", folder);
    if (snprintf(t->model, sizeof t->model, "%s/model.safetensors", folder) >= (int)sizeof t->model) abort();
    t->call = (locum_train_call){.study = t->study,
                                 .surrogate = &t->surrogate,
                                 .data = &t->data,
                                 .folder = t->folder,
                                 .model = t->model,
                                 .provenance = "\"test\":true",
                                 .comm = comm};
    return st;
}

locum_status training_create(const char *surrogate, const char *train, locum_table *table, const char *folder,
                             MPI_Comm comm, training *t)
{
    locum_text text = {0};
    locum_text_add(
        &text,
        "study: synthetic\nseed: 3\nrecord: {observe: [energy, profile, spectrum]}\nsurrogate: {%s}\ntrain: {%s}\n",
        surrogate, train);
    locum_status st = training_parse(&text, folder, comm, t);
    t->data.table = table;
    return st;
}

void training_destroy(training *t)
{
    locum_study_destroy(t->study);
    *t = (training){0};
}

void training_folder(MPI_Comm comm, const char *name, char folder[LOCUM_PATH_SIZE])
{
    const char *base = getenv("TMPDIR");
    int rank;
    MPI_Comm_rank(comm, &rank);
    if (!rank) {
        snprintf(folder, LOCUM_PATH_SIZE, "%s/locum-train-%s-XXXXXX", base ? base : "/tmp", name);
        if (!mkdtemp(folder)) abort();
    }
    MPI_Bcast(folder, LOCUM_PATH_SIZE, MPI_CHAR, 0, comm);
}

bool same_tensors(const char *a, const char *b)
{
    char *bytes[2] = {NULL, NULL};
    size_t n[2];
    locum_file file[2] = {{0}, {0}};
    bool same = !locum_read_bytes(a, 1 << 28, &bytes[0], &n[0]) && !locum_read_bytes(b, 1 << 28, &bytes[1], &n[1]);
    bool read = same && !locum_file_read(bytes[0], n[0], &file[0]);
    read = read && !locum_file_read(bytes[1], n[1], &file[1]);
    same = read && file[0].n_tensors == file[1].n_tensors && file[0].n_tensors > 0;
    for (int i = 0; same && i < file[0].n_tensors; i++) {
        const locum_tensor *x = &file[0].tensors[i], *y = locum_file_tensor(&file[1], x->name);
        same = y && locum_tensor_count(x) == locum_tensor_count(y) && x->number == y->number &&
               !memcmp(x->data, y->data, (size_t)locum_tensor_count(x) * (x->number == LOCUM_REAL64 ? 8 : 4));
    }
    for (int i = 0; i < 2; i++) {
        if (read) locum_file_free(&file[i]);
        free(bytes[i]);
    }
    return same;
}
