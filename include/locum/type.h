/* SPDX-License-Identifier: BSD-3-Clause */
/* type.h - element types of the arrays that cross our interfaces. */
#ifndef LOCUM_TYPE_H
#define LOCUM_TYPE_H

typedef enum locum_type { LOCUM_FLOAT64, LOCUM_FLOAT32, LOCUM_INT64, LOCUM_INT32 } locum_type;

#endif
