/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/signal.h"

#include <stddef.h>

static volatile sig_atomic_t asked_to_stop;

static void on_usr1(int number)
{
    (void)number;
    asked_to_stop = 1;
}

void signal_install(void)
{
    struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

const volatile sig_atomic_t *signal_flag(void)
{
    return &asked_to_stop;
}
