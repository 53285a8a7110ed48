/* SPDX-License-Identifier: BSD-3-Clause */
/* curve.c - learning curve: error on the test split against training samples. Training left one model per
 * fraction in its folder, curve-<samples>.safetensors; the full model is the last point. */
#include "surrogate/validate/validate_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* samples of a file's name, 0 = it is none of ours */
static int64_t samples_of(const char *name)
{
    char again[64];
    long long n = 0;

    if (sscanf(name, "curve-%lld.safetensors", &n) != 1 || n < 1) return 0;
    locum_format(again, sizeof again, "curve-%lld.safetensors", n);
    return strcmp(again, name) ? 0 : n;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int locum_curve_list(const char *folder, int64_t samples[LOCUM_CURVE_MAX])
{
    DIR *directory = folder ? opendir(folder) : NULL;
    struct dirent *entry;
    int n = 0;

    while (directory && n < LOCUM_CURVE_MAX && (entry = readdir(directory))) {
        samples[n] = samples_of(entry->d_name);
        n += samples[n] > 0;
    }
    if (directory) closedir(directory);
    qsort(samples, (size_t)n, sizeof *samples, ascending);
    return n;
}

static locum_status error_of(const locum_problem *p, const char *path, double *error)
{
    locum_model *model = NULL;
    locum_trusted rows = {0};
    locum_errors errors = {0};
    char message[256];

    locum_status st = locum_model_read(path, NULL, &model, message, sizeof message);
    if (!st) st = locum_evaluate_trust(p, model, p->config->coverage, p->n[LOCUM_TEST], p->x[LOCUM_TEST], &rows);
    if (!st) st = locum_errors_make(&p->layout, p->n[LOCUM_TEST], rows.value, p->y[LOCUM_TEST], p->seed, &errors);
    *error = errors.mean;
    locum_errors_free(&errors);
    locum_trusted_free(&rows);
    locum_model_close(model);
    return st;
}

locum_status locum_curve_make(const locum_problem *problem, double full_error, locum_curve *curve)
{
    char path[LOCUM_PATH_SIZE];

    *curve = (locum_curve){0};
    curve->n = locum_curve_list(problem->call->curve_folder, curve->samples);
    for (int i = 0; i < curve->n; i++) {
        locum_format(path, sizeof path, "%s/curve-%lld.safetensors", problem->call->curve_folder,
                     (long long)curve->samples[i]);
        LOCUM_TRY(error_of(problem, path, &curve->error[i]));
    }
    curve->samples[curve->n] = problem->n[LOCUM_TRAIN];
    curve->error[curve->n++] = full_error;
    return LOCUM_OK;
}
