/* SPDX-License-Identifier: BSD-3-Clause */
/* verb_doctor.c - what this installation has, and a self-test that takes a second. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/tables.h"
#include "cli/verb.h"
#include "core/cpu.h"
#include "core/random.h"
#include "core/study/run_directory.h"
#include "surrogate/kernels/kernels.h"

static void line(const char *what, const char *found)
{
    printf("  %-14s %s\n", what, found);
}

/* a product of the chosen kernels against the reference kernels; LOCUM_INTERNAL if they differ beyond round-off */
static locum_status self_test(const locum_kernels *kernels)
{
    enum { ROWS = 9, K = 33, N = 17 };
    _Alignas(64) float a[ROWS * K], b[K * N], c[2][ROWS * N], packed[2][8192];
    const locum_kernels *both[2] = {kernels, locum_kernels_reference()};
    double worst = 0;

    for (int i = 0; i < ROWS * K; i++) {
        double z[2];
        locum_random_normal(1, LOCUM_STREAM_TEST, (uint64_t)i, z);
        a[i] = (float)z[0];
        if (i < K * N) b[i] = (float)z[1];
    }
    for (int i = ROWS * K; i < K * N; i++) b[i] = (float)i / (K * N);
    for (int v = 0; v < 2; v++) {
        if (both[v]->packed_count(K, N) > 8192)
            return LOCUM_FAIL(LOCUM_INTERNAL, "doctor: packed product is larger than expected");
        both[v]->pack(K, N, b, N, 1, packed[v]);
        both[v]->product(&(locum_product_call){
            .rows = ROWS, .k = K, .n = N, .a = a, .a_stride = K, .packed = packed[v], .c = c[v], .c_stride = N});
    }
    for (int i = 0; i < ROWS * N; i++) {
        double off = (double)c[0][i] - (double)c[1][i];
        if (off < 0) off = -off;
        if (off > worst) worst = off;
    }
    printf("  %-14s product against reference: largest difference %.2g\n", "self-test", worst);
    LOCUM_REQUIRE(worst < 1e-4, LOCUM_INTERNAL, "doctor: the kernels `%s` give wrong results on this machine",
                  kernels->name);
    return LOCUM_OK;
}

static locum_status run(const arguments *a)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    table_entry e;
    (void)a;
    printf("locum %s\n", LOCUM_VERSION);
    snprintf(text, sizeof text, "%s of %ld cores; kernels for %s", locum_cpu_level_name(locum_cpu_best()),
             sysconf(_SC_NPROCESSORS_ONLN), locum_kernels_for(locum_cpu_best())->name);
    line("processor", text);
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = 0;
    line("MPI", text);
    line("gnuplot", system("gnuplot --version >/dev/null 2>&1")
                        ? "not found: reports have tables only (Debian: apt install gnuplot-nox)"
                        : "found");
    line("git commit", locum_build_commit());
    line("licence", "sources BSD-3-Clause; this program links FFTW (GPL-2+); liblocum links libc and libm alone");
    for (int i = 0; tables_at(i, &e); i++)
        if (strcmp(e.kind, "block")) line(e.kind, e.name);
    return self_test(locum_kernels_for(locum_cpu_best()));
}

const verb verb_doctor = {
    .name = "doctor",
    .words = "",
    .summary = "what this installation has, and a self-test",
    .help = "Prints processor, libraries, solvers and models, and checks the kernels against the reference.\n",
    .accepts = 0,
    .run = run};
