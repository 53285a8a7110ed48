/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c - the kernels of one level as a table. */
#include "surrogate/kernels/level.h"

const locum_kernels LOCUM_KERNEL(locum_kernels_table) = {
    .name = LOCUM_TEXT(LOCUM_LEVEL),
    .level = LOCUM_LEVEL_CODE,
    .row_block = LOCUM_TILE_HEIGHT,
    .packed_count = LOCUM_KERNEL(locum_product_packed_count),
    .pack = LOCUM_KERNEL(locum_product_pack),
    .product = LOCUM_KERNEL(locum_product),
    .product_rows = LOCUM_KERNEL(locum_product_rows),
    .convolution_count = LOCUM_KERNEL(locum_convolution_count),
    .convolution_pack = LOCUM_KERNEL(locum_convolution_pack),
    .convolution = LOCUM_KERNEL(locum_convolution),
    .convolution_weight = LOCUM_KERNEL(locum_convolution_weight),
    .transform = LOCUM_KERNEL(locum_transform_rows),
    .tile = LOCUM_KERNEL(locum_tile),
    .unary = LOCUM_KERNEL(locum_unary),
    .adamw = LOCUM_KERNEL(locum_adamw),
    .sum_squares = LOCUM_KERNEL(locum_sum_squares),
    .add = LOCUM_KERNEL(locum_add),
    .copy_strided = LOCUM_KERNEL(locum_copy_strided),
};
