/* SPDX-License-Identifier: BSD-3-Clause */
/* formats.c - fields of others, and our own, become frames; what does not fit is refused with its name. */
#include <hdf5.h>
#include <string.h>

#include "core/parallel/comm.h"
#include "datasets/formats/formats.h"
#include "synthetic.h"
#include "tests/unit/parallel/mpi_main.h"

static char folder[300];

static const char *file_named(const char *name)
{
    static char path[400];

    if (!folder[0]) snprintf(folder, sizeof folder, "%s", synthetic_folder("formats"));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static double field(int64_t i, int64_t j)
{
    return 0.5 + (double)i - 0.25 * (double)j; /* exact in float32 too */
}

/* one dataset [n0, n1(, n2)] of a type, at a path; rank 0 */
static void write_foreign(const char *path, const char *dataset, hid_t type, int n_dims, hsize_t n0, hsize_t n1,
                          int64_t bad)
{
    double values[512];
    hsize_t dims[4] = {n0, n1, 1, 1};

    if (world_rank == 0) {
        for (int64_t i = 0; i < (int64_t)(n0 * n1); i++)
            values[i] = i == bad ? NAN : field(i / (int64_t)n1, i % (int64_t)n1);
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), link = H5Pcreate(H5P_LINK_CREATE);
        H5Pset_create_intermediate_group(link, 1);
        hid_t space = H5Screate_simple(n_dims, dims, NULL),
              set = H5Dcreate2(file, dataset, type, space, link, H5P_DEFAULT, H5P_DEFAULT);
        CU_ASSERT(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
        H5Dclose(set);
        H5Sclose(space);
        H5Pclose(link);
        H5Fclose(file);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

/* the slices of all ranks hold the field */
static void check_field(const locum_format_request *request, int64_t nx, int64_t ny)
{
    locum_format_shape shape = {0};
    locum_frame *frame = NULL;

    CHECK_OK(locum_format_probe(request, &shape));
    CU_ASSERT(shape.n_dims == 2 && shape.n[0] == nx && shape.n[1] == ny);
    CHECK_OK(locum_format_read(request, MPI_COMM_WORLD, &frame));
    if (!frame) return;
    const locum_block *block = frame->blocks;
    const double *data = block->data;
    CU_ASSERT(block->first[0] == nx * world_rank / world_size && block->n[1] == ny && block->n_global == nx);
    CU_ASSERT(locum_block_count(frame->schema, 0, block) == block->n[0] * ny);
    int64_t n = block->n[0], wrong = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < ny; j++) wrong += data[i * ny + j] != field(block->first[0] + i, j);
    CU_ASSERT(wrong == 0);
    MPI_Allreduce(MPI_IN_PLACE, &n, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);
    CU_ASSERT(n == nx);
    CU_ASSERT(frame->schema->domains[0].upper[1] == 4.0 && frame->schema->domains[0].axis[1][1] == 4.0 / (double)ny);
    locum_frame_release(frame);
}

static void floats_of_any_byte_order_are_read(void)
{
    const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE};

    for (int t = 0; t < 4; t++) {
        locum_format_request request = {.path = file_named("foreign.h5"), .dataset = "vorticity", .box = {2.0, 4.0}};
        write_foreign(request.path, "vorticity", types[t], 2, 7, 16, -1);
        check_field(&request, 7, 16);
    }
}

static void a_dataset_is_found_by_path_or_name(void)
{
    static const char *const paths[] = {"/vorticity", "/t0_fields/vorticity", "/deep/down/vorticity"};

    for (int p = 0; p < 3; p++) {
        locum_format_request request = {.path = file_named("named.h5"), .dataset = "vorticity", .box = {2.0, 4.0}};
        write_foreign(request.path, paths[p], H5T_IEEE_F64LE, 2, 6, 8, -1);
        check_field(&request, 6, 8);
        request.dataset = paths[p];
        check_field(&request, 6, 8);
    }
}

static void our_own_files_give_their_last_frame(void)
{
    locum_format_request request = {.path = file_named("own.h5"), .dataset = "vorticity", .box = {1.5, 4.0}};
    locum_format_shape shape = {0};
    locum_frame *frame = NULL;

    CHECK_OK(
        synthetic_shard(request.path, MPI_COMM_WORLD, SYNTHETIC_GRID_2, LOCUM_FLOAT64, LOCUM_TRAIN, 3, 1, 4, -1, 0));
    CHECK_OK(locum_format_probe(&request, &shape));
    CU_ASSERT(shape.n_dims == 2 && shape.n[0] == 6 && shape.n[1] == 10);
    CHECK_OK(locum_format_read(&request, MPI_COMM_WORLD, &frame));
    if (!frame) return;
    const double *data = frame->blocks[0].data;
    int64_t first = frame->blocks[0].first[0] * 10, wrong = 0;
    for (int64_t i = 0; i < frame->blocks[0].n[0] * 10; i++) wrong += data[i] != synthetic_value(3, 3, 6, first + i);
    CU_ASSERT(wrong == 0);
    locum_frame_release(frame);
    request.dataset = "vorticty";
    CHECK_FAILS(locum_format_probe(&request, &shape), LOCUM_INPUT);
    CU_ASSERT(strstr(locum_status_message(), "vorticity") != NULL);
}

static void refused(const char *path, const char *dataset, const char *format, const char *because)
{
    locum_format_request request = {.path = path, .dataset = dataset, .format = format, .box = {1, 1, 1}};
    locum_frame *frame = NULL;

    CHECK_FAILS(locum_format_read(&request, MPI_COMM_WORLD, &frame), LOCUM_INPUT);
    CU_ASSERT(frame == NULL);
    if (!strstr(locum_status_message(), because)) printf("\n    %s", locum_status_message());
    CU_ASSERT(strstr(locum_status_message(), because) != NULL);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void what_does_not_fit_is_refused(void)
{
    const char *path = file_named("bad.h5");

    refused(file_named("absent.h5"), "vorticity", "", "no such file");
    if (world_rank == 0) {
        FILE *text = fopen(path, "w");
        fputs("x,y\n1,2\nthis is a table\n", text);
        fclose(text);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    refused(path, "vorticity", "", "not an HDF5 file");
    write_foreign(path, "density", H5T_IEEE_F64LE, 2, 4, 4, -1);
    refused(path, "vorticity", "", "it has /density");
    refused(path, "density", "gadget", "no format \"gadget\"");
    refused(path, "density", "locum", "not one of locum's");
    write_foreign(path, "vorticity", H5T_IEEE_F64LE, 4, 4, 4, -1);
    refused(path, "vorticity", "", "4 axes");
    write_foreign(path, "vorticity", H5T_STD_I32LE, 2, 4, 4, -1);
    refused(path, "vorticity", "", "float32 or float64");
}

/* a few kilobytes that claim 2^63 compressed points (HDF5 makes no more): sizes must not wrap */
static void a_field_larger_than_any_is_refused(void)
{
    const char *path = file_named("huge.h5");

    if (world_rank == 0) {
        const hsize_t dims[3] = {1 << 24, 1 << 24, 1 << 15}, chunk[3] = {1, 1, 64};
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), property = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(property, 3, chunk);
        H5Pset_deflate(property, 1);
        hid_t space = H5Screate_simple(3, dims, NULL);
        hid_t set = H5Dcreate2(file, "vorticity", H5T_IEEE_F64LE, space, H5P_DEFAULT, property, H5P_DEFAULT);
        CU_ASSERT(set >= 0);
        H5Dclose(set);
        H5Sclose(space);
        H5Pclose(property);
        H5Fclose(file);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    refused(path, "vorticity", "", "more than can be");
}

/* the value at (2, 3) is bad: every rank hears of it, whichever holds it */
static void a_nan_is_named_with_its_index(void)
{
    const char *path = file_named("nan.h5");

    write_foreign(path, "vorticity", H5T_IEEE_F64LE, 2, 4, 5, 13);
    refused(path, "vorticity", "", "vorticity(2, 3)");
}

LOCUM_RUN_RANKS("formats", {"float32 and float64 of any byte order are read", floats_of_any_byte_order_are_read},
                {"a dataset is found by its path or its name", a_dataset_is_found_by_path_or_name},
                {"our own files give their last frame", our_own_files_give_their_last_frame},
                {"what does not fit is refused with the reason", what_does_not_fit_is_refused},
                {"a field larger than any is refused", a_field_larger_than_any_is_refused},
                {"a NaN is named with its index", a_nan_is_named_with_its_index})
