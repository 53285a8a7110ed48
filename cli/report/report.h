/* SPDX-License-Identifier: BSD-3-Clause */
/* report.h - from report/report.json to report/index.html: self-contained, inline SVG by gnuplot, no scripts, no
 * network. Reads nothing but report.json. Without gnuplot the report has its tables and says so. */
#ifndef CLI_REPORT_REPORT_H
#define CLI_REPORT_REPORT_H

#include "core/study/log.h"

/** Writes folder/index.html. LOCUM_INPUT if report.json is missing, LOCUM_DAMAGED if it is not what validate wrote.
 *  Local. */
locum_status report_write(const char *folder, locum_log *log);

#endif
