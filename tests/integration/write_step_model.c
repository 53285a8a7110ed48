/* SPDX-License-Identifier: BSD-3-Clause */
/* write_step_model.c FILE - the step model of the runtime's tests as a file: fields move one cell along x, times a gain. */
#include <stdio.h>

#include "tests/unit/runtime/field_model.h"

int main(int argc, char **argv)
{
    const field_model model = {
        .nx = 6, .ny = 4, .history = 1, .is_step = true, .vector = true, .trusted = true, .residuals = true};
    locum_text text = {0};
    FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;

    if (!file) return 2;
    field_model_write(&model, &text);
    int failed = fwrite(text.data, 1, text.size, file) != text.size;
    failed |= fclose(file) != 0;
    locum_text_free(&text);
    return failed;
}
