/* SPDX-License-Identifier: BSD-3-Clause */
/* dump.c - what locum reads of a study's `dataset:`, for another program to compare.
 *
 *     formats_dump STUDY.yaml OUT     OUT.json: arrays, parameters, samples; OUT.raw: float32 of all frames of array 0, then
 *                                     1, ..; each sample by read_frames; and float64 of the last frame of each by read
 * A failure is printed as "STATUS message" and is the exit code. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "datasets/formats/source.h"

static void write_json(const locum_dataset *d, const char *path)
{
    const locum_schema *schema = locum_dataset_schema(d);
    FILE *out = fopen(path, "w");

    fprintf(out, "{\"arrays\":[");
    for (int a = 0; a < schema->n_arrays; a++) {
        const locum_domain *domain = &schema->domains[schema->arrays[a].domain];
        fprintf(out, "%s{\"name\":\"%s\",\"components\":%" PRId64 ",\"grid\":[", a ? "," : "", schema->arrays[a].name,
                locum_array_components(&schema->arrays[a]));
        for (int i = 0; i < domain->n_dims; i++) fprintf(out, "%s%" PRId64, i ? "," : "", domain->n_global[i]);
        fprintf(out, "],\"lower\":[");
        for (int i = 0; i < domain->n_dims; i++) fprintf(out, "%s%.17g", i ? "," : "", domain->lower[i]);
        fprintf(out, "],\"upper\":[");
        for (int i = 0; i < domain->n_dims; i++) fprintf(out, "%s%.17g", i ? "," : "", domain->upper[i]);
        fprintf(out, "],\"periodic\":%d}", domain->n_dims && domain->side[0][0] == LOCUM_PERIODIC);
    }
    fprintf(out, "],\"timeless\":%d,\"parameters\":[", schema->timeless);
    for (int p = 0; p < locum_dataset_n_parameters(d); p++)
        fprintf(out, "%s\"%s\"", p ? "," : "", locum_dataset_parameter_name(d, p));
    fprintf(out, "],\"samples\":[");
    for (int64_t b = 0; b < locum_dataset_n(d); b++) {
        const locum_dataset_sample *s = locum_dataset_sample_at(d, b);
        fprintf(out, "%s{\"index\":%" PRId64 ",\"split\":\"%s\",\"times\":[", b ? "," : "", s->index,
                locum_split_name(s->split));
        for (int64_t f = 0; f < s->n_frames; f++) fprintf(out, "%s%.17g", f ? "," : "", locum_dataset_time(d, b, f));
        fprintf(out, "],\"parameter\":[");
        for (int p = 0; p < locum_dataset_n_parameters(d); p++) fprintf(out, "%s%.17g", p ? "," : "", s->parameter[p]);
        fprintf(out, "]}");
    }
    fprintf(out, "]}\n");
    fclose(out);
}

static locum_status write_sample(const locum_dataset *d, int64_t b, int a, FILE *out)
{
    int64_t n = locum_dataset_sample_at(d, b)->n_frames, count = locum_dataset_count(d, b, 0, a);
    float *frames = NULL;
    double *last = NULL;

    locum_status st = LOCUM_NEW(&frames, n * count);
    if (!st) st = LOCUM_NEW(&last, count);
    if (!st) st = locum_dataset_read_frames(d, b, 0, n, a, frames);
    if (!st) st = locum_dataset_read(d, b, -1, a, last);
    if (!st) fwrite(frames, sizeof *frames, (size_t)(n * count), out);
    if (!st) fwrite(last, sizeof *last, (size_t)count, out);
    free(frames);
    free(last);
    return st;
}

static locum_status dump(const char *study_path, const char *out)
{
    locum_study *study = NULL;
    locum_source source;
    locum_dataset *d = NULL;
    char path[1024];
    uint64_t hash = 0, again = 1;

    locum_status st = locum_study_open(study_path, 0, NULL, &study);
    if (!st) st = locum_source_read(study, &source);
    if (!st) st = locum_source_hash(&source, locum_study_seed(study), &hash);
    if (!st) st = locum_source_hash(&source, locum_study_seed(study), &again);
    if (!st && hash != again) st = LOCUM_FAIL(LOCUM_INTERNAL, "the hash changes by itself");
    if (!st) st = locum_source_open(&source, locum_study_seed(study), &d);
    if (!st) {
        snprintf(path, sizeof path, "%s.json", out);
        write_json(d, path);
        snprintf(path, sizeof path, "%s.raw", out);
        FILE *raw = fopen(path, "wb");
        for (int a = 0; !st && a < locum_dataset_schema(d)->n_arrays; a++)
            for (int64_t b = 0; !st && b < locum_dataset_n(d); b++) st = write_sample(d, b, a, raw);
        fclose(raw);
    }
    locum_dataset_close(d);
    locum_study_destroy(study);
    return st;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 64;
    locum_status st = dump(argv[1], argv[2]);
    if (st) printf("%s %s\n", locum_status_name(st), locum_status_message());
    return (int)st;
}
