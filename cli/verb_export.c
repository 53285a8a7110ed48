/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_export.c - data of any format that we read, in a format that others read. */
#include <mpi.h>
#include <stdio.h>

#include "cli/data_path.h"
#include "cli/verb.h"
#include "datasets/formats/export.h"

static locum_status run(const arguments *a)
{
    locum_dataset *dataset = NULL;
    LOCUM_REQUIRE(a->format, LOCUM_STUDY, "--format says as what: the_well, hdf5 or csv");
    LOCUM_REQUIRE(a->out, LOCUM_STUDY, "--out says where the data go");
    int provided = MPI_THREAD_SINGLE;
    locum_status st = data_path_open(a, &dataset);
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided); /* the store's writer is collective */
    if (!st) st = locum_export(dataset, a->format, a->out);
    if (!st && !a->quiet) printf("%s\n", a->out);
    locum_dataset_close(dataset);
    return st;
}

const verb verb_export = {
    .name = "export",
    .words = "PATH",
    .summary = "write data for other programs: The Well, HDF5, CSV",
    .help = "PATH is data of any format that locum reads, a run directory, or a study with a block `dataset`;\n"
            "--set dataset.format=hdf5, dataset.outputs=[u] and the like say what the files do not. --format\n"
            "the_well writes OUT/data/{train,valid,test,...} (or one file, if OUT ends in .h5), hdf5 one plain\n"
            "file with an array for each quantity (samples first), csv a line a frame (no fields).\n",
    .accepts = ACCEPT_SET | ACCEPT_OUT | ACCEPT_FORMAT,
    .run = run};
