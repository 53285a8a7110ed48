/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_seed.c - writes small sound models into a folder, for fuzz_model to begin with: fuzz_seed FOLDER */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/models/fixture.h"
#include "tests/unit/runtime/field_model.h"

static int keep(const char *folder, const char *name, locum_text *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    FILE *file = fopen(path, "wb");
    int failed = !file || text->status || fwrite(text->data, 1, text->size, file) != text->size || fclose(file);
    locum_text_free(text);
    return failed;
}

int main(int argc, char **argv)
{
    static const int shapes[][3] = {{1, 1, 2}, {2, 1, 3}, {1, 2, 4}}; /* members, layers, width */
    static const field_model step = {
        .nx = 3, .ny = 2, .history = 2, .is_step = true, .vector = true, .trusted = true, .residuals = true};
    char name[40];
    locum_text text = {0};
    if (argc != 2) return 2;
    mkdir(argv[1], 0777);
    for (int i = 0; i < 3; i++) {
        fixture *f = fixture_create(shapes[i][0], shapes[i][1], shapes[i][2], 1);
        fixture_write(f, &text);
        fixture_destroy(f);
        snprintf(name, sizeof name, "seed-%d", i);
        if (keep(argv[1], name, &text)) return 1;
    }
    field_model_write(&step, &text);
    return keep(argv[1], "seed-step", &text);
}
