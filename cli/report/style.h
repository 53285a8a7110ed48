/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_REPORT_STYLE_H
#define CLI_REPORT_STYLE_H

extern const char report_style[]; /* the page's style sheet: light and dark, 400 to 1280 pixels and paper */

#endif
