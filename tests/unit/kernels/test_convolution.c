/* SPDX-License-Identifier: BSD-3-Clause */
/* test_convolution.c - convolution, its gradients in input and weight, at every level, against the plain loops. */
#include "tests/unit/kernels/levels.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))
enum { BATCH = 3 };

typedef struct shape_case {
    const char *what;
    locum_convolution_shape shape;
} shape_case;

static const shape_case cases[] = {
    {"3 x 3, zeros", {{1, 7, 11}, {1, 7, 11}, {1, 3, 3}, {0, 1, 1}, 5, 9, 1, 1, 0}},
    {"3 x 3, periodic", {{1, 8, 16}, {1, 8, 16}, {1, 3, 3}, {0, 1, 1}, 16, 32, 1, 1, 1}},
    {"3 x 3, many channels", {{1, 4, 8}, {1, 4, 8}, {1, 3, 3}, {0, 1, 1}, 70, 40, 1, 1, 1}},
    {"channels beyond a block", {{1, 3, 4}, {1, 3, 4}, {1, 3, 1}, {0, 1, 0}, 340, 18, 1, 1, 0}},
    {"one axis, dilated", {{1, 1, 40}, {1, 1, 40}, {1, 1, 5}, {0, 0, 6}, 3, 20, 1, 3, 1}},
    {"three axes, periodic", {{4, 5, 6}, {4, 5, 6}, {3, 3, 3}, {1, 1, 1}, 4, 17, 1, 1, 1}},
    {"three axes, zeros", {{4, 3, 5}, {4, 3, 5}, {3, 1, 3}, {1, 0, 1}, 6, 6, 1, 1, 0}},
    {"2 x 2, stride 2", {{1, 8, 12}, {1, 4, 6}, {1, 2, 2}, {0, 0, 0}, 12, 24, 2, 1, 0}},
    {"2 x 2 x 2, stride 2, periodic", {{4, 4, 8}, {2, 2, 4}, {2, 2, 2}, {0, 0, 0}, 7, 16, 2, 1, 1}},
    {"3 x 3, stride 2, odd grid", {{1, 9, 13}, {1, 5, 7}, {1, 3, 3}, {0, 1, 1}, 8, 8, 2, 1, 0}},
    {"stride 3, dilation 2", {{1, 1, 31}, {1, 1, 9}, {1, 1, 4}, {0, 0, 2}, 5, 5, 3, 2, 0}},
    {"stride 2, dilation 2: points without taps", {{1, 1, 16}, {1, 1, 8}, {1, 1, 3}, {0, 0, 2}, 4, 6, 2, 2, 0}},
    {"stride 4, 2 taps: gaps", {{1, 1, 16}, {1, 1, 4}, {1, 1, 2}, {0, 0, 0}, 4, 6, 4, 1, 0}},
    {"uneven wrap", {{1, 1, 7}, {1, 1, 4}, {1, 1, 3}, {0, 0, 1}, 3, 4, 2, 1, 1}},
    {"more taps than points, wrapped twice", {{1, 2, 3}, {1, 2, 3}, {1, 5, 7}, {0, 2, 3}, 3, 5, 1, 1, 1}},
    {"one channel, one column", {{1, 9, 9}, {1, 9, 9}, {1, 7, 7}, {0, 3, 3}, 1, 1, 1, 1, 0}},
    {"all taps outside", {{1, 1, 4}, {1, 1, 4}, {1, 1, 2}, {0, 0, 9}, 2, 3, 1, 1, 0}},
    {"1 x 1, four columns", {{1, 5, 5}, {1, 5, 5}, {1, 1, 1}, {0, 0, 0}, 32, 4, 1, 1, 0}},
    {"a long line", {{1, 1, 140}, {1, 1, 140}, {1, 1, 3}, {0, 0, 1}, 7, 25, 1, 1, 1}},
};

static int64_t volume(const int64_t *n)
{
    return n[0] * n[1] * n[2];
}

/* all arrays of one shape; strides of points exceed the channels by `gap` */
typedef struct setting {
    const locum_convolution_shape *s;
    int64_t x_stride, y_stride;
    guarded x, y, w, bias, packed;
} setting;

static setting create(const locum_kernels *kernels, const locum_convolution_shape *s, int input, int gap,
                      uint64_t *state)
{
    setting t = {.s = s, .x_stride = s->channels + gap, .y_stride = s->columns + gap};
    t.x = guarded_create(BATCH * volume(s->grid) * t.x_stride, gap % 2, state);
    t.y = guarded_create(BATCH * volume(s->points) * t.y_stride, gap % 2, state);
    t.w = guarded_create(volume(s->taps) * s->channels * s->columns, gap % 2, state);
    t.bias = guarded_create(s->channels > s->columns ? s->channels : s->columns, 0, state);
    t.packed = guarded_create((int64_t)kernels->convolution_count(s, input), 0, state);
    guard_gaps(&t.x, BATCH * volume(s->grid), s->channels, t.x_stride);
    guard_gaps(&t.y, BATCH * volume(s->points), s->columns, t.y_stride);
    kernels->convolution_pack(s, input, t.w.data, t.packed.data);
    CU_ASSERT(guards_untouched(&t.packed));
    return t;
}

static void release(setting *t)
{
    guarded_free(&t->x), guarded_free(&t->y), guarded_free(&t->w), guarded_free(&t->bias), guarded_free(&t->packed);
}

static locum_convolution_call call_of(const setting *t, int input, locum_activation activation)
{
    return (locum_convolution_call){.shape = t->s,
                                    .input = input,
                                    .batch = BATCH,
                                    .a = input ? t->y.data : t->x.data,
                                    .a_stride = input ? t->y_stride : t->x_stride,
                                    .packed = t->packed.data,
                                    .bias = activation == LOCUM_ACT_RELU ? NULL : t->bias.data,
                                    .activation = activation,
                                    .c = input ? t->x.data : t->y.data,
                                    .c_stride = input ? t->x_stride : t->y_stride};
}

/* n terms in [-1, 1] summed one after the other: n^2 / 2 rounding errors of 2^-24 at most, far fewer are seen (they walk
 * randomly: n^1.5); activations have slopes of at most 1.13 */
static double tolerance(double n)
{
    return 4 * 0x1p-24 * n * sqrt(n) + 0x1p-22;
}

static double worst_of(const float *a, const float *b, int64_t rows, int64_t width, int64_t stride)
{
    double worst = 0.0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < width; i++) {
            const double off = fabs((double)a[r * stride + i] - (double)b[r * stride + i]);
            if (!(off <= worst)) worst = off;
        }
    return worst;
}

static void fields_equal_the_reference(const locum_kernels *kernels, const shape_case *k, int input, int variant)
{
    uint64_t state = (uint64_t)(k - cases) * 10 + (uint64_t)variant;
    setting t = create(kernels, &k->shape, input, variant % 3, &state);
    locum_convolution_call call = call_of(&t, input, (locum_activation)(variant % 6)), plain = call;
    guarded *c = input ? &t.x : &t.y, expected = guarded_create(c->n, 0, &state);
    const int64_t rows = BATCH * volume(input ? k->shape.grid : k->shape.points);
    const int64_t width = input ? k->shape.channels : k->shape.columns;
    const double terms = (double)(volume(k->shape.taps) * (input ? k->shape.columns : k->shape.channels));
    kernels->convolution(&call);
    plain.packed = t.w.data;
    plain.c = expected.data;
    locum_kernels_reference()->convolution(&plain);
    const double worst = worst_of(c->data, expected.data, rows, width, call.c_stride);
    if (worst > tolerance(terms)) printf("\n    %s: %s, input %d, variant %d", kernels->name, k->what, input, variant);
    CHECK_CLOSE(worst, 0.0, tolerance(terms));
    CU_ASSERT(guards_untouched(c) && gaps_untouched(c, rows, width, call.c_stride));
    guarded_free(&expected);
    release(&t);
}

static void convolution_equals_the_reference(void)
{
    FOR_LEVELS(kernels)
    for (int i = 0; i < COUNT(cases); i++)
        for (int variant = 0; variant < 6; variant++)
            fields_equal_the_reference(kernels, &cases[i], variant % 2, i + variant);
    levels_say_skipped();
}

static void weight_gradient_equals_the_reference(void)
{
    FOR_LEVELS(kernels)
    for (int i = 0; i < COUNT(cases); i++) {
        uint64_t state = (uint64_t)i;
        setting t = create(kernels, &cases[i].shape, 0, i % 3, &state);
        guarded expected = guarded_create(t.w.n, 0, &state);
        memcpy(expected.data, t.w.data, (size_t)t.w.n * sizeof(float));
        locum_convolution_weight_call call = {.shape = t.s,
                                              .batch = BATCH,
                                              .x = t.x.data,
                                              .y = t.y.data,
                                              .x_stride = t.x_stride,
                                              .y_stride = t.y_stride,
                                              .w = t.w.data,
                                              .accumulate = i % 2};
        kernels->convolution_weight(&call);
        call.w = expected.data;
        locum_kernels_reference()->convolution_weight(&call);
        const double worst = worst_of(t.w.data, expected.data, 1, t.w.n, t.w.n);
        if (worst > tolerance((double)(BATCH * volume(t.s->points)))) printf("\n    %s", cases[i].what);
        CHECK_CLOSE(worst, 0.0, tolerance((double)(BATCH * volume(t.s->points))));
        CU_ASSERT(guards_untouched(&t.w));
        guarded_free(&expected);
        release(&t);
    }
}

static void a_batch_that_is_cut_gives_the_same_bits(void)
{
    FOR_LEVELS(kernels)
    for (int i = 0; i < COUNT(cases); i++) {
        uint64_t state = 4;
        const locum_convolution_shape *s = &cases[i].shape;
        setting t = create(kernels, s, 0, 0, &state);
        locum_convolution_call all = call_of(&t, 0, LOCUM_ACT_GELU), part = all;
        locum_convolution_weight_call weight = {.shape = s,
                                                .batch = BATCH,
                                                .x = t.x.data,
                                                .y = t.y.data,
                                                .x_stride = t.x_stride,
                                                .y_stride = t.y_stride,
                                                .w = t.w.data},
                                      piece = weight;
        guarded c = guarded_create(t.y.n, 0, &state), w = guarded_create(t.w.n, 0, &state);
        kernels->convolution_weight(&weight);
        for (int b = 0; b < BATCH; b++) {
            piece.batch = 1;
            piece.x = t.x.data + b * volume(s->grid) * t.x_stride;
            piece.y = t.y.data + b * volume(s->points) * t.y_stride;
            piece.w = w.data;
            piece.accumulate = b > 0;
            kernels->convolution_weight(&piece);
        }
        CU_ASSERT(memcmp(w.data, t.w.data, (size_t)w.n * sizeof(float)) == 0);
        kernels->convolution(&all);
        for (int b = 0; b < BATCH; b++) {
            part.batch = 1;
            part.a = t.x.data + b * volume(s->grid) * t.x_stride;
            part.c = c.data + b * volume(s->points) * t.y_stride;
            kernels->convolution(&part);
        }
        CU_ASSERT(memcmp(c.data, t.y.data, (size_t)c.n * sizeof(float)) == 0);
        guarded_free(&c), guarded_free(&w);
        release(&t);
    }
}

/* on a periodic grid, shifting x by one point shifts y: the bits of a point do not depend on where it lies */
static void a_periodic_shift_shifts_the_bits(void)
{
    enum { N = 12, C = 5, W = 19 };
    static const locum_convolution_shape s = {{1, N, N}, {1, N, N}, {1, 3, 3}, {0, 1, 1}, C, W, 1, 1, 1};
    FOR_LEVELS(kernels)
    {
        uint64_t state = 2;
        setting t = create(kernels, &s, 0, 0, &state);
        guarded x = guarded_create(N * N * C, 0, &state), y = guarded_create(N * N * W, 0, &state);
        locum_convolution_call call = call_of(&t, 0, LOCUM_ACT_TANH);
        call.batch = 1;
        kernels->convolution(&call);
        for (int i = 0; i < N * N; i++) { /* by 1 and 5 */
            const int to = (i / N + 1) % N * N + (i + 5) % N;
            memcpy(x.data + to * C, t.x.data + i * C, C * sizeof(float));
        }
        call.a = x.data;
        call.c = y.data;
        kernels->convolution(&call);
        int different = 0;
        for (int i = 0; i < N * N; i++) {
            const int to = (i / N + 1) % N * N + (i + 5) % N;
            different += memcmp(y.data + to * W, t.y.data + i * W, W * sizeof(float)) != 0;
        }
        CU_ASSERT(different == 0);
        guarded_free(&x), guarded_free(&y);
        release(&t);
    }
}

static void one_wrong_weight_is_seen(void)
{
    FOR_LEVELS(kernels)
    {
        uint64_t state = 3;
        setting t = create(kernels, &cases[1].shape, 0, 0, &state);
        locum_convolution_call call = call_of(&t, 0, LOCUM_ACT_NONE);
        guarded expected = guarded_create(t.y.n, 0, &state);
        t.w.data[t.w.n - 1] += 1e-2f;
        kernels->convolution(&call);
        call.packed = t.w.data;
        call.c = expected.data;
        locum_kernels_reference()->convolution(&call);
        CU_ASSERT(worst_of(t.y.data, expected.data, 1, t.y.n, t.y.n) > tolerance(9 * 16));
        guarded_free(&expected);
        release(&t);
    }
}

LOCUM_RUN_TESTS("kernels: convolution",
                {"convolution and input gradient = reference: shapes, strides, activations",
                 convolution_equals_the_reference},
                {"weight gradient = reference", weight_gradient_equals_the_reference},
                {"a batch that is cut gives the same bits", a_batch_that_is_cut_gives_the_same_bits},
                {"a periodic shift shifts the bits", a_periodic_shift_shifts_the_bits},
                {"a planted error of 1e-2 in one weight is seen", one_wrong_weight_is_seen})
