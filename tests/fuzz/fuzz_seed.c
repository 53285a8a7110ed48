/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_seed.c - writes small sound models into a folder, for fuzz_model to begin with: fuzz_seed FOLDER */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/models/fixture.h"

int main(int argc, char **argv)
{
    static const int shapes[][3] = {{1, 1, 2}, {2, 1, 3}, {1, 2, 4}}; /* members, layers, width */
    char path[1024];
    if (argc != 2) return 2;
    mkdir(argv[1], 0777);
    for (int i = 0; i < 3; i++) {
        fixture *f = fixture_create(shapes[i][0], shapes[i][1], shapes[i][2], 1);
        locum_text text = {0};
        fixture_write(f, &text);
        snprintf(path, sizeof path, "%s/seed-%d.safetensors", argv[1], i);
        FILE *file = fopen(path, "wb");
        if (!file || text.status || fwrite(text.data, 1, text.size, file) != text.size || fclose(file)) return 1;
        locum_text_free(&text);
        fixture_destroy(f);
    }
    return 0;
}
