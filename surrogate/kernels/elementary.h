/* SPDX-License-Identifier: BSD-3-Clause */
/* elementary.h - exp, log, tanh, sigmoid, softplus, erf, sin, cos and power on vectors of floats.
 *
 * Every function: at most 4 units in the last place of the correctly rounded result over all floats, denormal results
 * and arguments included; NaN gives NaN; the limits at 0 and infinity are those of <math.h>. Measured largest errors
 * stand in tests/unit/kernels/test_elementary.c, which measures them again at every level.
 * Method: range reduction to a small interval, then a polynomial or a quotient of polynomials with the smallest largest
 * relative error there. The coefficients are ours: linear least squares in extended precision on 1,500 Chebyshev
 * points, reweighted towards the extremes (Lawson) and, for quotients, by the last denominator, until the error is
 * level. sin, cos and power reduce in double; the rare lanes that this does not serve are left to libm. */
#ifndef SURROGATE_KERNELS_ELEMENTARY_H
#define SURROGATE_KERNELS_ELEMENTARY_H

#include <math.h>

#include "surrogate/kernels/level.h"

#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: x + this - this = x rounded to the nearest integer, for |x| < 2^22 */

/* integers of bit patterns: modulo 2^32 */
INLINE vi add_bits(vi a, vi b)
{
    return (vi)((vu)a + (vu)b);
}
INLINE vi subtract_bits(vi a, vi b)
{
    return (vi)((vu)a - (vu)b);
}
INLINE vi shift_left(vi a, int n)
{
    return (vi)((vu)a << n);
}

/* 2^n for -126 <= n <= 127 */
INLINE vf power_of_two(vi n)
{
    return (vf)shift_left(add_bits(n, splat_int(127)), 23);
}

/* e^x = 2^n e^r, |r| <= log(2) / 2. The factor 2^n is applied in two halves, so that denormal results are rounded once.
 */
INLINE vf exp_(vf x)
{
    x = max_(splat(-104.0f), min_(splat(89.0f), x));
    vf shifted = fma_(x, splat(1.44269504f), splat(ROUND_MAGIC));
    vi n = subtract_bits((vi)shifted, (vi)splat(ROUND_MAGIC));
    vf whole = shifted - splat(ROUND_MAGIC);
    vf r = fma_(whole, splat(-0.693359375f), x); /* exact: 9 bits times 8 bits */
    r = fma_(whole, splat(2.12194440e-4f), r);
    vf p = fma_(r, splat(0.0013814602f), splat(0.0083687155f));
    p = fma_(p, r, splat(0.041668388f));
    p = fma_(p, r, splat(0.16666521f));
    p = fma_(p, r, splat(0.49999993f));
    vf e = splat(1.0f) + fma_(r * r, p, r);
    vi half = n >> 1;
    return e * power_of_two(half) * power_of_two(subtract_bits(n, half));
}

/* log x = e log 2 + log m, m in [sqrt(1/2), sqrt(2)) */
INLINE vf log_(vf x)
{
    vi tiny = (vi)(x < splat(1.17549435e-38f));
    vf scaled = select_(tiny, x * splat(8388608.0f), x);
    vi bits = subtract_bits((vi)scaled, splat_int(0x3f3504f3)); /* bits of sqrt(1/2) */
    vi e = bits >> 23;
    vf m = (vf)subtract_bits((vi)scaled, shift_left(e, 23));
    vf whole = __builtin_convertvector(e - (tiny & 23), vf);
    vf f = m - splat(1.0f);
    vf p = fma_(f, splat(-0.076345037f), splat(0.12761592f));
    p = fma_(p, f, splat(-0.13160187f));
    p = fma_(p, f, splat(0.14201756f));
    p = fma_(p, f, splat(-0.16623357f));
    p = fma_(p, f, splat(0.20001227f));
    p = fma_(p, f, splat(-0.25000821f));
    p = fma_(p, f, splat(0.33333332f));
    vf square = f * f;
    vf tail = fma_(square, f * p, whole * splat(-2.12194440e-4f));
    tail = fma_(square, splat(-0.5f), tail);
    vf y = fma_(whole, splat(0.693359375f), f + tail);
    vf infinity = splat(INFINITY);
    y = select_((vi)(x == splat(0.0f)), -infinity, y);
    y = select_((vi)(x < splat(0.0f)), splat(NAN), y);
    return select_((vi)(x < infinity), y, select_((vi)(x == infinity), infinity, x + x));
}

/* tanh x = d / (d + 1), d = (e^2x - 1) / 2 = 2^(n-1) (e^2h - 1) + 2^(n-1) - 1/2, x limited to [-10, 10], beyond which
 * floats are 1. Nothing cancels for x > 0; for x < 0 an error of d is at most doubled, and d + 1 > 1/2. Odd to
 * rounding; tanh(-0) = 0. Several vectors go step by step together, because a chain of 13 operations that wait for each
 * other leaves most of the processor idle. x [vectors], in place; vectors is a constant. Every float scanned at AVX2:
 * at most 3.38 ulp. */
INLINE void tanh_group(const int vectors, vf *x)
{
    enum { MOST = 4 };
    vf whole[MOST], scale[MOST], h[MOST], p[MOST], d[MOST];
#define EACH(statement)                      \
    UNROLL for (int g = 0; g < vectors; g++) \
    {                                        \
        statement;                           \
    }
    EACH(h[g] = max_(splat(-10.0f), min_(splat(10.0f), x[g])))
    EACH(whole[g] = fma_(h[g], splat(2.88539008f), splat(ROUND_MAGIC)))
    EACH(scale[g] = (vf)add_bits(shift_left((vi)whole[g], 23),
                                 splat_int(0x3f000000))) /* 2^(n-1); the magic number has no low bits */
    EACH(whole[g] = whole[g] - splat(ROUND_MAGIC))
    EACH(h[g] = fma_(whole[g], splat(-0.346573590f), h[g]))
    EACH(p[g] = fma_(h[g], splat(0.088413453f), splat(0.26779890f)))
    EACH(p[g] = fma_(p[g], h[g], splat(0.66669421f)))
    EACH(p[g] = fma_(p[g], h[g], splat(1.3333217f)))
    EACH(p[g] = fma_(p[g], h[g], splat(1.9999997f)))
    EACH(p[g] = fma_(p[g], h[g], splat(2.0f)))
    EACH(d[g] = fma_(scale[g], p[g] * h[g], scale[g] - splat(0.5f)))
    EACH(x[g] = d[g] / (d[g] + splat(1.0f)))
#undef EACH
}

/* erf: x + x P(x^2) below 0.92, else 1 - e^-(|x| P(|x|)), where errors of the exponential count little */
INLINE vf erf_(vf x)
{
    vf a = abs_(x);
    a = min_(splat(4.0f), a);
    vf t = a * a;
    vf near = fma_(t, splat(-5.9994372e-4f), splat(4.9948380e-3f));
    near = fma_(near, t, splat(-2.6767727e-2f));
    near = fma_(near, t, splat(0.11281846f));
    near = fma_(near, t, splat(-0.37612497f));
    near = fma_(near, t, splat(0.12837915f));
    near = fma_(near, a, a);
    vf far = fma_(a, splat(-2.1459516e-4f), splat(3.2199766e-3f));
    far = fma_(far, a, splat(-2.2906035e-2f));
    far = fma_(far, a, splat(0.10528686f));
    far = fma_(far, a, splat(0.63569936f));
    far = fma_(far, a, splat(1.1285200f));
    far = splat(1.0f) - exp_(far * -a);
    vf y = select_((vi)(a < splat(0.92f)), near, far);
    return (vf)((vi)y | (vi)sign_bit(x));
}

/* Phi(-a) = 2^-(1 + a P(a)), 0 <= a <= 5.8: the tail of the normal distribution, at most 2e-7 off, a times it 7e-8. The power
 * of two never leaves the normal numbers. */
INLINE vf normal_tail(vf a)
{
    vf p = fma_(a, splat(1.63059471e-6f), splat(-2.48134328e-5f));
    p = fma_(p, a, splat(1.15993089e-4f));
    p = fma_(p, a, splat(3.09976852e-4f));
    p = fma_(p, a, splat(-7.29622275e-3f));
    p = fma_(p, a, splat(5.26643033e-2f));
    p = fma_(p, a, splat(0.459149206f));
    p = fma_(p, a, splat(1.15111271f));
    vf y = fma_(-a, p, splat(-1.0f));
    vf shifted = y + splat(ROUND_MAGIC);
    vf r = y - (shifted - splat(ROUND_MAGIC));
    vf e = fma_(r, splat(1.32669704e-3f), splat(9.67545975e-3f));
    e = fma_(e, r, splat(5.55074262e-2f));
    e = fma_(e, r, splat(0.240221218f));
    e = fma_(e, r, splat(0.693146949f));
    e = fma_(e, r, splat(1.00000007f));
    return (vf)add_bits((vi)e, shift_left((vi)shifted, 23));
}

/* Phi(x) = (1 + erf(x / sqrt 2)) / 2, at most 2e-7 off */
INLINE vf normal_(vf x)
{
    vf tail = normal_tail(min_(splat(5.8f), abs_(x)));
    return select_((vi)(x > splat(0.0f)), splat(1.0f) - tail, tail);
}

/* x Phi(x) = max(x, 0) - a Phi(-a), a = |x|; beyond 5.8 what is left is 2e-8. Nothing cancels: at most 7e-8 off below 0,
 * and 4 units in the last place above. */
INLINE vf gelu_(vf x)
{
    vf a = min_(splat(5.8f), abs_(x));
    return max_(splat(0.0f), x) - a * normal_tail(a);
}

/* 1 / (1 + e^-x) for x >= 0, e^x / (1 + e^x) below: no overflow, and small results keep their digits */
INLINE vf sigmoid_(vf x)
{
    vf e = exp_((vf)((vi)x | splat_int(INT32_MIN)));
    vf above = select_((vi)(x < splat(0.0f)), e, splat(1.0f));
    return above / (splat(1.0f) + e);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x| in (0, 1]; log(1 + e) = e - e^2 P(e) / Q(e), relative error 1e-9 */
INLINE vf softplus_(vf x)
{
    vf e = exp_((vf)((vi)x | splat_int(INT32_MIN)));
    vf p = fma_(e, splat(7.2253469e-2f), splat(0.45073511f));
    vf q = fma_(e, splat(7.5702040e-2f), splat(0.68997437f));
    p = fma_(p, e, splat(0.49999991f));
    q = fma_(q, e, splat(1.5681319f));
    q = fma_(q, e, splat(1.0f));
    return max_(splat(0.0f), x) + (e - e * e * p / q);
}

/* sin(x + shift pi / 2). x = n pi/2 + r in double with pi/2 in three parts (33 + 33 + 53 bits: n times the first two is
 * exact for n < 2^20); r keeps its digits however close x is to a multiple of pi/2. Beyond |x| = 1e6 lanes are left to
 * libm. */
INLINE vf sine_shifted(vf x, int shift)
{
    vd wide = __builtin_convertvector(x, vd);
    vd magic = (vd){0} + 6755399441055744.0; /* 1.5 * 2^52 */
    vd shifted = wide * 0.63661977236758134308 + magic;
    vd whole = shifted - magic;
    vi quadrant = __builtin_convertvector((vl)((vul)shifted - (vul)magic), vi) + shift;
    vd reduced = ((wide - whole * 1.57079632673412561417) - whole * 6.07710050630396597660e-11) -
                 whole * 2.02226624879595063154e-21;
    vf r = __builtin_convertvector(reduced, vf);
    vf t = r * r;
    vf s = fma_(t, splat(-1.9517213e-4f), splat(8.3321775e-3f));
    s = fma_(s, t, splat(-0.16666655f));
    s = fma_(s * t, r, r);
    vf c = fma_(t, splat(2.4433058e-5f), splat(-1.3887315e-3f));
    c = fma_(c, t, splat(4.1666646e-2f));
    c = fma_(c * t, t, fma_(t, splat(-0.5f), splat(1.0f)));
    vf y = select_((vi)((quadrant & 1) != 0), c, s);
    return (vf)((vi)y ^ shift_left(quadrant & 2, 30));
}

INLINE vf libm_lanes(vf x, vf y, vi served, double (*function)(double))
{
    for (int i = 0; i < LANES; i++)
        if (!served[i]) y[i] = (float)function((double)x[i]);
    return y;
}

INLINE int all_(vi mask)
{
#if defined(__AVX512DQ__) && LANES == 16
    return _mm512_movepi32_mask((__m512i)mask) == 0xffff;
#elif defined(__AVX__) && LANES == 8
    return _mm256_movemask_ps((__m256)mask) == 0xff;
#elif defined(__SSE2__) && LANES == 4
    return _mm_movemask_ps((__m128)mask) == 0xf;
#else
    int all = 1;
    for (int i = 0; i < LANES; i++) all &= mask[i] != 0;
    return all;
#endif
}

INLINE vf sin_(vf x)
{
    vi served = (vi)(abs_(x) < splat(1e6f));
    vf y = sine_shifted(select_(served, x, splat(0.0f)), 0);
    y = select_((vi)(x == splat(0.0f)), x, y); /* keeps -0 */
    return all_(served) ? y : libm_lanes(x, y, served, sin);
}

INLINE vf cos_(vf x)
{
    vi served = (vi)(abs_(x) < splat(1e6f));
    vf y = sine_shifted(select_(served, x, splat(0.0f)), 1);
    return all_(served) ? y : libm_lanes(x, y, served, cos);
}

/* x^c for positive normal x: 2^(c log2 x), all in double (relative error 1e-11), rounded once */
INLINE vf power_positive(vf x, double c)
{
    vi bits = subtract_bits((vi)x, splat_int(0x3f3504f3));
    vi e = bits >> 23;
    vd m = __builtin_convertvector((vf)subtract_bits((vi)x, shift_left(e, 23)), vd);
    vd s = (m - 1.0) / (m + 1.0), t = s * s;
    vd p = t * (1.0 / 15) + 1.0 / 13;
    p = p * t + 1.0 / 11;
    p = p * t + 1.0 / 9;
    p = p * t + 1.0 / 7;
    p = p * t + 1.0 / 5;
    p = p * t + 1.0 / 3;
    p = p * t + 1.0;
    vd y = (p * s * 2.88539008177792681472 + __builtin_convertvector(e, vd)) * c;
    vl low = (vl)(y < -200.0), high = (vl)(y > 200.0);
    y = (vd)((~(low | high) & (vl)y) | (low & (vl)((vd){0} - 200.0)) | (high & (vl)((vd){0} + 200.0)));
    vd magic = (vd){0} + 6755399441055744.0;
    vd shifted = y + magic;
    vd r = (y - (shifted - magic)) * 0.69314718055994530942;
    vd q = r * (1.0 / 3628800) + 1.0 / 362880;
    q = q * r + 1.0 / 40320;
    q = q * r + 1.0 / 5040;
    q = q * r + 1.0 / 720;
    q = q * r + 1.0 / 120;
    q = q * r + 1.0 / 24;
    q = q * r + 1.0 / 6;
    q = q * r + 0.5;
    q = q * r + 1.0;
    q = q * r + 1.0;
    vul n = (vul)shifted - (vul)magic;
    return __builtin_convertvector(q * (vd)((n + 1023) << 52), vf);
}

/* x^c, c constant. Small whole exponents are products; other lanes than positive normal x are left to libm. */
INLINE vf power_(vf x, float c)
{
    if (c == 0.0f) return splat(1.0f);
    if (c == 1.0f) return x;
    if (c == 2.0f) return x * x;
    if (c == 3.0f) return x * x * x;
    if (c == -1.0f) return splat(1.0f) / x;
    vi served = (vi)(x >= splat(1.17549435e-38f)) & (vi)(x < splat(INFINITY));
    vf safe = select_(served, x, splat(1.0f));
    vf y = c == 0.5f ? sqrt_(safe) : power_positive(safe, (double)c);
    if (!all_(served))
        for (int i = 0; i < LANES; i++)
            if (!served[i]) y[i] = (float)pow((double)x[i], (double)c);
    return y;
}

#endif
