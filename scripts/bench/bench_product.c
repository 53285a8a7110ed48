/* SPDX-License-Identifier: BSD-3-Clause */
/* bench_product.c - the kernels of surrogate/kernels beside OpenBLAS, one thread each, in one run.
 *
 *     bench_product [repeats]
 * A repeat times ours and OpenBLAS one after the other, each over enough calls for about 2 ms of this thread's
 * processor time (so that other programs on the machine disturb little); printed are the median time of a call, the
 * spread (half the distance between the quartiles, in per cent), GF/s = 2 rows k n / time, the median over repeats of
 * the ratio (above 1: ours is faster), and our share of the multiply-add peak, which a loop over registers measures in
 * the same run. b is packed ahead for ours (weights do not change while a model is used); `pack` is printed apart.
 * OpenBLAS packs inside. */
#include <cblas.h>

#include "scripts/bench/timing.h"

/* --- one case
 * -------------------------------------------------------------------------------------------------------------------
 */
typedef struct bench {
    const locum_kernels *kernels;
    int repeats;
    double peak;
    int64_t rows, k, n;
    float *a, *b, *c, *d, *packed;
} bench;

static float *random_array(int64_t n)
{
    float *x = aligned_alloc(64, ((size_t)n * sizeof *x + 127) / 64 * 64);
    if (!x) exit(1);
    for (int64_t i = 0; i < n; i++) x[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return x;
}

static void bench_arrays(bench *s, int64_t rows, int64_t k, int64_t n)
{
    s->rows = rows, s->k = k, s->n = n;
    s->a = random_array(rows * k);
    s->b = random_array(k * n > rows * n ? k * n : rows * n);
    s->c = random_array(rows * n > k * n ? rows * n : k * n);
    s->d = random_array(rows * n > k * n ? rows * n : k * n);
    s->packed = random_array((int64_t)s->kernels->packed_count(k, n));
    s->kernels->pack(k, n, s->b, n, 1, s->packed);
}

static void bench_free(bench *s)
{
    free(s->a), free(s->b), free(s->c), free(s->d), free(s->packed);
}

static void ours(const bench *s)
{
    s->kernels->product(&(locum_product_call){.rows = s->rows,
                                              .k = s->k,
                                              .n = s->n,
                                              .a = s->a,
                                              .a_stride = s->k,
                                              .packed = s->packed,
                                              .c = s->c,
                                              .c_stride = s->n});
}

static void theirs(const bench *s)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)s->rows, (int)s->n, (int)s->k, 1.0f, s->a, (int)s->k,
                s->b, (int)s->n, 0.0f, s->d, (int)s->n);
}

static void ours_packing(const bench *s)
{
    s->kernels->pack(s->k, s->n, s->b, s->n, 1, s->packed);
    ours(s);
}

static void ours_packing_transposed(const bench *s)
{
    s->kernels->pack(s->k, s->n, s->b, 1, s->k, s->packed);
    ours(s);
}

static void theirs_transposed(const bench *s)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s->rows, (int)s->n, (int)s->k, 1.0f, s->a, (int)s->k,
                s->b, (int)s->k, 0.0f, s->d, (int)s->n);
}

static void ours_rows(const bench *s)
{
    s->kernels->product_rows(s->rows, s->k, s->n, s->a, s->k, s->b, s->n, s->c, s->n, 0);
}

static void theirs_rows(const bench *s)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)s->k, (int)s->n, (int)s->rows, 1.0f, s->a, (int)s->k,
                s->b, (int)s->n, 0.0f, s->d, (int)s->n);
}

static double time_calls(const bench *s, void (*call)(const bench *), int n)
{
    double start = now();
    for (int i = 0; i < n; i++) call(s);
    return (now() - start) / n;
}

static void compare(bench *s, const char *name, int64_t rows, int64_t k, int64_t n, void (*mine)(const bench *),
                    void (*other)(const bench *))
{
    double t[2][MOST_REPEATS], ratio[MOST_REPEATS], worst = 0.0;
    bench_arrays(s, rows, k, n);
    mine(s), other(s);
    int64_t values = mine == ours_rows ? k * n : rows * n;
    for (int64_t i = 0; i < values; i++) worst = fmax(worst, fabs((double)s->c[i] - (double)s->d[i]));
    int calls = (int)fmin(20000.0, 1.0 + 2e-3 / time_calls(s, mine, 3));
    for (int r = 0; r < s->repeats; r++) {
        t[0][r] = time_calls(s, mine, calls);
        t[1][r] = time_calls(s, other, calls);
        ratio[r] = t[1][r] / t[0][r];
    }
    summary m = summarise(t[0], s->repeats), o = summarise(t[1], s->repeats), q = summarise(ratio, s->repeats);
    double flops = 2.0 * (double)rows * (double)k * (double)n;
    printf("%-12s %4lld x %4lld x %4lld  %10.3f us +-%4.1f%% %7.1f GF/s  OpenBLAS %10.3f us +-%4.1f%% %7.1f GF/s  "
           "ratio %5.2f  %3.0f%% of peak%s\n",
           name, (long long)rows, (long long)k, (long long)n, 1e6 * m.median, 100 * m.spread, 1e-9 * flops / m.median,
           1e6 * o.median, 100 * o.spread, 1e-9 * flops / o.median, q.median, 100 * flops / m.median / s->peak,
           worst < 1e-6 * (double)(mine == ours_rows ? rows : k) + 1e-5 ? "" : "  WRONG");
    bench_free(s);
}

/* --- elementary functions, packing, an MLP
 * ----------------------------------------------------------------------------------------- */
static void bench_elementary(const bench *s)
{
    static const struct {
        const char *name;
        locum_tile_op op;
    } cases[] = {{"tanh", LOCUM_TILE_TANH},         {"exp", LOCUM_TILE_EXP},         {"sigmoid", LOCUM_TILE_SIGMOID},
                 {"softplus", LOCUM_TILE_SOFTPLUS}, {"erf", LOCUM_TILE_ERF},         {"log", LOCUM_TILE_LOG},
                 {"sin", LOCUM_TILE_SIN},           {"neg (memory)", LOCUM_TILE_NEG}};
    enum { N = 4096, CALLS = 100 };
    float *x = random_array(N), *y = random_array(N);
    for (int i = 0; i < N; i++) x[i] = 6.0f * fabsf(x[i]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double t[MOST_REPEATS];
        for (int r = 0; r < s->repeats; r++) {
            double start = now();
            for (int j = 0; j < CALLS; j++) s->kernels->unary(cases[i].op, N, x, y);
            t[r] = (now() - start) / (CALLS * N);
        }
        summary m = summarise(t, s->repeats);
        printf("%-12s %.3f ns an element +-%.1f%%, best %.3f\n", cases[i].name, 1e9 * m.median, 100 * m.spread,
               1e9 * m.best);
    }
    free(x), free(y);
}

static void bench_pack(bench *s, int64_t k, int64_t n, int transposed)
{
    double t[MOST_REPEATS];
    bench_arrays(s, 1, k, n);
    for (int r = 0; r < s->repeats; r++) {
        double start = now();
        for (int j = 0; j < 100; j++) s->kernels->pack(k, n, s->b, transposed ? 1 : n, transposed ? k : 1, s->packed);
        t[r] = (now() - start) / 100;
    }
    summary m = summarise(t, s->repeats);
    printf("pack%s %lld x %lld: %.3f us +-%.1f%%\n", transposed ? " transposed" : "", (long long)k, (long long)n,
           1e6 * m.median, 100 * m.spread);
    bench_free(s);
}

/* 8-64-64-64-4, tanh, the raw kernel calls alone: panels of 64 rows go through all layers */
static void bench_mlp(const bench *s, int batch)
{
    static const int width[5] = {8, 64, 64, 64, 4};
    float *packed[4], *bias = random_array(64), *x = random_array(batch * 8), *y = random_array(batch * 4),
                      *h = random_array(2 * 64 * 64);
    double t[MOST_REPEATS], flops = 0.0;
    for (int l = 0; l < 4; l++) {
        float *b = random_array(width[l] * width[l + 1]);
        packed[l] = random_array((int64_t)s->kernels->packed_count(width[l], width[l + 1]));
        s->kernels->pack(width[l], width[l + 1], b, width[l + 1], 1, packed[l]);
        flops += 2.0 * batch * width[l] * width[l + 1];
        free(b);
    }
    int calls = batch == 1 ? 2000 : 20;
    for (int r = 0; r < s->repeats; r++) {
        double start = now();
        for (int j = 0; j < calls; j++)
            for (int first = 0; first < batch; first += 64)
                for (int l = 0; l < 4; l++)
                    s->kernels->product(&(locum_product_call){.rows = batch - first < 64 ? batch - first : 64,
                                                              .k = width[l],
                                                              .n = width[l + 1],
                                                              .a = l == 0 ? x + 8 * first : h + 4096 * (l % 2),
                                                              .a_stride = width[l],
                                                              .packed = packed[l],
                                                              .bias = bias,
                                                              .activation = l < 3 ? LOCUM_ACT_TANH : LOCUM_ACT_NONE,
                                                              .c = l == 3 ? y + 4 * first : h + 4096 * ((l + 1) % 2),
                                                              .c_stride = width[l + 1]});
        t[r] = (now() - start) / calls;
    }
    summary m = summarise(t, s->repeats);
    printf("MLP 8-64-64-64-4 tanh, batch %3d: %.3f us +-%.1f%%, best %.3f; %.1f GF/s and %d tanh\n", batch,
           1e6 * m.median, 100 * m.spread, 1e6 * m.best, 1e-9 * flops / m.median, 192 * batch);
    for (int l = 0; l < 4; l++) free(packed[l]);
    free(bias), free(x), free(y), free(h);
}

static void print_machine(const bench *s)
{
    char line[512], *model = NULL;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !model && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0) model = strchr(line, ':');
    if (file) fclose(file);
    const char *core = getenv("OPENBLAS_CORETYPE");
    printf("processor%s", model ? model : ": unknown\n");
    printf("kernels: %s%s; compiler " __VERSION__ "; repeats %d\n", s->kernels->name,
           locum_cpu_best() < LOCUM_CPU_AVX512 ? " (this processor has no AVX-512)" : "", s->repeats);
    printf("%s; core %s; OPENBLAS_CORETYPE=%s\n", openblas_get_config(), openblas_get_corename(),
           core ? core : "(not set)");
    printf("multiply-add peak of %s, measured: %.1f GF/s\n\n", s->kernels->name, 1e-9 * s->peak);
}

int main(int argc, char **argv)
{
    static const int small[] = {1, 2, 4, 8, 16, 32, 64};
    bench s = {.kernels = locum_kernels_for(LOCUM_CPU_AVX512), .repeats = argc > 1 ? atoi(argv[1]) : 31};
    if (s.repeats < 3 || s.repeats > MOST_REPEATS) s.repeats = 31;
    openblas_set_num_threads(1);
    s.peak = measured_peak(s.kernels->level);
    print_machine(&s);
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) compare(&s, "product", small[i], 64, 64, ours, theirs);
    compare(&s, "product", 64, 256, 256, ours, theirs);
    compare(&s, "product", 4096, 64, 64, ours, theirs);
    compare(&s, "product", 256, 256, 256, ours, theirs);
    compare(&s, "product", 1024, 1024, 1024, ours, theirs);
    compare(&s, "pack+product", 64, 64, 64, ours_packing, theirs);
    compare(&s, "pack+product", 64, 128, 128, ours_packing, theirs);
    compare(&s, "pack+product", 256, 512, 512, ours_packing, theirs);
    compare(&s, "pack+transp.", 64, 128, 128, ours_packing_transposed, theirs_transposed);
    compare(&s, "pack+transp.", 256, 512, 512, ours_packing_transposed, theirs_transposed);
    compare(&s, "product_rows", 64, 64, 64, ours_rows, theirs_rows);
    compare(&s, "product_rows", 256, 64, 64, ours_rows, theirs_rows);
    compare(&s, "product_rows", 64, 128, 128, ours_rows, theirs_rows);
    compare(&s, "product_rows", 256, 512, 512, ours_rows, theirs_rows);
    compare(&s, "product_rows", 1024, 1024, 1024, ours_rows, theirs_rows);
    printf("\n");
    bench_pack(&s, 64, 64, 0), bench_pack(&s, 64, 64, 1), bench_pack(&s, 256, 256, 0), bench_pack(&s, 256, 256, 1);
    bench_elementary(&s);
    bench_mlp(&s, 1), bench_mlp(&s, 256), bench_mlp(&s, 4096);
    return 0;
}
