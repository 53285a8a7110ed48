/* SPDX-License-Identifier: BSD-3-Clause */
/* views.c - shapes as strided views: reshape, expand, slice, permute and flip move no values if readers take strides.
 *
 *     address(i0, i1, ...) = base + offset + i0 stride0 + i1 stride1 + ...           strides are constants, in floats
 *
 * A first dim along a symbol has dims[0] * extent steps; as it stays first and is never cut, no stride depends on an
 * extent. */
#include "surrogate/plan/internal.h"

#include <string.h>

int64_t locum_plan_count(const plan_value *v)
{
    int64_t count = 1;
    for (int i = 0; i < v->n_dims; i++) count *= v->dims[i];
    return count;
}

bool locum_plan_contiguous(const plan_value *v)
{
    int64_t expected = 1;
    for (int i = v->n_dims - 1; i >= 0; i--) {
        const bool one = v->dims[i] == 1 && !(i == 0 && v->symbol >= 0);
        if (!one && v->stride[i] != expected) return false;
        expected *= v->dims[i];
    }
    return true;
}

bool locum_plan_is_scalar(const plan_compiler *c, int32_t value, float *constant)
{
    const plan_value *v = &c->values[value], *base = &c->values[v->base];
    if (base->source != VALUE_CONSTANT || base->count != 1) return false;
    *constant = c->data[base->data];
    return true;
}

/* Drops dims of one step and joins neighbours that every stream walks as one. Returns the dims left; a symbol's dim
 * stays first. */
int locum_plan_merge(int n_dims, int64_t *dims, bool symbolic, int n_streams, int64_t (*stride)[LOCUM_DIMS_MAX])
{
    int n = 0;
    for (int i = 0; i < n_dims; i++) {
        if (dims[i] == 1 && !(i == 0 && symbolic)) continue;
        bool joins = n > 0;
        for (int s = 0; s < n_streams && joins; s++) joins = stride[s][n - 1] == stride[s][i] * dims[i];
        if (!joins) n++;
        dims[n - 1] = joins ? dims[n - 1] * dims[i] : dims[i];
        for (int s = 0; s < n_streams; s++) stride[s][n - 1] = stride[s][i];
    }
    return n;
}

/* Is it rows (all dims but the last) with one stride, of neighbouring values? rows: a unit. */
bool locum_plan_matrix(const plan_value *v, int64_t *rows, int64_t *row_stride)
{
    if (v->n_dims == 0) return false;
    const int last = v->n_dims - 1;
    int64_t dims[LOCUM_DIMS_MAX], stride[1][LOCUM_DIMS_MAX];
    memcpy(dims, v->dims, sizeof dims);
    memcpy(stride[0], v->stride, sizeof stride[0]);
    if (v->dims[last] != 1 && v->stride[last] != 1) return false;
    const int n = locum_plan_merge(last, dims, v->symbol >= 0, 1, stride);
    if (n > 1 || (last == 0 && v->symbol >= 0)) return false;
    *rows = n ? dims[0] : 1;
    *row_stride = n ? stride[0][0] : v->dims[last];
    return true;
}

/* The same values under other dims, if strides can say so: runs of old dims and of new dims with equal products must
 * match, and each run of old dims must be one even walk. */
bool locum_plan_reshape(const plan_value *v, int n_dims, const int64_t *dims, plan_value *out)
{
    int64_t old[LOCUM_DIMS_MAX], stride[1][LOCUM_DIMS_MAX];
    memcpy(old, v->dims, sizeof old);
    memcpy(stride[0], v->stride, sizeof stride[0]);
    const int n_old = locum_plan_merge(v->n_dims, old, v->symbol >= 0, 1, stride);
    *out = *v;
    out->n_dims = n_dims;
    int j = 0;
    for (int i = 0; i < n_old; i++) { /* new dims j .. split the even walk old[i] */
        int64_t product = 1;
        int first = j;
        while (j < n_dims && product < old[i]) product *= dims[j++];
        if (i == 0 && v->symbol >= 0 && j == first) product *= dims[j++]; /* the symbol's dim itself, even if 1 */
        if (product != old[i]) return false;
        int64_t step = stride[0][i];
        for (int k = j - 1; k >= first; k--) {
            out->dims[k] = dims[k];
            out->stride[k] = step;
            step *= dims[k];
        }
    }
    for (; j < n_dims; j++) { /* ones that are left */
        if (dims[j] != 1) return false;
        out->dims[j] = 1;
        out->stride[j] = 0;
    }
    return true;
}

/* Does step `first` of its symbol read (or write) unit `first` of the stored value alone? */
bool locum_plan_row_wise(const plan_compiler *c, const plan_value *v)
{
    const plan_value *base = &c->values[v->base];
    if (v->symbol < 0 || base->symbol != v->symbol) return false;
    int64_t low = v->offset, high = v->offset;
    for (int i = 0; i < v->n_dims; i++) {
        const int64_t reach = (v->dims[i] - 1) * v->stride[i];
        if (reach < 0)
            low += reach;
        else
            high += reach;
    }
    return v->dims[0] * v->stride[0] == base->count && low >= 0 && high < base->count;
}

int32_t locum_plan_base(const plan_compiler *c, const plan_work *w, int32_t value)
{
    const int32_t base = c->values[value].base;
    return w->fixed && c->values[base].origin >= 0 ? c->values[base].origin : base;
}

/* How a sum's result is walked over in the space of its operand: it stays where it sums. */
void locum_plan_sum_strides(const plan_value *in, const plan_value *out, int64_t *stride)
{
    for (int i = 0; i < in->n_dims; i++)
        stride[i] = out->dims[i] == in->dims[i] && !(i == 0 && out->symbol != in->symbol) ? out->stride[i] : 0;
}

/* Do four loops walk over operands and result of one elementwise work or sum? What is summed must be one of them. */
bool locum_plan_walks(const plan_compiler *c, const plan_work *w)
{
    const plan_value *out = &c->values[w->out], *space = w->kind == WORK_SUM ? &c->values[w->in[0]] : out;
    int64_t dims[LOCUM_DIMS_MAX], stride[4][LOCUM_DIMS_MAX] = {{0}};
    memcpy(dims, space->dims, sizeof dims);
    memcpy(stride[0], out->stride, sizeof stride[0]);
    if (w->kind == WORK_SUM) locum_plan_sum_strides(space, out, stride[0]);
    for (int k = 0; k < w->n_in; k++) memcpy(stride[1 + k], c->values[w->in[k]].stride, sizeof stride[0]);
    const int n = locum_plan_merge(space->n_dims, dims, space->symbol >= 0, 1 + w->n_in, stride);
    int summed = 0;
    for (int i = 0; i < n; i++) summed += stride[0][i] == 0;
    return n <= 4 && (w->kind != WORK_SUM || (summed == 1 && n >= 2));
}
