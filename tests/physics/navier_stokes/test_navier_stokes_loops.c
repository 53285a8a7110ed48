/* SPDX-License-Identifier: BSD-3-Clause */
/* test_navier_stokes_loops.c - the pointwise loops of every build against the formulas, in plain complex arithmetic. */
#include <complex.h>
#include <string.h>

#include "core/cpu.h"
#include "core/random.h"
#include "solvers/navier_stokes/periodic/navier_stokes_loops.h"
#include "tests/unit/check.h"

enum { N = 14 };

typedef struct inputs {
    double kx[2 * N], kx2[2 * N], norm[2 * N], decay[2 * N];
    _Alignas(64) double plus[2 * N], minus[2 * N], w[2 * N], sum[2 * N], stage[2 * N], z_plus[2 * N], z_minus[2 * N];
    locum_navier_stokes_piece piece;
} inputs;

static void fill(double *values, int n, uint64_t index)
{
    for (int i = 0; i < n; i += 2) locum_random_normal(1, LOCUM_STREAM_TEST, index * 1000 + (uint64_t)i, values + i);
}

static void make(inputs *p)
{
    for (int i = 0; i < 2 * N; i++) {
        p->kx[i] = i / 2 - 5;
        p->kx2[i] = p->kx[i] * p->kx[i];
        p->norm[i] = i / 2 == 3 ? 0 : 0.25 / 64;
        p->decay[i] = exp(-0.01 * p->kx2[i]);
    }
    double *const arrays[] = {p->plus, p->minus, p->w, p->sum, p->stage};
    for (uint64_t i = 0; i < 5; i++) fill(arrays[i], 2 * N, i);
    p->piece = (locum_navier_stokes_piece){N,       2.5,      p->kx, p->kx2, p->norm,  p->decay,  0.9,       0.1,
                                           p->plus, p->minus, p->w,  p->sum, p->stage, p->z_plus, p->z_minus};
}

static double complex at(const double *values, int i)
{
    return values[2 * i] + values[2 * i + 1] * I;
}

static void check_update(const locum_navier_stokes_loops *loops, int stage)
{
    inputs before, after;
    make(&before);
    make(&after);
    loops->update(&after.piece, stage);
    const double dt = before.piece.dt;
    for (int i = 0; i < N; i++) {
        /* -(u . grad w)_hat = i/4 (c P - conj(c M)), c = -(kx - i ky)^2, and the transforms' norm */
        double complex d = before.kx[2 * i] - 2.5 * I, c = -d * d;
        double complex n = before.norm[2 * i] * 4 * I / 4 * (c * at(before.plus, i) - conj(c * at(before.minus, i)));
        double e = before.decay[2 * i] * 0.9;
        double complex w = at(before.w, i), sum = at(before.sum, i), next = 0, total = sum;
        if (stage == 0) next = e * (w + dt / 2 * n), total = e * e * (w + dt / 6 * n);
        if (stage == 1) next = e * w + dt / 2 * n, total = sum + dt / 3 * e * n;
        if (stage == 2) next = e * e * w + dt * e * n, total = sum + dt / 3 * e * n;
        if (stage == 3) next = sum + dt / 6 * n;
        /* rounding of a handful of operations on values up to 10 */
        CHECK_CLOSE(cabs(at(after.stage, i) - next), 0, 2e-15);
        CHECK_CLOSE(cabs(at(after.sum, i) - total), 0, 2e-15);
        CHECK_CLOSE(cabs(at(after.w, i) - (stage == 3 ? next : w)), 0, 2e-15);
    }
}

static void check_velocity(const locum_navier_stokes_loops *loops)
{
    inputs p;
    make(&p);
    loops->velocity(&p.piece);
    for (int i = 0; i < N; i++) {
        double complex w = at(p.stage, i), k = p.kx[2 * i] + 2.5 * I;
        CHECK_CLOSE(cabs(at(p.z_plus, i) - w * k / (k * conj(k))), 0, 1e-15);
        CHECK_CLOSE(cabs(at(p.z_minus, i) + conj(w) * k / (k * conj(k))), 0, 1e-15);
    }
}

static void check_square(const locum_navier_stokes_loops *loops)
{
    inputs p;
    double rate, largest = 0;
    make(&p);
    uint64_t bits = loops->square_rate(p.plus, N, 3, 2);
    memcpy(&rate, &bits, sizeof rate);
    loops->square(p.minus, N);
    inputs before;
    make(&before);
    for (int i = 0; i < N; i++) {
        double complex z = at(before.plus, i), y = at(before.minus, i);
        largest = fmax(largest, 3 * fabs(creal(z)) + 2 * fabs(cimag(z)));
        CHECK_CLOSE(cabs(at(p.plus, i) - z * z), 0, 5e-15);
        CHECK_CLOSE(cabs(at(p.minus, i) - y * y), 0, 5e-15);
    }
    CHECK_CLOSE(rate, largest, 1e-15);
    /* whichever value is lost, the rate tells; of either sign of NaN */
    for (int i = 0; i < 2 * N; i++) {
        static const double lost[] = {NAN, -NAN, INFINITY, -INFINITY};
        make(&p);
        p.plus[i] = lost[i % 4];
        bits = loops->square_rate(p.plus, N, 3, 2);
        memcpy(&rate, &bits, sizeof rate);
        CU_ASSERT(!isfinite(rate));
    }
}

static void check_all(const locum_navier_stokes_loops *loops)
{
    for (int stage = 0; stage < 4; stage++) check_update(loops, stage);
    check_velocity(loops);
    check_square(loops);
}

static void portable_loops_agree_with_the_formulas(void)
{
    check_all(&locum_navier_stokes_loops_portable);
}

static void avx2_loops_agree_with_the_formulas(void)
{
    if (locum_cpu_best() == LOCUM_CPU_PORTABLE) {
        CU_PASS("this processor has no AVX2");
        return;
    }
    check_all(&locum_navier_stokes_loops_avx2);
}

LOCUM_RUN_TESTS("navier_stokes: pointwise loops",
                {"the portable loops agree with the formulas", portable_loops_agree_with_the_formulas},
                {"the AVX2 loops agree with the formulas", avx2_loops_agree_with_the_formulas})
