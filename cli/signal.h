/* SPDX-License-Identifier: BSD-3-Clause */
/* signal.h - SIGUSR1 asks for a checkpoint and a stop; SIGXFSZ becomes an error of the write that met the limit. */
#ifndef CLI_SIGNAL_H
#define CLI_SIGNAL_H

#include <signal.h>

void signal_install(void);
const volatile sig_atomic_t *signal_flag(void);

#endif
