/* SPDX-License-Identifier: BSD-3-Clause */
/* write_files.c - files for check_files.py: grids that are not square, with a spike at a known point, and rows.
 *
 *     write_files FOLDER        spike_2.h5 (8 x 12), spike_3.h5 (4 x 6 x 5),
 *                               grid_2.h5, grid_2_f64.h5, grid_3.h5, rows.h5 */
#include <mpi.h>
#include <stdio.h>

#include "../../unit/datasets/synthetic.h"

/* a spike of height 1 + frame at point (2, 9) or (2, 4, 1); x and y have different spacings and origins */
static locum_status write_spike(const char *path, int n_dims, int rank, int size)
{
    static const double x[8] = {0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0}, z[5] = {0, 0.1, 0.2, 0.3, 0.4};
    static const double y[12] = {-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    locum_domain grid = {.name = "grid",
                         .support = LOCUM_GRID,
                         .n_dims = n_dims,
                         .axis = {x, y, n_dims > 2 ? z : NULL},
                         .n_global = {n_dims > 2 ? 4 : 8, n_dims > 2 ? 6 : 12, n_dims > 2 ? 5 : 0},
                         .axis_name = {"x", "y", "z"},
                         .axis_unit = "m"};
    locum_array array = {.name = "spike", .text = "one point", .unit = "1", .place = LOCUM_NODE};
    locum_schema schema = {.domains = &grid, .n_domains = 1, .arrays = &array, .n_arrays = 1};
    locum_store_facts facts = {.dataset_name = "spike", .study = "study: spike\n", .provenance = ""};
    locum_shard *shard = NULL;
    int64_t plane = grid.n_global[1] * (n_dims > 2 ? grid.n_global[2] : 1), first = grid.n_global[0] * rank / size;
    int64_t n = grid.n_global[0] * (rank + 1) / size - first, at = n_dims > 2 ? 2 * plane + 4 * 5 + 1 : 2 * plane + 9;
    double values[256];

    locum_status st = locum_shard_create(path, MPI_COMM_WORLD, &facts, LOCUM_TRAIN, LOCUM_FLOAT32, &shard);
    if (st) return st;
    locum_sink sink = locum_shard_sink(shard);
    for (int64_t b = 0; !st && b < 2; b++) {
        locum_sample sample = {.index = b};
        st = sink.open(sink.self, &schema, NULL, &sample);
        for (int f = 0; !st && f < 3; f++) {
            locum_block block = {.data = values, .first = {first}, .n = {n, grid.n_global[1], grid.n_global[2]}};
            locum_frame frame = {.schema = &schema, .time = 0.5 * f, .step = f, .blocks = &block};
            for (int64_t i = 0; i < n * plane; i++)
                values[i] = first * plane + i == at ? 1.0 + f + 10.0 * (double)b : 0.0;
            st = sink.frame(sink.self, &frame);
        }
        if (!st) st = sink.close(sink.self, LOCUM_OK);
    }
    if (!st) return locum_shard_commit(shard);
    locum_shard_abandon(shard);
    return st;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        synthetic_kind kind;
        locum_type precision;
    } files[] = {{"grid_2.h5", SYNTHETIC_GRID_2, LOCUM_FLOAT32},
                 {"grid_2_f64.h5", SYNTHETIC_GRID_2, LOCUM_FLOAT64},
                 {"grid_3.h5", SYNTHETIC_GRID_3, LOCUM_FLOAT32},
                 {"rows.h5", SYNTHETIC_ROWS, LOCUM_FLOAT64}};
    char path[512];
    int rank, size;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    locum_store_setup();
    locum_status st = argc == 2 ? LOCUM_OK : LOCUM_ARG;
    for (int i = 0; !st && i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", argv[1], files[i].name);
        st = synthetic_shard(path, MPI_COMM_WORLD, files[i].kind, files[i].precision, LOCUM_TRAIN, 0, 3, 4, 1, 0);
    }
    for (int n = 2; !st && n <= 3; n++) {
        snprintf(path, sizeof path, "%s/spike_%d.h5", argv[1], n);
        st = write_spike(path, n, rank, size);
    }
    if (st) fprintf(stderr, "%s: %s\n", locum_status_name(st), locum_status_message());
    MPI_Finalize();
    return st != LOCUM_OK;
}
