/* SPDX-License-Identifier: BSD-3-Clause */
/* keep_plugins.c - linked into tests of sanitizer builds: nothing is unloaded, so that LeakSanitizer, which reports at exit, can still
 * name the plug-in of Open MPI that lost something, and scripts/check/leaks.supp can know it by that name. */
#include <dlfcn.h>

__attribute__((visibility("default"))) int dlclose(void *handle)
{
    (void)handle;
    return 0;
}
